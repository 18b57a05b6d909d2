//! The Maildirs of `pop3 serve`: users from a file, passwords checked on dedicated threads, paths made from user names.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pop3_maildrop::{LockedMaildir, LoginError, Maildir, Maildrop, NotRemoved, Peer, Store, Verification, verification};
use pop3_tokio::proto::codec::MessageNumber;
use pop3_tokio::proto::sasl::PresentedCredentials;
use pop3_tokio::proto::server::{LoginAttempt, Snapshot};
use pop3_users::{HashPool, Users, is_safe_name};

use crate::arguments::Serve;
use crate::failure::{Exit, Failure};
use crate::language::Message;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The Maildirs of the users in a file.
pub struct Maildirs {
    users: Arc<Users>,
    hashing: HashPool,
    template: Template,
    /// The age at which messages are removed; `None` keeps all messages.
    expire: Option<Duration>,
}

impl Maildirs {
    pub fn new(arguments: &Serve, users: Users, template: Template, hashing: HashPool) -> Self {
        Self { users: Arc::new(users), hashing, template, expire: arguments.expire.map(|days| DAY * days) }
    }
}

impl Store for Maildirs {
    type Maildrop = OwnedMaildir;

    fn verify(&self, login: &LoginAttempt, peer: &Peer) -> Verification {
        let PresentedCredentials::Password(password) = &login.credentials else { return Verification::AtLogin };
        let (verifier, pending) = verification();
        let (users, name, password) = (Arc::clone(&self.users), login.name.as_bytes().to_vec(), password.clone());
        // If the queue is full, the verifier is dropped, and the login is refused temporarily.
        let queued = self.hashing.submit(peer.address, move |memory| {
            if !verifier.is_abandoned() {
                verifier.finish(users.check(&name, &password, memory));
            }
        });
        if !queued {
            tracing::warn!("login refused temporarily: the queue of password checks is full");
        }
        Verification::Pending(pending)
    }

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<OwnedMaildir, LoginError> {
        // `verify` has checked the password by now, and the server offers only mechanisms that send the password.
        let PresentedCredentials::Verified = login.credentials else { return Err(LoginError::Credentials) };
        let owner = self.users.normalized(login.name.as_bytes());
        // The file contains only safe names, but the name becomes a part of a path, so it is checked again (H57).
        let name = str::from_utf8(&owner).ok().filter(|name| is_safe_name(name)).ok_or(LoginError::Credentials)?;
        let maildrop = self.template.maildir(name).lock()?;
        let maildrop = match self.expire {
            Some(age) => maildrop.expiring(age),
            None => maildrop,
        };
        Ok(OwnedMaildir { maildrop, owner })
    }
}

/// A locked Maildir, and the normalized name of its owner.
pub struct OwnedMaildir {
    maildrop: LockedMaildir,
    owner: Vec<u8>,
}

impl Maildrop for OwnedMaildir {
    fn owner(&self) -> Option<&[u8]> {
        Some(&self.owner)
    }

    fn snapshot(&mut self) -> io::Result<Snapshot> {
        self.maildrop.snapshot()
    }

    fn open(&mut self, number: MessageNumber, top: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        self.maildrop.open(number, top)
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        self.maildrop.remove(marked)
    }
}

/// A path with `%u` in place of the user's name.
pub struct Template {
    /// The folders before the first `%u`, which belong to the operator.
    base: PathBuf,
    /// The rest of the path, with `%u` in it.
    rest: String,
}

impl Template {
    /// Splits a path. Fails if all users would share the path because it contains no `%u`, if it contains another `%`, or if it
    /// begins with a `~` that no shell has expanded.
    pub fn new(path: &str) -> Result<Self, Failure> {
        let odd = path.match_indices('%').any(|(at, _)| !path[at..].starts_with("%u"));
        if odd || !path.contains("%u") || path.starts_with('~') {
            let found = Message::new("serve-mail").with("path", format_args!("{path:?}"));
            return Err(Failure::new(Exit::Usage, found).and(Message::new("serve-mail-next")));
        }
        let at = path.find("%u").unwrap_or(0);
        let (base, rest) = match path[..at].rfind('/') {
            Some(slash) => (if slash == 0 { "/" } else { &path[..slash] }, &path[slash + 1..]),
            None => (".", path),
        };
        Ok(Self { base: base.into(), rest: rest.to_owned() })
    }

