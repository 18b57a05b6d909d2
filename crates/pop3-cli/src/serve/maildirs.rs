//! The Maildirs of `pop3 serve`: users from a file, passwords checked on dedicated threads, paths made from user names.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pop3_maildrop::{LockedMaildir, LoginError, Maildrop, NotRemoved, Peer, Store, UniqueIds, Verification, verification};
use pop3_tokio::proto::codec::{MessageNumber, OwnedUsername};
use pop3_tokio::proto::sasl::{PresentedCredentials, ScramHash, ScramKeys};
use pop3_tokio::proto::server::{LoginAttempt, Snapshot};
use pop3_users::{HashPool, Users};

use super::owner::Owner;
use super::template::{Place, Template};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The Maildirs of the users in a file.
pub struct Maildirs {
    users: Arc<Users>,
    /// A thread for checks that take no hash, which do not wait behind those that do.
    quick: HashPool,
    hashing: Arc<HashPool>,
    template: Template,
    /// The age at which messages are removed; `None` keeps all messages.
    expire: Option<Duration>,
    unique_ids: UniqueIds,
    to_trash: bool,
    per_user: bool,
}

/// How the Maildirs are served.
#[derive(Clone, Copy, Debug, Default)]
pub struct MaildirOptions {
    /// The age in days at which messages are removed; `None` keeps all messages.
    pub expire_days: Option<u32>,
    pub unique_ids: UniqueIds,
    /// Deleted messages move to the trash.
    pub to_trash: bool,
    /// Each Maildir is accessed with the rights of its owner.
    pub per_user: bool,
}

impl Maildirs {
    pub fn new(users: Arc<Users>, template: Template, options: MaildirOptions, hashing: HashPool) -> Self {
        let MaildirOptions { expire_days, unique_ids, to_trash, per_user } = options;
        Self {
            users,
            quick: HashPool::of_quick_checks(),
            hashing: Arc::new(hashing),
            template,
            expire: expire_days.map(|days| DAY * days),
            unique_ids,
            to_trash,
            per_user,
        }
    }
}

impl Store for Maildirs {
    type Maildrop = OwnedMaildir;

    fn verify(&self, login: &LoginAttempt, peer: &Peer) -> Verification {
        let PresentedCredentials::Password(password) = &login.credentials else { return Verification::AtLogin };
        let (verifier, pending) = verification();
        let (users, name, password) = (Arc::clone(&self.users), login.name.as_bytes().to_vec(), password.clone());
        let (hashing, address) = (Arc::clone(&self.hashing), peer.address);
        // If a queue is full, the verifier is dropped, and the login is refused temporarily.
        let queued = self.quick.submit(address, move |_| {
            if let Some(outcome) = users.check_quickly(&name, &password) {
                verifier.finish(outcome);
                return;
            }
            let queued = hashing.submit(address, move |memory| {
                if !verifier.is_abandoned() {
                    verifier.finish(users.check(&name, &password, memory));
                }
            });
            warn_if_full(queued);
        });
        warn_if_full(queued);
        Verification::Pending(pending)
    }

    fn scram_keys(&self, hash: ScramHash, name: &OwnedUsername) -> io::Result<Option<ScramKeys>> {
        self.users.scram_keys(hash, name.as_bytes()).map_err(io::Error::other)
    }

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<OwnedMaildir, LoginError> {
        // `verify` has checked the password by now, or the mechanism has verified the client with the stored keys.
        let PresentedCredentials::Verified = login.credentials else { return Err(LoginError::Credentials) };
        let owner = self.users.normalized(login.name.as_bytes());
        let home = if self.template.needs_home() { self.users.home(&owner)? } else { None };
        // The file contains only safe names, but the name becomes a part of a path, so it is checked again (H57).
        let place = str::from_utf8(&owner).ok().and_then(|name| self.template.place(name, home.as_deref()));
        let place = place.ok_or_else(|| {
            LoginError::Io(io::Error::new(
                ErrorKind::NotFound,
                "the user has no domain or no home, which the path of --mail contains",
            ))
        })?;
        let account = match self.per_user {
            true => Some(Owner::of(&String::from_utf8_lossy(&owner), self.users.ids(&owner)?)?),
            false => None,
        };
        let _as_owner = account.map(Owner::enter).transpose()?;
        let maildrop = match place.maildir().with_unique_ids(self.unique_ids).lock() {
            Err(error) if error.kind() == ErrorKind::NotFound && is_not_there_yet(&place) => {
                tracing::info!(maildir = %place.path().display(), "the Maildir does not exist yet, so there are no messages");
                None
            }
            maildrop => Some(maildrop?),
        };
        let maildrop = maildrop.map(|maildrop| match self.expire {
            Some(age) => maildrop.expiring(age),
            None => maildrop,
        });
        let maildrop = maildrop.map(|maildrop| if self.to_trash { maildrop.moving_deleted_to_trash() } else { maildrop });
        Ok(OwnedMaildir { maildrop, owner, account })
    }
}

