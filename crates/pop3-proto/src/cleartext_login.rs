//! Whether logins may cross the wire in the clear.

/// Whether a login may be done without TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CleartextLogin {
    /// A client sends no user name, password or digest before TLS. A server refuses `USER`, `APOP` and `AUTH` before TLS, whatever the
    /// name, and does not announce them.
    // H07, H08, S48
    #[default]
    Refuse,
    /// Logins in the clear are allowed: everyone on the network path can read the password and the mail.
    DangerouslyAllow,
}
