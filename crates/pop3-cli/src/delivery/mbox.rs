//! Files in the format mboxrd: each message begins with a line `From `, and such lines in messages are quoted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{FlockOperation, OFlags, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::destination::{Destination, Trouble};
use super::envelope::Envelope;
use super::spool::{Spool, Spooled, sync_folder};
use crate::date;
use crate::language::Message;

/// The time for which a lock of another program is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The age of a lock file after which its owner is taken for dead.
const STALE: Duration = Duration::from_secs(300);

/// A file of messages.
pub struct Mbox {
    path: PathBuf,
    /// The note about the message that is being appended: its name, and the length that the file had before.
    note: PathBuf,
}

impl Mbox {
    pub fn new(path: &Path, spool: &Spool) -> Self {
        Self { path: path.to_owned(), note: spool.path().join("pop3-appending") }
    }

    /// Returns the length of the file before an interrupted delivery of this message to this file.
    fn interrupted(&self, message: &Spooled) -> io::Result<Option<u64>> {
        let text = match fs::read_to_string(&self.note) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let mut fields = text.splitn(3, ' ');
        let (length, name, path) = (fields.next(), fields.next(), fields.next());
        let is_this = name == Some(&message.name) && path.is_some_and(|path| path.strip_suffix('\n') == self.path.to_str());
        Ok(length.filter(|_| is_this).and_then(|length| length.parse().ok()))
    }

    fn write_note(&self, message: &Spooled, length: u64) -> io::Result<()> {
        let mut file = File::create(&self.note)?;
        file.write_all(format!("{length} {} {}\n", message.name, self.path.display()).as_bytes())?;
        file.sync_all()?;
        sync_folder(self.note.parent().unwrap_or(Path::new(".")))
    }
}

impl Destination for Mbox {
    fn deliver(&mut self, message: &Spooled) -> Result<(), Trouble> {
        // The lock of a file belongs to the process, so it keeps no other thread away.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = patiently(|| Locked::take(&self.path))?;
        let file = &locked.file;
        let length = file.metadata()?.len();
        let begin = match self.interrupted(message)? {
            None => length,
            Some(begin) => match appended(file, begin, length, &rendered(message, file, begin)?)? {
                Appended::All => return Ok(file.sync_all()?),
                Appended::Part => {
                    file.set_len(begin)?;
                    begin
                }
                // Another program has changed the file since. What it has now stays.
                Appended::Other => length,
            },
        };
        let rendered = rendered(message, file, begin)?;
        self.write_note(message, begin)?;
        let mut end = file;
        end.seek(SeekFrom::Start(begin))?;
        if let Err(error) = end.write_all(&rendered).and_then(|()| file.sync_all()) {
            // Half a message would be taken for the end of the one before.
            let _ = file.set_len(begin);
            return Err(error.into());
        }
        if begin == 0 {
            sync_folder(folder_of(&self.path))?;
        }
        Ok(())
    }
}

/// Renders a message for the end of a file of this length: behind an empty line, so that it is none of the message before.
fn rendered(message: &Spooled, file: &File, length: u64) -> io::Result<Vec<u8>> {
    let mut last = [b'\n'; 2];
    let count = length.min(2) as usize;
    // A file that is shorter by now is another one.
    if file.metadata()?.len() >= length {
        file.read_exact_at(&mut last[2 - count..], length - count as u64)?;
    }
    let missing: &[u8] = match last {
        [b'\n', b'\n'] => b"",
        [_, b'\n'] => b"\n",
        _ => b"\n\n",
    };
    let mut rendered = missing.to_vec();
    render(message, &mut rendered)?;
    Ok(rendered)
}

/// Tries for some seconds: a mail program holds a lock for a moment only.
fn patiently<T>(mut take: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        match take() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                thread::sleep(Duration::from_millis(100));
            }
            result => return result,
        }
    }
}

/// A file of messages that no other program changes.
struct Locked {
    file: File,
    _dot_lock: DotLock,
}

impl Locked {
    fn take(path: &Path) -> io::Result<Self> {
        let other = |text: Message| io::Error::other(text.with("file", path.display()).to_string());
        if let Ok(metadata) = fs::symlink_metadata(path)
            && metadata.is_symlink()
            && metadata.uid() != rustix::process::geteuid().as_raw()
        {
            // In a folder that is shared, it may lead to a file of somebody's choice.
            return Err(other(Message::new("mbox-link")));
        }
        let dot_lock = DotLock::take(path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(other(Message::new("mbox-no-file")));
        }
        let locked = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive);
        locked.map_err(|_| is_locked(path))?;
        let mut begin = [0; 5];
        let count = file.read_at(&mut begin, 0)?;
        match count == 0 || begin == *b"From " {
            true => Ok(Self { file, _dot_lock: dot_lock }),
            false => Err(other(Message::new("mbox-no-messages"))),
        }
    }
}

/// Returns the folder of a file.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What an interrupted delivery has left at the end of a file.
#[derive(Debug, PartialEq, Eq)]
enum Appended {
    All,
    Part,
    Other,
}

/// Compares what is behind `begin` with the message.
fn appended(file: &File, begin: u64, length: u64, rendered: &[u8]) -> io::Result<Appended> {
    let Some(count) = length.checked_sub(begin) else { return Ok(Appended::Other) };
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(rendered.len());
    let mut there = vec![0; count];
    file.read_exact_at(&mut there, begin)?;
    // A file system may have made room before it wrote: then zeros stand for what is missing.
    let same = there.iter().zip(rendered).take_while(|(there, wanted)| there == wanted).count();
    let is_ours = there[same..].iter().all(|byte| *byte == 0) && length - begin <= rendered.len() as u64;
    Ok(match (same == rendered.len(), is_ours) {
        (true, _) => Appended::All,
        (false, true) => Appended::Part,
        (false, false) => Appended::Other,
    })
}

