//! Unique-ids as Dovecot gives them, from the file `dovecot-uidlist` of a Maildir.
//!
//! The first line of the file is `3 V<validity> N<next uid> G<guid>`. Each other line is `<uid> <fields> :<file name>`; a field `P<id>` is the
//! unique-id of a message that came from another server. Uids ascend. Lines may be appended, and those of removed messages stay until Dovecot
//! writes the file anew. Dovecot's default unique-id is the uid and the validity, each as eight hexadecimal digits.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use super::folder::{Folder, is_unwritable};
use super::list::List;
use super::names;

const FILE: &str = "dovecot-uidlist";

/// The file whose existence is Dovecot's lock.
const LOCK: &str = "dovecot-uidlist.lock";

/// The age of a lock whose process has died.
const STALE: Duration = Duration::from_secs(300);

/// How often, and how long in between, a lock is waited for: a process that holds it writes a few lines.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Maximum length of the file in bytes.
const MAX_LENGTH: u64 = 256 << 20;

/// Returns the unique-ids of the messages in a list, in its order; `None` for a message that has the base name of another one. Messages that
/// Dovecot does not know yet get the next uids, which are in the file before they are returned.
///
/// # Errors
/// The file cannot be read or written, or is damaged; [`io::ErrorKind::WouldBlock`] if another process holds its lock.
pub(super) fn unique_ids(root: &Folder, list: &List, now: SystemTime) -> io::Result<Vec<Option<String>>> {
    let mut known = Known::read(root, list)?;
    if known.unknown.is_empty() && known.is_there {
        return Ok(known.ids);
    }
    let written = Lock::acquire(root, now).and_then(|_lock| {
        // Dovecot may have written since.
        known = Known::read(root, list)?;
        known.assign(root, list, now)
    });
    match written {
        // Otherwise nobody could log in to delete mail. New messages have the ids of their names until then.
        Err(error) if is_unwritable(&error) => {
            tracing::warn!(%error, "{FILE} cannot be written, so new messages have other unique-ids for now");
            known.unknown_again();
        }
        written => written?,
    }
    Ok(known.ids)
}

/// What the file says about the messages in a list.
#[derive(Debug)]
struct Known {
    is_there: bool,
    /// The last line has a line end.
    is_whole: bool,
    validity: u32,
    /// The highest uid that was ever given.
    highest: u32,
    ids: Vec<Option<String>>,
    /// The messages without an id, by their places in the list.
    unknown: Vec<usize>,
    /// The messages that have got an id now.
    assigned: Vec<usize>,
}

