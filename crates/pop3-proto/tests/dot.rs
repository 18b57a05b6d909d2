//! The dot codec against a naive oracle, cut everywhere.

use bytes::BytesMut;
use pop3_contract::oracle;
use pop3_proto::codec::{DotDecoder, DotEncoder, LineEnding, Unstuffed, WireSize};
use proptest::prelude::*;

/// Feeds the pieces as a caller would: what was not consumed comes again with the next piece behind it.
fn unstuff(pieces: &[&[u8]], ending: LineEnding) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut decoder = DotDecoder::new(ending);
    let mut held: Vec<u8> = Vec::new();
    let mut message = Vec::new();
    let mut ended = false;
    for piece in pieces {
        held.extend_from_slice(piece);
        while !ended {
            let (found, consumed) = decoder.decode(&held);
            match found {
                Unstuffed::NeedInput => {
                    assert!(held.len() - consumed <= 2, "at most two bytes are held back");
                    break;
                }
                Unstuffed::Chunk(chunk) => {
                    assert!(!chunk.is_empty());
                    assert_eq!(&held[consumed - chunk.len()..consumed], chunk, "a chunk ends where the consumed bytes end");
                    message.extend_from_slice(chunk);
                }
                Unstuffed::End => ended = true,
            }
            held.drain(..consumed);
        }
    }
    ended.then_some((message, held))
}

fn stuff(pieces: &[&[u8]]) -> Vec<u8> {
    let (mut copied, mut sliced) = (BytesMut::new(), Vec::new());
    let (mut one, mut other) = (DotEncoder::new(), DotEncoder::new());
    for piece in pieces {
        one.encode_into(piece, &mut copied);
        for segment in other.encode(piece) {
            sliced.extend_from_slice(segment);
        }
    }
    copied.extend_from_slice(one.finish());
    sliced.extend_from_slice(other.finish());
    assert_eq!(&copied[..], sliced);
    sliced
}

/// Every string of up to `length` symbols.
fn strings(symbols: &[u8], length: u32) -> impl Iterator<Item = Vec<u8>> + '_ {
    let base = symbols.len();
    (0..=length).flat_map(move |n| {
        (0..base.pow(n)).map(move |mut code| {
            (0..n)
                .map(|_| {
                    let symbol = symbols[code % base];
                    code /= base;
                    symbol
                })
                .collect()
        })
    })
}

#[test]
fn h18_s05_every_short_input_in_every_two_cuts() {
    for wire in strings(b".\r\na", 6) {
        for ending in [LineEnding::CrLf, LineEnding::Lf] {
            let expected = oracle::unstuff(&wire, ending);
            for first in 0..=wire.len() {
                for second in first..=wire.len() {
                    let pieces = [&wire[..first], &wire[first..second], &wire[second..]];
                    assert_eq!(unstuff(&pieces, ending), expected, "{wire:?} {ending:?} cut at {first} and {second}");
                }
            }
        }
    }
}

#[test]
fn s05_s06_s08_every_short_message_stuffed_in_every_two_cuts() {
    for message in strings(b".\r\na", 6) {
        let expected = oracle::stuff(&message);
        for first in 0..=message.len() {
            for second in first..=message.len() {
                let pieces = [&message[..first], &message[first..second], &message[second..]];
                assert_eq!(stuff(&pieces), expected, "{message:?} cut at {first} and {second}");
            }
        }
    }
}

#[test]
fn s05_s08_odd_line_ends_are_found_anywhere_in_a_large_message() {
    let clean = [b"x".repeat(62).as_slice(), b"\r\n"].concat().repeat(32);
    for at in (0..70).chain(500..530).chain(1010..1040).chain(2030..2048) {
        for odd in ["\n", "\n.", "\r\n.", ".", "\r", "\n\n", "\r\r\n", "\r\n.\r\n"] {
            let message = [&clean[..at], odd.as_bytes(), &clean[at..]].concat();
            let expected = oracle::stuff(&message);
            assert_eq!(stuff(&[&message]), expected, "{odd:?} at {at}");
            assert_eq!(stuff(&[&message[..at], &message[at..]]), expected, "{odd:?} at {at}, cut there");
            assert_eq!(stuff(&[&message[..at + 1], &message[at + 1..]]), expected, "{odd:?} at {at}, cut behind its first octet");
        }
    }
}