fn warn_if_full(queued: bool) {
    if !queued {
        tracing::warn!("login refused temporarily: the queue of password checks is full");
    }
}

/// Returns `true` if nothing was delivered to a user yet: the trusted folder exists, and the Maildir does not. A folder for all users that is
/// missing or empty may be a disk that is not mounted, so the mail on it must not seem to be gone.
fn is_not_there_yet(place: &Place) -> bool {
    let is_missing = |path: &Path| path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    let is_used = fs::read_dir(&place.base).is_ok_and(|mut entries| place.is_home || entries.next().is_some());
    is_used && is_missing(&place.path())
}

/// A locked Maildir, and the normalized name of its owner.
pub struct OwnedMaildir {
    /// `None` if the Maildir does not exist yet.
    maildrop: Option<LockedMaildir>,
    owner: Vec<u8>,
    /// With whose rights the Maildir is accessed; `None` with those of the server.
    account: Option<Owner>,
}

impl OwnedMaildir {
    /// Does something with the Maildir, if it exists, with the rights of its owner.
    fn with<T>(&mut self, act: impl FnOnce(&mut LockedMaildir) -> T) -> io::Result<Option<T>> {
        let _as_owner = self.account.map(Owner::enter).transpose()?;
        Ok(self.maildrop.as_mut().map(act))
    }
}

impl Drop for OwnedMaildir {
    fn drop(&mut self) {
        // Sizes that were found wrong are written into the Maildir now.
        let entered = self.account.map(Owner::enter).transpose();
        if let Err(error) = &entered {
            tracing::error!(%error, "the Maildir is closed without its owner's rights");
        }
        drop(self.maildrop.take());
    }
}

impl Maildrop for OwnedMaildir {
    fn owner(&self) -> Option<&[u8]> {
        Some(&self.owner)
    }

    fn snapshot(&mut self) -> io::Result<Snapshot> {
        self.with(Maildrop::snapshot)?.unwrap_or_else(|| Ok(Snapshot::default()))
    }

