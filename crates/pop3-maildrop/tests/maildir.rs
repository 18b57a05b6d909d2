//! Maildir as a server and as a fetching client use it.
#![cfg(unix)]

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, symlink};

use pop3_maildrop::{Maildir, Maildrop};
use pop3_proto::codec::{MessageNumber, WireSize};
use proptest::prelude::*;

fn number(n: u32) -> MessageNumber {
    MessageNumber::new(n).unwrap()
}

fn maildir() -> (tempfile::TempDir, Maildir) {
    let folder = tempfile::tempdir().unwrap();
    let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
    (folder, maildir)
}

fn read(maildrop: &mut impl Maildrop, n: u32) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    maildrop.open(number(n), None)?.read_to_end(&mut text)?;
    Ok(text)
}

fn put(maildir: &Maildir, name: &str, text: &str) {
    fs::write(maildir.path().join(name), text).unwrap();
}

#[test]
fn h43_a_delivery_is_invisible_until_it_is_committed() {
    let (_folder, maildir) = maildir();
    let mut delivery = maildir.deliver().unwrap();
    delivery.write(b"Subject: x\r\n").unwrap();
    assert_eq!(fs::read_dir(maildir.path().join("new")).unwrap().count(), 0);
    let temporary = delivery.temporary_path().to_owned();
    assert_eq!(fs::metadata(&temporary).unwrap().permissions().mode() & 0o777, 0o600, "H58");
    assert_eq!(delivery.wire_octets(), 12);
    maildir.sync_tmp().unwrap();
    let prepared = delivery.prepare().unwrap();
    assert_eq!(prepared.octets(), 11);
    assert_eq!(fs::read_dir(maildir.path().join("new")).unwrap().count(), 0);
    let path = prepared.commit().unwrap();
    maildir.sync_new().unwrap();
    assert_eq!(fs::read(path).unwrap(), b"Subject: x\n");
    assert!(!temporary.exists());
    let mut alone = maildir.deliver().unwrap();
    alone.write(b"y").unwrap();
    assert_eq!(fs::read(alone.finish().unwrap()).unwrap(), b"y");
}

#[test]
fn h13_a_delivery_that_is_dropped_leaves_nothing() {
    let (_folder, maildir) = maildir();
    let mut delivery = maildir.deliver().unwrap();
    delivery.write(b"half a mess").unwrap();
    drop(delivery);
    for sub in ["tmp", "new", "cur"] {
        assert_eq!(fs::read_dir(maildir.path().join(sub)).unwrap().count(), 0, "{sub}");
    }
}

#[test]
fn s07_sizes_are_exact_and_cached() {
    let (_folder, maildir) = maildir();
    put(&maildir, "new/1.a.host", "a\nb");
    put(&maildir, "cur/2.b.host:2,S", ".\r\n\n");
    put(&maildir, "new/3.c.host,S=7,W=9", "trusted");
    put(&maildir, "new/4.d.host,S=1,W=3", "a filter has changed it\n");
    for _ in 0..2 {
        let mut maildrop = maildir.lock().unwrap();
        let snapshot = maildrop.snapshot().unwrap();
        let octets: Vec<_> = (1..=4).map(|n| snapshot.octets(number(n)).unwrap()).collect();
        assert_eq!(octets, [6, 5, 9, 25]);
        assert_eq!(snapshot.unique_id(number(2)).unwrap().as_str(), "2.b.host");
    }
    let cache = fs::read_to_string(maildir.path().join("pop3-index")).unwrap();
    let lines: Vec<&str> = cache.lines().collect();
    assert_eq!((lines[0], lines.len()), ("pop3-index 2 4", 6), "{cache}");
    assert!(lines[1].starts_with("6 3 ") && lines[1].ends_with(" new/1.a.host"), "{cache}");
    assert!(lines[4].starts_with("25 24 "), "{cache}");
    // A damaged cache is counted again.
    fs::write(maildir.path().join("pop3-index"), b"x 1.a.host\n\xff\n5").unwrap();
    assert_eq!(maildir.lock().unwrap().snapshot().unwrap().octets(number(1)), Some(6));
}

