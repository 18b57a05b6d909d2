//! The server against the dialogues of the contract.

mod answering;

use answering::serve;
use pop3_contract::{Cut, Transcript, server, transcript};
use pop3_proto::server::Connection;

fn replay(transcript: &Transcript, cut: Cut) -> String {
    let (config, info) = server::set_up(transcript);
    let mut server = Connection::new(config.into(), info);
    let (mut mail, mut written) = (None, Vec::new());
    let mut open = serve(&mut server, &mut mail, &mut written);
    for mut piece in cut.pieces(&server::said(transcript)) {
        while open && !piece.is_empty() {
            let space = server.unfilled();
            let count = space.len().min(piece.len());
            assert!(count > 0, "the buffer takes more when the session wants to read");
            space[..count].copy_from_slice(&piece[..count]);
            server.advance_read(count);
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
