//! Parsing of the server's input, in pieces of any size.
//!
//! The awaited reply decides how input is parsed, never the input's content. A line inside a message that looks like `-ERR` is a
//! line of the message, and a line that begins with `.` inside a single-line reply is no end of anything. The oldest command in
//! flight determines whether the next bytes are a status line, lines of a listing or pieces of a message; only when its reply is
//! complete does the next command's reply begin.
//!
//! Two rules keep a hostile message or a broken server from shifting that boundary:
//!
//! - **One line ending for a connection.** The first line, the greeting, decides between CR LF and LF. If both were accepted at any
//!   time, a message could contain `LF . LF`, end its own body early, and present its remaining lines as replies: a forged `+OK` to
//!   a `DELE`, for example. So a client learns the ending once, and everything else is data. The single exception is a terminating
//!   dot in CR LF after lines in LF, which no line of a message can imitate, because a leading dot is doubled.
//! - **No reply before its command.** Bytes after the last awaited reply were sent before any command asked for them. They fail the
//!   session (after the event that they follow, which is still valid), because they would be taken for the reply to the next
//!   command. One blank line is tolerated before a reply, since some servers send an additional line end after a message.
//!
//! A status line may arrive in many pieces, so the scanner remembers how far it has searched, and a line over the limit is
//! discarded as it comes: neither time nor memory depends on how the network splits the input. Slow input does not renew the
//! deadline either: only each 16 KiB of a reply, or a complete reply, counts as progress.
// Q15, Q34, H02, H16, H34

use alloc::boxed::Box;

use super::{Client, Pending, Phase, ReceiveState};
use crate::Progress;
use crate::client::error::RemoteError;
use crate::client::event::{Challenge, ClientEvent, OwnedGreeting};
use crate::codec::{
    DotDecoder, Greeting, LineEnding, Reply, ReplyShape, Scan, Status, Unstuffed, Verb, names_one_message, trim_blanks,
};
use crate::state::State;

