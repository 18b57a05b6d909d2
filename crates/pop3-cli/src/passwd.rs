//! The subcommand `pop3 passwd`.

use std::io::{self, IsTerminal};

use pop3_users::{HashError, SetPasswordError, is_safe_name, set_password};

use crate::arguments::Passwd;
use crate::failure::{Exit, Failure, say};
use crate::password;

/// Sets the password of a user.
pub fn run(arguments: &Passwd) -> Result<(), Failure> {
    let (file, name) = (&arguments.users, &arguments.name);
    // A bad name is reported before the password is asked for.
    if !is_safe_name(name) {
        return Err(failure(arguments, SetPasswordError::Name(name.clone())));
    }
    let password = if io::stdin().is_terminal() {
        let password = password::prompt(&format!("New password for {name}: "))?;
        if password::prompt("Repeat the new password: ")? != password {
            return Err(Failure::new(Exit::Other, "the two passwords differ; nothing was changed"));
        }
        password
    } else {
        password::from_stdin()?
    };
    set_password(file, name, &password).map_err(|error| failure(arguments, error))?;
    say(format_args!("{name} can log in with the new password."))
}

fn failure(arguments: &Passwd, error: SetPasswordError) -> Failure {
    match error {
        SetPasswordError::Name(_) => Failure::new(Exit::Other, error)
            .hint("A name must not contain / or :, must not begin with # or -, and must not begin or end with a dot or a blank."),
        SetPasswordError::Password(HashError::Empty) => Failure::new(Exit::Usage, format_args!("{error}; nothing was changed")),
        SetPasswordError::Password(error) => Failure::new(Exit::Other, error),
        SetPasswordError::File(error) => Failure::file(&arguments.users, &error),
    }
}
