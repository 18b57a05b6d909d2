//! Fuzzes message bodies.

use bytes::BytesMut;
use pop3_contract::oracle;
use pop3_proto::codec::{DotDecoder, DotEncoder, LineEnding, Unstuffed, WireSize};

use crate::Choices;

/// Checks that any bytes, split anywhere, are unstuffed as by a naive decoder.
pub fn unstuff(data: &[u8]) {
    let mut choices = Choices::new(data);
    let ending = if choices.below(4) == 0 { LineEnding::Lf } else { LineEnding::CrLf };
    let cuts = [choices.below(256), choices.below(256)];
    let wire = choices.rest();
    let pieces = cut(wire, cuts);
    assert_eq!(decode(&pieces, ending), oracle::unstuff(wire, ending), "H16, H18");
}

/// Checks that a message that is stuffed and unstuffed, split anywhere, is the message with CR LF line ends.
pub fn stuff(data: &[u8]) {
    let mut choices = Choices::new(data);
    let cuts = [choices.below(256), choices.below(256)];
    let message = choices.rest();
    let (mut copied, mut sliced, mut size) = (BytesMut::new(), Vec::new(), WireSize::new());
    let (mut one, mut other) = (DotEncoder::new(), DotEncoder::new());
    for piece in cut(message, cuts) {
        one.encode_into(piece, &mut copied);
        other.encode(piece).for_each(|segment| sliced.extend_from_slice(segment));
        size.add(piece);
    }
    copied.extend_from_slice(one.finish());
    sliced.extend_from_slice(other.finish());
    assert_eq!(copied, sliced);
    assert_eq!(copied, oracle::stuff(message), "S05, S06");
    let (arrived, rest) = decode(&cut(&sliced, cuts), LineEnding::CrLf).expect("H17: complete");
    assert!(rest.is_empty(), "H17: nothing is left behind the end");
    assert_eq!(arrived.len() as u64, size.octets(), "S07");
    let (lenient, rest) = oracle::unstuff_lenient(&sliced).expect("H17: complete for a lenient reader, too");
    assert!(rest.is_empty() && lenient == arrived, "H17");
    let without_cr = |text: &[u8]| text.iter().copied().filter(|byte| *byte != b'\r').collect::<Vec<u8>>();
    let (sent, arrived) = (without_cr(message), without_cr(&arrived));
    assert!(arrived == sent || arrived.strip_suffix(b"\n") == Some(&sent), "H52");
}

fn cut(data: &[u8], [first, second]: [usize; 2]) -> [&[u8]; 3] {
    let first = first.min(data.len());
    let second = (first + second).min(data.len());
    [&data[..first], &data[first..second], &data[second..]]
}

/// Returns the message and the bytes after it, or `None` if its end has not arrived.
fn decode(pieces: &[&[u8]], ending: LineEnding) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut decoder = DotDecoder::new(ending);
    let (mut held, mut message, mut ended) = (Vec::new(), Vec::new(), false);
    for piece in pieces {
        held.extend_from_slice(piece);
        let mut done = 0;
        while !ended {
            let (found, consumed) = decoder.decode(&held[done..]);
            done += consumed;
            match found {
                Unstuffed::Chunk(chunk) => message.extend_from_slice(chunk),
                Unstuffed::End => ended = true,
                Unstuffed::NeedInput => {
                    assert!(held.len() - done <= 2, "at most two bytes are held back");
                    break;
                }
            }
        }
        held.drain(..done);
    }
    ended.then_some((message, held))
}
