//! A destination of mail, and why it takes no message.

use std::io;
use std::process;

use super::spool::Spooled;

/// Keeps the secrets of this program's environment from a command.
pub fn without_secrets(command: &mut process::Command) {
    for name in ["POP3_PASSWORD", "POP3_PROXY", "CREDENTIALS_DIRECTORY"] {
        command.env_remove(name);
    }
}

/// A place that takes messages.
pub trait Destination {
    /// Delivers a message. When this returns, the destination has it safely.
    fn deliver(&mut self, message: &Spooled) -> Result<(), Trouble>;
}

/// Why a message was not delivered.
#[derive(Debug)]
pub enum Trouble {
    /// The destination does not take this message. It may take another.
    Refused(String),
    /// The destination takes none now.
    Unavailable(String),
}

impl Trouble {
    pub fn into_text(self) -> String {
        match self {
            Self::Refused(text) | Self::Unavailable(text) => text,
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
