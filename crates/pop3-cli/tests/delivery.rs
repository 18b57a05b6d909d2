//! `pop3 fetch --deliver-to`: mail goes on from the spool, and what a destination does not take waits there.

mod script;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use script::fake::{Fake, message};
use script::{pop3, text};
use tempfile::TempDir;

/// A person with three messages on a server.
struct Person {
    folder: TempDir,
    server: Fake,
}

impl Person {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), server: Fake::new((1..=3).map(message).collect()) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn spool(&self) -> PathBuf {
        self.path(&format!(".local/state/pop3/spool/joe@example.org%2C127.0.0.1%3A{}", self.server.port))
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = pop3();
        command.args(["fetch", "joe@example.org", "--host", "127.0.0.1", "--port", &self.server.port.to_string()]);
        command.args(["--dangerously-cleartext", "--delete"]).args(options).env("POP3_PASSWORD", "secret");
        command.env("HOME", self.folder.path()).env_remove("XDG_STATE_HOME").current_dir(self.folder.path());
        command
    }

    fn fetch(&self, destinations: &[&str]) -> (Option<i32>, String) {
        let options: Vec<&str> = destinations.iter().flat_map(|destination| ["--deliver-to", destination]).collect();
        told(&self.command(&options).output().unwrap())
    }

    /// Fetches with its output redirected by the shell.
    fn fetch_into(&self, redirection: &str, options: &[&str]) -> (Option<i32>, String) {
        let inner = self.command(options);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec \"$0\" \"$@\" {redirection}")]).arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        told(&command.current_dir(self.folder.path()).output().unwrap())
    }

    /// The names of the messages that wait.
    fn waiting(&self) -> Vec<String> {
        let mut names: Vec<_> = names(&self.spool().join("new"));
        names.sort();
        names
    }
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn contents(folder: &Path, suffix: &str) -> Vec<String> {
    let mut names = names(folder);
    names.retain(|name| name.ends_with(suffix) && !name.starts_with('.'));
    names.sort();
    names.iter().map(|name| fs::read_to_string(folder.join(name)).unwrap()).collect()
}

fn mail(number: u32) -> String {
    text(&message(number).1).replace("\r\n", "\n")
}

#[test]
fn an_mbox_gets_each_message_once_and_its_lines_are_quoted() {
    let person = Person::new();
    let odd = "Return-Path: <a@example.org>\r\nSubject: odd\r\n\r\nFrom here\r\n>From there\r\nend\r\n";
    person.server.change(|state| state.messages = vec![("id-odd-a".to_owned(), odd.as_bytes().to_vec()), message(2)]);
    fs::write(person.path("mbox"), "From x Thu Jan  1 00:00:00 1970\nSubject: old\n\nold\n\n").unwrap();
    let (code, said) = person.fetch(&["mbox:mbox"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("2 messages (") && said.contains("2 messages passed on") && said.contains("mail goes to mbox:mbox"),
        "{said}"
    );
    let mbox = fs::read_to_string(person.path("mbox")).unwrap();
    let bodies: Vec<_> = mbox.split("\n\nFrom ").collect();
    assert_eq!(bodies.len(), 3, "{mbox}");
    assert!(bodies[0].ends_with("Subject: old\n\nold"), "{mbox}");
    assert!(bodies[1].starts_with("a@example.org ") && bodies[1].ends_with("\n\n>From here\n>>From there\nend"), "{mbox}");
    assert!(bodies[2].starts_with("MAILER-DAEMON ") && bodies[2].ends_with(&format!("\n{}\n", mail(2))), "{mbox}");
    assert!(person.waiting().is_empty() && person.server.left() == 0);
    let (code, said) = person.fetch(&["mbox:mbox"]);
    assert_eq!((code, fs::read_to_string(person.path("mbox")).unwrap()), (Some(0), mbox), "{said}");
}

#[test]
fn an_mbox_that_another_program_has_locked_is_left_alone() {
    let person = Person::new();
    // The lock of another program has its number, which may be that of a process of another machine.
    fs::write(person.path("mbox.lock"), "4194999").unwrap();
    let (code, said) = person.fetch(&["mbox:mbox"]);
    assert_eq!((code, person.waiting().len()), (Some(8), 3), "{said}");
    assert!(said.contains("another program has locked it: mbox.lock") && said.contains("3 messages wait in "), "{said}");
    assert!(!person.path("mbox").exists());
    let is_delivered = |person: &Person| {
        let (code, said) = person.fetch(&["mbox:mbox"]);
        assert_eq!((code, person.waiting().len()), (Some(0), 0), "{said}");
        assert!(!person.path("mbox.lock").exists());
        fs::read_to_string(person.path("mbox")).unwrap().matches("\nSubject: message ").count()
    };
    // An old lock is none, nor one whose owner was a process of this machine.
    let old = fs::File::options().write(true).open(person.path("mbox.lock")).unwrap();
    old.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(400)).unwrap();
    assert_eq!(is_delivered(&person), 3);
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    fs::write(person.path("mbox.lock"), format!("4194999@{}", host.trim())).unwrap();
    person.server.change(|state| state.messages = vec![message(4)]);
    assert_eq!(is_delivered(&person), 4);
}

