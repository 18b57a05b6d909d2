//! The arguments of OAuth 2.0.

use clap::Args;

// The heading would be that of all options behind these, so they stand last in each command.
/// How to log in on the provider's web page instead of with a password. Known providers need only the client id.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Login by OAuth")]
pub struct OAuthArguments {
    /// Log in by OAuth: the provider asks on its own web page, once. This is the id that the provider gives to a registered program;
    /// register one of your own.
    #[arg(long, value_name = "ID", conflicts_with_all = ["password_file", "password_command", "netrc", "credential", "token_file", "token_command"])]
    pub oauth_client_id: Option<String>,

    /// Client secret, if the provider gives one to programs of this kind. Then it is no secret from the users of the program.
    #[arg(long, value_name = "TEXT", requires = "oauth_client_id")]
    pub oauth_client_secret: Option<String>,

    /// What to ask for, separated by spaces. (Default: what the provider wants for POP.)
    #[arg(long, value_name = "SCOPES", requires = "oauth_client_id")]
    pub oauth_scope: Option<String>,

    /// Where an agreement becomes an access token. (Default: the provider's.)
    #[arg(long, value_name = "URL", requires = "oauth_client_id", value_parser = https)]
    pub oauth_token_url: Option<String>,

    /// The page that asks. (Default: the provider's.)
    #[arg(long, value_name = "URL", requires = "oauth_token_url", value_parser = https)]
    pub oauth_authorize_url: Option<String>,

    /// Where to ask for a code that is typed on the provider's page, on any device. (Default: the provider's, if it has that.)
    #[arg(long, value_name = "URL", requires = "oauth_token_url", value_parser = https)]
    pub oauth_device_url: Option<String>,

    /// The address to which the page returns, as it was registered; the program then asks for the address of the page at the end.
    /// (Default: this machine, 127.0.0.1, where the program waits for it.)
    #[arg(long, value_name = "URL", requires = "oauth_client_id", conflicts_with = "oauth_device_url")]
    pub oauth_redirect_url: Option<String>,
}

/// Takes addresses with TLS only: tokens are as good as passwords.
fn https(text: &str) -> Result<String, String> {
    match oauth2::url::Url::parse(text) {
        Ok(url) if url.scheme() == "https" && url.has_host() => Ok(text.to_owned()),
        _ => Err("must begin with https://".to_owned()),
    }
}
