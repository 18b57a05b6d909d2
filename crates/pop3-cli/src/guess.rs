//! Guesses the server of a mail address whose provider is not known.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pop3_blocking::proto::client::Timeouts;
use pop3_blocking::rustls::ClientConfig;
use pop3_blocking::{Client, ClientOptions, Proxy, Security};

/// The time limit of each wait. All guesses are tried at once.
const LIMIT: Duration = Duration::from_secs(6);

/// A server that was guessed, with a certificate that is trusted and a greeting of POP3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    pub host: String,
    pub port: u16,
    pub stls: bool,
}

/// Returns the hosts to try for a domain, the best first.
pub fn hosts(domain: &str) -> [String; 4] {
    [format!("pop.{domain}"), format!("pop3.{domain}"), format!("mail.{domain}"), domain.to_owned()]
}

/// Returns the guesses for a domain, the best first. With a port, only that one.
fn guesses(domain: &str, port: Option<u16>, stls: bool) -> Vec<Guess> {
    let hosts = hosts(domain);
    let ways: Vec<(u16, bool)> = match (port, stls) {
        (Some(port), stls) => vec![(port, stls || port == 110)],
        (None, true) => vec![(110, true)],
        (None, false) => vec![(995, false), (110, true)],
    };
    let guess = |(port, stls): (u16, bool)| hosts.iter().map(move |host| Guess { host: host.clone(), port, stls });
    ways.into_iter().flat_map(guess).collect()
}

/// Returns the first guess that holds: a host with a certificate for its name that `tls` trusts, which greets as a POP3 server. Sends no
/// credentials. Connects through `proxy` if there is one.
// S52
pub fn guess(domain: &str, port: Option<u16>, stls: bool, tls: &Arc<ClientConfig>, proxy: Option<&Proxy>) -> Option<Guess> {
    let guesses = guesses(domain, port, stls);
    thread::scope(|scope| {
        let tries: Vec<_> = guesses.iter().map(|guess| scope.spawn(move || holds(guess, tls, proxy))).collect();
        // All are waited for, so that the order of the guesses decides and not the speed of the servers.
        let held: Vec<_> = tries.into_iter().map(|try_| try_.join().unwrap_or(false)).collect();
        guesses.iter().zip(held).find(|(_, held)| *held).map(|(guess, _)| guess.clone())
    })
}

fn holds(guess: &Guess, tls: &Arc<ClientConfig>, proxy: Option<&Proxy>) -> bool {
    let tls = Arc::clone(tls);
    let mut options = ClientOptions::new(if guess.stls { Security::Stls(tls) } else { Security::Tls(tls) });
    options.proxy = proxy.cloned();
    options.timeouts = Timeouts { connect: LIMIT, greeting: LIMIT, login: LIMIT, command: LIMIT, body: LIMIT, quit: LIMIT };
    // What the server says to QUIT changes nothing.
    Client::connect(&guess.host, guess.port, &options).map(|client| drop(client.quit())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_from_the_start_is_guessed_first_and_cleartext_never() {
        let told = |port, stls| {
            let guesses = guesses("example.org", port, stls);
            guesses
                .iter()
                .map(|guess| format!("{}:{}{}", guess.host, guess.port, if guess.stls { " stls" } else { "" }))
                .collect::<Vec<_>>()
        };
        let all = told(None, false);
        assert_eq!(all[..4], ["pop.example.org:995", "pop3.example.org:995", "mail.example.org:995", "example.org:995"]);
        assert_eq!(all[4], "pop.example.org:110 stls");
        assert_eq!(all.len(), 8);
        assert_eq!(told(None, true)[0], "pop.example.org:110 stls");
        assert_eq!(told(Some(1995), false)[3], "example.org:1995");
        assert_eq!(told(Some(110), false)[0], "pop.example.org:110 stls");
    }
}
