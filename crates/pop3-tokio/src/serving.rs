//! A session whose questions a store answers.

use std::io;
use std::time::{Duration, Instant};

use pop3_driver::proto::server::Step;
use pop3_maildrop::{Answering, Store};

use crate::runtime;
use crate::session::Session;

/// So long a session may keep a thread that others may wait for; then it is its turn again behind them.
const TURN: Duration = Duration::from_millis(50);

/// Serves a session to its end.
///
/// Once the store is asked, the session goes to where blocking does no harm, and stays there for as long as it need not wait for the
/// client: many messages cost one way there and back.
pub(crate) async fn serve<S: Store>(mut session: Session, mut answering: Answering<S>) -> io::Result<()> {
    loop {
        let ask = if answering.is_sending() {
            session.write().await?;
            None
        } else {
            match session.ask().await? {
                None => return Ok(()),
                some => some,
            }
        };
        let worked = runtime::blocking(move || {
            if let Some(ask) = ask {
                answering.answer(session.answer(), ask)?;
            }
            let begin = Instant::now();
            while begin.elapsed() < TURN
                && match answering.go_on(session.answer())? {
                    Step::Write => session.write_now()?,
                    Step::Read => session.read_now()?,
                    _ => false,
                }
            {}
            if !answering.is_sending() {
                answering.rest();
            }
            Ok::<_, io::Error>((session, answering))
        });
        // An error here ends the connection in the middle of a message, so that the client does not take it for whole.
        (session, answering) = worked.await??;
    }
}
