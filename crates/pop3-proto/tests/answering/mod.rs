//! Answers what a session asks, as a driver does.

use std::io::{ErrorKind, Read};

use pop3_contract::server::{Mail, Maildrops};
use pop3_maildrop::{Maildrop, NotRemoved, Store};
use pop3_proto::sasl::ScramKeys;
use pop3_proto::server::{Ask, BodyWants, Connection, Denial, Step, Unavailable};

/// Answers what the connection asks until it wants input; false when it closes.
pub fn serve(server: &mut Connection, mail: &mut Option<Mail>, written: &mut Vec<u8>) -> bool {
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
