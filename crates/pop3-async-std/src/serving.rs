// Made from pop3-tokio/src/serving.rs by crates/twins.py: change it there.

//! A session whose questions a store answers.

use std::io;
use std::time::{Duration, Instant};

use pop3_driver::LoginSlot;
use pop3_driver::proto::server::{Action, LoginAttempt, Question};
use pop3_maildrop::{LoginError, Peer, Store, StoreResponder};

use crate::runtime;
use crate::session::Session;

/// Time after which a session gives up its blocking thread and queues again.
const MAX_TURN: Duration = Duration::from_millis(50);

/// Serves a session to its end, and puts the end into the log.
pub(crate) async fn serve<S: Store>(session: Session, responder: StoreResponder<S>) -> io::Result<()> {
    let mut log = SessionLog { peer: responder.peer(session.connection()), user: None };
    let served = answer_all(session, responder, &mut log).await;
    log.end(&served);
    served.map(drop)
}

/// What the log tells of a session at its end.
struct SessionLog {
    peer: Peer,
    user: Option<String>,
}

impl SessionLog {
    fn end(&self, served: &io::Result<String>) {
        let address = self.peer.address.map(tracing::field::display);
        let (how, tls) = (served.as_ref().map_or_else(ToString::to_string, Clone::clone), self.peer.tls);
        match &self.user {
            Some(user) => tracing::info!(user, address, tls, "session ended: {how}"),
            None => tracing::debug!(address, tls, "session ended before login: {how}"),
        }
    }
}

/// Returns how the session ended.
///
/// Once the store is asked, the session goes to where blocking does no harm, and stays there for as long as it need not wait for the
/// client: many messages cost one way there and back.
async fn answer_all<S: Store>(
    mut session: Session,
    mut responder: StoreResponder<S>,
    log: &mut SessionLog,
) -> io::Result<String> {
    loop {
        let ask = if responder.is_sending() {
            session.write().await?;
            None
        } else {
            match session.ask().await? {
                None => return Ok(session.ending()),
                some => some,
            }
        };
        let (ask, slot) = match ask {
            Some(Question::Authenticate(login)) => match admit(&mut session, &mut responder, login).await? {
                Some((login, slot)) => (Some(Question::Authenticate(login)), slot),
                None => continue,
            },
            other => (other, None),
        };
        let worked = runtime::blocking(move || {
            // The login is in progress until the store has answered.
            let slot: Option<LoginSlot> = slot;
            if let Some(ask) = ask {
                responder.answer(session.connection_mut(), ask)?;
            }
            drop(slot);
            let begin = Instant::now();
            while begin.elapsed() < MAX_TURN
                && match responder.advance(session.connection_mut())? {
                    Action::Write => session.write_now()?,
                    Action::Read => session.read_now()?,
                    _ => false,
                }
            {}
            if !responder.is_sending() {
                responder.release_buffer();
            }
            Ok::<_, io::Error>((session, responder))
        });
        // An error here ends the connection in the middle of a message, so that the client does not take it for whole.
        (session, responder) = worked.await??;
        // Most messages are asked for behind other commands, and are begun where the store is.
        match responder.take_begun() {
            0 => {}
            octets => session.limit_message(octets),
        }
        log.peer = responder.peer(session.connection());
        if log.user.is_none() {
            log.user = responder.user().map(str::to_owned);
        }
    }
}

/// Lets a login go on to the store. Where its credentials are checked elsewhere, it waits for that, and only so many logins of a user
/// go on at once. (Logins that are not checked yet must not keep out the user whose name they give.) `None`: it was refused.
async fn admit<S: Store>(
    session: &mut Session,
    responder: &mut StoreResponder<S>,
    login: LoginAttempt,
) -> io::Result<Option<(LoginAttempt, Option<LoginSlot>)>> {
    let Some(pending) = responder.verify(session.connection(), &login) else { return Ok(Some((login, None))) };
    let outcome = session.outcome(pending).await;
    let Some(login) = responder.verified(session.connection_mut(), login, outcome)? else { return Ok(None) };
    let slot = session.login_slot(login.name.as_bytes());
    if slot.is_none() {
        responder.verified(session.connection_mut(), login, Err(LoginError::InUse))?;
        return Ok(None);
    }
    Ok(Some((login, slot)))
}
