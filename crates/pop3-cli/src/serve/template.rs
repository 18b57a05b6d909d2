//! The path of each user's Maildir.

use std::path::{Path, PathBuf};

use pop3_maildrop::Maildir;
use pop3_users::is_safe_name;

use crate::failure::{Exit, Failure};
use crate::language::Message;

/// What stands in a path for something of the user.
const MARKS: [&str; 4] = ["%u", "%n", "%d", "%h"];

/// A path with marks in place of the user's name, its parts, or the user's home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    base: Base,
    /// The rest of the path, with marks in it.
    rest: String,
}

/// The folders that are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Base {
    /// The folders before the first mark, which belong to the operator.
    Folders(PathBuf),
    /// The user's home, which the file of users names.
    Home,
}

impl Template {
    /// Splits a path. Fails if all users would share the path because it names none of them (`%d` alone is not enough), if it contains another
    /// `%`, if `%h` is not at its beginning, or if it begins with a `~` that no shell has expanded.
    pub fn new(path: &str) -> Result<Self, Failure> {
        let is_mark = |at: usize| MARKS.iter().any(|mark| path[at..].starts_with(mark));
        let is_odd = path.match_indices('%').any(|(at, _)| !is_mark(at));
        let rest_of_home = path.strip_prefix("%h").filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let has_home = path.contains("%h");
        let names_the_user = path.contains("%u") || path.contains("%n") || rest_of_home.is_some();
        // Two users of one name in two domains must not share a Maildir.
        let is_ambiguous = path.contains("%n") && !path.contains("%u") && !path.contains("%d");
        // Nor may two names whose parts are put together in another way.
        let are_apart = match (path.find("%n"), path.find("%d")) {
            (Some(n), Some(d)) => path[n.min(d)..n.max(d)].contains(['/', '@']),
            _ => true,
        };
        let misplaced_home = has_home && rest_of_home.is_none_or(|rest| rest.contains("%h"));
        if is_odd || !names_the_user || is_ambiguous || !are_apart || misplaced_home || path.starts_with('~') {
            let found = Message::new("serve-mail").with("path", format_args!("{path:?}"));
            return Err(Failure::new(Exit::Usage, found).and(Message::new("serve-mail-next")));
        }
        if let Some(rest) = rest_of_home {
            return Ok(Self { base: Base::Home, rest: rest.trim_start_matches('/').to_owned() });
        }
        let at = path.find('%').unwrap_or(0);
        let (base, rest) = match path[..at].rfind('/') {
            Some(slash) => (if slash == 0 { "/" } else { &path[..slash] }, &path[slash + 1..]),
            None => (".", path),
        };
        Ok(Self { base: Base::Folders(base.into()), rest: rest.to_owned() })
    }

    /// Returns `true` if the path depends on homes.
    pub fn needs_home(&self) -> bool {
        self.base == Base::Home
    }

    /// Returns the place of a user's Maildir; `None` if the name cannot be a part of a path, has no domain where one is needed, or if the
    /// user has no home.
    // H57
    pub fn place(&self, name: &str, home: Option<&Path>) -> Option<Place> {
        let (local, domain) = name.rsplit_once('@').unwrap_or((name, ""));
        let is_safe = |mark: &str, part: &str| !self.rest.contains(mark) || is_safe_name(part);
        if !is_safe_name(name) || !is_safe("%n", local) || !is_safe("%d", domain) {
            return None;
        }
        let base = match &self.base {
            Base::Folders(base) => base.clone(),
            Base::Home => home?.to_owned(),
        };
        // The parts of a name may contain a `%`, so each mark is replaced once, from left to right.
        let mut rest = String::new();
        let mut left = self.rest.as_str();
        while let Some(at) = left.find('%') {
            rest.push_str(&left[..at]);
            rest.push_str(match left.get(at..at + 2) {
                Some("%n") => local,
                Some("%d") => domain,
                _ => name,
            });
            left = left.get(at + 2..).unwrap_or_default();
        }
        rest.push_str(left);
        Some(Place { is_home: self.needs_home(), base, rest })
    }
}

/// The place of a Maildir: a trusted folder, and a path beneath it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub base: PathBuf,
    pub rest: String,
    /// The trusted folder is the user's home.
    pub is_home: bool,
}

impl Place {
    pub fn path(&self) -> PathBuf {
        self.base.join(&self.rest)
    }

    pub fn maildir(&self) -> Maildir {
        Maildir::beneath(&self.base, &self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h57_the_operators_folders_end_before_the_name() {
        let split = |path: &str| match Template::new(path).ok()? {
            Template { base: Base::Folders(base), rest } => Some((base.to_str()?.to_owned(), rest)),
            Template { base: Base::Home, rest } => Some(("HOME".to_owned(), rest)),
        };
        for (path, base, rest) in [
            ("/home/%u/Maildir", "/home", "%u/Maildir"),
            ("/srv/mail/u-%u", "/srv/mail", "u-%u"),
            ("/%u", "/", "%u"),
            ("mail/%u", "mail", "%u"),
            ("%u", ".", "%u"),
            ("/srv/%d/%n/Maildir", "/srv", "%d/%n/Maildir"),
            ("/srv/%n@%d", "/srv", "%n@%d"),
            ("%h/Maildir", "HOME", "Maildir"),
            ("%h", "HOME", ""),
            ("%h/%u", "HOME", "%u"),
        ] {
            assert_eq!(split(path), Some((base.to_owned(), rest.to_owned())), "{path}");
        }
        for bad in [
            "/home/joe",
            "~/%u",
            "/home/%x/%u",
            "",
            "100%",
            "/srv/%n-%d",
            "/srv/%d.%n",
            "/srv/%d",
            "/srv/%n",
            "/home/%h",
            "%home",
            "%h/%h",
            "%u%",
        ] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn h57_each_mark_is_replaced_once_and_unsafe_parts_are_refused() {
        let path = |template: &str, name: &str, home: Option<&str>| {
            let place = Template::new(template).unwrap().place(name, home.map(Path::new))?;
            place.path().to_str().map(str::to_owned)
        };
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(path("/srv/%u", "joe@example.org", None), is("/srv/joe@example.org"));
        assert_eq!(path("/srv/%d/%n/m", "joe@example.org", None), is("/srv/example.org/joe/m"));
        assert_eq!(path("/srv/%n@%d", "%u@%n", None), is("/srv/%u@%n"), "the name itself contains marks");
        assert_eq!(path("%h/m", "joe", Some("/home/joe")), is("/home/joe/m"));
        for (template, name) in [
            ("%h/m", "joe"),
            ("/srv/%d/%n", "joe"),
            ("/srv/%d/%n", "@example.org"),
            ("/srv/%d/%n", "joe@"),
            ("/srv/%d/%n", "joe.@example.org"),
            ("/srv/%d/%n", "joe@.x"),
            ("/srv/%u", ".."),
            ("/srv/%u", "a/b"),
        ] {
            assert_eq!(path(template, name, None), None, "{template} {name}");
        }
    }
}
