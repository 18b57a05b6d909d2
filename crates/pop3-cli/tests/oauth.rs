//! Logins by OAuth 2.0, with an authorization server and a mail server that takes its tokens.

mod script;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oauth2::url::Url;
use script::authorization::Authorization;
use script::fake::{Fake, Say, message};
use script::{pop3, text};
use tempfile::TempDir;

/// A person with a mailbox that takes tokens only.
struct Person {
    home: TempDir,
    authorization: Authorization,
    mail: Fake,
    /// The one token that the mail server takes.
    good: Arc<Mutex<&'static str>>,
}

impl Person {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let authorization = Authorization::start(&home.path().join("ca.pem"));
        let good = Arc::new(Mutex::new("access-1"));
        let taken = Arc::clone(&good);
        let mail = Fake::with("SASL XOAUTH2\r\nUIDL\r\n", vec![message(1), message(2)], move |_, line| {
            let Some(response) = line.strip_prefix("AUTH XOAUTH2 ") else { return Say::Default };
            let response = text(&STANDARD.decode(response).unwrap());
            match response == format!("user=joe@example.org\u{1}auth=Bearer {}\u{1}\u{1}", taken.lock().unwrap()) {
                true => Say::line("+OK"),
                false => Say::line("-ERR [AUTH] no such token"),
            }
        });
        Self { home, authorization, mail, good }
    }

    /// The command with the mail server and the client id, and nothing that is secret in its output.
    fn command(&self, verb: &str, options: &[&str]) -> Command {
        let mut command = pop3();
        command.args([
            verb,
            "joe@example.org",
            "--host",
            "127.0.0.1",
            "--port",
            &self.mail.port.to_string(),
            "--dangerously-cleartext",
        ]);
        command.args(["--oauth-client-id", "client-7", "--oauth-scope", "mail"]);
        command.args(["--oauth-token-url", &format!("{}/token", self.authorization.url)]).args(options);
        command.env("HOME", self.home.path()).env_remove("XDG_STATE_HOME").env("SSL_CERT_FILE", self.home.path().join("ca.pem"));
        command
    }

    fn run(&self, verb: &str, options: &[&str]) -> (Option<i32>, String) {
        checked(&self.command(verb, options).output().unwrap())
    }

    fn login(&self) -> (Option<i32>, String) {
        self.run("login", &["--oauth-device-url", &format!("{}/device", self.authorization.url)])
    }

    fn tokens(&self) -> PathBuf {
        self.home.path().join(".local/state/pop3/tokens/joe@example.org,127.0.0.1.json")
    }

    fn refreshes(&self) -> usize {
        self.authorization.asked("refresh_token").len()
    }

    /// The mail server takes this token from now on, and no other.
    fn takes(&self, token: &'static str) {
        *self.good.lock().unwrap() = token;
    }
}

/// The exit code and all that was told, in which no token is.
fn checked(output: &Output) -> (Option<i32>, String) {
    let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(!told.contains("access-") && !told.contains("refresh-"), "{told}");
    (output.status.code(), told)
}

