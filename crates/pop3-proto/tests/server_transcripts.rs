//! The server against dialogues in `transcripts/server`.

mod replay;

use pop3_proto::codec::{ResponseCode, Text, UniqueId, WireSize};
use pop3_proto::sasl::{ChannelBinding, Mechanism, ScramKeys};
use pop3_proto::server::{Ask, BodyWants, Channel, CleartextLogin, Connection, Denial, Proof, ServerConfig, Snapshot, Step};
use replay::{Cut, Transcript};

/// The maildrop that all transcripts see.
const MESSAGES: [&[u8]; 3] =
    [b"Subject: one\n\nline 1\n.line 2\n.\nline 4\n", b"Subject: two\r\n\r\nno end of line", b"Subject: gone\n\n"];

fn snapshot() -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (message, id) in MESSAGES.iter().zip(["uid-one", "uid-two", "uid-three"]) {
        let mut size = WireSize::new();
        size.add(message);
        snapshot.push(size.octets(), UniqueId::new(id).unwrap()).unwrap();
    }
    snapshot
}

/// Answers what the connection asks until it wants input; false when it closes.
fn serve(server: &mut Connection, written: &mut Vec<u8>) -> bool {
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
            Step::Ask(Ask::Authenticate(login)) => {
                let is = |password: &[u8]| match &login.proof {
                    Proof::Password(given) => given.expose() == password,
                    Proof::Apop(proof) => proof.verify(password),
                    Proof::CramMd5(proof) => proof.verify(password),
                    Proof::Token(token) => token.expose() == b"good",
                    Proof::Proven => true,
                    _ => false,
                };
                match login.name.as_bytes() {
                    b"joe" if is(b"se cret") => server.accept(snapshot()).unwrap(),
                    b"busy" => server.deny(Denial::InUse).unwrap(),
                    b"broken" => server.deny(Denial::Temporary).unwrap(),
                    b"hasty" => server.deny(Denial::LoginDelay).unwrap(),
                    _ => server.deny(Denial::Credentials).unwrap(),
                }
            }
            Step::Ask(Ask::FindKeys(hash, name)) => {
                let keys = match name.as_bytes() {
                    b"joe" => ScramKeys::derive(hash, b"se cret", b"salt", 4096),
                    name => ScramKeys::decoy(hash, b"a secret of the server", name),
                };
                server.keys(keys).unwrap();
            }
            // The third message is gone from the store since the session began.
            Step::Ask(Ask::Retrieve(number)) if number.get() == 3 => {
                server.refuse_message(ResponseCode::SysTemp, Text::literal("the message is not there any more")).unwrap();
            }
            Step::Ask(Ask::Retrieve(number)) => {
                server.begin_message().unwrap();
                for piece in MESSAGES[number.index()].chunks(5) {
                    if server.body(piece).unwrap() == BodyWants::Enough {
                        break;
                    }
                }
                server.end_message().unwrap();
            }
            Step::Ask(Ask::Commit) => {
                // Message 2 cannot be removed.
                let failed = server.marked().filter(|number| number.get() == 2).count();
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
    let config = ServerConfig {
        stls: true,
        implementation: Text::literal("test"),
        cleartext_login: CleartextLogin::Refuse,
        max_bad_commands: (3, 5),
        max_failed_logins: 2,
        // Small, so that listings and messages must be written in pieces.
        output_high_water: 16,
        ..ServerConfig::default()
    };
    let secure = Channel::encrypted([0; 18], ChannelBinding { exporter: Some([7; 32]), server_end_point: None });
    let (config, channel) = match transcript.first_comment.as_str() {
        "# in the clear" => (config, Channel::clear([0; 18])),
        "# cleartext login allowed" => {
            let config = ServerConfig { cleartext_login: CleartextLogin::DangerouslyAllow, stls: false, ..config };
            (config, Channel::clear([0; 18]))
        }
        "# apop" => (ServerConfig { apop: true, ..config }, secure),
        "# all mechanisms" => (ServerConfig { mechanisms: Mechanism::ALL.to_vec(), ..config }, secure),
        "# all mechanisms, in the clear" => {
            (ServerConfig { mechanisms: Mechanism::ALL.to_vec(), ..config }, Channel::clear([0; 18]))
        }
        _ => (config, secure),
    };
    let mut server = Connection::new(config.into(), channel);
    let mut written = Vec::new();
    let mut open = serve(&mut server, &mut written);
    let mut lines = transcript.lines.iter().filter(|line| line.who == 'C').peekable();
    let feed: Vec<u8> = lines.by_ref().flat_map(|line| line.bytes.clone()).collect();
    for mut piece in cut.pieces(&feed) {
        while open && !piece.is_empty() {
            let space = server.space();
            let count = space.len().min(piece.len());
            assert!(count > 0, "the buffer takes more when the session wants to read");
            space[..count].copy_from_slice(&piece[..count]);
            server.filled(count);
            piece = &piece[count..];
            open = serve(&mut server, &mut written);
        }
    }
    String::from_utf8(written).unwrap()
}

#[test]
fn every_cut_of_every_transcript_gives_its_replies() {
    for transcript in replay::load("server") {
        let server_lines = transcript.lines.iter().filter(|line| line.who == 'S');
        let expected: Vec<u8> = server_lines.flat_map(|line| line.bytes.clone()).collect();
        let expected = String::from_utf8(expected).unwrap();
        let longest = transcript.lines.iter().map(|line| line.bytes.len()).sum();
        for cut in Cut::all(longest) {
            let written = replay(&transcript, cut);
            assert!(written == expected, "{} {cut:?}:\nis     {written:#?}\nshould {expected:#?}", transcript.name);
        }
    }
}
