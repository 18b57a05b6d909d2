//! Lists what a mailbox holds: `cargo run --example async_std_client -- HOST USER`, the password in `POP3_PASSWORD`.

use pop3_async_std::{Client, ClientOptions, Error, Security};

#[async_std::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(host), Some(user), Ok(password)) = (arguments.next(), arguments.next(), std::env::var("POP3_PASSWORD")) else {
        eprintln!("usage: POP3_PASSWORD=… async_std_client HOST USER");
        std::process::exit(2);
    };
    let mut client = Client::connect(&host, 995, &ClientOptions::new(Security::tls()?)).await?;
    client.login(&user, &password).await?;
    for message in client.list().await? {
        println!("message {}: {} octets", message.number, message.octets.unwrap_or_default());
    }
    client.quit().await
}
