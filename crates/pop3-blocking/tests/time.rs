//! Deadlines, by what a stream is told of them.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, mpsc};

use pop3_blocking::maildrop::Memory;
use pop3_blocking::proto::Transcript;
use pop3_blocking::{Client, ClientOptions, Error, ListenSecurity, Security, Server, ServerOptions, SessionObservers};

/// A server that sends one byte for each read, and remembers which deadlines it was given.
struct Dripping {
    says: std::vec::IntoIter<u8>,
    deadlines: Arc<Mutex<Vec<std::time::Instant>>>,
}

impl Read for Dripping {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        match self.says.next() {
            Some(byte) => {
                buf[0] = byte;
                Ok(1)
            }
            None => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Write for Dripping {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl pop3_blocking::Transport for Dripping {
    fn set_deadline(&mut self, deadline: std::time::Instant) -> std::io::Result<()> {
        self.deadlines.lock().unwrap().push(deadline);
        Ok(())
    }
}

#[test]
fn a_server_that_drips_is_left_as_one_that_is_silent() {
    let deadlines: Arc<Mutex<Vec<std::time::Instant>>> = Arc::default();
    let stream = Dripping { says: vec![b'x'; 100].into_iter(), deadlines: Arc::clone(&deadlines) };
    let options = ClientOptions::new(Security::DangerousCleartext);
    let error = Client::with_stream(Box::new(stream), "localhost", 110, &options, None).unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    let deadlines = deadlines.lock().unwrap();
    assert_eq!(deadlines.len(), 101);
    assert!(deadlines.iter().all(|deadline| *deadline == deadlines[0]), "no byte moves it");
}

/// A stream that takes everything and fails to flush now and then.
struct Clogged {
    says: &'static [u8],
    took: Arc<Mutex<Vec<u8>>>,
    faults: Vec<std::io::ErrorKind>,
}

impl Read for Clogged {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.says.read(buf)
    }
}

impl Write for Clogged {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.took.lock().unwrap().extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.faults.pop().map_or(Ok(()), |fault| Err(fault.into()))
    }
}

impl pop3_blocking::Transport for Clogged {
    fn set_deadline(&mut self, _: std::time::Instant) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_flush_that_fails_sends_no_command_twice() {
    use std::io::ErrorKind::{Interrupted, TimedOut};
    for faults in [vec![Interrupted], vec![TimedOut], vec![TimedOut, Interrupted]] {
        let took: Arc<Mutex<Vec<u8>>> = Arc::default();
        let stream = Clogged { says: b"+OK\r\n", took: Arc::clone(&took), faults };
        let options = ClientOptions::new(Security::DangerousCleartext);
        let mut client = Client::with_stream(Box::new(stream), "localhost", 110, &options, None).unwrap();
        // The server says nothing more, so both fail; what matters is what was sent.
        assert!(client.capa().is_err());
        assert_eq!(*took.lock().unwrap(), b"CAPA\r\n");
        assert!(client.capa().is_err());
        assert!([&b"CAPA\r\n"[..], b"CAPA\r\nCAPA\r\n"].contains(&&took.lock().unwrap()[..]));
    }
}

/// Options whose observers report each time-out of a session.
fn observed() -> (ServerOptions, mpsc::Receiver<()>) {
    let (sender, time_outs) = mpsc::channel();
    let sender = Mutex::new(sender);
    let mut options = ServerOptions::dangerous_cleartext();
    options.observers = SessionObservers::new(move |_| {
        let sender = sender.lock().unwrap().clone();
        Some(Box::new(Transcript::new(move |line| {
            if line.starts_with("(session ended: the client was silent, or too slow;") {
                sender.send(()).unwrap();
            }
        })))
    });
    (options, time_outs)
}

#[test]
fn s21_h35_h36_a_client_that_drips_is_sent_away() {
    let store = Memory::new().with_user("joe", "secret", [b"x\n".to_vec()]);
    let (options, time_outs) = observed();
    let server = Server::new(options, store);
    for (said, dripped) in [(&b"USER joe\r\n"[..], 10), (b"USER joe\r\nPASS secret\r\n", 20)] {
        let deadlines: Arc<Mutex<Vec<std::time::Instant>>> = Arc::default();
        let says = [said, &vec![b'x'; dripped]].concat();
        let stream = Dripping { says: says.into_iter(), deadlines: Arc::clone(&deadlines) };
        assert!(server.serve_stream(Box::new(stream), ListenSecurity::Cleartext).is_err());
        assert_eq!(time_outs.try_iter().count(), 1);
        let deadlines = deadlines.lock().unwrap();
        let last = &deadlines[deadlines.len() - dripped..];
        assert!(last.iter().all(|deadline| *deadline == last[0]), "no byte moves it");
    }
}

/// A client that has said something and reads nothing: no write comes to an end.
struct Deaf(&'static [u8]);

impl Read for Deaf {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Deaf {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::TimedOut.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl pop3_blocking::Transport for Deaf {
    fn set_deadline(&mut self, _: std::time::Instant) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn h36_a_client_that_does_not_read_is_sent_away() {
    let store = Memory::new().with_user("joe", "secret", [b"x\n".to_vec()]);
    let server = Server::new(ServerOptions::dangerous_cleartext(), store.clone());
    let ended = server.serve_stream(Box::new(Deaf(b"USER joe\r\nPASS secret\r\nDELE 1\r\nQUIT\r\n")), ListenSecurity::Cleartext);
    assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(store.messages("joe").len(), 1);
}
