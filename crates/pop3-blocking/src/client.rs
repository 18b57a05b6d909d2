//! The client.

use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pop3_driver::proto::client::requests::{self, OwnedGreeting, UniqueIdEntry};
use pop3_driver::proto::client::{
    ClientEvent, Connection, Deadline, LoginContext, LoginPolicy, Observer, Request, RequestError, Step, Tag, Timeouts,
};
use pop3_driver::proto::codec::{Capabilities, Command, DropListing, MessageNumber, ScanListing};
use pop3_driver::proto::sasl::{ChannelBinding, Credentials};
use pop3_driver::{ClientOptions, Error, Security, rustls, tls};

use crate::stream::{self, Socket, Transport, later};

/// A session with a POP3 server.
///
/// A call that fails with a [refusal](Error::refusal) leaves the session alive. After any other error it may be tried again,
/// but a broken session only says so again.
pub struct Client {
    connection: Connection,
    stream: Box<dyn Transport>,
    timeouts: Timeouts,
    /// What is awaited, how far the session had come when that began, and until when.
    awaited: Option<(Deadline, u64, Instant)>,
    /// What was written may still lie in a buffer of the stream.
    unflushed: bool,
    host: String,
    port: u16,
    /// What a login can be bound to.
    binding: ChannelBinding,
    greeting: OwnedGreeting,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects, secures the connection as the options demand, and reads the greeting. All addresses of the host are tried in
    /// turn.
    ///
    /// # Errors
    /// No address answers, the certificate is not to be trusted, or the server refuses.
    pub fn connect(host: &str, port: u16, options: &ClientOptions) -> Result<Self, Error> {
        Self::connect_observed(host, port, options, None)
    }

    /// The same with somebody who is told what goes over the wire.
    ///
    /// # Errors
    /// See [`connect`](Self::connect).
    pub fn connect_observed(
        host: &str,
        port: u16,
        options: &ClientOptions,
        observer: Option<Box<dyn Observer>>,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Connect { host: host.to_owned(), port, source };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (host, port).to_socket_addrs().map_err(failed)? {
            match TcpStream::connect_timeout(&address, options.timeouts.connect).and_then(Socket::new) {
                Ok(socket) => return Self::over(Box::new(socket), host, port, options, observer),
                Err(error) => last = error,
            }
        }
        Err(failed(last))
    }

    /// A session over a stream of the caller's own, on which nothing was said yet. `host` is what a certificate must
    /// bear; `port` is told to the server by some logins.
    ///
    /// # Errors
    /// See [`connect`](Self::connect).
    pub fn over(
        mut stream: Box<dyn Transport>,
        host: &str,
        port: u16,
        options: &ClientOptions,
        observer: Option<Box<dyn Observer>>,
    ) -> Result<Self, Error> {
        let mut binding = ChannelBinding::default();
        let mut connection = match &options.security {
            Security::Tls(config) => {
                (stream, binding) = secure(stream, host, config, options)?;
                Connection::new_encrypted(options.config.clone())
            }
            Security::Stls(_) | Security::DangerousCleartext => Connection::new(options.config.clone()),
        };
        if let Some(observer) = observer {
            connection.observe(observer);
        }
        let greeting = OwnedGreeting { text: Box::default(), timestamp: None };
        let (timeouts, host) = (options.timeouts, host.to_owned());
        let mut client = Self { connection, stream, timeouts, awaited: None, unflushed: false, host, port, binding, greeting };
        client.greeting = client.run(requests::greet())?;
        if let Security::Stls(config) = &options.security {
            client.run(requests::stls()).map_err(|error| match error {
                Error::Request(RequestError::Refused(refusal)) => Error::NoStls(refusal),
                other => other,
            })?;
            client.connection = client.connection.into_upgraded()?;
            (client.stream, client.binding) = secure(client.stream, &client.host, config, options)?;
        }
        Ok(client)
    }

    /// The server's greeting.
    pub const fn greeting(&self) -> &OwnedGreeting {
        &self.greeting
    }

