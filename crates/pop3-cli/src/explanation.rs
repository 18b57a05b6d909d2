//! Errors of sessions, in the language of the run.

use std::time::Duration;

use pop3_blocking::Error;
use pop3_blocking::proto::client::{Awaiting, Deadline, LocalError, Refusal, RemoteError, RequestError, Service};
use pop3_blocking::proto::codec::Escaped;
use pop3_blocking::tls::{Moment, TlsFailure};

use crate::language::Message;
use crate::server_text::readable;

/// Returns what happened. Errors that have no text here are told in English.
pub fn of(error: &Error) -> String {
    let message = match error {
        Error::Connect { host, port, cause } => {
            Message::new("error-connect").with("host", host).with("port", port.to_string()).with("cause", cause)
        }
        Error::TimedOut { waiting_for, after } => {
            Message::new("error-silent").with("time", time(*after)).with("waiting", waiting(waiting_for))
        }
        Error::Tls(failure) => return tls(failure).map_or_else(|| error.to_string(), |message| message.to_string()),
        Error::Request(RequestError::Refused(refusal)) => refused(refusal),
        Error::Request(RequestError::Remote(RemoteError::Closed(awaited))) => {
            Message::new("error-closed").with("when", awaiting(*awaited))
        }
        Error::Request(RequestError::Remote(RemoteError::NotAReply(line))) => not_pop3(line),
        Error::Request(RequestError::Local(LocalError::CleartextLogin)) => Message::new("error-cleartext-login"),
        Error::Request(RequestError::NoMechanism) => Message::new("error-no-mechanism"),
        error => return error.to_string(),
    };
    message.to_string()
}

/// Returns the refusal with the server's text in characters.
fn refused(refusal: &Refusal) -> Message {
    // The response code is ASCII, and only `Display` has it as the server sent it.
    let shown = refusal.to_string();
    let code = shown.split_once(" [").and_then(|(_, rest)| rest.split_once(']')).map(|(code, _)| code);
    let code = code.filter(|_| refusal.code().is_some()).map(|code| format!(" [{code}]")).unwrap_or_default();
    let text = if refusal.text.is_empty() { String::new() } else { format!(": {}", readable(&refusal.text)) };
    let detail = refusal.detail.as_ref().map(|detail| format!(" ({})", readable(detail))).unwrap_or_default();
    let reply = format!("{code}{text}{detail}");
    match refusal.verb {
        Some(verb) => Message::new("error-refused").with("verb", verb).with("reply", reply),
        None => Message::new("error-no-session").with("reply", reply),
    }
}

fn awaiting(awaited: Awaiting) -> Message {
    match awaited {
        Awaiting::Nothing => Message::new("error-closed-idle"),
        Awaiting::Greeting => Message::new("error-closed-greeting"),
        Awaiting::Reply(verb) => Message::new("error-closed-reply").with("verb", verb),
        Awaiting::Rest(verb) => Message::new("error-closed-rest").with("verb", verb),
    }
}

fn not_pop3(line: &[u8]) -> Message {
    let service = Service::of(line).and_then(|service| match service {
        Service::Imap => Some(Message::new("error-service-imap")),
        Service::SmtpOrFtp => Some(Message::new("error-service-smtp")),
        Service::Ssh => Some(Message::new("error-service-ssh")),
        Service::Web => Some(Message::new("error-service-web")),
        Service::Tls => Some(Message::new("error-service-tls")),
        _ => None,
    });
    let service = service.map(|service| format!(" ({service})")).unwrap_or_default();
    Message::new("error-not-pop3").with("sent", Escaped(line)).with("service", service)
}

fn tls(failure: &TlsFailure) -> Option<Message> {
    Some(match failure {
        TlsFailure::UnknownIssuer => Message::new("error-tls-unknown-issuer"),
        TlsFailure::SelfSigned => Message::new("error-tls-self-signed"),
        // Shorter times are told to the second, in English.
        TlsFailure::Expired(Some(moment)) | TlsFailure::NotValidYet(Some(moment)) if moment.distance < 2 * 86_400 => return None,
        TlsFailure::Expired(Some(moment)) => dated(Message::new("error-tls-expired"), moment),
        TlsFailure::NotValidYet(Some(moment)) => dated(Message::new("error-tls-not-yet"), moment),
        TlsFailure::NotTls => Message::new("error-tls-none"),
        TlsFailure::WrongName(names) => Message::new("error-tls-wrong-name").with("names", listed(names)),
        TlsFailure::Untrusted(reason) => Message::new("error-tls-untrusted").with("error", reason),
        TlsFailure::NothingInCommon(reason) => Message::new("error-tls-nothing-in-common").with("error", reason),
        _ => return None,
    })
}

