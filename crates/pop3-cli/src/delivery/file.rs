//! A file for each message: in a folder of `.eml`, or in another Maildir.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use pop3_maildrop::Maildir;

use super::destination::{Destination, Trouble};
use super::spool::{Spooled, sync_folder};

/// A folder that gets a file for each message. The name of the file is that of the message in the spool, so a delivery that is repeated
/// after a crash finds the file, and the message does not come twice.
pub struct Files {
    /// The folder in which a file is written. Readers ignore it.
    hidden: PathBuf,
    visible: PathBuf,
    /// The folder to which a reader may have moved the message.
    read: Option<PathBuf>,
    suffix: &'static str,
    is_crlf: bool,
}

impl Files {
    /// Opens a folder for `.eml`, or creates it. Lines end with CR LF there, as in the mail programs that read it.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn eml(folder: &Path) -> io::Result<Self> {
        let hidden = folder.join(".pop3-tmp");
        fs::create_dir_all(&hidden)?;
        sync_folder(folder)?;
        Ok(Self { hidden, visible: folder.to_owned(), read: None, suffix: ".eml", is_crlf: true })
    }

    /// Opens a Maildir, or creates it.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn maildir(folder: &Path) -> io::Result<Self> {
        let maildir = Maildir::create(folder)?;
        let sub = |name| maildir.path().join(name);
        Ok(Self { hidden: sub("tmp"), visible: sub("new"), read: Some(sub("cur")), suffix: "", is_crlf: false })
    }

    /// Returns `true` if the message was delivered before, and the run ended before it could note that.
    fn has(&self, name: &str) -> io::Result<bool> {
        if self.visible.join(name).try_exists()? {
            return Ok(true);
        }
        let Some(read) = &self.read else { return Ok(false) };
        let flagged = format!("{name}:2,");
        for entry in fs::read_dir(read)? {
            if entry?.file_name().to_string_lossy().starts_with(&flagged) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Destination for Files {
    fn deliver(&mut self, message: &Spooled) -> Result<(), Trouble> {
        let name = format!("{}{}", message.name, self.suffix);
        let (hidden, visible) = (self.hidden.join(&name), self.visible.join(&name));
        if !self.has(&name)? {
            // What a run left that ended here is begun again. A link in its place is not followed.
            match fs::remove_file(&hidden) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&hidden)?;
            let written = write(message, &file, self.is_crlf).and_then(|()| file.sync_all());
            if let Err(error) = written.and_then(|()| fs::rename(&hidden, &visible)) {
                // A file that cannot be removed stays where no reader looks.
                let _ = fs::remove_file(&hidden);
                return Err(error.into());
            }
        }
        Ok(sync_folder(&self.visible)?)
    }
}

fn write(message: &Spooled, file: &File, is_crlf: bool) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(64 * 1024, file);
    let mut source = message.open()?;
    if !is_crlf {
        io::copy(&mut source, &mut writer)?;
        return writer.flush();
    }
    let mut line = Vec::new();
    while source.read_until(b'\n', &mut line)? > 0 {
        match line.strip_suffix(b"\n") {
            Some(text) => writer.write_all(text).and_then(|()| writer.write_all(b"\r\n"))?,
            None => writer.write_all(&line)?,
        }
        line.clear();
    }
    writer.flush()
}
