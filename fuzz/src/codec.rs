//! Fuzzes the parsing of lines, and the parsing of encoded values.

use bytes::BytesMut;
use pop3_proto::codec::{
    ApopDigest, Capabilities, Capability, Command, DropListing, Escaped, Expire, Greeting, LineEndingPolicy, LineScanner,
    MessageNumber, Password, Reply, ReplyText, Scan, ScanListing, Status, UniqueId, UniqueIdListing, Username, Word, Words,
    encode_status_line,
};

use crate::Choices;

/// Checks that each command that can be parsed is encoded as one line, which is parsed as the same command.
pub fn command(line: &[u8]) {
    let Ok(command) = Command::parse(line) else { return };
    let mut out = BytesMut::new();
    command.encode(&mut out);
    let encoded = out.strip_suffix(b"\r\n").expect("a line end");
    assert!(!encoded.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "H15");
    assert_eq!(Command::parse(encoded), Ok(command));
    let keyword = line.trim_ascii_start().split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty());
    assert_eq!(keyword.map(<[u8]>::to_ascii_uppercase), Some(command.verb().as_str().as_bytes().to_vec()), "S02");
    assert!(!command.to_string().chars().any(char::is_control), "H25");
}

/// Checks the parsing of the first line of a reply, and of greetings.
pub fn reply(line: &[u8]) {
    let is = |token: &[u8]| line.strip_prefix(token).is_some_and(|rest| matches!(rest, [] | [b' ' | b'\t', ..]));
    match Reply::parse(line) {
        Ok(reply) => {
            assert!(if reply.status == Status::Ok { is(b"+OK") } else { is(b"-ERR") }, "H22");
            if let Some(code) = reply.code {
                assert!(code.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~')), "H15");
            }
            assert!(!reply.display_text().to_string().chars().any(char::is_control), "H25");
        }
        Err(_) => assert!(!is(b"+OK") && !is(b"-ERR"), "H22"),
    }
    if let Ok(Greeting { timestamp: Some(stamp), .. }) = Greeting::parse(line) {
        let inner = stamp.strip_prefix(b"<").and_then(|stamp| stamp.strip_suffix(b">")).expect("H27: angle brackets");
        assert!(inner.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>')), "H27");
        assert_eq!(inner.iter().filter(|byte| **byte == b'@').count(), 1, "H27");
    }
    assert!(!Escaped(line).to_string().chars().any(char::is_control), "H25");
}

/// Checks the parsing of listings: lines of two words or two numbers must agree with a naive parser.
pub fn listing(line: &[u8]) {
    let drop_listing = DropListing::parse(line);
    let scan_listing = ScanListing::parse(line);
    let unique_id_listing = UniqueIdListing::parse(line);
    let Ok(text) = str::from_utf8(line) else { return };
    let Some((first, second)) = text.split_once(' ') else { return };
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) {
        // A sign, a letter or a unique-id is no number (H21). A tab would count as a blank, and `+OK` may precede a unique-id.
        if !first.is_empty() && !first.contains('\t') {
            assert!(drop_listing.is_err() && scan_listing.is_err(), "H21");
            assert!(unique_id_listing.is_err() || first.starts_with("+OK"), "H21");
        }
        return;
    }
    let number = first.parse().ok().and_then(MessageNumber::new);
    if digits(second) {
        // A size that does not fit counts as missing; a message number that does not fit is an error (H21).
        let octets = second.parse().ok();
        assert_eq!(drop_listing.ok(), first.parse().ok().map(|messages| DropListing { messages, octets }), "S09");
        assert_eq!(scan_listing.ok(), number.map(|number| ScanListing { number, octets }), "S10");
    }
    let unique_id = second.as_bytes();
    if !unique_id.is_empty() && unique_id.iter().all(u8::is_ascii_graphic) {
        assert_eq!(unique_id_listing.ok(), number.map(|number| UniqueIdListing { number, unique_id }), "S16");
    }
}

/// Checks the lines of the reply to `CAPA`: each parsed capability is encoded as a line that is parsed as the same capability.
pub fn capability(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    for line in &lines {
        let mut out = BytesMut::new();
        let capability = Capability::parse(line);
        capability.encode(&mut out);
        assert!(!out.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "H15");
        assert_eq!(Capability::parse(&out), capability);
    }
    let capabilities = lines.iter().copied().collect::<Capabilities>();
    let has = |tag: &[u8]| lines.iter().any(|line| Capability::parse(line) == Capability::parse(tag));
    assert_eq!((capabilities.stls, capabilities.pipelining), (has(b"STLS"), has(b"PIPELINING")));
}

/// Checks that typed values are encoded as one line, which is parsed as the same values.
pub fn round_trip(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut out = BytesMut::new();
    if choices.below(2) == 0 {
        let Some(command) = any_command(&mut choices) else { return };
        command.encode(&mut out);
        let line = one_line(&out);
        assert_eq!(Command::parse(line), Ok(command));
    } else {
        let Some(capability) = any_capability(&mut choices) else { return };
        capability.encode(&mut out);
        // An odd value may be parsed as another capability, which in turn is parsed as itself.
        let read = Capability::parse(&out);
        let mut again = BytesMut::new();
        read.encode(&mut again);
        assert_eq!(Capability::parse(&again), read);
        if !matches!(capability, Capability::Other(_)) {
            assert_eq!(read, capability);
        }
    }
    // A reply with any text of the server is one line with one meaning.
    let Some(text) = str::from_utf8(choices.rest()).ok().and_then(|text| ReplyText::new(text).ok()) else { return };
    let mut out = BytesMut::new();
    encode_status_line(&mut out, Status::Ok, None, text);
    let reply = Reply::parse(one_line(&out)).expect("H15");
    assert_eq!((reply.status, reply.code), (Status::Ok, None));
    assert!(text.as_str().as_bytes().starts_with(reply.text) && out.len() <= 512, "S02: as much of it as fits");
}

/// Returns the only line in `out`.
fn one_line(out: &[u8]) -> &[u8] {
    let (scan, consumed) = LineScanner::new(LineEndingPolicy::Either, usize::MAX).scan(out);
    let Scan::Line(line) = scan else { panic!("H15: no line") };
    assert_eq!(consumed, out.len(), "H15: one line and nothing behind it");
    assert!(out.ends_with(b"\r\n"));
    line
}

fn any_number(choices: &mut Choices<'_>) -> Option<MessageNumber> {
    u32::try_from(choices.number()).ok().and_then(MessageNumber::new)
}

/// Returns any command that can be constructed.
pub fn any_command<'a>(choices: &mut Choices<'a>) -> Option<Command<'a>> {
    Some(match choices.below(21) {
        0 => Command::Apop(Username::new(choices.bytes()).ok()?, ApopDigest::new([choices.byte(); 16])),
        1 => Command::Auth(Word::new(choices.bytes()).ok()?, None),
        2 => Command::Auth(Word::new(choices.bytes()).ok()?, Some(Word::new(choices.bytes()).ok()?)),
        3 => Command::AuthList,
        4 => Command::Capa,
        5 => Command::Dele(any_number(choices)?),
        6 => Command::Lang(Word::new(choices.bytes()).ok()),
        7 => Command::Last,
        8 => Command::List(any_number(choices)),
        9 => Command::Noop,
        10 => Command::Pass(Password::new(choices.bytes()).ok()?),
        11 => Command::Quit,
        12 => Command::Retr(any_number(choices)?),
        13 => Command::Rset,
        14 => Command::Stat,
        15 => Command::Stls,
        16 => Command::Top(any_number(choices)?, choices.number()),
        17 => Command::Uidl(any_number(choices)),
        18 => Command::User(Username::new(choices.bytes()).ok()?),
        19 => Command::Utf8,
        _ => Command::Xclient(Words::new(choices.bytes()).ok().filter(|words| !words.as_bytes().is_empty())?),
    })
}

