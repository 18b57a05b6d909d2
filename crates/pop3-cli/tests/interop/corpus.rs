//! A thousand messages, the same in every run, with everything that breaks mail software.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

pub const COUNT: usize = 1000;

/// The messages as they lie in a Maildir.
pub fn messages() -> Vec<Vec<u8>> {
    let mut random = Random(1);
    let mut all: Vec<Vec<u8>> = odd_bodies().into_iter().enumerate().map(|(at, body)| with_header(at, &body)).collect();
    all.push(b"X-Corpus: header only\nSubject: no blank line\n".to_vec());
    all.push(b"X-Corpus: folded\n .dot in a folded line\n\t.\n\nbody\n".to_vec());
    all.push([&b"X-Corpus: many headers\n"[..], &b"X-H: vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv\n".repeat(800), b"\nbody\n"].concat());
    all.push(with_header(all.len(), b"lf\ncrlf\r\n.\r\n.\n\r\n\nend\r\n"));
    all.push(String::from_utf8(with_header(all.len(), b"all crlf\n.\n..\nend\n")).unwrap().replace('\n', "\r\n").into_bytes());
    while all.len() < COUNT {
        let octets = match all.len() {
            at if at % 500 == 0 => 5_000_000,
            at if at % 50 == 0 => 100_000,
            _ => 200 + random.below(3000),
        };
        let body = random.lines(octets);
        all.push(with_header(all.len(), &body));
    }
    all
}

fn with_header(at: usize, body: &[u8]) -> Vec<u8> {
    let header = format!(
        "Return-Path: <sender@example.org>\nFrom: Sender <sender@example.org>\nTo: user@example.net\nSubject: message {at}\n\
         Date: Tue, 01 Nov 2022 10:00:00 +0000\nMessage-ID: <{at}@example.org>\n\n"
    );
    [header.as_bytes(), body].concat()
}

fn odd_bodies() -> Vec<Vec<u8>> {
    let mut all_bytes: Vec<u8> = (1..=255).filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    all_bytes.extend_from_slice(b"\nend\n");
    let many_dots: Vec<u8> = (0..20_000).flat_map(|at| [".".repeat(1 + at % 7).into_bytes(), b"\n".to_vec()].concat()).collect();
    vec![
        b".leading dot\n..two\n...three\n. \n.\t\n.x\n".to_vec(),
        b"before\n.\nafter\n.\n.\n\n.\nend\n".to_vec(),
        b"the last line is a dot\n.\n".to_vec(),
        b"the last line is a dot without an end\n.".to_vec(),
        b".\nthe first line is a dot\n".to_vec(),
        b"no final line end".to_vec(),
        b"blank lines at the end\n\n\n\n".to_vec(),
        b"\n\n\nblank lines at the start\n".to_vec(),
        Vec::new(),
        b"From here on\n\nFrom sender@example.org Tue Nov  1 10:00:00 2022\n>From quoted\n".to_vec(),
        b"blanks at the end \ntab\t\n   \n\t\nend\n".to_vec(),
        b"Gr\xf6\xdfe \xfcber alles\n".repeat(10),
        "привет мир 你好 🎉\n".as_bytes().to_vec(),
        b"before\0after\n\0\n\0\0\0.\n.\0\nend\n".to_vec(),
        b"a\rb\r.\rc\n\rstart\nend\rx\n".to_vec(),
        b"+OK not a status\n-ERR not one either\n+OK\n".to_vec(),
        all_bytes,
        many_dots,
        [&b"y".repeat(998)[..], b"\n"].concat().repeat(5),
        [&b"x".repeat(70_000)[..], b"\n.", &b"z".repeat(70_000), b"\ntail\n"].concat(),
        [&b"w".repeat(1_000_000)[..], b"\n"].concat(),
    ]
}

/// A small generator of numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn lines(&mut self, octets: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(octets + 80);
        while text.len() < octets {
            // One line in eight begins with a dot.
            text.push(b". ABCDEFGHIJKLMN"[self.below(16)]);
            let length = 20 + self.below(55);
            text.extend((0..length).map(|_| b"abcdefghijklmnopqrstuvwxyz ./+"[self.below(30)]));
            text.push(b'\n');
        }
        text
    }
}

/// How many messages there are of each hash. Line ends are made equal before: CR LF is LF, and the last line has an end.
pub type Hashes = BTreeMap<String, usize>;

pub fn hashes<'a>(messages: impl IntoIterator<Item = &'a [u8]>) -> Hashes {
    let mut hashes = Hashes::new();
    for message in messages {
        *hashes.entry(hash(message)).or_default() += 1;
    }
    hashes
}

fn hash(message: &[u8]) -> String {
    let mut canonical = Vec::with_capacity(message.len() + 1);
    let mut bytes = message.iter().peekable();
    while let Some(byte) = bytes.next() {
        if !(*byte == b'\r' && bytes.peek() == Some(&&b'\n')) {
            canonical.push(*byte);
        }
    }
    if canonical.last() != Some(&b'\n') {
        canonical.push(b'\n');
    }
    Sha256::digest(&canonical).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The messages in a Maildir, or in a plain folder of files.
pub fn read(folder: &Path) -> Vec<Vec<u8>> {
    let subs = if folder.join("new").is_dir() { vec![folder.join("new"), folder.join("cur")] } else { vec![folder.to_owned()] };
    let files = subs.iter().flat_map(|sub| fs::read_dir(sub).unwrap().map(|entry| entry.unwrap().path()));
    files.filter(|path| path.is_file()).map(|path| fs::read(path).unwrap()).collect()
}

/// Fails with the messages that differ, not with thousands of hashes.
pub fn assert_same(is: &Hashes, should: &Hashes, what: &str) {
    let missing = should.iter().filter(|(hash, count)| is.get(*hash) != Some(count)).count();
    let strange = is.iter().filter(|(hash, count)| should.get(*hash) != Some(count)).count();
    assert!(
        missing == 0 && strange == 0,
        "{what}: {missing} of {} are missing, {strange} are not what they should be",
        should.len()
    );
}
