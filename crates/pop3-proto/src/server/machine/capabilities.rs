//! The capabilities that a server announces (RFC 2449).

use bytes::{BufMut, BytesMut};

use super::Machine;
use crate::codec::{Capability, MAX_REPLY_LINE, Status, Verb, Words, cut_to};
use crate::server::config::Utf8;
use crate::server::extension::Extension;
use crate::server::phrase::Phrase;
use crate::state::State;

impl Machine {
    /// Answers `CAPA` with the capabilities that apply now, which depend on TLS and on the login.
    pub(super) fn capabilities(&self, out: &mut BytesMut) {
        self.say(Status::Ok, None, Phrase::CapabilitiesFollow, out);
        let config = self.config();
        let logged_in = self.phase.state() == State::Transaction;
        let mut put = |capability: Capability<'_>| {
            capability.encode(out);
            out.put_slice(b"\r\n");
        };
        put(Capability::Top);
        put(Capability::Uidl);
        put(Capability::RespCodes);
        put(Capability::AuthRespCode);
        put(Capability::Pipelining);
        // After login the value is the user's own, so it is announced without `USER` (S41, S42).
        put(Capability::Expire { after: config.expire.after, per_user: config.expire.per_user && !logged_in });
        if let Some(delay) = config.login_delay {
            put(Capability::LoginDelay { seconds: delay.seconds, per_user: delay.per_user && !logged_in });
        }
        // USER and SASL are announced where they work, and stay announced after login (S37).
        if self.password_allowed() {
            put(Capability::User);
        }
        match config.utf8 {
            Utf8::No => {}
            Utf8::Messages => put(Capability::Utf8 { user: false }),
            Utf8::MessagesAndLogins => put(Capability::Utf8 { user: true }),
        }
        if config.lang {
            put(Capability::Lang);
        }
        if self.is_trusted()
            && let Ok(words) = Words::new("ADDR PORT")
        {
            put(Capability::Xclient(words));
        }
        let mut mechanisms = alloc::vec::Vec::new();
        for mechanism in self.offered() {
            if !mechanisms.is_empty() {
                mechanisms.push(b' ');
            }
            mechanisms.extend_from_slice(mechanism.as_str().as_bytes());
        }
        if let Ok(words) = Words::new(&mechanisms)
            && !mechanisms.is_empty()
        {
            put(Capability::Sasl(words));
        }
        // STLS is announced only while the command is permitted (RFC 2595 §4).
        if config.stls && !self.is_utf8() && self.phase.state().permits(Verb::Stls, self.is_encrypted()) {
            put(Capability::Stls);
        }
        if let Ok(words) = Words::new(cut_to(config.implementation.as_str(), MAX_REPLY_LINE - "IMPLEMENTATION \r\n".len()))
            && !words.as_bytes().is_empty()
        {
            put(Capability::Implementation(words));
        }
        for line in config.extensions.iter().filter_map(Extension::capability) {
            out.put_slice(line.as_bytes());
            out.put_slice(b"\r\n");
        }
        out.put_slice(b".\r\n");
    }
}
