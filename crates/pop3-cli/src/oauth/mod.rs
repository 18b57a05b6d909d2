//! Access tokens by OAuth 2.0 (RFC 6749): with a code for another device (RFC 8628), or in a browser on this machine with PKCE (RFC 7636, RFC 8252).

mod browser;
mod cache;
mod endpoints;
mod refusal;

use std::fmt;
use std::thread;
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, PkceCodeChallenge, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl,
};
use pop3_blocking::proto::Secret;
use pop3_blocking::{Proxy, ProxyKind};

use crate::arguments::OAuthArguments;
use crate::failure::{Exit, Failure};
use crate::http;
use crate::language::Message;
use crate::server_text::one_line;
use crate::terminal::tell;
use browser::Loopback;
use cache::{Cache, Tokens, ends_after};
use endpoints::Endpoints;
use refusal::trouble;

/// The time limit of a request.
const LIMIT: Duration = Duration::from_secs(30);
/// No more of a reply is read than this.
const MOST_BYTES: u64 = 256 * 1024;

type TokenClient = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// The access to a mailbox.
pub struct Access {
    user: String,
    proxy: Option<ureq::Proxy>,
    endpoints: Endpoints,
    cache: Cache,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why a token is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// For a login. A token that has not ended is good.
    Current,
    /// The server has refused the one that there is.
    Another,
}

impl Access {
    /// Returns the access of a user to a POP3 server. `None` if the arguments do not want OAuth.
    ///
    /// # Errors
    /// It is not known where to ask, there is no home to keep tokens in, or the proxy is none for HTTPS.
    pub fn of(arguments: &OAuthArguments, user: &str, host: &str, proxy: Option<&Proxy>) -> Result<Option<Self>, Failure> {
        let Some(client_id) = &arguments.oauth_client_id else { return Ok(None) };
        let endpoints = Endpoints::of(arguments, client_id, host)?;
        let cache = Cache::of(user, host).ok_or_else(|| Failure::new(Exit::Usage, Message::new("oauth-no-home")))?;
        Ok(Some(Self { user: user.to_owned(), proxy: proxy.map(through).transpose()?, endpoints, cache }))
    }

