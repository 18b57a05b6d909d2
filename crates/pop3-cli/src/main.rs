//! The program `pop3`.

use std::process::ExitCode;

fn main() -> ExitCode {
    pop3_cli::main()
}