#[test]
fn s05_s08_h52_a_large_message_of_nothing_but_odd_things_is_stuffed() {
    // What repeats fills whole blocks with the same few pairs of octets.
    for unit in strings(b".\r\na", 4).filter(|unit| !unit.is_empty()) {
        for before in ["", "a", "\r"] {
            let message = [before.as_bytes(), &unit.repeat(1300 / unit.len())].concat();
            let expected = oracle::stuff(&message);
            for cut in 0..=2 {
                assert_eq!(stuff(&[&message[..cut], &message[cut..]]), expected, "{before:?} and {unit:?}, cut at {cut}");
            }
        }
    }
}

#[test]
fn s05_s08_the_start_of_a_large_piece_depends_on_the_piece_before() {
    let plain = "b".repeat(1300);
    for before in ["", "a", "\r", "a\r", "\r\n", "\n", "."] {
        for first in ["\n", ".", "\r", "\r\n", "\n.", "\r\n.", "..", ""] {
            let rest = format!("{first}{plain}");
            let expected = oracle::stuff(format!("{before}{rest}").as_bytes());
            assert_eq!(stuff(&[before.as_bytes(), rest.as_bytes()]), expected, "{before:?} before {first:?}");
        }
    }
}

#[test]
fn s07_the_wire_size_is_what_is_sent_without_the_stuffing() {
    for message in strings(b".\r\na", 6) {
        let (received, _) = oracle::unstuff(&oracle::stuff(&message), LineEnding::CrLf).expect("complete");
        for cut in 0..=message.len() {
            let mut size = WireSize::new();
            size.add(&message[..cut]);
            size.add(&message[cut..]);
            assert_eq!(size.octets(), received.len() as u64, "{message:?} cut at {cut}");
        }
    }
}

#[test]
fn h17_strict_and_lenient_readers_see_the_same_message() {
    for message in strings(b".\r\na", 6) {
        let wire = stuff(&[&message]);
        let (strict, rest) = oracle::unstuff(&wire, LineEnding::CrLf).expect("complete");
        assert!(rest.is_empty());
        let (lenient, rest) = oracle::unstuff_lenient(&wire).expect("complete");
        assert!(rest.is_empty(), "{message:?} ends early for a reader that takes LF");
        assert_eq!(strict, lenient);
    }
}

#[test]
fn h16_only_the_line_ending_of_the_connection_ends_a_body() {
    for smuggled in ["a\n.\nb", "a\n.\r\nb", "a\r\n.\nb", "a\r.\rb", "a\r\n.\rb", "a\n.\r.\nb"] {
        let wire = format!("{smuggled}\r\n.\r\n");
        let (message, rest) = unstuff(&[wire.as_bytes()], LineEnding::CrLf).expect("complete");
        assert!(rest.is_empty(), "{smuggled:?}");
        assert!(message.ends_with(b"b\r\n"), "{smuggled:?}");
    }
}

fn mail() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b".".to_vec()),
        Just(b"\r\n.".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn unstuffing_agrees_with_the_oracle(wire in mail(), cuts in proptest::collection::vec(0usize..400, 0..6), lf: bool) {
        let ending = if lf { LineEnding::Lf } else { LineEnding::CrLf };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(wire.len())).chain([0, wire.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &wire[w[0]..w[1]]).collect();
        prop_assert_eq!(unstuff(&pieces, ending), oracle::unstuff(&wire, ending));
    }

    #[test]
    fn stuffing_agrees_with_the_oracle_and_reads_back(message in mail(), cut in 0usize..400) {
        let cut = cut.min(message.len());
        let wire = stuff(&[&message[..cut], &message[cut..]]);
        prop_assert_eq!(&wire, &oracle::stuff(&message));
        let (received, rest) = unstuff(&[&wire], LineEnding::CrLf).expect("complete");
        prop_assert!(rest.is_empty());
        let canonical = received.strip_suffix(b"\r\n").unwrap_or(&received);
        prop_assert_eq!(received.len() as u64, { let mut size = WireSize::new(); size.add(&message); size.octets() });
        prop_assert!(canonical.len() <= received.len());
    }
}
