//! Programs that fetch mail and that we did not write, told to do it without changing it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::servers::{NOBODY, PASSWORD, Server};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Plain,
    Stls,
    Tls,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Plain, Self::Stls, Self::Tls];

    pub fn port(self, server: &Server) -> u16 {
        if self == Self::Tls { server.tls } else { server.plain }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Curl,
    Fetchmail,
    Mpop,
    Getmail,
    Poplib,
}

impl Client {
    pub const ALL: [Self; 5] = [Self::Curl, Self::Fetchmail, Self::Mpop, Self::Getmail, Self::Poplib];

    /// getmail6 has no STLS.
    pub fn has(self, mode: Mode) -> bool {
        self != Self::Getmail || mode != Mode::Stls
    }

    /// fetchmail puts stray bytes into lines over 8 KiB and drops bare CRs; getmail parses mail and rewrites what is not quite
    /// one. What they make of the corpus is compared with what they make of it from Dovecot.
    pub fn keeps_every_byte(self) -> bool {
        matches!(self, Self::Curl | Self::Mpop | Self::Poplib)
    }

    /// Fetches everything and deletes nothing; gives the folder with the mail.
    ///
    /// getmail6 waits now and then for a child of its own that is gone (from Dovecot as from us), and then says so: it is run again.
    pub fn fetch(self, server: &Server, user: &str, mode: Mode, count: usize) -> (tempfile::TempDir, PathBuf) {
        for _ in 0..5 {
            let (folder, mail, output) = self.try_fetch(server, user, mode, count);
            let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            if output.status.success() {
                return (folder, mail);
            }
            let waited_for_itself = self == Self::Getmail && said.contains("waiting child pid");
            assert!(waited_for_itself, "{self:?} {mode:?}: {}\n{said}", output.status);
        }
        panic!("{self:?} waits for itself every time");
    }

    fn try_fetch(self, server: &Server, user: &str, mode: Mode, count: usize) -> (tempfile::TempDir, PathBuf, Output) {
        let folder = tempfile::Builder::new().prefix("pop3-client-").tempdir().unwrap();
        crate::servers::open_to_all(folder.path());
        let mail = folder.path().join("Maildir");
        for sub in ["tmp", "new", "cur"] {
            fs::create_dir_all(mail.join(sub)).unwrap();
        }
        let port = mode.port(server);
        let output = match self {
            Self::Curl => curl(server, user, mode, port, count, &mail),
            Self::Fetchmail => fetchmail(folder.path(), user, mode, port, &mail),
            Self::Mpop => mpop(folder.path(), server, user, mode, port, &mail, "user"),
            Self::Getmail => getmail(folder.path(), user, mode, port, &mail),
            Self::Poplib => python(POPLIB_FETCH, server, user, mode, &mail),
        };
        (folder, mail, output)
    }
}

fn run(program: &str, work: &Path, arguments: &[&str]) -> Output {
    Command::new("timeout").arg("300").arg(program).args(arguments).env("HOME", work).output().unwrap()
}

/// A configuration with a password in it, which the programs want to be private.
fn private(path: &Path, text: &str) -> String {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_string_lossy().into_owned()
}

fn curl(server: &Server, user: &str, mode: Mode, port: u16, count: usize, mail: &Path) -> Output {
    let scheme = if mode == Mode::Tls { "pop3s" } else { "pop3" };
    let url = format!("{scheme}://localhost:{port}/[1-{count}]");
    let (login, out) = (format!("{user}:{PASSWORD}"), mail.join("new/#1"));
    let (certificate, out) = (server.certificate(), out.to_string_lossy().into_owned());
    let mut arguments = vec!["-sS", "--cacert", certificate.to_str().unwrap(), "--user", &login, &url, "-o", &out];
    if mode == Mode::Stls {
        arguments.push("--ssl-reqd");
    }
    run("curl", mail, &arguments)
}

fn fetchmail(work: &Path, user: &str, mode: Mode, port: u16, mail: &Path) -> Output {
    let tls = match mode {
        Mode::Plain => "sslproto ''",
        Mode::Stls => "sslproto tls1.2+ no sslcertck",
        Mode::Tls => "ssl no sslcertck",
    };
    // A delivery agent that changes nothing.
    let agent = work.join("agent");
    fs::write(&agent, format!("#!/bin/sh\nf=$$.$(date +%s%N)\ncat > {0}/tmp/$f && mv {0}/tmp/$f {0}/new/$f\n", mail.display()))
        .unwrap();
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).unwrap();
    let rc = private(
        &work.join("fetchmailrc"),
        &format!(
            "set no bouncemail\nset invisible\ndefaults timeout 60\npoll localhost protocol pop3 port {port} uidl\n user \"{user}\" \
             password \"{PASSWORD}\" keep fetchall norewrite pass8bits {tls}\n mda \"{}\"\n",
            agent.display()
        ),
    );
    let (ids, pid) = (work.join("ids").display().to_string(), work.join("pid").display().to_string());
    run("fetchmail", work, &["-f", &rc, "--idfile", &ids, "--pidfile", &pid, "--nosyslog", "--nodetach"])
}

/// One message by mpop over TLS, logged in by a mechanism of its own choice.
pub fn mpop_by(server: &Server, user: &str, mechanism: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::Builder::new().prefix("pop3-client-").tempdir().unwrap();
    let mail = folder.path().join("Maildir");
    for sub in ["tmp", "new", "cur"] {
        fs::create_dir_all(mail.join(sub)).unwrap();
    }
    let output = mpop(folder.path(), server, user, Mode::Tls, server.tls, &mail, mechanism);
    assert!(output.status.success(), "{mechanism}: {}", String::from_utf8_lossy(&output.stderr));
    (folder, mail)
}

