//! The accounts of the configuration.

mod script;

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::thread;

use pop3_test::{Builder, Fault, Server};
use script::{pop3, text};

const HELLO: &str = "Subject: hello\r\n\r\nHello.\r\n";

/// A home with a configuration.
struct Home(tempfile::TempDir);

impl Home {
    fn new(config: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        if !config.is_empty() {
            fs::create_dir_all(home.config().parent().unwrap()).unwrap();
            fs::write(home.config(), config).unwrap();
        }
        home
    }

    fn config(&self) -> PathBuf {
        self.0.path().join(".config/pop3/config.toml")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = pop3();
        command.current_dir(self.0.path());
        command.args(arguments).env("HOME", self.0.path()).env_remove("XDG_CONFIG_HOME").env("LC_ALL", "C");
        command.env("POP3_PASSWORD", "secret").output().unwrap()
    }

    fn mail(&self, maildir: &str) -> usize {
        fs::read_dir(self.0.path().join(maildir).join("new")).map_or(0, Iterator::count)
    }
}

fn server(user: &str) -> Builder {
    Server::builder().user(user, "secret", [HELLO])
}

/// Two accounts at two servers.
fn two(one: &Server, two: &Server) -> String {
    format!(
        "[defaults]\ndangerously-cleartext = true\ndelete = true\npassword-command = \"echo secret\"\n\n\
         [accounts.home]\nserver = \"joe@example.org\"\nhost = \"127.0.0.1\"\nport = {}\ndelete = false\n\n\
         [accounts.work]\nserver = \"127.0.0.1:{}\"\nuser = \"jane\"\nmaildir = \"~/work\"\n",
        one.port(),
        two.port()
    )
}