    /// The connection below, for what it can tell.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// `CAPA`: what the server can do now; it may be more after login.
    ///
    /// # Errors
    /// The server refuses (then nothing is known), or the session broke.
    pub fn capa(&mut self) -> Result<Capabilities, Error> {
        self.run(requests::capa())
    }

    /// Logs in by the strongest way that both sides have: see [`requests::login`].
    ///
    /// # Errors
    /// The server refuses; the connection is in the clear and the options do not allow that; a name or password that cannot be
    /// sent.
    pub fn login(&mut self, name: &str, password: &str) -> Result<(), Error> {
        self.login_with(&Credentials::password(name, password)?, &LoginPolicy::default())
    }

    /// Logs in with any credentials, in a way that the policy allows.
    ///
    /// # Errors
    /// See [`login`](Self::login); there may be no way that is possible and allowed.
    pub fn login_with(&mut self, credentials: &Credentials, policy: &LoginPolicy) -> Result<(), Error> {
        let (host, binding) = (self.host.clone(), self.binding.clone());
        let context = LoginContext { host: &host, port: self.port, nonce: tls::chance()?, binding };
        self.run(requests::login(credentials, policy, &context))
    }

    /// `STAT`: how much is in the maildrop.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn stat(&mut self) -> Result<DropListing, Error> {
        self.run(requests::stat())
    }

    /// `LIST`: the sizes of all messages.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn list(&mut self) -> Result<Vec<ScanListing>, Error> {
        self.run(requests::list())
    }

    /// `UIDL`: the unique-ids of all messages.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn uidl(&mut self) -> Result<Vec<UniqueIdEntry>, Error> {
        self.run(requests::uidl())
    }

    /// `RETR`: a message, which is read through what is returned.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn retr(&mut self, number: MessageNumber) -> Result<Message<'_>, Error> {
        let tag = self.run(requests::retr(number))?;
        Ok(Message { client: self, tag })
    }

    /// `TOP`: the header of a message and so many lines of its body.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn top(&mut self, number: MessageNumber, lines: u64) -> Result<Message<'_>, Error> {
        let tag = self.run(requests::top(number, lines))?;
        Ok(Message { client: self, tag })
    }

    /// `DELE`: marks a message; [`quit`](Self::quit) removes it.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn dele(&mut self, number: MessageNumber) -> Result<(), Error> {
        self.run(requests::dele(number))
    }

    /// `RSET`: takes all marks back.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn rset(&mut self) -> Result<(), Error> {
        self.run(requests::rset())
    }

    /// `NOOP`: keeps the session.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn noop(&mut self) -> Result<(), Error> {
        self.run(requests::noop())
    }

    /// `QUIT`: ends the session and removes what is marked.
    ///
    /// # Errors
    /// A refusal: not all of it is removed. A [disconnect](Error::is_disconnect): whether it is, is not known (Q43).
    pub fn quit(mut self) -> Result<(), Error> {
        self.run(requests::quit())?;
        // The server has answered and closes too: nothing depends on how that ends.
        let _ = self.stream.close();
        Ok(())
    }

    /// Runs any request.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn run<R: Request>(&mut self, mut request: R) -> Result<R::Output, Error> {
        self.connection.start(&mut request)?;
        self.drive(|connection| connection.run(&mut request))
    }

    /// The raw level: sends a command. As many as the window allows may be sent before their replies are read.
    ///
    /// # Errors
    /// The session does not allow it now.
    pub fn send(&mut self, command: Command<'_>) -> Result<Tag, Error> {
        Ok(self.connection.send(command)?)
    }

    /// The raw level: writes what was sent and gives what comes to `on_event` until it returns something.
    ///
    /// # Errors
    /// The session broke.
    pub fn event<T>(&mut self, mut on_event: impl FnMut(ClientEvent<'_>) -> Option<T>) -> Result<T, Error> {
        self.drive(|connection| connection.step(|event, _| Ok::<_, RequestError>(on_event(event))))
    }

    /// The one loop between machine and stream.
    fn drive<T>(&mut self, mut step: impl FnMut(&mut Connection) -> Result<Step<T>, RequestError>) -> Result<T, Error> {
        loop {
            match step(&mut self.connection)? {
                Step::Done(value) => return Ok(value),
                Step::Write => self.write()?,
                Step::Read => self.read()?,
            }
        }
    }

    fn write(&mut self) -> Result<(), Error> {
        let after = self.timeouts.command;
        self.stream.set_deadline(later(after))?;
        let timed_out = |error| failed(error, "a command was sent", after);
        match self.stream.write(self.connection.output()) {
            Ok(0) => return Err(Error::Io(io::ErrorKind::WriteZero.into())),
            Ok(count) => {
                // Noted at once, so that a command is never sent twice.
                self.connection.written(count);
                self.unflushed = true;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(timed_out(error)),
        }
        self.flush(after)
    }

    fn flush(&mut self, after: Duration) -> Result<(), Error> {
        loop {
            match self.stream.flush() {
                Ok(()) => {
                    self.unflushed = false;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error, "a command was sent", after)),
            }
        }
    }

    fn read(&mut self) -> Result<(), Error> {
        let (deadline, after, until) = self.until();
        self.stream.set_deadline(until)?;
        if self.unflushed {
            self.flush(after)?;
        }
        match stream::read(&mut self.stream, self.connection.space()) {
            Ok(count) => Ok(self.connection.filled(count)?),
            Err(error) => Err(failed(error, deadline.doing(), after)),
        }
    }

    /// What is awaited, and until when. Bytes alone move no deadline: a server that drips must not hold us for ever.
    fn until(&mut self) -> (Deadline, Duration, Instant) {
        let machine = self.connection.machine();
        let (deadline, moves) = (machine.deadline().unwrap_or(Deadline::Command), machine.moves());
        let after = self.timeouts.of(deadline);
        match self.awaited {
            Some((awaited, at, until)) if (awaited, at) == (deadline, moves) => (deadline, after, until),
            _ => {
                let until = later(after);
                self.awaited = Some((deadline, moves, until));
                (deadline, after, until)
            }
        }
    }
}

