//! Mail goes on to software that we did not write: Dovecot's LMTP, procmail, and Python's reader of files of messages.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::corpus;
use crate::servers::{NOBODY, PASSWORD, Server, open_to_all};

/// Enough to have every kind of oddity.
const COUNT: usize = 150;

/// Writes each message of an mbox into a file of a folder, as Python's `mailbox` reads it.
const SPLIT: &str = "
import mailbox, pathlib, re, sys
for number, message in enumerate(mailbox.mbox(sys.argv[1], create=False).iterkeys()):
    octets = mailbox.mbox(sys.argv[1]).get_bytes(message)
    pathlib.Path(sys.argv[2], f'{number:04}').write_bytes(re.sub(rb'(?m)^>(>*From )', rb'\\1', octets))
";

fn of(folder: &Path, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut messages: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    messages.sort();
    let mut messages: Vec<_> = messages.iter().map(|path| change(fs::read(path).unwrap())).collect();
    messages.sort();
    messages
}

fn without_cr(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().filter(|octet| *octet != b'\r').collect()
}

/// The message behind the lines that servers have put before it; ours is the last of them.
fn behind_received(octets: &[u8]) -> Vec<u8> {
    let text = without_cr(octets);
    let ours = text.windows(7).position(|window| window == b"(pop3 0").expect("our line is there");
    let end = text[ours..].windows(2).position(|two| two[0] == b'\n' && two[1] != b'\t').unwrap();
    text[ours + end + 1..].to_vec()
}

#[test]
fn every_destination_gets_every_message_as_it_is() {
    let messages: Vec<_> = corpus::messages().into_iter().take(COUNT).collect();
    let server = Server::dovecot(&messages);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let split = |mbox: &str| {
        let to = path(&format!("{mbox}.split"));
        fs::create_dir(&to).unwrap();
        let done = Command::new("python3").args(["-c", SPLIT]).arg(path(mbox)).arg(&to).status().unwrap();
        assert!(done.success());
        to
    };
    // Dovecot keeps the mail of the last user, so that has none before.
    let theirs = server.maildir("u16").join("new");
    for entry in fs::read_dir(&theirs).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
    command.args(["fetch", "127.0.0.1", "--user", "u1", "--port", &server.plain.to_string(), "--dangerously-cleartext"]);
    for destination in [
        "eml:eml".to_owned(),
        "maildir:Maildir".to_owned(),
        "mbox:mbox".to_owned(),
        format!("lmtp:{}", server.lmtp().display()),
        "command:procmail -f - -p DEFAULT=$PWD/procmail.mbox /dev/null".to_owned(),
    ] {
        command.args(["--deliver-to", &destination]);
    }
    command.args(["--recipient", "u16"]).env("POP3_PASSWORD", PASSWORD).env("HOME", folder.path()).current_dir(folder.path());
    let output = command.env_remove("XDG_STATE_HOME").output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains(&format!("{COUNT} messages passed on")), "{told}");

    // A Maildir of a run without destinations is what all are compared with.
    let home = path("home");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
    command.args(["fetch", "127.0.0.1", "--user", "u2", "--port", &server.plain.to_string(), "--dangerously-cleartext"]);
    assert!(command.arg(&home).env("POP3_PASSWORD", PASSWORD).status().unwrap().success());
    let as_it_is = of(&home.join("new"), |octets| octets);
    assert_eq!(as_it_is.len(), COUNT);
    assert!(of(&path("Maildir/new"), |octets| octets) == as_it_is, "a Maildir");
    // Lines are compared without CR, which a line of text cannot have.
    let lines: Vec<_> = {
        let mut lines: Vec<_> = as_it_is.iter().map(|octets| without_cr(octets)).collect();
        lines.sort();
        lines
    };
    let ended = |mut octets: Vec<u8>| {
        if !octets.ends_with(b"\n") {
            octets.push(b'\n');
        }
        octets
    };
    let sorted = |mut all: Vec<Vec<u8>>| {
        all.sort();
        all
    };
    let whole_lines = sorted(lines.iter().cloned().map(ended).collect());
    assert!(of(&path("eml"), |octets| without_cr(&octets)) == lines, "a folder of .eml");
    assert!(sorted(of(&split("mbox"), |octets| ended(without_cr(&octets)))) == whole_lines, "an mbox");
    assert_eq!(of(&theirs, |octets| octets).len(), COUNT, "Dovecot");
    assert!(sorted(of(&theirs, |octets| ended(behind_received(&octets)))) == whole_lines, "Dovecot");
    // procmail quotes and ends lines in its own way; it has got all.
    let procmail = fs::read(path("procmail.mbox")).unwrap();
    let begins = procmail.windows(6).filter(|window| window == b"\nFrom ").count() + 1;
    assert!(begins >= COUNT, "procmail has {begins}");
}

#[test]
fn two_accounts_write_one_mbox_in_a_folder_where_no_lock_can_be_made() {
    let messages: Vec<_> = (0..100).map(|number| format!("Subject: {number}\n\n{}", "text\n".repeat(20)).into_bytes()).collect();
    let server = Server::ours(&messages);
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let (home, mbox) = (folder.path().join("home"), folder.path().join("mail/mbox"));
    let config = home.join(".config/pop3/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::create_dir(mbox.parent().unwrap()).unwrap();
    fs::write(&mbox, "").unwrap();
    let account = |user: &str| {
        format!(
            "[accounts.{user}]\nserver = \"127.0.0.1\"\nuser = \"{user}\"\nport = {}\ndangerously-cleartext = true\n\
             password-command = \"echo {PASSWORD}\"\n",
            server.plain
        )
    };
    let accounts: String = ["u1", "u2", "u3", "u4"].into_iter().map(account).collect();
    fs::write(&config, format!("[defaults]\ndeliver-to = \"mbox:{}\"\ndelete = true\n{accounts}", mbox.display())).unwrap();
    let program = folder.path().join("pop3");
    fs::copy(env!("CARGO_BIN_EXE_pop3"), &program).unwrap();
    for path in [&home, &mbox] {
        assert!(Command::new("chown").args(["-R", &NOBODY.to_string()]).arg(path).status().unwrap().success());
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &NOBODY.to_string(), "--regid", &NOBODY.to_string(), "--clear-groups"]).arg(&program).arg("fetch");
    let output = command.env("HOME", &home).env_remove("XDG_STATE_HOME").env_remove("XDG_CONFIG_HOME").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(&mbox).unwrap();
    assert_eq!((text.matches("From MAILER-DAEMON ").count(), text.matches("\nSubject: ").count()), (400, 400));
}
