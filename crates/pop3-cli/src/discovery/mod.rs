//! Finds the server of a mail address whose provider is not known: by SRV records, by the settings that its domain publishes for mail
//! programs, or by guesses. No source is believed without a trusted certificate for the server's name and a greeting of POP3, and none is
//! sent a credential before.

#[cfg(feature = "srv")]
mod alias;
mod autoconfig;
mod guess;
pub mod kept;
#[cfg(feature = "srv")]
mod srv;

use std::sync::Arc;
use std::time::Duration;

use pop3_blocking::proto::client::Timeouts;
use pop3_blocking::rustls::ClientConfig;
use pop3_blocking::{Client, ClientOptions, Proxy, Security};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::language::Message;
#[cfg(feature = "srv")]
pub use alias::alias_of;
pub use autoconfig::from_file;
pub use guess::hosts;

/// The time limit of each wait.
const LIMIT: Duration = Duration::from_secs(6);

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub stls: bool,
}

/// What named a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    Srv,
    Autoconfig,
    Guess,
}

impl Source {
    /// Returns the name for people.
    pub fn name(self) -> Message {
        match self {
            Self::Srv => Message::new("source-srv"),
            Self::Autoconfig => Message::new("source-autoconfig"),
            Self::Guess => Message::new("source-guess"),
        }
    }
}

/// A server that was found for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub server: Server,
    /// The user name, if it is known.
    pub user: Option<String>,
}

/// How to look for a server.
#[derive(Clone, Copy, Debug)]
pub struct Search<'s> {
    /// What a server must be trusted by.
    pub tls: &'s Arc<ClientConfig>,
    /// The certificates that web servers are verified by; those of the operating system without it.
    pub ca_pem: Option<&'s [u8]>,
    /// The proxy of all connections. Only guesses are made through it.
    pub proxy: Option<&'s Proxy>,
    /// The one port that is wanted.
    pub port: Option<u16>,
    /// Only servers with `STLS` are wanted.
    pub stls: bool,
}

impl Search<'_> {
    /// Finds the server of an address. Sends no credentials.
    ///
    /// # Errors
    /// The domain says that it has no POP3, or there is no consent to the server that DNS names.
    // S52
    pub fn find(&self, address: &str) -> Result<Option<(Found, Source)>, Failure> {
        let Some((_, domain)) = address.rsplit_once('@') else { return Ok(None) };
        if self.proxy.is_none() {
            if let Some(server) = self.by_srv(domain)? {
                return Ok(Some((Found { server, user: None }, Source::Srv)));
            }
            let mut published = autoconfig::look_up(address, self.ca_pem)?.into_iter().filter(|found| self.wants(&found.server));
            if let Some(found) = published.find(|found| self.holds(&found.server)) {
                return Ok(Some((found, Source::Autoconfig)));
            }
        }
        let guess = guess::guess(domain, self.port, self.stls, &|server| self.holds(server));
        Ok(guess.map(|server| (Found { server, user: None }, Source::Guess)))
    }

    #[cfg(feature = "srv")]
    fn by_srv(&self, domain: &str) -> Result<Option<Server>, Failure> {
        use crate::failure::Exit;

        let servers = match srv::look_up(domain) {
            srv::Answer::Servers(servers) => servers,
            srv::Answer::NotOffered => {
                return Err(Failure::new(Exit::Usage, Message::new("srv-not-offered").with("domain", domain)));
            }
            srv::Answer::Nothing => Vec::new(),
        };
        let wanted = servers.into_iter().filter(|server| self.wants(server));
        first_that_holds(wanted, domain, &consent, &|server| self.holds(server))
    }

    #[cfg(not(feature = "srv"))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)] // As with the feature.
    fn by_srv(&self, _: &str) -> Result<Option<Server>, Failure> {
        Ok(None)
    }

    fn wants(&self, server: &Server) -> bool {
        self.port.is_none_or(|port| port == server.port) && (server.stls || !self.stls)
    }

    /// Returns `true` if the server has a certificate for its name that is trusted, and greets as a POP3 server.
    fn holds(&self, server: &Server) -> bool {
        let tls = Arc::clone(self.tls);
        let mut options = ClientOptions::new(if server.stls { Security::Stls(tls) } else { Security::Tls(tls) });
        options.proxy = self.proxy.cloned();
        options.timeouts = Timeouts { connect: LIMIT, greeting: LIMIT, login: LIMIT, command: LIMIT, body: LIMIT, quit: LIMIT };
        // What the server says to QUIT changes nothing.
        Client::connect(&server.host, server.port, &options).map(|client| drop(client.quit())).is_ok()
    }
}

/// Returns the first server that holds. Each outside of the domain needs consent before any connection to it.
#[cfg(feature = "srv")]
fn first_that_holds(
    servers: impl Iterator<Item = Server>,
    domain: &str,
    consent: &dyn Fn(&str, &str) -> Result<(), Failure>,
    holds: &dyn Fn(&Server) -> bool,
) -> Result<Option<Server>, Failure> {
    for server in servers {
        if !is_within(&server.host, domain) {
            consent(&server.host, domain)?;
        }
        if holds(&server) {
            return Ok(Some(server));
        }
    }
    Ok(None)
}

/// Asks whether a server outside of the domain is the right one. What DNS says can be forged, so no connection is made before (RFC 6186 §6).
#[cfg(feature = "srv")]
fn consent(host: &str, domain: &str) -> Result<(), Failure> {
    use std::io::{self, IsTerminal};

    use crate::failure::Exit;
    use crate::terminal::agrees;

    let of = |text: Message| text.with("host", host).with("domain", domain);
    if io::stdin().is_terminal() && agrees(&of(Message::new("srv-ask")), false)? {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, of(Message::new("srv-elsewhere"))).and(of(Message::new("srv-elsewhere-next"))))
}

/// Returns `true` if a host is the domain or belongs to it.
#[cfg(feature = "srv")]
fn is_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_lowercase(), domain.to_lowercase());
    host.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(all(test, feature = "srv"))]
mod tests {
    use super::*;

    #[test]
    fn s57_no_server_outside_of_the_domain_is_tried_without_consent() {
        let servers = ["pop.example.org", "pop.hoster.net"].map(|host| Server { host: host.to_owned(), port: 995, stls: false });
        let refuse = |_: &str, _: &str| Err(Failure::new(crate::failure::Exit::Usage, "no"));
        let unreachable = |server: &Server| {
            assert_eq!(server.host, "pop.example.org");
            false
        };
        assert!(first_that_holds(servers.clone().into_iter(), "example.org", &refuse, &unreachable).is_err());
        let found =
            first_that_holds(servers.clone().into_iter(), "example.org", &|_, _| Ok(()), &|it| it.host == "pop.hoster.net");
        assert_eq!(found.unwrap().as_ref(), Some(&servers[1]));
        assert_eq!(
            first_that_holds(servers.into_iter(), "example.org", &refuse, &|_| true).unwrap().unwrap().host,
            "pop.example.org"
        );
    }

    #[test]
    fn a_host_within_the_domain_is_the_domain_or_ends_with_it_after_a_dot() {
        assert!(is_within("pop.Example.org", "example.ORG") && is_within("example.org", "example.org"));
        for host in ["badexample.org", "pop.example.org.evil.net", "example", "org"] {
            assert!(!is_within(host, "example.org"), "{host}");
        }
    }
}