    /// Returns an access token: the one that is kept, or a renewed one. `None` if a person must log in.
    ///
    /// # Errors
    /// The token cannot be renewed now, or a file cannot be used.
    pub fn token(&self, want: Want) -> Result<Option<Secret>, Failure> {
        let failed = |error| Failure::file(self.cache.path(), &error);
        let _lock = self.cache.lock().map_err(failed)?;
        let is_ours = |kept: &Tokens| kept.client_id == self.endpoints.client_id && kept.token_url == self.endpoints.token_url;
        let Some(kept) = self.cache.read().map_err(failed)?.filter(is_ours) else { return Ok(None) };
        if want == Want::Current && kept.is_current() {
            return Ok(Some(Secret::from(kept.access_token.as_str())));
        }
        let Some(refresh_token) = kept.refresh_token else { return Ok(None) };
        let refresh_token = RefreshToken::new(refresh_token);
        match self.client()?.exchange_refresh_token(&refresh_token).request(&|request| self.send(request)) {
            Ok(response) => self.keep(&response, Some(refresh_token.into_secret())).map(Some),
            Err(RequestTokenError::ServerResponse(error)) if *error.error() == BasicErrorResponseType::InvalidGrant => {
                // The access was withdrawn or has ended. It does not come back.
                self.cache.remove().map_err(failed)?;
                Ok(None)
            }
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Lets a person log in on the provider's page, and keeps the access. Tells them on standard error what to do.
    ///
    /// # Errors
    /// The login is not finished in time, the provider refuses, or it cannot be reached.
    pub fn log_in(&self) -> Result<Secret, Failure> {
        let response = match (&self.endpoints.device_url, &self.endpoints.authorize_url) {
            (Some(url), _) => self.with_code(url)?,
            (None, Some(url)) => self.in_browser(url)?,
            (None, None) => return Err(Failure::new(Exit::Usage, Message::new("oauth-unknown-next"))),
        };
        let _lock = self.cache.lock().map_err(|error| Failure::file(self.cache.path(), &error))?;
        self.keep(&response, None)
    }

    /// Returns the failure of a login for which a person must agree first.
    pub fn not_granted(&self, given: &str) -> Failure {
        let found = Message::new("oauth-none").with("user", &self.user);
        Failure::new(Exit::Login, found).and(Message::new("oauth-none-next").with("account", given))
    }

    /// A code that is typed on any device.
    fn with_code(&self, url: &str) -> Result<BasicTokenResponse, Failure> {
        let url = DeviceAuthorizationUrl::new(url.to_owned()).map_err(|error| trouble(&error.to_string()))?;
        let client = self.client()?.set_device_authorization_url(url);
        let request = client.exchange_device_code().add_scopes(self.endpoints.scopes.clone());
        let details: StandardDeviceAuthorizationResponse =
            request.request(&|request| self.send(request)).map_err(|error| self.failure(&error))?;
        let told = Message::new("oauth-device").with("url", one_line(details.verification_uri().as_str()));
        tell!("pop3: {}", told.with("code", one_line(details.user_code().secret())).with("user", &self.user));
        let request = client.exchange_device_access_token(&details);
        request.request(&|request| self.send(request), thread::sleep, None).map_err(|error| self.failure(&error))
    }

    /// A page in a browser, which returns to this machine.
    fn in_browser(&self, url: &str) -> Result<BasicTokenResponse, Failure> {
        let wrong = |error: oauth2::url::ParseError| trouble(&error.to_string());
        let loopback = match self.endpoints.redirect_url {
            Some(_) => None,
            None => Some(Loopback::open().map_err(|error| Failure::new(Exit::Connection, error))?),
        };
        let redirect_url =
            loopback.as_ref().map(|loopback| loopback.redirect_url.clone()).or_else(|| self.endpoints.redirect_url.clone());
        let redirect_url = RedirectUrl::new(redirect_url.unwrap_or_default()).map_err(wrong)?;
        let client = self.client()?.set_auth_uri(AuthUrl::new(url.to_owned()).map_err(wrong)?).set_redirect_uri(redirect_url);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = client.authorize_url(CsrfToken::new_random).add_scopes(self.endpoints.scopes.clone());
        let (page, state) = request.set_pkce_challenge(challenge).add_extra_param("login_hint", &self.user).url();
        tell!("pop3: {}\n      {page}", Message::new("oauth-browser").with("user", &self.user));
        let code = match loopback {
            Some(loopback) => loopback.wait(&state)?,
            None => browser::pasted(&state)?,
        };
        let request = client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(verifier);
        request.request(&|request| self.send(request)).map_err(|error| self.failure(&error))
    }

    fn client(&self) -> Result<TokenClient, Failure> {
        let url = TokenUrl::new(self.endpoints.token_url.clone()).map_err(|error| trouble(&error.to_string()))?;
        let client = BasicClient::new(ClientId::new(self.endpoints.client_id.clone()));
        let client = match &self.endpoints.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.clone())),
            None => client,
        };
        Ok(client.set_token_uri(url))
    }

    /// Keeps what the provider has given. A provider that gives no new refresh token leaves the old one valid (RFC 6749 §6).
    fn keep(&self, response: &BasicTokenResponse, old: Option<String>) -> Result<Secret, Failure> {
        let tokens = Tokens {
            client_id: self.endpoints.client_id.clone(),
            token_url: self.endpoints.token_url.clone(),
            access_token: response.access_token().secret().clone(),
            refresh_token: response.refresh_token().map(|token| token.secret().clone()).or(old),
            expires: response.expires_in().map(ends_after),
        };
        self.cache.write(&tokens).map_err(|error| Failure::file(self.cache.path(), &error))?;
        if let Some(missing) = self.missing_scope(response.scopes()) {
            tell!("pop3: {}", Message::new("oauth-scope").with("scope", missing));
        }
        Ok(Secret::from(tokens.access_token.as_str()))
    }

    /// Returns a scope that was asked for and is not granted. A provider that names no scopes has granted all (RFC 6749 §5.1).
    fn missing_scope(&self, granted: Option<&Vec<Scope>>) -> Option<String> {
        let granted = granted?;
        // Providers grant to go on without the person, and do not name that.
        let is_missing = |scope: &&Scope| !granted.contains(scope) && scope.as_str() != "offline_access";
        self.endpoints.scopes.iter().find(is_missing).map(|scope| one_line(scope))
    }

    /// Sends a request, over TLS only and without following redirects: what is in it is for one server.
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
        let agent = http::agent(None, self.proxy.clone(), LIMIT, 0);
        let agent = agent.map_err(|failure| ureq::Error::Io(std::io::Error::other(failure.to_string())))?;
        let (head, mut body) = agent.run(request)?.into_parts();
        // A server in trouble refuses nothing.
        if head.status.is_server_error() {
            return Err(ureq::Error::StatusCode(head.status.as_u16()));
        }
        Ok(HttpResponse::from_parts(head, body.with_config().limit(MOST_BYTES).read_to_vec()?))
    }

    /// Explains a request that failed.
    fn failure<E>(&self, error: &RequestTokenError<ureq::Error, E>) -> Failure
    where
        E: oauth2::ErrorResponse + fmt::Display + 'static,
    {
        match error {
            RequestTokenError::ServerResponse(error) => trouble(&error.to_string()),
            RequestTokenError::Request(error) => {
                let found = Message::new("oauth-unreachable").with("url", &self.endpoints.token_url);
                Failure::new(Exit::Connection, found.with("error", one_line(&error.to_string())))
            }
            // What came is not shown: it may contain a token.
            RequestTokenError::Parse(..) => trouble(&Message::new("oauth-unreadable").to_string()),
            RequestTokenError::Other(text) => trouble(text),
        }
    }
}

/// Returns the proxy for requests.
fn through(proxy: &Proxy) -> Result<ureq::Proxy, Failure> {
    if proxy.kind != ProxyKind::HttpConnect {
        return Err(Failure::new(Exit::Usage, Message::new("oauth-proxy")));
    }
    let builder = ureq::Proxy::builder(ureq::ProxyProtocol::Http).host(&proxy.host).port(proxy.port);
    let builder = match &proxy.login {
        Some((name, password)) => builder.username(name).password(&String::from_utf8_lossy(password.expose())),
        None => builder,
    };
    builder.build().map_err(|error| Failure::new(Exit::Usage, error))
}
