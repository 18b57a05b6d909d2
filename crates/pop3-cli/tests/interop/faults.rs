//! A fault or a death at every system call that matters: nothing is lost, nothing comes twice, and no fault goes unseen.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use pop3_blocking::maildrop::Memory;
use pop3_blocking::{ListenSecurity, Server, ServerOptions};

use crate::corpus::read;

const MESSAGES: usize = 6;

/// What one run under `strace` has come to; `None` if the program makes fewer such calls.
fn run(call: &str, fault: &str, when: usize) -> Option<()> {
    let messages = (0..MESSAGES).map(|n| format!("Subject: {n}\n\n{}", "text\n".repeat(n * 50)).into_bytes());
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
            .arg(&home)
            .env("POP3_PASSWORD", "secret")
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let what = format!("{call} {fault} at {when}");
    let strace = ["strace", "-f", "-o", trace.to_str().unwrap(), "-e", &format!("trace={call}"), "-e"];
    let inject = format!("inject={call}:{fault}:when={when}");
    let (code, said) = fetch(&[&strace.map(str::to_owned)[..], &[inject]].concat());
    let trace = fs::read_to_string(&trace).unwrap();
    let hit = trace.contains("INJECTED") || trace.contains("killed by SIGKILL");
    let safely_home = |maildir: &std::path::Path| if maildir.join("new").is_dir() { read(maildir) } else { Vec::new() };
    let now = safely_home(&home);
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
    let (mut is, mut should) = (safely_home(&home), messages.collect::<Vec<_>>());
    is.sort();
    should.sort();
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
        hits += (1..200).map_while(|when| run(call, fault, when)).count();
    }
    println!("{hits} faults injected");
    assert!(hits > 60, "only {hits} faults were injected: are these the system calls that the program makes?");
}