#[test]
fn messages_are_in_the_order_of_their_delivery() {
    let (_folder, maildir) = maildir();
    for name in ["new/999.z.host", "cur/1000.b.host:2,", "new/1000.a.host", "new/.hidden", "new/no-time"] {
        put(&maildir, name, name);
    }
    let mut maildrop = maildir.lock().unwrap();
    let count = maildrop.snapshot().unwrap().len();
    let texts: Vec<_> = (1..=count).map(|n| String::from_utf8(read(&mut maildrop, n as u32).unwrap()).unwrap()).collect();
    assert_eq!(texts, ["new/no-time", "new/999.z.host", "new/1000.a.host", "cur/1000.b.host:2,"]);
}

#[test]
fn h50_the_snapshot_stands_while_others_move_and_deliver() {
    let (_folder, maildir) = maildir();
    for n in 1..=4 {
        put(&maildir, &format!("new/{n}.x.host"), &format!("message {n}\n"));
    }
    let mut maildrop = maildir.lock().unwrap();
    assert_eq!(maildrop.snapshot().unwrap().len(), 4);
    fs::rename(maildir.path().join("new/2.x.host"), maildir.path().join("cur/2.x.host:2,S")).unwrap();
    fs::rename(maildir.path().join("new/3.x.host"), maildir.path().join("cur/3.x.host:2,RS")).unwrap();
    fs::remove_file(maildir.path().join("new/4.x.host")).unwrap();
    put(&maildir, "new/0.early.host", "new mail\n");
    assert_eq!(read(&mut maildrop, 1).unwrap(), b"message 1\n");
    assert_eq!(read(&mut maildrop, 2).unwrap(), b"message 2\n");
    assert_eq!(read(&mut maildrop, 4).unwrap_err().kind(), io::ErrorKind::NotFound);
    fs::rename(maildir.path().join("cur/3.x.host:2,RS"), maildir.path().join("cur/3.x.host:2,FRS")).unwrap();
    maildrop.remove(&[number(1), number(3), number(4)]).unwrap();
    let left: Vec<_> = ["new", "cur"].iter().flat_map(|sub| fs::read_dir(maildir.path().join(sub)).unwrap()).collect();
    assert_eq!(left.len(), 2, "message 2 and the new one: {left:?}");
}

#[test]
fn s17_two_files_with_one_name_are_two_messages() {
    let (_folder, maildir) = maildir();
    put(&maildir, "new/1.x.host", "one\n");
    put(&maildir, "cur/1.x.host:2,S", "other\n");
    let mut maildrop = maildir.lock().unwrap();
    let snapshot = maildrop.snapshot().unwrap();
    assert_eq!(snapshot.len(), 2);
    assert_ne!(snapshot.unique_id(number(1)), snapshot.unique_id(number(2)));
    assert_eq!(read(&mut maildrop, 1).unwrap(), b"other\n");
    assert_eq!(read(&mut maildrop, 2).unwrap(), b"one\n");
}

#[test]
fn h50_a_message_that_is_gone_never_stands_for_another() {
    let (_folder, maildir) = maildir();
    put(&maildir, "cur/1.x.host:2,S", "one\n");
    put(&maildir, "new/1.x.host", "other\n");
    let mut maildrop = maildir.lock().unwrap();
    assert_eq!(maildrop.snapshot().unwrap().len(), 2);
    fs::remove_file(maildir.path().join("new/1.x.host")).unwrap();
    assert_eq!(read(&mut maildrop, 2).unwrap_err().kind(), io::ErrorKind::NotFound);
    maildrop.remove(&[number(2)]).unwrap();
    assert_eq!(read(&mut maildrop, 1).unwrap(), b"one\n");
}

#[test]
fn h28_three_files_with_one_name_have_three_unique_ids() {
    let (_folder, maildir) = maildir();
    for name in ["cur/6.y.host", "cur/6.y.host:2,S", "cur/6.y.host:2,RS", "new/6.y.host"] {
        put(&maildir, name, name);
    }
    let mut maildrop = maildir.lock().unwrap();
    let snapshot = maildrop.snapshot().unwrap();
    let ids: std::collections::HashSet<_> = (1..=4).map(|n| snapshot.unique_id(number(n)).unwrap().as_str().to_owned()).collect();
    assert_eq!(ids.len(), 4, "{ids:?}");
    // Clients remember them, so they stay what they are.
    assert_eq!(snapshot.unique_id(number(2)).unwrap().as_str(), "6.y.host/1");
}

