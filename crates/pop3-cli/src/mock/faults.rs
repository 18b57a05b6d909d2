//! The file of faults.

use std::time::Duration;

use pop3_blocking::proto::sasl::Mechanism;
use pop3_test::{Builder, Fault, TlsFault};
use serde::Deserialize;

/// What a mock server does differently from a good one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The lines of the reply to `CAPA`, true or not.
    capabilities: Option<Vec<String>>,
    #[serde(default)]
    mechanisms: Vec<String>,
    certificate: Option<CertificateFault>,
    #[serde(default, rename = "fault")]
    faults: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CertificateFault {
    Expired,
    NotYetValid,
    WrongName,
}

/// One fault: the command, and exactly one thing that goes wrong.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    on: String,
    nth: Option<usize>,
    refuse: Option<String>,
    reply: Option<String>,
    cut_after: Option<usize>,
    stall_after: Option<usize>,
    /// Milliseconds between two octets.
    drip: Option<u64>,
    #[serde(default)]
    close: bool,
}

impl Entry {
    fn fault(&self) -> Result<Fault, String> {
        let trigger = Fault::on(&self.on);
        let trigger = if let Some(nth) = self.nth { trigger.nth(nth) } else { trigger };
        let mut faults = Vec::new();
        faults.extend(self.refuse.as_ref().map(|text| trigger.clone().refuse(text)));
        faults.extend(self.reply.as_ref().map(|text| trigger.clone().reply(text.as_bytes())));
        faults.extend(self.cut_after.map(|octets| trigger.clone().cut_after(octets)));
        faults.extend(self.stall_after.map(|octets| trigger.clone().stall_after(octets)));
        faults.extend(self.drip.map(|pause| trigger.clone().drip(Duration::from_millis(pause))));
        faults.extend(self.close.then(|| trigger.close()));
        match (faults.pop(), faults.is_empty()) {
            (Some(fault), true) => Ok(fault),
            _ => Err(format!(
                "the fault on {} needs exactly one of refuse, reply, cut_after, stall_after, drip and close",
                self.on
            )),
        }
    }
}

impl Script {
    /// Parses a file and checks all of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let script: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        script.faults.iter().try_for_each(|entry| entry.fault().map(drop))?;
        script.mechanisms()?;
        Ok(script)
    }

    fn mechanisms(&self) -> Result<Vec<Mechanism>, String> {
        let known = |name: &String| {
            Mechanism::from_name(name.as_bytes()).ok_or_else(|| format!("{name} is no mechanism of this program"))
        };
        self.mechanisms.iter().map(known).collect()
    }

    /// Gives a server the faults.
    pub fn apply(self, mut builder: Builder) -> Builder {
        builder = builder.mechanisms(self.mechanisms().unwrap_or_default());
        if let Some(lines) = self.capabilities {
            builder = builder.capabilities(lines);
        }
        if let Some(fault) = self.certificate {
            builder = builder.tls_fault(match fault {
                CertificateFault::Expired => TlsFault::Expired,
                CertificateFault::NotYetValid => TlsFault::NotYetValid,
                CertificateFault::WrongName => TlsFault::WrongName,
            });
        }
        self.faults.iter().filter_map(|entry| entry.fault().ok()).fold(builder, Builder::fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_faults_is_checked_completely() {
        let good = "capabilities = ['TOP']\ncertificate = 'wrong-name'\nmechanisms = ['PLAIN']\n\
                    [[fault]]\non = 'RETR'\nnth = 2\ncut_after = 100\n[[fault]]\non = 'greeting'\ndrip = 5\n";
        assert_eq!(Script::parse(good).unwrap().faults.len(), 2);
        for (bad, expected) in [
            ("[[fault]]\non = 'RETR'\n", "needs exactly one of"),
            ("[[fault]]\non = 'RETR'\nclose = true\nrefuse = 'x'\n", "needs exactly one of"),
            ("[[fault]]\non = 'RETR'\ncut = 1\n", "unknown field `cut`"),
            ("[[fault]]\nclose = true\n", "missing field `on`"),
            ("mechanisms = ['NOPE']\n", "NOPE is no mechanism"),
            ("certificate = 'old'\n", "unknown variant `old`"),
            ("[[faults]]\n", "unknown field `faults`"),
        ] {
            let error = Script::parse(bad).unwrap_err();
            assert!(error.contains(expected), "{bad}: {error}");
        }
    }
}
