//! Servers as people name them: a host with or without a port, or a URL (RFC 2384).

use std::net::Ipv6Addr;

use clap::ValueEnum;
use percent_encoding::percent_decode_str;

use crate::arguments::AuthMethod;
use crate::failure::{Exit, Failure};
use crate::language::Message;

/// A server, and what its name says about the session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub host: String,
    pub port: Option<u16>,
    /// How the session is secured, if a URL says it.
    pub security: Option<Scheme>,
    pub user: Option<String>,
    pub auth: Option<AuthMethod>,
}

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `pops`: TLS from the first octet, on port 995.
    Pops,
    /// `pop`: on port 110. The program uses `STLS` there.
    Pop,
}

impl Place {
    /// Parses `host`, `host:port`, `[address]:port`, an address, or a URL such as `pops://joe@pop.example.org`.
    ///
    /// # Errors
    /// The text is none of these. No error repeats a password.
    // S56
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let Some((scheme, rest)) = text.split_once("://") else { return Self::host(text) };
        let security = match scheme.to_ascii_lowercase().as_str() {
            "pops" | "pop3s" => Scheme::Pops,
            "pop" | "pop3" => Scheme::Pop,
            _ => return Err(wrong(Message::new("url-scheme"))),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, host) = rest.rsplit_once('@').map_or((None, rest), |(login, host)| (Some(login), host));
        let mut place = Self { security: Some(security), ..Self::host(host)? };
        if let Some(login) = login {
            let (user, auth) = login.split_once(';').map_or((login, None), |(user, auth)| (user, Some(auth)));
            if user.contains(':') {
                return Err(wrong(Message::new("url-password")).and(Message::new("url-password-next")));
            }
            place.user = Some(decoded(user)?).filter(|user| !user.is_empty());
            place.auth = auth.map(method).transpose()?.flatten();
        }
        Ok(place)
    }

    fn host(text: &str) -> Result<Self, Failure> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, "")) => (address, None),
            Some((address, rest)) => (address, Some(rest.strip_prefix(':').unwrap_or_default())),
            // An IPv6 address without brackets has no port.
            None if text.parse::<Ipv6Addr>().is_ok() => (text, None),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map(str::parse).transpose().map_err(|_| not_a_host(text))?;
        let is_bracketed = text.starts_with('[');
        let is_host = !host.is_empty()
            && !host.contains(|char: char| char.is_whitespace() || char.is_control() || "/@[]".contains(char))
            && (is_bracketed || host.contains(':')) == host.parse::<Ipv6Addr>().is_ok();
        match is_host && port != Some(0) {
            true => Ok(Self { host: host.to_owned(), port, ..Self::default() }),
            false => Err(not_a_host(text)),
        }
    }
}

fn wrong(what: Message) -> Failure {
    Failure::new(Exit::Usage, what)
}

fn not_a_host(text: &str) -> Failure {
    wrong(Message::new("host-wrong").with("text", format_args!("{text:?}"))).and(Message::new("host-wrong-next"))
}

fn decoded(text: &str) -> Result<String, Failure> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| wrong(Message::new("url-user")))?;
    Ok(decoded.into_owned())
}

/// Parses `auth=METHOD`. `None` is any method.
fn method(text: &str) -> Result<Option<AuthMethod>, Failure> {
    let name = text.get(..5).filter(|key| key.eq_ignore_ascii_case("auth=")).map(|_| &text[5..]);
    let name = decoded(name.ok_or_else(|| wrong(Message::new("url-auth")))?)?;
    match name.as_str() {
        "*" => Ok(None),
        name => match AuthMethod::from_str(name.trim_start_matches('+'), true) {
            Ok(method) => Ok(Some(method)),
            Err(_) => Err(wrong(Message::new("url-method"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(host: &str, port: Option<u16>) -> Place {
        Place { host: host.to_owned(), port, ..Place::default() }
    }

    #[test]
    fn hosts_may_have_a_port_and_addresses_brackets() {
        for (text, place) in [
            ("pop.example.org", host("pop.example.org", None)),
            ("pop.example.org:1995", host("pop.example.org", Some(1995))),
            ("192.0.2.1:110", host("192.0.2.1", Some(110))),
            ("::1", host("::1", None)),
            ("[::1]", host("::1", None)),
            ("[2001:db8::1]:995", host("2001:db8::1", Some(995))),
        ] {
            assert_eq!(Place::parse(text).unwrap(), place, "{text}");
        }
    }

    #[test]
    fn s56_urls_name_the_security_the_user_and_the_method() {
        let place = Place::parse("pops://joe%40example.org;auth=SCRAM-SHA-256@pop.example.org:1995/").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.security), ("pop.example.org", Some(1995), Some(Scheme::Pops)));
        assert_eq!((place.user.as_deref(), place.auth), (Some("joe@example.org"), Some(AuthMethod::ScramSha256)));
        let place = Place::parse("POP://joe;AUTH=+APOP@[::1]").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.security), ("::1", None, Some(Scheme::Pop)));
        assert_eq!((place.user.as_deref(), place.auth), (Some("joe"), Some(AuthMethod::Apop)));
        assert_eq!(Place::parse("pop://joe;auth=*@h").unwrap().auth, None);
        assert_eq!(Place::parse("pop://h").unwrap().user, None);
    }

    #[test]
    fn s56_what_names_no_server_is_refused_and_no_password_is_repeated() {
        for text in [
            "",
            ":995",
            "host:",
            "host:0",
            "host:99999",
            "host:x",
            "a b",
            "a/b",
            "[::1",
            "[::1]x",
            "[host]",
            "::1::2",
            "http://host",
            "pops://",
            "pops://joe@",
            "pops://joe;x=y@host",
            "pops://joe;auth=none@host",
            "pops://%ff@host",
            "pops://host/path",
        ] {
            assert_eq!(Place::parse(text).map_err(|failure| failure.exit), Err(Exit::Usage), "{text:?}");
        }
        let told = Place::parse("pops://joe:secret@host").unwrap_err().to_string();
        assert!(told.contains("no password") && !told.contains("secret"), "{told}");
    }
}
