//! What the sessions of a server share: its settings, and the record of what clients did.

use std::collections::HashMap;
use std::fmt;
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pop3_proto::server::ServerConfig;

use crate::fault::{Fault, Kind};
use crate::store::TestStore;
use crate::tls::Certificate;

/// A function that gets the number of the connection and each line of its client.
type Observe = dyn Fn(usize, &str) + Send + Sync;

pub(crate) struct Observer(pub(crate) Box<Observe>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}

/// What the sessions share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) store: Arc<TestStore>,
    pub(crate) certificate: Option<Certificate>,
    /// The main port expects TLS from the first octet.
    pub(crate) implicit_tls: bool,
    pub(crate) capabilities: Option<Vec<String>>,
    pub(crate) observer: Option<Observer>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) record: Mutex<Record>,
    pub(crate) ending: AtomicBool,
}

/// What clients did so far.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) commands: Vec<String>,
    counts: HashMap<String, usize>,
    /// The number of commands, without the responses to challenges.
    total: usize,
    /// The number of connections so far.
    pub(crate) sessions: usize,
    pub(crate) connections: Vec<Arc<TcpStream>>,
    /// The sessions in memory.
    #[cfg(feature = "tokio")]
    pub(crate) tasks: Vec<tokio::task::AbortHandle>,
}

impl Shared {
    pub(crate) fn recorded(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a line of a client. `verb` is empty for the response to a challenge.
    pub(crate) fn record(&self, session: usize, verb: &str, line: String) {
        if let Some(Observer(observer)) = &self.observer {
            observer(session, &line);
        }
        let mut record = self.recorded();
        record.commands.push(line);
        if !verb.is_empty() {
            record.total += 1;
            *record.counts.entry(verb.to_owned()).or_default() += 1;
        }
    }

    /// Returns the fault of the last command with this verb in a session, if it has one.
    pub(crate) fn fault(&self, session: usize, verb: &str) -> Option<&Kind> {
        let record = self.recorded();
        let (count, total) = match verb {
            "" => return None,
            "greeting" => (session, 0),
            verb => (record.counts.get(verb).copied().unwrap_or(0), record.total),
        };
        self.faults.iter().find(|fault| fault.occurs(verb, count, total)).map(|fault| &fault.kind)
    }
}
