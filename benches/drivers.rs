//! What a driver costs beside a raw read loop: processor time of the thread that receives one large message over loopback, in the
//! clear, in turns within one run. `cargo bench -p pop3-benches --bench drivers`

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use pop3_proto::codec::MessageNumber;
use rustix::time::{ClockId, clock_gettime};

/// Serves one message to whoever asks, whatever else they say.
fn serve(octets: usize) -> SocketAddr {
    let line = b"a line of text of the length that lines of text have, more or less, in mail\r\n";
    let body: Vec<u8> = line.iter().copied().cycle().take(octets / line.len() * line.len()).collect();
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(stream.try_clone().expect("a handle")).lines();
            stream.write_all(b"+OK\r\n").expect("written");
            while let Some(Ok(line)) = lines.next() {
                stream.write_all(b"+OK\r\n").expect("written");
                if line.starts_with("RETR") {
                    stream.write_all(&body).and_then(|()| stream.write_all(b".\r\n")).expect("written");
                }
            }
        }
    });
    address
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn raw(address: SocketAddr, octets: usize) -> Duration {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.write_all(b"RETR 1\r\n").expect("written");
    let (mut left, mut space) = (octets, vec![0; 128 * 1024]);
    let before = processor_time();
    while left > 0 {
        let count = stream.read(&mut space).expect("read");
        black_box(&space[..count]);
        left = left.saturating_sub(count);
    }
    processor_time() - before
}

macro_rules! driver {
    ($name:ident, $driver:ident, $run:expr, $($await:tt)*) => {
        fn $name(address: SocketAddr) -> Duration {
            use $driver::{Client, ClientOptions, Security};
            let options = ClientOptions::new(Security::DangerousCleartext);
            $run(async {
                let mut client = Client::connect("127.0.0.1", address.port(), &options)$($await)*.expect("connected");
                let name = pop3_proto::codec::Username::new("a").expect("a name");
                let password = pop3_proto::codec::Password::new("b").expect("a password");
                client.run(pop3_proto::client::requests::user_pass(name, password))$($await)*.expect("logged in");
                let mut message = client.retr(MessageNumber::FIRST)$($await)*.expect("asked");
                let before = processor_time();
                while let Some(chunk) = message.next_chunk()$($await)*.expect("received") {
                    black_box(chunk);
                }
                processor_time() - before
            })
        }
    };
}

driver!(blocking, pop3_blocking, futures_lite::future::block_on,);
driver!(on_tokio, pop3_tokio, in_tokio, .await);
driver!(on_async_std, pop3_async_std, futures_lite::future::block_on, .await);

fn in_tokio<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

fn main() {
    let once = std::env::args().any(|argument| argument == "--test");
    let (octets, rounds) = if once { (1_000_000, 1) } else { (100_000_000, 9) };
    let address = serve(octets);
    let octets = octets / 77 * 77;
    let mut all: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        let base = raw(address, octets);
        let took = [base, blocking(address), on_tokio(address), on_async_std(address)];
        for (of, time) in all.iter_mut().zip(took) {
            of.push(time.as_secs_f64() / base.as_secs_f64());
        }
    }
    println!("processor time of receiving {} MB, beside a raw read loop; median of {rounds}", octets / 1_000_000);
    for (name, ratios) in ["raw read loop", "pop3-blocking", "pop3-tokio", "pop3-async-std"].iter().zip(&mut all) {
        ratios.sort_by(f64::total_cmp);
        println!("{name:<16} {:.2}", ratios[ratios.len() / 2]);
    }
}
