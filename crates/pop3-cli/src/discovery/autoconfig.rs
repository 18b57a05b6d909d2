//! Settings in Mozilla's autoconfig format, version 1.1, from a file or from the web server of a domain.

use std::fs;
use std::path::Path;
use std::thread;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use roxmltree::{Document, Node};
use ureq::Agent;

use super::{Found, LIMIT, Server};
use crate::failure::{Exit, Failure};
use crate::http;
use crate::place::Place;
use crate::server_text::one_line;

/// No more of a file is read than this.
const MOST_BYTES: u64 = 256 * 1024;

/// Reads the settings of an address from a file.
///
/// # Errors
/// The file cannot be read, is not in the format, or names no POP3 server with TLS.
pub fn from_file(file: &Path, address: &str) -> Result<Found, Failure> {
    let text = fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    let wrong = |what: &str| Failure::new(Exit::Usage, format_args!("{}: {what}", file.display()));
    let settings = parse(&text, address).map_err(|what| wrong(&what))?;
    settings.into_iter().next().ok_or_else(|| wrong("names no POP3 server with TLS"))
}

/// Returns the settings that the web servers of an address's domain publish, the best first: empty if there are none. Asks by HTTPS only, so
/// that the domain's own certificate vouches for them.
///
/// # Errors
/// `ca_pem` is not PEM.
pub fn look_up(address: &str, ca_pem: Option<&[u8]>) -> Result<Vec<Found>, Failure> {
    let agent = http::agent(ca_pem, None, LIMIT, 3)?;
    let urls = urls(address);
    let found: Vec<_> = thread::scope(|scope| {
        let tries = urls.each_ref().map(|url| scope.spawn(|| download(&agent, url)));
        tries.into_iter().map(|try_| try_.join().unwrap_or(None)).collect()
    });
    let parsed = |text: String| match parse(&text, address) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::debug!(error, "settings that the domain publishes cannot be used");
            Vec::new()
        }
    };
    Ok(found.into_iter().flatten().map(parsed).find(|settings| !settings.is_empty()).unwrap_or_default())
}

/// Returns where a domain publishes its settings.
fn urls(address: &str) -> [String; 2] {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let encoded = utf8_percent_encode(address, NON_ALPHANUMERIC);
    [
        format!("https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={encoded}"),
        format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
    ]
}

fn download(agent: &Agent, url: &str) -> Option<String> {
    let text = agent.get(url).call().and_then(|mut response| match response.status().is_success() {
        true => response.body_mut().with_config().limit(MOST_BYTES).read_to_string().map(Some),
        false => Ok(None),
    });
    text.inspect_err(|error| tracing::debug!(%error, url, "no settings are published here")).ok().flatten()
}

/// Returns the POP3 servers that a file names for an address. Those without TLS are left out, because a password would be sent in the clear.
fn parse(text: &str, address: &str) -> Result<Vec<Found>, String> {
    let document = Document::parse(text).map_err(|error| format!("is not XML: {error}"))?;
    let root = document.root_element();
    if !root.has_tag_name("clientConfig") {
        return Err("is not in the autoconfig format: it does not begin with <clientConfig>".to_owned());
    }
    let servers = root.descendants().filter(|node| node.has_tag_name("incomingServer") && node.attribute("type") == Some("pop3"));
    let mut found = Vec::new();
    for node in servers {
        found.extend(settings(node, address)?);
    }
    // TLS from the first octet comes first (RFC 8314 §3); otherwise the order of the file stays.
    found.sort_by_key(|settings| settings.server.stls);
    Ok(found)
}

fn settings(node: Node<'_, '_>, address: &str) -> Result<Option<Found>, String> {
    let value = |name| {
        let child = node.children().find(|child| child.has_tag_name(name));
        child.and_then(|child| child.text()).map(|text| filled(text.trim(), address)).filter(|text| !text.is_empty())
    };
    let stls = match value("socketType").as_deref() {
        Some("SSL") => false,
        Some("STARTTLS") => true,
        _ => return Ok(None),
    };
    let host = value("hostname").ok_or("a server has no <hostname>")?;
    let place = Place::parse(&host).ok().filter(|place| place.host == host && place.user.is_none());
    let place = place.ok_or_else(|| format!("{:?} is not a host name", one_line(&host)))?;
    let port = match value("port") {
        None => {
            if stls {
                110
            } else {
                995
            }
        }
        Some(port) => {
            port.parse().ok().filter(|port| *port != 0).ok_or_else(|| format!("{:?} is not a port", one_line(&port)))?
        }
    };
    let user = value("username").filter(|user| !user.contains('%') && !user.chars().any(char::is_control));
    Ok(Some(Found { server: Server { host: place.host, port, stls }, user }))
}

