//! Thousands of futures that are dropped in their middle: every session is consistent afterwards, or says that it is dead.
//! `POP3_CANCELLATIONS=100000` drops that many.

mod peer;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use peer::{Moody, accept, connect, listen, spawn};
use pop3_async_std::maildrop::Memory;
use pop3_async_std::proto::codec::MessageNumber;
use pop3_async_std::{Client, ClientOptions, Error, ListenSecurity, Security, Server, ServerOptions};

const CANCELLATIONS: u32 = 20_000;
const USERS: u64 = 16;

/// Random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % limit
    }
}

/// A future that is polled so many times at most; `None`: it was dropped before its end.
struct Impatient<'f, F>(Pin<&'f mut F>, u64);

impl<F: Future> Future for Impatient<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        if self.1 == 0 {
            return Poll::Ready(None);
        }
        self.1 -= 1;
        self.0.as_mut().poll(context).map(Some)
    }
}

fn messages() -> [Vec<u8>; 3] {
    [b"Subject: one\r\n\r\n.dot\r\n".to_vec(), b"x".repeat(700), b".\r\n".repeat(200)]
}

fn on_the_wire(message: &[u8]) -> Vec<u8> {
    if message.ends_with(b"\r\n") { message.to_vec() } else { [message, b"\r\n"].concat() }
}

/// Something about the session that can be wrong.
async fn look(client: &mut Client, what: u64) -> Result<(), Error> {
    let number = MessageNumber::from_index((what % 3) as usize).unwrap();
    match what / 3 {
        0 => assert_eq!(client.stat().await?.messages, 3),
        1 => assert_eq!(client.list().await?[number.index()].octets, Some(on_the_wire(&messages()[number.index()]).len() as u64)),
        2 => assert_eq!(client.uidl().await?.len(), 3),
        3 => client.noop().await?,
        4 => client.rset().await?,
        _ => {
            let text = client.retr(number).await?.into_vec().await?;
            assert!(text == on_the_wire(&messages()[number.index()]), "message {number} is another, or cut");
        }
    }
    Ok(())
}

#[async_std::test]
async fn dropped_futures_leave_a_session_consistent_or_dead() {
    let mut store = Memory::new();
    for user in 0..USERS {
        store = store.with_user(&format!("u{user}"), "secret", messages());
    }
    let server = Arc::new(Server::new(ServerOptions::dangerous_cleartext(), store));
    let (listener, address) = listen().await;
    spawn(async move {
        loop {
            let (stream, server) = (accept(&listener).await, Arc::clone(&server));
            spawn(async move { server.serve_connection(stream, ListenSecurity::Cleartext).await });
        }
    });
    let cancellations = std::env::var("POP3_CANCELLATIONS").map_or(CANCELLATIONS, |count| count.parse().unwrap());
    let (mut random, mut cancelled, mut user, mut dead) = (Random(0x9E37_79B9_7F4A_7C15), 0, 0, 0);
    while cancelled < cancellations {
        // A user whose last session may not have ended yet is not asked for so soon.
        user = (user + 1) % USERS;
        let stream = Moody::new(connect(address.port()).await, random.below(u64::MAX) | 1);
        let options = ClientOptions::new(Security::DangerousCleartext);
        let mut client = Client::with_stream(Box::new(stream), "localhost", 110, &options, None).await.unwrap();
        let name = format!("u{user}");
        let (backoff, tries) = (random.below(40), random.below(2));
        if tries > 0 && Impatient(pin!(client.login(&name, "secret")), backoff).await.is_none() {
            cancelled += 1;
        }
        // Whatever has come of it: a look says that there is no login, that there is one, or that nothing can be said any more.
        if look(&mut client, 0).await.is_err() && client.login(&name, "secret").await.is_err() {
            dead += 1;
            continue;
        }
        for _ in 0..400 {
            let (what, backoff) = (random.below(20), random.below(12));
            match Impatient(pin!(look(&mut client, what)), backoff).await {
                Some(done) => done.expect("nothing broke"),
                None => cancelled += 1,
            }
            if random.below(4) == 0 {
                look(&mut client, random.below(20)).await.expect("the session lives");
            }
        }
        client.quit().await.expect("and ends well");
    }
    assert_eq!(dead, 0, "by USER and PASS there is a way on from everywhere");
}
