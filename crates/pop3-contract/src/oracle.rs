//! A naive second implementation of byte-stuffing, line by line and not optimized, with which the fast one is compared.

use pop3_proto::codec::LineEnding;

/// Returns a message as it comes over the wire, including its terminator.
pub fn stuff(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut lines: Vec<&[u8]> = message.split(|b| *b == b'\n').collect();
    let ended = lines.pop_if(|last| last.is_empty()).is_some();
    let last = lines.len().wrapping_sub(1);
    for (i, line) in lines.into_iter().enumerate() {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        // A CR at the end of a last line without LF belongs to the line's contents.
        let content = if i < last || ended { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
        wire.extend_from_slice(content);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// Returns the message and the bytes after its terminator, or `None` if the terminator has not arrived.
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

/// Returns the message and the bytes after its terminator, for a reader that accepts both LF and CR LF as line ends. Returns
/// `None` if the terminator has not arrived.
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
