//! Writes to the API server while nothing happens, counted by the API server itself.
//!
//! It must never extrapolate: what is printed was counted.

use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use rollcall_bench::figure::{exactly, note};
use rollcall_harness::world::World;

/// How long is looked. The pollers read every second meanwhile: sixty rounds of everything.
const WINDOW: Duration = Duration::from_mins(1);
/// A request's line may be written a moment after its answer.
const WRITTEN_BY: Duration = Duration::from_secs(2);

/// Prints the figures.
///
/// # Errors
/// When the statuses never come to rest, or the audit log cannot be read.
pub async fn measure(world: &World) -> Result<()> {
    world.settled().await?;
    let from = Timestamp::now();
    tokio::time::sleep(WINDOW).await;
    let to = Timestamp::now();
    tokio::time::sleep(WRITTEN_BY).await;
    let plane = world.cluster.plane().context("expected a control plane of our own")?;
    let user = world.operator_user();
    let events = plane.audit_events()?;
    let writes = events.iter().filter(|e| e.user == user && e.is_write() && (from..to).contains(&e.received));
    let (lease, others): (Vec<_>, Vec<_>) = writes.partition(|event| event.resource == "leases");
    note("writes to the lease in 60 s", lease.len());
    exactly("other writes by the operator in 60 s, all sources read each second", others.len(), 0);
    for event in others.iter().take(10) {
        note(
            &format!("  {} {} {}", event.verb, event.resource, event.subresource.as_deref().unwrap_or("")),
            event.name.as_deref().unwrap_or("-"),
        );
    }
    Ok(())
}
