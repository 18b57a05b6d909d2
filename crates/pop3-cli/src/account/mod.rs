//! An account as the arguments name it: its server, its user and its login.

mod connection;
mod dialogue;
mod target;

use std::path::Path;

use pop3_blocking::proto::Secret;
use pop3_blocking::proto::client::{Awaiting, LoginFailure, LoginPolicy, Observer, RemoteError, RequestError};
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::{Client, ClientOptions, Error, Security};

use crate::arguments::{AccountArguments, AuthMethod};
use crate::discovery::{Server, kept};
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::withhold::withhold;
pub use connection::trusting;
use connection::{Connection, is_any_server};
use dialogue::Dialogue;
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

    /// Returns the host.
    pub fn host(&self) -> &str {
        &self.target.host
    }

    /// Says which settings apply, and reads the password or asks for it. `maildir` is the default folder, if mail goes there.
    ///
    /// # Errors
    /// There is no password, or no password can help.
    pub fn ask(self, arguments: &AccountArguments, maildir: Option<&Path>, quiet: bool) -> Result<Login, Failure> {
        self.target.introduce(self.port, maildir, quiet, arguments)?;
        let credentials = self.credentials(arguments)?;
        Ok(Login { account: self, credentials, is_other_user: false })
    }

    /// Returns the token if the arguments name one, otherwise the password.
    fn credentials(&self, arguments: &AccountArguments) -> Result<Credentials, Failure> {
        let user = &self.target.user;
        if let Some(token) = arguments.token.read()? {
            let token = str::from_utf8(token.expose())
                .map_err(|_| Failure::new(Exit::Login, "the access token contains bytes that are not ASCII"))?;
            return Ok(Credentials::token(user, token).map_err(Error::from)?);
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
        let origin = self.target.origin().filter(|_| matches!(failure.exit, Exit::Connection | Exit::Tls));
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

/// An account and its credentials.
#[derive(Debug)]
pub struct Login {
    account: Account,
    credentials: Credentials,
    /// The user is the part of the address before the `@`.
    is_other_user: bool,
}

impl Login {
    /// Returns the name of the account in journals and messages.
    pub fn name(&self) -> String {
        self.account.name()
    }

    /// Returns the settings that were looked for: the host and the port, and the user if it is not the address.
    pub fn found(&self) -> Vec<(&'static str, String)> {
        let target = &self.account.target;
        let mut found = Vec::new();
        if target.origin().is_some() {
            found.extend([("host", target.host.clone()), ("port", self.account.port.to_string())]);
        }
        if self.is_other_user || (target.origin().is_some() && target.address.as_ref() != Some(&target.user)) {
            found.push(("user", target.user.clone()));
        }
        found
    }

    /// Returns `true` if the server was looked for, and needs `STLS`.
    pub const fn is_stls(&self) -> bool {
        self.account.target.origin().is_some() && self.account.target.stls
    }

    /// Returns the password; `None` for a token.
    pub const fn password(&self) -> Option<&Secret> {
        match &self.credentials {
            Credentials::Password { password, .. } => Some(password),
            _ => None,
        }
    }

    /// Logs in, with the part of the address before the `@` if the server refuses the address and nothing says what the user is.
    ///
    /// # Errors
    /// The server cannot be reached or trusted, or it refuses the login.
    pub fn log_in(mut self, quiet: bool) -> Result<(Self, Client), Failure> {
        let error = match self.connect() {
            Ok(client) => {
                self.keep();
                return Ok((self, client));
            }
            Err(error) => error,
        };
        if let (Some(user), Some(LoginFailure::WrongCredentials)) = (self.account.target.other_user(), error.login_failure()) {
            let other = with_user(&self.credentials, &user)?;
            // If this fails, too, the failure of the address is reported.
            if let Ok(client) = self.account.connect(&other) {
                if !quiet {
                    eprintln!("pop3: {}", Message::new("fetch-other-user").with("user", &user));
                }
                (self.account.target.user, self.credentials, self.is_other_user) = (user, other, true);
                self.keep();
                return Ok((self, client));
            }
        }
        Err(self.account.login_failure(error))
    }

    /// Keeps the server that was looked for, now that a login has succeeded.
    fn keep(&self) {
        let (account, target) = (&self.account, &self.account.target);
        let is_new = target.origin().filter(|origin| origin.kept_since.is_none() && account.is_kept);
        if let (Some(origin), Some(address)) = (is_new, &target.address) {
            let server = Server { host: target.host.clone(), port: account.port, stls: target.stls };
            kept::keep(address, &server, &target.user, origin.source);
        }
    }

    /// Connects and logs in again.
    ///
    /// # Errors
    /// See [`Client::connect_and_login`].
    pub fn connect(&self) -> Result<Client, Error> {
        self.account.connect(&self.credentials)
    }
}

/// Returns the same password or token for another user.
fn with_user(credentials: &Credentials, user: &str) -> Result<Credentials, Failure> {
    Ok(match credentials {
        Credentials::Password { password, .. } => Credentials::password(user, password.expose()).map_err(Error::from)?,
        Credentials::Token { token, .. } => {
            Credentials::token(user, str::from_utf8(token.expose()).unwrap_or_default()).map_err(Error::from)?
        }
        other => other.clone(),
    })
}
