//! Access to each Maildir with the rights of its owner.
//!
//! The server stays root, because it cannot know in advance who logs in. A thread that works on a Maildir takes the file-system ids of the owner
//! (`setfsuid`), with which Linux also takes away the rights of root on files. A process for each user would separate them further, and cost a
//! process for each session.

use std::io;

use nix::unistd::{Gid, Uid, User, setfsgid, setfsuid};

/// The system's user that owns a Maildir; never root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    uid: Uid,
    gid: Gid,
}

impl Owner {
    /// Returns the owner of a user's mail: these ids from the file of users, or else the system's user of this name.
    ///
    /// # Errors
    /// There is no such user, or it is root.
    pub fn of(name: &str, ids: Option<(u32, u32)>) -> io::Result<Self> {
        let none = || {
            io::Error::new(io::ErrorKind::NotFound, format!("the system has no user {name:?}, and the file of users has no uid"))
        };
        let (uid, gid) = match ids {
            Some((uid, gid)) => (Uid::from_raw(uid), Gid::from_raw(gid)),
            None => User::from_name(name)?.map(|user| (user.uid, user.gid)).ok_or_else(none)?,
        };
        // An id of 2^32-1 changes nothing.
        if uid.is_root() || uid.as_raw() == u32::MAX || gid.as_raw() == u32::MAX {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("the mail of {name:?} would be accessed with the rights of root"),
            ));
        }
        Ok(Self { uid, gid })
    }

    /// Gives this thread, and the threads that it begins, the owner's rights on files until the result is dropped.
    ///
    /// # Errors
    /// The server is not root.
    pub fn enter(self) -> io::Result<AsOwner> {
        let before = AsOwner { gid: setfsgid(self.gid), uid: setfsuid(self.uid) };
        // These calls report no failure; the second one tells what the first one has done.
        if (setfsgid(self.gid), setfsuid(self.uid)) != (self.gid, self.uid) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "only root can access Maildirs with the rights of their owners",
            ));
        }
        Ok(before)
    }
}

/// The rights of a thread before it took those of an owner. They come back when this is dropped.
#[derive(Debug)]
pub struct AsOwner {
    uid: Uid,
    gid: Gid,
}

impl Drop for AsOwner {
    fn drop(&mut self) {
        setfsuid(self.uid);
        setfsgid(self.gid);
    }
}

/// Gives up the groups of root, which would count beside an owner's.
///
/// # Errors
/// The server is not root.
pub fn give_up_groups() -> io::Result<()> {
    Ok(nix::unistd::setgroups(&[])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h57_root_is_no_owner_of_mail() {
        for ids in [(0, 0), (0, 1000), (u32::MAX, 1000), (1000, u32::MAX)] {
            assert_eq!(Owner::of("joe", Some(ids)).unwrap_err().kind(), io::ErrorKind::PermissionDenied, "{ids:?}");
        }
        assert_eq!(Owner::of("root", None).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(Owner::of("there-is-no-such-user", None).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(Owner::of("joe", Some((1000, 100))).is_ok());
    }
}
