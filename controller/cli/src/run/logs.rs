//! Where log lines go: stderr, as JSON for machines or as text for people.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use super::LogFormat;

/// Starts logging for the whole process. Whatever the filter asks for, the SDK's own crates stay at info: below that
/// they log requests and answers.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let mut filter = EnvFilter::builder().parse(filter).with_context(|| format!("--log {filter}"))?;
    for directive in rollcall_aws::QUIET {
        filter = filter.add_directive(directive.parse().with_context(|| format!("log directive {directive}"))?);
    }
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).init(),
        LogFormat::Human => lines.with_target(false).init(),
    }
    Ok(())
}
