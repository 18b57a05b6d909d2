//! Deadlines, on a paused clock.

use std::time::Duration;

use pop3_tokio::maildrop::Memory;
use pop3_tokio::proto::client::ClientEvent;
use pop3_tokio::proto::codec::Command;
use pop3_tokio::{Client, ClientOptions, Error, Listen, Security, Server, ServerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test(start_paused = true)]
async fn a_server_that_drips_is_left_as_one_that_is_silent() {
    let (ours, mut theirs) = tokio::io::duplex(64);
    let drip = tokio::spawn(async move {
        while theirs.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    });
    let started = tokio::time::Instant::now();
    let options = ClientOptions::new(Security::DangerousCleartext);
    let error = Client::over(Box::new(ours), "localhost", 110, &options, None).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    assert_eq!(started.elapsed(), options.timeouts.greeting);
    drip.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_was_cancelled_is_made_up_for() {
    // Four octets go through at once; the rest of a command lies in the buffer until somebody flushes.
    let (ours, mut theirs) = tokio::io::duplex(4);
    let server = tokio::spawn(async move {
        theirs.write_all(b"+OK\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut heard = vec![0; 6];
        theirs.read_exact(&mut heard).await.unwrap();
        theirs.write_all(b"-ERR\r\n").await.unwrap();
        heard
    });
    let options = ClientOptions::new(Security::DangerousCleartext);
    let stream = tokio::io::BufWriter::new(ours);
    let mut client = Client::over(Box::new(stream), "localhost", 110, &options, None).await.unwrap();
    client.send(Command::Capa).unwrap();
    let replied = |event: ClientEvent<'_>| matches!(event, ClientEvent::Reply(..)).then_some(());
    assert!(tokio::time::timeout(Duration::from_secs(1), client.event(replied)).await.is_err(), "cancelled in its flush");
    client.event(replied).await.unwrap();
    assert_eq!(server.await.unwrap(), b"CAPA\r\n");
}

#[tokio::test(start_paused = true)]
async fn s21_h35_h36_a_client_that_drips_is_sent_away() {
    let store = Memory::new().with_user("joe", "secret", [b"x\n".to_vec()]);
    let server = Server::new(ServerOptions::dangerous_cleartext(), store);
    for (said, expected) in [(&b"US"[..], 60), (b"USER joe\r\nPASS secret\r\nNO", 600), (b"CAPA\r\nQUIT\r\nx", 0)] {
        let (ours, theirs) = tokio::io::duplex(1024);
        let started = tokio::time::Instant::now();
        let client = tokio::spawn(async move {
            let (mut reader, mut writer) = tokio::io::split(ours);
            tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
            writer.write_all(said).await.unwrap();
            while writer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(7)).await;
            }
        });
        let ended = server.session_over(Box::new(theirs), Listen::Plain).await;
        assert_eq!(ended.is_err(), expected > 0, "{ended:?}");
        assert_eq!(started.elapsed().as_secs(), expected, "{said:?}");
        client.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn h36_a_client_that_does_not_read_is_sent_away() {
    let store = Memory::new().with_user("joe", "secret", [vec![b'x'; 12_000_000]]);
    let server = Server::new(ServerOptions::dangerous_cleartext(), store);
    let (mut ours, theirs) = tokio::io::duplex(1024);
    ours.write_all(b"USER joe\r\nPASS secret\r\nRETR 1\r\n").await.unwrap();
    let started = tokio::time::Instant::now();
    assert!(server.session_over(Box::new(theirs), Listen::Plain).await.is_err());
    assert_eq!(started.elapsed().as_secs(), 600);
}