#[test]
fn a_code_for_another_device_gives_access_that_is_kept() {
    let person = Person::new();
    person.authorization.change(|state| state.pending = 1);
    let (code, told) = person.login();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("open https://id.example/device on any device and type the code ABCD-EFGH"), "{told}");
    assert!(told.contains("joe@example.org: the login works; 2 messages"), "{told}");
    let asked = person.authorization.asked("device_code");
    assert_eq!((asked.len(), asked[0]["client_id"].as_str()), (2, "client-7"));
    assert_eq!(person.authorization.state.lock().unwrap().requests[0]["scope"], "mail");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(person.tokens()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Later runs ask nobody, and nothing of the dialogue shows the token.
    let (code, told) = person.run("fetch", &["-vv"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("2 messages") && told.contains("AUTH XOAUTH2 [redacted]"), "{told}");
    assert_eq!(person.authorization.state.lock().unwrap().given, 1);
}

#[test]
fn a_token_is_renewed_before_it_ends_and_each_refresh_token_is_used_once() {
    let person = Person::new();
    person.authorization.change(|state| state.expires_in = 30);
    assert_eq!(person.login().0, Some(0));
    for token in ["access-2", "access-3"] {
        person.takes(token);
        let (code, told) = person.run("fetch", &[]);
        assert_eq!(code, Some(0), "{told}");
    }
    let used: Vec<_> =
        person.authorization.asked("refresh_token").iter().map(|request| request["refresh_token"].clone()).collect();
    assert_eq!(used, ["refresh-1", "refresh-2"]);
    assert_eq!(person.mail.heard("AUTH"), 3, "no login with a token that had ended");
}

#[test]
fn a_token_that_the_server_refuses_is_renewed_once_whatever_the_clock_says() {
    let person = Person::new();
    assert_eq!(person.login().0, Some(0));
    // The clock was wrong when the token was kept: it seems to be good for a century.
    let kept = fs::read_to_string(person.tokens()).unwrap();
    let expires = kept.split("\"expires\": ").nth(1).unwrap().split(['\n', '}']).next().unwrap().to_owned();
    fs::write(person.tokens(), kept.replace(&expires, "5000000000")).unwrap();
    person.takes("access-2");
    let (code, told) = person.run("fetch", &[]);
    assert_eq!((code, person.refreshes()), (Some(0), 1), "{told}");
    // A server that refuses the new one, too, is asked no third time.
    let before = person.mail.heard("AUTH");
    person.takes("none");
    let (code, told) = person.run("fetch", &[]);
    assert_eq!((code, person.refreshes(), person.mail.heard("AUTH") - before), (Some(5), 2, 2), "{told}");
}

#[test]
fn access_that_was_withdrawn_is_told_and_forgotten() {
    let person = Person::new();
    assert_eq!(person.login().0, Some(0));
    person.takes("none");
    person.authorization.change(|state| state.is_withdrawn = true);
    let (code, told) = person.run("fetch", &[]);
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains("or it has ended") && told.contains("pop3 login joe@example.org"), "{told}");
    assert!(!person.tokens().exists());
    // A program that runs by the clock does not wait for a person.
    let before = person.mail.sessions();
    let (code, told) = person.run("fetch", &[]);
    assert_eq!((code, person.mail.sessions()), (Some(5), before), "{told}");
    assert!(told.contains("there is no access to the mailbox of joe@example.org yet"), "{told}");
}

#[test]
fn a_token_that_ends_within_a_run_is_renewed_and_nothing_is_lost() {
    let person = Person::new();
    let good = Arc::clone(&person.good);
    let mail = Fake::with("SASL XOAUTH2\r\nUIDL\r\n", (1..=4).map(message).collect(), move |state, line| match line {
        // The next run fetches this message in a session of its own.
        "RETR 3" if state.sessions == 2 => Say::ThenClose(Vec::new()),
        "QUIT" if state.sessions == 3 => {
            *good.lock().unwrap() = "access-2";
            Say::Default
        }
        line if line.starts_with("AUTH") => {
            let response = text(&STANDARD.decode(line.rsplit(' ').next().unwrap()).unwrap());
            if response.contains(&format!("Bearer {}\u{1}", good.lock().unwrap())) {
                Say::line("+OK")
            } else {
                Say::line("-ERR [AUTH] ended")
            }
        }
        _ => Say::Default,
    });
    let person = Person { mail, ..person };
    assert_eq!(person.login().0, Some(0));
    let (code, told) = person.run("fetch", &[]);
    assert_eq!(code, Some(3), "{told}");
    let (code, told) = person.run("fetch", &[]);
    assert_eq!((code, person.refreshes(), person.mail.sessions()), (Some(0), 1, 5), "{told}");
    assert_eq!(fs::read_dir(person.home.path().join("Mail/joe@example.org/new")).unwrap().count(), 4);
}

