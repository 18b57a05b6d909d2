//! What mail providers need for POP3, as data.
//!
//! ```
//! use pop3_providers::{PasswordKind, provider_of};
//!
//! let gmail = provider_of("joe@gmail.com").expect("Gmail is known");
//! let pop3 = gmail.pop3().expect("Gmail has POP3");
//! assert_eq!((pop3.host.as_str(), pop3.port), ("pop.gmail.com", 995));
//! assert_eq!(pop3.password, PasswordKind::AppPasswordOrToken);
//! println!("{}", gmail.switch_on.as_deref().unwrap_or_default());
//!
//! let icloud = provider_of("joe@icloud.com").expect("iCloud is known");
//! assert!(icloud.pop3().is_none());
//! assert_eq!(icloud.unavailable(), Some("iCloud Mail has no POP3. It offers IMAP only."));
//! ```

mod entry;

use std::sync::OnceLock;

pub use entry::{OAuth, PasswordKind, Pop3, Provider, Refusal, RefusalKind, Tls, UserForm};

/// Returns all providers.
pub fn providers() -> &'static [Provider] {
    static PROVIDERS: OnceLock<Vec<Provider>> = OnceLock::new();
    // A test parses the table, so it is never empty.
    PROVIDERS.get_or_init(|| entry::parse(include_str!("../providers.toml")).unwrap_or_default())
}

/// Returns the provider of an address: the one that serves the domain after the last `@`, in any case. `None` if the domain is not known
/// or the address has no `@`.
pub fn provider_of(address: &str) -> Option<&'static Provider> {
    let (local_part, domain) = address.rsplit_once('@')?;
    let serves = |provider: &&Provider| provider.domains.iter().any(|known| known.eq_ignore_ascii_case(domain));
    providers().iter().find(serves).filter(|_| !local_part.is_empty())
}

/// Returns the provider whose POP3 server this is, in any case. Of several with this server it is the one that serves domains of its customers:
/// an address whose own domain is known has its provider from [`provider_of`].
///
/// ```
/// let provider = pop3_providers::provider_of_host("outlook.office365.com").expect("Microsoft's server is known");
/// assert!(provider.oauth.is_some());
/// ```
pub fn provider_of_host(host: &str) -> Option<&'static Provider> {
    let mut with_host =
        providers().iter().filter(|provider| provider.pop3().is_some_and(|pop3| pop3.host.eq_ignore_ascii_case(host)));
    let first = with_host.clone().next();
    with_host.find(|provider| provider.domains.is_empty()).or(first)
}

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
