//! Client and server on smol, over TCP, with and without TLS. (The contract suite runs over `pop3-async-std`, which is this crate.)

#[path = "../examples/smol_runtime/mod.rs"]
mod smol_runtime;

use std::sync::Arc;
use std::time::Duration;

use pop3_futures::maildrop::Memory;
use pop3_futures::proto::codec::MessageNumber;
use pop3_futures::{Client, ClientOptions, ListenSecurity, Security, Server, ServerOptions, tls};
use smol::net::TcpListener;
use smol_runtime::Smol;

/// Sends a message through a server, and returns what the client read.
async fn round_trip(server: ServerOptions, listen: ListenSecurity, client: ClientOptions) -> Vec<u8> {
    let store = Memory::new().with_user("joe", "secret", [b"Subject: hello\n\n.\n".to_vec()]);
    let server = Arc::new(Server::<Smol, _>::new(server, store));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = smol::spawn({
        let server = Arc::clone(&server);
        async move { server.serve(&listener, listen).await }
    });
    let mut client = Client::<Smol>::connect("localhost", port, &client).await.unwrap();
    client.login("joe", "secret").await.unwrap();
    let text = client.retr(MessageNumber::FIRST).await.unwrap().into_vec().await.unwrap();
    client.dele(MessageNumber::FIRST).await.unwrap();
    client.quit().await.unwrap();
    assert!(server.shutdown(Duration::from_secs(20)).await, "no session is left");
    serving.await.unwrap();
    text
}

#[test]
fn a_message_crosses_smol_in_the_clear_over_tls_and_over_stls() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (chain, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    let tls = || ServerOptions::with_tls(tls::server(chain.as_bytes(), key.as_bytes()).unwrap());
    let trusting = || tls::client_trusting(chain.as_bytes()).unwrap();
    smol::block_on(async {
        for (server, listen, security) in [
            (ServerOptions::dangerous_cleartext(), ListenSecurity::Cleartext, Security::DangerousCleartext),
            (tls(), ListenSecurity::ImplicitTls, Security::Tls(trusting())),
            (tls(), ListenSecurity::Cleartext, Security::Stls(trusting())),
        ] {
            let text = round_trip(server, listen, ClientOptions::new(security)).await;
            assert_eq!(text, b"Subject: hello\r\n\r\n.\r\n");
        }
    });
}
