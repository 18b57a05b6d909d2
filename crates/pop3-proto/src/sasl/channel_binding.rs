//! Channel bindings, which tie a login to its TLS connection.

use alloc::vec::Vec;

/// The channel bindings of a TLS connection (RFC 9266, RFC 5929). A login that is bound to them cannot be relayed over another
/// connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelBinding {
    /// `tls-exporter`: 32 octets from the exporter with the label `EXPORTER-Channel-Binding` and an empty context.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point`: a hash of the server's certificate.
    pub server_end_point: Option<Vec<u8>>,
}

impl ChannelBinding {
    /// Returns `true` if at least one binding is present.
    pub const fn is_available(&self) -> bool {
        self.exporter.is_some() || self.server_end_point.is_some()
    }

    /// Returns the data of the binding with this name.
    #[cfg(feature = "scram")]
    pub(super) fn data(&self, name: &[u8]) -> Option<&[u8]> {
        match name {
            b"tls-exporter" => self.exporter.as_ref().map(<[u8; 32]>::as_slice),
            b"tls-server-end-point" => self.server_end_point.as_deref(),
            _ => None,
        }
    }
}
