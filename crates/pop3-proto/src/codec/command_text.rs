//! Commands as text: on the wire, and for people without their secrets.

use core::fmt;

use bytes::{BufMut, BytesMut};

use super::number::{hex_digits, put_decimal};
use super::{Command, Escaped};

impl Command<'_> {
    /// Appends the command line with its CR LF. Each call appends exactly one line, whatever the arguments are.
    // H15
    pub fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Extension(command) => out.put_slice(command.line().as_bytes()),
            command => out.put_slice(command.verb().as_str().as_bytes()),
        }
        match self {
            Self::Extension(_)
            | Self::AuthList
            | Self::Capa
            | Self::Noop
            | Self::Quit
            | Self::Rset
            | Self::Stat
            | Self::Stls
            | Self::Lang(None)
            | Self::Last
            | Self::List(None)
            | Self::Uidl(None)
            | Self::Utf8 => {}
            Self::Lang(Some(language)) => {
                out.put_u8(b' ');
                out.put_slice(language.as_bytes());
            }
            Self::Xclient(words) => {
                out.put_u8(b' ');
                out.put_slice(words.as_bytes());
            }
            Self::Dele(number) | Self::Retr(number) | Self::List(Some(number)) | Self::Uidl(Some(number)) => {
                put_argument(out, (*number).get().into());
            }
            Self::Top(number, lines) => {
                put_argument(out, (*number).get().into());
                put_argument(out, *lines);
            }
            Self::Auth(mechanism, initial) => {
                for word in [Some(mechanism), initial.as_ref()].into_iter().flatten() {
                    out.put_u8(b' ');
                    out.put_slice(word.as_bytes());
                }
            }
            Self::User(name) => {
                out.put_u8(b' ');
                out.put_slice(name.as_bytes());
            }
            Self::Pass(password) => {
                out.put_u8(b' ');
                out.put_slice(password.expose());
            }
            Self::Apop(name, digest) => {
                out.put_u8(b' ');
                out.put_slice(name.as_bytes());
                out.put_u8(b' ');
                for octet in digest.expose() {
                    out.put_slice(&hex_digits(*octet));
                }
            }
        }
        out.put_slice(b"\r\n");
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({self})")
    }
}

/// Shows the complete command without its secrets, escaped for a terminal.
// H25, H56
impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension(command) => write!(f, "{command}")?,
            command => write!(f, "{}", command.verb())?,
        }
        match self {
            Self::Extension(_)
            | Self::AuthList
            | Self::Capa
            | Self::Noop
            | Self::Quit
            | Self::Rset
            | Self::Stat
            | Self::Stls
            | Self::Lang(None)
            | Self::Last
            | Self::List(None)
            | Self::Uidl(None)
            | Self::Utf8 => Ok(()),
            Self::Lang(Some(language)) => write!(f, " {}", Escaped(language.as_bytes())),
            Self::Xclient(words) => write!(f, " {}", Escaped(words.as_bytes())),
            Self::Auth(mechanism, None) => write!(f, " {}", Escaped(mechanism.as_bytes())),
            Self::Auth(mechanism, Some(_)) => write!(f, " {} [redacted]", Escaped(mechanism.as_bytes())),
            Self::Dele(number) | Self::Retr(number) | Self::List(Some(number)) | Self::Uidl(Some(number)) => {
                write!(f, " {number}")
            }
            Self::Top(number, lines) => write!(f, " {number} {lines}"),
            Self::User(name) => write!(f, " {}", Escaped(name.as_bytes())),
            Self::Pass(_) => f.write_str(" [redacted]"),
            Self::Apop(name, _) => write!(f, " {} [redacted]", Escaped(name.as_bytes())),
        }
    }
}

fn put_argument(out: &mut BytesMut, number: u64) {
    out.put_u8(b' ');
    put_decimal(out, number);
}
