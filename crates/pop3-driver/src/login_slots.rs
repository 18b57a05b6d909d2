//! A limit on concurrent logins of one user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A limit on the number of logins of one user that are in progress at once. It keeps a maildrop that hangs, for example on a
/// network file system that is unreachable, from blocking all threads.
///
/// ```
/// use pop3_driver::LoginSlots;
/// let slots = LoginSlots::new(1);
/// let slot = slots.try_acquire(b"joe");
/// assert!(slot.is_some() && slots.try_acquire(b"joe").is_none() && slots.try_acquire(b"ann").is_some());
/// drop(slot);
/// assert!(slots.try_acquire(b"joe").is_some());
/// ```
#[derive(Clone, Debug)]
pub struct LoginSlots {
    per_user: usize,
    users: Arc<Mutex<HashMap<Vec<u8>, usize>>>,
}

/// One login in progress, until it is dropped.
#[derive(Debug)]
pub struct LoginSlot {
    user: Vec<u8>,
    users: Arc<Mutex<HashMap<Vec<u8>, usize>>>,
}

impl LoginSlots {
    /// Creates a limit of `per_user` concurrent logins for each user.
    pub fn new(per_user: usize) -> Self {
        Self { per_user, users: Arc::default() }
    }

    /// Begins a login. Returns `None` if too many logins of this user are in progress.
    pub fn try_acquire(&self, user: &[u8]) -> Option<LoginSlot> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let count = users.entry(user.to_vec()).or_default();
        if *count >= self.per_user {
            return None;
        }
        *count += 1;
        Some(LoginSlot { user: user.to_vec(), users: Arc::clone(&self.users) })
    }
}

impl Drop for LoginSlot {
    fn drop(&mut self) {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = users.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                users.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h39_users_that_are_gone_cost_no_memory() {
        let slots = LoginSlots::new(2);
        let held: Vec<_> = (0..100u8).map(|user| slots.try_acquire(&[user]).unwrap()).collect();
        assert!(slots.try_acquire(&[7]).is_some() && held.len() == 100);
        drop(held);
        assert!(slots.users.lock().unwrap().is_empty());
    }
}
