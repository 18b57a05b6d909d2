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
mod gate;
mod handshake;
mod login_slots;
mod options;
mod patience;
pub mod tls;

pub use error::Error;
pub use gate::{Gate, Place, Seat};
pub use handshake::{Handshake, Proxy, ProxyHeader, ProxyKind};
pub use ipnet::IpNet;
pub use login_slots::{LoginSlot, LoginSlots};
pub use options::{ClientOptions, Listen, Security, ServerOptions};
pub use patience::Patience;
pub use pop3_proto as proto;
pub use rustls;
