//! Dovecot and our own server, each over a fresh copy of the corpus for every user.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Debian's `nobody`, whom the mail belongs to: Dovecot and getmail refuse to work as root.
pub const NOBODY: u32 = 65534;

pub const USERS: [&str; 16] =
    ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9", "u10", "u11", "u12", "u13", "u14", "u15", "u16"];
pub const PASSWORD: &str = "pass word";

/// A running server.
pub struct Server {
    pub plain: u16,
    pub tls: u16,
    folder: Arc<tempfile::TempDir>,
    child: Child,
    is_dovecot: bool,
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.is_dovecot {
            // Dovecot ends its own processes.
            let conf = self.folder.path().join("dovecot.conf");
            let _ = Command::new("doveadm").arg("-c").arg(conf).arg("stop").status();
        } else {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Server {
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    pub fn maildir(&self, user: &str) -> PathBuf {
        self.folder.path().join("home").join(user).join("Maildir")
    }

    /// The socket on which Dovecot takes mail.
    pub fn lmtp(&self) -> PathBuf {
        self.folder.path().join("run/lmtp")
    }

    /// Our server as people start it.
    pub fn ours(messages: &[Vec<u8>]) -> Self {
        let (folder, ports) = prepare(messages);
        let users: String = USERS.iter().map(|user| format!("{user}:{{PLAIN}}{PASSWORD}\n")).collect();
        fs::write(folder.path().join("users"), users).unwrap();
        let mail = folder.path().join("home/%u/Maildir");
        let options =
            ["--users", folder.path().join("users").to_str().unwrap(), "--mail", mail.to_str().unwrap()].map(str::to_owned);
        Self::ours_in(Arc::new(folder), ports, &options)
    }

    fn ours_in(folder: Arc<tempfile::TempDir>, [plain, tls]: [u16; 2], options: &[String]) -> Self {
        let path = folder.path();
        // Root of a machine belongs to several groups, but root of a container to none.
        let child = Command::new("setpriv")
            .args(["--groups", "4,6", env!("CARGO_BIN_EXE_pop3")])
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{plain}"), "--listen-tls", &format!("127.0.0.1:{tls}")])
            .arg("--cert")
            .arg(path.join("cert.pem"))
            .arg("--key")
            .arg(path.join("key.pem"))
            .arg("--dangerously-cleartext")
            .args(options)
            .stdout(Stdio::null())
            .stderr(fs::File::create(path.join("our-log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { plain, tls, folder, child, is_dovecot: false };
        server.wait();
        server
    }

    /// Our server in the place of Dovecot: with its file of users, its Maildirs and its unique-ids, as the user whom the mail belongs to.
    pub fn ours_after(dovecot: Self) -> Self {
        let (folder, ports) = (Arc::clone(&dovecot.folder), [dovecot.plain, dovecot.tls]);
        drop(dovecot);
        let users = folder.path().join("passwd");
        chown(&users, Some(NOBODY), Some(NOBODY)).unwrap();
        let options = [
            "--users",
            users.to_str().unwrap(),
            "--users-format",
            "dovecot",
            "--mail",
            "%h/Maildir",
            "--unique-ids",
            "dovecot",
            "--run-as",
            "nobody:nogroup",
        ];
        Self::ours_in(Arc::clone(&folder), ports, &options.map(str::to_owned))
    }

    /// Dovecot in the place of our server.
    pub fn dovecot_after(ours: Self) -> Self {
        let (folder, ports) = (Arc::clone(&ours.folder), [ours.plain, ours.tls]);
        drop(ours);
        Self::dovecot_in(folder, ports)
    }

    /// The log of our server.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("our-log")
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Debian's dovecot-pop3d.
    pub fn dovecot(messages: &[Vec<u8>]) -> Self {
        let (folder, ports) = prepare(messages);
        Self::dovecot_in(Arc::new(folder), ports)
    }

    fn dovecot_in(folder: Arc<tempfile::TempDir>, [plain, tls]: [u16; 2]) -> Self {
        let path = folder.path();
        fs::create_dir_all(path.join("run")).unwrap();
        let home = path.join("home");
        let home = home.display();
        let users: String =
            USERS.iter().map(|user| format!("{user}:{{PLAIN}}{PASSWORD}:{NOBODY}:{NOBODY}::{home}/{user}::\n")).collect();
        fs::write(path.join("passwd"), users).unwrap();
        let path_text = path.display();
        let conf = format!(
            "base_dir = {path_text}/run\nstate_dir = {path_text}/run\nprotocols = pop3 lmtp\nlisten = 127.0.0.1\nlog_path = {path_text}/log\n\
             instance_name = {plain}\nssl = yes\nssl_cert = <{path_text}/cert.pem\nssl_key = <{path_text}/key.pem\n\
             disable_plaintext_auth = no\nauth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256\nmail_location = maildir:~/Maildir\nfirst_valid_uid = 1\n\
             passdb {{\n driver = passwd-file\n args = {path_text}/passwd\n}}\nuserdb {{\n driver = passwd-file\n args = {path_text}/passwd\n}}\n\
             service pop3-login {{\n inet_listener pop3 {{\n port = {plain}\n }}\n inet_listener pop3s {{\n port = {tls}\n ssl = yes\n }}\n}}\n\
             service lmtp {{\n unix_listener lmtp {{\n mode = 0666\n }}\n}}\nprotocol lmtp {{\n postmaster_address = postmaster@localhost\n}}\n"
        );
        fs::write(path.join("dovecot.conf"), conf).unwrap();
        let child =
            Command::new("dovecot").arg("-F").arg("-c").arg(path.join("dovecot.conf")).spawn().expect("dovecot is installed");
        let server = Self { plain, tls, folder, child, is_dovecot: true };
        server.wait();
        server
    }

    fn wait(&self) {
        for port in [self.plain, self.tls] {
            let started = Instant::now();
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(started.elapsed() < Duration::from_secs(20), "nobody listens on port {port}");
                std::thread::yield_now();
            }
        }
    }
}

/// A folder with a certificate and the corpus for every user, and two ports.
fn prepare(messages: &[Vec<u8>]) -> (tempfile::TempDir, [u16; 2]) {
    let folder = tempfile::Builder::new().prefix("pop3-interop-").tempdir().unwrap();
    open_to_all(folder.path());
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    fs::write(folder.path().join("cert.pem"), certified.cert.pem()).unwrap();
    fs::write(folder.path().join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    let pristine = folder.path().join("pristine");
    fs::create_dir(&pristine).unwrap();
    for (at, message) in messages.iter().enumerate() {
        let file = pristine.join(format!("{}.M{at:06}P1.corpus", 1_668_000_000 + at));
        fs::write(&file, message).unwrap();
        chown(&file, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    for user in USERS {
        let maildir = folder.path().join("home").join(user).join("Maildir");
        for sub in ["tmp", "new", "cur"] {
            fs::create_dir_all(maildir.join(sub)).unwrap();
        }
        for entry in fs::read_dir(&pristine).unwrap() {
            let entry = entry.unwrap();
            fs::hard_link(entry.path(), maildir.join("new").join(entry.file_name())).unwrap();
        }
        for sub in ["tmp", "new", "cur", ".", ".."] {
            chown(maildir.join(sub), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    // Bound at once, so that they are two; free again when they are used.
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    (folder, listeners.map(|listener| listener.local_addr().unwrap().port()))
}

pub fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}