impl Client {
    /// Parses the unconsumed input and returns the next event. Drop `consumed` bytes of the input, then call again.
    ///
    /// # Errors
    /// The server broke the protocol. Later calls return the same error.
    pub fn poll<'i>(&mut self, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let progress = self.advance(input).map_err(|error| self.fail(error))?;
        let progressed = match &progress.event {
            ClientEvent::NeedInput | ClientEvent::Continue => false,
            ClientEvent::Line(_, piece) | ClientEvent::Body(_, piece) => self.count_trickle(piece.len()),
            _ => true,
        };
        self.events += u64::from(progressed);
        // Data after the last awaited reply was sent before any command requested it (H02). The event is valid, but the session
        // fails after it.
        let behind = input.get(progress.consumed..).unwrap_or_default();
        // A server must not send anything after a challenge before the response, either.
        if matches!(progress.event, ClientEvent::Challenge(..)) && !behind.is_empty() {
            self.failed = Some(RemoteError::Unsolicited(beginning(behind)));
        }
        // A blank line may precede a delayed reply (Q42), so it is not an error yet.
        if self.in_flight.is_empty() && !matches!(behind, [] | b"\r" | b"\n" | b"\r\n") {
            self.failed = match self.phase {
                Phase::Upgrading => Some(RemoteError::DataAfterStls),
                Phase::Session(_) => Some(RemoteError::Unsolicited(beginning(behind))),
                // The greeting is awaited, or the session has ended.
                Phase::Greeting | Phase::Closed => None,
            };
        }
        Ok(progress)
    }

    /// Counts the octets of a piece of a reply. Returns `true` after each 16 KiB: a server that sends slowly must not renew the
    /// deadline with each piece.
    fn count_trickle(&mut self, octets: usize) -> bool {
        self.trickle = self.trickle.saturating_add(octets);
        let enough = self.trickle >= MIN_PROGRESS;
        if enough {
            self.trickle = 0;
        }
        enough
    }

    pub(in crate::client) fn fail(&mut self, error: RemoteError) -> RemoteError {
        self.failed = Some(error.clone());
        error
    }

    fn advance<'i>(&mut self, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        match (self.phase, self.in_flight.front().copied()) {
            (Phase::Closed, _) => Ok(Progress { consumed: input.len(), event: ClientEvent::Closed }),
            (Phase::Greeting, _) => self.read_greeting(input),
            (Phase::Session(_), None) if matches!(input, b"\r" | b"\n" | b"\r\n") => {
                Ok(Progress { consumed: 0, event: ClientEvent::NeedInput })
            }
            (Phase::Session(_) | Phase::Upgrading, None) => match input {
                [] => Ok(Progress { consumed: 0, event: ClientEvent::NeedInput }),
                _ if self.phase == Phase::Upgrading => Err(RemoteError::DataAfterStls),
                _ => Err(RemoteError::Unsolicited(beginning(input))),
            },
            (Phase::Session(_) | Phase::Upgrading, Some(pending)) => match self.receiving {
                ReceiveState::FirstLine { .. } => self.read_first_line(pending, input),
                ReceiveState::Challenged if input.is_empty() => Ok(Progress { consumed: 0, event: ClientEvent::NeedInput }),
                ReceiveState::Challenged => Err(RemoteError::Unsolicited(beginning(input))),
                ReceiveState::Lines { .. } => self.read_line(pending, input),
                ReceiveState::Body { .. } => self.read_body(pending, input),
            },
        }
    }

    /// Returns the next line and the number of bytes consumed; `None` and 0 if the line is incomplete.
    fn scan<'i>(&mut self, input: &'i [u8]) -> Result<(Option<&'i [u8]>, usize), RemoteError> {
        match self.scanner.scan(input) {
            (Scan::NeedInput, 0) => Ok((None, 0)),
            (Scan::Line(line), consumed) => Ok((Some(line), consumed)),
            // The scanner consumes bytes without returning a line only if the line is too long.
            (Scan::NeedInput | Scan::TooLong, _) => Err(RemoteError::LineTooLong { limit: self.config.max_line }),
        }
    }

    fn read_greeting<'i>(&mut self, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        // A TLS alert has no line end, so it would never be a complete line.
        if input.starts_with(b"\x15\x03") {
            return Err(RemoteError::NotAReply(beginning(input)));
        }
        let (Some(line), consumed) = self.scan(input)? else {
            return Ok(Progress { consumed: 0, event: ClientEvent::NeedInput });
        };
        let greeting = Greeting::parse(line).map_err(|_| RemoteError::NotAReply(beginning(line)))?;
        self.greeting = Some(OwnedGreeting { text: greeting.reply.text.into(), timestamp: greeting.timestamp.map(Box::from) });
        self.phase = match greeting.reply.status {
            Status::Ok => Phase::Session(State::Authorization),
            Status::Err => Phase::Closed,
        };
        Ok(Progress { consumed, event: ClientEvent::Greeting(greeting) })
    }

    fn read_first_line<'i>(&mut self, pending: Pending, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        let (Some(line), consumed) = self.scan(input)? else {
            return Ok(Progress { consumed: 0, event: ClientEvent::NeedInput });
        };
        if trim_blanks(line).is_empty() && matches!(self.receiving, ReceiveState::FirstLine { blank_seen: false }) {
            self.receiving = ReceiveState::FirstLine { blank_seen: true };
            return Ok(Progress { consumed, event: ClientEvent::Continue });
        }
        if pending.verb == Verb::Auth
            && let Some(challenge) = challenge(line, self.unfinished)
        {
            self.receiving = ReceiveState::Challenged;
            return Ok(Progress { consumed, event: ClientEvent::Challenge(pending.tag, Challenge(challenge)) });
        }
        let reply = Reply::parse(line).map_err(|_| RemoteError::NotAReply(beginning(line)))?;
        self.receiving = ReceiveState::FirstLine { blank_seen: false };
        // Some servers answer a command about one message with a listing of one entry (Q25).
        let is_listing = match pending.shape {
            ReplyShape::Lines => true,
            ReplyShape::Entry => !names_one_message(reply.text),
            ReplyShape::Line | ReplyShape::Message | ReplyShape::Challenges => false,
        };
        match (reply.status, pending.verb) {
            (Status::Ok, _) if pending.shape == ReplyShape::Message => {
                // The first line of the session has determined the line ending.
                if self.decoder.ending() != self.scanner.ending() {
                    self.decoder = DotDecoder::new(self.scanner.ending());
                }
                self.announced_octets = if pending.verb == Verb::Retr { announced_octets(reply.text) } else { None };
                if pending.tag.0 < self.first_awaited_tag && self.is_too_much_left(0) {
                    return Err(RemoteError::MessageAbandoned);
                }
                self.receiving = ReceiveState::Body { seen: 0, ends_with_dot: false };
            }
            (Status::Ok, _) if is_listing => self.receiving = ReceiveState::Lines { seen: 0, octets: 0 },
            (Status::Ok, Verb::Stls) => {
                self.in_flight.clear();
                self.phase = Phase::Upgrading;
                return Ok(Progress { consumed, event: ClientEvent::UpgradeTls(pending.tag) });
            }
            (status, verb) => {
                self.in_flight.pop_front();
                if let Phase::Session(state) = self.phase {
                    self.phase = state.after_reply(verb, status).map_or(Phase::Closed, Phase::Session);
                }
            }
        }
        Ok(Progress { consumed, event: ClientEvent::Reply(pending.tag, reply) })
    }

    fn read_line<'i>(&mut self, pending: Pending, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        let (Some(line), consumed) = self.scan(input)? else {
            return Ok(Progress { consumed: 0, event: ClientEvent::NeedInput });
        };
        // A few servers end their lines with LF, but the line of the terminating dot with CR LF.
        let is_mixed = line == b".\r" && self.scanner.ending() == LineEnding::Lf;
        if line == b"." || is_mixed {
            return Ok(self.end(pending, consumed));
        }
        let (limit, octets_limit) = match pending.verb {
            Verb::Capa => (self.config.max_capabilities, self.config.max_capabilities_octets),
            _ => (self.config.max_listing, self.config.max_listing_octets),
        };
        if let ReceiveState::Lines { seen, octets } = &mut self.receiving {
            *seen += 1;
            *octets += line.len() as u64;
            if *seen > limit || *octets > octets_limit {
                let limit = if *seen > limit { limit } else { octets_limit };
                return Err(RemoteError::ReplyTooLarge { verb: pending.verb, limit });
            }
        }
        let line = line.strip_prefix(b".").unwrap_or(line);
        Ok(Progress { consumed, event: ClientEvent::Line(pending.tag, line) })
    }

    fn read_body<'i>(&mut self, pending: Pending, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        let (found, consumed) = self.decoder.decode(input);
        let event = match found {
            Unstuffed::NeedInput if consumed > 0 => ClientEvent::Continue,
            Unstuffed::NeedInput => ClientEvent::NeedInput,
            Unstuffed::End => return Ok(self.end(pending, consumed)),
            Unstuffed::Chunk(chunk) => {
                if let ReceiveState::Body { seen, ends_with_dot } = &mut self.receiving {
                    *seen += chunk.len() as u64;
                    // A piece may contain only a line end, which leaves the last line unchanged.
                    if let Some(last) = chunk.iter().rfind(|byte| !matches!(byte, b'\r' | b'\n')) {
                        *ends_with_dot = *last == b'.';
                    }
                    if let Some(limit) = self.config.max_message.filter(|limit| *seen > *limit) {
                        return Err(RemoteError::ReplyTooLarge { verb: pending.verb, limit });
                    }
                }
                ClientEvent::Body(pending.tag, chunk)
            }
        };
        Ok(Progress { consumed, event })
    }

    fn end<'i>(&mut self, pending: Pending, consumed: usize) -> Progress<ClientEvent<'i>> {
        self.in_flight.pop_front();
        self.receiving = ReceiveState::FirstLine { blank_seen: false };
        Progress { consumed, event: ClientEvent::End(pending.tag) }
    }
}

