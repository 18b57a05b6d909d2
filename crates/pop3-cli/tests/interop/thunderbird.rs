//! A real Thunderbird sets itself up from what `pop3 guide --autoconfig` writes, and fetches from our server.

use std::path::Path;

use crate::discovery::{HOSTS, WEB_SERVER};
use crate::standin::beside_a_server;

#[test]
fn thunderbird_sets_itself_up_from_our_autoconfig_and_its_state_is_taken_over() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/thunderbird.py");
    let told = beside_a_server(
        &HOSTS,
        "joe",
        &format!(
            "{WEB_SERVER}
             exec 6< <(exec Xvfb -displayfd 1 -screen 0 1200x800x24 2>xvfb.log)
             started+=' '$!
             read -r -u 6 display
             DISPLAY=:$display python3 {script} joe@example.net secret ca.pem $PWD/profile
             $POP3 state import thunderbird profile/Mail/pop.example.net/popstate.dat pop.example.net Maildir --user joe
             $POP3 fetch pop.example.net --user joe Maildir",
            script = script.display()
        ),
    );
    for part in [
        "found: pop3 pop.example.net 995 3 joe xml\n",
        "fetched: hello\n",
        "1 message taken over for joe@pop.example.net",
        "joe@pop.example.net: nothing new",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
