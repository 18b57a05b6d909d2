//! Lines of other protocols, and obsolete commands of POP3.

/// Returns `true` for commands of old drafts and of single programs that clients still send at times.
// Q60
pub(crate) fn is_obsolete_command(line: &[u8]) -> bool {
    const TRIED: [&[u8]; 7] = [b"XTND", b"RPOP", b"HELP", b"PING", b"XOIP", b"IMPLEMENTATION", b"ID"];
    first_word(line).is_some_and(|word| TRIED.iter().any(|tried| tried.eq_ignore_ascii_case(word)))
}

/// Returns `true` for the first line of an HTTP, SMTP or SSH client.
pub(crate) fn is_foreign_protocol(line: &[u8]) -> bool {
    const OTHERS: [&[u8]; 8] = [b"GET", b"POST", b"HEAD", b"OPTIONS", b"CONNECT", b"PRI", b"EHLO", b"HELO"];
    line.starts_with(b"SSH-") || first_word(line).is_some_and(|word| OTHERS.contains(&word))
}

fn first_word(line: &[u8]) -> Option<&[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).next()
}
