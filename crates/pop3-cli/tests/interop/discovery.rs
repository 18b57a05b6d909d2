//! The server of an address whose provider is not known: by SRV records of a real name server, and by the settings that a web server of
//! the domain publishes.

use crate::standin::beside_a_server;

pub const HOSTS: [&str; 6] =
    ["pop.example.org", "pop.example.net", "autoconfig.example.net", "mail.example.com", "example.com", "autoconfig.example.org"];

/// Starts dnsmasq, and makes it the name server of this machine's programs.
const NAME_SERVER: &str = "
    dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --local=/#/ --listen-address=127.0.0.1 --bind-interfaces --pid-file=$PWD/dns.pid \
        --srv-host=_pop3s._tcp.example.org,old.example.org,995,20 \
        --srv-host=_pop3s._tcp.example.org,pop.example.org,995,10 \
        --srv-host=_pop3._tcp.example.org,pop.example.org,110,0 \
        --srv-host=_pop3s._tcp.elsewhere.example,pop.example.org,995 \
        --cname=alias.example.org,pop.example.org --host-record=pop.example.org,192.0.2.10 \
        --srv-host=_pop3s._tcp.none.example --srv-host=_pop3._tcp.none.example
    started+=' '$(cat dns.pid)
    echo nameserver 127.0.0.1 > resolv.conf
    mount --bind resolv.conf /etc/resolv.conf
    servers=home/.local/state/pop3/servers.json
";

#[test]
fn s57_srv_records_name_the_server_and_what_was_found_is_kept() {
    let told = beside_a_server(
        &HOSTS,
        "joe",
        &format!(
            "{NAME_SERVER}
             $POP3 doctor joe@example.org --timeout 5 --user joe
             $POP3 doctor alias.example.org --timeout 5 --port 995 || echo alias $?
             # The address is refused, and then the part before the @ is right.
             $POP3 fetch joe@Example.ORG
             cat $servers
             echo now without a name server
             kill $(cat dns.pid); started=${{started% *}}
             $POP3 fetch joe@example.org
             echo then with another host
             sed 's/^192.0.2.10 pop.example.org$/192.0.2.99 pop.example.org/' hosts > other; cat other > hosts
             $POP3 fetch joe@example.org --timeout 5 || echo code $?"
        ),
    );
    for part in [
        "found by SRV records: pop.example.org, port 995, user joe",
        "alias.example.org is another name of pop.example.org",
        "alias 4",
        "SRV records name the server pop.example.org; it has a certificate for this name",
        "with --user joe the next run needs no second login",
        "joe@pop.example.org: 1 message",
        "\"joe@example.org\": {",
        "\"user\": \"joe\"",
        "\"source\": \"srv\"",
        "code 3",
        "by SRV records and is kept in ",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // A server that is kept needs no records and no second login.
    let (_, later) = told.split_once("now without a name server").unwrap();
    let (later, _) = later.split_once("then with another host").unwrap();
    assert!(later.contains("joe@pop.example.org: nothing new"), "{told}");
}

#[test]
fn s57_no_connection_is_made_to_a_server_elsewhere_or_to_one_that_is_not_offered() {
    let told = beside_a_server(
        &HOSTS,
        "joe",
        &format!(
            "{NAME_SERVER}
             $POP3 fetch joe@elsewhere.example || echo code $?
             $POP3 fetch joe@none.example || echo code $?
             test ! -e $servers
             $POP3 fetch joe@elsewhere.example --host pop.example.org --user joe"
        ),
    );
    for part in [
        "SRV records name the server pop.example.org, which is not in elsewhere.example; such records can be forged",
        "--host pop.example.org\n",
        "none.example says in its SRV records that it has no POP3",
        "joe@pop.example.org: 1 message",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(told.lines().filter(|line| line.starts_with("code ")).collect::<Vec<_>>(), ["code 2", "code 2"], "{told}");
}

/// Starts a web server that publishes what `pop3 guide --autoconfig` has written.
pub const WEB_SERVER: &str = "
    $POP3 guide joe@example.net --host pop.example.net --user joe --smtp-host pop.example.net --autoconfig web >/dev/null
    mkdir -p web/.well-known/autoconfig && cp -r web/mail web/.well-known/autoconfig/mail
    cat > web.py <<'END'
import functools, http.server, ssl
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory='web')
server = http.server.ThreadingHTTPServer(('192.0.2.10', 443), handler)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain('cert.pem', 'key.pem')
server.socket = tls.wrap_socket(server.socket, server_side=True)
print('ready', flush=True)
server.serve_forever()
END
    exec 4< <(exec python3 web.py 2>web.log)
    web=$!
    read -r -u 4 line
    started+=' '$web
";

#[test]
fn settings_that_a_domain_publishes_name_the_server_and_the_user() {
    let told = beside_a_server(
        &HOSTS,
        "joe",
        &format!(
            "{WEB_SERVER}
             $POP3 doctor jane@example.net --timeout 5 --user joe
             $POP3 fetch joe@example.net
             cat web.log
             echo the other place
             $POP3 fetch joe@example.com || echo code $?
             echo a file
             $POP3 fetch joe@nowhere.example --autoconfig-file web/mail/config-v1.1.xml
             echo no authority
             rm -r home/.local
             unset SSL_CERT_FILE
             $POP3 fetch joe@example.net || echo code $?"
        ),
    );
    let (first, rest) = told.split_once("the other place").unwrap();
    let (second, rest) = rest.split_once("a file").unwrap();
    let (third, fourth) = rest.split_once("no authority").unwrap();
    for part in [
        "found in the settings that the domain publishes: pop.example.net, port 995, user joe",
        "joe@pop.example.net: 1 message",
        "GET /mail/config-v1.1.xml?emailaddress=joe%40example%2Enet",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!first.contains("needs no second login"), "the settings say who the user is: {told}");
    assert!(second.contains("joe@pop.example.net: 1 message"), "{told}");
    assert!(third.contains("joe@pop.example.net: 1 message"), "{told}");
    // Nothing is believed without a certificate that is trusted.
    assert!(fourth.contains("code 2"), "{told}");
    assert!(told.contains("no POP3 server is known for joe@example.net"), "{told}");
}