#[test]
fn a_scope_that_is_not_granted_is_told() {
    let person = Person::new();
    person.takes("none");
    person.authorization.change(|state| state.scope = Some("calendar"));
    let (code, told) = person.login();
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains("has not granted the scope mail") && told.contains("no such token"), "{told}");
    let person = Person::new();
    person.authorization.change(|state| state.scope = Some("calendar mail"));
    let (code, told) = person.login();
    assert!(code == Some(0) && !told.contains("scope"), "{told}");
}

#[test]
fn an_authorization_server_that_is_away_or_refuses_is_told_and_the_access_stays() {
    let person = Person::new();
    person.authorization.change(|state| state.expires_in = 1);
    assert_eq!(person.login().0, Some(0));
    for (refuses, expected, part) in [
        ((503, "away"), 3, "cannot get a token from https://localhost:"),
        ((200, "{\"access_token\":\"access-9\""), 5, "its reply is not one of OAuth 2.0"),
        ((400, "{\"error\":\"invalid_client\",\"error_description\":\"no\\u001b[31m\"}"), 5, "invalid_client: no\u{fffd}[31m"),
        ((302, ""), 5, "the provider gives no access: server returned empty error response"),
    ] {
        person.authorization.change(|state| state.refuses = Some(refuses));
        let (code, told) = person.run("fetch", &[]);
        assert_eq!(code, Some(expected), "{told}");
        assert!(told.contains(part), "{part}: {told}");
        assert!(person.tokens().exists(), "it may be better tomorrow");
    }
    // A server that cannot be verified is told nothing.
    let before = person.authorization.state.lock().unwrap().requests.len();
    let (code, told) = checked(&person.command("fetch", &[]).env_remove("SSL_CERT_FILE").output().unwrap());
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("cannot get a token from https://localhost:"), "{told}");
    assert_eq!(person.authorization.state.lock().unwrap().requests.len(), before);
    for option in ["--oauth-token-url", "--oauth-authorize-url", "--oauth-device-url"] {
        let mut command = pop3();
        command.args([
            "fetch",
            "joe@example.org",
            "--oauth-client-id",
            "x",
            "--oauth-token-url",
            "https://x",
            option,
            "http://localhost/",
        ]);
        let (code, told) = checked(&command.output().unwrap());
        assert!(code == Some(2) && (told.contains("must begin with https://") || told.contains("multiple times")), "{told}");
    }
}

/// The page that the program names, and what is to be brought back to it.
fn page(line: &str) -> (Url, String) {
    let page = Url::parse(line.trim()).unwrap();
    let value = |wanted: &str| page.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
    assert_eq!((value("response_type").as_str(), value("code_challenge_method").as_str()), ("code", "S256"));
    assert_eq!((value("client_id").as_str(), value("login_hint").as_str()), ("client-7", "joe@example.org"));
    let back = format!("{}?code=code-1&state={}", value("redirect_uri"), value("state"));
    (page.clone(), back)
}

fn challenge(page: &Url) -> String {
    page.query_pairs().find(|(name, _)| name == "code_challenge").unwrap().1.into_owned()
}