#[test]
fn a_lock_of_an_mbox_that_is_no_file_is_not_read() {
    let person = Person::new();
    assert!(Command::new("mkfifo").arg(person.path("mbox.lock")).status().unwrap().success());
    let (code, said) = person.fetch(&["mbox:mbox"]);
    assert_eq!((code, person.waiting().len()), (Some(8), 3), "{said}");
}

#[test]
fn an_mbox_without_a_line_end_and_a_file_that_is_none() {
    let person = Person::new();
    fs::write(person.path("mbox"), "From x Thu Jan  1 00:00:00 1970\nSubject: old\n\nbody without end").unwrap();
    fs::write(person.path("notes.txt"), "notes").unwrap();
    let (code, said) = person.fetch(&["mbox:notes.txt", "mbox:mbox"]);
    assert_eq!((code, person.waiting().len()), (Some(8), 3), "{said}");
    assert!(said.contains("notes.txt is no file of messages"), "{said}");
    assert_eq!(fs::read_to_string(person.path("notes.txt")).unwrap(), "notes");
    let mbox = fs::read_to_string(person.path("mbox")).unwrap();
    assert_eq!(mbox.matches("\n\nFrom MAILER-DAEMON ").count(), 3, "the next destination has them: {mbox}");
}

#[test]
fn what_a_run_has_left_half_done_in_an_mbox_is_completed_and_comes_once() {
    let person = Person::new();
    assert_eq!(person.fetch(&["command:false"]).0, Some(8));
    let spool = person.spool();
    let last = spool.join("new").join(&person.waiting()[2]);
    let put = || {
        fs::write(&last, mail(3)).unwrap();
        // The first line of a message in an mbox has the time of its file.
        fs::File::options().write(true).open(&last).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    };
    put();
    assert_eq!(person.fetch(&["mbox:mbox"]).0, Some(0));
    let whole = fs::read_to_string(person.path("mbox")).unwrap();
    let begin = whole.rfind("From MAILER-DAEMON ").unwrap();
    // The run ended while it appended the last message, after any octet, and before it removed the message from the spool.
    for cut in (begin..whole.len()).step_by(4).chain([whole.len()]) {
        fs::write(person.path("mbox"), &whole[..cut]).unwrap();
        put();
        let (code, said) = person.fetch(&["mbox:mbox"]);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(fs::read_to_string(person.path("mbox")).unwrap(), whole, "{cut}");
    }
    // Meanwhile another program has written: its message stays, and ours comes after it.
    let others = format!("{}From other Thu Jan  1 00:00:00 1970\n\nother\n\n", &whole[..begin]);
    fs::write(person.path("mbox"), &others).unwrap();
    put();
    assert_eq!(person.fetch(&["mbox:mbox"]).0, Some(0));
    assert_eq!(fs::read_to_string(person.path("mbox")).unwrap(), format!("{others}{}", &whole[begin..]));
}