fn mpop(work: &Path, server: &Server, user: &str, mode: Mode, port: u16, mail: &Path, auth: &str) -> Output {
    let certificate = server.certificate().display().to_string();
    let tls = match mode {
        Mode::Plain => "tls off".to_owned(),
        Mode::Stls => format!("tls on\ntls_starttls on\ntls_trust_file {certificate}"),
        Mode::Tls => format!("tls on\ntls_starttls off\ntls_trust_file {certificate}"),
    };
    let rc = private(
        &work.join("mpoprc"),
        &format!(
            "account a\nhost localhost\nport {port}\nuser {user}\npassword \"{PASSWORD}\"\nauth {auth}\n{tls}\ndelivery maildir {}\n\
             uidls_file {}\nreceived_header off\nkeep on\ntimeout 60\naccount default : a\n",
            mail.display(),
            work.join("uidls").display()
        ),
    );
    run("mpop", work, &["-C", &rc, "-q"])
}

fn getmail(work: &Path, user: &str, mode: Mode, port: u16, mail: &Path) -> Output {
    let retriever = if mode == Mode::Tls { "SimplePOP3SSLRetriever" } else { "SimplePOP3Retriever" };
    let folder = work.join("getmail");
    fs::create_dir(&folder).unwrap();
    let rc = folder.join("getmailrc");
    private(
        &rc,
        &format!(
            "[retriever]\ntype = {retriever}\nserver = localhost\nport = {port}\nusername = {user}\npassword = {PASSWORD}\ntimeout = 20\n\
             [destination]\ntype = Maildir\npath = {}/\n\
             [options]\ndelete = false\nread_all = true\ndelivered_to = false\nreceived = false\nverbose = 0\n",
            mail.display()
        ),
    );
    for path in [&folder, &rc, &mail.to_owned(), &mail.join("tmp"), &mail.join("new"), &mail.join("cur")] {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let nobody = NOBODY.to_string();
    let drop_root =
        ["--reuid", &nobody, "--regid", &nobody, "--clear-groups", "getmail", "--getmaildir", folder.to_str().unwrap()];
    run("setpriv", work, &drop_root)
}

const POPLIB_FETCH: &str = "
import os, sys
poplib._MAXLINE = 1 << 26      # its own limit of 2048 refuses long lines
m = session()
for i in range(1, m.stat()[0] + 1):
    with open('%s/new/%d' % (out, i), 'wb') as f: f.write(b'\\n'.join(m.retr(i)[1]) + b'\\n')
m.quit()
";

/// Marks everything, and leaves without QUIT.
pub const POPLIB_DELE_WITHOUT_QUIT: &str = "
m = session()
for i in range(1, m.stat()[0] + 1): m.dele(i)
assert m.stat()[0] == 0
m.close()
";

/// Marks everything, and says QUIT.
pub const POPLIB_DELE_AND_QUIT: &str = "
m = session()
for i in range(1, m.stat()[0] + 1): m.dele(i)
m.quit()
";

/// AUTH PLAIN with and without an initial response, and one that is cancelled, by hand: poplib has no AUTH of its own.
pub const POPLIB_AUTH_PLAIN: &str = "
import base64
def fresh():
    context = ssl.create_default_context(cafile=certificate)
    return poplib.POP3_SSL('localhost', port, context=context, timeout=60)
response = base64.b64encode(b'\\0' + user.encode() + b'\\0' + password.encode()).decode()
m = fresh()
assert m._shortcmd('AUTH PLAIN ' + response).startswith(b'+OK')
assert m.stat()[0] == 1
m.quit()
m = fresh()
assert m._shortcmd('AUTH PLAIN') == b'+ '
try:
    m._shortcmd('*')
    raise SystemExit('a cancelled exchange was answered +OK')
except poplib.error_proto: pass
assert m._shortcmd('AUTH PLAIN') == b'+ '
assert m._shortcmd(response).startswith(b'+OK')
m.quit()
";

/// Runs Python with a `session()` that is logged in.
pub fn python(script: &str, server: &Server, user: &str, mode: Mode, mail: &Path) -> Output {
    let connect = match mode {
        Mode::Plain => "m = poplib.POP3('localhost', port, timeout=60)",
        Mode::Stls => "m = poplib.POP3('localhost', port, timeout=60); m.stls(context)",
        Mode::Tls => "m = poplib.POP3_SSL('localhost', port, context=context, timeout=60)",
    };
    let (certificate, port) = (server.certificate().display().to_string(), mode.port(server));
    let program = format!(
        "import poplib, ssl\nout = '{}'; port = {port}; user = '{user}'; password = '{PASSWORD}'; certificate = '{certificate}'\ndef session():\n    context = ssl.create_default_context(cafile=certificate)\n    \
         {connect}\n    m.user('{user}'); m.pass_('{PASSWORD}')\n    return m\n{script}",
        mail.display()
    );
    run("python3", mail, &["-c", &program])
}

/// Runs the Python program of docs/guides/testing.md, which starts `pop3` by its name.
pub fn guide_to_testing() -> Output {
    let guide = include_str!("../../../../docs/guides/testing.md");
    let program = guide.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_pop3")).parent().unwrap().display();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    Command::new("timeout").args(["60", "python3", "-c", program]).env("PATH", path).output().unwrap()
}
