//! A cache of wire sizes, for messages whose names do not tell them.
//!
//! Messages in a Maildir never change, so a size that was counted once is right for ever. The file is lines of
//! `octets base-name`; what cannot be read of it is counted again, and losing it costs time only.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use pop3_proto::codec::WireSize;

const FILE: &str = "pop3-sizes";

pub(super) type Sizes = HashMap<Vec<u8>, u64>;

/// What the cache knows; nothing if it cannot be read.
pub(super) fn load(root: &Path) -> Sizes {
    let Ok(text) = fs::read(root.join(FILE)) else { return Sizes::new() };
    let entry = |line: &[u8]| {
        let blank = line.iter().position(|byte| *byte == b' ')?;
        let octets = str::from_utf8(&line[..blank]).ok()?.parse().ok()?;
        Some((line[blank + 1..].to_vec(), octets))
    };
    text.split(|byte| *byte == b'\n').filter_map(entry).collect()
}

/// Puts a new cache in the place of the old one.
pub(super) fn save(root: &Path, sizes: &[(Vec<u8>, u64)]) -> io::Result<()> {
    let new = root.join(format!("{FILE}.{}", super::names::unique()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let mut writer = BufWriter::new(file);
    let written = sizes
        .iter()
        .filter(|(base, _)| !base.contains(&b'\n'))
        .try_for_each(|(base, octets)| {
            write!(writer, "{octets} ")?;
            writer.write_all(base)?;
            writer.write_all(b"\n")
        })
        .and_then(|()| writer.flush())
        .and_then(|()| fs::rename(&new, root.join(FILE)));
    if written.is_err() {
        fs::remove_file(&new)?;
    }
    written
}

/// Counts a message.
pub(super) fn count(mut message: impl Read) -> io::Result<u64> {
    let mut size = WireSize::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match message.read(&mut buffer) {
            Ok(0) => return Ok(size.octets()),
            Ok(count) => size.add(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
