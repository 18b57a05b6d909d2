//! The signals that a server obeys.

use std::io;

#[cfg(unix)]
type Signal = tokio::signal::unix::Signal;
/// Other systems have only Ctrl-C.
#[cfg(not(unix))]
type Signal = ();

/// The registered signals.
pub struct Signals {
    hangup: Signal,
    terminate: Signal,
}

impl Signals {
    /// Registers the signals. From then on none of them ends the process by itself.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { hangup: signal(SignalKind::hangup())?, terminate: signal(SignalKind::terminate())? })
        }
        #[cfg(not(unix))]
        Ok(Self { hangup: (), terminate: () })
    }

    /// Calls a function at each SIGHUP, and returns at Ctrl-C or SIGTERM.
    #[cfg_attr(not(unix), allow(unused_mut, unused_variables))]
    pub async fn obey(mut self, at_hangup: impl Fn()) -> io::Result<()> {
        #[cfg(unix)]
        loop {
            tokio::select! {
                signal = tokio::signal::ctrl_c() => return signal,
                _ = self.terminate.recv() => return Ok(()),
                Some(()) = self.hangup.recv() => at_hangup(),
            }
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await
    }
}
