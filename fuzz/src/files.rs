//! Fuzzes files that other programs may have written: the users of a server, the journal of fetched messages, and the file names
//! and index of a Maildir.

use pop3_fetch::Fingerprint;
use pop3_fetch::entry::{Entry, EntryKind};
use pop3_fetch::journal_state::{JournalState, MessageState, Record};
use pop3_maildrop::maildir::fuzzing;
use pop3_users::{self as users, FileFormat, Memory};

use crate::Choices;

/// Checks the file of users: no malformed line allows a login, and an empty password matches nothing.
pub fn users(data: &[u8]) {
    let mut memory = Memory::default();
    // Dovecot's fields end at colons, so there is less to compare with; nothing may panic.
    for user in users::parse(data, FileFormat::Dovecot, false).into_values() {
        assert!(user.home.is_none_or(|home| home.is_absolute()));
    }
    for (name, user) in users::parse(data, FileFormat::Own, false) {
        let stored = user.password;
        let name = str::from_utf8(&name).expect("H57");
        assert!(users::is_safe_name(name), "H57");
        assert!(!name.contains(['/', '\0', '\n', ':']) && !name.starts_with('.') && name.len() <= 255, "H57");
        let line = [name.as_bytes(), b":", &stored].concat();
        let is_line = |text: &[u8]| text.strip_suffix(b"\r").unwrap_or(text) == line;
        let text = data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data);
        assert!(text.split(|byte| *byte == b'\n').any(is_line));
        // Other hashes may take long, because their parameters determine the time.
        let is_quick = stored.windows(11).any(|part| part == b"$m=8,t=1,p=");
        if stored.starts_with(b"{PLAIN}") || is_quick {
            assert!(!users::verify(&stored, b"", &mut memory), "H53");
            assert!(!users::verify(&stored, b"what nobody chose as a password", &mut memory), "H53");
        }
        if let Some(plain) = stored.strip_prefix(b"{PLAIN}") {
            assert!(users::verify(&stored, plain, &mut memory));
        }
    }
}

const IDS: [&[u8]; 3] = [b"a", b"b", b"%\xff \n"];

/// Checks the journal: recorded messages are known, and damage causes messages to be fetched again, never to be skipped.
// H47
pub fn journal(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.below(2) == 0 {
        JournalState::parse(choices.rest());
        return;
    }
    let (at, change) = (choices.number(), choices.byte());
    let mut lines = Vec::new();
    while !choices.is_done() && lines.len() < 8 {
        let unique_id = IDS[choices.below(IDS.len())];
        let kind = [
            EntryKind::Stored,
            EntryKind::Stored,
            EntryKind::Deleting,
            EntryKind::Suspect,
            EntryKind::NowDeleting,
            EntryKind::Intended,
        ][choices.below(6)];
        lines.push((kind, unique_id));
    }
    let entry = |kind, unique_id: &[u8]| Entry {
        name: "name".to_owned(),
        octets: Some(1),
        fingerprint: Some(Fingerprint::of(unique_id)),
        ..Entry::new(kind, unique_id)
    };
    let whole: String = lines.iter().map(|(kind, unique_id)| entry(*kind, unique_id).line()).collect();
    let read = JournalState::parse(whole.as_bytes());
    assert!(!read.damaged);
    // The states of messages according to a naive parser of the lines.
    let states = |lines: &[(EntryKind, &[u8])], unique_id: &[u8]| {
        let mut states = Vec::new();
        for (kind, _) in lines.iter().filter(|(_, recorded)| *recorded == unique_id) {
            match kind {
                EntryKind::Stored => states.push(MessageState::Stored),
                EntryKind::Suspect => states.push(MessageState::Suspect),
                EntryKind::Deleting => states.push(MessageState::Deleting),
                EntryKind::NowDeleting => {
                    if let Some(state) = states.iter_mut().find(|state| **state == MessageState::Stored) {
                        *state = MessageState::Deleting;
                    }
                }
                _ => {}
            }
        }
        states
    };
    let known = |state: &JournalState, unique_id: &[u8]| -> Vec<MessageState> {
        state.records(unique_id).iter().map(|record: &Record| record.state).collect()
    };
    for unique_id in IDS {
        assert_eq!(known(&read, unique_id), states(&lines, unique_id));
    }
    // A saved journal has equal contents.
    let saved = JournalState::parse(read.text(1).as_bytes());
    for unique_id in IDS {
        assert!(!saved.damaged && known(&saved, unique_id) == known(&read, unique_id));
    }
    let mut text = whole.into_bytes();
    if text.is_empty() {
        return;
    }
    let at = usize::try_from(at).unwrap_or(0) % text.len();
    // A journal with a damaged last line end looks like a journal that was cut there.
    let cut = change == 0 || at == text.len() - 1;
    if cut {
        text.truncate(at);
    } else {
        text[at] ^= change;
    }
    let damaged = JournalState::parse(&text);
    let whole_lines = text.split(|byte| *byte == b'\n').count() - 1;
    for unique_id in IDS {
        if cut {
            // A line that was cut off may never have been written; all other lines are known.
            assert_eq!(known(&damaged, unique_id), states(&lines[..whole_lines], unique_id), "H47: {}", text.escape_ascii());
        } else {
            assert!(damaged.records(unique_id).len() <= read.records(unique_id).len(), "H47: {}", text.escape_ascii());
        }
    }
}

/// Checks the names of messages and the index of a Maildir.
pub fn maildir(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.below(2) == 0 {
        return fuzzing::index(choices.rest());
    }
    let [a, b] = [choices.bytes(), choices.bytes()];
    fuzzing::names([a, b, choices.rest()]);
}
