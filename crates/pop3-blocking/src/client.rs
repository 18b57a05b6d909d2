// Made from pop3-tokio/src/client.rs by crates/twins.py: change it there.

//! The client.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use pop3_driver::proto::client::requests::{self, UniqueIdEntry};
use pop3_driver::proto::client::{
    Action, ClientEvent, Connection, Deadline, LoginContext, LoginOutcome, LoginPolicy, Request, RequestError, Tag, Timeouts,
};
use pop3_driver::proto::codec::{Capabilities, Command, DropListing, MessageNumber, ScanListing, Word};
use pop3_driver::proto::sasl::{ChannelBinding, Credentials};
use pop3_driver::{Error, rustls, tls};

use crate::message::Message;
use crate::runtime::{self, Instant, Stream, later};

/// A session with a POP3 server.
///
/// A call that fails with a [refusal](Error::refusal) leaves the session alive. After any other error it may be tried again,
/// but a broken session only says so again.
pub struct Client {
    pub(crate) connection: Connection,
    pub(crate) stream: Stream,
    pub(crate) timeouts: Timeouts,
    /// For `STLS`.
    pub(crate) stls: Option<Arc<rustls::ClientConfig>>,
    /// What is awaited, how far the session had come when that began, and until when.
    pub(crate) awaited: Option<(Deadline, u64, Instant)>,
    /// What was written may still lie in a buffer of the stream.
    pub(crate) unflushed: bool,
    /// When something was said last.
    pub(crate) said: Instant,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What a login can be bound to.
    pub(crate) binding: ChannelBinding,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Client {
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
    /// See [`login`](Self::login); there may be no way that is possible and allowed. [`Error::login_failure`] tells what it means.
    pub fn login_with(&mut self, credentials: &Credentials, policy: &LoginPolicy) -> Result<(), Error> {
        let policy = LoginPolicy { stls: policy.stls && self.stls.is_some(), ..policy.clone() };
        let (host, binding) = (self.host.clone(), self.binding.clone());
        let context = LoginContext { host: &host, port: self.port, nonce: tls::random()?, binding };
        let mut login = requests::login(credentials, &policy, context);
        self.drive(Connection::drain_abandoned)?;
        loop {
            self.connection.start(&mut login)?;
            match self.drive(|connection| connection.next_action(&mut login))? {
                LoginOutcome::Done => return Ok(()),
                LoginOutcome::UpgradeTls => self.upgrade()?,
            }
            login.bind(self.binding.clone());
        }
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

    /// `LIST n`: the size of one message.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn list_one(&mut self, number: MessageNumber) -> Result<ScanListing, Error> {
        self.run(requests::list_one(number))
    }

    /// `UIDL n`: the unique-id of one message.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn uidl_one(&mut self, number: MessageNumber) -> Result<UniqueIdEntry, Error> {
        self.run(requests::uidl_one(number))
    }

