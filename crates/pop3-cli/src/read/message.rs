//! A message as text.

use mail_parser::{Address, DateTime, Message as Parsed, MessageParser, MimeHeaders};

use crate::language::Message;
use crate::server_text::{one_line, readable_lines};
use crate::terminal::wrap;

/// The most messages within messages that are parsed. The parser calls itself for each, and more would exhaust the stack.
const MOST_NESTED: usize = 500;

/// Returns how many messages a message can have within it, at most.
fn nesting(message: &[u8]) -> usize {
    const TYPE: &[u8] = b"message/";
    message.windows(TYPE.len()).filter(|window| window.eq_ignore_ascii_case(TYPE)).count()
}

/// Returns a message for a terminal: its most important header fields, its text and the names of its attachments. Of HTML, the text;
/// nothing is loaded.
pub fn text(message: &[u8], width: usize) -> String {
    let parsed = if nesting(message) > MOST_NESTED { None } else { MessageParser::default().parse(message) };
    let Some(parsed) = parsed else { return readable_lines(message) };
    let mut lines = header(&parsed);
    lines.push(String::new());
    let mut bodies = (0..parsed.text_body_count()).filter_map(|at| parsed.body_text(at)).peekable();
    if bodies.peek().is_none() {
        lines.push(Message::new("read-no-text").to_string());
    }
    for body in bodies {
        // Long lines are wrapped, and short ones stay as they are.
        lines.extend(safe(&body).lines().map(|line| wrap(line.trim_end(), width, "", "")));
    }
    for part in parsed.attachments() {
        let name = one_line(part.attachment_name().unwrap_or("?"));
        let octets = part.len();
        lines.push(String::new());
        lines.push(Message::new("read-attachment").with("name", name).with("octets", octets).to_string());
    }
    lines.join("\n")
}

fn header(message: &Parsed<'_>) -> Vec<String> {
    let list = |address: Option<&Address<'_>>| address.map(addresses).filter(|list| !list.is_empty());
    let fields = [
        (Message::new("read-from"), list(message.from())),
        (Message::new("read-to"), list(message.to())),
        (Message::new("read-cc"), list(message.cc())),
        (Message::new("read-date"), message.date().map(when)),
        (Message::new("read-subject"), message.subject().map(str::to_owned)),
    ];
    fields.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}", one_line(&value?)))).collect()
}

fn addresses(list: &Address<'_>) -> String {
    let one = |address: &mail_parser::Addr<'_>| match (address.name(), address.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    };
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Returns the name of the first sender, or the address.
pub fn sender(list: Option<&Address<'_>>) -> Option<String> {
    let first = list?.first()?;
    first.name().filter(|name| !name.is_empty()).or_else(|| first.address()).map(str::to_owned)
}

/// Returns a date in the sender's time zone, to the minute.
pub fn when(date: &DateTime) -> String {
    format!("{:04}-{:02}-{:02} {:02}:{:02}", date.year, date.month, date.day, date.hour, date.minute)
}

/// Returns text without characters that change the terminal; lines stay lines.
pub fn safe(text: &str) -> String {
    readable_lines(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_text_and_nothing_of_it_acts_on_the_terminal() {
        let message =
            b"From: a <a@example.org>\r\nTo: b@example.org\r\nSubject: x\x1b]0;title\x07\r\nContent-Type: text/html\r\n\r\n\
            <p>Hello <b>you</b>\x1b[2J</p><img src=\"https://example.org/track.gif\"><script>alert(1)</script>\r\n";
        let text = text(message, 80);
        assert!(text.contains("Hello you") && !text.contains("track.gif") && !text.contains("<b>"), "{text}");
        assert!(!text.contains('\x1b') && !text.contains('\x07'), "{text}");
    }

    #[test]
    fn attachments_are_named_only() {
        let message =
            b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nText.\r\n--b\r\n\
            Content-Type: application/pdf; name=\"a\x1b.pdf\"\r\nContent-Disposition: attachment\r\n\r\n%PDF\r\n--b--\r\n";
        let text = text(message, 80);
        assert!(text.contains("Text.") && text.contains(".pdf") && !text.contains("%PDF") && !text.contains('\x1b'), "{text}");
    }

    #[test]
    fn messages_within_messages_without_end_are_shown_as_they_are() {
        let text = text(&b"Content-Type: Message/rfc822\r\n\r\n".repeat(300_000), 80);
        assert!(text.starts_with("Content-Type: Message/rfc822\n"), "{}", &text[..80]);
    }

    #[test]
    fn what_is_no_message_is_shown_as_it_is() {
        assert!(text(b"", 80).trim().is_empty() || !text(b"", 80).contains('\x1b'));
        assert!(!text(b"\x1b[2J\x00\xff", 80).contains('\x1b'));
    }
}
