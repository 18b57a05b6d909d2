//! What to use in place of options that other programs have.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Options of other programs, and what to do here.
const OTHERS: [(&[&str], &str); 9] = [
    (&["--starttls", "--start-tls", "--tls-starttls"], "use --stls: it is the name in POP3"),
    (&["--ssl", "--tls", "--pop3s", "--tls-on-connect"], "leave it out: TLS is used unless an option says otherwise"),
    (
        &["--insecure", "-k", "--no-check-certificate", "--tls-certcheck"],
        "use --ca-file with the server's certificate; or --dangerously-any-certificate, with which an attacker can read the password",
    ),
    (
        &["--no-tls", "--no-ssl", "--plain", "--plaintext", "--cleartext"],
        "use --dangerously-cleartext, with which others on the network can read the password and the mail",
    ),
    (&["-P"], "use -p or --port"),
    (
        &["--password", "--pass", "--passwd"],
        "use POP3_PASSWORD, --password-file or --password-command: other users can see the arguments of a program",
    ),
    (&["--username", "--login", "--name"], "use --user"),
    (&["--server", "--hostname"], "name the server without an option: pop3 fetch pop.example.org"),
    (
        &["--folder", "--maildir", "--dest", "--output-dir"],
        "name the Maildir without an option, after the server: pop3 fetch pop.example.org --user joe ~/Maildir",
    ),
];

/// Returns an error of the command line with a suggestion that is right, if its option is one that other programs have.
pub fn explained(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return error };
    let name = argument.split('=').next().unwrap_or_default();
    let known = OTHERS.iter().find(|(names, _)| names.contains(&name) && error.kind() == ErrorKind::UnknownArgument);
    if let Some((_, advice)) = known {
        // What clap suggests is what is spelled alike.
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Suggested);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![(*advice).to_owned().into()]));
    }
    error
}
