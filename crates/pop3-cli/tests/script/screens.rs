//! What the program prints, compared with what the folder `tests/screens` says it prints.

use std::env;
use std::fs;
use std::path::Path;

/// Compares a screen with the file of this name. With `POP3_WRITE_SCREENS` set, the file is written instead; read it before you commit it.
pub fn compare(name: &str, screen: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(name);
    if env::var_os("POP3_WRITE_SCREENS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, screen).unwrap();
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    let differs = expected.lines().zip(screen.lines()).position(|(expected, line)| expected != line);
    if let Some(at) = differs {
        let line = |text: &str| text.lines().nth(at).unwrap_or_default().to_owned();
        panic!("{name}, line {}:\n expected: {}\n     is: {}\nAll of it:\n{screen}", at + 1, line(&expected), line(screen));
    }
    assert_eq!(expected.lines().count(), screen.lines().count(), "{name}: more or fewer lines:\n{screen}");
}