    /// `RETR`: a message, which is read through what is returned.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn retr(&mut self, number: MessageNumber) -> Result<Message<'_>, Error> {
        let tag = self.run(requests::retr(number))?;
        Ok(Message::new(self, tag))
    }

    /// `TOP`: the header of a message and so many lines of its body.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn top(&mut self, number: MessageNumber, lines: u64) -> Result<Message<'_>, Error> {
        let tag = self.run(requests::top(number, lines))?;
        Ok(Message::new(self, tag))
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

    /// `UTF8`: messages may come in UTF-8 from now on. Before login.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn utf8(&mut self) -> Result<(), Error> {
        self.run(requests::utf8())
    }

    /// `LANG` alone: the languages that the server speaks to people, each with its tag and perhaps its name.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn languages(&mut self) -> Result<Vec<Box<[u8]>>, Error> {
        self.run(requests::languages())
    }

    /// `LANG`: the server speaks this language to people from now on; `*`: the one that it prefers.
    ///
    /// # Errors
    /// The server does not know the language, or the session broke.
    pub fn lang(&mut self, range: &str) -> Result<(), Error> {
        self.run(requests::lang(Word::new(range)?))
    }

    /// `QUIT`: ends the session and removes what is marked.
    ///
    /// # Errors
    /// A refusal: not all of it is removed. A [disconnect](Error::is_disconnect): whether it is, is not known (Q43).
    pub fn quit(mut self) -> Result<(), Error> {
        self.run(requests::quit())?;
        // The server has answered and closes too: nothing depends on how that ends.
        let _ = runtime::close(&mut self.stream, later(self.timeouts.quit));
        Ok(())
    }

    /// Runs any request.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn run<R: Request>(&mut self, mut request: R) -> Result<R::Output, Error> {
        self.drive(Connection::drain_abandoned)?;
        self.connection.start(&mut request)?;
        self.drive(|connection| connection.next_action(&mut request))
    }

    /// Sends many commands, so many at once; see [`requests::batch`].
    ///
    /// # Errors
    /// The session broke.
    pub fn batch<'a>(
        &mut self,
        window: usize,
        commands: impl IntoIterator<Item = Command<'a>>,
        on_event: impl FnMut(usize, ClientEvent<'_>),
    ) -> Result<(), Error> {
        self.run(requests::batch(window, commands, on_event))
    }

    /// Says `NOOP` if nothing was said for so long: to be called now and then by who has other things to do between commands, as some
    /// servers send idle clients away after a minute (Q41). Tells whether it was said.
    ///
    /// # Errors
    /// The server refuses, or the session broke.
    pub fn keep_alive(&mut self, after: Duration) -> Result<bool, Error> {
        let due = self.said.elapsed() >= after;
        if due {
            self.noop()?;
        }
        Ok(due)
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
        self.drive(|connection| connection.process_events(|event, _| Ok::<_, RequestError>(on_event(event))))
    }

    /// The one loop between machine and stream.
    pub(crate) fn drive<T>(
        &mut self,
        mut step: impl FnMut(&mut Connection) -> Result<Action<T>, RequestError>,
    ) -> Result<T, Error> {
        loop {
            match step(&mut self.connection)? {
                Action::Done(value) => return Ok(value),
                Action::Write => self.write()?,
                Action::Read => self.read()?,
            }
        }
    }

    fn write(&mut self) -> Result<(), Error> {
        let after = self.timeouts.command;
        let written = runtime::write(&mut self.stream, self.connection.output(), later(after));
        // Noted at once, so that a command is never sent twice.
        self.connection.advance_written(written.map_err(|error| failed(error, "a command was sent", after))?);
        self.unflushed = true;
        self.said = Instant::now();
        self.flush(after)
    }

    /// A flush that was cancelled is made up for before the next read.
    fn flush(&mut self, after: Duration) -> Result<(), Error> {
        let flushed = runtime::flush(&mut self.stream, later(after));
        flushed.map_err(|error| failed(error, "a command was sent", after))?;
        self.unflushed = false;
        Ok(())
    }

    fn read(&mut self) -> Result<(), Error> {
        let (after, until) = self.until();
        if self.unflushed {
            self.flush(after)?;
        }
        match runtime::read(&mut self.stream, self.connection.unfilled(), until) {
            Ok(count) => Ok(self.connection.advance_read(count)?),
            Err(error) => Err(failed(error, self.connection.machine().waiting_for(), after)),
        }
    }

    /// What is awaited, and until when. Bytes alone move no deadline: a server that drips must not hold us for ever.
    fn until(&mut self) -> (Duration, Instant) {
        let machine = self.connection.machine();
        let (deadline, activity) = (machine.deadline().unwrap_or(Deadline::Command), machine.activity());
        let after = self.timeouts.of(deadline);
        match self.awaited {
            Some((awaited, at, until)) if (awaited, at) == (deadline, activity) => (after, until),
            _ => {
                let until = later(after);
                self.awaited = Some((deadline, activity, until));
                (after, until)
            }
        }
    }
}

fn failed(error: io::Error, waiting_for: &'static str, after: Duration) -> Error {
    if error.kind() == io::ErrorKind::TimedOut { Error::TimedOut { waiting_for, after } } else { error.into() }
}
