//! Metrics for Prometheus and a check of health, over HTTP.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use pop3_tokio::ServerStatistics;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Time for a request and its reply.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum length of a request.
const MAX_REQUEST: usize = 8 * 1024;

/// Maximum number of requests at once.
const MAX_REQUESTS: usize = 16;

/// What a reply is made of.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    pub statistics: ServerStatistics,
    /// The end of the certificate, in seconds since 1970.
    pub certificate_ends: Option<u64>,
}

/// Answers requests for `/metrics` and `/health`. Never returns.
pub async fn serve(listener: TcpListener, facts: impl Fn() -> Facts + Send + Sync + 'static) {
    let (facts, places) = (Arc::new(facts), Arc::new(Semaphore::new(MAX_REQUESTS)));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let facts = Arc::clone(&facts);
        tokio::spawn(async move {
            let outcome = timeout(REQUEST_TIMEOUT, answer(stream, || facts())).await;
            if let Ok(Err(error)) = outcome {
                tracing::debug!(%error, "a request for metrics was not answered");
            }
            drop(place);
        });
    }
}

async fn answer(mut stream: TcpStream, facts: impl FnOnce() -> Facts) -> io::Result<()> {
    let mut request = Vec::new();
    let mut piece = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut piece).await?;
        request.extend_from_slice(piece.get(..count).unwrap_or_default());
        if count == 0 || request.len() > MAX_REQUEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let (status, body) = match line {
        line if line.starts_with(b"GET /metrics ") => ("200 OK", metrics(facts())),
        line if line.starts_with(b"GET /health ") => ("200 OK", "ok\n".to_owned()),
        line if line.starts_with(b"GET ") => ("404 Not Found", "there are /metrics and /health\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET is allowed\n".to_owned()),
    };
    let head = "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nConnection: close";
    let reply = format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(reply.as_bytes()).await?;
    stream.shutdown().await
}

/// Returns the metrics in the text format of Prometheus.
fn metrics(facts: Facts) -> String {
    let Facts { statistics, certificate_ends } = facts;
    let counters = [
        ("sessions_total", "Sessions that have begun.", statistics.sessions),
        ("sessions_refused_total", "Connections that were closed because of a limit on sessions.", statistics.refused_sessions),
        ("logins_total", "Logins.", statistics.logins),
        ("logins_failed_total", "Logins that were refused because of their credentials.", statistics.failed_logins),
        ("messages_retrieved_total", "Messages that were retrieved as a whole.", statistics.retrieved_messages),
        ("message_octets_retrieved_total", "Octets of these messages.", statistics.retrieved_octets),
        ("messages_deleted_total", "Messages that were removed.", statistics.deleted_messages),
    ];
    let mut gauges = vec![("sessions", "Sessions that are open now.", statistics.open_sessions)];
    if let Some(ends) = certificate_ends {
        gauges.push(("certificate_end_timestamp_seconds", "The end of the certificate, since 1970.", ends));
    }
    let mut text = String::new();
    for (kind, values) in [("counter", &counters[..]), ("gauge", &gauges)] {
        for (name, help, value) in values {
            // A string cannot fail.
            let _ = writeln!(text, "# HELP pop3_{name} {help}\n# TYPE pop3_{name} {kind}\npop3_{name} {value}");
        }
    }
    text
}