#[test]
fn folders_get_a_file_for_each_message_and_a_repeated_delivery_finds_it() {
    for (destination, place, suffix, is_crlf) in
        [("eml:mail", "mail", ".eml", true), ("maildir:Maildir", "Maildir/new", "", false)]
    {
        let person = Person::new();
        assert_eq!(person.fetch(&["command:false"]).0, Some(8));
        let spool = person.spool().join("new");
        let kept: Vec<_> =
            person.waiting().into_iter().map(|name| (fs::read(spool.join(&name)).unwrap(), spool.join(name))).collect();
        let (code, said) = person.fetch(&[destination]);
        assert_eq!((code, person.waiting().len()), (Some(0), 0), "{said}");
        let found = contents(&person.path(place), suffix);
        let expected: Vec<_> = (1..=3).map(|number| if is_crlf { text(&message(number).1) } else { mail(number) }).collect();
        assert_eq!(found, expected);
        // The run had ended before it removed the messages from the spool, and the owner has read one since.
        for (octets, path) in &kept {
            fs::write(path, octets).unwrap();
        }
        if !is_crlf {
            let name = kept[0].1.file_name().unwrap().to_str().unwrap();
            fs::rename(person.path("Maildir/new").join(name), person.path("Maildir/cur").join(format!("{name}:2,S"))).unwrap();
        }
        let (code, said) = person.fetch(&[destination]);
        assert_eq!((code, person.waiting().len()), (Some(0), 0), "{said}");
        let count = contents(&person.path(place), suffix).len();
        assert_eq!(count, if is_crlf { 3 } else { 2 });
    }
}

#[test]
fn a_command_gets_each_message_and_its_exit_code_counts() {
    let person = Person::new();
    // Exit code 75 is for all messages, any other for this one.
    let (code, said) = person.fetch(&["command:exit 75"]);
    assert_eq!((code, person.waiting().len(), person.server.left()), (Some(8), 3, 0), "{said}");
    assert_eq!(said.matches("exit code 75").count(), 1, "said once: {said}");
    let (code, said) =
        person.fetch(&["command:tee -a tried | grep -q 'message [13]' && echo \"$RECIPIENT $SENDER. $POP3_PASSWORD\" >> taken"]);
    assert_eq!((code, person.waiting().len()), (Some(8), 1), "{said}");
    assert!(said.contains("the command ended with exit code 1") && said.contains("1 message waits in "), "{said}");
    assert_eq!(fs::read_to_string(person.path("tried")).unwrap(), (1..=3).map(mail).collect::<String>());
    assert_eq!(fs::read_to_string(person.path("taken")).unwrap(), "joe@example.org . \n".repeat(2));
    let (code, said) = person.fetch(&["command:no-such-command-here"]);
    assert!(code == Some(8) && said.contains("cannot be run"), "{said}");
    let (code, said) = person.fetch(&["command:cat > last"]);
    assert_eq!((code, fs::read_to_string(person.path("last")).unwrap()), (Some(0), mail(2)), "{said}");
}

#[test]
fn several_destinations_get_each_message_once_though_one_fails() {
    let person = Person::new();
    // The command reads the message twice, so it is kept first.
    let command = "command:cat > this; grep -q 'message 2' this && exit 1; cat this >> second";
    let (code, said) = person.fetch(&["eml:mail", command, "mbox:mbox"]);
    assert_eq!((code, person.waiting().len()), (Some(8), 1), "{said}");
    let mboxed = |person: &Person| fs::read_to_string(person.path("mbox")).unwrap().matches("\nSubject: message ").count();
    assert_eq!((contents(&person.path("mail"), ".eml").len(), mboxed(&person)), (3, 3), "the others have it");
    let (code, said) = person.fetch(&["eml:mail", "command:cat >> second", "mbox:mbox"]);
    assert_eq!(code, Some(0), "{said}");
    // The command is another one, so it is another destination; the others are not given the message again.
    assert_eq!((contents(&person.path("mail"), ".eml").len(), mboxed(&person)), (3, 3));
    assert_eq!(fs::read_to_string(person.path("second")).unwrap(), [mail(1), mail(3), mail(2)].concat());
    assert!(!person.spool().join("pop3-delivered").exists());
}

#[test]
fn half_a_note_is_none_and_does_not_spoil_the_next() {
    let person = Person::new();
    assert_eq!(person.fetch(&["eml:mail", "command:exit 1"]).0, Some(8));
    let notes = person.spool().join("pop3-delivered");
    let text = fs::read_to_string(&notes).unwrap();
    // The run ended while it wrote the last note.
    fs::write(&notes, &text[..text.len() - 3]).unwrap();
    assert_eq!(person.fetch(&["eml:mail", "command:exit 1"]).0, Some(8));
    assert_eq!(fs::read_to_string(&notes).unwrap(), text, "the message was looked for, and noted anew");
    assert_eq!((contents(&person.path("mail"), ".eml").len(), person.waiting().len()), (3, 3));
}

