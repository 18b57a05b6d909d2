//! Handshakes that precede a session; the one with a proxy that a client connects through.

use std::io;
use std::net::IpAddr;

use pop3_proto::Secret;

/// A handshake that precedes the session, without I/O. It reads no octet beyond its own end.
pub trait ProxyHandshake {
    /// Returns the bytes to write now, and forgets them.
    fn output(&mut self) -> Vec<u8>;

    /// Returns the maximum number of octets to read next; 0 if the handshake is complete.
    fn bytes_wanted(&self) -> usize;

    /// Processes bytes that were read.
    ///
    /// # Errors
    /// Fails if the peer refuses, or if it sends something that cannot be parsed.
    fn receive(&mut self, bytes: &[u8]) -> io::Result<()>;
}

pub(crate) fn refused(why: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("the proxy: {why}"))
}

/// A proxy that a client connects through.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// The proxy's protocol.
    pub kind: ProxyKind,
    /// The proxy's host name or address.
    pub host: String,
    /// The proxy's port.
    pub port: u16,
    /// The name and password for the proxy, if it requires a login.
    pub login: Option<(String, Secret)>,
}

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// SOCKS 5 (RFC 1928, RFC 1929). The proxy resolves the host name.
    Socks5,
    /// The HTTP method `CONNECT` (RFC 9110 §9.3.6).
    HttpConnect,
}

impl Proxy {
    /// Returns the handshake that requests a connection to `host`.
    ///
    /// # Errors
    /// Fails if `host`, or the name or password of the proxy, is too long or cannot be sent.
    pub fn handshake(&self, host: &str, port: u16) -> io::Result<Box<dyn ProxyHandshake + Send>> {
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        if host.len() > 255 || host.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
            return Err(invalid("the name of the host cannot be told to a proxy"));
        }
        Ok(match self.kind {
            ProxyKind::Socks5 => {
                if self.login.as_ref().is_some_and(|(name, password)| name.len() > 255 || password.expose().len() > 255) {
                    return Err(invalid("the name or password for the proxy is too long"));
                }
                Box::new(Socks5::new(self.login.clone(), host, port))
            }
            ProxyKind::HttpConnect => Box::new(HttpConnect::new(self.login.as_ref(), host, port)),
        })
    }
}

enum Stage {
    /// The proxy chooses a login method.
    Method,
    /// The proxy accepts or refuses the name and password.
    Login,
    /// The beginning of the proxy's reply.
    Answer,
    /// The rest of the reply, with this many octets: the bound address without its first octet, and the port.
    Bound(usize),
    Done,
}

struct Socks5 {
    stage: Stage,
    login: Option<(String, Secret)>,
    request: Vec<u8>,
    output: Vec<u8>,
    read: Vec<u8>,
}

impl Socks5 {
    fn new(login: Option<(String, Secret)>, host: &str, port: u16) -> Self {
        let mut request = vec![5, 1, 0];
        match host.parse() {
            Ok(IpAddr::V4(address)) => {
                request.push(1);
                request.extend(address.octets());
            }
            Ok(IpAddr::V6(address)) => {
                request.push(4);
                request.extend(address.octets());
            }
            Err(_) => {
                request.extend([3, u8::try_from(host.len()).unwrap_or(u8::MAX)]);
                request.extend(host.bytes());
            }
        }
        request.extend(port.to_be_bytes());
        // The offered methods: no login, and a name and password.
        let output = if login.is_some() { vec![5, 2, 0, 2] } else { vec![5, 1, 0] };
        Self { stage: Stage::Method, login, request, output, read: Vec::new() }
    }

    fn advance(&mut self) -> io::Result<()> {
        let read = std::mem::take(&mut self.read);
        self.stage = match (&self.stage, read.as_slice(), &self.login) {
            (Stage::Method, [5, 0], _) => {
                self.output.clone_from(&self.request);
                Stage::Answer
            }
            (Stage::Method, [5, 2], Some((name, password))) => {
                let password = password.expose();
                self.output.extend([1, u8::try_from(name.len()).unwrap_or(u8::MAX)]);
                self.output.extend(name.bytes());
                self.output.push(u8::try_from(password.len()).unwrap_or(u8::MAX));
                self.output.extend(password);
                Stage::Login
            }
            (Stage::Method, [5, _], _) => return Err(refused("it wants another login than it was given")),
            (Stage::Login, [1, 0], _) => {
                self.output.clone_from(&self.request);
                Stage::Answer
            }
            (Stage::Login, ..) => return Err(refused("it refuses the name or the password")),
            (Stage::Answer, [5, 0, _, kind, first], _) => Stage::Bound(match kind {
                1 => 3 + 2,
                3 => usize::from(*first) + 2,
                4 => 15 + 2,
                _ => return Err(refused("its answer cannot be read")),
            }),
            (Stage::Answer, [5, code, ..], _) => {
                return Err(refused(match code {
                    2 => "it does not allow this connection",
                    3 => "the network cannot be reached",
                    4 => "the host cannot be reached",
                    5 => "the connection was refused",
                    6 => "the time is over",
                    _ => "it cannot connect",
                }));
            }
            (Stage::Bound(_), ..) => Stage::Done,
            _ => return Err(refused("it does not speak SOCKS 5")),
        };
        Ok(())
    }
}

impl ProxyHandshake for Socks5 {
    fn output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn bytes_wanted(&self) -> usize {
        let whole = match self.stage {
            Stage::Method | Stage::Login => 2,
            Stage::Answer => 5,
            Stage::Bound(octets) => octets,
            Stage::Done => 0,
        };
        whole - self.read.len()
    }

