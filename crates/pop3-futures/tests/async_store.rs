//! A store that waits without blocking a thread, on smol over TLS.

#[path = "../examples/smol_runtime/mod.rs"]
mod smol_runtime;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_lite::future::yield_now;
use futures_lite::io::Cursor;
use pop3_futures::maildrop::{AsyncMaildrop, AsyncStore, LoginError, NotRemoved, Peer};
use pop3_futures::proto::codec::{MessageNumber, UniqueId};
use pop3_futures::proto::server::{LoginAttempt, Snapshot};
use pop3_futures::{Client, ClientOptions, ListenSecurity, Security, Server, ServerOptions, tls};
use smol::net::TcpListener;
use smol_runtime::Smol;

const MESSAGE: &[u8] = b"Subject: hello\n\n.\n";

/// A store with one message, which keeps what it learns of the last client.
#[derive(Default)]
struct OneMessage(Mutex<Option<Peer>>);

impl AsyncStore for OneMessage {
    type Maildrop = Maildrop;

    async fn login(&self, _: &LoginAttempt, peer: &Peer) -> Result<Maildrop, LoginError> {
        yield_now().await;
        *self.0.lock().unwrap() = Some(peer.clone());
        Ok(Maildrop)
    }
}

struct Maildrop;

impl AsyncMaildrop for Maildrop {
    type Message = Cursor<&'static [u8]>;

    async fn snapshot(&mut self) -> io::Result<Snapshot> {
        yield_now().await;
        let mut snapshot = Snapshot::default();
        snapshot.push(21, UniqueId::new("1").unwrap()).unwrap();
        Ok(snapshot)
    }

    async fn open(&mut self, _: MessageNumber, _: Option<u64>) -> io::Result<Self::Message> {
        yield_now().await;
        Ok(Cursor::new(MESSAGE))
    }

    async fn remove(&mut self, _: &[MessageNumber]) -> Result<(), NotRemoved> {
        yield_now().await;
        Ok(())
    }
}

#[test]
fn an_async_store_serves_a_message_and_knows_its_client() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (chain, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    let options = ServerOptions::with_tls(tls::server(chain.as_bytes(), key.as_bytes()).unwrap());
    let store = Arc::new(OneMessage::default());
    let server = Arc::new(Server::<Smol, _, _>::with_async_store(options, Arc::clone(&store)));
    smol::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = Arc::clone(&server);
        let serving = smol::spawn(async move { serving.serve(&listener, ListenSecurity::ImplicitTls).await });
        let options = ClientOptions::new(Security::Tls(tls::client_trusting(chain.as_bytes()).unwrap()));
        let mut client = Client::<Smol>::connect("localhost", port, &options).await.unwrap();
        client.login("joe", "secret").await.unwrap();
        let text = client.retr(MessageNumber::FIRST).await.unwrap().into_vec().await.unwrap();
        assert_eq!(text, b"Subject: hello\r\n\r\n.\r\n");
        client.quit().await.unwrap();
        assert!(server.shutdown(Duration::from_secs(20)).await, "no session is left");
        serving.await.unwrap();
    });
    let peer = store.0.lock().unwrap().take().unwrap();
    assert!(peer.encrypted && peer.address.is_some_and(|address| address.is_loopback()), "{peer:?}");
    let tls = peer.tls.unwrap();
    assert_eq!((&*tls.version, tls.server_name.as_deref()), ("TLSv1.3", Some("localhost")), "{tls:?}");
    assert!(tls.cipher.starts_with("TLS13_"), "{tls:?}");
}
