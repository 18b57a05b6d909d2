//! The subcommand `pop3 passwd`.

use std::io::{self, IsTerminal};

use pop3_blocking::proto::Secret;
use pop3_users::{HashError, SetPasswordError, hash, is_safe_name, scram_keys, set_stored};

use crate::arguments::Passwd;
use crate::failure::{Exit, Failure, say};
use crate::language::Message;
use crate::password;

/// Sets the password of a user.
pub fn run(arguments: &Passwd) -> Result<(), Failure> {
    let (file, name) = (&arguments.users, &arguments.name);
    // A bad name is reported before the password is asked for.
    if !is_safe_name(name) {
        return Err(failure(arguments, SetPasswordError::Name(name.clone())));
    }
    let password = if io::stdin().is_terminal() {
        let password = ask(&Message::new("passwd-new").with("user", name))?;
        if ask(&Message::new("passwd-repeat"))? != password {
            return Err(Failure::new(Exit::Other, Message::new("passwd-differ")));
        }
        password
    } else {
        password::from_stdin()?
    };
    let stored = if arguments.scram { scram_keys(password.expose()) } else { hash(password.expose()) };
    let stored = stored.map_err(|error| failure(arguments, error.into()))?;
    set_stored(file, arguments.users_format.into(), name, &stored).map_err(|error| failure(arguments, error))?;
    say(Message::new("passwd-set").with("user", name))
}

fn ask(question: &Message) -> Result<Secret, Failure> {
    password::prompt(&format!("{question} "))
}

fn failure(arguments: &Passwd, error: SetPasswordError) -> Failure {
    match error {
        SetPasswordError::Name(name) => {
            Failure::new(Exit::Other, Message::new("passwd-name").with("user", format_args!("{name:?}")))
                .and(Message::new("passwd-name-next"))
        }
        SetPasswordError::Password(HashError::Empty) => Failure::new(Exit::Usage, Message::new("passwd-empty")),
        SetPasswordError::Password(error) => Failure::new(Exit::Other, error),
        SetPasswordError::File(error) => Failure::file(&arguments.users, &error),
    }
}