#[test]
fn standard_output_has_the_messages_and_nothing_else() {
    let person = Person::new();
    let output = person.command(&["--deliver-to", "stdout"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mbox = text(&output.stdout);
    assert!(mbox.starts_with("From MAILER-DAEMON ") && mbox.matches("\n\nFrom ").count() == 2, "{mbox}");
    assert!(!mbox.contains("passed on") && text(&output.stderr).contains("3 messages passed on"), "{mbox}");
    // Output that cannot be written is no delivery.
    person.server.change(|state| state.messages = vec![message(9)]);
    let (code, said) = person.fetch_into("> /dev/full", &["--deliver-to", "stdout"]);
    assert_eq!((code, person.waiting().len()), (Some(8), 1), "{said}");
}

#[test]
fn that_nobody_can_read_what_is_told_stops_no_delivery() {
    let person = Person::new();
    let (code, _) = person.fetch_into("2> /dev/full", &["--deliver-to", "eml:mail"]);
    assert_eq!((code, person.waiting().len(), contents(&person.path("mail"), ".eml").len()), (Some(0), 0, 3));
}

/// A mail server that answers each command as `answer` says, and notes what it hears.
fn mail_server(answer: impl Fn(&str) -> Option<&'static str> + Send + 'static) -> (u16, Arc<Mutex<Vec<String>>>) {
    pop3_contract::limit_test();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = Arc::clone(&heard);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            serve(&mut stream.try_clone().unwrap(), &mut stream, &answer, &hears);
        }
    });
    (port, heard)
}

