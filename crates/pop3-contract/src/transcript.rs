//! Reads transcripts, and splits bytes in every way.

use std::fs;
use std::path::Path;

/// One line of a transcript.
#[derive(Debug)]
pub struct Line {
    /// The kind of line: `C` is sent by the client, `S` by the server; `=` is an expected event.
    pub who: char,
    /// The bytes that are sent.
    pub bytes: Vec<u8>,
    /// The line's text in the file, without the mark at its beginning.
    pub text: String,
}

/// A dialogue of a client and a server.
#[derive(Debug)]
pub struct Transcript {
    /// The file's name without its extension.
    pub name: String,
    /// The set-up that the first line asks for: `# set-up: one; two`.
    pub set_up: Vec<String>,
    /// The lines that are sent, and the expected events.
    pub lines: Vec<Line>,
}

/// Loads all transcripts of a folder.
///
/// # Panics
/// Panics if the folder contains no transcript, or if one cannot be read.
pub fn load(folder: &str) -> Vec<Transcript> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no transcripts in {}", folder.display());
    files.iter().map(|file| parse(file)).collect()
}

fn parse(file: &Path) -> Transcript {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let (who, rest) = line.split_at(1);
        let text = rest.get(2..).unwrap_or_default();
        let mut bytes = if who == "=" { Vec::new() } else { unescape(text) };
        match &rest[..1] {
            _ if who == "=" => {}
            ":" => bytes.extend_from_slice(b"\r\n"),
            "\\" => {}
            _ => panic!("{}: {line:?} begins with no mark that is known", file.display()),
        }
        let text = if who == "=" { rest.trim().to_owned() } else { text.to_owned() };
        Line { who: who.chars().next().unwrap(), bytes, text }
    });
    Transcript {
        name: file.file_stem().unwrap().to_string_lossy().into_owned(),
        set_up: match text.strip_prefix("# set-up: ").and_then(|rest| rest.lines().next()) {
            Some(words) => words.split("; ").map(str::to_owned).collect(),
            None => Vec::new(),
        },
        lines: lines.collect(),
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let escape = rest.chars().next().expect("something behind a backslash");
                rest = &rest[1..];
                match escape {
                    'r' => bytes.push(b'\r'),
                    'n' => bytes.push(b'\n'),
                    '0' => bytes.push(0),
                    '\\' => bytes.push(b'\\'),
                    'x' => {
                        bytes.push(u8::from_str_radix(&rest[..2], 16).unwrap());
                        rest = &rest[2..];
                    }
                    other => panic!("unknown escape {other:?}"),
                }
            }
            '{' if rest.find('*').is_some_and(|star| rest[..star].parse::<usize>().is_ok()) => {
                let (count, behind) = rest.split_once('*').unwrap();
                let (repeated, behind) = behind.split_once('}').expect("a closing brace");
                bytes.extend_from_slice(repeated.repeat(count.parse().unwrap()).as_bytes());
                rest = behind;
            }
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// The way in which a test splits its input.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// One piece with the complete input.
    Whole,
    /// Single bytes.
    EveryByte,
    /// Two pieces, of which the first has this many bytes.
    At(usize),
    /// Random pieces, determined by this seed.
    Random(u64),
}

impl Cut {
    /// Splits `bytes` into pieces.
    pub fn pieces(self, bytes: &[u8]) -> Vec<&[u8]> {
        match self {
            Self::Whole => vec![bytes],
            Self::EveryByte => bytes.chunks(1).collect(),
            Self::At(at) => {
                let (one, other) = bytes.split_at(at.min(bytes.len()));
                vec![one, other]
            }
            Self::Random(mut seed) => {
                let (mut pieces, mut rest) = (Vec::new(), bytes);
                while !rest.is_empty() {
                    // Xorshift gives short and long pieces, which depend only on the seed and not on the machine.
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    let longest = [1, 3, 20, 1000][(seed >> 32) as usize % 4];
                    let (piece, behind) = rest.split_at((1 + seed as usize % longest).min(rest.len()));
                    pieces.push(piece);
                    rest = behind;
                }
                pieces
            }
        }
    }

    /// Returns all ways to split inputs of at most `longest` bytes; for long inputs only a sample of the places.
    pub fn all(longest: usize) -> impl Iterator<Item = Self> {
        let step = (longest / 300).max(1);
        let two = (1..longest).step_by(step).map(Self::At);
        [Self::Whole, Self::EveryByte].into_iter().chain(two).chain((1..=20).map(Self::Random))
    }
}
