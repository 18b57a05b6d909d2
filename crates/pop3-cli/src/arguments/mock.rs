//! The arguments of `pop3 mock`.

use std::path::PathBuf;

use clap::Args;

/// Serve files to the tests of your software, with faults.
///
/// The server listens on this machine only, without and with TLS, and each file is a message. The first line of output is JSON with
/// the ports and the certificate; after it, each line that a client sends is a line of JSON. Deletions are forgotten at the end.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 mock mail/
      Serve the files of a folder to joe, whose password is secret.

  pop3 mock --faults faults.toml --until-eof welcome.eml
      Serve one message with the faults of a file, and end with the
      test that has started this program.

A file of faults:
  [[fault]]
  on = \"RETR\"        # a command, \"greeting\", or \"*\" for any command
  nth = 2            # only the second one; without nth, each
  cut_after = 100    # close the connection after 100 octets

  [[fault]]
  on = \"PASS\"
  refuse = \"[LOGIN-DELAY] wait a minute\"

Other faults are reply = \"bytes\\r\\n\", stall_after = octets,
drip = milliseconds and close = true. At the top of the file,
capabilities = [\"TOP\"] replaces the reply to CAPA, mechanisms =
[\"PLAIN\"] offers mechanisms, and certificate = \"expired\",
\"not-yet-valid\" or \"wrong-name\" presents such a certificate.")]
pub struct Mock {
    /// Messages: files, or folders such as Maildirs whose files are messages.
    pub mail: Vec<PathBuf>,

    /// User name of the mailbox.
    #[arg(short, long, default_value = "joe")]
    pub user: String,

    /// Password of the user. It is for tests, and is printed.
    #[arg(long, default_value = "secret")]
    pub password: String,

    /// Port for POP3 in the clear and with STLS. 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    pub port: u16,

    /// Port for POP3 over TLS. 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    pub tls_port: u16,

    /// File of faults, in TOML.
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,

    /// End when standard input ends, so that a test that dies takes the server with it.
    #[arg(long)]
    pub until_eof: bool,
}
