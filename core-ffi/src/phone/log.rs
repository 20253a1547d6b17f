//! What is logged here, told to Kotlin: a phone has no standard error that anybody reads.

use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::errors::PlatformError;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
pub enum LogLevel {
    /// It does not work.
    Error,
    /// Somebody should look.
    Warn,
    /// What happens.
    Info,
    /// For who searches a fault.
    Debug,
}

/// Where log lines go. They hold no secret and no name of a guest.
#[uniffi::export(with_foreign)]
pub trait LogSink: Send + Sync {
    /// Takes a line; returns at once.
    fn line(&self, level: LogLevel, target: String, text: String) -> Result<(), PlatformError>;
}

static SINK: RwLock<Option<(LogLevel, Arc<dyn LogSink>)>> = RwLock::new(None);

/// From now on log lines up to a level go to this sink, and a panic of a thread does too.
#[uniffi::export]
pub fn log_to(sink: Arc<dyn LogSink>, up_to: LogLevel) {
    *SINK.write().unwrap_or_else(PoisonError::into_inner) = Some((up_to, sink));
    // A second call finds both in place.
    if tracing::subscriber::set_global_default(ToSink).is_ok() {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            tell(LogLevel::Error, "panic", panic.to_string());
            before(panic);
        }));
    }
}

fn sink() -> Option<(LogLevel, Arc<dyn LogSink>)> {
    SINK.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn tell(level: LogLevel, target: &str, text: String) {
    if let Some((up_to, sink)) = sink()
        && level <= up_to
    {
        // A log that throws must not stop a sale.
        let _not_told = sink.line(level, target.to_owned(), text);
    }
}

fn level_of(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG | Level::TRACE => LogLevel::Debug,
    }
}

struct ToSink;

/// The fields of a line as one text, the message first.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let (to, named) = if field.name() == "message" {
            (&mut self.message, false)
        } else {
            (&mut self.fields, true)
        };
        // Writing to a string cannot fail.
        let _ok = if named {
            write!(to, " {}={value:?}", field.name())
        } else {
            write!(to, "{value:?}")
        };
    }
}

impl Subscriber for ToSink {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::DEBUG && sink().is_some_and(|(up_to, _)| level_of(*metadata.level()) <= up_to)
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let metadata = event.metadata();
        tell(
            level_of(*metadata.level()),
            metadata.target(),
            line.message + &line.fields,
        );
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}
