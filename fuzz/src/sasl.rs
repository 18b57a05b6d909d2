//! Fuzzes SASL exchanges with a peer that sends anything.

use std::sync::LazyLock;

use pop3_proto::sasl::{
    ChannelBinding, Credentials, ExchangeContext, ExchangeEvent, Mechanism, PresentedCredentials, ScramHash, ScramKeys,
    ServerExchange, client_mechanism,
};

use crate::Choices;

const PASSWORD: &str = "correct horse";

/// The keys of both hashes, derived once because the derivation takes milliseconds.
static KEYS: LazyLock<[ScramKeys; 2]> = LazyLock::new(|| {
    [ScramHash::Sha1, ScramHash::Sha256].map(|hash| ScramKeys::derive(hash, PASSWORD.as_bytes(), b"salt", 4096))
});

fn keys(hash: ScramHash) -> ScramKeys {
    KEYS[usize::from(hash == ScramHash::Sha256)].clone()
}

fn binding(choices: &mut Choices<'_>) -> ChannelBinding {
    match choices.below(3) {
        0 => ChannelBinding::default(),
        1 => ChannelBinding { exporter: Some([7; 32]), server_end_point: None },
        _ => ChannelBinding { exporter: None, server_end_point: Some(vec![9; 32]) },
    }
}

/// Checks a server whose client sends anything, or an honest client's messages with one byte changed: no client is authenticated
/// without a proof.
pub fn server(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mechanism = choices.of(&Mechanism::ALL);
    let (binding, bound_is_offered) = (binding(&mut choices), choices.below(2) == 1);
    let Some(mut exchange) = ServerExchange::new(mechanism, "unique", &binding, bound_is_offered) else { return };
    if choices.below(4) == 1 {
        return with_a_changed_byte(exchange, mechanism, &binding, bound_is_offered, &mut choices);
    }
    if choices.below(2) == 1 {
        exchange.first_challenge();
    }
    for _ in 0..5 {
        match exchange.step(choices.bytes()) {
            Ok(ExchangeEvent::Challenge(_)) => {}
            Ok(ExchangeEvent::FindKeys(hash, name)) => {
                assert!(!name.as_bytes().iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')), "H57");
                exchange.provide_keys(keys(hash)).expect("the hash that was asked for");
            }
            Ok(ExchangeEvent::Authenticate(name, credentials)) => {
                let name = name.as_bytes();
                assert!(!name.is_empty() && name.len() <= 255, "S33");
                assert!(!name.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')), "H57");
                assert_ne!(credentials, PresentedCredentials::Verified, "nobody can guess a proof");
                if let PresentedCredentials::CramMd5(proof) = &credentials {
                    assert!(!proof.verify(PASSWORD.as_bytes()), "nobody can guess a digest");
                }
                return;
            }
            Ok(_) | Err(_) => return,
        }
    }
}

/// Sends an honest client's messages, one of which is changed on the network path.
fn with_a_changed_byte(
    mut exchange: ServerExchange,
    mechanism: Mechanism,
    binding: &ChannelBinding,
    bound_is_offered: bool,
    choices: &mut Choices<'_>,
) {
    let credentials = Credentials::password("joe", PASSWORD).expect("legal");
    let context = ExchangeContext { host: "host", port: 995, nonce: [1; 18], binding, plus_is_offered: bound_is_offered };
    let client = client_mechanism(mechanism, &credentials, &context);
    let Some(mut client) = client else { return };
    let (which, at, change) = (choices.below(3), choices.below(256), choices.byte());
    let mut changed = false;
    let mut response = match client.initial_response() {
        Some(initial) => initial.expose().to_vec(),
        None => client.respond(&exchange.first_challenge()).map(|response| response.expose().to_vec()).unwrap_or_default(),
    };
    for step in 0..5 {
        if step == which && change != 0 && !response.is_empty() {
            let at = at % response.len();
            response[at] ^= change;
            changed = true;
        }
        let challenge = match exchange.step(&response) {
            Ok(ExchangeEvent::Challenge(challenge)) => challenge,
            Ok(ExchangeEvent::FindKeys(hash, name)) => {
                let keys = if name.as_bytes() == b"joe" { keys(hash) } else { ScramKeys::decoy(hash, b"x", name.as_bytes()) };
                exchange.provide_keys(keys).expect("the hash that was asked for")
            }
            Ok(ExchangeEvent::Authenticate(name, credentials)) => {
                let proven = match &credentials {
                    PresentedCredentials::Password(password) => password.expose() == PASSWORD.as_bytes(),
                    PresentedCredentials::CramMd5(proof) => proof.verify(PASSWORD.as_bytes()),
                    PresentedCredentials::Verified => true,
                    _ => false,
                };
                assert_eq!(proven && name.as_bytes() == b"joe", !changed, "{mechanism:?}");
                return;
            }
            Ok(_) | Err(_) => return assert!(changed, "{mechanism:?}: an honest client"),
        };
        match client.respond(&challenge) {
            Ok(next) => response = next.expose().to_vec(),
            Err(_) => return assert!(changed, "{mechanism:?}: an honest server"),
        }
    }
}

/// Checks a client whose server sends anything: the client shows no password to a server that has not proven its identity, and
/// trusts no such server.
pub fn client(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mechanism = choices.of(&Mechanism::ALL);
    let (binding, offered_bound) = (binding(&mut choices), choices.below(2) == 1);
    let credentials = match choices.below(4) {
        0 => Credentials::token("joe", "token"),
        1 => Ok(Credentials::External { name: b"joe".to_vec() }),
        _ => Credentials::password("joe", PASSWORD),
    };
    let credentials = credentials.expect("legal");
    let context = ExchangeContext { host: "host", port: 995, nonce: [1; 18], binding: &binding, plus_is_offered: offered_bound };
    let client = client_mechanism(mechanism, &credentials, &context);
    let Some(mut client) = client else { return };
    let scram = matches!(
        mechanism,
        Mechanism::ScramSha1 | Mechanism::ScramSha1Plus | Mechanism::ScramSha256 | Mechanism::ScramSha256Plus
    );
    let hides = scram || mechanism == Mechanism::CramMd5;
    let own = client.initial_response().map(|initial| initial.expose().to_vec()).unwrap_or_default();
    for _ in 0..4 {
        let challenge = challenge(&mut choices, &own);
        // A larger number of iterations would only test the hash.
        let rounds = challenge.split(|byte| *byte == b',').find_map(|part| part.strip_prefix(b"i="));
        if rounds.is_some_and(|rounds| rounds.len() > 4) {
            return;
        }
        let answered = client.respond(&challenge);
        if let Ok(response) = &answered {
            let shows = response.expose().windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
            assert!(!(hides && shows), "{mechanism:?} shows the password");
        }
        if scram {
            assert!(client.expects_challenge() || answered.is_err(), "nobody can guess the server's proof");
        }
        if answered.is_err() {
            return;
        }
    }
}

/// Returns any bytes, or bytes that begin like the server's first message, with the client's own nonce.
fn challenge(choices: &mut Choices<'_>, own: &[u8]) -> Vec<u8> {
    let bytes = choices.bytes();
    if choices.below(2) == 0 {
        return bytes.to_vec();
    }
    let nonce = own.windows(3).position(|window| window == b",r=").map_or(&[][..], |at| &own[at + 1..]);
    [nonce, bytes].concat()
}
