//! What is logged to standard error, and in which form.

use std::io;

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{ChronoLocal, FormatTime};
use tracing_subscriber::fmt::{self, FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::terminal;

/// The crates of this project. Other libraries are logged from `-vv` on.
const OWN: [&str; 6] = ["pop3_blocking", "pop3_cli", "pop3_driver", "pop3_fetch", "pop3_maildrop", "pop3_tokio"];

/// Begins the log. `verbosity` is the number of `-v`. A server logs logins and failed logins by default. `POP3_LOG` comes before both.
pub fn begin(verbosity: u8, is_server: bool) {
    let given = EnvFilter::try_from_env("POP3_LOG").ok();
    let own = |others: &str, level: &str| {
        let own = OWN.map(|name| format!(",{name}={level}")).concat();
        EnvFilter::new(format!("{others}{own}"))
    };
    let is_for_people = given.is_none() && !is_server && verbosity < 2;
    let filter = given.unwrap_or_else(|| match (verbosity, is_server) {
        (0, false) => EnvFilter::new("warn"),
        (0, true) => EnvFilter::new("info"),
        (1, _) => own("warn", "debug"),
        _ => own("debug", "trace"),
    });
    let log = fmt::layer().with_writer(|| terminal::Log).with_ansi(terminal::has_color(&io::stderr()));
    let lines: Box<dyn Layer<_> + Send + Sync> = match is_for_people {
        true => Box::new(log.event_format(Lines { has_time: verbosity > 0 })),
        false => Box::new(log.with_target(verbosity > 1)),
    };
    tracing_subscriber::registry().with(filter).with(filter_fn(is_shown)).with(lines).init();
}

/// The driver does not know a secret that a server repeats, so its dialogue is left out. This program's own is without it.
// H56
fn is_shown(event: &Metadata<'_>) -> bool {
    *event.level() != Level::TRACE || !event.target().starts_with("pop3_driver")
}

/// Lines for people: the local time if it matters, and what happened.
struct Lines {
    has_time: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> std::fmt::Result {
        match self.has_time {
            true => ChronoLocal::new("%H:%M:%S ".to_owned()).format_time(&mut line)?,
            false => line.write_str("pop3: ")?,
        }
        match *event.metadata().level() {
            Level::ERROR => line.write_str("error: ")?,
            Level::WARN => line.write_str("warning: ")?,
            _ => {}
        }
        context.field_format().format_fields(line.by_ref(), event)?;
        writeln!(line)
    }
}
