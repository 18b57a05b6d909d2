//! Runs every program to its end and checks what it prints.

use std::process::Command;

/// Returns what a program prints. It must succeed.
fn run(program: &str) -> String {
    let output = Command::new(program).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    printed
}

#[test]
fn h56_the_proxy_shows_both_sides_and_no_secret() {
    let printed = run(env!("CARGO_BIN_EXE_proxy"));
    for line in ["C: AUTH SCRAM-SHA-256 [redacted]", "S: + (a challenge)", "C: RETR 1", "Hello through a proxy.", "C: QUIT"] {
        assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
    }
    assert!(!printed.contains("secret"), "{printed}");
}

#[test]
fn the_viewer_lists_subjects_gives_up_a_large_message_and_goes_on() {
    let printed = run(env!("CARGO_BIN_EXE_viewer"));
    assert_eq!(printed, "1: photos\n2: hello\n10 %, given up\nSubject: hello\r\n\r\nHello, Joe.\r\n");
}

#[test]
fn the_job_for_cron_fetches_everything_once() {
    let printed = run(env!("CARGO_BIN_EXE_cron"));
    assert_eq!(printed, "first run: 2 fetched, 0 left on the server\nsecond run: 0 fetched, 0 left on the server\n");
}

#[test]
fn the_client_on_smol_reaches_the_server_through_its_proxy() {
    assert_eq!(run(env!("CARGO_BIN_EXE_smol_proxy")), "1 message, encrypted: true\n");
}

#[cfg(feature = "sqlite")]
#[test]
fn the_server_over_sqlite_serves_and_removes() {
    let printed = run(env!("CARGO_BIN_EXE_sqlite_server"));
    assert_eq!(printed, "Subject: one\r\n\r\n.1\r\nSubject: two\r\n\r\n2\r\n1 message left\n");
}