/// Standard output.
pub struct Output;

impl Destination for Output {
    fn deliver(&mut self, message: &Spooled) -> Result<(), Trouble> {
        let mut output = BufWriter::new(io::stdout().lock());
        render(message, &mut output)?;
        Ok(output.flush()?)
    }
}

/// Writes a message in the format mboxrd.
fn render(message: &Spooled, to: &mut impl Write) -> io::Result<()> {
    let sender = Envelope::of(message)?.sender;
    let sender = if sender.is_empty() { "MAILER-DAEMON" } else { &sender };
    let arrived = fs::metadata(&message.path)?.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    writeln!(to, "From {sender} {}", date::in_mbox(arrived))?;
    quote(message.open()?, to)
}

/// Writes lines, with one more `>` before each that begins with `From ` behind any number of them, and a line end and an empty line at the end.
fn quote(mut from: impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        let unquoted = line.iter().position(|byte| *byte != b'>').map_or(&[][..], |at| &line[at..]);
        if unquoted.starts_with(b"From ") {
            to.write_all(b">")?;
        }
        to.write_all(&line)?;
        if !line.ends_with(b"\n") {
            to.write_all(b"\n")?;
        }
        line.clear();
    }
    to.write_all(b"\n")
}

/// Returns the error of a file that another program has locked.
fn is_locked(file: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::WouldBlock, Message::new("mbox-locked").with("file", file.display()).to_string())
}

/// The lock that programs agree on that read and write such files: a file beside it.
struct DotLock {
    path: Option<PathBuf>,
}

impl DotLock {
    fn take(mbox: &Path) -> io::Result<Self> {
        let mut name = mbox.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        if is_stale(&path) {
            remove_stale(&path)?;
        }
        match Self::create(&path) {
            Ok(()) => Ok(Self { path: Some(path) }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(is_locked(&path)),
            // In a folder such as /var/mail nobody may create one, and the lock of the file itself is the one that counts.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Self { path: None }),
            Err(error) => Err(error),
        }
    }

    /// Creates the file with its owner in it, which tells later whether the owner is alive.
    fn create(path: &Path) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
        write!(file, "{}", owner())?;
        file.persist_noclobber(path)?;
        Ok(())
    }
}

impl Drop for DotLock {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // A lock that stays is stale after some minutes.
            let _ = fs::remove_file(path);
        }
    }
}

/// Returns this process as it stands in a lock: a number alone means another process on another machine that shares the folder.
fn owner() -> String {
    format!("{}@{}", std::process::id(), rustix::system::uname().nodename().to_string_lossy())
}

/// Returns `true` if the owner of a lock is a process of this machine that has ended, or if the lock is old.
fn is_stale(lock: &Path) -> bool {
    let Ok(metadata) = fs::symlink_metadata(lock) else { return false };
    if metadata.modified().is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > STALE)) {
        return true;
    }
    if !metadata.is_file() {
        return false;
    }
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed());
    let mut text = String::new();
    if options.open(lock).and_then(|file| file.take(300).read_to_string(&mut text)).is_err() {
        return false;
    }
    let here = owner();
    let (_, host) = here.split_once('@').unwrap_or_default();
    let id = text.split_once('@').filter(|(_, other)| *other == host).and_then(|(id, _)| id.parse().ok()).and_then(Pid::from_raw);
    id.is_some_and(|id| test_kill_process(id) == Err(Errno::SRCH))
}

/// Removes a stale lock, and no newer one that another program has put in its place meanwhile.
fn remove_stale(lock: &Path) -> io::Result<()> {
    let aside = tempfile::Builder::new().prefix(".pop3-stale-").tempdir_in(folder_of(lock));
    let aside = match aside {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        aside => aside?,
    };
    let moved = aside.path().join("lock");
    match fs::rename(lock, &moved) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        renamed => renamed?,
    }
    if !is_stale(&moved) {
        // If a third program has a lock by now, two hold it; the lock of the file itself still keeps them apart.
        let _ = fs::hard_link(&moved, lock);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        let mut to = Vec::new();
        quote(text.as_bytes(), &mut to).unwrap();
        String::from_utf8(to).unwrap()
    }

    #[test]
    fn lines_that_look_like_the_beginning_of_a_message_are_quoted() {
        assert_eq!(quoted("a\nFrom b\n>From c\nFromage\n> From d\n"), "a\n>From b\n>>From c\nFromage\n> From d\n\n");
        assert_eq!(quoted("no end"), "no end\n\n");
        assert_eq!(quoted(">>>"), ">>>\n\n");
    }

    #[test]
    fn what_an_interrupted_delivery_has_left_is_told_from_what_others_wrote() {
        let text = b"From a\nhello\n\n";
        let of = |behind: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(b"before").unwrap();
            file.write_all(behind).unwrap();
            appended(&file, 6, 6 + behind.len() as u64, text).unwrap()
        };
        assert_eq!(of(text), Appended::All);
        assert_eq!(of(b"From a\nhello\n\nFrom another"), Appended::All);
        for length in 0..text.len() {
            assert_eq!(of(&text[..length]), Appended::Part);
            let mut zeros = text[..length].to_vec();
            zeros.resize(text.len(), 0);
            assert_eq!(of(&zeros), Appended::Part);
        }
        assert_eq!(of(b"From another"), Appended::Other);
        assert_eq!(of(b"From a\nhello\n\0and much more that is of another program"), Appended::Other);
        let file = tempfile::tempfile().unwrap();
        assert_eq!(appended(&file, 6, 0, text).unwrap(), Appended::Other);
    }
}
