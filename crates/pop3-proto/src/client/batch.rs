//! Many commands at once, within a window (RFC 2449 §6.6).

use alloc::collections::VecDeque;
use core::iter::Fuse;

use super::connection::Outbox;
use super::{ClientEvent, LocalError, Request, RequestError, Tag};
use crate::codec::Command;

/// Sends commands, at most `window` of them before their replies are read, and at most so many as the machine allows; 1 for a
/// server that does not announce `PIPELINING`. `on_event` hears what comes for each, with its place among the commands: a reply,
/// and behind it the lines or the body if there are any. A refusal of one is told to it and stops nothing.
///
/// No command whose reply must be awaited may be among them (`AUTH`, `STLS`, `QUIT`).
pub fn batch<'a, I, F>(window: usize, commands: I, on_event: F) -> impl Request<Output = ()>
where
    I: IntoIterator<Item = Command<'a>>,
    F: FnMut(usize, ClientEvent<'_>),
{
    Batch {
        window: window.max(1),
        commands: commands.into_iter().enumerate().fuse(),
        on_event,
        in_flight: VecDeque::new(),
        exhausted: false,
    }
}

struct Batch<I: Iterator, F> {
    window: usize,
    commands: Fuse<I>,
    on_event: F,
    in_flight: VecDeque<(Tag, usize)>,
    /// There are no more commands.
    exhausted: bool,
}

impl<'a, I: Iterator<Item = (usize, Command<'a>)>, F> Batch<I, F> {
    fn fill(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        while self.in_flight.len() < self.window && outbox.window() > 0 && !outbox.is_full() {
            let Some((place, command)) = self.commands.next() else {
                self.exhausted = true;
                return Ok(());
            };
            self.in_flight.push_back((outbox.send(command)?, place));
        }
        Ok(())
    }
}

impl<'a, I, F> Request for Batch<I, F>
where
    I: Iterator<Item = (usize, Command<'a>)>,
    F: FnMut(usize, ClientEvent<'_>),
{
    type Output = ();

    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        self.fill(outbox)
    }

    fn at_once(&mut self) -> Option<()> {
        // Where there was nothing to be sent there is nothing to wait for.
        (self.exhausted && self.in_flight.is_empty()).then_some(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, outbox: &mut Outbox<'_>) -> Result<Option<()>, RequestError> {
        let (ClientEvent::Reply(tag, _) | ClientEvent::Line(tag, _) | ClientEvent::Body(tag, _) | ClientEvent::End(tag)) = event
        else {
            return Ok(None);
        };
        // Replies come in the order of their commands; those of others are passed over.
        let Some((_, place)) = self.in_flight.front().filter(|(first, _)| *first == tag) else {
            // They make room all the same.
            self.fill(outbox)?;
            return Ok(self.at_once());
        };
        (self.on_event)(*place, event);
        if !outbox.is_in_flight(tag) {
            self.in_flight.pop_front();
            self.fill(outbox)?;
        }
        Ok(self.at_once())
    }
}
