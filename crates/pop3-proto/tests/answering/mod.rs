//! Answers what a session asks, as a driver does.

use std::io::{ErrorKind, Read};

use pop3_contract::server::{Mail, Maildrops};
use pop3_maildrop::{Maildrop, Peer, Store};
use pop3_proto::sasl::ScramKeys;
use pop3_proto::server::{Action, BodyWants, Connection, LoginDenial, MessageRefusal, Question};

/// Answers what the connection asks until it wants input; false when it closes.
pub fn serve(server: &mut Connection, mail: &mut Option<Mail>, written: &mut Vec<u8>) -> bool {
    loop {
        match server.next_action() {
            Action::Read => return true,
            Action::Write => {
                written.extend_from_slice(server.output());
                server.advance_written(server.output().len());
            }
            Action::Close => {
                written.extend_from_slice(b"CLOSE\r\n");
                return false;
            }
            Action::Unanswered => panic!("everything is answered at once"),
            Action::Answer(Question::Authenticate(login)) => match Maildrops.login(&login, &Peer::default()) {
                Ok(mut maildrop) => {
                    server.answer().accept(maildrop.snapshot().unwrap()).unwrap();
                    *mail = Some(maildrop);
                }
                Err(error) => server.answer().deny(LoginDenial::from(&error)).unwrap(),
            },
            Action::Answer(Question::FindKeys(hash, name)) => {
                let keys = Maildrops.scram_keys(hash, &name).unwrap();
                server
                    .answer()
                    .provide_keys(keys.unwrap_or_else(|| ScramKeys::decoy(hash, b"a secret of the server", name.as_bytes())))
                    .unwrap();
            }
            Action::Answer(Question::Retrieve { number, .. }) => match mail.as_mut().unwrap().open(number, None) {
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::NotFound);
                    server.answer().refuse_message(MessageRefusal::Gone).unwrap();
                }
                Ok(mut message) => {
                    let mut text = Vec::new();
                    message.read_to_end(&mut text).unwrap();
                    server.answer().begin_message().unwrap();
                    for piece in text.chunks(5) {
                        if server.answer().body(piece).unwrap() == BodyWants::Enough {
                            break;
                        }
                    }
                    server.answer().end_message().unwrap();
                }
            },
            Action::Answer(Question::Commit) => {
                let marked: Vec<_> = server.marked().collect();
                let removed = mail.as_mut().unwrap().remove(&marked);
                let failed = removed.map_or_else(|error| error.failed().len(), |()| 0);
                server.answer().finish_commit(failed).unwrap();
            }
            Action::UpgradeTls => {
                written.extend_from_slice(b"TLS\r\n");
                return false;
            }
            Action::Answer(other) => panic!("{other:?}"),
        }
    }
}
