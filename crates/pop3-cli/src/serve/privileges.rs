//! Gives up the rights of root once the ports are open.

use crate::failure::Failure;

/// Becomes the user `USER` or `USER:GROUP`, for good. It is called before any other thread exists.
///
/// # Errors
/// There is no such user or group, this process may not become it, or root could be had again.
// H59
#[cfg(unix)]
pub fn give_up(name: &str) -> Result<(), Failure> {
    use std::ffi::CString;

    use nix::unistd::{Gid, Group, Uid, User, initgroups, setgid, setuid};

    use crate::failure::Exit;
    use crate::language::Message;

    let failed = |what: String| {
        let told = Message::new("serve-run-as").with("name", name).with("error", what);
        Failure::new(Exit::Usage, told)
    };
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
    #[cfg(unix)]
    return nix::unistd::Uid::effective().is_root();
    #[cfg(not(unix))]
    false
}

#[cfg(not(unix))]
pub fn give_up(name: &str) -> Result<(), Failure> {
    let told = crate::language::Message::new("serve-run-as").with("name", name).with("error", "this system has no users");
    Err(Failure::new(crate::failure::Exit::Usage, told))
}
