//! Load on a POP3 server, for `benches/servers.py`: a client of few lines that shares nothing with ours. Users are `u1`, `u2`, …, the
//! password of all is `pw`. Prints one number.
//!
//! - `load sessions ADDRESS USERS CLIENTS SECONDS`: sessions a second (connect, USER, PASS, STAT, QUIT).
//! - `load retrieve ADDRESS CLIENTS SECONDS WINDOW MESSAGES`: messages a second, and MB a second behind it.
//! - `load listing ADDRESS LIST|UIDL ROUNDS`: milliseconds, the median.
//! - `load login ADDRESS`: milliseconds from PASS to the reply to STAT.
//! - `load idle ADDRESS USERS`: logs all users in, says so, and waits for the end of its input.
//! - `load canned LISTEN OCTETS`: the limit of the machine, a server that has all its answers in memory and looks at nothing; its messages
//!   have so many octets. Until the end of its input.
//! - `load delay LISTEN ADDRESS MILLISECONDS`: hands on each connection, with so long a round trip, until the end of its input.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use memchr::memmem::Finder;

struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut client = Self(BufReader::with_capacity(256 * 1024, stream));
        client.reply()?;
        Ok(client)
    }

    fn send(&mut self, line: &str) -> io::Result<()> {
        self.0.get_mut().write_all(line.as_bytes())
    }

    fn reply(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        if line.starts_with("+OK") { Ok(line) } else { Err(io::Error::other(format!("the server says: {line:?}"))) }
    }

    fn ask(&mut self, line: &str) -> io::Result<String> {
        self.send(line)?;
        self.reply()
    }

    fn login(address: &str, user: usize) -> io::Result<Self> {
        let mut client = Self::connect(address)?;
        client.ask(&format!("USER u{user}\r\n"))?;
        client.ask("PASS pw\r\n")?;
        Ok(client)
    }

    /// Reads until so many multi-line replies have ended; gives their octets.
    fn bodies(&mut self, mut count: usize) -> io::Result<u64> {
        let end = Finder::new(b"\r\n.\r\n");
        let mut octets = 0;
        // What may be the beginning of an end.
        let mut kept: Vec<u8> = Vec::new();
        while count > 0 {
            let buffer = self.0.fill_buf()?;
            if buffer.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if !kept.is_empty() {
                let more = buffer.len().min(4);
                kept.extend_from_slice(&buffer[..more]);
                if let Some(at) = end.find(&kept) {
                    let used = at + 5 - (kept.len() - more);
                    (kept, count, octets) = (Vec::new(), count - 1, octets + used as u64);
                    self.0.consume(used);
                    continue;
                }
            }
            match end.find(buffer) {
                Some(at) => {
                    (kept, count, octets) = (Vec::new(), count - 1, octets + at as u64 + 5);
                    self.0.consume(at + 5);
                }
                None => {
                    let length = buffer.len();
                    kept.extend_from_slice(&buffer[length.saturating_sub(4)..]);
                    kept.drain(..kept.len().saturating_sub(4));
                    octets += length as u64;
                    self.0.consume(length);
                }
            }
        }
        Ok(octets)
    }
}

/// Runs clients side by side until the time is over; sums up what they give.
fn at_once(clients: usize, work: impl Fn(usize) -> io::Result<(u64, u64)> + Sync) -> io::Result<(u64, u64)> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|client| {
                scope.spawn({
                    let work = &work;
                    move || work(client)
                })
            })
            .collect();
        threads.into_iter().try_fold((0, 0), |(a, b), thread| {
            let (more_a, more_b) = thread.join().map_err(|_| io::Error::other("a client failed"))??;
            Ok((a + more_a, b + more_b))
        })
    })
}

fn sessions(address: &str, users: usize, clients: usize, seconds: f64) -> io::Result<()> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let (count, _) = at_once(clients, |client| {
        let mut count = 0;
        while Instant::now() < end {
            // No two clients at once are the same user.
            let user = 1 + client + clients * (usize::try_from(count).unwrap_or(0) % (users / clients));
            let mut session = Client::login(address, user)?;
            session.ask("STAT\r\n")?;
            session.ask("QUIT\r\n")?;
            count += 1;
        }
        Ok((count, 0))
    })?;
    println!("{:.0}", count as f64 / seconds);
    Ok(())
}

