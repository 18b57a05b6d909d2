//! `pop3 doctor` against servers with one fault each, in four languages.

mod script;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::thread;
use std::time::Duration;

use pop3_blocking::rustls::version;
use pop3_test::{Builder, Fault, Server, TlsFault};
use rcgen::{BasicConstraints, IsCa};

use script::identity::{parameters, self_signed, serve, signed_by};
use script::{pop3, screens, text};

const HELLO: &str = "Subject: hello\r\n\r\nHello.\r\n";

/// A server with one fault, and what `pop3 doctor` is called with.
struct Patient {
    name: &'static str,
    arguments: Vec<String>,
    code: i32,
    /// The text that names the fault; empty if there is none.
    fault: &'static str,
    _server: Option<Server>,
    _folder: Option<tempfile::TempDir>,
}

impl Patient {
    fn new(name: &'static str, code: i32, fault: &'static str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { name, arguments, code, fault, _server: None, _folder: None }
    }

    /// A server of `pop3-test` with TLS, whose certificate is trusted.
    fn served(name: &'static str, code: i32, fault: &'static str, server: Builder, arguments: &[&str]) -> Self {
        let server = server.user("joe", "secret", [HELLO]).user("joe@163.com", "secret", [HELLO]).start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        fs::write(&file, server.certificate().unwrap_or_default()).unwrap();
        let (port, file) = (server.port().to_string(), file.display().to_string());
        let mut patient = Self::new(name, code, fault, arguments);
        patient.arguments.extend(["--port", &port].map(str::to_owned));
        if server.certificate().is_some() {
            patient.arguments.extend(["--ca-file", &file].map(str::to_owned));
        }
        Self { _server: Some(server), _folder: Some(folder), ..patient }
    }

    /// A listener that does with each connection what `answer` does, after it has read what comes first if `reads`.
    fn raw(name: &'static str, code: i32, fault: &'static str, arguments: &[&str], reads: bool, bytes: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        thread::spawn(move || {
            for stream in listener.incoming() {
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut heard = [0; 4096];
                    // The client may be gone.
                    if reads && stream.read(&mut heard).is_err() {
                        return;
                    }
                    let _ = stream.write_all(bytes);
                    // The connection stays open until the client closes it.
                    while stream.read(&mut heard).is_ok_and(|count| count > 0) {}
                });
            }
        });
        let mut patient = Self::new(name, code, fault, arguments);
        patient.arguments.extend(["--port".to_owned(), port]);
        patient
    }

    fn examine(&self, options: &[&str]) -> Output {
        self.examine_at_columns("1000", options)
    }

    fn examine_at_columns(&self, columns: &str, options: &[&str]) -> Output {
        let mut command = pop3();
        command.arg("doctor").args(&self.arguments).args(options);
        command.args(["--timeout", "2"]).env("POP3_PASSWORD", "secret").env("COLUMNS", columns).env_remove("LANG");
        command.output().unwrap()
    }
}

fn tls() -> Builder {
    Server::builder().tls()
}

/// A server at NetEase 163, and how its user is named.
const AT_163: &[&str] = &["joe@163.com", "--host", "127.0.0.1"];
const JOE: &[&str] = &["127.0.0.1", "--user", "joe"];

