//! Failures of the program: the message, a hint for the next step, and the exit code for scripts.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use pop3_blocking::Error;
use pop3_blocking::proto::client::{LocalError, LoginFailure, Refusal, RefusalMeaning, RemoteError, RequestError};
use pop3_blocking::proto::codec::ResponseCode;
use pop3_blocking::tls::TlsFailure;
use pop3_fetch::FetchError;

use crate::explanation;
use crate::language::Message;

/// The exit codes that `pop3 --help` lists. clap uses code 2, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Any other failure.
    Other = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The connection failed or broke; another try may succeed.
    Connection = 3,
    /// The connection cannot be trusted.
    Tls = 4,
    /// The name or the password is wrong; another try does not help.
    Login = 5,
    /// The server asks for a later try, or another run is fetching the same account into this Maildir.
    TryLater = 6,
    /// The disk does not accept the mail, or a file cannot be read.
    Storage = 7,
    /// The run is complete except for some messages.
    SomeFailed = 8,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failure that ends the program.
#[derive(Clone, Debug)]
pub struct Failure {
    pub exit: Exit,
    what: String,
    hint: Option<String>,
}

impl Failure {
    pub fn new(exit: Exit, what: impl fmt::Display) -> Self {
        Self { exit, what: what.to_string(), hint: None }
    }

