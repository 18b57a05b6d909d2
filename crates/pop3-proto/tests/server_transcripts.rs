//! The server against the dialogues of the contract.

use std::io::{ErrorKind, Read};

use pop3_contract::server::{self, Mail, Maildrops};
use pop3_contract::{Cut, Transcript, transcript};
use pop3_maildrop::{Maildrop, NotRemoved, Store};
use pop3_proto::sasl::ScramKeys;
use pop3_proto::server::{Ask, BodyWants, Connection, Denial, Step, Unavailable};

/// Answers what the connection asks until it wants input; false when it closes.
fn serve(server: &mut Connection, mail: &mut Option<Mail>, written: &mut Vec<u8>) -> bool {
    loop {
        match server.step() {
            Step::Read => return true,
            Step::Write => {
                written.extend_from_slice(server.output());
                server.written(server.output().len());
            }
            Step::Close => {
                written.extend_from_slice(b"CLOSE\r\n");
                return false;
            }
            Step::Answer => panic!("everything is answered at once"),
            Step::Ask(Ask::Authenticate(login)) => match Maildrops.login(&login) {
                Ok(mut maildrop) => {
                    server.accept(maildrop.snapshot().unwrap()).unwrap();
                    *mail = Some(maildrop);
                }
                Err(error) => server.deny(Denial::from(&error)).unwrap(),
            },
            Step::Ask(Ask::FindKeys(hash, name)) => {
                let keys = Maildrops.scram_keys(hash, &name).unwrap();
                server.keys(keys.unwrap_or_else(|| ScramKeys::decoy(hash, b"a secret of the server", name.as_bytes()))).unwrap();
            }
            Step::Ask(Ask::Retrieve(number)) => match mail.as_mut().unwrap().open(number) {
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::NotFound);
                    server.refuse_message(Unavailable::Gone).unwrap();
                }
                Ok(mut message) => {
                    let mut text = Vec::new();
                    message.read_to_end(&mut text).unwrap();
                    server.begin_message().unwrap();
                    for piece in text.chunks(5) {
                        if server.body(piece).unwrap() == BodyWants::Enough {
                            break;
                        }
                    }
                    server.end_message().unwrap();
                }
            },
            Step::Ask(Ask::Commit) => {
                let marked: Vec<_> = server.marked().collect();
                let failed = NotRemoved::count(mail.as_mut().unwrap().remove(&marked));
                server.committed(failed).unwrap();
            }
            Step::Ask(Ask::UpgradeTls) => {
                written.extend_from_slice(b"TLS\r\n");
                return false;
            }
            Step::Ask(other) => panic!("{other:?}"),
        }
    }
}

fn replay(transcript: &Transcript, cut: Cut) -> String {
    let (config, channel) = server::set_up(transcript);
    let mut server = Connection::new(config.into(), channel);
    let (mut mail, mut written) = (None, Vec::new());
    let mut open = serve(&mut server, &mut mail, &mut written);
    for mut piece in cut.pieces(&server::said(transcript)) {
        while open && !piece.is_empty() {
            let space = server.space();
            let count = space.len().min(piece.len());
            assert!(count > 0, "the buffer takes more when the session wants to read");
            space[..count].copy_from_slice(&piece[..count]);
            server.filled(count);
            piece = &piece[count..];
            open = serve(&mut server, &mut mail, &mut written);
        }
    }
    String::from_utf8_lossy(&written).into_owned()
}

#[test]
fn every_cut_of_every_transcript_gives_its_replies() {
    for transcript in transcript::load("server") {
        let expected = server::expected(&transcript);
        for cut in Cut::all(server::said(&transcript).len()) {
            let written = replay(&transcript, cut);
            assert!(written == expected, "{} {cut:?}:\nis     {written:#?}\nshould {expected:#?}", transcript.name);
        }
    }
}
