//! The client machine against the dialogues of the contract.

use bytes::BytesMut;
use pop3_contract::client::{self, Act, Log};
use pop3_contract::{Cut, Transcript, transcript};
use pop3_proto::client::{Client, ClientEvent};

/// Plays a transcript and gives every event as a line.
fn replay(transcript: &Transcript, cut: Cut) -> Vec<String> {
    let (config, encrypted) = client::set_up(transcript);
    let mut client = if encrypted { Client::new_encrypted(config) } else { Client::new(config) };
    let (log, mut unread) = (Log::default(), Vec::new());
    for act in client::acts(transcript) {
        match act {
            Act::Send { command, wire } => {
                let mut out = BytesMut::new();
                match client.send(command, &mut out) {
                    Ok(_) => assert_eq!(&out[..], wire, "what is sent"),
                    Err(error) => log.note(format_args!("refused: {error}")),
                }
            }
            Act::End => {
                if let Err(error) = client.eof() {
                    log.note(format_args!("error {error}"));
                }
            }
            Act::Read(bytes) => {
                for piece in cut.pieces(&bytes) {
                    unread.extend_from_slice(piece);
                    if !poll(&mut client, &mut unread, &log) {
                        return log.lines();
                    }
                }
            }
        }
    }
    log.lines()
}

/// Polls until more input is needed; false when the session has failed.
fn poll(client: &mut Client, unread: &mut Vec<u8>, log: &Log) -> bool {
    loop {
        let progress = match client.poll(unread) {
            Ok(progress) => progress,
            Err(error) => {
                log.note(format_args!("error {error}"));
                assert_eq!(client.poll(b""), Err(error.clone()), "an error stays");
                assert_eq!(client.eof(), Err(error));
                return false;
            }
        };
        let done = matches!(progress.event, ClientEvent::NeedInput | ClientEvent::Closed);
        assert!(
            progress.event != ClientEvent::NeedInput || progress.consumed == 0,
            "more input is needed, so all of it was looked at"
        );
        log.event(&progress.event);
        unread.drain(..progress.consumed);
        if done {
            return true;
        }
    }
}

#[test]
fn every_cut_of_every_transcript_gives_its_events() {
    for transcript in transcript::load("client") {
        let longest = transcript.lines.iter().map(|line| line.bytes.len()).sum();
        for cut in Cut::all(longest) {
            client::check(&transcript, cut, &replay(&transcript, cut), &client::expected(&transcript));
        }
    }
}
