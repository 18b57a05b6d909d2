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
#[derive(Debug)]
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
        let failure = Self::new(exit_of(&error), &error);
        match (&error, error.refusal().and_then(Refusal::code)) {
            (_, Some(ResponseCode::InUse)) => {
                failure.hint("Another program is reading this mailbox now. Try again in a few minutes.")
            }
            (_, Some(ResponseCode::LoginDelay)) => match error.login_failure() {
                Some(LoginFailure::Temporary { retry_after: Some(pause) }) => failure.and(format_args!(
                    "The server requires a pause of {} seconds between logins. Try again after that.",
                    pause.as_secs()
                )),
                _ => failure.hint("The server requires a pause between logins. Try again later."),
            },
            (_, Some(ResponseCode::SysTemp)) => failure.hint("The server has a temporary fault. Try again later."),
            (Error::Tls(TlsFailure::NotTls), _) => failure.hint("Use --stls on a port that starts without TLS (usually 110)."),
            (Error::Tls(TlsFailure::SelfSigned), _) => {
                failure.hint("If this is your own server, copy its certificate from there and give it with --ca-file.")
            }
            (Error::Tls(TlsFailure::UnknownIssuer), _) => {
                failure.hint("If the server has a private certificate, get it from the operator and give it with --ca-file.")
            }
            (Error::Tls(TlsFailure::WrongName(_)), _) => failure.hint("Use a host name that is in the certificate."),
            _ if error.login_failure() == Some(LoginFailure::SwitchedOff) => failure.hint(
                "POP3 is switched off for this account. Switch it on in the settings of the mailbox on the provider's web page.",
            ),
            _ if error.login_failure() == Some(LoginFailure::OtherPassword) => failure.hint(
                "The provider requires another kind of password: an app password or authorization code from its web page, or an \
                 access token (--token-file, --token-command).",
            ),
            _ if error.refusal().and_then(Refusal::meaning) == Some(RefusalMeaning::Ambiguous) => failure.hint(
                "The server names several causes at once: a wrong password, the wrong kind of password (try an authorization \
                 code), POP3 switched off, or too many logins.",
            ),
            (_, Some(ResponseCode::SysPerm)) => failure.hint("The server has a fault that its administrator must fix."),
            (Error::Connect { .. }, _) => failure.hint("Check the host name, the port and the network."),
            (Error::Request(RequestError::Local(LocalError::CleartextLogin)), _) => {
                failure.hint("Use TLS, or --dangerously-cleartext on a network that you trust.")
            }
            (Error::Request(RequestError::Remote(RemoteError::Closed(_))), _)
                if error.login_failure() == Some(LoginFailure::WrongCredentials) =>
            {
                failure.hint("Some servers hang up without a reply if the user name or the password is wrong. Check both.")
            }
            _ => failure,
        }
    }
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
        let failure = Self::new(exit, &error);
        match error {
            FetchError::NoUniqueIds => failure.hint("Use --delete: each message is then fetched once and deleted on the server."),
            FetchError::UniqueIdsUnavailable => failure.hint("Try again later."),
            FetchError::Locked { .. } => failure.hint("Wait until the other run has ended."),
            _ => failure,
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
        Err(error) => Err(Failure::new(Exit::Storage, format_args!("cannot write to standard output: {error}"))),
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
