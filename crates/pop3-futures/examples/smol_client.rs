//! Lists what a mailbox holds, under smol: `cargo run -p pop3-futures --example smol_client -- HOST USER`, the password in `POP3_PASSWORD`.

mod smol_runtime;

use pop3_futures::{Client, ClientOptions, Error, Security};
use smol_runtime::Smol;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(host), Some(user), Ok(password)) = (arguments.next(), arguments.next(), std::env::var("POP3_PASSWORD")) else {
        eprintln!("usage: POP3_PASSWORD=… smol_client HOST USER");
        std::process::exit(2);
    };
    smol::block_on(async {
        let mut client = Client::<Smol>::connect(&host, 995, &ClientOptions::new(Security::tls()?)).await?;
        client.login(&user, &password).await?;
        for message in client.list().await? {
            println!("message {}: {} octets", message.number, message.octets.unwrap_or_default());
        }
        client.quit().await
    })
}
