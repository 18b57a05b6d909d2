//! The codec once more, line by line and without a thought for speed: what the fast one is compared with.

use pop3_proto::codec::LineEnding;

/// What a message looks like on the wire, its end included.
pub fn stuff(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut lines: Vec<&[u8]> = message.split(|b| *b == b'\n').collect();
    let ended = lines.pop_if(|last| last.is_empty()).is_some();
    let last = lines.len().wrapping_sub(1);
    for (i, line) in lines.into_iter().enumerate() {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        // The CR of a last line that no LF follows belongs to the line.
        let content = if i < last || ended { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
        wire.extend_from_slice(content);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// The message and what stands behind it; `None` while the end has not come.
pub fn unstuff(wire: &[u8], ending: LineEnding) -> Option<(Vec<u8>, Vec<u8>)> {
    let end: &[u8] = if ending == LineEnding::CrLf { b"\r\n" } else { b"\n" };
    let mut message = Vec::new();
    let mut rest = wire;
    loop {
        let at = rest.windows(end.len()).position(|w| w == end)?;
        let line = &rest[..at];
        rest = &rest[at + end.len()..];
        if line == b"." || (line == b".\r" && ending == LineEnding::Lf) {
            return Some((message, rest.to_vec()));
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        message.extend_from_slice(end);
    }
}

/// A reader for which LF ends a line, with or without a CR.
pub fn unstuff_lenient(wire: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (mut message, mut rest) = (Vec::new(), wire);
    loop {
        let at = rest.iter().position(|b| *b == b'\n')?;
        let line = rest[..at].strip_suffix(b"\r").unwrap_or(&rest[..at]);
        rest = &rest[at + 1..];
        if line == b"." {
            return Some((message, rest));
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        message.extend_from_slice(b"\r\n");
    }
}