impl Known {
    fn read(root: &Folder, list: &List) -> io::Result<Self> {
        let text = match root.read(FILE.as_bytes()) {
            Ok(file) if file.limit() > MAX_LENGTH => return Err(damaged("it is too long")),
            Ok(mut file) => {
                let mut text = Vec::new();
                file.read_to_end(&mut text)?;
                Some(text)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Self::parse(text.as_deref(), list)
    }

    fn parse(text: Option<&[u8]>, list: &List) -> io::Result<Self> {
        // The first message of each base name.
        let mut places: HashMap<&[u8], usize> = HashMap::new();
        for (at, place) in list.iter().enumerate() {
            places.entry(place.base()).or_insert(at);
        }
        let mut known = Self {
            is_there: text.is_some(),
            is_whole: text.is_none_or(|text| text.ends_with(b"\n")),
            validity: 0,
            highest: 0,
            ids: vec![None; list.len()],
            unknown: Vec::new(),
            assigned: Vec::new(),
        };
        let mut lines = text.unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
        if text.is_some() {
            (known.validity, known.highest) =
                lines.next().and_then(header).ok_or_else(|| damaged("its first line is not of version 3"))?;
        }
        let (mut taken, mut listed) = (HashSet::new(), HashSet::new());
        let mut before = 0;
        for line in lines {
            // What a crash has cut short was told to nobody.
            let Some(line) = line.strip_suffix(b"\n") else { continue };
            let (uid, own, name) = entry(line).ok_or_else(|| damaged("a line has another form"))?;
            if uid <= before {
                return Err(damaged("its uids do not ascend"));
            }
            before = uid;
            known.highest = known.highest.max(uid);
            let Some(at) = places.get(names::base(name)).copied() else { continue };
            // Of two lines of one message the later one counts, as with Dovecot.
            listed.insert(at);
            let id = own.map_or_else(|| unique_id(uid, known.validity), str::to_owned);
            if taken.insert(id.clone())
                && let Some(place) = known.ids.get_mut(at)
            {
                *place = Some(id);
            }
        }
        known.unknown = places.into_values().filter(|at| !listed.contains(at)).collect();
        // Uids ascend in the order of delivery.
        known.unknown.sort_unstable();
        Ok(known)
    }

    /// Gives the messages without an id the next uids, and writes them into the file.
    fn assign(&mut self, root: &Folder, list: &List, now: SystemTime) -> io::Result<()> {
        let mut lines = Vec::new();
        if !self.is_there {
            let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            self.validity = u32::try_from(seconds).unwrap_or(u32::MAX);
            lines = self.first_line();
        }
        for at in std::mem::take(&mut self.unknown) {
            let (Some(place), Some(id)) = (list.get(at), self.ids.get_mut(at)) else { continue };
            // The format has no place for a name with a line end in it; no program creates such names.
            if place.name.contains(&b'\n') {
                continue;
            }
            self.highest = self.highest.checked_add(1).ok_or_else(|| damaged("it has no uid left"))?;
            write!(lines, "{} :", self.highest)?;
            lines.extend_from_slice(place.name);
            lines.push(b'\n');
            *id = Some(unique_id(self.highest, self.validity));
            self.assigned.push(at);
        }
        if self.is_there && self.is_whole {
            let mut file = root.make(FILE, OFlags::APPEND)?;
            file.write_all(&lines)?;
            return file.sync_data();
        }
        let mut text = Vec::new();
        if self.is_there {
            root.read(FILE.as_bytes())?.read_to_end(&mut text)?;
            text.truncate(text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        }
        text.extend_from_slice(&lines);
        replace(root, &text)
    }

    /// Takes back the ids that were not written.
    fn unknown_again(&mut self) {
        for at in std::mem::take(&mut self.assigned) {
            if let Some(id) = self.ids.get_mut(at) {
                *id = None;
            }
        }
    }

    fn first_line(&self) -> Vec<u8> {
        // A name that no other file has makes a number that no other Maildir has.
        let digest = Sha256::digest(names::unique());
        let guid = digest.iter().take(16).fold(String::new(), |guid, byte| guid + &format!("{byte:02x}"));
        format!("3 V{} N{} G{guid}\n", self.validity, self.highest.saturating_add(1)).into_bytes()
    }
}

/// Replaces the file in one step.
fn replace(root: &Folder, text: &[u8]) -> io::Result<()> {
    let new = format!("{FILE}.{}", names::unique());
    let write = |mut file: File| {
        file.write_all(text)?;
        file.sync_all()
    };
    let written = root.make(&new, OFlags::EXCL).and_then(write).and_then(|()| root.rename(&new, FILE));
    if written.is_err() {
        // The first error counts.
        let _ = root.remove(new.as_bytes());
    }
    written?;
    root.sync()
}

/// Dovecot's lock, which is released when it is dropped.
struct Lock<'f>(&'f Folder);

impl<'f> Lock<'f> {
    /// Waits a moment for a process that holds the lock.
    fn acquire(root: &'f Folder, now: SystemTime) -> io::Result<Self> {
        for _ in 0..TRIES {
            match Self::try_acquire(root, now) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                result => return result,
            }
        }
        Self::try_acquire(root, now)
    }

    fn try_acquire(root: &'f Folder, now: SystemTime) -> io::Result<Self> {
        match root.make(LOCK, OFlags::EXCL) {
            Ok(_) => return Ok(Self(root)),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) => {}
        }
        let seconds = i64::try_from(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()).unwrap_or(i64::MAX);
        let since = root.last_changed(LOCK.as_bytes()).unwrap_or(seconds);
        if seconds.saturating_sub(since) < STALE.as_secs().cast_signed() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        root.remove(LOCK.as_bytes())?;
        root.make(LOCK, OFlags::EXCL).map(|_| Self(root))
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.remove(LOCK.as_bytes()) {
            tracing::warn!(%error, "{LOCK} stays");
        }
    }
}