#[test]
fn all_accounts_are_fetched_without_a_name_and_those_that_are_named() {
    let (one, other) = (server("joe@example.org").start().unwrap(), server("jane").start().unwrap());
    let home = Home::new(&two(&one, &other));
    let output = home.run(&["fetch", "work"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("work: 1 message (23 B) fetched, 1 deleted"), "{}", text(&output.stdout));
    assert_eq!((home.mail("work"), home.mail("Mail/joe@example.org")), (1, 0));
    let output = home.run(&["fetch"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut lines: Vec<_> = text(&output.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["home: 1 message (23 B) fetched", "work: nothing new"]);
    // The account's own key comes before the one for all accounts.
    assert_eq!((one.messages("joe@example.org").len(), other.messages("jane").len()), (1, 0));
    let output = home.run(&["fetch", "home", "work", "--quiet"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), String::new()), "{}", text(&output.stderr));
    // Addresses and servers still work beside a configuration.
    let maildir = home.0.path().join("other");
    let port = one.port().to_string();
    let arguments = ["fetch", "127.0.0.1", maildir.to_str().unwrap(), "--user", "joe@example.org", "--port", &port];
    let output = home.run(&[&arguments[..], &["--dangerously-cleartext"]].concat());
    assert_eq!((output.status.code(), home.mail("other")), (Some(0), 1), "{}", text(&output.stderr));
}

#[test]
fn the_command_line_comes_before_the_file() {
    let (one, other) = (server("joe@example.org").start().unwrap(), server("jane").start().unwrap());
    let home = Home::new(&two(&one, &other));
    // The file says `delete = true`.
    let output = home.run(&["fetch", "work", "--keep", "--window", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(other.messages("jane").len(), 1);
    let output = home.run(&["fetch", "work", "--user", "nobody"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
}

#[test]
fn one_account_that_fails_does_not_stop_the_others() {
    let (one, other) = (server("joe@example.org").start().unwrap(), server("jane").fault(Fault::on("PASS").refuse("[AUTH] no")));
    let other = other.start().unwrap();
    let home = Home::new(&two(&one, &other));
    let output = home.run(&["fetch"]);
    assert_eq!((output.status.code(), home.mail("Mail/joe@example.org")), (Some(5), 1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("pop3: work: the server refused PASS"), "{}", text(&output.stderr));
    // Different failures have no code in common.
    drop(one);
    assert_eq!(home.run(&["fetch"]).status.code(), Some(1));
    assert_eq!(home.run(&["accounts", "test", "work"]).status.code(), Some(5));
}

#[test]
fn wrong_keys_are_refused_before_any_connection() {
    let account = |keys: &str| format!("[accounts.a]\nserver = \"127.0.0.1\"\nuser = \"joe\"\nmaildir = \"~/a\"\n{keys}\n");
    for (config, parts) in [
        (account("delte = true"), &["config.toml, account a: there is no key delte", "A similar key exists: delete"][..]),
        (account("password = \"secret\""), &["there is no key password"]),
        (account("dry-run = true"), &["there is no key dry-run"]),
        (account("port = \"none\""), &["account a: invalid value 'none' for '--port"]),
        (account("delete = \"yes\""), &["the value of delete is of the wrong kind"]),
        (account("port = [1]"), &["the value of port is of the wrong kind"]),
        (account("maildir = 1").replace("maildir = \"~/a\"\n", ""), &["the value of maildir"]),
        ("[accounts.a]\nuser = \"joe\"".to_owned(), &["the key server is missing"]),
        ("[account.a]\nserver = \"x\"".to_owned(), &["unknown field `account`", "accounts"]),
        ("jobs = \"many\"".to_owned(), &["config.toml"]),
        ("[accounts.a".to_owned(), &["config.toml"]),
        ("jobs = 1".to_owned(), &["no account is configured", "pop3 accounts add ADDRESS"]),
        (String::new(), &["no account is configured"]),
    ] {
        let output = Home::new(&config).run(&["fetch"]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{config}: {told}");
        assert!(parts.iter().all(|part| told.contains(part)) && !told.contains("secret"), "{config}: {told}");
    }
    let home = Home::new(&account(""));
    for arguments in [&["fetch", "a", "b"][..], &["accounts", "test", "b"]] {
        let output = home.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("there is no account b"), "{}", text(&output.stderr));
    }
}

#[test]
fn an_account_is_added_when_its_login_works_and_is_fetched_then() {
    let server = server("joe@example.org").start().unwrap();
    let port = server.port().to_string();
    let home = Home::new("# my accounts\njobs = 2\n");
    let add = |name: &str, more: &[&str]| {
        let arguments = ["accounts", "add", "joe@example.org", "--name", name, "--host", "127.0.0.1", "--port", &port];
        home.run(&[&arguments[..], &["--dangerously-cleartext", "--password-file", "secret.txt"], more].concat())
    };
    // A login that fails adds nothing.
    fs::write(home.0.path().join("secret.txt"), "wrong\n").unwrap();
    let before = fs::read_to_string(home.config()).unwrap();
    assert_eq!(add("a \"b\"", &[]).status.code(), Some(5));
    assert_eq!(fs::read_to_string(home.config()).unwrap(), before);
    fs::write(home.0.path().join("secret.txt"), "secret\n").unwrap();
    let output = add("a \"b\"", &["--delete"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("1 message is on the server"), "{}", text(&output.stdout));
    let config = fs::read_to_string(home.config()).unwrap();
    assert!(config.starts_with(&before) && config.contains("[accounts.\"a \\\"b\\\"\"]"), "{config}");
    assert!(
        config.contains("delete = true") && config.contains(&format!("port = \"{port}\"")) && !config.contains("secret\n"),
        "{config}"
    );
    let is_absolute = |line: &str| line.starts_with("password-file = \"/");
    assert!(config.lines().any(is_absolute), "{config}");
    let listed = format!("a \"b\"  joe@example.org  127.0.0.1:{port}  ~/Mail/joe@example.org\n");
    assert_eq!(text(&home.run(&["accounts", "list"]).stdout), listed);
    assert!(text(&home.run(&["accounts", "test"]).stdout).contains("the login works; 1 message"));
    assert_eq!((home.run(&["fetch"]).status.code(), home.mail("Mail/joe@example.org")), (Some(0), 1));
    assert_eq!(server.messages("joe@example.org").len(), 0);
    // A name is there once.
    let output = add("a \"b\"", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("already"), "{}", text(&output.stderr));
}

#[test]
fn one_password_goes_to_one_account() {
    let (one, other) = (server("joe@example.org").start().unwrap(), server("jane").start().unwrap());
    let home = Home::new(&two(&one, &other).replace("password-command = \"echo secret\"\n", ""));
    let output = home.run(&["fetch"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("POP3_PASSWORD is for one account"), "{}", text(&output.stderr));
    assert_eq!((one.sessions(), other.sessions()), (0, 0));
    assert_eq!(home.run(&["fetch", "work"]).status.code(), Some(0));
}

#[test]
fn what_an_added_account_needs_is_written_as_it_is() {
    let server = server("007123").start().unwrap();
    let home = Home::new("");
    let port = server.port().to_string();
    let add = |more: &[&str]| {
        let arguments = ["accounts", "add", "127.0.0.1", "~/mail", "--port", &port, "--dangerously-cleartext"];
        home.run(&[&arguments[..], more].concat())
    };
    // Digits with zeros before them are a name.
    let output = add(&["--name", "digits", "--user", "007123"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let output = home.run(&["fetch", "digits"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    // The password of a proxy would be in a file that others may read.
    let output = add(&["--name", "proxy", "--user", "007123", "--proxy", "socks5://me:hidden@127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("POP3_PROXY") && !text(&output.stderr).contains("hidden"), "{}", text(&output.stderr));
    // A file in another form of TOML stays readable, or stays as it is.
    fs::write(home.config(), "accounts = { a = { server = \"x\" } }\n").unwrap();
    let output = add(&["--name", "b", "--user", "007123"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(home.config()).unwrap(), "accounts = { a = { server = \"x\" } }\n");
}

#[test]
fn an_added_account_remembers_which_user_the_server_takes() {
    let server = server("joe").start().unwrap();
    let port = server.port().to_string();
    let home = Home::new("");
    let output =
        home.run(&["accounts", "add", "joe@example.org", "--host", "127.0.0.1", "--port", &port, "--dangerously-cleartext"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(fs::read_to_string(home.config()).unwrap().contains("user = \"joe\""));
    let before = server.commands().len();
    assert_eq!(home.run(&["fetch", "joe@example.org"]).status.code(), Some(0));
    assert_eq!(server.commands()[before..].iter().filter(|line| line.starts_with("USER")).count(), 1);
    // An address that is the name of an account may still be fetched into another Maildir.
    let arguments = ["fetch", "joe@example.org", "backup", "--host", "127.0.0.1", "--port", &port, "--dangerously-cleartext"];
    let output = home.run(&arguments);
    assert_eq!((output.status.code(), home.mail("backup")), (Some(0), 1), "{}", text(&output.stderr));
}

#[test]
fn accounts_that_are_added_at_the_same_time_are_all_there() {
    let servers: Vec<_> = (1..=4).map(|number| server(&format!("u{number}")).start().unwrap()).collect();
    let home = Home::new("");
    thread::scope(|scope| {
        for (at, server) in servers.iter().enumerate() {
            let home = &home;
            scope.spawn(move || {
                let (name, port) = (format!("u{}", at + 1), server.port().to_string());
                let arguments = ["accounts", "add", "127.0.0.1", &name, "--name", &name, "--user", &name, "--port", &port];
                let output = home.run(&[&arguments[..], &["--dangerously-cleartext"]].concat());
                assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            });
        }
    });
    assert_eq!(text(&home.run(&["accounts", "list"]).stdout).lines().count(), 4);
}

#[cfg(unix)]
#[test]
fn a_file_of_accounts_behind_a_link_is_changed_and_the_link_stays() {
    let server = server("joe").start().unwrap();
    let home = Home::new("");
    let real = home.0.path().join("dotfiles.toml");
    fs::write(&real, "jobs = 2").unwrap();
    fs::create_dir_all(home.config().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&real, home.config()).unwrap();
    let port = server.port().to_string();
    let add = |maildir: &std::ffi::OsStr| {
        let mut command = pop3();
        command.args(["accounts", "add", "127.0.0.1", "--name", "a", "--user", "joe", "--port", &port]);
        command.arg("--dangerously-cleartext").arg(maildir).env("HOME", home.0.path()).env_remove("XDG_CONFIG_HOME");
        command.env("POP3_PASSWORD", "secret").output().unwrap()
    };
    // A path that TOML cannot hold would become another one.
    let output = add(std::os::unix::ffi::OsStrExt::from_bytes(b"/tmp/caf\xe9"));
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let output = add("mail".as_ref());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(fs::symlink_metadata(home.config()).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().starts_with("jobs = 2\n\n[accounts.\"a\"]\n"));
}

#[test]
fn what_is_nearer_replaces_what_it_excludes() {
    let server = Server::builder().user("joe", "secret", [HELLO]).tls().start().unwrap();
    let clear = server_in_clear();
    let (tls, port) = (server.port(), clear.port());
    let home = Home::new(&format!(
        "[defaults]\nstls = true\nuser = \"nobody\"\nport = 1\n\n\
         [accounts.clear]\nserver = \"127.0.0.1\"\nport = {port}\nuser = \"joe\"\nmaildir = \"~/clear\"\ndangerously-cleartext = true\n\n\
         [accounts.url]\nserver = \"pops://joe@127.0.0.1:{tls}\"\nmaildir = \"~/url\"\nca-file = \"~/ca.pem\"\n"
    ));
    fs::write(home.0.path().join("ca.pem"), server.certificate().unwrap()).unwrap();
    for name in ["clear", "url"] {
        let output = home.run(&["fetch", name]);
        assert_eq!((output.status.code(), home.mail(name)), (Some(0), 1), "{}", text(&output.stderr));
    }
    // An account is tried with the keys for all accounts.
    let home = Home::new("[defaults]\nauth = \"scram-sha-256\"\n");
    let port = port.to_string();
    let arguments = ["accounts", "add", "127.0.0.1", "mail", "--user", "joe", "--port", &port, "--dangerously-cleartext"];
    let output = home.run(&arguments);
    assert_ne!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(fs::read_to_string(home.config()).unwrap(), "[defaults]\nauth = \"scram-sha-256\"\n");
    for options in [&["--name", ""][..], &["--name", "a\nb"], &["--dry-run"]] {
        let output = home.run(&[&arguments[..], options].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    }
}

#[test]
fn what_is_nearer_replaces_what_says_otherwise_of_the_password_and_of_what_stays() {
    let clear = server_in_clear();
    let home = Home::new(&format!(
        "[defaults]\nnetrc = true\ndelete-after = \"0s\"\n\n[accounts.a]\nserver = \"127.0.0.1\"\nport = {}\nuser = \"joe\"\n\
         maildir = \"~/mail\"\ndangerously-cleartext = true\npassword-command = \"echo secret\"\n",
        clear.port()
    ));
    let output = home.run(&["fetch", "a", "--keep"]);
    assert_eq!((output.status.code(), home.mail("mail")), (Some(0), 1), "{}", text(&output.stderr));
    assert_eq!(clear.deleted("joe").len(), 0);
    fs::write(home.0.path().join(".netrc"), "machine 127.0.0.1 login joe password wrong\n").unwrap();
    let output = home.run(&["read", "a", "--netrc"]);
    assert_eq!(output.status.code(), Some(5), "the command line names another password: {}", text(&output.stdout));
    let output = home.run(&["fetch", "a"]);
    assert_eq!((output.status.code(), clear.deleted("joe").len()), (Some(0), 1), "{}", text(&output.stderr));
}

fn server_in_clear() -> Server {
    server("joe").start().unwrap()
}

#[test]
fn an_account_is_read_and_examined_by_its_name() {
    let (one, other) = (server("joe@example.org").tls().start().unwrap(), server("jane").start().unwrap());
    let home = Home::new(&format!(
        "[accounts.home]\nserver = \"joe@example.org\"\nhost = \"127.0.0.1\"\nport = {}\nca-file = \"~/ca.pem\"\n\
         password-command = \"echo secret\"\ndelete = true\n",
        one.port()
    ));
    fs::write(home.0.path().join("ca.pem"), one.certificate().unwrap()).unwrap();
    let output = home.run(&["read", "home"]);
    assert_eq!((output.status.code(), text(&output.stdout).lines().count()), (Some(0), 1), "{}", text(&output.stderr));
    let output = home.run(&["doctor", "home", "--timeout", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("logged in as joe@example.org"), "{}", text(&output.stdout));
    assert_eq!(one.messages("joe@example.org").len(), 1, "neither deletes");
    // The command line comes before the file here, too.
    assert_eq!(home.run(&["read", "home", "--user", "nobody"]).status.code(), Some(5));
    drop(other);
}

#[test]
fn a_name_is_an_account_or_a_server_and_a_misspelt_one_is_neither() {
    let (one, other) = (server("joe@example.org").start().unwrap(), server("jane").start().unwrap());
    let home = Home::new(&two(&one, &other));
    let output = home.run(&["fetch", "wrok"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("there is no account wrok"), "{}", text(&output.stderr));
    // Two users of one server are two accounts, and the server itself is still a server.
    let server = Server::builder().user("ann", "secret", [HELLO]).user("bob", "secret", [HELLO]).start().unwrap();
    let host = format!("127.0.0.1:{}", server.port());
    for user in ["ann", "bob"] {
        let output = home.run(&["accounts", "add", &host, user, "--user", user, "--dangerously-cleartext"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let output = home.run(&["accounts", "add", &host, "x", "--user", "ann", "--dangerously-cleartext"]);
    assert!(text(&output.stderr).contains("--name NAME"), "{}", text(&output.stderr));
    let maildir = home.0.path().join("there");
    let output = home.run(&["fetch", &host, maildir.to_str().unwrap(), "--user", "ann", "--dangerously-cleartext"]);
    assert_eq!((output.status.code(), home.mail("there")), (Some(0), 1), "{}", text(&output.stderr));
    assert!(text(&home.run(&["accounts", "list"]).stdout).contains(&format!("ann@{host}  {host}")));
}

#[test]
fn an_account_is_removed_with_the_password_that_was_stored_for_it_and_nothing_else() {
    let (one, other) = (server("joe@example.org").start().unwrap(), server("jane").start().unwrap());
    let home = Home::new(&two(&one, &other));
    let folder = home.config().parent().unwrap().to_owned();
    for (name, file) in [("home", "home.password"), ("work", "own")] {
        fs::write(folder.join(file), "secret\n").unwrap();
        let config = fs::read_to_string(home.config()).unwrap();
        let table = format!("[accounts.{name}]\n");
        let keys = format!("{table}password-file = \"{}\"\n", folder.join(file).display());
        fs::write(home.config(), config.replace(&table, &keys)).unwrap();
    }
    fs::write(folder.join("shared.password"), "secret\n").unwrap();
    let shared = format!("password-file = \"{}\"\n", folder.join("shared.password").display());
    let tables = ["shared", "other"].map(|name| format!("\n[accounts.{name}]\nserver = \"x\"\n{shared}")).concat();
    fs::write(home.config(), fs::read_to_string(home.config()).unwrap() + &tables).unwrap();
    assert_eq!(home.run(&["accounts", "remove", "shared"]).status.code(), Some(0));
    assert!(folder.join("shared.password").exists(), "another account has it, too");
    let before = fs::read_to_string(home.config()).unwrap();
    let output = home.run(&["accounts", "remove", "nobody"]);
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("nobody"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(home.config()).unwrap(), before);
    for name in ["home", "work"] {
        let output = home.run(&["accounts", "remove", name]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(!fs::read_to_string(home.config()).unwrap().contains(&format!("[accounts.{name}]")));
    }
    assert!(fs::read_to_string(home.config()).unwrap().starts_with("[defaults]\ndangerously-cleartext = true\n"));
    // A file that somebody has named is their own.
    assert!(!folder.join("home.password").exists() && folder.join("own").exists());
}
