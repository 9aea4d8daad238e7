//! `GET /tsdb/latest`: when each host was last heard.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::ids::RegistrationId;
use rollcall_engine::limits::CHECK_PROOF_MAX_AGE;
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, Reading};
use serde_json::Value;

/// The metrics that tell a living host. `loadavg5` is posted by agents on Linux, `cpu.user.percentage` by agents on every
/// system (Windows has no load average), the other two by the AWS integration for hosts without an agent; its metrics
/// are documented as `ec2.*` and `rds.*` and stored under `custom.`. Others than these are not looked at: a plugin's
/// metric may be posted for a host by somebody else.
pub const METRICS: [&str; 4] =
    ["loadavg5", "cpu.user.percentage", "custom.ec2.cpu.used", "custom.rds.cpu.used"];

/// Hosts of one request; what mkr sends, for the length of the URL.
pub const HOSTS_PER_CALL: usize = 100;

/// For so long an answer without any metric is not believed of hosts that had some; as long as a proof of checks stands.
const DISBELIEF: SignedDuration = CHECK_PROOF_MAX_AGE;

/// Newest metric times by host.
pub(super) type Latest = BTreeMap<RegistrationId, Timestamp>;

/// What one call said about the hosts it asked for.
pub(super) struct Part {
    pub(super) asked: Vec<RegistrationId>,
    pub(super) told: Result<Latest, Failure>,
}

/// The newest time of each host in an answer; a host or metric without one is absent or null.
///
/// # Errors
/// `Malformed` when a time that is there cannot be read: it might be the newest.
pub(super) fn parse(body: &[u8]) -> Result<Latest, Failure> {
    let malformed = |what: &str| Failure::new(FailureKind::Malformed, format!("latest metrics: {what}"));
    let document: Value =
        serde_json::from_slice(body).map_err(|_| malformed("expected JSON, found something else"))?;
    let hosts = document.get("tsdbLatest").and_then(Value::as_object);
    let mut latest = Latest::new();
    for (host, metrics) in hosts.ok_or_else(|| malformed("expected an object under `tsdbLatest`"))? {
        let metrics = match metrics {
            Value::Null => continue,
            Value::Object(metrics) => metrics,
            _ => return Err(malformed("expected metrics by name")),
        };
        for point in metrics.values().filter(|point| !point.is_null()) {
            let time = point.get("time").and_then(Value::as_i64).and_then(|s| Timestamp::from_second(s).ok());
            let time = time.ok_or_else(|| malformed("expected `time` in seconds"))?;
            let newest = latest.entry(RegistrationId::new(host)).or_insert(time);
            *newest = time.max(*newest);
        }
    }
    Ok(latest)
}

/// Joins the parts with what was known before, which stays true: a newest metric cannot become older.
///
/// A whole part without any metric contradicts what its hosts had a moment ago; as an answer that lost its content looks
/// just so, it is no proof of silence until what it contradicts is [`DISBELIEF`] old.
pub(super) fn join(parts: Vec<Part>, known: &Latest, source: String, at: Timestamp) -> Reading<Latest> {
    let mut seen = Latest::new();
    let (mut missing, mut failure, mut hosts) = (0, None, 0);
    for Part { asked, told } in parts {
        hosts += asked.len();
        let held: Latest = asked.iter().filter_map(|id| Some((id.clone(), *known.get(id)?))).collect();
        let told =
            told.and_then(|told| if contradicts(&told, &held, at) { Err(emptied(&held)) } else { Ok(told) });
        match told {
            Ok(told) => {
                for id in asked {
                    let newest = told.get(&id).max(held.get(&id)).copied();
                    seen.extend(newest.map(|time| (id, time)));
                }
            }
            Err(why) => {
                missing += asked.len();
                failure.get_or_insert(why);
                seen.extend(held);
            }
        }
    }
    let gap = |why| Gap { what: format!("{missing} of {hosts} hosts"), why };
    let extent = match failure {
        None => Extent::Complete { at },
        Some(why) if missing == hosts => return Reading::failed(source, at, why),
        Some(why) => Extent::Partial { at, missing: vec![gap(why)] },
    };
    Reading { source, extent, seen, request_ids: vec![] }
}

fn contradicts(told: &Latest, held: &Latest, now: Timestamp) -> bool {
    told.is_empty() && held.values().any(|time| now.duration_since(*time) < DISBELIEF)
}

fn emptied(held: &Latest) -> Failure {
    let message = format!("an answer without any metric, of hosts of which {} had one before", held.len());
    Failure::new(FailureKind::Malformed, message)
}

#[cfg(test)]
mod tests;
