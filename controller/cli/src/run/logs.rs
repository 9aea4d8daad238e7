//! Where log lines go: stderr, as JSON for machines or as text for people.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use super::LogFormat;

/// Starts logging for the whole process.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let wanted = EnvFilter::builder().parse(filter).with_context(|| format!("--log {filter}"))?;
    let filter = wanted.and(filter_fn(may_be_shown));
    // Who reads a file or a pipe wants no colours.
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines =
        fmt::layer().with_writer(std::io::stderr).with_ansi(!is_plain && std::io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Human => lines.with_target(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    Ok(())
}

/// Below info the SDK's own crates log requests and answers, and what those hold. No filter a person writes,
/// however specific, may bring that into a log.
fn may_be_shown(line: &Metadata<'_>) -> bool {
    !line.target().starts_with("aws_") || *line.level() <= Level::INFO
}
