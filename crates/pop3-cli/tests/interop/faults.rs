//! A fault or a death at every system call that matters: nothing is lost, nothing comes twice, and no fault goes unseen.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use pop3_blocking::maildrop::Memory;
use pop3_blocking::{ListenSecurity, Server, ServerOptions};

use crate::corpus::read;

/// Where the mail goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// A Maildir, and no further.
    Home,
    Eml,
    Maildir,
    Mbox,
    Command,
}

impl Place {
    fn messages(self) -> usize {
        // A run with a spool makes many more calls.
        if self == Self::Home { 6 } else { 2 }
    }

    fn arguments(self, home: &Path) -> Vec<String> {
        // Where the mail goes is not said: it does not matter whether that can be written.
        let to = |destination: &str| {
            vec!["--quiet".to_owned(), "--deliver-to".to_owned(), format!("{destination}{}", home.join("there").display())]
        };
        match self {
            Self::Home => vec![home.display().to_string()],
            Self::Eml => to("eml:"),
            Self::Maildir => to("maildir:"),
            Self::Mbox => to("mbox:"),
            Self::Command => {
                let command =
                    "command:folder=$(mktemp -d $HOME/taken-XXXXXX) && cat > $folder/part && mv $folder/part $folder/message";
                vec!["--quiet".to_owned(), "--deliver-to".to_owned(), command.to_owned()]
            }
        }
    }

    /// The messages that have arrived.
    fn arrived(self, home: &Path) -> Vec<Vec<u8>> {
        let there = home.join("there");
        let files = |folder: &Path| if folder.is_dir() { read(folder) } else { Vec::new() };
        match self {
            Self::Home => files(&home.join("new")),
            Self::Maildir => files(&there.join("new")),
            Self::Eml => {
                let files =
                    fs::read_dir(&there).into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
                files.map(|path| String::from_utf8(fs::read(path).unwrap()).unwrap().replace("\r\n", "\n").into_bytes()).collect()
            }
            Self::Mbox => {
                let text = fs::read_to_string(&there).unwrap_or_default();
                let messages = text.split("From MAILER-DAEMON ").skip(1);
                // What has no empty line behind it is half a message.
                let whole = messages.filter_map(|message| message.split_once('\n')?.1.strip_suffix("\n"));
                whole.map(|message| message.as_bytes().to_vec()).collect()
            }
            Self::Command => {
                let taken = fs::read_dir(home).into_iter().flatten().map(|entry| entry.unwrap().path().join("message"));
                taken.filter(|path| path.is_file()).map(|path| fs::read(path).unwrap()).collect()
            }
        }
    }

    /// The messages that wait in the spool.
    fn waiting(self, home: &Path) -> Vec<Vec<u8>> {
        let spools = fs::read_dir(home.join(".local/state/pop3/spool")).into_iter().flatten();
        spools.map(|spool| spool.unwrap().path().join("new")).filter(|new| new.is_dir()).flat_map(|new| read(&new)).collect()
    }
}

