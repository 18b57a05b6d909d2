//! The list of messages.

use indicatif::HumanBytes;
use mail_parser::MessageParser;
use textwrap::core::display_width;

use super::message::{sender, when};
use crate::server_text::one_line;

/// A line of the list.
#[derive(Debug)]
pub struct Row {
    number: u32,
    mark: &'static str,
    date: String,
    from: String,
    subject: String,
    octets: Option<u64>,
}

impl Row {
    /// Returns the line of a message. `header` is its beginning, `mark` a letter before the date.
    pub fn of(number: u32, header: &[u8], octets: Option<u64>, mark: &'static str) -> Self {
        let parsed = MessageParser::default().parse_headers(header);
        let message = parsed.as_ref();
        let text = |text: Option<&str>| one_line(text.unwrap_or_default());
        Self {
            number,
            mark,
            date: message.and_then(|message| message.date()).map(when).unwrap_or_default(),
            from: one_line(&message.and_then(|message| sender(message.from())).unwrap_or_default()),
            subject: text(message.and_then(|message| message.subject())),
            octets,
        }
    }

    /// Returns the line for a terminal of this width.
    pub fn line(&self, width: usize) -> String {
        let size = self.octets.map_or_else(|| "?".to_owned(), |octets| HumanBytes(octets).to_string());
        let start = format!("{:>5} {:1} {:16} {size:>11}  ", self.number, self.mark, self.date);
        let left = width.saturating_sub(start.len());
        let from = column(&self.from, (left / 3).clamp(8, 30));
        let subject = cut(&self.subject, left.saturating_sub(display_width(&from) + 2).max(8));
        format!("{start}{from}  {subject}").trim_end().to_owned()
    }
}

/// Returns a text in exactly this many columns.
fn column(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let space = " ".repeat(width.saturating_sub(display_width(&text)));
    text + &space
}

/// Returns a text in at most this many columns.
fn cut(text: &str, width: usize) -> String {
    // Characters without a width could go on for ever.
    let most = width * 4;
    let mut cut = String::new();
    let mut used = 0;
    for (count, char) in text.chars().enumerate() {
        used += display_width(char.encode_utf8(&mut [0; 4]));
        if used > width || count == most {
            // The last character makes room for the mark.
            while display_width(&cut) + 1 > width && cut.pop().is_some() {}
            return cut + "…";
        }
        cut.push(char);
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"Date: Thu, 26 Nov 2026 18:30:00 +0800\r\nFrom: =?GB2312?B?1cXI/Q==?= <zhang@example.org>\r\n\
        Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_der_Ferne=1B[31m?=\r\n\r\n";

    #[test]
    fn a_line_decodes_the_header_and_fits() {
        let row = Row::of(7, HEADER, Some(2048), "N");
        let line = row.line(100);
        assert!(line.starts_with("    7 N 2026-11-26 18:30    2.00 KiB  张三"), "{line}");
        assert!(line.ends_with("Grüße aus der Ferne\u{fffd}[31m"), "{line}");
        for width in [60, 80, 200] {
            let line = row.line(width);
            assert!(display_width(&line) <= width, "{line}");
        }
        // What is not there, or cannot be read, is empty.
        assert_eq!(Row::of(1, b"", None, "").line(80).split_whitespace().collect::<Vec<_>>(), ["1", "?"]);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(cut("邮件邮件", 5), "邮件…");
        assert_eq!(column("邮件", 6), "邮件  ");
        assert_eq!(cut("mail", 4), "mail");
        assert_eq!(cut("", 4), "");
        // Characters without a width end, too.
        assert!(cut(&"\u{301}".repeat(1_000_000), 20).chars().count() < 100);
    }
}