fn failed(error: io::Error, doing: &'static str, after: Duration) -> Error {
    if error.kind() == io::ErrorKind::TimedOut { Error::TimedOut { doing, after } } else { error.into() }
}

/// TLS over `stream`, verified for `host`, and what a login can be bound to.
fn secure(
    mut stream: Box<dyn Transport>,
    host: &str,
    config: &Arc<rustls::ClientConfig>,
    options: &ClientOptions,
) -> Result<(Box<dyn Transport>, ChannelBinding), Error> {
    let after = options.timeouts.connect;
    stream.set_deadline(later(after))?;
    stream::connect_tls(stream, config, tls::server_name(host)?).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => Error::TimedOut { doing: "the TLS handshake was done", after },
        _ => tls::explain(&error),
    })
}

/// A message on its way. One that is dropped before its end is read to its end by the next command.
#[derive(Debug)]
pub struct Message<'c> {
    client: &'c mut Client,
    tag: Tag,
}

impl Message<'_> {
    /// The next piece, stuffing removed, without a copy; `None` at the end. Only then is the message complete (H13).
    ///
    /// # Errors
    /// The session broke: what came is not a message.
    pub fn chunk(&mut self) -> Result<Option<&[u8]>, Error> {
        let tag = self.tag;
        let more = self.client.drive(|connection| Ok(connection.next_chunk(tag)?))?;
        Ok(more.then(|| self.client.connection.chunk()))
    }

    /// Writes all of it to `sink`; gives its octets.
    ///
    /// # Errors
    /// The session broke, or the sink takes no more.
    pub fn copy_to(&mut self, sink: &mut impl Write) -> Result<u64, Error> {
        let mut octets = 0;
        while let Some(chunk) = self.chunk()? {
            sink.write_all(chunk).map_err(Error::Sink)?;
            octets += chunk.len() as u64;
        }
        Ok(octets)
    }

    /// All of it in memory.
    ///
    /// # Errors
    /// The session broke.
    pub fn into_vec(mut self) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        self.copy_to(&mut text)?;
        Ok(text)
    }
}
