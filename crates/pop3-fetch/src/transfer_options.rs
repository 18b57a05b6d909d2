//! Options for the transfer of messages.

use std::time::Duration;

/// The options of a transfer.
#[derive(Clone, Debug)]
pub struct TransferOptions {
    /// Stored messages are deleted on the server, unless one of the next two options keeps them.
    pub delete: bool,
    /// Time for which messages stay on the server after they were stored. Default: none.
    pub delete_after: Duration,
    /// Number of messages that stay on the server: those with the highest numbers, which came last. Default: 0.
    pub keep_newest: usize,
    /// Maximum number of messages in a batch, which is synced to disk together so that few syncs are needed. Default: 256.
    pub messages: usize,
    /// Maximum size of a batch in octets. Default: 32 MiB.
    pub octets: u64,
    /// Maximum time that the first message of a batch waits for the sync. Default: 2 seconds.
    pub time: Duration,
    /// Maximum number of commands that wait for their replies at once, if the server supports pipelining. Default: 256.
    pub window: usize,
    /// Maximum size of a message in octets, as the server announces it. Larger ones stay on the server, and are fetched by a later run without
    /// this limit. Default: no limit.
    pub max_message: Option<u64>,
    /// Maximum number of messages that a session retrieves, the oldest first. Default: no limit.
    pub max_messages: Option<usize>,
    /// Maximum size of all messages that a session retrieves, in octets, as the server announces them; one message is always retrieved.
    /// Default: no limit.
    pub max_octets: Option<u64>,
    /// What happens when the server has given all messages other unique-ids. Default: they are compared.
    pub on_ids_changed: OnIdsChanged,
    /// Time for which a message is set aside after several failed tries. Default: 24 hours.
    pub set_aside: Duration,
}

/// What happens when the server has given all messages other unique-ids, as after a move of the mail to another server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnIdsChanged {
    /// Messages whose sizes are those of stored messages are retrieved and compared; those that are stored already are not stored again.
    #[default]
    Compare,
    /// All messages are fetched as new ones.
    Fetch,
    /// The run ends with [`FetchError::IdsChanged`](crate::FetchError::IdsChanged).
    Stop,
}

impl TransferOptions {
    /// Returns the default options. If `delete` is `true`, stored messages are deleted on the server.
    pub const fn new(delete: bool) -> Self {
        Self {
            delete,
            delete_after: Duration::ZERO,
            keep_newest: 0,
            messages: 256,
            octets: 32 * 1024 * 1024,
            time: Duration::from_secs(2),
            window: 256,
            max_message: None,
            max_messages: None,
            max_octets: None,
            on_ids_changed: OnIdsChanged::Compare,
            set_aside: Duration::from_secs(24 * 3600),
        }
    }

    /// Returns `true` if every message is deleted as soon as it is stored.
    pub const fn deletes_all(&self) -> bool {
        self.delete && self.delete_after.is_zero() && self.keep_newest == 0
    }

    /// Returns `true` if a new message is deleted as soon as it is stored. `stays` means that it is one of the newest.
    pub(crate) const fn deletes_new(&self, stays: bool) -> bool {
        self.delete && self.delete_after.is_zero() && !stays
    }
}
