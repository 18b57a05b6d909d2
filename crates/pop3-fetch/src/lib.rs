//! Fetches mail over POP3 into a Maildir without losing a message.
//!
//! New messages are retrieved into a Maildir, synced to disk and recorded in a journal. Only then are they deleted on the server,
//! if [`TransferOptions::delete`] is set. A crash, a broken connection or a full disk at any step loses no message and stores
//! none twice: the next run continues. This holds even if the server reuses unique-ids, ends sessions early, announces wrong
//! sizes or keeps deleted messages.
//!
//! ```no_run
//! use pop3_blocking::{Client, ClientOptions, Security, tls};
//! use pop3_blocking::proto::client::LoginPolicy;
//! use pop3_blocking::proto::sasl::Credentials;
//! use pop3_fetch::{AccountMaildir, Run, TransferOptions};
//! use pop3_maildrop::Maildir;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let maildir = Maildir::create("/home/joe/Maildir")?;
//!     let mut account = AccountMaildir::open(maildir, "joe@pop.example.org")?;
//!     let credentials = Credentials::password("joe", "tanstaaf")?;
//!     let options = ClientOptions::new(Security::Tls(tls::client()?));
//!     let mut connect =
//!         || Client::connect_and_login("pop.example.org", 995, &options, &credentials, &LoginPolicy::default());
//!     let transfer = TransferOptions::new(false);
//!     let mut run = Run::new(&mut account, &transfer, &());
//!     run.fetch_new(&mut connect)?;
//!     let summary = run.into_summary();
//!     println!("{} fetched, {} known already", summary.fetched, summary.known);
//!     for problem in &summary.problems {
//!         eprintln!("{problem}");
//!     }
//!     Ok(())
//! }
//! ```

mod account_maildir;
pub mod entry;
mod error;
mod fingerprint;
mod id_change;
mod journal;
pub mod journal_state;
mod leftovers;
mod listing;
mod plan;
mod preview;
mod progress;
mod run;
mod soundness;
mod summary;
mod transfer;
mod transfer_options;

pub use account_maildir::AccountMaildir;
pub use error::FetchError;
pub use fingerprint::Fingerprint;
pub use preview::{Intention, PreviewedMessage, preview};
pub use progress::Progress;
pub use run::Run;
pub use summary::{Problem, RunSummary, SuspectOutcome};
pub use transfer_options::{OnIdsChanged, TransferOptions};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