fn damaged(how: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{FILE} is damaged: {how}"))
}

fn unique_id(uid: u32, validity: u32) -> String {
    format!("{uid:08x}{validity:08x}")
}

/// Returns the validity and the highest uid before the next one.
fn header(line: &[u8]) -> Option<(u32, u32)> {
    let mut words = str::from_utf8(line.strip_suffix(b"\n")?).ok()?.split(' ');
    if words.next()? != "3" {
        return None;
    }
    let (mut validity, mut next) = (None, 1);
    for word in words {
        match word.split_at_checked(1)? {
            ("V", number) => validity = Some(number.parse::<u32>().ok()?),
            ("N", number) => next = number.parse::<u32>().ok()?,
            _ => {}
        }
    }
    Some((validity.filter(|validity| *validity > 0)?, next.saturating_sub(1)))
}

/// Returns the uid of a line, its own unique-id if it has one, and the file name.
fn entry(line: &[u8]) -> Option<(u32, Option<&str>, &[u8])> {
    let at = line.windows(2).position(|pair| pair == b" :")?;
    let (fields, name) = (str::from_utf8(line.get(..at)?).ok()?, line.get(at + 2..)?);
    let mut fields = fields.split(' ');
    let uid = fields.next()?.parse::<u32>().ok().filter(|uid| *uid > 0)?;
    let own =
        fields.find_map(|field| field.strip_prefix('P')).filter(|id| pop3_proto::codec::UniqueId::new(id.as_bytes()).is_ok());
    Some((uid, own, name)).filter(|_| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::list::{MessageLocation, Sub};
    use super::*;
    use std::fs;
    use std::path::Path;

    fn list(names: &[&str]) -> List {
        let mut list = List::default();
        for name in names {
            list.push(MessageLocation { sub: Sub::New, name: name.as_bytes() }).unwrap();
        }
        list
    }

    fn folder() -> (tempfile::TempDir, Folder) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open_beneath(temporary.path(), Path::new("")).unwrap();
        (temporary, folder)
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn ids(ids: &[Option<String>]) -> Vec<&str> {
        ids.iter().map(|id| id.as_deref().unwrap_or("-")).collect()
    }

    const TEXT: &str = "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n\
        25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n\
        25017 W2481 PUID7-1234 G0815 :1276533073.M242911P3632.kurkku:2,F\n";

    #[test]
    fn ids_are_those_of_dovecot_and_new_messages_get_the_next() {
        let (temporary, folder) = folder();
        fs::write(temporary.path().join(FILE), TEXT).unwrap();
        let known = ["1276528487.M364837P9451.kurkku,S=1355,W=1394:2,S", "1276533073.M242911P3632.kurkku"];
        let told = unique_ids(&folder, &list(&known), at(0)).unwrap();
        assert_eq!(ids(&told), ["000061ae4c0907b0", "UID7-1234"]);
        assert_eq!(fs::read_to_string(temporary.path().join(FILE)).unwrap(), TEXT, "nothing is new");
        let with_new = [known[0], known[1], "1276540000.new:2,S", "1276540001.newer"];
        let told = unique_ids(&folder, &list(&with_new), at(0)).unwrap();
        assert_eq!(ids(&told)[2..], ["000061be4c0907b0", "000061bf4c0907b0"]);
        let again = unique_ids(&folder, &list(&with_new), at(0)).unwrap();
        assert_eq!(ids(&again), ids(&told));
        let text = fs::read_to_string(temporary.path().join(FILE)).unwrap();
        assert_eq!(text, format!("{TEXT}25022 :1276540000.new:2,S\n25023 :1276540001.newer\n"));
        assert!(!temporary.path().join(LOCK).exists());
    }

    #[test]
    fn a_file_that_is_missing_is_begun_and_a_uid_is_never_given_twice() {
        let (temporary, folder) = folder();
        let told = unique_ids(&folder, &list(&["1.a", "2.b"]), at(0x6900_0000)).unwrap();
        assert_eq!(ids(&told), ["0000000169000000", "0000000269000000"]);
        // The messages are gone, and another one comes.
        let told = unique_ids(&folder, &list(&["3.c"]), at(0x7000_0000)).unwrap();
        assert_eq!(ids(&told), ["0000000369000000"]);
        let text = fs::read_to_string(temporary.path().join(FILE)).unwrap();
        assert!(text.starts_with("3 V1761607680 N1 G") && text.ends_with("1 :1.a\n2 :2.b\n3 :3.c\n"), "{text}");
    }

    #[test]
    fn a_line_that_a_crash_has_cut_short_is_replaced() {
        let (temporary, folder) = folder();
        for cut in TEXT.find('\n').unwrap() + 1..TEXT.len() {
            fs::write(temporary.path().join(FILE), &TEXT[..cut]).unwrap();
            let told = unique_ids(&folder, &list(&["9.z"]), at(0)).unwrap();
            assert_eq!(ids(&told), ["000061be4c0907b0"], "{}", &TEXT[..cut]);
            assert_eq!(ids(&unique_ids(&folder, &list(&["9.z"]), at(0)).unwrap()), ids(&told));
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_and_stays_as_it_is() {
        let (temporary, folder) = folder();
        for text in [
            "",
            "\n",
            "1 1275660208 2\n",
            "3 N2\n",
            "3 V0 N2\n",
            "3 V7 N2\nx\n",
            "3 V7 N2\n5 :a\n5 :b\n",
            "3 V7 N2\n0 :a\n",
            "3 V7 N2\n5 :\n",
        ] {
            fs::write(temporary.path().join(FILE), text).unwrap();
            let error = unique_ids(&folder, &list(&["1.a"]), at(0)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{text:?}");
            assert_eq!(fs::read_to_string(temporary.path().join(FILE)).unwrap(), text);
        }
    }

    #[test]
    fn the_lock_of_dovecot_is_respected_until_it_is_stale() {
        let (temporary, folder) = folder();
        let now = SystemTime::now();
        fs::write(temporary.path().join(LOCK), "").unwrap();
        let error = unique_ids(&folder, &list(&["1.a"]), now).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert!(temporary.path().join(LOCK).exists() && !temporary.path().join(FILE).exists());
        unique_ids(&folder, &list(&["1.a"]), now + STALE + Duration::from_secs(2)).unwrap();
        assert!(!temporary.path().join(LOCK).exists());
    }

    #[test]
    fn h28_ids_of_other_servers_are_taken_only_if_they_are_valid_and_given_once() {
        let text = b"3 V1 N9\n1 Pa\x07b :1.a\n2 Psame :2.b\n3 Psame :3.c\n4 :4.d\n";
        let known = Known::parse(Some(text), &list(&["1.a", "2.b", "3.c", "4.d", "4.d:2,S"])).unwrap();
        assert_eq!(ids(&known.ids), ["0000000100000001", "same", "-", "0000000400000001", "-"]);
        assert!(known.unknown.is_empty());
    }

    #[test]
    fn of_two_lines_of_one_message_the_later_one_counts() {
        let text = b"3 V1 N9\n1 :1.a\n2 :2.b\n3 :1.a:2,S\n";
        let known = Known::parse(Some(text), &list(&["1.a", "2.b"])).unwrap();
        assert_eq!(ids(&known.ids), ["0000000300000001", "0000000200000001"]);
    }

    #[test]
    fn on_a_full_disk_known_messages_keep_their_ids_and_new_ones_have_none_for_now() {
        use std::os::unix::fs::PermissionsExt;
        let (temporary, folder) = folder();
        fs::write(temporary.path().join(FILE), "3 V1 N2\n1 :1.a\n").unwrap();
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o555)).unwrap();
        let told = unique_ids(&folder, &list(&["1.a", "2.b"]), at(0));
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Root may write nevertheless.
        let expected = if rustix::process::geteuid().is_root() { "0000000200000001" } else { "-" };
        assert_eq!(ids(&told.unwrap()), ["0000000100000001", expected]);
    }
}
