//! The server in memory, on a clock that stands still until nothing else is left to do.

use std::time::Duration;

use pop3_test::{Builder, Fault, Server};
use pop3_tokio::proto::codec::MessageNumber;
use pop3_tokio::{Client, ClientOptions, Error, Security, tls};
use tokio::time::Instant;

const HELLO: &[u8] = b"Subject: hello\r\n\r\nHello, world.\r\n";

fn joe() -> Builder {
    Server::builder().user("joe", "secret", [HELLO])
}

async fn connect(server: &Server, security: Security) -> Result<Client, Error> {
    Client::with_stream(Box::new(server.connect()), "localhost", 110, &ClientOptions::new(security), None).await
}

#[tokio::test(start_paused = true)]
async fn a_client_waits_for_a_silent_server_as_long_as_it_says_and_no_time_passes() {
    let server = joe().fault(Fault::on("RETR").stall_after(20)).start().unwrap();
    let mut client = connect(&server, Security::DangerousCleartext).await.unwrap();
    client.login("joe", "secret").await.unwrap();
    let (started, really) = (Instant::now(), std::time::Instant::now());
    let error = client.retr(MessageNumber::FIRST).await.unwrap().into_vec().await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { after, .. } if after == started.elapsed()), "{error}");
    assert!(really.elapsed() < started.elapsed(), "the clock is not the real one");
    assert_eq!(server.commands(), ["CAPA", "USER joe", "PASS secret", "RETR 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_server_takes_the_time_that_it_says() {
    let pause = Duration::from_secs(3);
    let server = joe().fault(Fault::on("STAT").drip(pause)).start().unwrap();
    let mut client = connect(&server, Security::DangerousCleartext).await.unwrap();
    client.login("joe", "secret").await.unwrap();
    let started = Instant::now();
    assert_eq!(client.stat().await.unwrap().messages, 1);
    assert_eq!(started.elapsed(), pause * u32::try_from("+OK 1 33\r\n".len()).unwrap());
}

#[tokio::test(start_paused = true)]
async fn tls_works_in_memory_from_the_first_octet_and_by_stls() {
    for (builder, security) in [(joe().tls(), Security::Tls as fn(_) -> _), (joe().stls(), Security::Stls)] {
        let server = builder.start().unwrap();
        let trusted = tls::client_trusting(server.certificate().unwrap().as_bytes()).unwrap();
        let mut client = connect(&server, security(trusted.clone())).await.unwrap();
        client.login("joe", "secret").await.unwrap();
        assert_eq!(client.retr(MessageNumber::FIRST).await.unwrap().into_vec().await.unwrap(), HELLO);
        client.dele(MessageNumber::FIRST).await.unwrap();
        client.quit().await.unwrap();
        assert_eq!(server.deleted("joe"), [HELLO]);
        assert_eq!(server.sessions(), 1);
    }
}

#[tokio::test]
async fn a_server_that_is_dropped_ends_its_sessions() {
    let server = joe().fault(Fault::on("STAT").stall()).start().unwrap();
    let mut client = connect(&server, Security::DangerousCleartext).await.unwrap();
    client.login("joe", "secret").await.unwrap();
    let stat = tokio::spawn(async move { client.stat().await });
    tokio::task::yield_now().await;
    drop(server);
    assert!(stat.await.unwrap().unwrap_err().is_disconnect());
}
