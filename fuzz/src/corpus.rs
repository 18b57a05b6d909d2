//! The corpus of interesting inputs: one file for each target, one input per line, with unusual bytes as `\xNN`.

use std::fs;
use std::path::Path;

/// Returns the inputs of a target.
///
/// # Panics
/// Panics if the file does not exist or a line cannot be parsed.
pub fn load(target: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(format!("{target}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| unescape(line).unwrap_or_else(|| panic!("{}: {line}", path.display()))).collect()
}

fn unescape(line: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = line.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'r' => b'\r',
                b'n' => b'\n',
                b't' => b'\t',
                b'\\' => b'\\',
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
                }
                _ => return None,
            },
            byte => byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TARGETS;

    /// Runs each body with the inputs of its corpus, and with prefixes of each input.
    #[test]
    fn bodies_hold_over_the_corpus() {
        for (name, body) in TARGETS {
            let inputs = load(name);
            assert!(inputs.len() >= 3, "{name} has hardly any");
            for input in inputs {
                body(&input);
                for cut in (0..input.len().min(64)).step_by(7) {
                    body(&input[..cut]);
                }
            }
        }
    }

    /// Checks that each target has a row in `TARGETS`, a file, a binary, a corpus and a row in the README.
    #[test]
    fn every_target_is_everywhere() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        for (name, _) in TARGETS {
            let file = fs::read_to_string(folder.join("fuzz_targets").join(format!("{name}.rs"))).unwrap();
            assert!(file.contains(&format!("run(\"{name}\"")));
            assert!(manifest.contains(&format!("name = \"{name}\"")) && readme.contains(&format!("| `{name}` |")), "{name}");
        }
        assert_eq!(fs::read_dir(folder.join("fuzz_targets")).unwrap().count(), TARGETS.len());
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    }
}
