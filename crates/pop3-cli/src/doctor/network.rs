//! The addresses of a host, and the connection to each of them.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::finding::{Check, Finding};
use crate::failure::Exit;
use crate::language::Message;

/// Looks the addresses of a host up, as every program on this machine does.
pub fn look_up(host: &str, limit: Duration) -> io::Result<Vec<IpAddr>> {
    let (sender, receiver) = mpsc::channel();
    let wanted = host.to_owned();
    // After the time-out nothing receives the addresses.
    thread::spawn(move || drop(sender.send((wanted, 0).to_socket_addrs().map(Iterator::collect::<Vec<_>>))));
    let found = receiver.recv_timeout(limit).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    let mut addresses = Vec::new();
    for address in found {
        if !addresses.contains(&address.ip()) {
            addresses.push(address.ip());
        }
    }
    match addresses.is_empty() {
        true => Err(io::Error::other("no address")),
        false => Ok(addresses),
    }
}

/// Returns the finding of a look-up. `provider` is the known provider whose host this is: its addresses are public.
pub fn names(host: &str, found: &io::Result<Vec<IpAddr>>, provider: Option<&str>) -> Finding {
    match found {
        Ok(addresses) => {
            let listed = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            match provider.filter(|_| addresses.iter().any(|address| is_private(*address))) {
                Some(provider) => {
                    let found = Message::new("doctor-names-private").with("host", host).with("addresses", listed);
                    Finding::warning(Check::Names, found)
                        .means(Message::new("doctor-names-private-means").with("provider", provider))
                        .next(Message::new("doctor-names-private-next"))
                }
                None => Finding::good(Check::Names, Message::new("doctor-names").with("host", host).with("addresses", listed)),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut || error.to_string().contains("emporary") => {
            Finding::failed(Check::Names, Exit::Connection, Message::new("doctor-names-no-resolver").with("host", host))
                .means(Message::new("doctor-names-no-resolver-means"))
                .next(Message::new("doctor-names-no-resolver-next"))
        }
        Err(_) => Finding::failed(Check::Names, Exit::Connection, Message::new("doctor-names-unknown").with("host", host))
            .means(Message::new("doctor-names-unknown-means"))
            .next(Message::new("doctor-names-unknown-next")),
    }
}

/// Returns the finding about a host whose name is an alias. Without the feature `srv` nothing is known about that.
pub fn alias(host: &str) -> Option<Finding> {
    #[cfg(feature = "srv")]
    let target = crate::discovery::alias_of(host);
    #[cfg(not(feature = "srv"))]
    let target = None::<String>;
    let found = Message::new("doctor-names-alias").with("host", host).with("target", target?);
    Some(Finding::note(Check::Names, found).means(Message::new("doctor-names-alias-means")))
}

/// Returns `true` for addresses that no server on the internet has.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// The attempt to connect to one address.
#[derive(Debug)]
pub struct Reach {
    pub address: SocketAddr,
    pub result: Result<Duration, Unreached>,
}

/// Why an address cannot be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// Something answered that nothing listens there.
    Refused,
    /// Nothing answered.
    Silent(Duration),
    /// This machine has no way to the address.
    NoRoute,
    Other(String),
}

/// Connects to all addresses at once.
pub fn reach(addresses: &[SocketAddr], limit: Duration) -> Vec<Reach> {
    let attempt = |address: SocketAddr| {
        let start = Instant::now();
        let result = TcpStream::connect_timeout(&address, limit).map(|_| start.elapsed());
        Reach { address, result: result.map_err(|error| unreached(&error, limit)) }
    };
    thread::scope(|scope| {
        let attempts: Vec<_> = addresses.iter().map(|address| scope.spawn(move || attempt(*address))).collect();
        attempts.into_iter().filter_map(|attempt| attempt.join().ok()).collect()
    })
}

fn unreached(error: &io::Error, limit: Duration) -> Unreached {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Unreached::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Unreached::Silent(limit),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::AddrNotAvailable => {
            Unreached::NoRoute
        }
        _ => Unreached::Other(error.to_string()),
    }
}

/// Returns the findings of the attempts to connect to one port.
pub fn connections(attempts: &[&Reach]) -> Vec<Finding> {
    let any_works = attempts.iter().any(|attempt| attempt.result.is_ok());
    let v4_works = attempts.iter().any(|attempt| attempt.result.is_ok() && attempt.address.is_ipv4());
    let finding = |attempt: &&Reach| connection(attempt, any_works, v4_works);
    attempts.iter().map(finding).collect()
}

