//! Commands beyond the RFCs, from a client to a server.

use pop3_proto::Transport;
use pop3_proto::client::{self, ClientConfig, RequestError, requests};
use pop3_proto::codec::{ExtensionCommand, ExtensionShape, InvalidArgument, Password, Username};
use pop3_proto::server::{self, Action, ConnectionInfo, Extension, ExtensionReply, Question, ServerConfig, Snapshot};

/// A server with extensions, as the client's stream.
struct Far(server::Connection, Vec<(String, Vec<u8>)>);

impl Far {
    fn new() -> Self {
        let extensions = vec![
            Extension::new("XQUOTA").unwrap().with_capability(Some("XQUOTA KIB")).unwrap(),
            Extension::new("X-HELLO").unwrap().with_capability(None).unwrap().permitted_before_login(),
            Extension::new("PING").unwrap(),
        ];
        let config = ServerConfig { extensions, ..ServerConfig::default() };
        let tls = ConnectionInfo { encrypted: true, ..ConnectionInfo::default() };
        Self(server::Connection::new(config.into(), tls), Vec::new())
    }
}

impl Transport for Far {
    type Error = RequestError;

    fn write(&mut self, bytes: &[u8]) -> Result<usize, RequestError> {
        self.0.unfilled()[..bytes.len()].copy_from_slice(bytes);
        self.0.advance_read(bytes.len());
        Ok(bytes.len())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RequestError> {
        while let Action::Answer(question) = self.0.next_action() {
            match question {
                Question::Authenticate(_) => self.0.answer().accept(Snapshot::default()).unwrap(),
                Question::Extension(request) => {
                    let reply = match &*request.keyword {
                        "XQUOTA" => ExtensionReply::lines("folders follow", [".inbox 10", "", "junk 3"]),
                        "X-HELLO" => ExtensionReply::ok("hello"),
                        _ => ExtensionReply::refused("not today").and_then(|reply| reply.with_code("SYS/TEMP")),
                    };
                    self.1.push((request.keyword.into(), request.arguments.into()));
                    self.0.answer().reply_to_extension(&reply.unwrap()).unwrap();
                    assert!(self.0.answer().reply_to_extension(&ExtensionReply::unavailable()).is_err(), "it is answered");
                }
                _ => self.0.answer().finish_commit(0).unwrap(),
            }
        }
        let count = self.0.output().len();
        buffer[..count].copy_from_slice(self.0.output());
        self.0.advance_written(count);
        Ok(count)
    }
}

fn greeted(far: &mut Far) -> client::Connection {
    let mut client = client::Connection::new_encrypted(ClientConfig::default());
    client.run(far, requests::greet()).unwrap();
    client
}

fn login(client: &mut client::Connection, far: &mut Far) {
    let request = requests::user_pass(Username::new("joe").unwrap(), Password::new("secret").unwrap());
    client.run(far, request).unwrap();
}

#[test]
fn both_sides_speak_commands_of_their_own() {
    let mut far = Far::new();
    let mut client = greeted(&mut far);
    login(&mut client, &mut far);
    let quota = client.run(&mut far, requests::extension_lines("xquota  all folders ").unwrap()).unwrap();
    assert_eq!(quota.iter().map(|line| &line[..]).collect::<Vec<_>>(), [&b".inbox 10"[..], b"", b"junk 3"]);
    assert_eq!(&client.run(&mut far, requests::extension_line("X-HELLO").unwrap()).unwrap()[..], b"hello");
    let error = client.run(&mut far, requests::extension_line("PING").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the server refused an extension command [SYS/TEMP]: not today");
    let heard: Vec<_> = far.1.iter().map(|(keyword, arguments)| (keyword.as_str(), &arguments[..])).collect();
    assert_eq!(heard, [("XQUOTA", &b"all folders"[..]), ("X-HELLO", b""), ("PING", b"")]);
    client.run(&mut far, requests::stat()).unwrap();
    client.run(&mut far, requests::quit()).unwrap();
}

#[test]
fn an_extension_is_announced_and_waits_for_the_login_unless_it_may_come_before() {
    let mut far = Far::new();
    let mut client = greeted(&mut far);
    let capabilities = client.run(&mut far, requests::capa()).unwrap();
    assert_eq!(capabilities.others.iter().map(|line| &line[..]).collect::<Vec<_>>(), [&b"XQUOTA KIB"[..], b"PING"]);
    client.run(&mut far, requests::extension_line("X-HELLO").unwrap()).unwrap();
    let error = client.run(&mut far, requests::extension_line("PING").unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("log in first"), "{error}");
    assert_eq!(far.1.len(), 1, "the application is asked only about the permitted one");
}

#[test]
fn s23_an_extension_between_user_and_pass_ends_the_login() {
    let mut far = Far::new();
    let said = b"USER joe\r\nX-HELLO\r\nPASS secret\r\n";
    far.write(said).unwrap();
    let mut heard = [0; 1024];
    let count = far.read(&mut heard).unwrap();
    let heard = String::from_utf8_lossy(&heard[..count]);
    assert!(heard.lines().nth(2).is_some_and(|line| line == "+OK hello"), "{heard}");
    assert!(heard.lines().nth(3).is_some_and(|line| line.starts_with("-ERR")), "{heard}");
}

#[test]
fn h15_h56_no_extension_is_a_known_command_or_two_lines_or_shows_its_arguments() {
    for (line, error) in [
        ("QUIT", InvalidArgument::KnownKeyword),
        ("stls now", InvalidArgument::KnownKeyword),
        ("", InvalidArgument::Empty),
        (" XQUOTA", InvalidArgument::Empty),
        ("X_Y", InvalidArgument::Forbidden { byte: b'_', at: 1 }),
        ("XQUOTA\r\nDELE 1", InvalidArgument::Forbidden { byte: b'\r', at: 6 }),
        ("XQUOTA a\0b", InvalidArgument::Forbidden { byte: 0, at: 8 }),
    ] {
        assert_eq!(ExtensionCommand::new(line, ExtensionShape::Line), Err(error), "{line:?}");
    }
    assert!(Extension::new("PASS").is_err() && Extension::new("X QUOTA").is_err());
    assert!(Extension::new("XQUOTA").unwrap().with_capability(Some("X\r\nY")).is_err());
    assert!(ExtensionReply::lines("follows", ["a\nb"]).is_err() && ExtensionReply::ok("a\r\nb").is_err());
    let command = ExtensionCommand::new("XLOGIN hunter2", ExtensionShape::Line).unwrap();
    assert_eq!(format!("{command} {command:?}"), "XLOGIN [redacted] ExtensionCommand(XLOGIN [redacted])");
}
