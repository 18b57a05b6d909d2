//! The subcommand `pop3 state`: which messages of an account are known.

pub mod import;

use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use pop3_fetch::AccountMaildir;
use pop3_fetch::journal_state::MessageState;
use pop3_maildrop::Maildir;

use crate::account::Account;
use crate::accounts::{self, Given};
use crate::arguments::{State, StateCommand, StatePlace};
use crate::failure::{Exit, Failure, say};
use crate::fetch::{create, folder, onward, refuse_other_folder};
use crate::language::Message;
use crate::server_text::one_line;
use crate::terminal::agrees;

pub fn run(arguments: &State, given: &Given) -> Result<(), Failure> {
    match &arguments.command {
        StateCommand::Import(import) => {
            let place = Place::of(&import.place, given)?;
            let text = fs::read(&import.file).map_err(|error| Failure::file(&import.file, &error))?;
            let ids = import::unique_ids(import.program, &text, &place.user, &place.host);
            let ids = ids.map_err(|others| {
                let others = one_line(&others.join(", "));
                let (user, host) = (&place.user, &place.host);
                let what = Message::new("state-others").with("file", import.file.display()).with("user", user).with("host", host);
                Failure::new(Exit::Usage, what).and(Message::new("state-others-next").with("others", others))
            })?;
            let maildir = create(&place.folder, place.is_default)?;
            let count = AccountMaildir::open(maildir, &place.account)?.import(ids.iter().copied())?;
            say(Message::new("state-imported")
                .with("count", count)
                .with("known", ids.len() - count)
                .with("account", &place.account))
        }
        StateCommand::Show(show) => {
            let place = Place::of(&show.place, given)?;
            let state = AccountMaildir::read_state(&place.folder, &place.account)?;
            say(Message::new("state-of").with("account", &place.account).with("folder", place.folder.display()))?;
            for (state, count) in state.counts() {
                say(format!("{count:>7}  {}", words(state)))?;
            }
            Ok(())
        }
        StateCommand::Forget(forget) => {
            let place = Place::of(&forget.place, given)?;
            let count: usize =
                AccountMaildir::read_state(&place.folder, &place.account)?.counts().into_iter().map(|(_, count)| count).sum();
            let of = |text: Message| text.with("account", &place.account).with("count", count);
            if count == 0 {
                return say(of(Message::new("state-nothing")));
            }
            if !forget.yes && !io::stdin().is_terminal() {
                return Err(Failure::new(Exit::Usage, Message::new("state-no-terminal")));
            }
            if !forget.yes && !agrees(&of(Message::new("state-ask")), false)? {
                return say(Message::new("state-not-forgotten"));
            }
            let maildir = Maildir::open(&place.folder).map_err(|error| Failure::file(&place.folder, &error))?;
            AccountMaildir::open(maildir, &place.account)?.forget()?;
            say(of(Message::new("state-forgotten")))
        }
    }
}

fn words(state: MessageState) -> Message {
    match state {
        MessageState::Stored => Message::new("state-stored"),
        MessageState::Suspect => Message::new("state-suspect"),
        MessageState::Deleting => Message::new("state-deleting"),
        MessageState::Deleted => Message::new("state-deleted"),
        MessageState::Kept => Message::new("state-kept"),
        MessageState::Imported => Message::new("state-elsewhere"),
    }
}

/// Where the journal of an account is.
struct Place {
    account: String,
    user: String,
    host: String,
    folder: PathBuf,
    /// The folder is the default one of an address.
    is_default: bool,
}

impl Place {
    /// Determines the place as `pop3 fetch` does, from a server or from an account of the configuration.
    fn of(arguments: &StatePlace, given: &Given) -> Result<Self, Failure> {
        let configured = accounts::named(&arguments.server, given)?;
        let (server, account, maildir) = match &configured {
            Some(fetch) => (fetch.server.as_deref().unwrap_or_default(), &fetch.account, fetch.maildir.as_deref()),
            None => (arguments.server.as_str(), &arguments.account, None),
        };
        // A Maildir on the command line comes first.
        let maildir = arguments.maildir.as_deref().or(maildir);
        let account = Account::of(server, account)?;
        let onward = match &configured {
            Some(fetch) if arguments.maildir.is_none() => onward(fetch, &account)?,
            _ => None,
        };
        let folder = match onward {
            Some((spool, _)) => spool.path().to_owned(),
            None => folder(maildir, account.address())?,
        };
        refuse_other_folder(&folder)?;
        let (user, host) = (account.user().to_owned(), account.host().to_owned());
        Ok(Self { account: account.name(), user, host, folder, is_default: maildir.is_none() })
    }
}
