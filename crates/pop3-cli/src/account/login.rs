//! The login to an account.

use std::mem;

use pop3_blocking::proto::Secret;
use pop3_blocking::proto::client::LoginFailure;
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::{Client, Error};

use super::Account;
use crate::discovery::{Server, kept};
use crate::failure::Failure;
use crate::language::Message;
use crate::oauth::{Access, Want};
use crate::terminal::tell;

/// An account and its credentials.
#[derive(Debug)]
pub struct Login {
    account: Account,
    credentials: Credentials,
    /// Where the token comes from, if it can be renewed.
    access: Option<Access>,
    /// The credentials were not used yet.
    is_fresh: bool,
    /// Why a token that the server refused could not be renewed.
    renewal_failure: Option<Failure>,
    /// The user is the part of the address before the `@`.
    is_other_user: bool,
}

impl Login {
    pub const fn new(account: Account, credentials: Credentials, access: Option<Access>) -> Self {
        Self { account, credentials, access, is_fresh: true, renewal_failure: None, is_other_user: false }
    }

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
    pub fn log_in(&mut self, quiet: bool) -> Result<Client, Failure> {
        let error = match self.connect() {
            Ok(client) => {
                self.keep();
                return Ok(client);
            }
            Err(error) => error,
        };
        // A token belongs to the user that the provider knows; a password may belong to either name.
        if let (Some(user), Some(LoginFailure::WrongCredentials), Some(password)) =
            (self.account.target.other_user(), error.login_failure(), self.password())
        {
            let other = Credentials::password(&user, password.expose()).map_err(Error::from)?;
            // If this fails, too, the failure of the address is reported.
            if let Ok(client) = self.account.connect(&other) {
                if !quiet {
                    tell!("pop3: {}", Message::new("fetch-other-user").with("user", &user));
                }
                (self.account.target.user, self.credentials, self.is_other_user) = (user, other, true);
                self.keep();
                return Ok(client);
            }
        }
        let failure = self.account.login_failure(error);
        Err(match self.renewal_failure.take() {
            Some(renewal) => failure.and(renewal),
            None => failure,
        })
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

    /// Connects and logs in. A token that ends soon is renewed before, and one that the server refuses once after: the clocks of this machine
    /// and of the provider may differ, and a token may be withdrawn at any time.
    ///
    /// # Errors
    /// See [`Client::connect_and_login`].
    pub fn connect(&mut self) -> Result<Client, Error> {
        if !mem::take(&mut self.is_fresh) {
            self.renew(Want::Current);
        }
        match self.account.connect(&self.credentials) {
            Err(error) if is_refusal(&error) && self.renew(Want::Another) => self.account.connect(&self.credentials),
            result => result,
        }
    }

    /// Returns `true` if there is a new token.
    fn renew(&mut self, want: Want) -> bool {
        let Some(access) = &self.access else { return false };
        let renewed = match access.token(want) {
            Ok(Some(token)) => self.account.with_token(&token),
            Ok(None) => Err(access.not_granted(self.account.address().unwrap_or(self.account.host()))),
            Err(failure) => Err(failure),
        };
        match renewed {
            Ok(credentials) => {
                self.credentials = credentials;
                self.renewal_failure = None;
                true
            }
            // The token that there is may still be good, and if not, this says why there is no other.
            Err(failure) => {
                self.renewal_failure = Some(failure);
                false
            }
        }
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(error.login_failure(), Some(LoginFailure::WrongCredentials | LoginFailure::OtherPassword))
}