    fn maildir(&self, name: &str) -> Maildir {
        Maildir::beneath(&self.base, self.rest.replace("%u", name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Instant;

    use clap::Parser;
    use pop3_tokio::proto::Secret;
    use pop3_tokio::proto::codec::Username;

    use crate::arguments::{Arguments, Command};

    /// Returns the store of `pop3 serve` with these options, and its folder with the mail of `joe`, whose password is `right`.
    fn maildirs(options: &[&str], hashing: HashPool) -> (tempfile::TempDir, Maildirs) {
        let folder = tempfile::tempdir().unwrap();
        let (users, mail) = (folder.path().join("users"), folder.path().join("%u"));
        std::fs::write(&users, "joe:{PLAIN}right\n").unwrap();
        let required = ["pop3", "serve", "--users", users.to_str().unwrap(), "--mail", mail.to_str().unwrap()];
        let arguments = Arguments::parse_from(required.iter().chain(options));
        let Some(Command::Serve(arguments)) = arguments.command else { unreachable!("serve was given") };
        Maildir::create(folder.path().join("joe")).unwrap();
        let template = Template::new(&arguments.mail).unwrap();
        let users = Users::load(&users, false).unwrap();
        (folder, Maildirs::new(&arguments, users, template, hashing))
    }

    fn login(credentials: PresentedCredentials) -> LoginAttempt {
        LoginAttempt { name: Username::new("joe").unwrap().into(), credentials }
    }

    #[test]
    fn s42_messages_expire_after_the_days_given_with_expire() {
        let age = |options: &[&str]| {
            let (_folder, maildirs) = maildirs(options, HashPool::per_processor());
            maildirs.login(&login(PresentedCredentials::Verified), &Peer::default()).unwrap().maildrop.expires_after()
        };
        assert_eq!(age(&[]), None);
        assert_eq!(age(&["--expire", "30"]), Some(Duration::from_secs(30 * 24 * 3600)));
    }

    #[test]
    fn h39_a_password_check_does_not_wait_for_those_of_another_source() {
        let source = |last: u8| Some([192, 0, 2, last].into());
        let (_folder, maildirs) = maildirs(&[], HashPool::with_threads(1));
        // The pool's only thread waits until it is released.
        let stand_still = || {
            let (release, released) = mpsc::channel::<()>();
            assert!(maildirs.hashing.submit(source(1), move |_| assert!(released.recv().is_err())));
            release
        };
        let check = |last: u8| {
            let credentials = PresentedCredentials::Password(Secret::from("right"));
            match maildirs.verify(&login(credentials), &Peer::new(source(last), true)) {
                Verification::Pending(pending) => pending,
                Verification::AtLogin => panic!("a password is checked in the queue"),
            }
        };
        let all_is_queued = stand_still();
        let first = check(1);
        let _neighbour_is_done = stand_still();
        let neighbour = check(2);
        drop(all_is_queued);
        let deadline = || Some(Instant::now() + Duration::from_secs(20));
        first.wait(deadline()).unwrap();
        neighbour.wait(deadline()).expect("the other source's second check runs later");
    }

    #[test]
    fn h57_the_operators_folders_end_before_the_name() {
        let split = |path: &str| Template::new(path).map(|template| (template.base, template.rest)).ok();
        let expected = |base: &str, rest: &str| Some((PathBuf::from(base), rest.to_owned()));
        assert_eq!(split("/home/%u/Maildir"), expected("/home", "%u/Maildir"));
        assert_eq!(split("/srv/mail/u-%u"), expected("/srv/mail", "u-%u"));
        assert_eq!(split("/%u"), expected("/", "%u"));
        assert_eq!(split("mail/%u"), expected("mail", "%u"));
        assert_eq!(split("%u"), expected(".", "%u"));
        for bad in ["/home/joe", "~/%u", "/home/%n/%u", "", "100%"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
