//! Attacks of a server, or of an attacker on the network path, before TLS is active. In each case the client must send no
//! credentials in the clear, trust no injected reply, show no terminal escape sequence, and report a clear error.

#[cfg(doc)]
use pop3_proto::client::requests;
use pop3_proto::client::{RemoteError, RequestError};
use pop3_proto::codec::{InvalidArgument, Verb};
use pop3_proto::sasl::Credentials;

/// The expected outcome of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The handshake begins.
    Upgrade,
    /// The login fails because there is no TLS.
    NoTls,
    /// Bytes after the `+OK` to `STLS` end the session.
    // H01
    Injected,
    /// The server refuses the session in its greeting.
    Refused,
    /// An unsolicited reply ends the session.
    // H02
    Unasked,
    /// The peer is no POP3 server.
    NotAReply,
}

/// One case of the catalogue.
#[derive(Debug)]
pub struct Case {
    /// A description of the case.
    pub name: String,
    /// The greeting, and the reply to `STLS`.
    pub says: [Vec<u8>; 2],
    /// The expected outcome if each of these arrives in one segment.
    pub outcome: Outcome,
}

const STLS: &str = "+OK begin\r\n";

/// Returns the credentials of the login.
///
/// # Errors
/// No failure is known.
pub fn credentials() -> Result<Credentials, InvalidArgument> {
    Credentials::password("johannes", "geheimnis")
}

/// Returns all cases of the catalogue.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, says: [&str; 2], outcome| {
        cases.push(Case { name, says: says.map(|text| text.as_bytes().to_vec()), outcome });
    };
    for (status, outcome) in [("+OK", Outcome::Upgrade), ("-ERR", Outcome::Refused)] {
        for text in [
            "hello",
            "\x1b]0;owned\x07\x1b[31m",
            "[SYS/PERM] closed",
            "[SYS/TEMP] busy",
            "ready <1896.697170952@example.org>",
            "",
        ] {
            let greeting = format!("{status} {text}\r\n");
            add(format!("greeting {greeting:?}"), [&greeting, STLS], outcome);
        }
    }
    add("two greetings in one segment".to_owned(), ["+OK one\r\n+OK two\r\n", STLS], Outcome::Unasked);
    add("a scan listing as greeting".to_owned(), ["+OK 2 320\r\n1 120\r\n2 200\r\n.\r\n", STLS], Outcome::Unasked);
    add("no greeting of POP3".to_owned(), ["* OK IMAP4rev1 \x1b[2J\r\n", STLS], Outcome::NotAReply);
    // The client does not ask for capabilities in the clear, because they may be forged, but tries `STLS`.
    for refusal in ["-ERR no\r\n", "-ERR [SYS/TEMP] \x1b[31mnot now\r\n", "-ERR [SYS/PERM] never\r\n", "-ERR\r\n"] {
        add(format!("STLS refused by {refusal:?}"), ["+OK <a@b>\r\n", refusal], Outcome::NoTls);
    }
    for agreed in ["+OK", "+OK [X-CODE] go", "+OK \x1b[31m"] {
        add(format!("STLS agreed to by {agreed:?}"), ["+OK\r\n", &format!("{agreed}\r\n")], Outcome::Upgrade);
    }
    // A reply to each command that may come next, and data that is no reply.
    for verb in Verb::ALL {
        for reply in ["+OK\r\n", "-ERR no\r\n", "+OK\r\nUIDL\r\nSASL PLAIN\r\n.\r\n"] {
            add(format!("a reply to {verb} behind STLS"), ["+OK\r\n", &format!("{STLS}{reply}")], Outcome::Injected);
        }
    }
    for garbage in ["+ \r\n", "\0", " ", "x", "\u{16}\u{3}\u{1}"] {
        add(format!("{garbage:?} behind STLS"), ["+OK\r\n", &format!("{STLS}{garbage}")], Outcome::Injected);
    }
    cases
}

impl Case {
    /// Compares the outcome of a [login](requests::login) with the expected one. `cut` means that the segments arrived in pieces,
    /// so data that was sent too early may have arrived in time; even then nothing may leak. `written` is all data that the
    /// client has sent.
    ///
    /// # Panics
    /// Panics if they differ.
    pub fn check(&self, cut: bool, error: Option<&RequestError>, shown: &str, written: &[u8]) {
        let name = &self.name;
        let outcome = match error {
            None => Outcome::Upgrade,
            Some(RequestError::NoTls(_)) => Outcome::NoTls,
            Some(RequestError::Refused(refusal)) if refusal.verb.is_none() => Outcome::Refused,
            Some(RequestError::Remote(error)) => match error {
                RemoteError::DataAfterStls => Outcome::Injected,
                RemoteError::Unsolicited(_) => Outcome::Unasked,
                _ => Outcome::NotAReply,
            },
            Some(other) => panic!("{name}: {other}"),
        };
        let too_early = matches!(self.outcome, Outcome::Injected | Outcome::Unasked);
        assert!(outcome == self.outcome || (cut && too_early), "{name}: {outcome:?}, {shown}");
        assert!(!shown.chars().any(char::is_control), "{name}: {shown:?} would reach the terminal");
        assert_eq!(error.is_some(), !shown.is_empty(), "{name}: an error says what it is");
        // A ClientHello begins with an octet that no command contains.
        let clear = written.split(|byte| *byte == 0x16).next().unwrap_or_default();
        let lines = String::from_utf8_lossy(clear).into_owned();
        assert!(matches!(&lines[..], "" | "STLS\r\n"), "{name}: {lines:?} in the clear");
    }
}

/// Replies to `QUIT` in the clear, with `true` for each refusal.
pub const QUITS: [(&str, bool); 6] = [
    ("+OK\r\n", false),
    ("+OK bye\r\n", false),
    ("+OK [X-CODE] \x1b[31mbye\r\n", false),
    ("-ERR\r\n", true),
    ("-ERR [SYS/TEMP] \x1b[31mno\r\n", true),
    ("-ERR [SYS/PERM] no\r\n", true),
];