fn patients() -> Vec<Patient> {
    let refusing = |text: &str| tls().fault(Fault::on("PASS").refuse(text));
    // 您没有权限使用pop3功能 in GBK, as the provider sends it.
    let gbk = b"-ERR \xc4\xfa\xc3\xbb\xd3\xd0\xc8\xa8\xcf\xde\xca\xb9\xd3\xc3pop3\xb9\xa6\xc4\xdc\r\n";
    let protocol_version = b"\x15\x03\x01\x00\x02\x02\x46";
    vec![
        Patient::served("all is well", 0, "", tls(), JOE),
        Patient::served("all is well, STLS", 0, "", Server::builder().stls(), &[JOE, &["--stls"]].concat()),
        Patient::served("no login is tried", 0, "doctor-login-skipped", tls(), &["127.0.0.1"]),
        Patient::served("TLS on a port tried without", 3, "doctor-service-has-tls", tls(), &[JOE, &["--stls"]].concat()),
        Patient::served("no TLS on a port tried with TLS", 4, "doctor-service-no-tls", Server::builder(), JOE),
        Patient::raw("IMAP", 3, "doctor-service-imap", &["127.0.0.1"], false, b"* OK [CAPABILITY IMAP4rev1] ready\r\n"),
        Patient::raw("SMTP", 3, "doctor-service-smtp", &["127.0.0.1"], false, b"220 mail.example.org ESMTP\r\n"),
        Patient::raw("SSH", 3, "doctor-service-ssh", &["127.0.0.1", "--stls"], false, b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        Patient::raw("HTTP", 3, "doctor-service-http", &["127.0.0.1"], true, b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        Patient::served("an expired certificate", 4, "doctor-tls-expired", tls().tls_fault(TlsFault::Expired), JOE),
        Patient::served("a certificate not yet valid", 4, "doctor-tls-not-yet", tls().tls_fault(TlsFault::NotYetValid), JOE),
        Patient::served("a certificate for another name", 4, "doctor-tls-wrong-name", tls().tls_fault(TlsFault::WrongName), JOE),
        self_signed_patient(),
        unknown_authority_patient(),
        Patient::served("no STLS", 4, "doctor-tls-no-stls", Server::builder(), &[JOE, &["--stls"]].concat()),
        Patient::raw("TLS 1.0 only", 4, "doctor-tls-too-old", &["127.0.0.1"], true, protocol_version),
        Patient::served(
            "no common mechanism",
            1,
            "doctor-login-no-mechanism",
            tls(),
            &[JOE, &["--token-command", "echo token"]].concat(),
        ),
        Patient::served("a wrong password", 5, "doctor-login-wrong", tls(), &["127.0.0.1", "--user", "jane"]),
        Patient::served(
            "an app password is wanted",
            5,
            "doctor-login-other-password",
            refusing("[AUTH] Application-specific password required"),
            JOE,
        ),
        Patient::served(
            "POP is switched off, in GBK",
            5,
            "doctor-login-pop-off",
            tls().fault(Fault::on("PASS").reply(&gbk[..])),
            AT_163,
        ),
        Patient::served("a locked mailbox", 6, "doctor-login-in-use", refusing("[IN-USE] another session"), JOE),
        Patient::served("a login delay", 6, "doctor-login-delay", refusing("[LOGIN-DELAY] wait a minute"), JOE),
        Patient::served("a temporary fault", 6, "doctor-login-temporary", refusing("[SYS/TEMP] no database"), JOE),
        Patient::served(
            "a refused session",
            6,
            "doctor-service-refuses",
            tls().fault(Fault::on("greeting").refuse("too many")),
            JOE,
        ),
        Patient::served("a silent server", 3, "doctor-service-silent", tls().fault(Fault::on("greeting").stall()), JOE),
        Patient::served("a server that hangs up", 3, "doctor-service-closed", tls().fault(Fault::on("greeting").close()), JOE),
        Patient::served(
            "a slow server",
            0,
            "doctor-service-slow-means",
            tls().fault(Fault::on("greeting").drip(Duration::from_millis(60))),
            JOE,
        ),
        Patient::served("a server that falls silent", 3, "doctor-session-silent", tls().fault(Fault::on("STAT").stall()), JOE),
        Patient::served("no UIDL", 0, "doctor-pop3-no-uidl-means", tls().capabilities(["TOP", "USER"]), JOE),
        Patient::served("no NOOP", 0, "", tls().fault(Fault::on("NOOP").refuse("what?")), JOE),
        Patient::served("no CAPA", 0, "doctor-pop3-no-capa", tls().fault(Fault::on("CAPA").refuse("what?")), JOE),
        Patient::new("a port where nothing listens", 3, "doctor-network-refused", &["127.0.0.1", "--port", "1"]),
        // No host can have this name, so no name server is asked.
        Patient::new("an unknown host", 3, "doctor-names-unknown", &[&format!("{}.invalid", "a".repeat(64))]),
        Patient::served("a guessed server", 5, "doctor-login-wrong", tls(), &["jane@localhost"]),
        Patient::new("a provider without POP3", 2, "doctor-settings-no-pop3", &["joe@icloud.com"]),
    ]
}

fn self_signed_patient() -> Patient {
    let own = self_signed(&parameters("127.0.0.1"));
    let port = serve(own.certificate.der(), &own.key, &version::TLS13).to_string();
    Patient::new("a self-signed certificate", 4, "doctor-tls-self-signed", &["127.0.0.1", "--user", "joe", "--port", &port])
}

fn unknown_authority_patient() -> Patient {
    let mut authority_parameters = parameters("an authority");
    authority_parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = self_signed(&authority_parameters);
    let leaf = signed_by(&parameters("127.0.0.1"), &authority, &authority_parameters);
    let port = serve(leaf.certificate.der(), &leaf.key, &version::TLS13).to_string();
    Patient::new("an unknown authority", 4, "doctor-tls-unknown-issuer", &["127.0.0.1", "--user", "joe", "--port", &port])
}

/// Returns a screen without what differs from run to run: ports, times, fingerprints, folders and today.
fn steady(screen: &str, patient: &Patient) -> String {
    let port = patient.arguments.iter().position(|argument| argument == "--port").map(|at| patient.arguments[at + 1].as_str());
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let steady = words.iter().enumerate().map(|(at, word)| {
            let next = words.get(at + 1).copied().unwrap_or_default();
            let number = word.trim_start_matches('(');
            match word {
                _ if word.ends_with("/ca.pem") => "ca.pem",
                _ if word.matches(':').count() >= 31 => "FINGERPRINT",
                _ if number.parse::<f64>().is_ok() && (next.starts_with("ms") || next.starts_with("毫秒")) => {
                    if word.starts_with('(') { "(TIME" } else { "TIME" }
                }
                word => word,
            }
        });
        steady.collect::<Vec<_>>().join(" ")
    };
    let mut steady = screen.lines().map(line).collect::<Vec<_>>().join("\n");
    // The date of this machine is the only one after an “it says”, in every language.
    for says in ["it says ", "mal: dice ", "现在显示 ", "現在顯示 "] {
        if let Some(at) = steady.find(says) {
            steady.replace_range(at + says.len()..at + says.len() + "2026-11-26".len(), "TODAY");
        }
    }
    match port.filter(|port| port.len() == 5) {
        Some(port) => steady.replace(port, "PORT"),
        None => steady,
    }
}

#[test]
fn each_fault_is_named_with_a_remedy_and_an_exit_code_in_json() {
    let patients = patients();
    thread::scope(|scope| {
        for patient in &patients {
            scope.spawn(move || {
                let output = patient.examine(&["--json"]);
                let (told, name) = (text(&output.stdout), patient.name);
                assert_eq!(output.status.code(), Some(patient.code), "{name}: {told}");
                let json: serde_json::Value = serde_json::from_str(&told).unwrap();
                let findings = json["findings"].as_array().unwrap();
                let fault = |finding: &&serde_json::Value| {
                    [&finding["found"], &finding["means"]].iter().any(|message| message["id"] == patient.fault)
                };
                let finding = findings.iter().find(fault);
                assert!(finding.is_some() || patient.fault.is_empty(), "{name}: {told}");
                let failed: Vec<_> = findings.iter().filter(|finding| finding["outcome"] == "failed").collect();
                assert_eq!(failed.len(), usize::from(patient.code != 0), "{name}: one failure, which is the fault: {told}");
                for finding in failed {
                    assert!(!finding["next"].as_array().unwrap().is_empty(), "{name}: a remedy: {told}");
                }
                assert_eq!(json["result"]["exit"], patient.code, "{name}");
                assert!(!told.contains("\"secret"), "{name}: {told}");
            });
        }
    });
}

#[test]
fn the_screens_in_four_languages() {
    thread::scope(|scope| {
        for language in ["en", "es", "zh-Hans", "zh-Hant"] {
            scope.spawn(move || {
                // Each language has servers of its own: a mailbox has one session at a time.
                let patients = patients();
                // How many addresses `localhost` has depends on the machine.
                let shown: Vec<_> = patients.iter().filter(|patient| patient.name != "a guessed server").collect();
                let screen = |patient: &&Patient| {
                    let output = patient.examine(&["--language", language]);
                    assert_eq!(output.status.code(), Some(patient.code), "{}: {}", patient.name, text(&output.stderr));
                    format!("=== {} ({})\n{}\n\n", patient.name, patient.code, steady(&text(&output.stdout), patient))
                };
                // Most of the time is waiting for silent servers. More at once would make the others look slow.
                let screens: String = thread::scope(|scope| {
                    let some = |patients: &'_ [_]| patients.iter().map(screen).collect::<String>();
                    let parts: Vec<_> = shown.chunks(12).map(|part| scope.spawn(move || some(part))).collect();
                    parts.into_iter().map(|part| part.join().unwrap()).collect()
                });
                screens::compare(&format!("doctor.{language}.txt"), &screens);
            });
        }
    });
}

#[test]
fn the_screen_keeps_to_the_columns_of_the_terminal() {
    let patient = Patient::served("", 5, "", tls().fault(Fault::on("PASS").refuse("[AUTH] wrong")), AT_163);
    for columns in ["60", "80", "200"] {
        let output = patient.examine_at_columns(columns, &["--language", "en"]);
        assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
        let shown = text(&output.stdout);
        // A path or an address is not torn.
        let widest = shown.lines().filter(|line| line.contains(' ')).map(|line| line.trim_start().chars().count()).max().unwrap();
        assert!(widest <= columns.parse().unwrap(), "{widest}: {shown}");
        // Where a line ends depends on the length of what differs from run to run, so only the one screen without such lines is compared.
        if columns == "200" {
            screens::compare("doctor.200.txt", &steady(&shown, &patient));
        }
    }
}

#[test]
fn a_report_names_no_user_and_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.txt");
    let refusal = "[AUTH] joe@163.com: wrong password secret";
    let patient = Patient::served("", 5, "", tls().fault(Fault::on("PASS").refuse(refusal)), AT_163);
    let output = patient.examine(&["--report", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    let report = fs::read_to_string(&file).unwrap();
    assert!(report.contains("examined: USER") && report.contains("not shown: it contains the password"), "{report}");
    assert!(!report.contains("joe") && !report.contains("secret"), "{report}");
    assert!(!text(&output.stdout).contains("secret"), "{}", text(&output.stdout));
}

#[test]
fn the_certificate_of_ones_own_server_is_saved_and_then_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.pem");
    let file: &str = file.to_str().unwrap();
    let patient = self_signed_patient();
    assert_eq!(patient.examine(&["--save-certificate", file]).status.code(), Some(4));
    assert!(Path::new(file).exists());
    let output = patient.examine(&["--ca-file", file]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let nowhere = folder.path().join("nowhere/server.pem");
    let output = patient.examine(&["--save-certificate", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stdout));
}

#[test]
fn no_credentials_are_sent_to_a_server_that_is_not_trusted() {
    // The certificate is the server's own, and --ca-file is not given.
    let server = tls().user("joe", "secret", [HELLO]).start().unwrap();
    let port = server.port().to_string();
    let output =
        pop3().args(["doctor", "127.0.0.1", "--user", "joe", "--port", &port]).env("POP3_PASSWORD", "secret").output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let lines = server.commands();
    assert!(!lines.iter().any(|line| line.contains("USER") || line.contains("PASS") || line.contains("AUTH")), "{lines:?}");
}

#[test]
fn nothing_is_read_or_deleted() {
    let server = tls().user("joe", "secret", [HELLO]).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, server.certificate().unwrap()).unwrap();
    let port = server.port().to_string();
    let arguments = ["doctor", "127.0.0.1", "--user", "joe", "--port", &port, "--ca-file", file.to_str().unwrap()];
    let output = pop3().args(arguments).env("POP3_PASSWORD", "secret").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let harmless = ["CAPA", "USER", "PASS", "STAT", "NOOP", "QUIT", "UTF8"];
    let lines = server.commands();
    assert!(lines.iter().all(|line| harmless.iter().any(|verb| line.starts_with(verb))), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("STAT")), "{lines:?}");
}