fn serve(
    from: &mut dyn std::io::Read,
    to: &mut dyn Write,
    answer: &impl Fn(&str) -> Option<&'static str>,
    heard: &Mutex<Vec<String>>,
) {
    to.write_all(b"220-mail.example.org\r\n220 ready\r\n").unwrap();
    let mut is_data = false;
    for line in BufReader::new(from).lines().map_while(Result::ok) {
        heard.lock().unwrap().push(line.clone());
        let reply = match line.as_str() {
            "." if is_data => {
                is_data = false;
                answer(".").unwrap_or("250 taken")
            }
            _ if is_data => continue,
            "DATA" => {
                let reply = answer(&line).unwrap_or("354 go on");
                is_data = reply.starts_with("354");
                reply
            }
            _ => answer(&line).unwrap_or("250-first\r\n250 last"),
        };
        if reply.is_empty() || to.write_all(format!("{reply}\r\n").as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn a_mail_server_takes_each_message_with_its_envelope() {
    for (kind, hello) in [("lmtp", "LHLO "), ("smtp", "EHLO ")] {
        let person = Person::new();
        let dotted = "Return-Path: <a@example.org>\r\nSubject: x\r\n\r\n.\r\n..two\r\n";
        person.server.change(|state| state.messages = vec![("id-a-a".to_owned(), dotted.as_bytes().to_vec()), message(2)]);
        let (port, heard) = mail_server(|_| None);
        let (code, said) = person.fetch(&[&format!("{kind}://127.0.0.1:{port}")]);
        assert_eq!((code, person.waiting().len()), (Some(0), 0), "{said}");
        let heard = heard.lock().unwrap().clone();
        assert!(heard[0].starts_with(hello), "{heard:?}");
        assert_eq!(heard[1..4], ["MAIL FROM:<a@example.org>", "RCPT TO:<joe@example.org>", "DATA"]);
        assert!(
            heard[4].starts_with("Received: from 127.0.0.1") && heard[6].starts_with("\tfor <joe@example.org>; "),
            "{heard:?}"
        );
        let body: Vec<_> = heard[7..].iter().take_while(|line| *line != ".").collect();
        assert_eq!(body, ["Return-Path: <a@example.org>", "Subject: x", "", "..", "...two"]);
        assert!(heard.contains(&"MAIL FROM:<>".to_owned()) && heard.last().unwrap() == "QUIT", "{heard:?}");
    }
}

#[test]
fn what_a_mail_server_refuses_waits_and_stops_no_other_message() {
    let person = Person::new();
    let refused = Arc::new(Mutex::new(0));
    let (port, heard) = mail_server(move |line| {
        (line == ".").then(|| {
            let mut count = refused.lock().unwrap();
            *count += 1;
            if *count == 1 { "554 this one not" } else { "250 taken" }
        })
    });
    let place = format!("lmtp://127.0.0.1:{port}");
    let (code, said) = person.fetch(&[&place]);
    assert_eq!((code, person.waiting().len()), (Some(8), 1), "{said}");
    assert!(said.contains("it refuses the message: 554 this one not"), "{said}");
    assert_eq!(heard.lock().unwrap().iter().filter(|line| *line == "RSET").count(), 1);
    let (code, said) = person.fetch(&[&place]);
    assert_eq!((code, person.waiting().len()), (Some(0), 0), "{said}");
    for (reply, part) in [
        ("421 later", "it leaves: 421 later"),
        ("", "it has closed the connection"),
        ("what?", "this is no reply: what?"),
        ("550 no such user", "it refuses RCPT: 550 no such user"),
    ] {
        let person = Person::new();
        let (port, _) = mail_server(move |line| line.starts_with("RCPT").then_some(reply));
        let (code, said) = person.fetch(&[&format!("smtp://127.0.0.1:{port}")]);
        assert_eq!((code, person.waiting().len()), (Some(8), 3), "{reply}: {said}");
        assert!(said.contains(part), "{part}: {said}");
    }
    // Nothing listens there.
    let person = Person::new();
    let (code, said) = person.fetch(&["smtp://127.0.0.1:1"]);
    assert_eq!((code, person.waiting().len()), (Some(8), 3), "{said}");
}

#[test]
fn a_message_that_goes_round_in_circles_is_passed_on_no_more() {
    let person = Person::new();
    let text = format!("{}Subject: x\r\n\r\n", "Received: from a by b\r\n".repeat(100));
    person.server.change(|state| state.messages = vec![("id-a-a".to_owned(), text.into_bytes())]);
    let (port, heard) = mail_server(|_| None);
    let (code, said) = person.fetch(&[&format!("smtp://127.0.0.1:{port}")]);
    assert!(code == Some(8) && said.contains("it goes round in circles"), "{said}");
    assert!(heard.lock().unwrap().is_empty());
}

#[test]
fn a_socket_of_this_machine_takes_mail() {
    let person = Person::new();
    let listener = UnixListener::bind(person.path("lmtp")).unwrap();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = Arc::clone(&heard);
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        serve(&mut stream.try_clone().unwrap(), &mut stream, &|_| None, &hears);
    });
    let (code, said) = person.fetch(&["lmtp:lmtp"]);
    assert_eq!((code, person.waiting().len()), (Some(0), 0), "{said}");
    assert_eq!(heard.lock().unwrap().iter().filter(|line| line.starts_with("MAIL")).count(), 3);
}

#[test]
fn what_cannot_be_a_destination_is_said_before_any_connection() {
    let person = Person::new();
    for (options, part) in [
        (&["--deliver-to", "imap://x"][..], "must be mbox:FILE"),
        (&["--recipient", "joe"], "--deliver-to"),
        (&["--deliver-to", "stdout", "--recipient", "a b"], "must be a mail address"),
        (&["--deliver-to", "stdout", "Maildir"], "either into a Maildir or to --deliver-to"),
    ] {
        let (code, said) = told(&person.command(options).output().unwrap());
        assert!(code == Some(2) && said.contains(part), "{options:?}: {said}");
    }
    let mut command = pop3();
    command.args(["fetch", "127.0.0.1", "--user", "joe", "--deliver-to", "lmtp://127.0.0.1"]).env("HOME", person.folder.path());
    let (code, said) = told(&command.output().unwrap());
    assert!(code == Some(2) && said.contains("needs a recipient: --recipient"), "{said}");
    assert_eq!(person.server.sessions(), 0);
}

#[test]
fn what_waits_goes_on_though_nothing_can_be_fetched_and_is_not_forgotten() {
    let person = Person::new();
    assert_eq!(person.fetch(&["command:exit 1"]).0, Some(8));
    // Without a destination, the mail that waits for one is told.
    let (code, said) = told(&person.command(&["Maildir"]).output().unwrap());
    assert!(code == Some(0) && said.contains("3 messages wait in "), "{said}");
    // A mail program has shown one of them.
    let first = &person.waiting()[0];
    fs::rename(person.spool().join("new").join(first), person.spool().join("cur").join(format!("{first}:2,S"))).unwrap();
    let (code, said) = told(&person.command(&["--deliver-to", "command:exit 1", "--password-file", "nowhere"]).output().unwrap());
    assert!(code == Some(7) && said.contains("3 messages wait in "), "{said}");
    person.server.change(|state| state.greeting = b"-ERR closed for ever\r\n".to_vec());
    let (code, said) = person.fetch(&["command:exit 1"]);
    assert!(code != Some(0) && said.contains("closed for ever") && said.contains("3 messages wait in "), "{said}");
    let (code, said) = person.fetch(&["eml:mail"]);
    assert!(
        code != Some(0) && said.contains("closed for ever") && said.contains("3 messages passed on") && !said.contains("wait"),
        "{said}"
    );
    assert_eq!((person.waiting().len(), contents(&person.path("mail"), ".eml").len()), (0, 3));
}

#[test]
fn a_destination_that_cannot_be_opened_stops_no_other() {
    let person = Person::new();
    fs::write(person.path("file"), "").unwrap();
    let (code, said) = person.fetch(&["eml:file", "eml:mail"]);
    assert_eq!((code, person.waiting().len(), contents(&person.path("mail"), ".eml").len()), (Some(8), 3, 3), "{said}");
    assert!(said.contains("eml:file: ") && said.contains("3 messages wait in "), "{said}");
}

#[test]
fn a_message_that_ends_the_session_stops_no_other() {
    for reply in ["554 no", "421 I am going", ""] {
        let person = Person::new();
        person.server.change(|state| state.messages = (1..=4).map(message).collect());
        let count = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&count);
        // The first message is refused, and the server has left when RSET or the next MAIL comes.
        let (port, _) = mail_server(move |line| match line {
            "." => {
                *counted.lock().unwrap() += 1;
                (*counted.lock().unwrap() == 1).then_some(reply)
            }
            "RSET" => Some(""),
            _ => None,
        });
        let place = format!("lmtp://127.0.0.1:{port}");
        let (code, said) = person.fetch(&[&place]);
        assert_eq!((code, person.waiting().len()), (Some(8), 1), "{reply}: {said}");
        assert!(said.contains(if reply.is_empty() { "closed the connection" } else { reply }), "{said}");
    }
    // A server that takes two messages in a session, and says so with 421, gets the others in further ones.
    let person = Person::new();
    person.server.change(|state| state.messages = (1..=5).map(message).collect());
    let count = Arc::new(Mutex::new(0));
    let (port, heard) = mail_server(move |line| {
        let mut count = count.lock().unwrap();
        match line {
            line if line.starts_with("LHLO") => *count = 0,
            line if line.starts_with("MAIL") => *count += 1,
            _ => {}
        }
        (*count > 2).then_some("421 enough")
    });
    let (code, said) = person.fetch(&[&format!("lmtp://127.0.0.1:{port}")]);
    assert_eq!((code, person.waiting().len()), (Some(0), 0), "{said}");
    assert_eq!(heard.lock().unwrap().iter().filter(|line| line.starts_with("LHLO")).count(), 3);
}

