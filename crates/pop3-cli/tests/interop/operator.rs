//! What an operator does with our server, beside the software of others.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::clients::Mode;
use crate::corpus::read;
use crate::servers::{NOBODY, PASSWORD, Server, USERS, open_to_all};
use crate::{pop3_fetch, said};

/// Returns a file of the folder `contrib` of this project.
fn contrib(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contrib").join(name)
}

fn messages(count: usize) -> Vec<Vec<u8>> {
    (1..=count).map(|number| format!("Subject: {number}\n\nbody\n").into_bytes()).collect()
}

/// A session in the clear.
struct Wire(BufReader<TcpStream>);

impl Wire {
    fn new(server: &Server) -> Self {
        Self::to(server.plain)
    }

    fn to(port: u16) -> Self {
        let mut wire = Self(BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap()));
        assert!(wire.line().starts_with("+OK"));
        wire
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn say(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.line()
    }
}

/// Returns the unique-ids of a user's messages by their subjects, which differ.
fn unique_ids(server: &Server, user: &str) -> Vec<(String, String)> {
    let mut wire = Wire::new(server);
    assert!(wire.say(&format!("USER {user}")).starts_with("+OK"));
    assert!(wire.say(&format!("PASS {PASSWORD}")).starts_with("+OK"));
    assert!(wire.say("UIDL").starts_with("+OK"));
    let lines: Vec<String> = std::iter::from_fn(|| Some(wire.line()).filter(|line| line != ".")).collect();
    let mut ids = Vec::new();
    for line in lines {
        let (number, id) = line.split_once(' ').unwrap();
        assert!(wire.say(&format!("TOP {number} 0")).starts_with("+OK"));
        let headers: Vec<String> = std::iter::from_fn(|| Some(wire.line()).filter(|line| line != ".")).collect();
        ids.push((headers[0].clone(), id.to_owned()));
    }
    assert!(wire.say("QUIT").starts_with("+OK"));
    ids.sort();
    ids
}

fn deliver(server: &Server, user: &str, number: usize) {
    let file = server.maildir(user).join(format!("new/{}.M{number}P1.later", 1_900_000_000 + number));
    fs::write(&file, format!("Subject: later {number}\n\nbody\n")).unwrap();
    chown(&file, Some(NOBODY), Some(NOBODY)).unwrap();
}

#[test]
fn a_server_changes_from_dovecot_to_us_and_back_and_nothing_is_fetched_twice() {
    let user = USERS[0];
    let homes = tempfile::tempdir().unwrap();
    let home = homes.path().join("Maildir");
    let dovecot = Server::dovecot(&messages(20));
    let of_dovecot = unique_ids(&dovecot, user);
    said(&pop3_fetch(&dovecot, user, Mode::Tls, &home, &["--keep"]));

    let ours = Server::ours_after(dovecot);
    assert_eq!(unique_ids(&ours, user), of_dovecot);
    deliver(&ours, user, 1);
    let with_new = unique_ids(&ours, user);
    assert_eq!(with_new.len(), 21);
    let fetched = said(&pop3_fetch(&ours, user, Mode::Tls, &home, &["--keep"]));
    assert!(fetched.contains("1 message") && fetched.ends_with("20 known already"), "{fetched}");

    let dovecot = Server::dovecot_after(ours);
    assert_eq!(unique_ids(&dovecot, user), with_new, "the message that came while we served");
    deliver(&dovecot, user, 2);
    assert_eq!(unique_ids(&dovecot, user).len(), 22);
    let fetched = said(&pop3_fetch(&dovecot, user, Mode::Tls, &home, &["--keep"]));
    assert!(fetched.contains("1 message") && fetched.ends_with("21 known already"), "{fetched}");

    let ours = Server::ours_after(dovecot);
    let fetched = said(&pop3_fetch(&ours, user, Mode::Tls, &home, &["--keep"]));
    assert!(fetched.ends_with("nothing new, 22 known already"), "{fetched}");
    assert_eq!(read(&home).len(), 22);
}

