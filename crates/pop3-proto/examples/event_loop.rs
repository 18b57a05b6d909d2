//! A client and a server in one hand-written event loop over non-blocking sockets: `cargo run -p pop3-proto --example event_loop`.
//!
//! No driver and no runtime: mio reports when a socket is ready, and the core does the rest.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, Read, Write};
use std::sync::Arc;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use pop3_proto::client::{self, CleartextLogin, ClientConfig, ClientEvent};
use pop3_proto::codec::{Command, Status, UniqueId, WireSize};
use pop3_proto::sasl::PresentedCredentials;
use pop3_proto::server::{self, ConnectionInfo, LoginDenial, Question, ServerConfig, Snapshot};

const MAIL: &[u8] = b"Subject: hello\n\n.a line that begins with a dot\n";

/// Repeats until a socket is not ready; returns `false` when the session has ended.
fn until_blocked(mut go_on: impl FnMut() -> io::Result<bool>) -> Result<bool, Box<dyn Error>> {
    loop {
        match go_on() {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

/// One step of the server.
fn serve(session: &mut server::Connection, stream: &mut TcpStream) -> io::Result<bool> {
    match session.next_action() {
        server::Action::Read => match stream.read(session.unfilled())? {
            0 => return Ok(false),
            count => session.advance_read(count),
        },
        server::Action::Write => {
            let count = stream.write(session.output())?;
            session.advance_written(count);
        }
        server::Action::Close => return Ok(false),
        server::Action::Answer(question) => answer(session, &question).map_err(io::Error::other)?,
        server::Action::UpgradeTls => return Err(io::Error::other("this example has no TLS")),
        server::Action::Unanswered => unreachable!("every question is answered at once"),
    }
    Ok(true)
}

/// Answers what the session asks about users and mail. The answer could come later: until then the session waits, and so does its client.
fn answer(session: &mut server::Connection, question: &Question) -> Result<(), Box<dyn Error + Send + Sync>> {
    match question {
        Question::Authenticate(login) => match &login.credentials {
            PresentedCredentials::Password(password) if login.name.as_bytes() == b"joe" && password.expose() == b"secret" => {
                let (mut snapshot, mut size) = (Snapshot::default(), WireSize::new());
                size.add(MAIL);
                snapshot.push(size.octets(), UniqueId::new("1")?)?;
                session.answer().accept(snapshot)?;
            }
            _ => session.answer().deny(LoginDenial::Credentials)?,
        },
        Question::Retrieve { .. } => {
            session.answer().begin_message()?;
            session.answer().body(MAIL)?;
            session.answer().end_message()?;
        }
        Question::Commit => session.answer().finish_commit(0)?,
        _ => session.abort(),
    }
    Ok(())
}

/// A client with the commands that it is going to send.
struct Fetch {
    session: client::Connection,
    script: VecDeque<&'static [u8]>,
    mail: Vec<u8>,
}

impl Fetch {
    /// One step: the end of each reply sends the next command.
    fn step(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        let Self { session, script, mail } = self;
        let action = session.process_events(|event, sink| {
            match event {
                ClientEvent::Closed => return Ok(Some(())),
                ClientEvent::Reply(_, reply) if reply.status == Status::Err => return Ok(Some(())),
                ClientEvent::Reply(tag, _) if sink.is_in_flight(tag) => return Ok(None),
                ClientEvent::Body(_, chunk) => {
                    mail.extend_from_slice(chunk);
                    return Ok(None);
                }
                _ => {}
            }
            if let Some(command) = script.pop_front().and_then(|line| Command::parse(line).ok()) {
                sink.send(command)?;
            }
            Ok(None)
        });
        match action.map_err(io::Error::other)? {
            client::Action::Done(()) => return Ok(false),
            client::Action::Write => {
                let count = stream.write(session.output())?;
                session.advance_written(count);
            }
            client::Action::Read => {
                let count = stream.read(session.unfilled())?;
                session.advance_read(count).map_err(io::Error::other)?;
            }
        }
        Ok(true)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    const LISTENER: Token = Token(0);
    const SERVER: Token = Token(1);
    const CLIENT: Token = Token(2);
    let both = Interest::READABLE | Interest::WRITABLE;
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(16));
    let mut listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut ours = TcpStream::connect(listener.local_addr()?)?;
    poll.registry().register(&mut ours, CLIENT, both)?;
    let config = ClientConfig { cleartext_login: CleartextLogin::DangerouslyAllow, ..ClientConfig::default() };
    let script = [&b"USER joe"[..], b"PASS secret", b"RETR 1", b"QUIT"].into();
    let mut client = Fetch { session: client::Connection::new(config), script, mail: Vec::new() };
    let mut served = None;
    let config = Arc::new(ServerConfig { cleartext_login: CleartextLogin::DangerouslyAllow, ..ServerConfig::default() });
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            match (event.token(), &mut served) {
                (LISTENER, None) => {
                    let (mut stream, _) = listener.accept()?;
                    poll.registry().register(&mut stream, SERVER, both)?;
                    // A server on a network needs a random nonce for each session.
                    served = Some((server::Connection::new(Arc::clone(&config), ConnectionInfo::clear([0; 18])), stream));
                }
                (SERVER, Some((session, stream))) => {
                    let goes_on = until_blocked(|| serve(session, stream))?;
                    if !goes_on {
                        served = None;
                    }
                }
                (CLIENT, _) => {
                    let goes_on = until_blocked(|| client.step(&mut ours))?;
                    if !goes_on {
                        println!("{}", String::from_utf8_lossy(&client.mail));
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
    }
}
