//! What the head of a message says about where it comes from, and what is put before it.

use std::io::{self, BufRead, Read};
use std::time::Duration;

use super::spool::Spooled;
use crate::date;

/// No more of a head is read than this.
const MOST_BYTES: u64 = 1024 * 1024;

/// What the head of a message says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The address in `Return-Path`; empty if there is none, as in a report of a mail server.
    pub sender: String,
    /// The number of servers that have passed the message on (RFC 5321 §6.3).
    pub hops: usize,
}

impl Envelope {
    /// Reads the head of a message.
    ///
    /// # Errors
    /// The message cannot be read.
    pub fn of(message: &Spooled) -> io::Result<Self> {
        Self::read(message.open()?.take(MOST_BYTES))
    }

    fn read(mut head: impl BufRead) -> io::Result<Self> {
        let mut envelope = Self::default();
        let mut line = Vec::new();
        while head.read_until(b'\n', &mut line)? > 0 && line != b"\n" {
            let text = String::from_utf8_lossy(&line);
            let (name, value) = text.split_once(':').unwrap_or(("", ""));
            if name.eq_ignore_ascii_case("received") {
                envelope.hops += 1;
            } else if name.eq_ignore_ascii_case("return-path") && envelope.sender.is_empty() {
                let address = value.trim().trim_start_matches('<').trim_end_matches('>');
                // It becomes part of a command.
                let is_safe = address.chars().all(|char| char.is_ascii_graphic() && !"<>".contains(char));
                address.clone_into(&mut envelope.sender);
                if !is_safe {
                    envelope.sender.clear();
                }
            }
            line.clear();
        }
        Ok(envelope)
    }
}

/// Returns the line that says how this program got the message (RFC 5321 §4.4).
pub fn received(source: &str, recipient: &str, now: Duration) -> String {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    format!(
        "Received: from {source}\r\n\tby {host} with POP3 (pop3 {})\r\n\tfor <{recipient}>; {}\r\n",
        env!("CARGO_PKG_VERSION"),
        date::in_messages(now)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_and_the_hops_are_in_the_head_alone() {
        let of = |text: &str| Envelope::read(text.as_bytes()).unwrap();
        let text =
            "Return-Path: <a@example.org>\nReceived: x\n\tReceived: folded\nRECEIVED: y\n\nReceived: body\nReturn-Path: <b@x>\n";
        assert_eq!(of(text), Envelope { sender: "a@example.org".to_owned(), hops: 2 });
        for unsafe_address in ["a@x> SIZE=1", "a b", "ä@x", "<>"] {
            assert_eq!(of(&format!("Return-Path: <{unsafe_address}>\n\n")).sender, "", "{unsafe_address}");
        }
        assert_eq!(of(""), Envelope::default());
    }
}
