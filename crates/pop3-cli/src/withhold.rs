//! Withholds texts of the server that contain the secret of the login.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use pop3_blocking::Error;
use pop3_blocking::proto::Secret;
use pop3_blocking::proto::client::{Refusal, RemoteError, RequestError};

const WITHHELD: &[u8] = b"(not shown: it contains the password)";

/// Replaces each text of the server that contains the secret. The complete text is replaced, because a gap in it would reveal the
/// place of the secret.
pub fn withhold(error: Error, secret: &Secret) -> Error {
    let text = |text: Box<[u8]>| if reveals(&text, secret) { WITHHELD.into() } else { text };
    let refusal = |mut refusal: Refusal| {
        refusal.text = text(refusal.text);
        refusal.detail = refusal.detail.map(text);
        refusal
    };
    let Error::Request(request) = error else { return error };
    Error::Request(match request {
        RequestError::Refused(refused) => RequestError::Refused(refusal(refused)),
        RequestError::NoTls(refused) => RequestError::NoTls(refusal(refused)),
        RequestError::Unreadable { verb, line } => {
            let line = if reveals(line.as_bytes(), secret) { String::from_utf8_lossy(WITHHELD).into_owned() } else { line };
            RequestError::Unreadable { verb, line }
        }
        RequestError::Remote(RemoteError::NotAReply(line)) => RequestError::Remote(RemoteError::NotAReply(text(line))),
        RequestError::Remote(RemoteError::Unsolicited(line)) => RequestError::Remote(RemoteError::Unsolicited(text(line))),
        other => other,
    })
}

/// Returns a line of the dialogue, or a note in its place if it contains the secret, as when a server repeats it.
pub fn withhold_line<'l>(line: &'l str, secret: Option<&Secret>) -> &'l str {
    match secret {
        Some(secret) if reveals(line.as_bytes(), secret) => "(a line is not shown: it contains the password)",
        _ => line,
    }
}

/// Returns `true` if a text contains the secret, or a word in base64 that contains the secret after decoding, as in an echoed
/// `AUTH`.
pub fn reveals(text: &[u8], secret: &Secret) -> bool {
    let secret = secret.expose();
    if secret.is_empty() {
        return false;
    }
    let hidden = |word: &[u8]| STANDARD.decode(word).is_ok_and(|decoded| memmem::find(&decoded, secret).is_some());
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    memmem::find(text, secret).is_some() || text.split(|byte| !is_base64(byte)).any(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pop3_blocking::proto::codec::{Reply, Verb};

    fn told(line: &[u8], secret: &str) -> String {
        let refusal = Refusal::new(Some(Verb::Pass), Reply::parse(line).unwrap());
        withhold(RequestError::Refused(refusal).into(), &Secret::from(secret)).to_string()
    }

    #[test]
    fn h56_a_text_that_contains_the_secret_is_withheld_completely() {
        let withheld = "the server refused PASS: (not shown: it contains the password)";
        assert_eq!(told(b"-ERR bad password secret!", "secret"), withheld);
        assert_eq!(told(b"-ERR wrong", "o"), withheld, "a gap would reveal the password");
        assert_eq!(told(b"-ERR unknown: AUTH PLAIN AGpvZQBzZWNyZXQ=", "secret"), withheld);
        assert_eq!(told(b"-ERR unknown: [AGpvZQBzZWNyZXQ=]", "secret"), withheld);
        assert_eq!(told(b"-ERR wrong", "secret"), "the server refused PASS: wrong");
        assert_eq!(told(b"-ERR wrong", ""), "the server refused PASS: wrong");
        assert_eq!(
            told(b"-ERR [AUTH] wrong secret", "secret"),
            "the server refused PASS [AUTH]: (not shown: it contains the password)"
        );
    }

    #[test]
    fn h56_a_line_that_is_no_reply_is_withheld_if_it_contains_the_secret() {
        for error in [RemoteError::NotAReply(b"secret"[..].into()), RemoteError::Unsolicited(b"a secret"[..].into())] {
            let told = withhold(error.into(), &Secret::from("secret")).to_string();
            assert!(told.contains("not shown") && !told.contains("secret"), "{told}");
        }
        let unreadable = RequestError::Unreadable { verb: Verb::Stat, line: "secret".to_owned() };
        assert!(!withhold(unreadable.into(), &Secret::from("secret")).to_string().contains("secret"));
    }
}
