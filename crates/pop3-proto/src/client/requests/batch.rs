//! Pipelined commands within a window (RFC 2449 §6.6).

use alloc::collections::VecDeque;
use core::iter::Fuse;

use super::refusal::RequestError;
use super::request::Request;
use crate::client::command_sink::CommandSink;
use crate::client::error::LocalError;
use crate::client::event::{ClientEvent, Tag};
use crate::codec::Command;

/// Sends commands, with at most `window` of them in flight, and at most as many as the machine allows. Use a window of 1 for a
/// server that does not announce `PIPELINING`. `on_event` receives the events of each command together with the command's index:
/// a reply, then the lines or the body if there are any. The refusal of a command is passed to `on_event` and does not stop the
/// batch.
///
/// `AUTH`, `STLS` and `QUIT` must not be among the commands: no other command may be sent before their replies.
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
    fn fill(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        while self.in_flight.len() < self.window && sink.window() > 0 && !sink.is_above_high_water() {
            let Some((place, command)) = self.commands.next() else {
                self.exhausted = true;
                return Ok(());
            };
            self.in_flight.push_back((sink.send(command)?, place));
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

    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        self.fill(sink)
    }

    fn immediate_output(&mut self) -> Option<()> {
        // All commands were sent and no reply is awaited, so no further event will come.
        (self.exhausted && self.in_flight.is_empty()).then_some(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, sink: &mut CommandSink<'_>) -> Result<Option<()>, RequestError> {
        let (ClientEvent::Reply(tag, _) | ClientEvent::Line(tag, _) | ClientEvent::Body(tag, _) | ClientEvent::End(tag)) = event
        else {
            return Ok(None);
        };
        // Replies come in the order of their commands; replies to other requests are skipped.
        let Some((_, place)) = self.in_flight.front().filter(|(first, _)| *first == tag) else {
            // Replies to other requests free window slots, too.
            self.fill(sink)?;
            return Ok(self.immediate_output());
        };
        (self.on_event)(*place, event);
        if !sink.is_in_flight(tag) {
            self.in_flight.pop_front();
            self.fill(sink)?;
        }
        Ok(self.immediate_output())
    }
}
