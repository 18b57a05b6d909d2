//! The subcommand `pop3 doctor`: says what is wrong with an account or a server.

mod certificate;
mod conformance;
mod examination;
mod finding;
mod network;
mod report;
mod service;
mod session;
mod subject;

use std::env;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use pop3_blocking::Error;
use pop3_blocking::proto::Secret;
use pop3_blocking::proto::client::LoginPolicy;
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::rustls::ClientConfig;
use pop3_blocking::tls;

use crate::account::{trusting, with_certificate};
use crate::accounts::{self, Given};
use crate::arguments::{AuthMethod, Doctor};
use crate::failure::{Exit, Failure, say};
use crate::language::Message;
use crate::oauth::{Access, Want};
use crate::{password, terminal};
use examination::{Examination, Verdict};
use finding::Finding;
use report::Style;
use session::Login;
use subject::Subject;

pub fn run(mut arguments: Doctor, given: &Given) -> Result<(), Failure> {
    if let Some(fetch) = accounts::named(&arguments.server, given)? {
        arguments.take_account(fetch);
    }
    examine(&arguments)
}

fn examine(arguments: &Doctor) -> Result<(), Failure> {
    let tls = match &arguments.ca_file {
        Some(file) => trusting(file)?,
        None => arguments.pin.map_or_else(tls::client, tls::client_pinned)?,
    };
    let subject = Subject::of(arguments, &tls)?;
    let tls = match &arguments.client {
        Some((cert, key)) => with_certificate(&tls, cert, key)?,
        None => tls,
    };
    let login = login(arguments, &subject)?;
    if arguments.conformance {
        return conform(arguments, &subject, tls, login.as_ref());
    }
    let examination = Examination {
        subject: &subject,
        login: login.as_ref(),
        tls,
        limit: Duration::from_secs(arguments.timeout),
        save_certificate: arguments.save_certificate.as_deref(),
    };
    let style = Style { width: terminal::width(), has_color: terminal::has_color(&io::stdout()) };
    let spinner = terminal::add(ProgressBar::new_spinner());
    spinner.enable_steady_tick(Duration::from_millis(100));
    let mut findings = Vec::new();
    let mut failed = Ok(());
    let verdict = examination.run(&mut |finding| {
        if !arguments.json {
            let told = terminal::above_bars(|| say(report::text(&finding, style)));
            failed = std::mem::replace(&mut failed, Ok(())).and(told);
        }
        findings.push(finding);
    });
    spinner.finish_and_clear();
    failed?;
    let result = result(arguments, &subject, verdict);
    let exit = if let Verdict::Fails(exit) = verdict { Some(exit) } else { None };
    match arguments.json {
        true => say(format_args!("{:#}", report::json(&subject.given, &findings, &result, exit)))?,
        false => say(format_args!("\n{}", report::result(&result, style)))?,
    }
    if let Some(file) = &arguments.report {
        let text = shared(&subject, &findings, &result);
        fs::File::create(file)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Failure::file(file, &error))?;
    }
    match exit {
        None => Ok(()),
        Some(exit) => Err(Failure::told(exit)),
    }
}

/// Examines the conformance of the first port that can be connected to.
fn conform(arguments: &Doctor, subject: &Subject, tls: Arc<ClientConfig>, login: Option<&Login>) -> Result<(), Failure> {
    let limit = Duration::from_secs(arguments.timeout);
    let failed = |error: io::Error| {
        let what = Message::new("doctor-network-other").with("address", &subject.host).with("error", error);
        Failure::new(
            Exit::Connection,
            what.with("port", subject.endpoints.first().map_or(0, |endpoint| endpoint.port).to_string()),
        )
    };
    let addresses = network::look_up(&subject.host, limit).map_err(failed)?;
    let places = subject.endpoints.iter().flat_map(|end| addresses.iter().map(|address| SocketAddr::new(*address, end.port)));
    let reached = network::reach(&places.collect::<Vec<_>>(), limit).into_iter().find(|reach| reach.result.is_ok());
    let address = reached.ok_or_else(|| failed(io::ErrorKind::ConnectionRefused.into()))?.address;
    let endpoint = subject.endpoints.iter().find(|endpoint| endpoint.port == address.port());
    let endpoint = *endpoint.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    if login.is_some_and(|login| matches!(login.credentials, Credentials::Token { .. })) {
        return Err(Failure::new(Exit::Usage, Message::new("conformance-token")));
    }
    let (statements, failure) = conformance::examine(subject, endpoint, address.ip(), tls, limit, login)?;
    let broken = statements.iter().filter(|statement| statement.is_broken()).count();
    let count = statements.iter().filter(|statement| statement.is_examined()).count();
    let result = Message::new("conformance-result").with("broken", broken).with("count", count);
    if arguments.json {
        let statements: Vec<_> = statements.iter().map(conformance::Statement::json).collect();
        say(format_args!("{:#}", serde_json::json!({ "examined": subject.given, "statements": statements, "broken": broken })))?;
    } else {
        let style = Style { width: terminal::width(), has_color: terminal::has_color(&io::stdout()) };
        for statement in &statements {
            say(statement.line(style))?;
        }
        say(format_args!("\n{}", report::result(&result, style)))?;
    }
    match failure {
        Some(failure) => Err(failure),
        None if broken > 0 => Err(Failure::told(Exit::Other)),
        None => Ok(()),
    }
}

