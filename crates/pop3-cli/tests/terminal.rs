//! What a person meets at the terminal: the first words, suggestions, other folders, an interrupt.

mod script;

use std::fs;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use pop3_test::{Fault, Server};
use script::{home, mail, pop3, text};

#[test]
fn the_program_alone_says_what_one_can_do() {
    for (locale, words) in [
        ("C", "find out why mail does not come"),
        ("es_ES.UTF-8", "averiguar"),
        ("zh_CN.UTF-8", "找出"),
        ("zh_TW", "找出收不到郵件"),
    ] {
        let output = pop3().env("LC_ALL", locale).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let told = text(&output.stdout);
        assert!(told.contains(words) && told.contains("pop3 fetch") && told.contains("pop3 serve"), "{locale}: {told}");
    }
}

#[test]
fn options_of_other_programs_lead_to_the_right_ones() {
    for (option, advice) in [
        ("--starttls", "use --stls"),
        ("--ssl", "leave it out"),
        ("--insecure", "use --ca-file"),
        ("-P", "use -p or --port"),
        ("--password=secret", "use POP3_PASSWORD"),
        ("--username", "use --user"),
        // What is misspelled is what clap finds.
        ("--dellete", "'--delete'"),
    ] {
        let output = pop3().args(["fetch", "pop.example.org", option]).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{option}: {told}");
        assert!(told.contains(advice) && !told.contains("secret"), "{option}: {told}");
    }
}

#[test]
fn mail_is_not_mixed_with_other_files() {
    let (folder, maildir) = home();
    fs::create_dir(&maildir).unwrap();
    let server = Server::with_messages(["Subject: x\r\n\r\ny\r\n"]).unwrap();
    let fetch = || {
        let port = server.port().to_string();
        let arguments = ["fetch", "127.0.0.1", "--user", "joe", "--port", &port, "--dangerously-cleartext"];
        pop3().args(arguments).arg(&maildir).env("POP3_PASSWORD", "secret").output().unwrap()
    };
    fs::write(maildir.join("letter.txt"), "").unwrap();
    let output = fetch();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is not empty, and is no Maildir"), "{}", text(&output.stderr));
    assert_eq!((server.sessions(), fs::read_dir(&maildir).unwrap().count()), (0, 1));
    // An empty folder becomes a Maildir, and files beside the mail of a Maildir are its owner's.
    fs::remove_file(maildir.join("letter.txt")).unwrap();
    assert_eq!(fetch().status.code(), Some(0));
    fs::write(maildir.join("letter.txt"), "").unwrap();
    assert_eq!(fetch().status.code(), Some(0));
    drop(folder);
}

#[cfg(unix)]
#[test]
fn an_interrupt_says_what_is_stored_and_the_next_run_continues() {
    let (_folder, maildir) = home();
    let server = Server::builder().user("joe", "secret", ["Subject: one\r\n\r\n1\r\n", "Subject: two\r\n\r\n2\r\n"]);
    let (sender, commands) = mpsc::channel();
    let server = server.observe(move |_, line| drop(sender.send(line.to_owned())));
    let server = server.fault(Fault::on("RETR").nth(2).stall()).start().unwrap();
    let port = server.port().to_string();
    let fetch = || {
        let mut command = pop3();
        command.args(["fetch", "127.0.0.1", "--user", "joe", "--port", &port, "--dangerously-cleartext"]);
        command.arg(&maildir).env("POP3_PASSWORD", "secret").env("LC_ALL", "C").stderr(Stdio::piped());
        command
    };
    let child = fetch().spawn().unwrap();
    assert!(commands.iter().any(|line| line.starts_with("RETR 2")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(text(&output.stderr).starts_with("pop3: interrupted; "), "{}", text(&output.stderr));
    let output = fetch().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(mail(&maildir).len(), 2);
}

#[test]
fn a_fetch_speaks_four_languages_and_shows_texts_in_gbk() {
    // 您没有权限使用pop3功能 in GBK, as NetEase sends it.
    let gbk = b"-ERR \xc4\xfa\xc3\xbb\xd3\xd0\xc8\xa8\xcf\xde\xca\xb9\xd3\xc3pop3\xb9\xa6\xc4\xdc\r\n";
    let mail = ["Subject: x\r\n\r\ny\r\n"];
    let refusing =
        Server::builder().user("joe@163.com", "secret", mail).fault(Fault::on("PASS").reply(&gbk[..])).start().unwrap();
    let well = Server::builder().user("joe@163.com", "secret", mail).start().unwrap();
    let fetch = |server: &Server, language: &str| {
        let (_folder, maildir) = home();
        let port = server.port().to_string();
        let arguments = ["fetch", "joe@163.com", "--host", "127.0.0.1", "--port", &port, "--dangerously-cleartext"];
        let mut command = pop3();
        command.args(arguments).arg(&maildir).args(["--language", language]).env("POP3_PASSWORD", "secret");
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    for (language, refused, advice, fetched) in [
        (
            "en",
            "the server refused PASS: ",
            "NetEase 163 says that POP is switched off for this mailbox.",
            "1 message (14 B) fetched",
        ),
        (
            "es",
            "el servidor rechazó PASS: ",
            "NetEase 163 dice que POP está desactivado en este buzón.",
            "1 mensaje (14 B) descargado",
        ),
        ("zh-Hans", "服务器拒绝 PASS: ", "NetEase 163 表示这个邮箱没有开启 POP。", "收取 1 封邮件（14 B）"),
        ("zh-Hant", "伺服器拒絕 PASS: ", "NetEase 163 表示這個信箱沒有開啟 POP。", "收取 1 封郵件（14 B）"),
    ] {
        let (code, _, told) = fetch(&refusing, language);
        assert_eq!(code, Some(5), "{told}");
        assert!(told.contains(&format!("{refused}您没有权限使用pop3功能\n")) && told.contains(advice), "{told}");
        let (code, told, troubles) = fetch(&well, language);
        assert_eq!((code, troubles.as_str()), (Some(0), ""));
        assert!(told.contains(fetched), "{told}");
    }
}
