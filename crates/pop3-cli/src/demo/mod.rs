//! The subcommand `pop3 demo`.

mod dialogue;

use std::fs;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use pop3_blocking::{Client, ClientOptions, Security};
use pop3_fetch::{AccountMaildir, Run, TransferOptions};
use pop3_maildrop::{LockedMaildir, LoginError, Maildir, Peer, Store};
use pop3_tokio::proto::codec::ReplyText;
use pop3_tokio::proto::sasl::PresentedCredentials;
use pop3_tokio::proto::server::LoginAttempt;
use pop3_tokio::{ListenSecurity, Server, ServerOptions, tls};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::arguments::Demo;
use crate::failure::{Exit, Failure, say};
use crate::fetch::progress::Bar;
use crate::language::Message;
use dialogue::Dialogue;

const USER: &str = "demo";
const PASSWORD: &str = "demo";

const MAIL: [(&str, &[u8]); 4] = [
    ("1-welcome", include_bytes!("mail/1-welcome.eml")),
    ("2-dots", include_bytes!("mail/2-dots.eml")),
    ("3-eight-bit", include_bytes!("mail/3-eight-bit.eml")),
    ("4-no-line-end", include_bytes!("mail/4-no-line-end.eml")),
];

/// A store with one Maildir, one user and one password. It exists only on this machine, during the demonstration.
struct OneMaildir(Maildir);

impl Store for OneMaildir {
    type Maildrop = LockedMaildir;

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<LockedMaildir, LoginError> {
        match &login.credentials {
            PresentedCredentials::Password(password)
                if login.name.as_bytes() == USER.as_bytes() && password.expose() == PASSWORD.as_bytes() =>
            {
                Ok(self.0.lock()?)
            }
            _ => Err(LoginError::Credentials),
        }
    }
}

pub fn run(arguments: &Demo) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("pop3-demo-").tempdir();
    let folder = folder.map_err(|error| Failure::new(Exit::Storage, Message::new("demo-folder").with("error", error)))?;
    let maildir = fill(&folder.path().join("server"))?;
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
        .map_err(|error| Failure::new(Exit::Tls, error))?;
    let certificate = certified.cert.pem();
    let config = tls::server(certificate.as_bytes(), certified.signing_key.serialize_pem().as_bytes())?;
    let runtime = Runtime::new().map_err(|error| Failure::new(Exit::Other, error))?;
    let (plain, encrypted) = serve(&runtime, arguments, ServerOptions::with_tls(config), OneMaildir(maildir))?;

    say(Message::new("demo-begins").with("count", MAIL.len() + 1))?;
    let home = Maildir::create(folder.path().join("home")).map_err(|error| Failure::file(folder.path(), &error))?;
    let home_path = home.path().to_owned();
    fetch(plain, &certificate, home)?;
    compare(&folder.path().join("server"), &home_path)?;

    say(format_args!("\n{}\n", Message::new("demo-fetched")))?;
    if arguments.once || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        say(Message::new("demo-on-a-terminal"))?;
    } else {
        let certificate_file = folder.path().join("certificate.pem");
        fs::write(&certificate_file, &certificate).map_err(|error| Failure::file(&certificate_file, &error))?;
        point_a_mail_program_at(plain, encrypted, &certificate_file)?;
        say(format_args!("\n{}", Message::new("demo-until").with("folder", home_path.display())))?;
        runtime.block_on(tokio::signal::ctrl_c()).map_err(|error| Failure::new(Exit::Other, error))?;
    }
    runtime.shutdown_background();
    Ok(())
}