    fn open(&mut self, number: MessageNumber, top: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        self.with(|maildrop| maildrop.open(number, top))?.ok_or(ErrorKind::NotFound)?
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        match self.with(|maildrop| maildrop.remove(marked)) {
            Ok(removed) => removed.unwrap_or(Ok(())),
            Err(error) => NotRemoved::check(marked.iter().map(|number| (*number, io::Error::from(error.kind()))).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Instant;

    use pop3_maildrop::{Maildir, Pending};
    use pop3_tokio::proto::Secret;
    use pop3_tokio::proto::codec::Username;
    use pop3_users::UsersOptions;

    /// Returns a store, and its folder with the mail of `joe`, whose password is `right`.
    fn maildirs(expire_days: Option<u32>, hashing: HashPool, stored: &str) -> (tempfile::TempDir, Maildirs) {
        let folder = tempfile::tempdir().unwrap();
        let (users, mail) = (folder.path().join("users"), folder.path().join("%u"));
        fs::write(&users, format!("joe:{stored}\nann:{{PLAIN}}x\n")).unwrap();
        Maildir::create(folder.path().join("joe")).unwrap();
        let template = Template::new(mail.to_str().unwrap()).unwrap();
        let options = UsersOptions { remember: Duration::from_secs(600), ..UsersOptions::default() };
        let users = Users::load(&users, options).unwrap();
        (folder, Maildirs::new(Arc::new(users), template, MaildirOptions { expire_days, ..MaildirOptions::default() }, hashing))
    }

    fn login_of(name: &str, credentials: PresentedCredentials) -> LoginAttempt {
        LoginAttempt { name: Username::new(name).unwrap().into(), credentials }
    }

    fn login(credentials: PresentedCredentials) -> LoginAttempt {
        login_of("joe", credentials)
    }

    fn check(maildirs: &Maildirs, last: u8, password: &str) -> Pending {
        let credentials = PresentedCredentials::Password(Secret::from(password));
        match maildirs.verify(&login(credentials), &Peer::new(source(last), true)) {
            Verification::Pending(pending) => pending,
            Verification::AtLogin => panic!("a password is checked in the queue"),
        }
    }

    fn source(last: u8) -> Option<std::net::IpAddr> {
        Some([192, 0, 2, last].into())
    }

    fn deadline() -> Option<Instant> {
        Some(Instant::now() + Duration::from_secs(20))
    }

    #[test]
    fn s42_messages_expire_after_the_days_given_with_expire() {
        let age = |days| {
            let (_folder, maildirs) = maildirs(days, HashPool::per_processor(), "{PLAIN}right");
            let mut opened = maildirs.login(&login(PresentedCredentials::Verified), &Peer::default()).unwrap();
            opened.maildrop.take().unwrap().expires_after()
        };
        assert_eq!(age(None), None);
        assert_eq!(age(Some(30)), Some(Duration::from_secs(30 * 24 * 3600)));
    }

    /// Makes the only thread of the pool of hashes wait until the result is dropped.
    fn stand_still(maildirs: &Maildirs) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel::<()>();
        assert!(maildirs.hashing.submit(source(1), move |_| assert!(released.recv().is_err())));
        release
    }

    /// Waits until the checks of a source are in the queue of hashes.
    fn wait_until_queued(maildirs: &Maildirs, last: u8) {
        let (done, is_done) = mpsc::channel();
        assert!(maildirs.quick.submit(source(last), move |_| done.send(()).unwrap()));
        is_done.recv().unwrap();
    }

    #[test]
    fn h39_a_password_check_does_not_wait_for_those_of_another_source() {
        let (_folder, maildirs) = maildirs(None, HashPool::with_threads(1), &pop3_users::hash(b"right").unwrap());
        let all_is_queued = stand_still(&maildirs);
        let first = check(&maildirs, 1, "right");
        wait_until_queued(&maildirs, 1);
        let _neighbour_is_done = stand_still(&maildirs);
        let neighbour = check(&maildirs, 2, "right");
        wait_until_queued(&maildirs, 2);
        drop(all_is_queued);
        first.wait(deadline()).unwrap();
        neighbour.wait(deadline()).expect("the other source's second check runs later");
    }

    #[test]
    fn a_login_that_was_verified_a_short_time_ago_does_not_wait_for_hashes() {
        let stored = pop3_users::hash(b"right").unwrap();
        let (_folder, maildirs) = maildirs(None, HashPool::with_threads(1), &stored);
        check(&maildirs, 1, "right").wait(deadline()).unwrap();
        let standing = stand_still(&maildirs);
        check(&maildirs, 1, "right").wait(deadline()).unwrap();
        let wrong = check(&maildirs, 1, "wrong");
        drop(standing);
        assert!(matches!(wrong.wait(deadline()), Err(LoginError::Credentials)));
    }

    #[test]
    fn a_maildir_that_does_not_exist_yet_is_empty_and_a_missing_folder_of_maildirs_is_a_fault() {
        let (folder, maildirs) = maildirs(None, HashPool::with_threads(1), "{PLAIN}right");
        let open = |maildirs: &Maildirs| maildirs.login(&login_of("ann", PresentedCredentials::Verified), &Peer::default());
        let mut empty = open(&maildirs).unwrap();
        assert_eq!(empty.snapshot().unwrap().len(), 0);
        assert!(empty.open(MessageNumber::new(1).unwrap(), None).is_err());
        // What is damaged is no empty Maildir.
        fs::create_dir(folder.path().join("ann")).unwrap();
        assert!(matches!(open(&maildirs), Err(LoginError::Io(_))));
        fs::remove_dir(folder.path().join("ann")).unwrap();
        std::os::unix::fs::symlink("/nowhere", folder.path().join("ann")).unwrap();
        assert!(matches!(open(&maildirs), Err(LoginError::Io(_))));
        let users = folder.path().join("users");
        let at = |mail: &str| {
            let template = Template::new(folder.path().join(mail).to_str().unwrap()).unwrap();
            let users = Users::load(&users, UsersOptions::default()).unwrap();
            Maildirs::new(Arc::new(users), template, MaildirOptions::default(), HashPool::with_threads(1))
        };
        assert!(matches!(open(&at("no-folder/%u")), Err(LoginError::Io(_))));
        fs::create_dir(folder.path().join("not-mounted")).unwrap();
        assert!(matches!(open(&at("not-mounted/%u")), Err(LoginError::Io(_))));
        fs::create_dir(folder.path().join("not-mounted/joe")).unwrap();
        assert!(open(&at("not-mounted/%u")).is_ok());
    }
}