/// Returns a value with the words between percent signs replaced by the parts of the address.
fn filled(text: &str, address: &str) -> String {
    let (local_part, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    // The words are found before anything is put in their place: an address may contain percent signs.
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        let Some((word, behind)) = after.split_once('%') else { break };
        let value = match word {
            "EMAILADDRESS" => address,
            "EMAILLOCALPART" => local_part,
            "EMAILDOMAIN" => domain,
            _ => break,
        };
        filled.extend([before, value]);
        rest = behind;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(servers: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><clientConfig version=\"1.1\"><emailProvider id=\"example.org\">{servers}</emailProvider></clientConfig>"
        )
    }

    fn server(kind: &str, fields: &str) -> String {
        format!("<incomingServer type=\"{kind}\">{fields}</incomingServer>")
    }

    fn told(servers: &str) -> Result<Vec<String>, String> {
        let told = |it: Found| {
            let stls = if it.server.stls { " stls" } else { "" };
            format!("{}:{}{stls} {}", it.server.host, it.server.port, it.user.as_deref().unwrap_or("-"))
        };
        Ok(parse(&file(servers), "joe@example.org")?.into_iter().map(told).collect())
    }

    #[test]
    fn the_pop3_servers_with_tls_are_taken_and_the_words_between_percent_signs_replaced() {
        let imap = server("imap", "<hostname>imap.example.org</hostname><port>993</port><socketType>SSL</socketType>");
        let clear = server("pop3", "<hostname>clear.example.org</hostname><port>110</port><socketType>plain</socketType>");
        let stls = server(
            "pop3",
            "<hostname>pop.%EMAILDOMAIN%</hostname><socketType>STARTTLS</socketType><username>%EMAILLOCALPART%</username>",
        );
        let tls = server(
            "pop3",
            "<hostname> a.example.org </hostname><port>1995</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username>",
        );
        let all = told(&[imap.as_str(), &clear, &stls, &tls].concat());
        assert_eq!(all.unwrap(), ["a.example.org:1995 joe@example.org", "pop.example.org:110 stls joe"]);
        // A word that only a person can replace leaves the user open.
        let other = "<hostname>h</hostname><socketType>SSL</socketType><username>%REALNAME%</username>";
        assert_eq!(told(&server("pop3", other)).unwrap(), ["h:995 -"]);
        assert_eq!(told(&imap).unwrap(), [""; 0]);
    }

    #[test]
    fn the_words_are_not_looked_for_in_the_address() {
        assert_eq!(filled("%EMAILLOCALPART%@%EMAILDOMAIN%", "a%EMAILDOMAIN%b@h"), "a%EMAILDOMAIN%b@h");
        assert_eq!(filled("100%", "joe@h"), "100%");
    }

    #[test]
    fn what_cannot_be_a_server_is_refused_with_a_reason() {
        for (servers, reason) in [
            ("<incomingServer", "is not XML"),
            (&server("pop3", "<socketType>SSL</socketType>"), "no <hostname>"),
            (&server("pop3", "<hostname>a b\u{7}</hostname><socketType>SSL</socketType>"), "is not XML"),
            (&server("pop3", "<hostname>a b</hostname><socketType>SSL</socketType>"), "is not a host name"),
            (&server("pop3", "<hostname>pops://x</hostname><socketType>SSL</socketType>"), "is not a host name"),
            (&server("pop3", "<hostname>h</hostname><port>99999</port><socketType>SSL</socketType>"), "is not a port"),
        ] {
            let error = told(servers).unwrap_err();
            assert!(error.contains(reason), "{servers}: {error}");
        }
        assert!(parse("<html/>", "a@b").unwrap_err().contains("autoconfig format"));
        // Entities that grow are not expanded.
        let bomb = "<!DOCTYPE a [<!ENTITY x \"xxxxxxxx\">]><clientConfig>&x;</clientConfig>";
        assert!(parse(bomb, "a@b").is_err());
    }

    #[test]
    fn the_domain_is_asked_by_https_only() {
        let urls = urls("joe+x@example.org");
        assert_eq!(urls[0], "https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=joe%2Bx%40example%2Eorg");
        assert_eq!(urls[1], "https://example.org/.well-known/autoconfig/mail/config-v1.1.xml");
        let error = http::agent(None, None, LIMIT, 3).unwrap().get("http://127.0.0.1:1/").call().unwrap_err();
        assert!(matches!(error, ureq::Error::RequireHttpsOnly(_)), "{error}");
    }
}
