//! Serves a Maildir to whoever knows the password `secret`, on loopback only and in the clear:
//! `cargo run --example async_std_server -- MAILDIR`.

use std::path::PathBuf;
use std::sync::Arc;

use async_std::net::TcpListener;
use pop3_async_std::maildrop::{LockedMaildir, LoginError, Maildir, Peer, Store};
use pop3_async_std::proto::sasl::PresentedCredentials;
use pop3_async_std::proto::server::LoginAttempt;
use pop3_async_std::{ListenSecurity, Server, ServerOptions};

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

#[async_std::main]
async fn main() -> std::io::Result<()> {
    let maildir = std::env::args_os().nth(1).expect("usage: async_std_server MAILDIR");
    let server = Arc::new(Server::new(ServerOptions::dangerous_cleartext(), OneUser(maildir.into())));
    server.serve(&TcpListener::bind("127.0.0.1:1100").await?, ListenSecurity::Cleartext).await
}
