//! The runtime smol.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use pop3_futures::{Runtime, ServerRuntime};
use smol::net::{TcpListener, TcpStream};

#[derive(Debug)]
pub struct Smol;

impl Runtime for Smol {
    type TcpStream = TcpStream;
    type Stream = TcpStream;
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn sleep(time: Duration) -> Self::Sleep {
        Box::pin(async move {
            smol::Timer::after(time).await;
        })
    }

    async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        smol::net::resolve((host, port)).await
    }

    async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    fn stream(connection: TcpStream) -> io::Result<TcpStream> {
        connection.set_nodelay(true)?;
        Ok(connection)
    }
}

impl ServerRuntime for Smol {
    type TcpListener = TcpListener;

    async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        listener.accept().await
    }

    fn peer_address(connection: &TcpStream) -> io::Result<SocketAddr> {
        connection.peer_addr()
    }

    fn spawn(session: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(session).detach();
    }

    async fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        Ok(smol::unblock(work).await)
    }
}
