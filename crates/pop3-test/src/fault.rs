//! Faults of the server.

use std::time::Duration;

/// A fault: what goes wrong, and at which command.
///
/// ```
/// use pop3_test::Fault;
/// let refused = Fault::on("STAT").refuse("[SYS/TEMP] try again later");
/// let cut = Fault::on("RETR").nth(3).cut_after(100);
/// let mute = Fault::on("greeting").stall();
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    verb: String,
    nth: Option<usize>,
    pub(crate) kind: Kind,
}

/// The command at which a fault occurs; its methods say what goes wrong.
#[derive(Clone, Debug)]
pub struct Trigger {
    verb: String,
    nth: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Reply(Vec<u8>),
    CutAfter(usize),
    StallAfter(usize),
    Drip(Duration),
    Close,
}

impl Fault {
    /// Begins a fault at a command, such as `RETR`, at the `greeting`, or at `*`, any command. Without [`Trigger::nth`] it occurs at
    /// each such command.
    pub fn on(verb: &str) -> Trigger {
        Trigger { verb: verb.to_owned(), nth: None }
    }

    /// Returns `true` if the fault occurs at the `count`-th command with this verb; `of_all` counts all commands.
    pub(crate) fn occurs(&self, verb: &str, count: usize, of_all: usize) -> bool {
        let any = self.verb == "*";
        (any || self.verb.eq_ignore_ascii_case(verb)) && self.nth.is_none_or(|nth| nth == if any { of_all } else { count })
    }
}

impl Trigger {
    /// Restricts the fault to the `nth` command with this verb, counted from 1 over all sessions.
    #[must_use]
    pub fn nth(self, nth: usize) -> Self {
        Self { nth: Some(nth), ..self }
    }

    /// The command is not executed, and the reply is `-ERR` with this text, which may begin with a response code.
    pub fn refuse(self, text: &str) -> Fault {
        self.reply(format!("-ERR {text}\r\n"))
    }

    /// The command is not executed, and these bytes are the reply: garbage, or what another server would send.
    pub fn reply(self, bytes: impl Into<Vec<u8>>) -> Fault {
        self.with(Kind::Reply(bytes.into()))
    }

    /// The connection is closed after this many octets of the reply.
    pub fn cut_after(self, octets: usize) -> Fault {
        self.with(Kind::CutAfter(octets))
    }

    /// The command is not executed, the server never replies, and the connection stays open.
    pub fn stall(self) -> Fault {
        self.stall_after(0)
    }

    /// The server sends this many octets of the reply, then nothing more, and the connection stays open. With 0 the command is not
    /// executed.
    pub fn stall_after(self, octets: usize) -> Fault {
        self.with(Kind::StallAfter(octets))
    }

    /// The server sends one octet of the reply after each `pause`.
    pub fn drip(self, pause: Duration) -> Fault {
        self.with(Kind::Drip(pause))
    }

    /// The server closes the connection instead of a reply.
    pub fn close(self) -> Fault {
        self.with(Kind::Close)
    }

    fn with(self, kind: Kind) -> Fault {
        Fault { verb: self.verb, nth: self.nth, kind }
    }
}
