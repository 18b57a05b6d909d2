//! What the drivers of [`pop3_proto`] share, so that it exists once: [how a connection is secured](tls), [what a client and a
//! server may be told](ClientOptions), [what can go wrong](Error). The drivers re-export all of it.
//!
//! ```
//! use pop3_driver::{ClientOptions, Security};
//! // Implicit TLS as on port 995, certificates verified as the operating system does it.
//! let options = ClientOptions::new(Security::tls()?);
//! assert_eq!(options.security.default_port(), 995);
//! # Ok::<(), pop3_driver::Error>(())
//! ```

mod error;
mod login_backoff;
mod login_slots;
mod options;
mod proxy_handshake;
mod session_limiter;
pub mod tls;

pub use error::Error;
pub use ipnet::IpNet;
pub use login_backoff::LoginBackoff;
pub use login_slots::{LoginSlot, LoginSlots};
pub use options::{ClientOptions, ListenSecurity, Security, ServerOptions};
pub use pop3_proto as proto;
pub use proxy_handshake::{Proxy, ProxyHandshake, ProxyHeader, ProxyKind};
pub use rustls;
pub use session_limiter::{Seat, SessionLimiter, SessionPermit};