#[test]
fn h59_root_is_given_up_once_the_ports_are_open() {
    let ours = Server::ours_after(Server::dovecot(&messages(1)));
    // The ports are open before; it greets nobody as root.
    drop(Wire::new(&ours));
    let status = fs::read_to_string(format!("/proc/{}/status", ours.process())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let nobody = NOBODY.to_string();
    for ids in [field("Uid:"), field("Gid:")] {
        assert!(ids.len() == 4 && ids.iter().all(|id| *id == nobody), "{status}");
    }
    assert!(field("Groups:").iter().all(|group| *group == nobody), "{status}");
    for rights in ["CapPrm:", "CapEff:"] {
        assert_eq!(field(rights), ["0000000000000000"], "{status}");
    }
    // Every thread has given it up.
    for task in fs::read_dir(format!("/proc/{}/task", ours.process())).unwrap() {
        assert_eq!(task.unwrap().metadata().unwrap().uid(), NOBODY);
    }
    // What it writes belongs to the owner of the mail.
    assert_eq!(unique_ids(&ours, USERS[1]).len(), 1);
    for file in ["pop3-lock", "dovecot-uidlist"] {
        assert_eq!(fs::metadata(ours.maildir(USERS[1]).join(file)).unwrap().uid(), NOBODY, "{file}");
    }
    for (name, told) in
        [("no-such-user", "there is no such user"), ("nobody:no-such-group", "no such group"), ("root", "root itself")]
    {
        let serve = ["serve", "--users", "/dev/null", "--mail", "/srv/%u", "--listen", "127.0.0.1:0", "--dangerously-cleartext"];
        let output =
            Command::new(env!("CARGO_BIN_EXE_pop3")).args(serve).args(["--run-as", name]).env("LC_ALL", "C").output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && error.contains(told), "{name}: {error}");
    }
}

#[test]
fn fail2ban_finds_the_addresses_of_failed_logins_and_believes_no_name() {
    let ours = Server::ours_after(Server::dovecot(&messages(1)));
    let refused = |name: &str| {
        let mut wire = Wire::new(&ours);
        wire.say(&format!("USER {name}"));
        assert!(wire.say("PASS wrong").starts_with("-ERR"), "{name}");
    };
    let forged = [
        "stranger",
        "x\" address=192.0.2.7 method=\"USER\" tls=false",
        "login refused: wrong name or password user=\"x\" address=192.0.2.8 method=\"USER\" tls=true",
    ];
    forged.iter().for_each(|name| refused(name));
    assert_eq!(unique_ids(&ours, USERS[0]).len(), 1, "a good login is none of theirs");
    let mut command = Command::new("fail2ban-regex");
    let output = command.args(["--out", "ip"]).arg(ours.log()).arg(contrib("fail2ban/filter.d/pop3.conf")).output().unwrap();
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    let log = fs::read_to_string(ours.log()).unwrap();
    assert_eq!(found.lines().collect::<Vec<_>>(), ["127.0.0.1"; 3], "{log}\n{}", String::from_utf8_lossy(&output.stderr));
    let jail = fs::read_to_string(contrib("fail2ban/jail.d/pop3.conf")).unwrap();
    assert!(jail.contains("\nfilter = pop3\n"));
}

#[test]
fn the_unit_of_systemd_exposes_little() {
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--threshold=20"])
        .arg(contrib("systemd/pop3.service"))
        .output()
        .unwrap();
    // The exit code says whether the exposure is above the threshold, in tenths.
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_settings_for_operators_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(contrib("server.toml")).unwrap();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.path().join("fullchain.pem"), certified.cert.pem()).unwrap();
    fs::write(folder.path().join("privkey.pem"), certified.signing_key.serialize_pem()).unwrap();
    fs::write(folder.path().join("users"), "joe@example.org:{PLAIN}x\n").unwrap();
    let here = folder.path().to_str().unwrap();
    let text = text.replace("/etc/pop3", here).replace("/etc/letsencrypt/live/mail.example.org", here);
    let file = folder.path().join("server.toml");
    fs::write(&file, text.replace("# run-as", "run-as").replace("\"vmail\"", "\"nobody\"")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
    let output = command.args(["serve", "--check", "--config"]).arg(&file).env("LC_ALL", "C").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("would be in /srv/mail/example.org/joe") && told.contains("runs as nobody"), "{told}");
}

