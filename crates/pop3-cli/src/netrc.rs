//! The file `.netrc`, in which programs share passwords.

use std::iter::Peekable;
use std::str::Chars;

/// Returns the password for a user of a host: that of the first entry for the host whose `login` is the user or is missing, or else that of
/// the entry `default`.
pub fn password(text: &str, host: &str, user: &str) -> Option<String> {
    let (mut found, mut by_default) = (None, None);
    for entry in entries(text) {
        let is_user = entry.login.as_deref().is_none_or(|login| login == user);
        match &entry.machine {
            Some(machine) if machine.eq_ignore_ascii_case(host) && is_user => found = found.or(entry.password),
            None if is_user => by_default = by_default.or(entry.password),
            _ => {}
        }
    }
    found.or(by_default)
}

#[derive(Default)]
struct Entry {
    /// `None` for the entry `default`.
    machine: Option<String>,
    login: Option<String>,
    password: Option<String>,
}

fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(keyword) = keyword(&mut chars) {
        match keyword.as_str() {
            "machine" => entries.push(Entry { machine: Some(word(&mut chars).unwrap_or_default()), ..Entry::default() }),
            "default" => entries.push(Entry::default()),
            "macdef" => skip_macro(&mut chars),
            "login" => value(&mut entries, &mut chars, |entry| &mut entry.login),
            "password" => value(&mut entries, &mut chars, |entry| &mut entry.password),
            "account" => drop(word(&mut chars)),
            _ => {}
        }
    }
    entries
}

fn value(entries: &mut [Entry], chars: &mut Peekable<Chars<'_>>, place: impl Fn(&mut Entry) -> &mut Option<String>) {
    let word = word(chars);
    if let Some(entry) = entries.last_mut() {
        *place(entry) = word;
    }
}

/// Reads the next keyword. Where a keyword is expected, `#` begins a comment; a value may begin with it.
fn keyword(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    loop {
        skip_blanks(chars);
        if *chars.peek()? != '#' {
            return word(chars);
        }
        while chars.next_if(|char| *char != '\n').is_some() {}
    }
}

/// Reads the next word, which may be in quotation marks.
fn word(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    skip_blanks(chars);
    if chars.next_if_eq(&'"').is_some() {
        return Some(quoted(chars));
    }
    chars.peek()?;
    let mut word = String::new();
    while let Some(char) = chars.next_if(|char| !char.is_whitespace()) {
        word.push(char);
    }
    Some(word)
}

fn skip_blanks(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|char| char.is_whitespace()).is_some() {}
}

fn quoted(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    while let Some(char) = chars.next().filter(|char| *char != '"') {
        match char {
            '\\' => word.extend(chars.next()),
            char => word.push(char),
        }
    }
    word
}

/// A macro ends with an empty line.
fn skip_macro(chars: &mut Peekable<Chars<'_>>) {
    let mut before = ' ';
    for char in chars.filter(|char| *char != '\r') {
        if (before, char) == ('\n', '\n') {
            return;
        }
        before = char;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &str = "# mail\nmachine pop.example.org login ann password anns\n\
        machine pop.example.org\n\tlogin joe\n\taccount x\n\tpassword \"jo\\\"e's secret\"\n\
        machine other.example.org password everybodys#1\n\
        macdef init\nmachine pop.example.org login eve password evil\n\n\
        default login anonymous password guest\n\
        machine late.example.org login joe password late\n";

    #[test]
    fn the_entry_of_host_and_user_has_the_password() {
        let cases = [
            ("pop.example.org", "ann", Some("anns")),
            ("POP.example.ORG", "joe", Some("jo\"e's secret")),
            ("pop.example.org", "eve", None),
            ("other.example.org", "joe", Some("everybodys#1")),
            ("unknown.example.org", "anonymous", Some("guest")),
            ("unknown.example.org", "joe", None),
            ("late.example.org", "joe", Some("late")),
            ("example.org", "joe", None),
        ];
        for (host, user, expected) in cases {
            assert_eq!(password(FILE, host, user).as_deref(), expected, "{user} at {host}");
        }
    }

    #[test]
    fn a_password_may_begin_with_a_hash_and_lines_may_end_in_cr_lf() {
        let text = "machine a login b password #x\r\nmacdef m\r\nput\r\n\r\nmachine c login d password y # comment\r\n";
        assert_eq!(password(text, "a", "b").as_deref(), Some("#x"));
        assert_eq!(password(text, "a", "d"), None);
        assert_eq!(password(text, "c", "d").as_deref(), Some("y"));
    }

    #[test]
    fn files_that_break_off_have_no_password() {
        for text in ["", "machine", "machine a login", "machine a login b password", "password x", "machine a \"", "macdef x"] {
            assert_eq!(password(text, "a", "b"), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_password_in_quotation_marks_is_read_as_it_was_written(secret in "[^\\r\\n]{1,20}") {
            let escaped = secret.replace('\\', "\\\\").replace('"', "\\\"");
            let text = format!("machine a login b password \"{escaped}\"\nmachine a login c password x");
            prop_assert_eq!(password(&text, "a", "b"), Some(secret));
            prop_assert_eq!(password(&text, "a", "c"), Some("x".to_owned()));
        }
    }
}
