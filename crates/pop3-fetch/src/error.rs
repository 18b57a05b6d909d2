//! The failures that end a run.

use std::io;
use std::path::{Path, PathBuf};

use pop3_blocking::Error;

/// A failure that ends a run. Messages stored by then stay stored and recorded, and only stored messages were deleted on the
/// server, so the next run continues.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A session could not be opened, or it broke.
    #[error(transparent)]
    Session(#[from] Error),
    /// The server does not support `UIDL`. Without deletion, each run would fetch all messages again.
    #[error("the server does not support UIDL, so fetched messages cannot be distinguished from new ones")]
    NoUniqueIds,
    /// The server has unique-ids, but does not list them now; another run may succeed.
    #[error("the server does not list its unique-ids now")]
    UniqueIdsUnavailable,
    /// A listing names a message twice.
    #[error("the server's listing names a message twice, so it cannot be trusted")]
    ListedTwice,
    /// A listing names far more messages than `STAT` counts, and has not ended.
    #[error("the server's listing names far more messages than the server counts, so it cannot be trusted")]
    EndlessListing,
    /// The server has given all messages other unique-ids, and the options end the run then.
    #[error("the server has given all messages other unique-ids")]
    IdsChanged,
    /// Another run is fetching the same account into this Maildir.
    #[error("another run is fetching {account} into this Maildir")]
    Locked {
        /// The account.
        account: String,
    },
    /// A file or folder cannot be read or written.
    #[error("{}: {error}", path.display())]
    Disk {
        /// The Maildir, or the file of the journal.
        path: PathBuf,
        /// The failure.
        error: io::Error,
    },
}

impl FetchError {
    pub(crate) fn disk(path: &Path, error: io::Error) -> Self {
        Self::Disk { path: path.to_owned(), error }
    }
}