/// Returns the text after the `+` of a challenge; `None` if the line is a reply. Some servers omit the blank, and some send `+OK`.
// Q07
fn challenge(line: &[u8], unfinished: bool) -> Option<&[u8]> {
    match line.strip_prefix(b"+")? {
        b"OK" | [b'O', b'K', b' ' | b'\t', ..] if unfinished => Some(b""),
        b"OK" => None,
        [b'O', b'K', b' ' | b'\t', ..] => None,
        rest => Some(trim_blanks(rest)),
    }
}

/// Returns the size in the text of a `+OK` to `RETR`, which many servers send though no RFC requires it: `120 octets`.
fn announced_octets(text: &[u8]) -> Option<u64> {
    let mut octets = 0u64;
    for (at, byte) in text.iter().enumerate() {
        if !byte.is_ascii_digit() {
            return text.get(at..).filter(|unit| at > 0 && unit.starts_with(b" octets")).map(|_| octets);
        }
        octets = octets.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    None
}

/// The octets of a reply that renew its deadline: with the default time-out of 60 s for messages, at least 273 octets a second.
const MIN_PROGRESS: usize = 16 * 1024;

/// Returns the first line of a peer's bytes, at most 80 octets of it, for an error.
fn beginning(line: &[u8]) -> Box<[u8]> {
    const MAX_EXCERPT: usize = 80;
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.get(..MAX_EXCERPT).unwrap_or(line).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_from_a_reply_that_begins_with_it_and_from_no_other() {
        assert_eq!(announced_octets(b"120 octets"), Some(120));
        assert_eq!(announced_octets(b"0 octets follow"), Some(0));
        for text in [
            &b""[..],
            b"octets",
            b" octets",
            b"120",
            b"120 messages",
            b"message follows",
            b"99999999999999999999 octets",
            b"-1 octets",
        ] {
            assert_eq!(announced_octets(text), None, "{}", text.escape_ascii());
        }
    }
}