fn connection(attempt: &Reach, any_works: bool, v4_works: bool) -> Finding {
    let place = |id: Message| id.with("address", attempt.address.ip()).with("port", attempt.address.port().to_string());
    // An address that fails beside one that works costs time only, or nothing.
    let trouble = |found: Message| match any_works {
        true => Finding::warning(Check::Network, found),
        false => Finding::failed(Check::Network, Exit::Connection, found),
    };
    match &attempt.result {
        Ok(took) => Finding::good(Check::Network, place(Message::new("doctor-network"))).took(*took),
        Err(Unreached::NoRoute) if attempt.address.is_ipv6() && v4_works => {
            Finding::note(Check::Network, place(Message::new("doctor-network-no-ipv6")))
        }
        Err(Unreached::NoRoute) => trouble(place(Message::new("doctor-network-no-route")))
            .means(Message::new("doctor-network-no-route-means"))
            .next(Message::new("doctor-network-no-route-next")),
        Err(failure) if attempt.address.is_ipv6() && v4_works => {
            let found = match failure {
                Unreached::Silent(_) => place(Message::new("doctor-network-silent")),
                _ => place(Message::new("doctor-network-refused")),
            };
            trouble(found).means(Message::new("doctor-network-ipv6-means")).next(Message::new("doctor-network-ipv6-next"))
        }
        Err(Unreached::Refused) => trouble(place(Message::new("doctor-network-refused")))
            .means(Message::new("doctor-network-refused-means"))
            .next(Message::new("doctor-network-refused-next")),
        Err(Unreached::Silent(limit)) => trouble(place(Message::new("doctor-network-silent")))
            .means(Message::new("doctor-network-silent-means"))
            .next(Message::new("doctor-network-silent-next"))
            .took(*limit),
        Err(Unreached::Other(error)) => trouble(place(Message::new("doctor-network-other")).with("error", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Outcome::{Failed, Good, Note, Warning};
    use super::*;

    const SILENT: Unreached = Unreached::Silent(Duration::from_secs(10));

    fn outcomes(attempts: &[(&str, Result<(), Unreached>)]) -> Vec<(super::super::finding::Outcome, &'static str)> {
        let reach = |(address, result): &(&str, Result<(), Unreached>)| Reach {
            address: address.parse().unwrap(),
            result: result.clone().map(|()| Duration::from_millis(5)),
        };
        let attempts: Vec<_> = attempts.iter().map(reach).collect();
        let findings = connections(&attempts.iter().collect::<Vec<_>>());
        findings.iter().map(|finding| (finding.outcome, finding.means.as_ref().unwrap_or(&finding.found).id())).collect()
    }

    #[test]
    fn each_failed_connection_is_explained_by_its_kind_and_by_the_others() {
        let (v4, v6) = ("192.0.2.1:995", "[2001:db8::1]:995");
        let cases = [
            (vec![(v4, Ok(()))], vec![(Good, "doctor-network")]),
            (vec![(v4, Err(Unreached::Refused))], vec![(Failed, "doctor-network-refused-means")]),
            (vec![(v4, Err(SILENT))], vec![(Failed, "doctor-network-silent-means")]),
            (vec![(v4, Err(Unreached::NoRoute))], vec![(Failed, "doctor-network-no-route-means")]),
            (
                vec![(v6, Err(Unreached::NoRoute)), (v4, Err(SILENT))],
                vec![(Failed, "doctor-network-no-route-means"), (Failed, "doctor-network-silent-means")],
            ),
            // IPv6 that is missing is no fault. IPv6 that fails makes every connection slow.
            (vec![(v6, Err(Unreached::NoRoute)), (v4, Ok(()))], vec![(Note, "doctor-network-no-ipv6"), (Good, "doctor-network")]),
            (vec![(v6, Err(SILENT)), (v4, Ok(()))], vec![(Warning, "doctor-network-ipv6-means"), (Good, "doctor-network")]),
            (
                vec![("192.0.2.2:995", Err(Unreached::Refused)), (v4, Ok(()))],
                vec![(Warning, "doctor-network-refused-means"), (Good, "doctor-network")],
            ),
        ];
        for (attempts, expected) in cases {
            assert_eq!(outcomes(&attempts), expected, "{attempts:?}");
        }
    }

    #[test]
    fn a_look_up_that_fails_says_whether_the_name_or_the_resolver_is_at_fault() {
        let id = |error: io::Error| names("pop.example.org", &Err(error), None).found.id();
        assert_eq!(id(io::ErrorKind::TimedOut.into()), "doctor-names-no-resolver");
        let text = "failed to lookup address information: Temporary failure in name resolution";
        assert_eq!(id(io::Error::other(text)), "doctor-names-no-resolver");
        let text = "failed to lookup address information: Name or service not known";
        assert_eq!(id(io::Error::other(text)), "doctor-names-unknown");
    }

    #[test]
    fn a_provider_is_not_in_the_own_network() {
        let addresses = |address: &str| Ok(vec![address.parse().unwrap()]);
        let outcome = |address: &str, provider| names("pop.gmail.com", &addresses(address), provider).outcome;
        for address in ["10.0.0.1", "127.0.0.1", "169.254.1.1", "fd00::1", "::1"] {
            assert_eq!(outcome(address, Some("Gmail")), Warning, "{address}");
            assert_eq!(outcome(address, None), Good, "one's own server may be there");
        }
        assert_eq!(outcome("142.250.1.108", Some("Gmail")), Good);
    }
}
