//! What a process has used, as the kernel counts it (Linux, `/proc`).
//!
//! It must never guess: a process that is gone or a field that is missing is an error.

use std::time::Duration;

use anyhow::{Context, Result};

/// Clock ticks per second of `/proc/PID/stat`: a constant of Linux's interface on all its common platforms.
const TICKS_PER_SECOND: u32 = 100;

/// Memory and processor time of a process.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Processor time in user and kernel mode since its begin, all threads.
    pub cpu: Duration,
    /// Memory now (RSS), MiB.
    pub resident: f64,
    /// The part of [`Self::resident`] that is mapped files: code above all, which the kernel can drop and share.
    pub files: f64,
    /// The most memory it ever had (RSS), MiB.
    pub peak: f64,
}

impl Usage {
    /// Of the process of this id.
    ///
    /// # Errors
    /// When it is gone, or the kernel tells it otherwise than expected.
    pub fn of(id: u32) -> Result<Self> {
        let read = |file: &str| {
            let path = format!("/proc/{id}/{file}");
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
        };
        let status = read("status")?;
        Ok(Self {
            cpu: cpu(&read("stat")?)?,
            resident: mib(&status, "VmRSS:")?,
            files: mib(&status, "RssFile:")?,
            peak: mib(&status, "VmHWM:")?,
        })
    }
}

/// Processor time of the calling thread so far: what a figure is made of that must not depend on the neighbours.
///
/// # Errors
/// When the kernel does not tell it (`/proc/thread-self/schedstat`, Linux 3.17 with scheduler statistics).
pub fn own_time() -> Result<Duration> {
    let path = "/proc/thread-self/schedstat";
    let told = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let nanoseconds =
        told.split_whitespace().next().with_context(|| format!("{path}: expected three numbers"))?;
    Ok(Duration::from_nanos(nanoseconds.parse().with_context(|| format!("{path}: {nanoseconds}"))?))
}

/// Fields 14 and 15, `utime` and `stime`; the name in field 2 may hold blanks, so we count from its closing bracket.
fn cpu(stat: &str) -> Result<Duration> {
    let (_, fields) = stat.rsplit_once(')').context("stat: expected the name in brackets")?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    let mut next = || ticks.next().context("stat: expected utime and stime")?.context("stat: expected ticks");
    Ok(Duration::from_secs((next()? + next()?).into()) / TICKS_PER_SECOND)
}

fn mib(status: &str, field: &str) -> Result<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .with_context(|| format!("status: no {field}"))?;
    Ok(kib.parse::<f64>().with_context(|| format!("status: {field} {kib}"))? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 1 0 5 0 0";
        assert_eq!(cpu(stat).unwrap(), Duration::from_secs(3));
    }

    #[test]
    fn we_have_used_memory_ourselves() {
        let own = Usage::of(std::process::id()).unwrap();
        assert!(own.resident > 0.0 && own.peak >= own.resident, "{own:?}");
    }
}