#[test]
fn a_report_on_a_host_does_not_name_the_part_before_the_at_either() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.txt");
    let server = tls().fault(Fault::on("PASS").refuse("[AUTH] mailbox ann.smith is locked"));
    let patient = Patient::served("", 5, "", server, &["127.0.0.1", "--user", "ann.smith@example.org"]);
    assert_eq!(patient.examine(&["--report", file.to_str().unwrap()]).status.code(), Some(5));
    let report = fs::read_to_string(&file).unwrap();
    assert!(report.contains("mailbox USER is locked") && report.contains("127.0.0.1") && !report.contains("smith"), "{report}");
}

#[test]
fn q61_q63_q64_q65_q66_q67_what_a_user_must_know_of_the_provider_is_told() {
    let frequent = encoding_rs::GB18030.encode("登录太频繁").0.into_owned();
    let frequent = [b"-ERR ".as_slice(), &frequent, b"\r\n"].concat();
    let qq = b"-ERR Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy\r\n";
    /// The address, the reply to its password, the name of the finding, the exit code, and what must be told.
    type Case<'a> = (&'a str, &'a [u8], &'a str, i32, &'a [&'a str]);
    let cases: [Case<'_>; 8] = [
        ("joe@gmail.com", b"", "doctor-mailbox", 0, &["When messages are accessed with POP", "recent:"]),
        (
            "joe@gmail.com",
            b"-ERR [AUTH] Application-specific password required\r\n",
            "doctor-login-other-password",
            5,
            &["myaccount.google.com/apppasswords", "enable POP"],
        ),
        (
            "joe@outlook.com",
            b"-ERR Logon failure: unknown user name or bad password.\r\n",
            "doctor-login-other-password",
            5,
            &["Sign-in is OAuth2 only", "Let devices and apps use POP"],
        ),
        ("12345@qq.com", qq, "doctor-login-wrong", 5, &["authorization code", "switch on POP3/SMTP"]),
        ("joe@163.com", &frequent, "doctor-login-delay", 6, &["authorization code"]),
        ("joe@sina.com", b"-ERR [AUTH] wrong\r\n", "doctor-login-wrong", 5, &["authorization code", "switch on POP3/SMTP"]),
        ("joe@gmx.net", b"", "doctor-mailbox", 0, &["15 minutes"]),
        ("joe@yahoo.com", b"-ERR [AUTH] wrong\r\n", "doctor-login-wrong", 5, &["app password"]),
    ];
    for (address, reply, finding, code, told) in cases {
        let local_part = address.split('@').next().unwrap();
        let mut builder = tls().user(address, "secret", [HELLO]).user(local_part, "secret", [HELLO]);
        if !reply.is_empty() {
            builder = builder.fault(Fault::on("PASS").reply(reply));
        }
        let server = builder.start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        fs::write(&ca, server.certificate().unwrap()).unwrap();
        let mut command = pop3();
        command.args(["doctor", address, "--host", "127.0.0.1", "--port", &server.port().to_string(), "--json", "--ca-file"]);
        let output = command.arg(ca).env("POP3_PASSWORD", "secret").env("LC_ALL", "C").output().unwrap();
        let shown = text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{address}: {shown}");
        assert!(shown.contains(&format!("\"{finding}\"")), "{address}: {finding}: {shown}");
        for told in told {
            assert!(shown.contains(told), "{address}: {told}: {shown}");
        }
    }
}
