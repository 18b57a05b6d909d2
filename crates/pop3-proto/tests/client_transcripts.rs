//! The client machine against dialogues in `transcripts/client`.

mod replay;

use bytes::BytesMut;
use pop3_proto::client::{CleartextLogin, Client, ClientConfig, ClientEvent, LocalError};
use pop3_proto::codec::{Command, Escaped};
use replay::{Cut, Transcript};

/// Feeds a transcript and writes down every event as a line.
fn replay(transcript: &Transcript, cut: Cut) -> Vec<String> {
    let mut config = ClientConfig { cleartext_login: CleartextLogin::DangerouslyAllow, ..ClientConfig::default() };
    if transcript.first_comment == "# cleartext refused" {
        config.cleartext_login = CleartextLogin::Refuse;
    }
    if transcript.first_comment == "# small limits" {
        (config.max_line, config.max_listing, config.max_capabilities, config.max_message) = (64, 3, 3, Some(40));
    }
    let mut client = match transcript.first_comment.as_str() {
        "# encrypted" => Client::new_encrypted(config),
        _ => Client::new(config),
    };
    let (mut log, mut unread) = (Vec::new(), Vec::new());
    let mut lines = transcript.lines.iter().filter(|line| line.who != '=').peekable();
    while let Some(line) = lines.next() {
        if line.who == 'C' {
            let command = line.bytes.strip_suffix(b"\r\n").unwrap();
            let mut out = BytesMut::new();
            match client.send(Command::parse(command).unwrap(), &mut out) {
                Ok(_) => assert_eq!(&out[..], &line.bytes[..], "what is sent"),
                Err(LocalError::Over) => log.push("refused: the session is over".to_owned()),
                Err(error) => log.push(format!("refused: {error}")),
            }
            continue;
        }
        if line.text == "EOF" {
            if let Err(error) = client.eof() {
                log.push(format!("error {error}"));
            }
            continue;
        }
        // What stands together was sent together.
        let mut feed = line.bytes.clone();
        while let Some(next) = lines.next_if(|next| next.who == 'S' && next.text != "EOF") {
            feed.extend_from_slice(&next.bytes);
        }
        for piece in cut.pieces(&feed) {
            unread.extend_from_slice(piece);
            if !poll(&mut client, &mut unread, &mut log) {
                return log;
            }
        }
    }
    log
}

/// Polls until more input is needed; false when the session has failed.
fn poll(client: &mut Client, unread: &mut Vec<u8>, log: &mut Vec<String>) -> bool {
    loop {
        let progress = match client.poll(unread) {
            Ok(progress) => progress,
            Err(error) => {
                log.push(format!("error {error}"));
                assert_eq!(client.poll(b""), Err(error.clone()), "an error stays");
                assert_eq!(client.eof(), Err(error));
                return false;
            }
        };
        let done =
            matches!(progress.event, ClientEvent::NeedInput if progress.consumed == 0) || progress.event == ClientEvent::Closed;
        note(progress.event, log);
        unread.drain(..progress.consumed);
        if done {
            return true;
        }
    }
}

fn note(event: ClientEvent<'_>, log: &mut Vec<String>) {
    match event {
        ClientEvent::NeedInput => {}
        ClientEvent::Greeting(greeting) => log.push(format!(
            "greeting {}{} {}",
            greeting.reply.status.as_str(),
            greeting.timestamp.map(|stamp| format!(" stamp {}", Escaped(stamp))).unwrap_or_default(),
            greeting.reply.display_text()
        )),
        ClientEvent::Reply(_, reply) => log.push(
            format!(
                "reply {}{} {}",
                reply.status.as_str(),
                reply.code.map(|code| format!(" [{}]", Escaped(code.as_bytes()))).unwrap_or_default(),
                reply.display_text()
            )
            .trim()
            .to_owned(),
        ),
        ClientEvent::Line(_, line) => log.push(format!("line {}", line.escape_ascii())),
        ClientEvent::Body(_, chunk) => {
            // Where a message was cut is nobody's business: pieces are put together.
            let chunk = chunk.escape_ascii().to_string();
            match log.last_mut() {
                Some(last) if last.starts_with("body ") => last.push_str(&chunk),
                _ => log.push(format!("body {chunk}")),
            }
        }
        ClientEvent::Challenge(_, challenge) => log.push(match challenge.decode() {
            Ok(text) => format!("challenge {}", text.escape_ascii()),
            Err(_) => "challenge (not base64)".to_owned(),
        }),
        ClientEvent::End(_) => log.push("end".to_owned()),
        ClientEvent::UpgradeTls(_) => log.push("upgrade".to_owned()),
        ClientEvent::Closed => {
            if log.last().is_none_or(|last| last != "closed") {
                log.push("closed".to_owned());
            }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_cut_of_every_transcript_gives_its_events() {
    for transcript in replay::load("client") {
        let expected: Vec<&str> = transcript.lines.iter().filter(|line| line.who == '=').map(|line| line.text.as_str()).collect();
        let longest = transcript.lines.iter().map(|line| line.bytes.len()).sum();
        for cut in Cut::all(longest) {
            let log = replay(&transcript, cut);
            let same = log.len() == expected.len()
                && log.iter().zip(&expected).all(|(is, should)| match should.strip_suffix("...") {
                    Some(beginning) => is.starts_with(beginning),
                    None => is.trim_end() == should.trim_end(),
                });
            assert!(same, "{} {cut:?}:\nis     {log:#?}\nshould {expected:#?}", transcript.name);
        }
    }
}
