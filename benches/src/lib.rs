//! What the benches share: the same input for everybody.

pub mod pair;
pub mod work;

/// A command of each kind, as clients send them.
pub const COMMANDS: &[u8] = b"CAPA\r\nSTLS\r\nUSER joe@example.org\r\nPASS correct horse battery staple\r\n\
    APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\nSTAT\r\nLIST\r\nLIST 1234\r\nUIDL\r\nUIDL 99\r\nRETR 12345\r\nTOP 17 20\r\nDELE 12345\r\n\
    NOOP\r\nRSET\r\nQUIT\r\n";

/// How many they are.
pub const COMMAND_COUNT: u64 = 16;

/// The lines of a `LIST` of so many messages, without the dot.
pub fn scan_listing(entries: u32) -> Vec<u8> {
    (1..=entries).flat_map(|n| format!("{n} {}\r\n", 800 + (u64::from(n) * 7919) % 60_000).into_bytes()).collect()
}

/// The lines of a `UIDL` of so many messages, without the dot.
pub fn unique_id_listing(entries: u32) -> Vec<u8> {
    (1..=entries).flat_map(|n| format!("{n} 16680{n:05}.M{n:06}P1.mail\r\n").into_bytes()).collect()
}

/// A message of about so many octets, lines ended by `end`, one line in fifty beginning with a dot.
pub fn message(octets: usize, end: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(octets + 80);
    let mut line = 0;
    while text.len() < octets {
        if line % 50 == 7 {
            text.push(b'.');
        }
        text.extend_from_slice(
            &b"Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt"[..60 + line % 19],
        );
        text.extend_from_slice(end.as_bytes());
        line += 1;
    }
    text
}

/// The root README's examples, compiled by the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
