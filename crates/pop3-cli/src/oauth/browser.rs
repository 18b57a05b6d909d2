//! The end of a login in a browser: the page returns to this machine (RFC 8252), or a person pastes its address.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use oauth2::CsrfToken;
use oauth2::url::Url;

use super::refusal::trouble;
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::server_text::one_line;
use crate::terminal::ask;

/// The time that a person has.
const PATIENCE: Duration = Duration::from_secs(600);
/// The time that a browser has for a request.
const REQUEST: Duration = Duration::from_secs(10);
/// No more of a request is read than this.
const MOST_BYTES: u64 = 16 * 1024;

/// Waits for a browser on this machine.
pub struct Loopback {
    listener: TcpListener,
    pub redirect_url: String,
}

impl Loopback {
    /// Listens on a free port of this machine, which no other machine reaches.
    ///
    /// # Errors
    /// There is no free port.
    pub fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let redirect_url = format!("http://{}/", listener.local_addr()?);
        Ok(Self { listener, redirect_url })
    }

    /// Waits for the code that the page brings back.
    ///
    /// # Errors
    /// The login is not finished in time, or the provider refuses.
    pub fn wait(self, state: &CsrfToken) -> Result<String, Failure> {
        let until = Instant::now() + PATIENCE;
        let (sender, receiver) = mpsc::channel();
        let redirect_url = self.redirect_url.clone();
        // The thread ends with the program. A browser that opens a connection and sends nothing delays no other.
        thread::spawn(move || {
            for stream in self.listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || drop(requested(&stream).map(|url| sender.send((url, stream)))));
            }
        });
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let (path, stream) =
                receiver.recv_timeout(left).map_err(|_| Failure::new(Exit::Login, Message::new("oauth-late")))?;
            // Browsers ask for more than the page, for an icon for example; and others may send anything.
            let Ok(url) = Url::parse(&redirect_url).and_then(|base| base.join(&path)) else { continue };
            match code_in(&url, state) {
                None => answer(&stream, "404 Not Found", ""),
                Some(Ok(code)) => {
                    answer(&stream, "200 OK", &Message::new("oauth-page-done").to_string());
                    return Ok(code);
                }
                Some(Err(failure)) => {
                    answer(&stream, "200 OK", &Message::new("oauth-page-refused").to_string());
                    return Err(failure);
                }
            }
        }
    }
}

/// Reads the path that a browser asks for.
fn requested(stream: &TcpStream) -> io::Result<String> {
    stream.set_read_timeout(Some(REQUEST))?;
    stream.set_write_timeout(Some(REQUEST))?;
    let mut lines = BufReader::new(stream.take(MOST_BYTES)).lines();
    let first = lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
    // The rest is read, so that the answer is not lost by a reset.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = first.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    path.map(str::to_owned).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Answers a browser. Nothing depends on whether it arrives.
fn answer(mut stream: &TcpStream, status: &str, text: &str) {
    let page = format!("<!DOCTYPE html><meta charset=\"utf-8\"><title>pop3</title><p>{text}</p>\n");
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        page.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(page.as_bytes()));
}

/// Returns the code in the address that a page has returned to, or the refusal. `None` if the address does not belong to this login: its
/// `state` is another one, as with a forged request.
fn code_in(url: &Url, state: &CsrfToken) -> Option<Result<String, Failure>> {
    let value = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    if value("state").as_deref() != Some(state.secret()) {
        return None;
    }
    match (value("code"), value("error")) {
        (_, Some(error)) => Some(Err(trouble(&match value("error_description") {
            Some(description) => format!("{error}: {description}"),
            None => error,
        }))),
        (code, None) => code.map(Ok),
    }
}

/// Asks for the address of the page at the end, and returns the code in it.
///
/// # Errors
/// Nothing is pasted, or something else.
pub fn pasted(state: &CsrfToken) -> Result<String, Failure> {
    ask!("{} ", Message::new("oauth-paste"));
    let mut line = String::new();
    io::stdin().lock().take(MOST_BYTES).read_line(&mut line).map_err(|error| Failure::new(Exit::Other, error))?;
    let url = Url::parse(line.trim()).ok().and_then(|url| code_in(&url, state));
    url.unwrap_or_else(|| Err(Failure::new(Exit::Login, Message::new("oauth-not-pasted").with("text", one_line(line.trim())))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str) -> Option<Result<String, String>> {
        let url = Url::parse(&format!("http://127.0.0.1:1/{query}")).unwrap();
        code_in(&url, &CsrfToken::new("right".to_owned())).map(|found| found.map_err(|failure| failure.to_string()))
    }

    #[test]
    fn a_code_counts_only_with_the_state_of_this_login() {
        assert_eq!(code("?code=a%2Bb&state=right"), Some(Ok("a+b".to_owned())));
        assert_eq!(code("?state=right"), None);
        for query in ["?code=a&state=wrong", "?code=a", "", "favicon.ico", "?error=access_denied"] {
            assert_eq!(code(query), None, "{query}");
        }
        let refused = code("?error=access_denied&error_description=no%1b&state=right&code=x").unwrap().unwrap_err();
        assert!(refused.contains("access_denied: no\u{fffd}"), "{refused}");
    }

    #[test]
    fn a_browser_that_sends_nothing_or_something_else_delays_no_login() {
        let loopback = Loopback::open().unwrap();
        let place = loopback.redirect_url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let _silent = TcpStream::connect(&place).unwrap();
        let ask = |request: &str| {
            let mut stream = TcpStream::connect(&place).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            stream
        };
        let others = [
            ask("POST / HTTP/1.1\r\n\r\n"),
            ask("GET /favicon.ico HTTP/1.1\r\n\r\n"),
            ask("GET /?code=x&state=forged HTTP/1.1\r\n\r\n"),
        ];
        let mut browser = ask("GET /?code=good&state=right HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(loopback.wait(&CsrfToken::new("right".to_owned())).unwrap(), "good");
        let mut page = String::new();
        browser.read_to_string(&mut page).unwrap();
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("Cache-Control: no-store"), "{page}");
        drop(others);
    }
}