fn any_capability<'a>(choices: &mut Choices<'a>) -> Option<Capability<'a>> {
    let per_user = choices.below(2) == 1;
    Some(match choices.below(12) {
        0 => Capability::Top,
        1 => Capability::User,
        2 => Capability::Sasl(Words::new(choices.bytes()).ok()?),
        3 => Capability::LoginDelay { seconds: choices.number(), per_user },
        4 => Capability::Expire { after: Expire::Never, per_user },
        5 => Capability::Expire { after: Expire::Days(choices.number()), per_user },
        6 => Capability::Implementation(Words::new(choices.bytes()).ok()?),
        7 => Capability::Utf8 { user: per_user },
        8 => Capability::Xclient(Words::new(choices.bytes()).ok()?),
        9 => Capability::Stls,
        10 => Capability::Pipelining,
        _ => Capability::Other(Words::new(choices.bytes()).ok()?),
    })
}

/// Returns a valid unique-id made from any bytes.
pub fn any_unique_id(choices: &mut Choices<'_>) -> String {
    let id: Vec<u8> = choices.take(4).iter().map(|byte| 0x21 + byte % 94).collect();
    String::from_utf8(id).ok().filter(|id| UniqueId::new(id).is_ok()).unwrap_or_else(|| "x".to_owned())
}