    fn receive(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.read.extend_from_slice(bytes);
        if self.bytes_wanted() == 0 { self.advance() } else { Ok(()) }
    }
}

struct HttpConnect {
    output: Vec<u8>,
    read: Vec<u8>,
    done: bool,
}

impl HttpConnect {
    fn new(login: Option<&(String, Secret)>, host: &str, port: u16) -> Self {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let mut output = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some((name, password)) = login {
            use base64::Engine;
            let text = [name.as_bytes(), b":", password.expose()].concat();
            output += &format!("Proxy-Authorization: Basic {}\r\n", base64::engine::general_purpose::STANDARD.encode(text));
        }
        Self { output: (output + "\r\n").into_bytes(), read: Vec::new(), done: false }
    }
}

impl ProxyHandshake for HttpConnect {
    fn output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn bytes_wanted(&self) -> usize {
        // Octet by octet: the octets after the empty line belong to the session.
        usize::from(!self.done)
    }

    fn receive(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.read.extend_from_slice(bytes);
        if self.read.len() > 16 * 1024 {
            return Err(refused("its answer does not end"));
        }
        if self.read.ends_with(b"\r\n\r\n") {
            let status = self.read.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let words: Vec<&[u8]> = status.splitn(3, |byte| *byte == b' ').collect();
            match words.as_slice() {
                [version, [b'2', _, _], ..] if version.starts_with(b"HTTP/1.") => self.done = true,
                _ => return Err(refused(pop3_proto::codec::Escaped(status))),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Feeds the peer's bytes to the handshake, alternately one octet and as many as it wants. Returns the bytes written and the
    /// number of bytes left unread.
    pub(crate) fn shake(handshake: &mut dyn ProxyHandshake, says: &[u8]) -> io::Result<(Vec<u8>, usize)> {
        let (mut written, mut rest, mut odd) = (Vec::new(), says, false);
        loop {
            written.extend(handshake.output());
            let wants = handshake.bytes_wanted();
            if wants == 0 {
                return Ok((written, rest.len()));
            }
            odd = !odd;
            let count = if odd { 1 } else { wants }.min(rest.len());
            assert!(count > 0, "more is wanted than is there");
            handshake.receive(&rest[..count])?;
            rest = &rest[count..];
        }
    }

    fn proxy(kind: ProxyKind, login: bool) -> Proxy {
        let login = login.then(|| ("me".to_owned(), Secret::from("pw")));
        Proxy { kind, host: "proxy".to_owned(), port: 1, login }
    }

    #[test]
    fn socks_5_with_and_without_a_login() {
        let run = |login, host: &str, says: &[u8]| {
            shake(&mut *proxy(ProxyKind::Socks5, login).handshake(host, 995).unwrap(), says).map_err(|error| error.to_string())
        };
        let answer = [5, 0, 0, 1, 127, 0, 0, 1, 0, 9];
        let (written, left) = run(false, "pop.example", &[&[5, 0][..], &answer, b"+OK"].concat()).unwrap();
        assert_eq!((written, left), ([&[5, 1, 0, 5, 1, 0, 3, 11][..], b"pop.example", &[3, 227]].concat(), 3));
        let (written, _) = run(true, "::1", &[&[5, 2, 1, 0, 5, 0, 0, 3, 2][..], b"ab", &[0, 9]].concat()).unwrap();
        let request = [&[5, 1, 0, 4][..], &[0; 15], &[1, 3, 227]].concat();
        assert_eq!(written, [&[5, 2, 0, 2, 1, 2][..], b"me", &[2], b"pw", &request].concat());
        assert!(run(false, "h", &[5, 255]).unwrap_err().contains("another login"));
        assert!(run(true, "h", &[5, 2, 1, 1]).unwrap_err().contains("refuses"));
        assert!(run(false, "h", &[5, 0, 5, 5, 0, 1, 0]).unwrap_err().contains("was refused"));
        assert!(run(false, "h", b"HT").unwrap_err().contains("SOCKS"));
        assert!(proxy(ProxyKind::Socks5, false).handshake("two words", 1).is_err());
    }

    #[test]
    fn http_connect() {
        let run = |login, host: &str, says: &[u8]| {
            shake(&mut *proxy(ProxyKind::HttpConnect, login).handshake(host, 995).unwrap(), says)
                .map_err(|error| error.to_string())
        };
        let (written, left) = run(true, "pop.example", b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n+OK").unwrap();
        let expected = "CONNECT pop.example:995 HTTP/1.1\r\nHost: pop.example:995\r\nProxy-Authorization: Basic bWU6cHc=\r\n\r\n";
        assert_eq!((String::from_utf8(written).unwrap().as_str(), left), (expected, 3));
        let (written, _) = run(false, "::1", b"HTTP/1.0 200\r\n\r\n").unwrap();
        assert!(written.starts_with(b"CONNECT [::1]:995 HTTP/1.1\r\n"));
        for bad in [&b"HTTP/1.1 407 Proxy \x1b[31mlogin\r\n\r\n"[..], b"+OK\r\n\r\n", &[b'x'; 17_000]] {
            let error = run(false, "h", bad).unwrap_err();
            assert!(!error.chars().any(char::is_control), "{error:?}");
        }
        assert!(proxy(ProxyKind::HttpConnect, false).handshake("a\r\nb", 1).is_err(), "h15");
    }
}
