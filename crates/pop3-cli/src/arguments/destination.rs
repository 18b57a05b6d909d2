//! The argument of `--deliver-to`.

use std::env;
use std::fmt;
use std::path::PathBuf;

/// Where mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A file of messages, one after the other, in the format mboxrd.
    Mbox(PathBuf),
    /// A folder with a file `.eml` for each message.
    Eml(PathBuf),
    /// A Maildir that is not the journal's.
    Maildir(PathBuf),
    /// A command, once for each message, which is on its standard input.
    Command(String),
    /// A server for LMTP (RFC 2033) on this machine.
    Lmtp(Peer),
    /// A server for SMTP (RFC 5321), without TLS and without a login: one on this machine.
    Smtp(Peer),
    /// Standard output, in the format mboxrd.
    Stdout,
}

/// The place of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    Socket(PathBuf),
    Network { host: String, port: u16 },
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = |f: &mut fmt::Formatter<'_>, name, peer: &Peer| match peer {
            Peer::Socket(path) => write!(f, "{name}:{}", path.display()),
            Peer::Network { host, port } if host.contains(':') => write!(f, "{name}://[{host}]:{port}"),
            Peer::Network { host, port } => write!(f, "{name}://{host}:{port}"),
        };
        match self {
            Self::Mbox(path) => write!(f, "mbox:{}", path.display()),
            Self::Eml(path) => write!(f, "eml:{}", path.display()),
            Self::Maildir(path) => write!(f, "maildir:{}", path.display()),
            Self::Command(command) => write!(f, "command:{command}"),
            Self::Lmtp(at) => peer(f, "lmtp", at),
            Self::Smtp(at) => peer(f, "smtp", at),
            Self::Stdout => f.write_str("stdout"),
        }
    }
}

/// Parses an argument such as `mbox:FILE` or `lmtp://HOST:PORT`.
///
/// # Errors
/// The text is none of these.
pub fn destination(text: &str) -> Result<Destination, String> {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let peer = |port| peer(rest, port);
    match kind {
        "stdout" if rest.is_empty() => Ok(Destination::Stdout),
        _ if rest.is_empty() => {
            Err("must be mbox:FILE, eml:FOLDER, maildir:FOLDER, command:COMMAND, lmtp:SOCKET, lmtp://localhost, smtp://localhost or stdout".to_owned())
        }
        "mbox" => Ok(Destination::Mbox(path(rest))),
        "eml" => Ok(Destination::Eml(path(rest))),
        "maildir" => Ok(Destination::Maildir(path(rest))),
        "command" => Ok(Destination::Command(rest.to_owned())),
        "lmtp" => Ok(Destination::Lmtp(peer(24)?)),
        "smtp" => Ok(Destination::Smtp(peer(25)?)),
        _ => destination(""),
    }
}

fn path(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}

fn peer(text: &str, port: u16) -> Result<Peer, String> {
    let Some(place) = text.strip_prefix("//") else { return Ok(Peer::Socket(path(text))) };
    let place = crate::place::Place::parse(place.trim_end_matches('/')).map_err(|failure| failure.to_string())?;
    Ok(Peer::Network { host: place.host, port: place.port.unwrap_or(port) })
}

/// Parses the address of a recipient, which becomes part of a command of LMTP or SMTP.
///
/// # Errors
/// The text has characters that no such command can have.
pub fn recipient(text: &str) -> Result<String, String> {
    let is_safe = |char: char| !char.is_whitespace() && !char.is_control() && !"<>".contains(char);
    match !text.is_empty() && text.chars().all(is_safe) {
        true => Ok(text.to_owned()),
        false => Err("must be a mail address".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_parsed() {
        assert_eq!(destination("mbox:/var/mail/joe"), Ok(Destination::Mbox("/var/mail/joe".into())));
        assert_eq!(destination("command:procmail -d joe:x"), Ok(Destination::Command("procmail -d joe:x".to_owned())));
        assert_eq!(destination("lmtp:/run/lmtp"), Ok(Destination::Lmtp(Peer::Socket("/run/lmtp".into()))));
        let network = |host: &str, port| Peer::Network { host: host.to_owned(), port };
        assert_eq!(destination("lmtp://localhost"), Ok(Destination::Lmtp(network("localhost", 24))));
        assert_eq!(destination("smtp://[::1]:2525/"), Ok(Destination::Smtp(network("::1", 2525))));
        assert_eq!(destination("stdout"), Ok(Destination::Stdout));
        for wrong in ["", "mbox", "mbox:", "stdout:x", "imap://x", "/home/joe/mbox", "smtp://a b", "smtp://"] {
            assert!(destination(wrong).is_err(), "{wrong}");
        }
        assert!(recipient("joe@example.org").is_ok());
        for wrong in ["", "joe@x> RCPT TO:<all@x", "joe\r\nQUIT", "a b"] {
            assert!(recipient(wrong).is_err(), "{wrong:?}");
        }
    }
}
