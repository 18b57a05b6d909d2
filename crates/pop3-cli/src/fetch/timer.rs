//! `pop3 fetch --install-timer`: systemd fetches by the clock.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::arguments::Fetch;
use crate::failure::{Exit, Failure, say};
use crate::folders;
use crate::language::Message;

/// The interval without `--every`.
const USUAL: Duration = Duration::from_secs(600);

/// Writes the units of a timer of the user for the accounts of the configuration, or prints a line for cron where there is no systemd.
///
/// # Errors
/// A server is named, or a file cannot be written.
pub fn install(arguments: &Fetch) -> Result<(), Failure> {
    if arguments.server.is_some() {
        return Err(Failure::new(Exit::Usage, Message::new("timer-accounts")));
    }
    let program = env::current_exe().map_err(|error| Failure::new(Exit::Storage, error))?;
    let every = arguments.every.map_or(USUAL, |every| every.0);
    if !Path::new("/run/systemd/system").exists() && env::var_os("POP3_SYSTEMD").is_none() {
        let minutes = (every.as_secs() / 60).clamp(1, 59);
        return say(Message::new("timer-cron").with("line", format!("*/{minutes} * * * * {} fetch --quiet", program.display())));
    }
    let folder = folder().ok_or_else(|| Failure::new(Exit::Usage, Message::new("accounts-no-home")))?;
    fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    for (name, text) in [("pop3-fetch.service", service(&program)), ("pop3-fetch.timer", timer(every))] {
        let file = folder.join(name);
        fs::write(&file, text).map_err(|error| Failure::file(&file, &error))?;
    }
    say(Message::new("timer-installed").with("folder", folder.display()))
}

fn folder() -> Option<PathBuf> {
    Some(folders::config()?.parent()?.join("systemd/user"))
}

fn service(program: &Path) -> String {
    // systemd replaces what follows % and $, and takes quoted words for one.
    let program = program.display().to_string().replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    format!(
        "[Unit]\nDescription=Fetch mail\nDocumentation=man:pop3-fetch(1)\n\n[Service]\nType=oneshot\n\
         ExecStart=\"{program}\" fetch --quiet\nTimeoutStartSec=1h\n"
    )
}

fn timer(every: Duration) -> String {
    let seconds = every.as_secs().max(1);
    format!(
        "[Unit]\nDescription=Fetch mail by the clock\n\n[Timer]\nOnStartupSec=1min\nOnUnitInactiveSec={seconds}s\n\
         RandomizedDelaySec={}s\n\n[Install]\nWantedBy=timers.target\n",
        seconds / 10
    )
}
