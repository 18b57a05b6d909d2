//! `pop3 fetch --every`, `--on-new` and `--install-timer`.
#![cfg(unix)]

mod script;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use script::fake::{Fake, Say, message};
use script::{home, pop3, text};

/// The time after which a test has failed.
const LIMIT: Duration = Duration::from_secs(60);

/// A program that runs on until the test ends, and the lines that it prints.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let sender = sender.clone();
            thread::spawn(move || BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        }
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(LIMIT).expect("a line is printed")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that tells each `QUIT`.
fn server(messages: u32, refuse: impl Fn() -> bool + Send + Sync + 'static) -> (Fake, Receiver<()>) {
    let (sender, sessions) = mpsc::channel();
    let sender = Mutex::new(sender);
    let server = Fake::with("USER\r\nUIDL\r\n", (1..=messages).map(message).collect(), move |_, line| match line {
        "QUIT" => {
            sender.lock().unwrap().send(()).unwrap();
            Say::Default
        }
        line if line.starts_with("PASS") && refuse() => Say::line("-ERR [SYS/TEMP] not now"),
        _ => Say::Default,
    });
    (server, sessions)
}

#[test]
fn an_account_is_fetched_again_and_again_and_only_news_are_told() {
    let (folder, maildir) = home();
    let (server, sessions) = server(2, || false);
    let news = folder.path().join("news");
    let mut command = server.command(&maildir, &["--every", "1s", "--on-new", "echo $POP3_ACCOUNT $POP3_NEW >> $NEWS; exit 3"]);
    let running = Running::start(command.env("NEWS", &news));
    let account = format!("joe@127.0.0.1:{}", server.port);
    assert!(running.line().starts_with(&format!("{account}: 2 messages (")));
    assert!(running.line().contains("warning: the command of --on-new failed: exit status: 3"));
    for _ in 0..3 {
        sessions.recv_timeout(LIMIT).unwrap();
    }
    server.change(|state| state.messages.push(message(3)));
    // The next line is about the new message: the runs that brought nothing were not worth one.
    assert!(running.line().starts_with(&format!("{account}: 1 message (")));
    assert!(running.line().contains("--on-new"));
    assert_eq!(fs::read_to_string(&news).unwrap(), format!("{account} 2\n{account} 1\n"));
}

#[test]
fn a_failure_is_told_once_and_its_end_too() {
    let (_folder, maildir) = home();
    let refused = Arc::new(Mutex::new(0));
    let count = Arc::clone(&refused);
    let (server, sessions) = server(1, move || {
        let mut count = count.lock().unwrap();
        *count += 1;
        *count <= 2
    });
    let mut running = Running::start(&mut server.command(&maildir, &["--every", "1s"]));
    assert!(running.line().contains("not now"));
    assert!(running.line().contains("Try again later") || running.lines.try_recv().is_err(), "what to do is said beside it");
    loop {
        let line = running.line();
        assert!(!line.contains("not now"), "told once: {line}");
        if line == "pop3: works again" {
            break;
        }
    }
    sessions.recv_timeout(LIMIT).unwrap();
    assert!(*refused.lock().unwrap() >= 3);
    assert_eq!(running.child.try_wait().unwrap(), None);
}

#[test]
fn a_signal_fetches_at_once() {
    let (_folder, maildir) = home();
    let (server, sessions) = server(1, || false);
    let running = Running::start(&mut server.command(&maildir, &["--every", "1h"]));
    running.line();
    sessions.recv_timeout(LIMIT).unwrap();
    server.change(|state| state.messages.push(message(2)));
    let kill = |name: &str| Command::new("kill").args([name, &running.child.id().to_string()]).status().unwrap();
    assert!(kill("-USR1").success());
    assert!(running.line().contains(": 1 message ("));
    sessions.recv_timeout(LIMIT).unwrap();
}

#[test]
fn new_mail_is_told_though_the_run_fails_and_nothing_is_held_up() {
    let (folder, maildir) = home();
    let server = Fake::with("USER\r\nUIDL\r\n", (1..=4).map(message).collect(), |state, line| match line {
        "RETR 3" if state.sessions == 1 => Say::ThenClose(Vec::new()),
        _ => Say::Default,
    });
    let news = folder.path().join("news");
    // The command fetches itself: nothing is locked while it runs.
    let inner = server.command(&maildir, &["--quiet"]);
    let line: Vec<_> = std::iter::once(inner.get_program())
        .chain(inner.get_args())
        .map(|part| format!("'{}'", part.to_str().unwrap()))
        .collect();
    let on_new = format!("echo $POP3_NEW >> {}; POP3_PASSWORD=secret {}", news.display(), line.join(" "));
    let output = server.fetch(&maildir, &["--on-new", &on_new]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(&news).unwrap(), "2\n");
    assert_eq!(fs::read_dir(maildir.join("new")).unwrap().count(), 4, "{}", text(&output.stderr));
}

