//! Deadlines, on the clock that there is: a peer that says a byte now and then.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, mpsc};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::io::{AsyncRead, AsyncWrite};
use pop3_async_std::maildrop::Memory;
use pop3_async_std::proto::Transcript;
use pop3_async_std::{Client, ClientOptions, Error, ListenSecurity, Security, Server, ServerOptions, SessionObservers};

/// Says this at once, and then a byte every ten milliseconds; reads nothing if it is deaf.
struct Dripping {
    says: &'static [u8],
    deaf: bool,
}

impl AsyncRead for Dripping {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        if !self.says.is_empty() {
            let count = self.says.len().min(space.len());
            space[..count].copy_from_slice(&self.says[..count]);
            self.says = &self.says[count..];
            return Poll::Ready(Ok(count));
        }
        self.says = b"x";
        let waker = context.waker().clone();
        async_std::task::spawn(async move {
            async_std::task::sleep(Duration::from_millis(10)).await;
            waker.wake();
        });
        Poll::Pending
    }
}

impl AsyncWrite for Dripping {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.deaf { Poll::Pending } else { Poll::Ready(Ok(bytes.len())) }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const SHORT: Duration = Duration::from_millis(300);

#[async_std::test]
async fn a_server_that_drips_is_left_as_one_that_is_silent() {
    let mut options = ClientOptions::new(Security::DangerousCleartext);
    options.timeouts.greeting = SHORT;
    let started = Instant::now();
    let stream = Dripping { says: b"x", deaf: false };
    let error = Client::with_stream(Box::new(stream), "localhost", 110, &options, None).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    assert!(started.elapsed() >= SHORT);
}

/// Options whose observers report each time-out of a session.
fn observed() -> (ServerOptions, mpsc::Receiver<()>) {
    let (sender, time_outs) = mpsc::channel();
    let sender = Mutex::new(sender);
    let mut options = ServerOptions::dangerous_cleartext();
    options.observers = SessionObservers::new(move |_| {
        let sender = sender.lock().unwrap().clone();
        Some(Box::new(Transcript::new(move |line| {
            if line.starts_with("(session ended: the client was silent, or too slow;") {
                sender.send(()).unwrap();
            }
        })))
    });
    (options, time_outs)
}

fn server() -> Server<Memory> {
    server_with(ServerOptions::dangerous_cleartext())
}

fn server_with(mut options: ServerOptions) -> Server<Memory> {
    (options.timeouts.login, options.timeouts.idle) = (SHORT, SHORT);
    Server::new(options, Memory::new().with_user("joe", "secret", [b"x\n".to_vec()]))
}

#[async_std::test]
async fn s21_h35_h36_a_client_that_drips_is_sent_away() {
    for says in [&b"USER joe\r\nPA"[..], b"USER joe\r\nPASS secret\r\nNO"] {
        let (options, time_outs) = observed();
        let ended = server_with(options).serve_stream(Box::new(Dripping { says, deaf: false }), ListenSecurity::Cleartext).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(time_outs.try_iter().count(), 1);
    }
}

#[async_std::test]
async fn h36_a_client_that_does_not_read_is_sent_away() {
    let stream = Dripping { says: b"USER joe\r\nPASS secret\r\nRETR 1\r\n", deaf: true };
    let ended = server().serve_stream(Box::new(stream), ListenSecurity::Cleartext).await;
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
}