#[test]
fn a_page_in_a_browser_gives_access_and_returns_to_this_machine() {
    let person = Person::new();
    let authorize = format!("{}/authorize", person.authorization.url);
    let mut command = person.command("login", &["--oauth-authorize-url", &authorize, "--oauth-client-secret", "secret-7"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (page, back) = page(&lines.nth(1).unwrap().unwrap());
    person.authorization.change(|state| state.challenge = challenge(&page));
    let back = Url::parse(&back).unwrap();
    let mut browser = TcpStream::connect(("127.0.0.1", back.port().unwrap())).unwrap();
    write!(browser, "GET /?{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", back.query().unwrap()).unwrap();
    let mut shown = String::new();
    browser.read_to_string(&mut shown).unwrap();
    assert!(shown.contains("You can close this page"), "{shown}");
    let (code, told) = checked(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("the login works; 2 messages"), "{told}");
    let asked = &person.authorization.asked("authorization_code")[0];
    assert_eq!(asked["redirect_uri"], format!("http://127.0.0.1:{}/", back.port().unwrap()));
}

#[test]
fn the_address_of_the_page_at_the_end_can_be_pasted() {
    for (wrong, expected) in [(false, 0), (true, 5)] {
        let person = Person::new();
        let authorize = format!("{}/authorize", person.authorization.url);
        let options = ["--oauth-authorize-url", &authorize, "--oauth-redirect-url", "https://example.org/back"];
        let mut command = person.command("login", &options);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        line.clear();
        lines.read_line(&mut line).unwrap();
        let (page, back) = page(&line);
        assert!(back.starts_with("https://example.org/back?"), "{back}");
        person.authorization.change(|state| state.challenge = challenge(&page));
        let back = if wrong { back.replace("state=", "state=x") } else { back };
        writeln!(child.stdin.take().unwrap(), "{back}").unwrap();
        let (code, told) = checked(&child.wait_with_output().unwrap());
        let mut more = String::new();
        lines.read_to_string(&mut more).unwrap();
        assert_eq!(code, Some(expected), "{told}{more}");
        assert_eq!(more.contains("this is not the address"), wrong, "{more}");
    }
}

#[test]
fn an_account_of_the_configuration_logs_in_and_is_fetched() {
    let person = Person::new();
    let config = person.home.path().join(".config/pop3/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let keys = format!(
        "[accounts.work]\nserver = \"joe@example.org\"\nhost = \"127.0.0.1\"\nport = {}\ndangerously-cleartext = true\n\
         oauth-client-id = \"client-7\"\noauth-token-url = \"{url}/token\"\noauth-device-url = \"{url}/device\"\n",
        person.mail.port,
        url = person.authorization.url
    );
    fs::write(&config, keys).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = pop3();
        command.args(arguments).env("HOME", person.home.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        checked(&command.env("SSL_CERT_FILE", person.home.path().join("ca.pem")).output().unwrap())
    };
    let (code, told) = run(&["fetch"]);
    assert!(code == Some(5) && told.contains("pop3 login"), "{told}");
    let (code, told) = run(&["login", "work"]);
    assert!(code == Some(0) && told.contains("work: the login works; 2 messages"), "{told}");
    let (code, told) = run(&["fetch", "work"]);
    assert!(code == Some(0) && told.contains("work: 2 messages"), "{told}");
}

#[test]
fn a_provider_that_is_known_needs_only_a_client_id_and_says_how_to_get_one() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        checked(&pop3().args(arguments).env("HOME", home.path()).env_remove("XDG_STATE_HOME").output().unwrap())
    };
    let (code, told) = run(&["fetch", "you@outlook.com"]);
    assert_eq!(code, Some(5), "{told}");
    assert!(
        told.contains("pop3 login you@outlook.com --oauth-client-id ID") && told.contains("https://entra.microsoft.com"),
        "{told}"
    );
    let (code, told) = run(&["fetch", "you@outlook.com", "--oauth-client-id", "x"]);
    assert!(code == Some(5) && told.contains("there is no access to the mailbox of you@outlook.com yet"), "{told}");
    let (code, told) = run(&["login", "joe@example.org", "--host", "pop.example.org", "--oauth-client-id", "x"]);
    assert!(code == Some(2) && told.contains("it is not known where pop.example.org gives access"), "{told}");
    let (code, told) = run(&["login", "you@outlook.com"]);
    assert!(code == Some(2) && told.contains("needs a client id"), "{told}");
}

#[test]
fn a_folder_of_tokens_that_cannot_be_used_is_told() {
    let person = Person::new();
    let tokens = person.tokens();
    let folder: &Path = tokens.parent().unwrap();
    fs::create_dir_all(folder.parent().unwrap()).unwrap();
    fs::write(folder, "a file in its place").unwrap();
    let (code, told) = person.run("fetch", &[]);
    assert_eq!(code, Some(7), "{told}");
    fs::remove_file(folder).unwrap();
    fs::create_dir(folder).unwrap();
    fs::write(&tokens, "{}").unwrap();
    let (code, told) = person.run("fetch", &[]);
    assert!(code == Some(7) && told.contains("joe@example.org,127.0.0.1.json"), "{told}");
}