/// Returns the result: the command that fetches mail, or the number of failures.
fn result(arguments: &Doctor, subject: &Subject, verdict: Verdict) -> Message {
    let Verdict::Works { endpoint, is_logged_in } = verdict else { return Message::new("doctor-result-fails") };
    let is_address = subject.given.contains('@') && !subject.given.contains("://");
    let mut command = format!("pop3 fetch {}", if is_address { &subject.given } else { &subject.host });
    if let Some(host) = &arguments.host {
        command += &format!(" --host {host}");
    }
    if let Some(user) = subject.user.as_ref().filter(|_| !is_address || arguments.user.is_some()) {
        command += &format!(" --user {user}");
    } else if !is_address {
        command += " --user NAME";
    }
    let is_provider = is_address && subject.provider.is_some() && arguments.host.is_none() && arguments.port.is_none();
    if !is_provider {
        if endpoint.begins == service::Begins::InClear {
            command += " --stls";
        }
        if !matches!((endpoint.begins, endpoint.port), (service::Begins::WithTls, 995) | (service::Begins::InClear, 110)) {
            command += &format!(" --port {}", endpoint.port);
        }
    }
    if let Some(file) = &arguments.ca_file {
        command += &format!(" --ca-file {}", file.display());
    }
    if let Some(pin) = &arguments.pin {
        let digits: String = pin.iter().map(|octet| format!("{octet:02x}")).collect();
        command += &format!(" --pin {digits}");
    }
    if !is_address {
        command += " ~/Maildir";
    }
    let result = if is_logged_in { Message::new("doctor-result-works") } else { Message::new("doctor-result-no-login") };
    result.with("command", command)
}

/// Returns the report that can be shared: without the user's name, and for a page.
fn shared(subject: &Subject, findings: &[Finding], result: &Message) -> String {
    let style = Style { width: 100, has_color: false };
    let system =
        format!("pop3 {}, {} {}, {}", env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH, certificate::today());
    let examined = Message::new("doctor-report-examined").with("subject", &subject.given).to_string();
    let lines = findings.iter().map(|finding| report::text(finding, style));
    let parts: Vec<_> = [system, examined, String::new()].into_iter().chain(lines).collect();
    let text = format!("{}\n\n{}\n", parts.join("\n"), report::result(result, style));
    let mut private: Vec<String> = subject.user.iter().cloned().collect();
    private.push(subject.given.clone());
    let addresses: Vec<String> = private.clone();
    private.extend(addresses.iter().filter_map(|address| Some(address.rsplit_once('@')?.0.to_owned())));
    // The host is no secret, and is what the report is about.
    private.retain(|part| *part != subject.host);
    let home = env::var("HOME").ok().filter(|home| home.len() > 1);
    let text = home.map_or_else(|| text.clone(), |home| text.replace(&home, "~"));
    report::redacted(&text, &private)
}

/// Returns the login to try: with the token or the password that the arguments or the environment name, or with what a person types. `None`
/// if there is none.
fn login(arguments: &Doctor, subject: &Subject) -> Result<Option<Login>, Failure> {
    let Some(user) = &subject.user else { return Ok(None) };
    let policy = LoginPolicy { utf8: true, ..arguments.auth.map_or_else(LoginPolicy::default, AuthMethod::policy) };
    let kept = match Access::of(&arguments.token.oauth, user, &subject.host, None)? {
        None => None,
        Some(access) => Some(access.token(Want::Current)?.ok_or_else(|| access.not_granted(&subject.given))?),
    };
    if let Some(token) = kept.map_or_else(|| arguments.token.read(), |token| Ok(Some(token)))? {
        let text = str::from_utf8(token.expose()).map_err(|_| Failure::new(Exit::Login, Message::new("token-not-ascii")))?;
        let credentials = Credentials::token(user, text).map_err(Error::from)?;
        return Ok(Some(Login { credentials, secret: token, policy }));
    }
    if arguments.auth == Some(AuthMethod::External) {
        // The name is no secret, but there is no other.
        let credentials = Credentials::External { name: user.as_bytes().to_vec() };
        return Ok(Some(Login { credentials, secret: Secret::from(""), policy }));
    }
    let source = &arguments.password;
    let is_given = source.is_named() || env::var_os("POP3_PASSWORD").is_some();
    let secret = if is_given {
        source.read(user, &subject.host)?
    } else if io::stdin().is_terminal() && io::stderr().is_terminal() && !arguments.json {
        password::prompt(&Message::new("doctor-password-prompt").with("user", user).to_string())?
    } else {
        return Ok(None);
    };
    if secret.expose().is_empty() {
        return Ok(None);
    }
    let credentials = Credentials::password(user, secret.expose()).map_err(Error::from)?;
    Ok(Some(Login { credentials, secret, policy }))
}
