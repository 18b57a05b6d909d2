//! A client on smol through a SOCKS 5 proxy, with STLS to the server behind it.

#[path = "../../../pop3-futures/examples/smol_runtime/mod.rs"]
mod smol_runtime;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use pop3_futures::{Client, ClientOptions, Proxy, ProxyKind, Security, tls};
use smol_runtime::Smol;

/// A proxy for one connection that takes whatever address it gets for this machine: no authentication, and no other command.
fn proxy(listener: &TcpListener) -> io::Result<()> {
    let mut client = listener.accept()?.0;
    let mut head = [0; 2];
    client.read_exact(&mut head)?;
    client.read_exact(&mut vec![0; usize::from(head[1])])?;
    client.write_all(&[5, 0])?;
    // CONNECT to a host name: five octets, the name, and the port.
    let mut request = [0; 5];
    client.read_exact(&mut request)?;
    let mut rest = vec![0; usize::from(request[4]) + 2];
    client.read_exact(&mut rest)?;
    let port = u16::from_be_bytes([rest[rest.len() - 2], rest[rest.len() - 1]]);
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from_client, &mut to_server));
    io::copy(&mut server, &mut client).map(drop)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mailbox = pop3_test::Server::builder().stls().user("joe", "secret", ["Subject: hello\r\n\r\n"]).start()?;
    let certificate = mailbox.certificate().ok_or("the server has no certificate")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || proxy(&listener));

    let mut options = ClientOptions::new(Security::Stls(tls::client_trusting(certificate.as_bytes())?));
    options.proxy = Some(Proxy { kind: ProxyKind::Socks5, host: "127.0.0.1".to_owned(), port, login: None });
    smol::block_on(async {
        let mut client = Client::<Smol>::connect("localhost", mailbox.port(), &options).await?;
        client.login("joe", "secret").await?;
        let encrypted = client.connection().machine().is_encrypted();
        println!("{} message, encrypted: {encrypted}", client.stat().await?.messages);
        client.quit().await
    })?;
    Ok(())
}
