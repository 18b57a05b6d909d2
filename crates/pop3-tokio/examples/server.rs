//! Serves a Maildir to whoever knows the password `secret`, on loopback only and in the clear:
//! `cargo run --example tokio_server -- MAILDIR`.

use std::path::PathBuf;
use std::sync::Arc;

use pop3_tokio::maildrop::{LockedMaildir, LoginError, Maildir, Peer, Store};
use pop3_tokio::proto::sasl::PresentedCredentials;
use pop3_tokio::proto::server::LoginAttempt;
use pop3_tokio::{ListenSecurity, Server, ServerOptions};
use tokio::net::TcpListener;

struct OneUser(PathBuf);

impl Store for OneUser {
    type Maildrop = LockedMaildir;

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<LockedMaildir, LoginError> {
        match &login.credentials {
            PresentedCredentials::Password(password) if password.expose() == b"secret" => Ok(Maildir::open(&self.0)?.lock()?),
            _ => Err(LoginError::Credentials),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let maildir = std::env::args_os().nth(1).expect("usage: tokio_server MAILDIR");
    let server = Arc::new(Server::new(ServerOptions::dangerous_cleartext(), OneUser(maildir.into())));
    server.serve(&TcpListener::bind("127.0.0.1:1100").await?, ListenSecurity::Cleartext).await
}