    pub fn hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }

    /// Appends a line to the hint.
    pub fn and(self, more: impl fmt::Display) -> Self {
        let hint = self.hint.map_or_else(|| more.to_string(), |hint| format!("{hint}\n      {more}"));
        Self { hint: Some(hint), ..self }
    }

    /// Returns a failure that was explained already, so that only the exit code is left.
    pub fn told(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// Returns `true` if nothing is left to be said.
    pub const fn is_told(&self) -> bool {
        self.what.is_empty()
    }

    /// Returns the failure of an address that this server cannot listen on.
    pub fn not_listening(address: impl fmt::Display, error: &io::Error) -> Self {
        Self::new(Exit::Other, Message::new("cannot-listen").with("address", address).with("error", error))
    }

    /// Returns the failure of a file or folder that cannot be used.
    pub fn file(path: &Path, error: &io::Error) -> Self {
        Self::new(Exit::Storage, format_args!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\n      {hint}"),
            None => Ok(()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::new(exit_of(&error), explanation::of(&error));
        match advice_on(&error) {
            Some(advice) => failure.and(advice),
            None => failure,
        }
    }
}

/// Returns what to do about an error of a session.
fn advice_on(error: &Error) -> Option<Message> {
    let refusal = error.refusal();
    Some(match (error, refusal.and_then(Refusal::code)) {
        (_, Some(ResponseCode::InUse)) => Message::new("advice-in-use"),
        (_, Some(ResponseCode::LoginDelay)) => match error.login_failure() {
            Some(LoginFailure::Temporary { retry_after: Some(pause) }) => {
                Message::new("advice-login-delay-seconds").with("seconds", pause.as_secs())
            }
            _ => Message::new("advice-login-delay"),
        },
        (_, Some(ResponseCode::SysTemp)) => Message::new("advice-temporary"),
        (Error::Tls(TlsFailure::NotTls), _) => Message::new("advice-not-tls"),
        (Error::Tls(TlsFailure::SelfSigned), _) => Message::new("advice-self-signed"),
        (Error::Tls(TlsFailure::UnknownIssuer), _) => Message::new("advice-unknown-issuer"),
        (Error::Tls(TlsFailure::WrongName(_)), _) => Message::new("advice-wrong-name"),
        _ if error.login_failure() == Some(LoginFailure::SwitchedOff) => Message::new("advice-switched-off"),
        _ if error.login_failure() == Some(LoginFailure::OtherPassword) => Message::new("advice-other-password"),
        _ if refusal.and_then(Refusal::meaning) == Some(RefusalMeaning::Ambiguous) => Message::new("advice-ambiguous"),
        (_, Some(ResponseCode::SysPerm)) => Message::new("advice-permanent"),
        (Error::Connect { .. }, _) => Message::new("advice-connect"),
        (Error::Request(RequestError::Local(LocalError::CleartextLogin)), _) => Message::new("advice-cleartext"),
        (Error::Request(RequestError::Remote(RemoteError::Closed(_))), _)
            if error.login_failure() == Some(LoginFailure::WrongCredentials) =>
        {
            Message::new("advice-hung-up")
        }
        _ => return None,
    })
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        let exit = match error {
            FetchError::Session(error) => return error.into(),
            FetchError::UniqueIdsUnavailable | FetchError::Locked { .. } => Exit::TryLater,
            FetchError::ListedTwice | FetchError::EndlessListing => Exit::Connection,
            FetchError::Disk { .. } => Exit::Storage,
            _ => Exit::Other,
        };
        match &error {
            FetchError::NoUniqueIds => {
                Self::new(exit, Message::new("error-no-unique-ids")).and(Message::new("advice-no-unique-ids"))
            }
            FetchError::UniqueIdsUnavailable => {
                Self::new(exit, Message::new("error-unique-ids-unavailable")).and(Message::new("advice-later"))
            }
            FetchError::Locked { account } => {
                Self::new(exit, Message::new("error-locked").with("account", account)).and(Message::new("advice-locked"))
            }
            FetchError::IdsChanged => Self::new(exit, Message::new("error-ids-changed")).and(Message::new("advice-ids-changed")),
            FetchError::ListedTwice => Self::new(exit, Message::new("error-listed-twice")),
            FetchError::EndlessListing => Self::new(exit, Message::new("error-endless-listing")),
            _ => Self::new(exit, &error),
        }
    }
}

fn exit_of(error: &Error) -> Exit {
    if let (Some(failure), false) = (error.login_failure(), matches!(error, Error::Tls(_))) {
        return match failure {
            LoginFailure::WrongCredentials | LoginFailure::OtherPassword => Exit::Login,
            // A response code takes precedence over the words of the reply.
            LoginFailure::SwitchedOff if error.refusal().and_then(Refusal::code).is_none() => Exit::Login,
            LoginFailure::Temporary { .. } => Exit::TryLater,
            LoginFailure::NoTls => Exit::Tls,
            LoginFailure::WrongService(_) => Exit::Connection,
            _ => Exit::Other,
        };
    }
    match error {
        Error::Tls(_) | Error::HostName(_) => Exit::Tls,
        Error::Request(RequestError::Remote(_)) | Error::Connect { .. } | Error::TimedOut { .. } | Error::Io(_) => {
            Exit::Connection
        }
        _ => Exit::Other,
    }
}

/// Prints a line. If the reader of standard output is gone, as after `| head`, the process ends with exit code 0.
pub fn say(line: impl fmt::Display) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::new(Exit::Storage, Message::new("stdout-failed").with("error", error))),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h11_hints_for_certificate_errors_name_the_next_step() {
        let cases = [
            (TlsFailure::NotTls, "Use --stls"),
            (TlsFailure::UnknownIssuer, "give it with --ca-file"),
            (TlsFailure::SelfSigned, "give it with --ca-file"),
            (TlsFailure::WrongName(Vec::new()), "name that is in the certificate"),
        ];
        for (failure, hint) in cases {
            let failure = Failure::from(Error::Tls(failure));
            assert_eq!(failure.exit, Exit::Tls);
            assert!(failure.to_string().contains(hint), "{failure}");
        }
        assert_eq!(Failure::from(Error::HostName("a b".to_owned())).exit, Exit::Tls);
        assert_eq!(Failure::from(Error::Sink(io::ErrorKind::StorageFull.into())).exit, Exit::Other);
        let cleartext = Failure::from(Error::from(RequestError::from(LocalError::CleartextLogin)));
        assert!(cleartext.to_string().contains("--dangerously-cleartext"), "{cleartext}");
    }
}
