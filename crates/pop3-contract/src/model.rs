//! A minimal model of the maildrop of RFC 1939, with which sessions are compared.

use pop3_proto::codec::Command;

use crate::oracle;

/// The messages of a maildrop in one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    messages: Vec<Message>,
    /// The highest message number that was accessed, for `LAST`.
    last: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    /// The text, with CR LF line ends.
    text: Vec<u8>,
    unique_id: String,
    marked: bool,
}

/// The expected reply to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The reply is `+OK`.
    pub ok: bool,
    /// The text after `+OK`, if the protocol defines it.
    pub words: Option<String>,
    /// The rest of a multi-line response, with byte-stuffing removed.
    pub rest: Option<Vec<u8>>,
}

impl Answer {
    const OK: Self = Self { ok: true, words: None, rest: None };
    const ERR: Self = Self { ok: false, words: None, rest: None };

    fn words(words: String) -> Self {
        Self { words: Some(words), ..Self::OK }
    }

    fn rest(rest: Vec<u8>) -> Self {
        Self { rest: Some(rest), ..Self::OK }
    }
}

impl Model {
    /// Creates a maildrop from messages as a store contains them, and their unique-ids.
    pub fn new<'m>(messages: impl IntoIterator<Item = (&'m [u8], &'m str)>) -> Self {
        let message =
            |(text, unique_id): (&[u8], &str)| Message { text: canonical(text), unique_id: unique_id.to_owned(), marked: false };
        Self { messages: messages.into_iter().map(message).collect(), last: 0 }
    }

    /// Returns the expected reply to a command after login. The model does not cover `QUIT`, nor commands that do not concern the
    /// maildrop, such as `CAPA`.
    pub fn answer(&mut self, command: &Command<'_>) -> Answer {
        let number = match command {
            Command::List(Some(n)) | Command::Uidl(Some(n)) | Command::Retr(n) | Command::Dele(n) | Command::Top(n, _) => {
                Some(n.index())
            }
            _ => None,
        };
        if let Some(index) = number {
            let last = self.last.max(index + 1);
            return match self.messages.get_mut(index) {
                Some(message) if !message.marked => {
                    if matches!(command, Command::Retr(_) | Command::Dele(_)) {
                        self.last = last;
                    }
                    message.answer(command, index + 1)
                }
                _ => Answer::ERR,
            };
        }
        let listing = |line: &dyn Fn(&Message) -> String| {
            let there = self.messages.iter().enumerate().filter(|(_, message)| !message.marked);
            there.map(|(index, message)| format!("{} {}\r\n", index + 1, line(message))).collect::<String>()
        };
        match command {
            Command::Stat => {
                let there = || self.messages.iter().filter(|message| !message.marked);
                let octets: usize = there().map(|message| message.text.len()).sum();
                Answer::words(format!("{} {octets}", there().count()))
            }
            Command::List(None) => Answer::rest(listing(&|message| message.text.len().to_string()).into()),
            Command::Uidl(None) => Answer::rest(listing(&|message| message.unique_id.clone()).into()),
            Command::Rset => {
                self.messages.iter_mut().for_each(|message| message.marked = false);
                self.last = 0;
                Answer::OK
            }
            Command::Noop => Answer::OK,
            Command::Last => Answer::words(self.last.to_string()),
            _ => Answer::ERR,
        }
    }

    /// Returns the indices of the messages that `QUIT` removes.
    pub fn marked(&self) -> Vec<usize> {
        (0..self.messages.len()).filter(|index| self.messages[*index].marked).collect()
    }
}

impl Message {
    fn answer(&mut self, command: &Command<'_>, number: usize) -> Answer {
        match command {
            Command::List(_) => Answer::words(format!("{number} {}", self.text.len())),
            Command::Uidl(_) => Answer::words(format!("{number} {}", self.unique_id)),
            Command::Top(_, lines) => Answer::rest(top(&self.text, *lines)),
            Command::Dele(_) => {
                self.marked = true;
                Answer::OK
            }
            _ => Answer::rest(self.text.clone()),
        }
    }
}

/// Returns the text with CR LF line ends.
fn canonical(text: &[u8]) -> Vec<u8> {
    oracle::unstuff_lenient(&oracle::stuff(text)).map_or_else(Vec::new, |(text, _)| text)
}

/// Returns the header, the blank line and the given number of body lines.
fn top(text: &[u8], lines: u64) -> Vec<u8> {
    let mut left = None;
    let mut shown = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match &mut left {
            Some(0) => break,
            Some(left) => *left -= 1,
            None if line == b"\r\n" => left = Some(lines),
            None => {}
        }
        shown.extend_from_slice(line);
    }
    shown
}
