//! `pop3 guide`: every client, every provider, every width, and the files for mail programs.

mod script;

use std::fs;
use std::path::{Path, PathBuf};

use pop3_providers::providers;
use script::{pop3, screens, text};

const CLIENTS: [&str; 14] = [
    "thunderbird",
    "outlook",
    "new-outlook",
    "apple-mail",
    "foxmail",
    "gmail-app",
    "k9",
    "fairemail",
    "evolution",
    "mutt",
    "outlook-express",
    "outlook-2003",
    "foxmail-5",
    "netscape",
];

fn guide(arguments: &[&str], width: &str) -> String {
    let output = pop3().arg("guide").args(arguments).env("COLUMNS", width).env("LC_ALL", "C").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn every_client_has_its_steps() {
    let screen = |options: &[&str]| {
        let one = |client: &&str| {
            guide(&[&["joe@example.org", "--host", "pop.example.org", "--client", client], options].concat(), "80")
        };
        CLIENTS.iter().map(one).collect::<Vec<_>>().join("\n=====\n\n")
    };
    screens::compare("guide.clients.txt", &screen(&["--smtp-host", "smtp.example.org"]));
    screens::compare("guide.clients.stls.txt", &screen(&["--stls", "--user", "joe"]));
}

#[test]
fn every_provider_is_printed_and_its_guide_has_its_settings() {
    let mut screen = String::new();
    for provider in providers() {
        // A provider of its customers' domains has no address of its own, and is known by its server.
        let address = format!("you@{}", provider.domains.first().map_or("example.org", String::as_str));
        let host = provider.pop3().map_or("", |pop3| &pop3.host);
        let by_host = ["--host", host];
        let by_host = if provider.domains.is_empty() { &by_host[..] } else { &[] };
        let output = pop3().args(["guide", &address]).args(by_host).env("COLUMNS", "80").env("LC_ALL", "C").output().unwrap();
        screen += &format!(
            "=== {} ({})\n{}{}\n",
            provider.name,
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr)
        );
        let Some(settings) = provider.pop3() else {
            assert_eq!(output.status.code(), Some(2), "{address}");
            continue;
        };
        let guide = guide(&[&[&address, "--client", "thunderbird"], by_host].concat(), "200");
        let user = settings.user.of(&address);
        for value in [settings.host.as_str(), &settings.port.to_string(), user] {
            assert!(guide.lines().any(|line| line.ends_with(&format!("  {value}"))), "{value}: {guide}");
        }
    }
    screens::compare("guide.providers.txt", &screen);
}

#[test]
fn a_guide_fits_narrow_and_wide_terminals_and_other_languages() {
    for width in ["60", "80", "200"] {
        let arguments = ["you@163.com", "--client", "foxmail-5", "--language", "zh-Hans"];
        screens::compare(&format!("guide.{width}.txt"), &guide(&arguments, width));
    }
    let own = guide(&["joe@example.org", "--host", "pop.example.org", "--port", "1995"], "80");
    assert!(own.contains("Port       1995\n") && own.contains("TLS from the start"), "{own}");
    let spanish = guide(&["you@gmail.com", "--language", "es"], "80");
    assert!(spanish.contains("Servidor    pop.gmail.com"), "{spanish}");
}

#[test]
fn a_guide_is_written_as_a_page_and_as_markdown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let arguments = ["joe@example.org", "--host", "pop.example.org", "--client", "thunderbird"];
    let told = guide(&[&arguments[..], &["--format", "html", "--output", file.to_str().unwrap()]].concat(), "80");
    assert_eq!(told, "");
    screens::compare("guide.html", &fs::read_to_string(&file).unwrap());
    screens::compare("guide.md", &guide(&[&arguments[..], &["--format", "markdown"]].concat(), "80"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn mail_programs_get_files_to_set_themselves_up() {
    for (name, options) in [("tls", &["--smtp-host", "smtp.example.org"][..]), ("stls", &["--stls", "--user", "joe&co"])] {
        let folder = tempfile::tempdir().unwrap();
        let arguments =
            [&["joe&co@Example.org", "--host", "pop.example.org", "--autoconfig", folder.path().to_str().unwrap()], options];
        let told = guide(&arguments.concat(), "80");
        assert!(told.contains("https://autoconfig.example.org/mail/config-v1.1.xml"), "{told}");
        let mut written = files(folder.path());
        written.sort();
        let screen = |file: &PathBuf| {
            let name = file.strip_prefix(folder.path()).unwrap().display().to_string();
            format!("=== {name}\n{}", fs::read_to_string(file).unwrap())
        };
        screens::compare(&format!("autoconfig.{name}.txt"), &written.iter().map(screen).collect::<String>());
    }
}

#[test]
fn a_user_name_is_no_command_of_mutt() {
    let told = guide(&["a\"; set x=`id`/b@example.org", "--host", "h", "--client", "mutt"], "200");
    assert!(told.contains("pops://a%22%3B%20set%20x%3D%60id%60%2Fb%40example%2Eorg@h:995"), "{told}");
}

#[test]
fn what_cannot_be_guided_says_why() {
    for (arguments, part) in [
        (&["you@icloud.com"][..], "iCloud Mail has no POP3"),
        (&["you@example.org"], "--host pop.example.org"),
        (&["example.org"], "is not a mail address"),
        (&["you@gmail.com", "--client", "pine"], "thunderbird"),
        (&["you@/etc/x", "--host", "h", "--autoconfig", "/nowhere"], "is not a mail address"),
        (&["you@../../x", "--host", "h", "--autoconfig", "/nowhere"], "is not a mail address"),
        (&["@example.org", "--host", "h"], "is not a mail address"),
        (&["a\u{1b}[31m@example.org", "--host", "h"], "is not a mail address"),
        (&["a@example.org", "--host", "h\u{1b}[2J"], "has control characters"),
        (&["a@example.org", "--host", "h", "--user", "u\n"], "has control characters"),
    ] {
        let output = pop3().arg("guide").args(arguments).env("LC_ALL", "C").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(part), "{}", text(&output.stderr));
    }
}