#[test]
fn h51_folders_that_are_symbolic_links_are_not_followed() {
    let (folder, maildir) = maildir();
    let elsewhere = Maildir::create(folder.path().join("elsewhere")).unwrap();
    put(&elsewhere, "cur/1.x.host", "secret");
    fs::remove_dir(maildir.path().join("cur")).unwrap();
    symlink(elsewhere.path().join("cur"), maildir.path().join("cur")).unwrap();
    assert!(maildir.lock().is_err());
}

#[test]
fn h51_h57_links_on_the_way_to_a_maildir_are_followed_if_the_operator_made_them() {
    let (folder, elsewhere) = maildir();
    put(&elsewhere, "new/1.x.host", "mail");
    let base = folder.path().join("base");
    fs::create_dir_all(base.join("joe")).unwrap();
    // One that leads to another disk, and one in the middle of the path.
    symlink(elsewhere.path(), base.join("ann")).unwrap();
    symlink("../../Maildir", base.join("joe/mail")).unwrap();
    for rest in ["ann", "joe/mail"] {
        assert_eq!(Maildir::beneath(&base, rest).lock().unwrap().snapshot().unwrap().len(), 1, "{rest}");
    }
    symlink("loop", base.join("loop")).unwrap();
    assert!(Maildir::beneath(&base, "loop").lock().is_err());
    let missing = Maildir::beneath(&base, "nobody").lock().unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    fs::write(base.join("file"), "").unwrap();
    assert_eq!(Maildir::beneath(&base, "file").lock().unwrap_err().kind(), io::ErrorKind::NotADirectory);
    // Only root can give a link away, so only root can try this.
    let others = base.join("others");
    symlink(elsewhere.path(), &others).unwrap();
    fs::create_dir(base.join("carl")).unwrap();
    symlink(folder.path(), base.join("carl/home")).unwrap();
    let gave =
        [&others, &base.join("carl/home")].into_iter().all(|link| std::os::unix::fs::lchown(link, Some(12345), None).is_ok());
    for rest in ["others", "carl/home/Maildir"].into_iter().filter(|_| gave) {
        let error = Maildir::beneath(&base, rest).lock().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{rest}");
        assert!(error.to_string().contains("symbolic link of user 12345"), "{error}");
    }
}

#[test]
fn special_files_do_not_block() {
    let (_folder, maildir) = maildir();
    put(&maildir, "new/1.x.host,S=1,W=1", "mail");
    let mut maildrop = maildir.lock().unwrap();
    maildrop.snapshot().unwrap();
    fs::remove_file(maildir.path().join("new/1.x.host,S=1,W=1")).unwrap();
    let pipe = maildir.path().join("new/1.x.host,S=1,W=1");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(read(&mut maildrop, 1).is_err());
    fs::remove_file(maildir.path().join("pop3-index")).unwrap();
    symlink("/dev/zero", maildir.path().join("pop3-index")).unwrap();
    put(&maildir, "new/2.x.host", "counted\n");
    assert_eq!(maildrop.snapshot().unwrap().octets(number(1)), Some(9));
}

