//! An authorization server of OAuth 2.0, over TLS.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::url::form_urlencoded;
use pop3_blocking::rustls::crypto::ring;
use pop3_blocking::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use pop3_blocking::rustls::{ServerConfig, ServerConnection, StreamOwned};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sha2::{Digest, Sha256};

/// The fields of a request, and its path.
pub type Request = HashMap<String, String>;

pub struct State {
    pub requests: Vec<Request>,
    /// How often the person has not agreed yet.
    pub pending: u32,
    /// What a token request is answered with, in the place of tokens: the status and the body.
    pub refuses: Option<(u16, &'static str)>,
    /// The number of the tokens that were given last: `access-1` and `refresh-1`.
    pub given: u32,
    pub expires_in: u64,
    pub scope: Option<&'static str>,
    /// The refresh tokens are as they were.
    pub is_withdrawn: bool,
    /// The hash of the verifier that must come with the code `code-1`.
    pub challenge: String,
}

#[derive(Clone)]
pub struct Authorization {
    pub url: String,
    pub state: Arc<Mutex<State>>,
}

impl Authorization {
    /// Starts the server, and writes the certificate of its authority into a file.
    pub fn start(ca_file: &Path) -> Self {
        pop3_contract::limit_test();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let issuer = Issuer::from_params(&authority, &authority_key);
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        fs::write(ca_file, authority.self_signed(&authority_key).unwrap().pem()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config =
            ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(Mutex::new(State {
            requests: Vec::new(),
            pending: 0,
            refuses: None,
            given: 0,
            expires_in: 3600,
            scope: None,
            is_withdrawn: false,
            challenge: String::new(),
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
                serve(StreamOwned::new(tls, stream.unwrap()), &shared);
            }
        });
        Self { url, state }
    }

    pub fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    /// Returns the requests of this kind so far.
    pub fn asked(&self, grant_type: &str) -> Vec<Request> {
        let requests = &self.state.lock().unwrap().requests;
        requests
            .iter()
            .filter(|request| request.get("grant_type").is_some_and(|kind| kind.ends_with(grant_type)))
            .cloned()
            .collect()
    }
}

fn serve(mut stream: StreamOwned<ServerConnection, TcpStream>, state: &Mutex<State>) {
    let mut reader = BufReader::new(&mut stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line == "\r\n" => break,
            Ok(_) => lines.push(line.trim_end().to_owned()),
        }
    }
    let length = lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let mut request: Request = form_urlencoded::parse(&body).into_owned().collect();
    request.insert("path".to_owned(), lines[0].split(' ').nth(1).unwrap().to_owned());
    let (status, body) = answer(&mut state.lock().unwrap(), &request);
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

fn answer(state: &mut State, request: &Request) -> (u16, String) {
    state.requests.push(request.clone());
    let field = |name: &str| request.get(name).map_or("", String::as_str);
    if let Some((status, body)) = state.refuses {
        return (status, body.to_owned());
    }
    let refused = |error: &str| (400, format!("{{\"error\":\"{error}\"}}"));
    match (field("path"), field("grant_type")) {
        ("/device", "") => {
            let body = r#"{"device_code":"device-1","user_code":"ABCD-EFGH","verification_uri":"https://id.example/device","expires_in":600,"interval":1}"#;
            return (200, body.to_owned());
        }
        ("/token", "urn:ietf:params:oauth:grant-type:device_code") if state.pending > 0 => {
            state.pending -= 1;
            return refused("authorization_pending");
        }
        ("/token", "urn:ietf:params:oauth:grant-type:device_code") if field("device_code") == "device-1" => {}
        ("/token", "authorization_code") => {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
            if field("code") != "code-1" || hash != state.challenge {
                return refused("invalid_grant");
            }
        }
        ("/token", "refresh_token") if state.is_withdrawn || field("refresh_token") != format!("refresh-{}", state.given) => {
            return refused("invalid_grant");
        }
        ("/token", "refresh_token") => {}
        _ => return refused("invalid_request"),
    }
    state.given += 1;
    let (given, expires_in) = (state.given, state.expires_in);
    let scope = state.scope.map_or_else(String::new, |scope| format!(",\"scope\":\"{scope}\""));
    let tokens = format!("\"access_token\":\"access-{given}\",\"refresh_token\":\"refresh-{given}\"");
    (200, format!("{{\"token_type\":\"Bearer\",\"expires_in\":{expires_in},{tokens}{scope}}}"))
}
