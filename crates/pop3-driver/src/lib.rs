//! What the drivers of [`pop3_proto`] share: [TLS settings](tls), [options](ClientOptions), [errors](Error), and the client and the
//! server of a driver without I/O ([`ClientSession`], [`server`]), which are told the time and say what to do next. The drivers re-export
//! what their users need.
//!
//! ```
//! use pop3_driver::{ClientOptions, Security};
//! // Implicit TLS as on port 995, certificates verified as the operating system does it.
//! let options = ClientOptions::new(Security::tls()?);
//! assert_eq!(options.security.default_port(), 995);
//! # Ok::<(), pop3_driver::Error>(())
//! ```

mod client_commands;
mod client_methods;
mod client_session;
mod client_trace;
mod error;
mod io;
#[cfg(feature = "server")]
mod login_backoff;
#[cfg(feature = "server")]
mod login_slots;
mod message_methods;
mod message_reader;
mod options;
mod proxy_handshake;
#[cfg(feature = "server")]
mod proxy_header;
mod proxy_io;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod server_methods;
#[cfg(feature = "server")]
mod server_options;
#[cfg(feature = "server")]
mod session_limiter;
#[cfg(feature = "server")]
mod session_observers;
mod time;
pub mod tls;

pub use client_session::{ClientAction, ClientSession};
#[doc(hidden)]
pub use client_trace::connected;
#[doc(hidden)]
pub use error::more_telling;
pub use error::{Error, in_use_pauses};
pub use io::{Endpoint, Io};
#[cfg(feature = "server")]
pub use ipnet::IpNet;
#[cfg(feature = "server")]
pub use login_backoff::LoginBackoff;
#[cfg(feature = "server")]
pub use login_slots::{LoginSlot, LoginSlots};
#[cfg(feature = "native-tls")]
pub use native_tls;
pub use options::{ClientOptions, Security};
#[cfg(feature = "server")]
pub use pop3_maildrop as store;
pub use pop3_proto as proto;
pub use proxy_handshake::{Proxy, ProxyHandshake, ProxyKind};
#[cfg(feature = "server")]
pub use proxy_header::ProxyHeader;
pub use proxy_io::ProxyIo;
#[cfg(feature = "rustls")]
pub use rustls;
#[cfg(feature = "server")]
pub use server_options::{ListenSecurity, ServerOptions};
#[cfg(feature = "server")]
pub use session_limiter::{Seat, SessionLimiter, SessionPermit, log_broken};
#[cfg(feature = "server")]
pub use session_observers::{ObservedSession, SessionObservers};
pub use time::deadline_after;

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
