//! Files that others may have written: the users of a server, the journal of what is home, and a Maildir's names and index.

use pop3_cli::fetch::notes::{Mark, Notes, line};
use pop3_cli::users;
use pop3_maildrop::maildir::fuzzing;

use crate::Choices;

/// The file of users: whatever stands in it, a malformed line lets nobody in, and an empty password is none.
pub fn users(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for (name, stored) in users::parse(text) {
        assert!(users::is_safe_name(&name), "H57");
        assert!(!name.contains(['/', '\0', '\n', ':']) && !name.starts_with('.') && name.len() <= 128, "H57");
        assert!(text.lines().any(|line| line == format!("{name}:{stored}")));
        // Other hashes take as long as they say.
        if stored.starts_with("{PLAIN}") || stored.contains("$m=8,t=1,p=1$") {
            assert!(!users::verify(&stored, b""), "H53");
            assert!(!users::verify(&stored, b"what nobody chose as a password"), "H53");
        }
        if let Some(plain) = stored.strip_prefix("{PLAIN}") {
            assert!(users::verify(&stored, plain.as_bytes()));
        }
    }
}

const IDS: [&[u8]; 3] = [b"a", b"b", b"%\xff \n"];

/// The journal: what was noted is known, and damage makes messages be fetched again, and never be skipped (H47).
pub fn journal(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.below(2) == 0 {
        Notes::parse(choices.rest());
        return;
    }
    let (at, change) = (choices.number(), choices.byte());
    let mut lines = Vec::new();
    while !choices.is_done() && lines.len() < 8 {
        let unique_id = IDS[choices.below(IDS.len())];
        let mark = [Mark::Home, Mark::Home, Mark::Deleted, Mark::Intended][choices.below(4)];
        lines.push((mark, unique_id));
    }
    let whole: String = lines.iter().map(|(mark, unique_id)| line(1, *mark, unique_id, "name")).collect();
    let read = Notes::parse(whole.as_bytes());
    assert!(!read.damaged);
    // What so many lines say, to a naive reader.
    let count = |lines: &[(Mark, &[u8])], unique_id: &[u8]| {
        lines.iter().filter(|(_, noted)| *noted == unique_id).fold(0u32, |count, (mark, _)| match mark {
            Mark::Home => count + 1,
            Mark::Deleted => count.saturating_sub(1),
            Mark::Intended => count,
        })
    };
    for unique_id in IDS {
        assert_eq!(read.count(unique_id), count(&lines, unique_id));
    }
    let mut text = whole.into_bytes();
    if text.is_empty() {
        return;
    }
    let at = usize::try_from(at).unwrap_or(0) % text.len();
    // A journal whose last line end is damaged looks like one that was cut there.
    let cut = change == 0 || at == text.len() - 1;
    if cut {
        text.truncate(at);
    } else {
        text[at] ^= change;
    }
    let damaged = Notes::parse(&text);
    let whole_lines = text.split(|byte| *byte == b'\n').count() - 1;
    for unique_id in IDS {
        if cut {
            // What a cut has taken was perhaps never written; all else is known.
            assert_eq!(damaged.count(unique_id), count(&lines[..whole_lines], unique_id), "H47: {}", text.escape_ascii());
        } else {
            assert!(damaged.count(unique_id) <= read.count(unique_id), "H47: {}", text.escape_ascii());
        }
    }
}

/// Names of messages and the index of a Maildir.
pub fn maildir(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.below(2) == 0 {
        return fuzzing::index(choices.rest());
    }
    let [a, b] = [choices.bytes(), choices.bytes()];
    fuzzing::names([a, b, choices.rest()]);
}
