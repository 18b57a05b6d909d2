//! Lists what a mailbox holds: `cargo run --example blocking_client -- HOST USER`, the password in `POP3_PASSWORD`.

use pop3_blocking::{Client, ClientOptions, Error, Security};

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(host), Some(user), Ok(password)) = (arguments.next(), arguments.next(), std::env::var("POP3_PASSWORD")) else {
        eprintln!("usage: POP3_PASSWORD=… blocking_client HOST USER");
        std::process::exit(2);
    };
    let mut client = Client::connect(&host, 995, &ClientOptions::new(Security::tls()?))?;
    client.login(&user, &password)?;
    for message in client.list()? {
        println!("message {}: {} octets", message.number, message.octets.unwrap_or_default());
    }
    client.quit()
}