/// Puts the mail of the demonstration into a Maildir, with one larger message that makes the progress visible.
fn fill(path: &Path) -> Result<Maildir, Failure> {
    let failed = |error: io::Error| Failure::file(path, &error);
    let maildir = Maildir::create(path).map_err(failed)?;
    let put = |name: String, text: &[u8]| fs::write(path.join("new").join(name), text).map_err(failed);
    for (at, (name, text)) in MAIL.iter().enumerate() {
        put(format!("{}.{name}", 1_700_000_000 + at), text)?;
    }
    let mut large = b"From: pop3 <pop3@demo.example>\nTo: You <demo@demo.example>\nSubject: A larger one\n\
        Message-ID: <large@demo.example>\n\n"
        .to_vec();
    for line in 0..100_000 {
        large.extend_from_slice(
            format!("{line:06} ..................................................................\n").as_bytes(),
        );
    }
    put("1700000099.5-large".to_owned(), &large)?;
    Ok(maildir)
}

fn serve(
    runtime: &Runtime,
    arguments: &Demo,
    mut options: ServerOptions,
    store: OneMaildir,
) -> Result<(SocketAddr, SocketAddr), Failure> {
    options.config.greeting = const { ReplyText::literal("the demonstration is ready") };
    options.config.implementation = const { ReplyText::literal(concat!("pop3 ", env!("CARGO_PKG_VERSION"))) };
    let server = Arc::new(Server::new(options, store));
    let listen = |port: u16, listen: ListenSecurity| {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let failed = |error: io::Error| Failure::not_listening(address, &error);
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let server = Arc::clone(&server);
        runtime.spawn(async move { server.serve(&listener, listen).await });
        Ok::<_, Failure>(address)
    };
    Ok((listen(arguments.port, ListenSecurity::Cleartext)?, listen(arguments.tls_port, ListenSecurity::ImplicitTls)?))
}

fn fetch(server: SocketAddr, certificate: &str, home: Maildir) -> Result<(), Failure> {
    let options = ClientOptions::new(Security::Stls(tls::client_trusting(certificate.as_bytes())?));
    let mut home = AccountMaildir::open(home, "demo")?;
    let bar = Bar::new(&Arc::default());
    let mut connect = || {
        let observer = Box::new(Dialogue::new(bar.terminal().clone()));
        let mut client = Client::connect_observed(&server.ip().to_string(), server.port(), &options, Some(observer))?;
        client.capa()?;
        client.login(USER, PASSWORD)?;
        Ok(client)
    };
    let transfer = TransferOptions::new(false);
    let mut run = Run::new(&mut home, &transfer, &bar);
    run.fetch_new(&mut connect)?;
    bar.clear();
    let summary = run.into_summary();
    if summary.fetched == MAIL.len() as u64 + 1 {
        return Ok(());
    }
    let problems: Vec<String> = summary.problems.iter().map(ToString::to_string).collect();
    let found = Message::new("demo-incomplete").with("count", summary.fetched);
    Err(Failure::new(Exit::Other, found.with("problems", problems.join(", "))))
}

/// Checks that both Maildirs contain the same messages, except for a final line end, which the protocol requires.
fn compare(server: &Path, home: &Path) -> Result<(), Failure> {
    let messages = |maildir: &Path| {
        let folder = maildir.join("new");
        let read = || {
            let mut all = fs::read_dir(&folder)?.map(|entry| fs::read(entry?.path())).collect::<io::Result<Vec<_>>>()?;
            for text in &mut all {
                if !text.ends_with(b"\n") {
                    text.push(b'\n');
                }
            }
            all.sort();
            Ok::<_, io::Error>(all)
        };
        read().map_err(|error| Failure::file(&folder, &error))
    };
    if messages(server)? == messages(home)? {
        return Ok(());
    }
    Err(Failure::new(Exit::Other, Message::new("demo-differ")))
}

fn point_a_mail_program_at(plain: SocketAddr, encrypted: SocketAddr, certificate: &Path) -> Result<(), Failure> {
    let (tls_port, certificate) = (encrypted.port(), certificate.display());
    let settings = Message::new("demo-settings").with("host", plain.ip());
    let settings = settings.with("plain", plain.port()).with("tls", tls_port);
    say(settings.with("user", USER).with("password", PASSWORD))?;
    say(format_args!("  curl --cacert {certificate} \\\n    --user {USER}:{PASSWORD} pop3s://localhost:{tls_port}/1"))
}
