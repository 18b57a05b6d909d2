//! Where a program gets its access: from the arguments, or from what is known of the provider.

use oauth2::Scope;
use pop3_providers::{OAuth, provider_of_host};

use crate::arguments::OAuthArguments;
use crate::failure::{Exit, Failure};
use crate::language::Message;

/// The endpoints of an authorization server, the client that asks there, and the scopes that it asks for.
#[derive(Clone)]
pub struct Endpoints {
    pub client_id: String,
    pub client_secret: Option<String>,
    pub scopes: Vec<Scope>,
    pub token_url: String,
    pub authorize_url: Option<String>,
    pub device_url: Option<String>,
    /// Where the page returns to, if not to this machine.
    pub redirect_url: Option<String>,
}

impl Endpoints {
    /// Determines the endpoints for a POP3 server.
    ///
    /// # Errors
    /// Neither the arguments nor the table of providers names them.
    pub fn of(arguments: &OAuthArguments, client_id: &str, host: &str) -> Result<Self, Failure> {
        // The endpoints of the arguments are another provider's than those of the table.
        let known = provider_of_host(host).and_then(|provider| provider.oauth.as_ref());
        let known = known.filter(|_| arguments.oauth_token_url.is_none());
        let token_url = arguments.oauth_token_url.clone().or_else(|| known.map(|known| known.token_url.clone()));
        let token_url = token_url.ok_or_else(|| {
            Failure::new(Exit::Usage, Message::new("oauth-unknown").with("host", host)).and(Message::new("oauth-unknown-next"))
        })?;
        let known_device_url =
            known.and_then(|known| known.device_url.clone()).filter(|_| arguments.oauth_redirect_url.is_none());
        Ok(Self {
            client_id: client_id.to_owned(),
            client_secret: arguments.oauth_client_secret.clone(),
            scopes: scopes(arguments.oauth_scope.as_deref(), known),
            token_url,
            authorize_url: arguments.oauth_authorize_url.clone().or_else(|| known.map(|known| known.authorize_url.clone())),
            device_url: arguments.oauth_device_url.clone().or(known_device_url),
            redirect_url: arguments.oauth_redirect_url.clone(),
        })
    }
}

fn scopes(given: Option<&str>, known: Option<&OAuth>) -> Vec<Scope> {
    match (given, known) {
        (Some(given), _) => given.split_whitespace().map(|scope| Scope::new(scope.to_owned())).collect(),
        (None, Some(known)) => known.scopes.iter().cloned().map(Scope::new).collect(),
        (None, None) => Vec::new(),
    }
}