#[test]
fn s22_h42_q48_a_second_session_is_told_and_the_lock_dies_with_its_holder() {
    let (_folder, maildir) = maildir();
    let first = maildir.lock().unwrap();
    assert_eq!(maildir.lock().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    drop(first);
    maildir.lock().unwrap();
}

#[test]
fn h51_symbolic_links_are_not_followed() {
    let (folder, maildir) = maildir();
    let secret = folder.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    symlink(&secret, maildir.path().join("new/1.link.host")).unwrap();
    let mut maildrop = maildir.lock().unwrap();
    assert!(maildrop.snapshot().unwrap().is_empty());
    drop(maildrop);
    // One that takes the place of a message after the snapshot.
    put(&maildir, "new/2.x.host", "mail\n");
    let mut maildrop = maildir.lock().unwrap();
    maildrop.snapshot().unwrap();
    fs::remove_file(maildir.path().join("new/2.x.host")).unwrap();
    symlink(&secret, maildir.path().join("new/2.x.host")).unwrap();
    assert!(read(&mut maildrop, 1).is_err());
    drop(maildrop);
    fs::remove_file(maildir.path().join("pop3-lock")).unwrap();
    symlink(&secret, maildir.path().join("pop3-lock")).unwrap();
    assert!(maildir.lock().is_err());
}

#[test]
fn h49_messages_that_cannot_be_removed_are_reported_and_the_others_are_removed() {
    let (_folder, maildir) = maildir();
    for n in 1..=2 {
        put(&maildir, &format!("new/{n}.x.host"), "x");
    }
    let mut maildrop = maildir.lock().unwrap();
    maildrop.snapshot().unwrap();
    // A folder in the place of a message cannot be unlinked, not even by root.
    fs::remove_file(maildir.path().join("new/1.x.host")).unwrap();
    fs::create_dir(maildir.path().join("new/1.x.host")).unwrap();
    let error = maildrop.remove(&[number(1), number(2)]).unwrap_err();
    assert_eq!(error.failed().iter().map(|(number, _)| number.get()).collect::<Vec<_>>(), [1]);
    assert!(!maildir.path().join("new/2.x.host").exists());
}

proptest! {
    #[test]
    fn h52_every_byte_arrives_but_for_line_ends(
        message in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200),
        cut in 0usize..200,
    ) {
        let (_folder, maildir) = maildir();
        let cut = cut.min(message.len());
        let mut delivery = maildir.deliver().unwrap();
        delivery.write(&message[..cut]).unwrap();
        delivery.write(&message[cut..]).unwrap();
        let path = delivery.commit().unwrap();
        let stored = fs::read(&path).unwrap();
        // Each CR LF is an LF; nothing else has changed.
        let mut expected = Vec::new();
        for (i, byte) in message.iter().enumerate() {
            if !(*byte == b'\r' && message.get(i + 1) == Some(&b'\n')) {
                expected.push(*byte);
            }
        }
        prop_assert_eq!(&stored, &expected);
        let mut size = WireSize::new();
        size.add(&stored);
        let mut maildrop = maildir.lock().unwrap();
        prop_assert_eq!(maildrop.snapshot().unwrap().octets(number(1)), Some(size.octets()));
    }
}

#[test]
fn h29_a_name_in_a_journal_leads_nowhere() {
    let (folder, maildir) = maildir();
    fs::write(folder.path().join("x"), "").unwrap();
    put(&maildir, "tmp/1.a", "x\n");
    let outside = folder.path().join("x");
    let absolute = format!("{},S=0", outside.display());
    for name in ["../x", "../tmp/1.a", "/etc/passwd", "", ".1.a", "1.a\0", "../x,S=0", &absolute] {
        assert!(!maildir.complete(name).unwrap_or(true), "{name:?}");
    }
    assert!(outside.exists() && maildir.path().join("tmp/1.a").exists());
    assert!(maildir.complete("1.a").unwrap());
}

#[test]
fn s15_looking_at_a_message_does_not_mark_it() {
    let (_folder, maildir) = maildir();
    put(&maildir, "new/1.a", "one\n");
    put(&maildir, "cur/2.b:2,", "two\n");
    let mut maildrop = maildir.lock().unwrap();
    maildrop.snapshot().unwrap();
    assert_eq!((read(&mut maildrop, 1).unwrap(), read(&mut maildrop, 2).unwrap()), (b"one\n".to_vec(), b"two\n".to_vec()));
    assert!(maildir.path().join("new/1.a").exists() && maildir.path().join("cur/2.b:2,").exists());
}

#[test]
#[cfg(unix)]
fn h58_a_new_maildir_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("above/Maildir");
    Maildir::create(&root).unwrap();
    for made in [folder.path().join("above"), root.clone(), root.join("tmp"), root.join("new"), root.join("cur")] {
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o700, "{}", made.display());
    }
}
