//! Guesses the server of a domain.

use std::thread;

use super::Server;

/// Returns the hosts to try for a domain, the best first.
pub fn hosts(domain: &str) -> [String; 4] {
    [format!("pop.{domain}"), format!("pop3.{domain}"), format!("mail.{domain}"), domain.to_owned()]
}

/// Returns the guesses for a domain, the best first. With a port, only that one.
fn guesses(domain: &str, port: Option<u16>, stls: bool) -> Vec<Server> {
    let hosts = hosts(domain);
    let ways: Vec<(u16, bool)> = match (port, stls) {
        (Some(port), stls) => vec![(port, stls || port == 110)],
        (None, true) => vec![(110, true)],
        (None, false) => vec![(995, false), (110, true)],
    };
    let guess = |(port, stls): (u16, bool)| hosts.iter().map(move |host| Server { host: host.clone(), port, stls });
    ways.into_iter().flat_map(guess).collect()
}

/// Returns the first guess that holds. All are tried at once.
pub fn guess(domain: &str, port: Option<u16>, stls: bool, holds: &(dyn Fn(&Server) -> bool + Sync)) -> Option<Server> {
    let guesses = guesses(domain, port, stls);
    thread::scope(|scope| {
        let tries: Vec<_> = guesses.iter().map(|guess| scope.spawn(move || holds(guess))).collect();
        // All are waited for, so that the order of the guesses decides and not the speed of the servers.
        let held: Vec<_> = tries.into_iter().map(|try_| try_.join().unwrap_or(false)).collect();
        guesses.iter().zip(held).find(|(_, held)| *held).map(|(guess, _)| guess.clone())
    })
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

    #[test]
    fn the_best_guess_that_holds_wins_whichever_answers_first() {
        let holds = |server: &Server| server.host.starts_with("pop3.") || server.host.starts_with("mail.");
        assert_eq!(guess("example.org", None, false, &holds).map(|server| server.host).as_deref(), Some("pop3.example.org"));
        assert_eq!(guess("example.org", None, false, &|_| false), None);
    }
}
