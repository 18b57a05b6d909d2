//! Commands about many messages, with a result for each message.

use alloc::vec::Vec;
use core::mem;

use super::batch::batch;
use super::refusal::Refusal;
use super::request::Request;
use crate::client::event::ClientEvent;
use crate::codec::{Command, MessageNumber, Status};

/// Retrieves messages (`RETR`), with at most `window` commands in flight; see [`batch`]. `on_message` receives each message when it is
/// complete, or its refusal. One message at a time is in memory.
///
/// ```
/// use pop3_proto::client::requests;
/// use pop3_proto::codec::MessageNumber;
/// let numbers = [1, 2].map(|n| MessageNumber::new(n).unwrap());
/// let request = requests::retrs(32, numbers, |number, message| match message {
///     Ok(text) => println!("{number} has {} octets", text.len()),
///     Err(refusal) => println!("{number}: {refusal}"),
/// });
/// # drop(request);
/// ```
pub fn retrs(
    window: usize,
    numbers: impl IntoIterator<Item = MessageNumber>,
    on_message: impl FnMut(MessageNumber, Result<Vec<u8>, Refusal>),
) -> impl Request<Output = ()> {
    messages(window, numbers, Command::Retr, on_message)
}

/// Retrieves the headers of messages and the given number of body lines (`TOP`) as [`retrs`] does messages.
pub fn tops(
    window: usize,
    numbers: impl IntoIterator<Item = MessageNumber>,
    lines: u64,
    on_message: impl FnMut(MessageNumber, Result<Vec<u8>, Refusal>),
) -> impl Request<Output = ()> {
    messages(window, numbers, move |number| Command::Top(number, lines), on_message)
}

/// Marks messages as deleted (`DELE`), with at most `window` commands in flight; see [`batch`]. `on_reply` receives the result for each
/// message.
pub fn deles(
    window: usize,
    numbers: impl IntoIterator<Item = MessageNumber>,
    mut on_reply: impl FnMut(MessageNumber, Result<(), Refusal>),
) -> impl Request<Output = ()> {
    let numbers: Vec<_> = numbers.into_iter().collect();
    batch(window, numbers.clone().into_iter().map(Command::Dele), move |index, event| {
        let (ClientEvent::Reply(_, reply), Some(number)) = (event, numbers.get(index)) else { return };
        on_reply(
            *number,
            match reply.status {
                Status::Ok => Ok(()),
                Status::Err => Err(Refusal::new(Some(Command::Dele(*number).verb()), reply)),
            },
        );
    })
}

fn messages(
    window: usize,
    numbers: impl IntoIterator<Item = MessageNumber>,
    command: impl Fn(MessageNumber) -> Command<'static> + Copy,
    mut on_message: impl FnMut(MessageNumber, Result<Vec<u8>, Refusal>),
) -> impl Request<Output = ()> {
    let numbers: Vec<_> = numbers.into_iter().collect();
    let mut text = Vec::new();
    batch(window, numbers.clone().into_iter().map(command), move |index, event| {
        let Some(number) = numbers.get(index).copied() else { return };
        match event {
            ClientEvent::Reply(_, reply) if reply.status == Status::Err => {
                on_message(number, Err(Refusal::new(Some(command(number).verb()), reply)));
            }
            ClientEvent::Body(_, piece) => text.extend_from_slice(piece),
            // Only now is the message complete (H13).
            ClientEvent::End(_) => on_message(number, Ok(mem::take(&mut text))),
            _ => {}
        }
    })
}
