//! An account as the arguments name it: its server, its user and its login.

mod connection;
mod dialogue;
mod login;
mod target;

use std::fmt;
use std::io::{self, IsTerminal};

use pop3_blocking::proto::Secret;
use pop3_blocking::proto::client::{Awaiting, LoginPolicy, Observer, RemoteError, RequestError};
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::{Client, ClientOptions, Error, Security};

use crate::arguments::{AccountArguments, AuthMethod};
use crate::discovery::kept;
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::oauth::{Access, Want};
use crate::withhold::withhold;
use connection::{Connection, is_any_server};
pub use connection::{trusting, with_certificate};
use dialogue::Dialogue;
pub use login::Login;
use target::Target;

/// An account, before its password is known.
#[derive(Debug)]
pub struct Account {
    target: Target,
    port: u16,
    pub options: ClientOptions,
    /// The server is kept for later runs, if it had to be looked for.
    is_kept: bool,
}

impl Account {
    /// Determines the server and the user. Looks for the server of an address whose provider is not known.
    ///
    /// # Errors
    /// The arguments are wrong, a file that they name cannot be read, or no server is known.
    pub fn of(server: &str, arguments: &AccountArguments) -> Result<Self, Failure> {
        let connection = Connection::of(arguments)?;
        let target = Target::of(server, arguments, &|address| connection.find(address, arguments))?;
        let options = connection.options(arguments, target.stls);
        let is_kept = is_any_server(arguments);
        Ok(Self { is_kept, port: target.port.unwrap_or_else(|| options.security.default_port()), target, options })
    }

    /// Returns the mail address, if one was given, in one spelling.
    pub fn address(&self) -> Option<&str> {
        self.target.address.as_deref()
    }

    /// Returns the name of the account in journals and messages.
    pub fn name(&self) -> String {
        self.target.account(self.port)
    }

    /// Returns the name of the user.
    pub fn user(&self) -> &str {
        &self.target.user
    }

    /// Returns the host, and the port unless it is a usual one: ports 110 and 995 lead to one maildrop.
    pub fn server(&self) -> String {
        self.target.server(self.port)
    }

    /// Returns the host.
    pub fn host(&self) -> &str {
        &self.target.host
    }

    /// Says which settings apply, and reads the password or asks for it. `place` is where the mail goes, if that is to be said.
    ///
    /// # Errors
    /// There is no password, or no password can help.
    pub fn ask(self, arguments: &AccountArguments, place: Option<&dyn fmt::Display>, quiet: bool) -> Result<Login, Failure> {
        self.target.introduce(self.port, place, quiet, arguments)?;
        let access = self.access(arguments)?;
        let credentials = match &access {
            None => self.credentials(arguments)?,
            Some(access) => match access.token(Want::Current)? {
                Some(token) => self.with_token(&token)?,
                // A person can log in; a program that runs by the clock cannot.
                None if io::stderr().is_terminal() => self.with_token(&access.log_in()?)?,
                None => return Err(access.not_granted(self.target.address.as_deref().unwrap_or(&self.target.host))),
            },
        };
        Ok(Login::new(self, credentials, access))
    }

    /// Lets a person log in by OAuth, whether or not there is an access already.
    ///
    /// # Errors
    /// The arguments want no OAuth, or the provider refuses.
    pub fn log_in_by_oauth(self, arguments: &AccountArguments) -> Result<Login, Failure> {
        let Some(access) = self.access(arguments)? else {
            return Err(Failure::new(Exit::Usage, Message::new("oauth-no-client")).and(Message::new("oauth-no-client-next")));
        };
        let credentials = self.with_token(&access.log_in()?)?;
        Ok(Login::new(self, credentials, Some(access)))
    }

    fn access(&self, arguments: &AccountArguments) -> Result<Option<Access>, Failure> {
        Access::of(&arguments.token.oauth, &self.target.user, &self.target.host, self.options.proxy.as_ref())
    }

    fn with_token(&self, token: &Secret) -> Result<Credentials, Failure> {
        let token = str::from_utf8(token.expose()).map_err(|_| Failure::new(Exit::Login, Message::new("token-not-ascii")))?;
        Ok(Credentials::token(&self.target.user, token).map_err(Error::from)?)
    }

    /// Returns the token if the arguments name one, otherwise the password.
    fn credentials(&self, arguments: &AccountArguments) -> Result<Credentials, Failure> {
        let user = &self.target.user;
        if let Some(token) = arguments.token.read()? {
            return self.with_token(&token);
        }
        if self.target.auth == Some(AuthMethod::External) {
            // The server knows the user from the certificate; the name says which mailbox is wanted.
            return Ok(Credentials::External { name: user.as_bytes().to_vec() });
        }
        let password = arguments.password.read(user, &self.target.host)?;
        Ok(Credentials::password(user, password.expose()).map_err(Error::from)?)
    }

    fn connect(&self, credentials: &Credentials) -> Result<Client, Error> {
        let secret = match credentials {
            Credentials::Password { password: secret, .. } | Credentials::Token { token: secret, .. } => Some(secret.clone()),
            _ => None,
        };
        let log = || Some(Box::new(Dialogue::new(secret.clone())) as Box<dyn Observer>);
        let policy = self.target.auth.map_or_else(LoginPolicy::default, AuthMethod::policy);
        let policy = LoginPolicy { utf8: true, ..policy };
        let client = Client::connect_and_login_observed(&self.target.host, self.port, &self.options, credentials, &policy, &log);
        client.map_err(|error| match credentials {
            Credentials::Password { password: secret, .. } | Credentials::Token { token: secret, .. } => withhold(error, secret),
            _ => error,
        })
    }

    fn login_failure(&self, error: Error) -> Failure {
        let silent = matches!(
            &error,
            Error::TimedOut { .. } | Error::Request(RequestError::Remote(RemoteError::Closed(Awaiting::Greeting)))
        );
        let refusal = error.refusal().cloned();
        let mut failure = self.target.advise(Failure::from(error), refusal.as_ref());
        let origin = self.target.origin().filter(|_| matches!(failure.exit, Exit::Connection | Exit::Tls | Exit::Login));
        if let (Some(origin), Some(file)) = (origin, kept::path())
            && let Some(date) = &origin.kept_since
        {
            let told = Message::new("advice-kept").with("date", date).with("source", origin.source.name());
            failure = failure.and(told.with("file", file.display()));
        }
        if silent && !matches!(self.options.security, Security::Tls(_)) {
            return failure.and(Message::new("advice-tls-port"));
        }
        failure
    }
}