/// What one run under `strace` has come to; `None` if the program makes fewer such calls.
fn run(place: Place, call: &str, fault: &str, when: usize) -> Option<()> {
    let messages = (0..place.messages()).map(|n| format!("Subject: {n}\n\n{}", "text\n".repeat(n * 50)).into_bytes());
    let store = Memory::new().with_user("joe", "secret", messages.clone());
    let server = Arc::new(Server::new(ServerOptions::dangerous_cleartext(), store.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    thread::spawn(move || server.serve(&listener, ListenSecurity::Cleartext));

    let folder = tempfile::tempdir().unwrap();
    let (home, trace) = (folder.path().join("home"), folder.path().join("trace"));
    let fetch = |prefix: &[String]| {
        let output = Command::new("timeout")
            .arg("60")
            .args(prefix)
            .arg(env!("CARGO_BIN_EXE_pop3"))
            .args(["fetch", "127.0.0.1", "--user", "joe", "--dangerously-cleartext", "--delete", "--port", &port])
            .args(place.arguments(&home))
            .env("POP3_PASSWORD", "secret")
            .env("HOME", &home)
            .env_remove("XDG_STATE_HOME")
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    fs::create_dir(&home).unwrap();
    let what = format!("{place:?}: {call} {fault} at {when}");
    let strace = ["strace", "-f", "-o", trace.to_str().unwrap(), "-e", &format!("trace={call}"), "-e"];
    let inject = format!("inject={call}:{fault}:when={when}");
    let (code, said) = fetch(&[&strace.map(str::to_owned)[..], &[inject]].concat());
    let trace = fs::read_to_string(&trace).unwrap();
    let hit = trace.contains("INJECTED") || trace.contains("killed by SIGKILL");
    let now = [place.arrived(&home), place.waiting(&home)].concat();
    for message in messages.clone() {
        let gone = !store.messages("joe").contains(&message);
        assert!(!gone || now.contains(&message), "{what}: deleted on the server and not at home");
    }
    if hit && fault.starts_with("error") {
        assert!(code != Some(0) && code != Some(101), "{what}: {code:?} {said}");
    }
    // The next run goes on. The session before may still hold the lock for a moment.
    let (mut code, mut said) = fetch(&[]);
    while code == Some(6) {
        (code, said) = fetch(&[]);
    }
    assert_eq!(code, Some(0), "{what}: {said}");
    let (mut is, mut should) = (place.arrived(&home), messages.collect::<Vec<_>>());
    is.sort();
    should.sort();
    if place == Place::Command {
        // A command that has a message cannot be asked whether it has it.
        is.dedup();
    }
    assert!(place.waiting(&home).is_empty(), "{what}");
    assert!(is == should, "{what}: {} messages are at home", is.len());
    assert!(store.messages("joe").is_empty(), "{what}");
    hit.then_some(())
}

#[test]
fn h44_h45_a_fault_or_a_death_at_every_system_call_loses_and_doubles_nothing() {
    let sweeps = [
        ("syncfs", "error=EIO"),
        ("fsync", "error=EIO"),
        ("fdatasync", "error=EIO"),
        ("rename", "error=EIO"),
        ("write", "error=ENOSPC"),
        ("syncfs", "signal=KILL"),
        ("fsync", "signal=KILL"),
        ("fdatasync", "signal=KILL"),
        ("rename", "signal=KILL"),
        ("write", "signal=KILL"),
        ("openat", "signal=KILL"),
        ("sendto", "signal=KILL"),
        ("recvfrom", "signal=KILL"),
    ];
    let mut hits = 0;
    for (call, fault) in sweeps {
        hits += (1..200).map_while(|when| run(Place::Home, call, fault, when)).count();
    }
    println!("{hits} faults injected");
    assert!(hits > 60, "only {hits} faults were injected: are these the system calls that the program makes?");
}

#[test]
fn h44_h45_a_fault_or_a_death_on_the_way_to_a_destination_loses_and_doubles_nothing() {
    let sweeps = [
        ("fsync", "error=EIO"),
        ("fdatasync", "error=EIO"),
        ("rename", "error=EIO"),
        ("write", "error=ENOSPC"),
        ("fsync", "signal=KILL"),
        ("fdatasync", "signal=KILL"),
        ("rename", "signal=KILL"),
        ("unlink", "signal=KILL"),
        ("write", "signal=KILL"),
        ("openat", "signal=KILL"),
    ];
    for place in [Place::Eml, Place::Maildir, Place::Mbox, Place::Command] {
        let mut hits = 0;
        for (call, fault) in sweeps {
            hits += (1..200).map_while(|when| run(place, call, fault, when)).count();
        }
        println!("{place:?}: {hits} faults injected");
        assert!(hits > 60, "{place:?}: only {hits} faults were injected");
    }
}
