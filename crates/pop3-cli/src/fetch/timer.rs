//! `pop3 fetch --install-timer`: systemd fetches by the clock.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::accounts::{self, Given};
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
pub fn install(arguments: &Fetch, given: &Given) -> Result<(), Failure> {
    if arguments.server.is_some() {
        return Err(Failure::new(Exit::Usage, Message::new("timer-accounts")));
    }
    if given.keys().any(|option| !matches!(option.as_str(), "every" | "install-timer" | "language" | "verbose")) {
        return Err(Failure::new(Exit::Usage, Message::new("timer-options")));
    }
    // Fails if there is no account.
    accounts::selected(arguments, &Given::new())?;
    let program = env::current_exe().map_err(|error| Failure::new(Exit::Storage, error))?;
    let every = arguments.every.map_or(USUAL, |every| every.0);
    if !Path::new("/run/systemd/system").exists() && env::var_os("POP3_SYSTEMD").is_none() {
        return say(Message::new("timer-cron").with("line", cron(every, &program.display().to_string())));
    }
    let folder = folder().ok_or_else(|| Failure::new(Exit::Usage, Message::new("accounts-no-home")))?;
    fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    for (name, text) in [("pop3-fetch.service", service(&program)), ("pop3-fetch.timer", timer(every))] {
        let file = folder.join(name);
        fs::write(&file, text).map_err(|error| Failure::file(&file, &error))?;
    }
    say(Message::new("timer-installed").with("folder", folder.display()))
}

/// Returns the line for cron with the longest interval that it has and that is not longer.
fn cron(every: Duration, program: &str) -> String {
    let minutes = every.as_secs() / 60;
    let largest = |divisors: &[u64], most: u64| divisors.iter().copied().filter(|divisor| *divisor <= most).max().unwrap_or(1);
    let when = match minutes {
        0..60 => format!("*/{} * * * *", largest(&[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30], minutes)),
        _ => format!("0 */{} * * *", largest(&[1, 2, 3, 4, 6, 8, 12], minutes / 60)),
    };
    // In cron a percent sign is the end of the command.
    let program = format!("'{}'", program.replace('\'', "'\\''").replace('%', "\\%"));
    format!("{when} {program} fetch --quiet")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_has_intervals_that_divide_the_hour_or_the_day() {
        let line = |minutes: u64| cron(Duration::from_secs(minutes * 60), "/a b%c/pop3");
        assert_eq!(line(10), "*/10 * * * * '/a b\\%c/pop3' fetch --quiet");
        for (minutes, when) in
            [(0, "*/1 * "), (45, "*/30 * "), (59, "*/30 * "), (60, "0 */1 * "), (150, "0 */2 * "), (9999, "0 */12 * ")]
        {
            assert!(line(minutes).starts_with(when), "{minutes}: {}", line(minutes));
        }
    }
}
