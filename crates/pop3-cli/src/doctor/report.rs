//! Findings as text for a terminal, as JSON, and as a report to share.

use serde_json::{Value, json};
use textwrap::core::display_width;

use super::finding::{Check, Finding, Outcome};
use crate::failure::Exit;
use crate::language::Message;
use crate::terminal::wrap;

/// How findings are written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The width in columns.
    pub width: usize,
    pub has_color: bool,
}

/// Returns a finding as lines of text.
pub fn text(finding: &Finding, style: Style) -> String {
    let (mark, color) = match finding.outcome {
        Outcome::Good => ("✓", "32"),
        Outcome::Note => ("·", "36"),
        Outcome::Warning => ("!", "33"),
        Outcome::Failed => ("✗", "31"),
    };
    let mark = if style.has_color { format!("\x1b[{color}m{mark}\x1b[0m") } else { mark.to_owned() };
    let label = finding.check.name().to_string();
    let margin = margin();
    let gap = " ".repeat(margin - 2 - display_width(&label));
    let time = finding.took.map(|took| format!(" ({} ms)", took.as_millis())).unwrap_or_default();
    let indent = " ".repeat(margin);
    let first = wrap(&format!("{}{time}", finding.found), style.width, &indent, &indent);
    let mut lines = vec![format!("{mark} {label}{gap}{}", first.trim_start())];
    if let Some(means) = &finding.means {
        lines.push(wrap(&means.to_string(), style.width, &indent, &indent));
    }
    let (first, rest) = (format!("{}→ ", " ".repeat(margin)), " ".repeat(margin + 2));
    lines.extend(finding.next.iter().map(|next| wrap(&next.to_string(), style.width, &first, &rest)));
    lines.join("\n")
}

/// Returns the width of the marks and the names of the checks, with the space after them.
fn margin() -> usize {
    use Check::{Login, Mailbox, Names, Network, Pop3, Service, Settings, Speed, Tls};
    let checks = [Settings, Names, Network, Service, Tls, Pop3, Login, Mailbox, Speed];
    let widest = checks.iter().map(|check| display_width(&check.name().to_string())).max();
    2 + widest.unwrap_or_default() + 2
}

/// Returns the result as lines of text.
pub fn result(result: &Message, style: Style) -> String {
    wrap(&result.to_string(), style.width, "", "")
}

/// Returns everything as JSON. The names of texts are the same in every language.
pub fn json(given: &str, findings: &[Finding], result: &Message, exit: Option<Exit>) -> Value {
    let message = |message: &Message| json!({ "id": message.id(), "text": message.to_string() });
    let finding = |finding: &Finding| {
        json!({
            "check": finding.check.id(),
            "outcome": finding.outcome.id(),
            "found": message(&finding.found),
            "means": finding.means.as_ref().map(message),
            "next": finding.next.iter().map(message).collect::<Vec<_>>(),
            "milliseconds": finding.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        })
    };
    json!({
        "program": format!("pop3 {}", env!("CARGO_PKG_VERSION")),
        "examined": given,
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        "result": { "exit": exit.map_or(0, |exit| exit as u8), "id": result.id(), "text": result.to_string() },
    })
}

/// Returns a text without the parts that name a person: each of `private` is replaced, in any case.
pub fn redacted(text: &str, private: &[String]) -> String {
    let mut private: Vec<_> = private.iter().filter(|part| !part.is_empty()).collect();
    // The address goes before the part of it before the @.
    private.sort_by_key(|part| std::cmp::Reverse(part.len()));
    private.into_iter().fold(text.to_owned(), |text, part| replace(&text, part))
}

fn replace(text: &str, part: &str) -> String {
    let mut rest = text;
    let mut replaced = String::new();
    while !rest.is_empty() {
        let matches = rest.get(..part.len()).is_some_and(|start| start.eq_ignore_ascii_case(part));
        let length = if matches { part.len() } else { rest.chars().next().map_or(1, char::len_utf8) };
        replaced.push_str(if matches { "USER" } else { &rest[..length] });
        rest = &rest[length..];
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_no_user_in_any_case() {
        let private = ["joe.user@example.org".to_owned(), "joe.user".to_owned()];
        assert_eq!(redacted("user Joe.User@Example.org, named joe.user: é", &private), "user USER, named USER: é");
        assert_eq!(redacted("pop.example.org", &private), "pop.example.org");
        assert_eq!(redacted("nothing", &[String::new()]), "nothing");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let finding = Finding::failed(Check::Network, Exit::Connection, Message::new("doctor-network-silent"))
            .means(Message::new("doctor-network-silent-means"))
            .next(Message::new("doctor-network-silent-next"));
        for width in [60, 80, 200] {
            let text = text(&finding, Style { width, has_color: false });
            assert!(text.lines().all(|line| display_width(line) <= width), "{text}");
            assert!(text.starts_with("✗ "), "{text}");
        }
    }
}
