//! A mail viewer on tokio: logs in with an access token, lists subjects, shows the progress of a large message, gives it up when its
//! user looks at another one, and goes on in a new session.

use pop3_test::Server;
use pop3_tokio::proto::client::LoginPolicy;
use pop3_tokio::proto::sasl::{Credentials, Mechanism};
use pop3_tokio::{Client, ClientOptions, Security, tls};
use tokio::io::AsyncReadExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let large = format!("Subject: photos\r\n\r\n{}", "a line of a large message\r\n".repeat(400_000));
    let mailbox = Server::builder().tls().mechanisms([Mechanism::Xoauth2]);
    let mailbox = mailbox.user("joe", "token", [large.as_str(), "Subject: hello\r\n\r\nHello, Joe.\r\n"]).start()?;
    let certificate = mailbox.certificate().ok_or("the server has no certificate")?;

    let options = ClientOptions::new(Security::Tls(tls::client_trusting(certificate.as_bytes())?));
    let (host, port, policy) = ("localhost", mailbox.port(), LoginPolicy::default());
    let credentials = Credentials::token("joe", "token")?;
    let mut client = Client::connect_and_login(host, port, &options, &credentials, &policy).await?;

    // The list of messages: all headers at once, pipelined.
    let messages = client.uidl().await?;
    let numbers: Vec<_> = messages.iter().map(|message| message.number).collect();
    client
        .tops(numbers.iter().copied(), 0, |number, header| match header {
            Ok(header) => {
                let header = String::from_utf8_lossy(&header);
                let subject = header.lines().find_map(|line| line.strip_prefix("Subject: "));
                println!("{number}: {}", subject.unwrap_or("(no subject)"));
            }
            Err(refusal) => println!("{number}: {refusal}"),
        })
        .await?;

    // A large message as a stream. After a tenth of it the user looks at another message.
    let mut reader = client.retr(numbers[0]).await?.into_reader();
    let total = reader.announced_octets().unwrap_or(u64::MAX);
    let mut piece = vec![0; 64 * 1024];
    while reader.octets_read() < total / 10 && reader.read(&mut piece).await? > 0 {}
    println!("{} %, given up", reader.octets_read() * 100 / total);
    drop(reader);

    // So much of it is left that the session ends. A new one finds the messages again.
    let error = client.noop().await.expect_err("the large message was given up");
    assert!(error.ends_session(), "{error}");
    let (mut client, renumbering) = client.reconnect(host, port, &options, &credentials, &policy, &messages).await?;
    let number = renumbering.number(numbers[1]).ok_or("the message is gone")?;
    print!("{}", String::from_utf8_lossy(&client.retr(number).await?.into_vec().await?));
    client.quit().await?;
    Ok(())
}
