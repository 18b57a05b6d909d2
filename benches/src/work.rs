//! Work whose instructions and allocations are counted, which repeat where time does not. `benches/budget.py` does it.

use std::hint::black_box;

use bytes::BytesMut;
use pop3_proto::client::requests;
use pop3_proto::codec::{
    Command, DotDecoder, DotEncoder, LineEnding, LineEndingPolicy, LineScanner, MessageNumber, Scan, ScanListing,
    UniqueIdListing, Unstuffed,
};

use crate::pair::Pair;
use crate::{COMMAND_COUNT, COMMANDS, message, scan_listing, unique_id_listing};

/// A piece of work.
#[derive(Debug)]
pub struct Work {
    /// What it is.
    pub name: &'static str,
    /// How many of what the name says are done at once.
    pub units: u64,
    /// Makes ready what does it, as often as it is called.
    pub prepare: fn() -> Box<dyn FnMut()>,
}

/// Gives every line of `input` to `take`.
pub fn each_line<'i>(discipline: LineEndingPolicy, mut input: &'i [u8], mut take: impl FnMut(&'i [u8])) {
    let mut scanner = LineScanner::new(discipline, 1024);
    while let (Scan::Line(line), consumed) = scanner.scan(input) {
        take(line);
        input = &input[consumed..];
    }
}

/// Takes the stuffing off input that comes in pieces, as a machine does.
pub fn each_chunk(decoder: &mut DotDecoder, mut input: &[u8], mut take: impl FnMut(&[u8])) {
    loop {
        match decoder.decode(input) {
            (Unstuffed::Chunk(chunk), consumed) => {
                take(chunk);
                input = &input[consumed..];
            }
            (Unstuffed::End | Unstuffed::NeedInput, _) => return,
        }
    }
}

/// A message as it goes over the wire.
pub fn wire(octets: usize) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mut encoder = DotEncoder::new();
    encoder.encode_into(&message(octets, "\r\n"), &mut out);
    out.extend_from_slice(encoder.finish());
    out.to_vec()
}

const ENTRIES: u32 = 10_000;
const OCTETS: usize = 1 << 20;
const CRLF: LineEndingPolicy = LineEndingPolicy::Fixed(LineEnding::CrLf);

/// All of it.
pub const ALL: [Work; 15] = [
    Work { name: "a command", units: COMMAND_COUNT, prepare: || Box::new(|| commands(black_box(COMMANDS))) },
    Work {
        name: "a line of LIST",
        units: ENTRIES as u64,
        prepare: || {
            let list = scan_listing(ENTRIES);
            Box::new(move || each_line(CRLF, black_box(&list), |line| _ = black_box(ScanListing::parse(line))))
        },
    },
    Work {
        name: "a line of UIDL",
        units: ENTRIES as u64,
        prepare: || {
            let uidl = unique_id_listing(ENTRIES);
            Box::new(move || each_line(CRLF, black_box(&uidl), |line| _ = black_box(UniqueIdListing::parse(line))))
        },
    },
    Work { name: "an octet of a body, borrowed", units: OCTETS as u64, prepare: || unstuff(OCTETS, OCTETS) },
    Work { name: "an octet of a body, borrowed, in reads of 1,460", units: OCTETS as u64, prepare: || unstuff(OCTETS, 1460) },
    Work { name: "an octet of a body of 10 MB, in reads of 64 KiB", units: 10_000_000, prepare: || unstuff(10_000_000, 1 << 16) },
    Work {
        name: "an octet of a body of 100 MB, in reads of 64 KiB",
        units: 100_000_000,
        prepare: || unstuff(100_000_000, 1 << 16),
    },
    Work { name: "an octet of a line of 1 KiB, one by one", units: 1 << 10, prepare: || drip(1 << 10) },
    Work { name: "an octet of a line of 1 MiB, one by one", units: 1 << 20, prepare: || drip(1 << 20) },
    Work {
        name: "an octet stuffed, CR LF in the store, as slices",
        units: OCTETS as u64,
        prepare: || {
            let text = message(OCTETS, "\r\n");
            Box::new(move || _ = black_box(DotEncoder::new().encode(black_box(&text)).map(<[u8]>::len).sum::<usize>()))
        },
    },
    Work {
        name: "an octet stuffed, CR LF in the store, into a buffer",
        units: OCTETS as u64,
        prepare: || stuff(message(OCTETS, "\r\n")),
    },
    Work {
        name: "an octet stuffed, LF in the store, into a buffer",
        units: OCTETS as u64,
        prepare: || stuff(message(OCTETS, "\n")),
    },
    Work {
        name: "RETR of 1.6 kB, both machines",
        units: 1,
        prepare: || session(message(1600, "\n"), 1, |pair| _ = pair.retrieve(MessageNumber::FIRST)),
    },
    Work {
        name: "an entry of LIST, both machines",
        units: ENTRIES as u64,
        prepare: || session(Vec::new(), ENTRIES, |pair| _ = pair.run(requests::list())),
    },
    Work {
        name: "an entry of UIDL, both machines",
        units: ENTRIES as u64,
        prepare: || session(Vec::new(), ENTRIES, |pair| _ = pair.run(requests::uidl())),
    },
];

fn commands(input: &[u8]) {
    each_line(LineEndingPolicy::Either, input, |line| _ = black_box(Command::parse(line)));
}

/// A line that grows by one octet at a time.
fn drip(octets: usize) -> Box<dyn FnMut()> {
    let line = vec![b'x'; octets];
    Box::new(move || {
        let mut scanner = LineScanner::new(CRLF, 2 * octets);
        for end in 1..=line.len() {
            _ = black_box(scanner.scan(&line[..end]));
        }
    })
}

fn unstuff(octets: usize, read: usize) -> Box<dyn FnMut()> {
    let wire = wire(octets);
    let mut decoder = DotDecoder::new(LineEnding::CrLf);
    Box::new(move || {
        for read in black_box(&wire).chunks(read) {
            each_chunk(&mut decoder, read, |chunk| _ = black_box(chunk.len()));
        }
    })
}

fn stuff(text: Vec<u8>) -> Box<dyn FnMut()> {
    let mut out = BytesMut::with_capacity(2 * text.len());
    Box::new(move || {
        out.clear();
        DotEncoder::new().encode_into(black_box(&text), &mut out);
        black_box(out.len());
    })
}

/// Inside of one session over a maildrop that holds `message` so many times.
fn session(message: Vec<u8>, messages: u32, mut work: impl FnMut(&mut Pair<'static>) + 'static) -> Box<dyn FnMut()> {
    let mut pair = Pair::new(message.leak(), messages);
    pair.login();
    Box::new(move || work(&mut pair))
}
