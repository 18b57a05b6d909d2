//! A cache of wire sizes, for messages whose names do not tell them.
//!
//! Messages in a Maildir never change, so a size that was counted once is right for ever. The file is lines of
//! `octets base-name`; what cannot be read of it is counted again, and losing it costs time only.

use std::collections::HashMap;
use std::io::{self, BufWriter, Read, Write};

use pop3_proto::codec::WireSize;
use rustix::fs::OFlags;

use super::folder::Folder;

/// A cache that is larger than that is not ours.
const LIMIT: u64 = 256 * 1024 * 1024;

const FILE: &str = "pop3-sizes";

pub(super) type Sizes = HashMap<Vec<u8>, u64>;

/// What the cache knows; nothing if it cannot be read.
pub(super) fn load(root: &Folder) -> Sizes {
    let mut text = Vec::new();
    match root.read(FILE.as_bytes()).and_then(|file| file.take(LIMIT).read_to_end(&mut text)) {
        Ok(_) => {}
        Err(_) => return Sizes::new(),
    }
    let entry = |line: &[u8]| {
        let blank = line.iter().position(|byte| *byte == b' ')?;
        let octets = str::from_utf8(&line[..blank]).ok()?.parse().ok()?;
        Some((line[blank + 1..].to_vec(), octets))
    };
    text.split(|byte| *byte == b'\n').filter_map(entry).collect()
}

/// Puts a new cache in the place of the old one.
pub(super) fn save(root: &Folder, sizes: &[(Vec<u8>, u64)]) -> io::Result<()> {
    let new = format!("{FILE}.{}", super::names::unique());
    let mut writer = BufWriter::new(root.make(&new, OFlags::EXCL)?);
    let written = sizes
        .iter()
        .filter(|(base, _)| !base.contains(&b'\n'))
        .try_for_each(|(base, octets)| {
            write!(writer, "{octets} ")?;
            writer.write_all(base)?;
            writer.write_all(b"\n")
        })
        .and_then(|()| writer.flush())
        .and_then(|()| root.rename(&new, FILE));
    if written.is_err() {
        root.remove(new.as_bytes())?;
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