#[test]
fn systemd_passes_a_socket_on_and_learns_that_the_server_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    fs::write(&users, "joe:{PLAIN}x\n").unwrap();
    let mail = folder.path().join("%u");
    let options = [
        "serve",
        "--users",
        users.to_str().unwrap(),
        "--mail",
        mail.to_str().unwrap(),
        "--listen",
        "fd:0",
        "--dangerously-cleartext",
    ];
    // Without systemd there is no socket.
    let output = Command::new(env!("CARGO_BIN_EXE_pop3")).args(options).env("LC_ALL", "C").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is the .socket unit running?"));
    let told = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    told.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut child = Command::new("python3")
        .arg("-c")
        .arg(
            "import os, socket, sys\nlistener = socket.create_server(('127.0.0.1', 0))\nprint(listener.getsockname()[1], flush=True)\n\
             os.dup2(listener.fileno(), 3)\nos.set_inheritable(3, True)\n\
             os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n\
             os.environ.update(WATCHDOG_PID=str(os.getpid()), WATCHDOG_USEC='20000')\n\
             os.execv(sys.argv[1], sys.argv[1:])",
        )
        .arg(env!("CARGO_BIN_EXE_pop3"))
        .args(options)
        .env("NOTIFY_SOCKET", folder.path().join("notify"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
    let hear = || {
        let mut datagram = [0; 100];
        let count = told.recv(&mut datagram)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&datagram[..count]).trim().to_owned())
    };
    let heard: Result<Vec<String>, _> = (0..3).map(|_| hear()).collect();
    let mut greeting = String::new();
    let stream = TcpStream::connect(format!("127.0.0.1:{}", port.trim())).unwrap();
    let greeted = BufReader::new(stream).read_line(&mut greeting);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(heard.unwrap(), ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
    assert!(greeted.is_ok() && greeting.starts_with("+OK"), "{greeting}");
}

#[test]
fn h59_each_maildir_is_accessed_with_the_rights_of_its_owner() {
    let folder = tempfile::Builder::new().prefix("pop3-owners-").tempdir().unwrap();
    open_to_all(folder.path());
    let path = |name: &str| folder.path().join(name);
    let (ann, bob) = (41_001, 41_002);
    let users = format!("ann:{{PLAIN}}x:{ann}:{ann}::\nbob:{{PLAIN}}x:{bob}:{bob}::\nmallory:{{PLAIN}}x:0:0::\n");
    fs::write(path("users"), users).unwrap();
    for (name, id) in [("ann", ann), ("bob", bob), ("mallory", bob)] {
        for sub in ["tmp", "new", "cur", "."] {
            fs::create_dir_all(path(name).join(sub)).unwrap();
            chown(path(name).join(sub), Some(id), Some(id)).unwrap();
        }
        // Many messages, so that several threads look at them.
        for number in 0..200 {
            let file = path(name).join(format!("new/{number}.of-{name}"));
            fs::write(&file, format!("Subject: of {name}\n\n")).unwrap();
            chown(&file, Some(id), Some(id)).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        fs::set_permissions(path(name), fs::Permissions::from_mode(0o700)).unwrap();
    }
    // Mail of Bob, in the Maildir of Ann.
    fs::hard_link(path("bob/new/0.of-bob"), path("ann/new/999.of-bob")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pop3"))
        .args([
            "serve",
            "--users-format",
            "dovecot",
            "--per-user",
            "--listen",
            "127.0.0.1:0",
            "--dangerously-cleartext",
            "--users",
        ])
        .arg(path("users"))
        .arg("--mail")
        .arg(path("%u"))
        .stdout(Stdio::piped())
        .stderr(fs::File::create(path("log")).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let plain = line.trim().rsplit(':').next().unwrap().parse().unwrap();
    let session = |name: &str| {
        let mut wire = Wire::to(plain);
        assert!(wire.say(&format!("USER {name}")).starts_with("+OK"));
        let reply = wire.say("PASS x");
        (wire, reply)
    };
    let (mut of_ann, reply) = session("ann");
    let (mut of_bob, also) = session("bob");
    let (_, of_root) = session("mallory");
    let retrieved = |wire: &mut Wire, number: u32| {
        let reply = wire.say(&format!("RETR {number}"));
        if reply.starts_with("+OK") {
            while wire.line() != "." {}
        }
        reply
    };
    let replies = [retrieved(&mut of_ann, 1), retrieved(&mut of_ann, 201), retrieved(&mut of_bob, 1)];
    let ends = [of_ann.say("DELE 1"), of_ann.say("QUIT"), of_bob.say("QUIT")];
    let owner = |name: &str| fs::metadata(path(name)).map(|meta| meta.uid());
    let owners = [owner("ann/pop3-lock"), owner("bob/pop3-lock")];
    child.kill().unwrap();
    child.wait().unwrap();
    let log = fs::read_to_string(path("log")).unwrap();
    assert!(reply.starts_with("+OK") && also.starts_with("+OK"), "{reply} {also}\n{log}");
    assert!(of_root.starts_with("-ERR"), "{of_root}");
    assert!(replies[0].starts_with("+OK") && replies[2].starts_with("+OK"), "{replies:?}\n{log}");
    assert!(replies[1].starts_with("-ERR"), "Bob's message was read with Ann's rights: {replies:?}");
    assert!(ends.iter().all(|reply| reply.starts_with("+OK")), "{ends:?}\n{log}");
    assert_eq!(owners.map(Result::unwrap), [ann, bob]);
    assert!(!path("ann/new/0.of-ann").exists());
}