/// Returns the names in a certificate; nothing without names.
fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    // rustls includes the kind of a name, as in `DnsName("a.example")`.
    let name = |name: &String| match name.split('"').nth(1) {
        Some(name) => name.to_owned(),
        None => name.clone(),
    };
    let first = names.iter().take(MOST).map(name).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => String::new(),
        1..=MOST => Message::new("error-tls-names").with("names", first).to_string(),
        _ => Message::new("error-tls-names-more").with("names", first).to_string(),
    }
}

fn dated(message: Message, moment: &Moment) -> Message {
    message.with("date", crate::date::of(Duration::from_secs(moment.at))).with("days", moment.distance / 86_400)
}

fn time(time: Duration) -> Message {
    match time.as_secs() {
        0 => Message::new("error-milliseconds").with("count", time.as_millis()),
        seconds => Message::new("error-seconds").with("count", seconds),
    }
}

/// Returns what the client waited for.
fn waiting(for_what: &str) -> String {
    let known = [
        (Deadline::Greeting.waiting_for(), Message::new("waiting-greeting")),
        (Deadline::Login.waiting_for(), Message::new("waiting-login")),
        (Deadline::Command.waiting_for(), Message::new("waiting-reply")),
        (Deadline::Body.waiting_for(), Message::new("waiting-message")),
        (Deadline::Quit.waiting_for(), Message::new("waiting-end")),
        ("the TLS handshake was done", Message::new("waiting-handshake")),
        ("a command was sent", Message::new("waiting-command")),
    ];
    let found = known.into_iter().find(|(text, _)| *text == for_what);
    found.map_or_else(|| for_what.to_owned(), |(_, message)| message.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pop3_blocking::proto::codec::{Reply, Verb};

    #[test]
    fn in_english_an_error_is_told_as_the_library_tells_it() {
        let refusal = |line: &[u8]| RequestError::Refused(Refusal::new(Some(Verb::Pass), Reply::parse(line).unwrap())).into();
        let remote = |error: RemoteError| RequestError::Remote(error).into();
        let errors: [Error; 16] = [
            remote(RemoteError::Closed(Awaiting::Nothing)),
            remote(RemoteError::Closed(Awaiting::Greeting)),
            remote(RemoteError::Closed(Awaiting::Reply(Verb::Dele))),
            remote(RemoteError::Closed(Awaiting::Rest(Verb::Retr))),
            remote(RemoteError::NotAReply(b"* OK \x1b[2J".as_slice().into())),
            remote(RemoteError::NotAReply(b"hello".as_slice().into())),
            RequestError::Local(LocalError::CleartextLogin).into(),
            RequestError::NoMechanism.into(),
            refusal(b"-ERR [AUTH] wrong"),
            refusal(b"-ERR"),
            refusal(b"-ERR [X-OWN/CODE] text [with] brackets"),
            RequestError::Refused(Refusal::new(None, Reply::parse(b"-ERR [SYS/TEMP] busy").unwrap())).into(),
            Error::Connect { host: "h".to_owned(), port: 995, cause: std::io::ErrorKind::ConnectionRefused.into() },
            Error::TimedOut { waiting_for: Deadline::Body.waiting_for(), after: Duration::from_secs(60) },
            Error::TimedOut { waiting_for: "the TLS handshake was done", after: Duration::from_millis(200) },
            Error::Tls(TlsFailure::Expired(Some(Moment { at: 1_009_843_200, distance: 24 * 86_400 }))),
        ];
        for error in errors {
            assert_eq!(of(&error), error.to_string());
        }
        let names = |count| (0..count).map(|number| format!("DnsName(\"n{number}.example\")")).collect();
        for failure in [
            TlsFailure::UnknownIssuer,
            TlsFailure::SelfSigned,
            TlsFailure::NotTls,
            TlsFailure::WrongName(Vec::new()),
            TlsFailure::WrongName(names(1)),
            TlsFailure::WrongName(names(8)),
            TlsFailure::WrongName(names(9)),
            TlsFailure::Untrusted("it is odd".to_owned()),
            TlsFailure::NothingInCommon("none".to_owned()),
        ] {
            let error = Error::Tls(failure);
            assert_eq!(of(&error), error.to_string());
        }
    }

    #[test]
    fn texts_of_servers_are_readable() {
        let (gbk, _, _) = encoding_rs::GB18030.encode("-ERR 您没有权限使用pop3功能");
        let error = RequestError::Refused(Refusal::new(Some(Verb::Pass), Reply::parse(&gbk).unwrap())).into();
        assert_eq!(of(&error), "the server refused PASS: 您没有权限使用pop3功能");
    }
}
