//! The subcommand `pop3 mock`: a server for the tests of software in any language.

mod faults;
mod mail;

use std::fs;
use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;

use pop3_test::Server;
use serde_json::json;

use crate::arguments::Mock;
use crate::failure::{Exit, Failure, say};
use faults::Script;

pub fn run(arguments: &Mock) -> Result<(), Failure> {
    let script = match &arguments.faults {
        Some(file) => {
            let text = fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
            Script::parse(&text).map_err(|error| Failure::new(Exit::Usage, format_args!("{}: {error}", file.display())))?
        }
        None => Script::default(),
    };
    let messages = mail::read(&arguments.mail)?;
    let count = messages.len();
    let (events, told) = mpsc::channel();
    let builder = Server::builder()
        .user_with_ids(&arguments.user, &arguments.password, messages)
        .port(arguments.port)
        .tls_port(arguments.tls_port)
        .stls()
        // If nobody takes the events any more, the sessions go on.
        .observe(move |session, line| drop(events.send(json!({ "session": session, "command": line }))));
    let server = script.apply(builder).start().map_err(|error| Failure::new(Exit::Other, error))?;
    say(json!({
        "host": "127.0.0.1",
        "port": server.port(),
        "tls_port": server.tls_port(),
        "user": arguments.user,
        "password": arguments.password,
        "messages": count,
        "certificate": server.certificate(),
    }))?;
    // A thread of its own: a test that does not read its pipe must not hold up the sessions.
    let telling = thread::spawn(move || told.iter().try_for_each(|event| writeln!(io::stdout(), "{event}")));
    if !arguments.until_eof {
        loop {
            thread::park();
        }
    }
    // Whatever comes is of no interest; a broken standard input has ended, too.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    drop(server);
    // All events are told, unless nobody wants them.
    let _ = telling.join();
    Ok(())
}
