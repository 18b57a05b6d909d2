//! Gives up the rights of root once the ports are open.

use std::ffi::CString;

use nix::unistd::{Gid, Group, Uid, User, initgroups, setgid, setuid};

use crate::failure::{Exit, Failure};
use crate::language::Message;

fn failed(name: &str, what: impl std::fmt::Display) -> Failure {
    let told = Message::new("serve-run-as").with("name", name).with("error", what);
    Failure::new(Exit::Usage, told)
}

/// Returns the user and the group of `USER` or `USER:GROUP`.
///
/// # Errors
/// There is no such user or group, or it is root.
pub fn find(name: &str) -> Result<(User, Gid), Failure> {
    let failed = |what: String| failed(name, what);
    let (user, group) = match name.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (name, None),
    };
    let found = User::from_name(user).map_err(|error| failed(error.to_string()))?;
    let user = found.ok_or_else(|| failed(Message::new("serve-run-as-no-user").to_string()))?;
    let gid = match group {
        Some(group) => {
            let found = Group::from_name(group).map_err(|error| failed(error.to_string()))?;
            found.ok_or_else(|| failed(Message::new("serve-run-as-no-group").to_string()))?.gid
        }
        None => user.gid,
    };
    if user.uid.is_root() {
        return Err(failed(Message::new("serve-run-as-root").to_string()));
    }
    Ok((user, gid))
}

/// Becomes the user `USER` or `USER:GROUP`, for good. It is called before any other thread exists.
///
/// # Errors
/// There is no such user or group, this process may not become it, or root could be had again.
// H59
pub fn give_up(name: &str) -> Result<(), Failure> {
    let failed = |what: String| failed(name, what);
    let (user, gid) = find(name)?;
    if (Uid::effective(), Gid::effective()) == (user.uid, gid) && !Uid::current().is_root() {
        // The server runs as this user already.
        return Ok(());
    }
    let refused = |error: nix::Error| failed(error.to_string()).and(Message::new("serve-run-as-next"));
    let c_name = CString::new(user.name.as_str()).map_err(|error| failed(error.to_string()))?;
    // The groups first: afterwards the right to change them is gone.
    initgroups(&c_name, gid).map_err(refused)?;
    setgid(gid).map_err(refused)?;
    setuid(user.uid).map_err(refused)?;
    if setuid(Uid::from_raw(0)).is_ok() || setgid(Gid::from_raw(0)).is_ok() {
        return Err(failed(Message::new("serve-run-as-kept").to_string()));
    }
    tracing::info!(user = user.name, uid = user.uid.as_raw(), gid = gid.as_raw(), "root was given up");
    Ok(())
}

/// Returns `true` if this process has the rights of root.
pub fn is_root() -> bool {
    Uid::effective().is_root()
}
