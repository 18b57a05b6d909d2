//! The arguments of `pop3 login`.

use clap::Args;

use super::AccountArguments;

/// Log in by OAuth on the provider's web page, and keep the access for `pop3 fetch`.
///
/// Prints the address of the page, and a code to type there or an address to open in a browser on this machine. What the provider
/// gives is kept in a file that only you can read, below ~/.local/state/pop3/tokens, and is renewed by each run that needs it.
/// Finally logs in to the mailbox, to see whether that is enough.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 login you@outlook.com --oauth-client-id ID
      Log in to a known provider.

  pop3 login work
      Log in to an account of the configuration that has the key
      oauth-client-id.

  pop3 login joe@example.org --host pop.example.org \\
      --oauth-client-id ID --oauth-scope mail \\
      --oauth-token-url https://id.example.org/token \\
      --oauth-authorize-url https://id.example.org/authorize
      Log in anywhere else.")]
pub struct Login {
    /// Mail address, a server, or the name of an account of the configuration.
    #[arg(value_name = "ADDRESS|HOST|ACCOUNT")]
    pub server: String,

    #[command(flatten)]
    pub account: AccountArguments,
}
