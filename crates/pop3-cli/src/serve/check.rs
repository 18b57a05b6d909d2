//! What `pop3 serve --check` says: what the settings mean.

use std::time::{SystemTime, UNIX_EPOCH};

use pop3_tokio::proto::sasl::Mechanism;
use pop3_users::Users;

use super::certificate::Certificate;
use super::privileges;
use super::template::Template;
use crate::arguments::Serve;
use crate::failure::{Exit, Failure, say};
use crate::language::Message;

/// Prints what a server with these settings would do.
///
/// # Errors
/// The certificate cannot be read, the path of the mail has no place for a user, or there is no user to run as.
pub fn tell(settings: &Serve, users: &Users, template: &Template, mechanisms: &[Mechanism]) -> Result<(), Failure> {
    for (addresses, kind) in [(&settings.listen, "POP3"), (&settings.listen_tls, "POP3 over TLS")] {
        for address in addresses {
            say(Message::new("serve-check-listen").with("address", format_args!("{address}")).with("kind", kind))?;
        }
    }
    if let Some(certificate) = Certificate::of(settings) {
        say(about_certificate(&certificate)?)?;
    }
    let file = settings.users.as_deref().map(|file| file.display().to_string()).unwrap_or_default();
    say(Message::new("serve-check-users").with("count", users.count()).with("file", file))?;
    if let Some(name) = users.first() {
        let home = users.home(name.as_bytes()).ok().flatten();
        let Some(place) = template.place(&name, home.as_deref()) else {
            return Err(Failure::new(Exit::Usage, Message::new("serve-check-no-place").with("user", &name)));
        };
        let path = place.path();
        let told = match path.is_dir() {
            true => Message::new("serve-check-mail"),
            false => Message::new("serve-check-no-mail"),
        };
        say(told.with("user", &name).with("path", path.display()))?;
    }
    let names: Vec<_> = ["USER"].into_iter().chain(mechanisms.iter().map(|mechanism| mechanism.as_str())).collect();
    say(Message::new("serve-check-mechanisms").with("mechanisms", names.join(", ")))?;
    let (count, source) = (settings.max_sessions, settings.max_sessions_per_source);
    say(Message::new("serve-check-sessions").with("count", count).with("source", source))?;
    match &settings.run_as {
        Some(name) => {
            privileges::find(name)?;
            say(Message::new("serve-check-run-as").with("name", name))?;
        }
        None if settings.per_user => say(Message::new("serve-check-per-user"))?,
        None if privileges::is_root() => say(Message::new("serve-check-as-root"))?,
        None => {}
    }
    say(Message::new("serve-check-good"))
}

fn about_certificate(certificate: &Certificate) -> Result<Message, Failure> {
    certificate.read()?;
    let facts = certificate.facts()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let told = if facts.ends > now { Message::new("serve-check-certificate") } else { Message::new("serve-check-ended") };
    let told = told.with("file", certificate.cert.display()).with("names", facts.names.join(", "));
    Ok(told.with("date", facts.until))
}
