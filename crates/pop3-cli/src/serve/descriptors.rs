//! Limits the number of sessions by the number of file descriptors.

/// File descriptors of one session: its connection, the Maildir, `new` and `cur`, the lock, and a message.
#[cfg(unix)]
const PER_SESSION: u64 = 6;

/// File descriptors for all other purposes.
#[cfg(unix)]
const SPARE: u64 = 64;

/// Raises the limit on open files as far as needed and allowed. Returns the number of sessions that the limit suffices for: at
/// least 1, at most `wanted`.
pub fn sessions_within_limit(wanted: usize) -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let needed = PER_SESSION.saturating_mul(wanted as u64).saturating_add(SPARE);
        let mut limit = getrlimit(Resource::Nofile);
        if limit.current.is_some_and(|current| current < needed) {
            let mut raised = limit;
            raised.current = Some(limit.maximum.map_or(needed, |maximum| maximum.min(needed)));
            match setrlimit(Resource::Nofile, raised) {
                Ok(()) => limit = raised,
                Err(error) => tracing::warn!(%error, "the limit on open files cannot be raised"),
            }
        }
        let sessions = sessions_for(limit.current, wanted);
        if sessions < wanted {
            tracing::warn!(
                sessions,
                wanted,
                "the limit on open files allows fewer sessions; raise the hard limit (ulimit -Hn, LimitNOFILE=)"
            );
        }
        sessions
    }
    #[cfg(not(unix))]
    wanted
}

#[cfg(unix)]
fn sessions_for(descriptors: Option<u64>, wanted: usize) -> usize {
    let Some(descriptors) = descriptors else { return wanted };
    let sessions = descriptors.saturating_sub(SPARE) / PER_SESSION;
    wanted.min(usize::try_from(sessions).unwrap_or(usize::MAX)).max(1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn h39_no_more_sessions_than_there_are_descriptors_for() {
        assert_eq!(sessions_for(None, 1000), 1000);
        assert_eq!(sessions_for(Some(8192), 1000), 1000);
        assert_eq!(sessions_for(Some(1024), 1000), 160);
        assert_eq!(sessions_for(Some(10), 1000), 1, "at least one session is allowed");
    }
}
