//! The start of an exchange on the client side.

use alloc::boxed::Box;

use super::context::ExchangeContext;
#[cfg(feature = "cram-md5")]
use super::cram_md5;
use super::credentials::Credentials;
use super::exchange::ClientMechanism;
use super::mechanism::Mechanism;
#[cfg(feature = "scram")]
use super::scram;
use super::{login, name_only, oauthbearer, plain, xoauth2};

/// Begins the client side of an exchange. Returns `None` if the credentials do not fit the mechanism, the credentials or the host
/// contain octets that mechanisms use as separators, this build does not have the mechanism, or there is no binding for a `-PLUS`
/// form.
pub fn client_mechanism(
    mechanism: Mechanism,
    credentials: &Credentials,
    context: &ExchangeContext<'_>,
) -> Option<Box<dyn ClientMechanism>> {
    let &ExchangeContext { host, port, .. } = context;
    if !credentials.fit(mechanism) || !credentials.can_be_sent() || host.contains(['\0', '\u{1}']) {
        return None;
    }
    Some(match (mechanism, credentials) {
        (Mechanism::Plain, Credentials::Password { name, password }) => Box::new(plain::Client::new(name, password)),
        (Mechanism::Login, Credentials::Password { name, password }) => Box::new(login::Client::new(name, password)),
        (Mechanism::External, Credentials::External { name }) => Box::new(name_only::Client::new(mechanism, name)),
        (Mechanism::Anonymous, Credentials::Anonymous { trace }) => Box::new(name_only::Client::new(mechanism, trace)),
        (Mechanism::OauthBearer, Credentials::Token { name, token }) => {
            Box::new(oauthbearer::Client::new(name, token, host, port))
        }
        (Mechanism::Xoauth2, Credentials::Token { name, token }) => Box::new(xoauth2::Client::new(name, token)),
        #[cfg(feature = "cram-md5")]
        (Mechanism::CramMd5, Credentials::Password { name, password }) => Box::new(cram_md5::Client::new(name, password)),
        #[cfg(feature = "scram")]
        (_, Credentials::Password { name, password }) => Box::new(scram::ScramClient::new(mechanism, name, password, context)?),
        _ => return None,
    })
}
