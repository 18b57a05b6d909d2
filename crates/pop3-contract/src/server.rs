//! Server transcripts: the server's set-up, the maildrops, and their logins.

use std::io::{self, Cursor, Read};

use pop3_maildrop::{LoginError, Maildrop, NotRemoved, Peer, Store};
use pop3_proto::codec::{Expire, MessageNumber, OwnedUsername, ReplyText, UniqueId, WireSize};
use pop3_proto::sasl::{ChannelBinding, Mechanism, PresentedCredentials, ScramHash, ScramKeys};
use pop3_proto::server::{
    BadCommandLimits, CleartextLogin, ConnectionInfo, ExpirePolicy, Language, LoginAttempt, LoginDelay, ServerConfig, Snapshot,
    Utf8,
};

use crate::transcript::Transcript;

/// Returns the configuration of a transcript's server, and the information about its connection.
///
/// # Panics
/// Panics if the transcript asks for an unknown set-up.
pub fn set_up(transcript: &Transcript) -> (ServerConfig, ConnectionInfo) {
    let mut config = ServerConfig {
        stls: true,
        implementation: const { ReplyText::literal("test") },
        cleartext_login: CleartextLogin::Refuse,
        max_bad_commands: BadCommandLimits { before_login: 3, after_login: 5 },
        max_failed_logins: 2,
        // The limit is small, so that listings and messages must be written in pieces.
        output_high_water: 16,
        ..ServerConfig::default()
    };
    let binding = ChannelBinding { exporter: Some([7; 32]), server_end_point: None };
    let mut info = ConnectionInfo::encrypted([0; 18], binding);
    for word in &transcript.set_up {
        match word.as_str() {
            "in the clear" => info = ConnectionInfo::clear([0; 18]),
            "cleartext login" => {
                (config.cleartext_login, config.stls) = (CleartextLogin::DangerouslyAllow, false);
                info = ConnectionInfo::clear([0; 18]);
            }
            "apop" => config.apop = true,
            "all mechanisms" => config.mechanisms = Mechanism::ALL.to_vec(),
            "certificate" => info.certificate = Some(b"joe's certificate"[..].into()),
            "trusted proxy" => info.trusted = true,
            "last" => config.last = true,
            "lenient" => (config.utf8_after_login, config.noop_before_login) = (true, true),
            "no utf8, no lang" => (config.utf8, config.lang) = (Utf8::No, false),
            "utf8 logins" => config.utf8 = Utf8::MessagesAndLogins,
            "spanish" => config.language = Language::Spanish,
            "expire 0" => config.expire = ExpirePolicy { after: Expire::Days(0), per_user: false },
            "expire 30 user" => config.expire = ExpirePolicy { after: Expire::Days(30), per_user: true },
            "login delay 300 user" => config.login_delay = Some(LoginDelay { seconds: 300, per_user: true }),
            "patient" => {
                config.max_bad_commands = BadCommandLimits { before_login: 100, after_login: 100 };
                config.max_failed_logins = 100;
            }
            other => panic!("{}: {other:?} is no set-up that is known", transcript.name),
        }
    }
    (config, info)
}

/// The password of all users except `josé`.
const PASSWORD: &[u8] = b"se cret";

/// The store of the transcripts. `joe` has three messages: the second cannot be removed, and the third is gone. `empty` has none.
/// `intl` has a plain message and one with an internationalized header. `josé` has the password `contraseña`. `busy`, `hasty`,
/// `broken` and `lost` cannot open their maildrops.
#[derive(Clone, Copy, Debug)]
pub struct Maildrops;

impl Store for Maildrops {
    type Maildrop = Mail;

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<Mail, LoginError> {
        let name = login.name.as_bytes();
        let password = if name == "josé".as_bytes() { "contraseña".as_bytes() } else { PASSWORD };
        let right = match &login.credentials {
            PresentedCredentials::Password(given) => given.expose() == password,
            PresentedCredentials::Apop(proof) => proof.verify(password),
            PresentedCredentials::CramMd5(proof) => proof.verify(password),
            PresentedCredentials::Token(token) => token.expose() == b"good",
            PresentedCredentials::External(certificate) => certificate[..] == b"joe's certificate"[..],
            PresentedCredentials::Verified => true,
            _ => false,
        };
        match name {
            _ if !right => Err(LoginError::Credentials),
            b"joe" => Ok(Mail(&[
                Message(b"Subject: one\n\nline 1\n.line 2\n.\nline 4\n", "uid-one", false),
                Message(b"Subject: two\r\n\r\nno end of line", "uid-two", false),
                Message(b"Subject: gone\n\n", "uid-three", false),
            ])),
            // The user of the client certificate, if the client gives no name.
            b"-" if matches!(login.credentials, PresentedCredentials::External(_)) => Ok(Mail(&[])),
            b"empty" => Ok(Mail(&[])),
            b"intl" => {
                Ok(Mail(&[Message(b"Subject: plain\n\n", "plain", false), Message(b"Subject: \xc2\xa1hola!\n\n", "utf-8", true)]))
            }
            _ if name == "josé".as_bytes() => Ok(Mail(&[])),
            b"busy" => Err(LoginError::InUse),
            b"hasty" => Err(LoginError::TooSoon),
            b"broken" => Err(LoginError::Io(io::Error::other("broken"))),
            b"lost" => Err(LoginError::Io(io::ErrorKind::NotFound.into())),
            _ => Err(LoginError::Credentials),
        }
    }

    fn scram_keys(&self, hash: ScramHash, name: &OwnedUsername) -> io::Result<Option<ScramKeys>> {
        Ok((name.as_bytes() == b"joe").then(|| ScramKeys::derive(hash, PASSWORD, b"salt", 4096)))
    }
}

/// A message: its text, its unique-id, and `true` if its header is internationalized.
#[derive(Clone, Copy, Debug)]
struct Message(&'static [u8], &'static str, bool);

/// A maildrop of a transcript.
#[derive(Clone, Copy, Debug)]
pub struct Mail(&'static [Message]);

impl Maildrop for Mail {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        for Message(text, id, utf8) in self.0 {
            let mut size = WireSize::new();
            size.add(text);
            let id = UniqueId::new(id).map_err(io::Error::other)?;
            let pushed = if *utf8 { snapshot.push_utf8(size.octets(), id) } else { snapshot.push(size.octets(), id) };
            pushed.map_err(io::Error::other)?;
        }
        Ok(snapshot)
    }

    fn open(&mut self, number: MessageNumber, _: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        match self.0.get(number.index()) {
            Some(Message(text, id, _)) if *id != "uid-three" => Ok(Box::new(Cursor::new(*text))),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        let stuck = marked.iter().filter(|number| self.0.get(number.index()).is_some_and(|message| message.1 == "uid-two"));
        NotRemoved::check(stuck.map(|number| (*number, io::Error::other("it is stuck"))).collect())
    }
}

/// Returns all input from the client of a transcript.
pub fn said(transcript: &Transcript) -> Vec<u8> {
    transcript.lines.iter().filter(|line| line.who == 'C').flat_map(|line| line.bytes.clone()).collect()
}

/// Returns the expected output of the server. The lines `TLS` and `CLOSE` stand for its actions.
pub fn expected(transcript: &Transcript) -> String {
    let lines = transcript.lines.iter().filter(|line| line.who == 'S').flat_map(|line| line.bytes.clone());
    String::from_utf8_lossy(&lines.collect::<Vec<u8>>()).into_owned()
}