fn retrieve(address: &str, clients: usize, seconds: f64, window: usize, messages: usize) -> io::Result<()> {
    let (count, octets) = at_once(clients, |client| {
        let mut session = Client::login(address, client + 1)?;
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        let mut numbers = (1..=messages).cycle();
        let mut next = || format!("RETR {}\r\n", numbers.next().unwrap_or(1));
        session.send(&(0..window).map(|_| next()).collect::<String>())?;
        let (mut count, mut octets) = (0, 0);
        while Instant::now() < end {
            octets += session.bodies(1)?;
            session.send(&next())?;
            count += 1;
        }
        session.bodies(window)?;
        session.ask("QUIT\r\n")?;
        Ok((count, octets))
    })?;
    println!("{:.0} {:.0}", count as f64 / seconds, octets as f64 / seconds / 1e6);
    Ok(())
}

fn listing(address: &str, command: &str, rounds: usize) -> io::Result<()> {
    let mut session = Client::login(address, 1)?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        session.send(&format!("{command}\r\n"))?;
        session.bodies(1)?;
        times.push(begin.elapsed());
    }
    times.sort();
    println!("{:.3}", times[rounds / 2].as_secs_f64() * 1e3);
    Ok(())
}

fn login(address: &str) -> io::Result<()> {
    let mut session = Client::connect(address)?;
    session.ask("USER u1\r\n")?;
    let begin = Instant::now();
    session.ask("PASS pw\r\n")?;
    session.ask("STAT\r\n")?;
    println!("{:.1}", begin.elapsed().as_secs_f64() * 1e3);
    session.ask("QUIT\r\n").map(drop)
}

fn idle(address: &str, users: usize) -> io::Result<()> {
    let sessions = (1..=users).map(|user| Client::login(address, user)).collect::<io::Result<Vec<_>>>()?;
    println!("{}", sessions.len());
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// Answers by the first letter of each line, one write for all lines that have come.
fn canned(listen: &str, octets: usize) -> io::Result<()> {
    let message = [
        b"+OK\r\n".as_slice(),
        &b"a line of text, as long as lines of text in mail are, more or less\r\n".repeat(octets / 68),
        b".\r\n",
    ]
    .concat();
    let listing: String = (1..=10_000).map(|number| format!("{number} 1700\r\n")).collect();
    let listing = format!("+OK\r\n{listing}.\r\n").into_bytes();
    let (message, listing): (&'static [u8], &'static [u8]) = (message.leak(), listing.leak());
    let listener = TcpListener::bind(listen)?;
    let serve = move |mut stream: TcpStream| -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.write_all(b"+OK\r\n")?;
        let (mut buffer, mut answer) = ([0; 4096], Vec::new());
        loop {
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            answer.clear();
            let lines = buffer[..count].split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
            for line in lines {
                answer.extend_from_slice(match line.first() {
                    Some(b'R') => message,
                    Some(b'L') => listing,
                    Some(b'U') if line.starts_with(b"UIDL") => listing,
                    _ => b"+OK\r\n",
                });
            }
            stream.write_all(&answer)?;
        }
    };
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(thread::spawn(move || serve(stream)))));
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// Hands on what comes, half a round trip later each way.
fn delay(listen: &str, address: &str, round_trip: Duration) -> io::Result<()> {
    let listener = TcpListener::bind(listen)?;
    let address = address.to_owned();
    thread::spawn(move || -> io::Result<()> {
        loop {
            let client = listener.accept()?.0;
            let server = TcpStream::connect(&address)?;
            for (mut from, mut to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
                to.set_nodelay(true)?;
                let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
                thread::spawn(move || {
                    let mut buffer = vec![0; 256 * 1024];
                    while let Ok(count @ 1..) = from.read(&mut buffer) {
                        if sender.send((Instant::now() + round_trip / 2, buffer[..count].to_vec())).is_err() {
                            return;
                        }
                    }
                });
                thread::spawn(move || {
                    for (at, bytes) in receiver {
                        thread::sleep(at.saturating_duration_since(Instant::now()));
                        if to.write_all(&bytes).is_err() {
                            return;
                        }
                    }
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<f64>().ok()).expect("a number");
    let count = |at: usize| number(at) as usize;
    match words.first().map(String::as_str) {
        Some("sessions") => sessions(&words[1], count(2), count(3), number(4)),
        Some("retrieve") => retrieve(&words[1], count(2), number(3), count(4), count(5)),
        Some("listing") => listing(&words[1], &words[2], count(3)),
        Some("login") => login(&words[1]),
        Some("idle") => idle(&words[1], count(2)),
        Some("canned") => canned(&words[1], count(2)),
        Some("delay") => delay(&words[1], &words[2], Duration::from_secs_f64(number(3) / 1e3)),
        _ => Err(io::Error::other("sessions, retrieve, listing, login, idle, canned or delay?")),
    }
}
