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