#[test]
fn each_account_has_its_own_schedule_and_a_broken_one_stops_no_other() {
    let (folder, _) = home();
    let (server, sessions) = server(1, || false);
    let config = folder.path().join(".config/pop3/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let account = |name: &str, keys: &str| {
        format!(
            "[accounts.{name}]\nserver = \"127.0.0.1\"\nuser = \"joe\"\nport = {}\ndangerously-cleartext = true\nmaildir = \"{}\"\n{keys}\n",
            server.port,
            folder.path().join(name).display()
        )
    };
    let password = folder.path().join("password");
    let command = "password-command = \"echo secret\"";
    let text = [account("broken", &format!("password-file = \"{}\"", password.display())), account("good", command)].concat();
    fs::write(&config, text).unwrap();
    let mut command = pop3();
    command.args(["fetch", "--every", "1s"]).env("HOME", folder.path()).env_remove("XDG_CONFIG_HOME");
    let running = Running::start(&mut command);
    let mut lines = vec![running.line(), running.line()];
    lines.sort();
    assert!(lines[0].starts_with("good: 1 message ("), "{lines:?}");
    assert!(lines[1].starts_with("pop3: broken: ") && lines[1].contains("No such file"), "{lines:?}");
    for _ in 0..2 {
        sessions.recv_timeout(LIMIT).unwrap();
    }
    // The password is there now.
    fs::write(&password, "secret\n").unwrap();
    fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut wanted = vec!["pop3: broken: works again", "broken: 1 message ("];
    while !wanted.is_empty() {
        let line = running.line();
        wanted.retain(|part| !line.starts_with(part));
    }
}

fn installed(folder: &Path, arguments: &[&str], has_systemd: bool) -> (Option<i32>, String, PathBuf) {
    let mut command = pop3();
    command.args(["fetch", "--install-timer"]).args(arguments).env("HOME", folder).env_remove("XDG_CONFIG_HOME");
    if has_systemd {
        command.env("POP3_SYSTEMD", "1");
    }
    let output = command.output().unwrap();
    let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
    (output.status.code(), told, folder.join(".config/systemd/user"))
}

#[test]
fn a_timer_of_systemd_is_written() {
    let (folder, _) = home();
    let (code, told, _) = installed(folder.path(), &[], true);
    assert!(code == Some(2) && told.contains("no account"), "{told}");
    let config = folder.path().join(".config/pop3/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, "[accounts.a]\nserver = \"joe@example.org\"\n").unwrap();
    let (code, told, units) = installed(folder.path(), &["--delete", "--every", "5m"], true);
    assert!(code == Some(2) && told.contains("as keys of the accounts") && !units.exists(), "{told}");
    let (code, told, units) = installed(folder.path(), &["--every", "5m"], true);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("systemctl --user enable --now pop3-fetch.timer"), "{told}");
    let service = fs::read_to_string(units.join("pop3-fetch.service")).unwrap();
    assert!(service.contains(&format!("ExecStart=\"{}\" fetch --quiet\n", env!("CARGO_BIN_EXE_pop3"))), "{service}");
    let timer = fs::read_to_string(units.join("pop3-fetch.timer")).unwrap();
    assert!(timer.contains("OnUnitInactiveSec=300s\n") && timer.contains("RandomizedDelaySec=30s\n"), "{timer}");
    let (code, told, _) = installed(folder.path(), &["you@126.com"], true);
    assert!(code == Some(2) && told.contains("pop3 accounts add"), "{told}");
}

#[test]
fn what_cannot_be_an_interval_is_refused() {
    for (arguments, part) in [(["--every", "0s"], "at least 1s"), (["--every", "soon"], "a number with a unit")] {
        let output = pop3().args(["fetch"]).args(arguments).output().unwrap();
        assert!(output.status.code() == Some(2) && text(&output.stderr).contains(part), "{}", text(&output.stderr));
    }
}
