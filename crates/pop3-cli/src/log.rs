//! What is logged to standard error, and in which form.

use std::io;
use std::sync::OnceLock;

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{ChronoLocal, FormatTime};
use tracing_subscriber::fmt::{self, FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, reload};

use crate::arguments::{LogFormat, LogLevel};
use crate::terminal;

/// The crates of this project. Other libraries are logged from `-vv` on.
const OWN: [&str; 6] = ["pop3_blocking", "pop3_cli", "pop3_driver", "pop3_fetch", "pop3_maildrop", "pop3_tokio"];

/// Begins the log of a program for people. `verbosity` is the number of `-v`. `POP3_LOG` comes before it.
pub fn begin(verbosity: u8) {
    let given = EnvFilter::try_from_env("POP3_LOG").ok();
    let is_for_people = given.is_none() && verbosity < 2;
    let filter = given.unwrap_or_else(|| match verbosity {
        0 => EnvFilter::new("warn"),
        verbosity => verbose(verbosity),
    });
    let log = fmt::layer().with_writer(|| terminal::Log).with_ansi(terminal::has_color(&io::stderr()));
    let lines: Box<dyn Layer<_> + Send + Sync> = match is_for_people {
        true => Box::new(log.event_format(Lines { has_time: verbosity > 0 })),
        false => Box::new(log.with_target(verbosity > 1)),
    };
    tracing_subscriber::registry().with(filter).with(filter_fn(is_shown)).with(lines).init();
}

/// Changes the level of a server's log.
static LEVEL: OnceLock<Box<dyn Fn(LogLevel) + Send + Sync>> = OnceLock::new();

/// Begins the log of a server. `POP3_LOG` comes before `-v`, and that before the level of the settings.
pub fn begin_server(verbosity: u8, level: LogLevel, format: LogFormat) {
    let given = EnvFilter::try_from_env("POP3_LOG").ok().or_else(|| (verbosity > 0).then(|| verbose(verbosity)));
    let is_given = given.is_some();
    let (filter, handle) = reload::Layer::new(given.unwrap_or_else(|| of_level(level)));
    let log = fmt::layer().with_writer(|| terminal::Log).with_ansi(terminal::has_color(&io::stderr())).with_target(verbosity > 1);
    let lines: Box<dyn Layer<_> + Send + Sync> = match format {
        LogFormat::Text => Box::new(log),
        LogFormat::Json => Box::new(log.json().flatten_event(true)),
    };
    tracing_subscriber::registry().with(filter).with(filter_fn(is_shown)).with(lines).init();
    let change = move |level| {
        // The layer lives as long as the process, so it can be reloaded.
        if !is_given {
            let _ = handle.reload(of_level(level));
        }
    };
    // The log begins once.
    let _ = LEVEL.set(Box::new(change));
}

/// Changes the level of a server's log, unless `POP3_LOG` or `-v` has set it.
pub fn set_level(level: LogLevel) {
    if let Some(change) = LEVEL.get() {
        change(level);
    }
}

fn of_level(level: LogLevel) -> EnvFilter {
    EnvFilter::new(match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    })
}

/// Returns the filter for one or more `-v`.
fn verbose(verbosity: u8) -> EnvFilter {
    let (others, level) = if verbosity == 1 { ("warn", "debug") } else { ("debug", "trace") };
    let own = OWN.map(|name| format!(",{name}={level}")).concat();
    EnvFilter::new(format!("{others}{own}"))
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
