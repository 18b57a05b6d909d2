//! The folder for deleted messages, `.Trash` in the manner of Maildir++, where IMAP servers show it.

use std::io;

use super::folder::Folder;

const NAME: &str = ".Trash";

/// The folder `cur` in the trash of a Maildir.
#[derive(Debug)]
pub(super) struct Trash(Folder);

impl Trash {
    /// Opens the trash, and creates what is missing of it.
    pub(super) fn open(root: &Folder) -> io::Result<Self> {
        let trash = root.sub_made(NAME)?;
        for sub in ["tmp", "new"] {
            trash.sub_made(sub)?;
        }
        Ok(Self(trash.sub_made("cur")?))
    }

    /// Moves a message here. It keeps its name, so that its flags stay; a message that is here already is not replaced.
    pub(super) fn take(&self, from: &Folder, name: &[u8]) -> io::Result<()> {
        from.move_to(name, &self.0)
    }

    /// Makes moved messages survive a power cut here, before their old names are gone for good.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;

    use pop3_proto::codec::MessageNumber;

    use crate::{Maildir, Maildrop};

    fn number(number: u32) -> MessageNumber {
        MessageNumber::new(number).unwrap()
    }

    #[test]
    fn deleted_messages_move_to_the_trash_and_replace_nothing_there() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        let path = |name: &str| maildir.path().join(name);
        for (name, text) in [("new/1.a", "one"), ("cur/2.b:2,S", "two"), ("new/3.c", "three"), ("new/4.d", "four")] {
            fs::write(path(name), text).unwrap();
        }
        let mut drop = maildir.lock().unwrap().moving_deleted_to_trash();
        assert_eq!(drop.snapshot().unwrap().len(), 4);
        drop.remove(&[]).unwrap();
        assert!(!path(".Trash").exists(), "nothing was deleted");
        drop.remove(&[number(1), number(2)]).unwrap();
        assert!(!path("new/1.a").exists() && !path("cur/2.b:2,S").exists());
        assert_eq!(fs::read(path(".Trash/cur/1.a")).unwrap(), b"one");
        assert_eq!(fs::read(path(".Trash/cur/2.b:2,S")).unwrap(), b"two");
        assert!(path(".Trash/new").is_dir() && path(".Trash/tmp").is_dir());
        // Another message has the name.
        fs::write(path(".Trash/cur/3.c"), "other").unwrap();
        // A process that died has moved half of this one.
        fs::hard_link(path("new/4.d"), path(".Trash/cur/4.d")).unwrap();
        let failed = drop.remove(&[number(3), number(4)]).unwrap_err();
        assert_eq!(failed.failed().iter().map(|(number, _)| number.get()).collect::<Vec<_>>(), [3]);
        assert_eq!(
            (fs::read(path("new/3.c")).unwrap(), fs::read(path(".Trash/cur/3.c")).unwrap()),
            (b"three".into(), b"other".into())
        );
        assert!(!path("new/4.d").exists());
    }

    #[test]
    fn h51_without_a_trash_the_messages_stay_and_the_client_learns_it() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        fs::write(maildir.path().join("new/1.a"), "one").unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, maildir.path().join(".Trash")).unwrap();
        let mut drop = maildir.lock().unwrap().moving_deleted_to_trash();
        assert_eq!(drop.snapshot().unwrap().len(), 1);
        let failed = drop.remove(&[number(1)]).unwrap_err();
        assert_ne!(failed.failed()[0].1.kind(), ErrorKind::NotFound);
        assert!(maildir.path().join("new/1.a").exists() && fs::read_dir(&elsewhere).unwrap().next().is_none());
    }
}
