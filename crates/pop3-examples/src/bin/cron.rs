//! A job for cron: brings new mail into a Maildir, deletes it on the server when it is safely on disk, and says what happened in one line.

use pop3_blocking::proto::client::LoginPolicy;
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::{Client, ClientOptions, Security, tls};
use pop3_fetch::{AccountMaildir, Run, RunSummary, TransferOptions};
use pop3_maildrop::Maildir;

fn fetch(home: &std::path::Path, port: u16, options: &ClientOptions) -> Result<RunSummary, Box<dyn std::error::Error>> {
    let (credentials, policy) = (Credentials::password("joe", "secret")?, LoginPolicy::default());
    let mut account = AccountMaildir::open(Maildir::create(home)?, "joe@localhost")?;
    let transfer = TransferOptions::new(true);
    let mut run = Run::new(&mut account, &transfer, &());
    run.fetch_new(&mut || Client::connect_and_login("localhost", port, options, &credentials, &policy))?;
    Ok(run.into_summary())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mailbox = pop3_test::Server::builder().stls();
    let mailbox = mailbox.user("joe", "secret", ["Subject: one\r\n\r\n1\r\n", "Subject: two\r\n\r\n2\r\n"]).start()?;
    let certificate = mailbox.certificate().ok_or("the server has no certificate")?;
    let options = ClientOptions::new(Security::Stls(tls::client_trusting(certificate.as_bytes())?));
    let home = tempfile::tempdir()?;
    for run in ["first", "second"] {
        let summary = fetch(&home.path().join("Maildir"), mailbox.port(), &options)?;
        println!("{run} run: {} fetched, {} left on the server", summary.fetched, mailbox.messages("joe").len());
    }
    Ok(())
}
