//! A hand-written driver: the core over smol, with nothing of this crate but a server to talk to.
//! `cargo run -p pop3-futures --example smol_driver`

mod smol_runtime;

use std::io;
use std::sync::Arc;

use pop3_futures::maildrop::Memory;
use pop3_futures::proto::client::requests::{self, Request};
use pop3_futures::proto::client::{Action, CleartextLogin, ClientConfig, Connection, RequestError};
use pop3_futures::proto::codec::{MessageNumber, Password, Username};
use pop3_futures::{ListenSecurity, Server, ServerOptions};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};
use smol_runtime::Smol;

/// A driver is a machine, a stream, and the loop between them. (One for production has deadlines and TLS, too.)
struct Client {
    connection: Connection,
    stream: TcpStream,
}

impl Client {
    async fn connect(address: std::net::SocketAddr) -> io::Result<Self> {
        let config = ClientConfig { cleartext_login: CleartextLogin::DangerouslyAllow, ..ClientConfig::default() };
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut client = Self { connection: Connection::new(config), stream };
        client.run(requests::greet()).await?;
        Ok(client)
    }

    async fn run<R: Request>(&mut self, mut request: R) -> io::Result<R::Output> {
        self.drive(Connection::drain_abandoned).await?;
        self.connection.start(&mut request).map_err(io::Error::other)?;
        self.drive(|connection| connection.next_action(&mut request)).await
    }

    async fn retr(&mut self, number: MessageNumber) -> io::Result<Vec<u8>> {
        let tag = self.run(requests::retr(number)).await?;
        let mut text = Vec::new();
        while self.drive(|connection| connection.next_chunk(tag)).await? {
            text.extend_from_slice(self.connection.chunk());
        }
        Ok(text)
    }

    async fn drive<T>(&mut self, mut step: impl FnMut(&mut Connection) -> Result<Action<T>, RequestError>) -> io::Result<T> {
        loop {
            match step(&mut self.connection).map_err(io::Error::other)? {
                Action::Done(value) => return Ok(value),
                Action::Write => {
                    let count = self.stream.write(self.connection.output()).await?;
                    // Before anything else: a command whose future is dropped now must not be sent twice.
                    self.connection.advance_written(count);
                }
                Action::Read => {
                    let count = self.stream.read(self.connection.unfilled()).await?;
                    self.connection.advance_read(count).map_err(io::Error::other)?;
                }
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    smol::block_on(async {
        let store = Memory::new().with_user("joe", "secret", [b"Subject: hello\n\nfrom smol\n".to_vec()]);
        let server = Arc::new(Server::<Smol, _>::new(ServerOptions::dangerous_cleartext(), store));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serving = smol::spawn(async move {
            let (stream, _) = listener.accept().await?;
            server.serve_stream(stream, ListenSecurity::Cleartext).await
        });
        let mut client = Client::connect(address).await?;
        client.run(requests::user_pass(Username::new("joe")?, Password::new("secret")?)).await?;
        println!("{}", String::from_utf8_lossy(&client.retr(MessageNumber::FIRST).await?));
        client.run(requests::quit()).await?;
        serving.await?;
        Ok(())
    })
}