#[test]
fn mail_goes_to_no_other_machine_in_the_clear() {
    let person = Person::new();
    let (code, said) = person.fetch(&["smtp://192.0.2.1"]);
    assert_eq!((code, person.waiting().len()), (Some(8), 3), "{said}");
    assert!(said.contains("192.0.2.1 is another machine"), "{said}");
}

/// Writes a configuration, and returns how a command with it ends.
fn with_config(person: &Person, config: &str, arguments: &[&str]) -> Output {
    let file = person.path(".config/pop3/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, config).unwrap();
    let mut command = pop3();
    command.args(arguments).env("HOME", person.folder.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
    command.current_dir(person.folder.path()).output().unwrap()
}

fn account(name: &str, port: u16, keys: &str) -> String {
    format!(
        "[accounts.{name}]\nserver = \"joe@example.org\"\nhost = \"127.0.0.1\"\nport = {port}\ndangerously-cleartext = true\n\
         password-command = \"echo secret\"\n{keys}\n"
    )
}

#[test]
fn several_accounts_share_a_destination_and_no_spool() {
    let person = Person::new();
    let others = Fake::new((11..=40).map(message).collect());
    person.server.change(|state| state.messages = (41..=80).map(message).collect());
    let both = [account("a", person.server.port, ""), account("b", others.port, "")].concat();
    let config = format!("[defaults]\ndeliver-to = \"mbox:mbox\"\ndelete = true\n{both}");
    let (code, said) = told(&with_config(&person, &config, &["fetch"]));
    assert_eq!(code, Some(0), "{said}");
    let mbox = fs::read_to_string(person.path("mbox")).unwrap();
    assert_eq!((mbox.matches("From MAILER-DAEMON ").count(), mbox.matches("\nSubject: message ").count()), (70, 70));
    // One address at two servers: what waits for the one goes nowhere else.
    person.server.change(|state| state.messages = vec![message(1)]);
    others.change(|state| state.messages = vec![message(2)]);
    let config = [
        account("a", person.server.port, "delete = true\ndeliver-to = \"command:exit 1\""),
        account("b", others.port, "delete = true\ndeliver-to = \"eml:b\""),
    ];
    let (code, said) = told(&with_config(&person, &config.concat(), &["fetch"]));
    assert_eq!(code, Some(8), "{said}");
    assert_eq!(contents(&person.path("b"), ".eml"), [text(&message(2).1)]);
}

#[test]
fn messages_on_standard_output_are_alone_there_whatever_other_accounts_do() {
    let person = Person::new();
    let others = Fake::new(vec![message(9)]);
    let config =
        [account("a", person.server.port, "deliver-to = \"stdout\""), account("b", others.port, "maildir = \"Maildir\"")];
    let output = with_config(&person, &config.concat(), &["fetch"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        !text(&output.stdout).contains("fetched") && text(&output.stderr).contains("b: 1 message ("),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_key_for_all_accounts_has_no_meaning_for_one_without_what_it_belongs_to() {
    let person = Person::new();
    let config = format!(
        "[defaults]\ndeliver-to = \"lmtp://127.0.0.1:1\"\nrecipient = \"you\"\n{}",
        account("a", person.server.port, "maildir = \"Maildir\"")
    );
    let (code, said) = told(&with_config(&person, &config, &["fetch"]));
    assert!(code == Some(0) && said.contains("a: 3 messages ("), "{said}");
    let config = account("a", person.server.port, "recipient = \"you\"");
    let (code, said) = told(&with_config(&person, &config, &["fetch"]));
    assert!(code == Some(2) && said.contains("the key deliver-to is missing"), "{said}");
}

#[test]
fn accounts_of_the_configuration_have_destinations() {
    let person = Person::new();
    let config = person.path(".config/pop3/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let keys = format!(
        "[defaults]\ndeliver-to = \"mbox:not-this\"\n[accounts.work]\nserver = \"joe@example.org\"\nhost = \"127.0.0.1\"\nport = {}\n\
         dangerously-cleartext = true\ndeliver-to = [\"eml:mail\", \"mbox:~/mbox\"]\n",
        person.server.port
    );
    fs::write(&config, keys).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = pop3();
        command.args(arguments).env("HOME", person.folder.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        told(&command.env("POP3_PASSWORD", "secret").current_dir(person.folder.path()).output().unwrap())
    };
    // What another program has fetched is taken over where the account's journal is.
    fs::write(person.path("ids"), "joe@127.0.0.1 id-2-x\n").unwrap();
    let (code, said) = run(&["state", "import", "fetchmail", "ids", "work", "--user", "joe"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(person.spool().join("new").is_dir());
    let (code, said) = run(&["accounts", "list"]);
    assert!(code == Some(0) && said.contains("eml:mail, mbox:"), "{said}");
    let (code, said) = run(&["fetch"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        person.path("mbox").exists() && contents(&person.path("mail"), ".eml").len() == 3 && !person.path("not-this").exists()
    );
    // Mail that stays on the server is passed on once.
    let (code, said) = run(&["fetch"]);
    assert!(code == Some(0) && said.contains("nothing new") && !said.contains("passed on"), "{said}");
}
