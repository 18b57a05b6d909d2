//! The terminal: its width, its colors, and log lines above a progress bar.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;

use indicatif::{MultiProgress, ProgressBar};
use textwrap::{Options, WordSplitter};

use crate::failure::{Exit, Failure};
use crate::language::Message;

/// Prints a line on standard error. Ignores an error, because the run goes on without readers; `eprintln` would panic.
macro_rules! tell {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

/// Prints text on standard error, without a line end.
macro_rules! ask {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stderr(), $($text)*);
    }};
}

pub(crate) use {ask, tell};

/// The width of output that goes to no terminal.
const USUAL: usize = 80;
/// Less is not readable.
const LEAST: usize = 40;

/// Returns the number of columns of standard output: what `COLUMNS` says, or the terminal's.
pub fn width() -> usize {
    let given = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    given.or_else(measured).unwrap_or(USUAL).max(LEAST)
}

/// Returns `true` if a stream may have colors: on a terminal without `NO_COLOR`, or with `CLICOLOR_FORCE`.
pub fn has_color(stream: &impl IsTerminal) -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return false;
    }
    is_set("CLICOLOR_FORCE") || (stream.is_terminal() && env::var_os("CLICOLOR").is_none_or(|value| value != "0"))
}

/// Wraps a paragraph at spaces alone, so that addresses stay whole. `first` and `rest` begin the first line and each other one.
pub fn wrap(text: &str, width: usize, first: &str, rest: &str) -> String {
    let options = Options::new(width).word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options.initial_indent(first).subsequent_indent(rest))
}

/// Asks a question on standard error, and reads the answer from standard input. An empty line is the default; an end of input is a no.
///
/// # Errors
/// The answer cannot be read.
pub fn agrees(question: &Message, default: bool) -> Result<bool, Failure> {
    ask!("{question} ");
    let mut answer = String::new();
    let count = io::stdin().read_line(&mut answer).map_err(|error| Failure::new(Exit::Other, error))?;
    let (answer, yes) = (answer.trim(), Message::new("read-yes").to_string());
    let is_default = count > 0 && answer.is_empty();
    Ok((is_default && default) || yes.split(' ').any(|yes| yes.eq_ignore_ascii_case(answer)))
}

/// The bars that are on the terminal.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Adds a bar. It is visible only on a terminal.
pub fn add(bar: ProgressBar) -> ProgressBar {
    BARS.add(bar)
}

/// Runs a function that prints, so that the bars are drawn below what it prints and are not torn.
pub fn above_bars<T>(print: impl FnOnce() -> T) -> T {
    BARS.suspend(print)
}

/// Standard error, above the bars if there are any.
#[derive(Clone, Copy, Debug)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        above_bars(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
