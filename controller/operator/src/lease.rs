//! Who may decide and write: the holder of one Lease. Ends a term at once when it cannot be renewed in time.
//!
//! A lease does not fence: a paused holder may still have a request on its way. What is written under it must
//! therefore be harmless when written twice (projections are), or compare-and-swap (memory is).
//!
//! Our own hundred lines, since the library for this kube version takes over by a patch without a resource version
//! (two replicas may both believe they won) and judges expiry by comparing the clocks of two machines. Here every
//! change is compare-and-swap, and expiry is judged by how long *we* have seen the lease unchanged.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::calls::{CallError, bounded};
use crate::settings::{LeaseTiming, Settings};

/// Where this replica stands.
#[derive(Clone, Debug)]
pub enum Standing {
    /// Somebody else holds the lease, or nobody yet.
    Standby {
        /// Who holds it, as far as we have seen.
        holder: Option<String>,
    },
    /// We hold it.
    Leader(Term),
}

impl Standing {
    /// Do we hold the lease?
    #[must_use]
    pub fn is_leader(&self) -> bool {
        matches!(self, Self::Leader(term) if term.is_live())
    }
}

/// One unbroken time of holding the lease.
#[derive(Clone, Debug)]
pub struct Term {
    /// Cancelled the moment we may no longer write.
    ended: CancellationToken,
    /// The latest time until which the last renewal holds.
    valid_until: watch::Receiver<Instant>,
    /// How often the lease has changed hands: what a later write can name as its epoch.
    pub epoch: i32,
    /// How long nobody had renewed the lease when we took it; `None` when that is not known. By the clocks of two
    /// machines: good for hours, not for seconds.
    pub vacancy: Option<Duration>,
}

impl Term {
    /// May we still write? Also answers rightly in a process that was paused and has not yet run its timers.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.ended.is_cancelled() && Instant::now() < *self.valid_until.borrow()
    }

    /// Returns when the term has ended.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

/// One replica's part in the competition.
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
    timing: LeaseTiming,
}

/// The lease as last seen, and since when it has been so on our own clock.
struct Observed {
    lease: Lease,
    since: Instant,
}

/// The lease in our hand.
struct Taken {
    lease: Lease,
    /// When we had asked for it.
    asked: Instant,
    vacancy: Option<Duration>,
}

impl Candidate {
    /// A candidate for the lease that the settings name.
    #[must_use]
    pub fn new(client: Client, settings: &Settings) -> Self {
        Self {
            api: Api::namespaced(client, &settings.namespace),
            name: settings.lease_name.clone(),
            identity: settings.identity.clone(),
            timing: settings.lease,
        }
    }

    /// Competes until `release` is cancelled; then gives the lease back, so that nobody has to wait for its end.
    pub async fn compete(self, standing: watch::Sender<Standing>, release: CancellationToken) {
        let mut observed: Option<Observed> = None;
        while !release.is_cancelled() {
            match self.try_acquire(&mut observed).await {
                Ok(Some(taken)) => {
                    let kept = self.lead(taken, &standing, &release).await;
                    standing.send_replace(Standing::Standby { holder: None });
                    if let (true, Some(lease)) = (release.is_cancelled(), kept) {
                        self.give_back(lease).await;
                    }
                    observed = None;
                }
                Ok(None) => {
                    let holder = observed.as_ref().and_then(|seen| holder_of(&seen.lease).map(str::to_owned));
                    standing.send_if_modified(|now| tell_standby(now, holder));
                }
                Err(error) => {
                    tracing::warn!(lease = %self.name, %error, "cannot read or take the lease");
                }
            }
            tokio::select! {
                () = release.cancelled() => {}
                () = sleep(jittered(self.timing.retry)) => {}
            }
        }
    }

    /// Takes the lease if it is free, ours, or unchanged for its whole duration.
    async fn try_acquire(&self, observed: &mut Option<Observed>) -> Result<Option<Taken>, CallError> {
        let asked = Instant::now();
        let Some(found) = bounded(self.api.get_opt(&self.name)).await? else {
            return self.create(asked).await;
        };
        let unchanged_since = match observed {
            Some(seen) if seen.lease.spec == found.spec => seen.since,
            _ => Instant::now(),
        };
        *observed = Some(Observed { lease: found.clone(), since: unchanged_since });
        let expired = unchanged_since.elapsed() >= duration_of(&found).unwrap_or(self.timing.duration);
        match holder_of(&found) {
            Some(holder) if holder != self.identity && !expired => Ok(None),
            _ => match bounded(self.api.replace(&self.name, &PostParams::default(), &self.taken(&found)))
                .await
            {
                Ok(lease) => Ok(Some(Taken { lease, asked, vacancy: vacancy(&found) })),
                Err(error) if error.is_conflict() => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    async fn create(&self, asked: Instant) -> Result<Option<Taken>, CallError> {
        let lease = Lease {
            metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            spec: None,
        };
        match bounded(self.api.create(&PostParams::default(), &self.taken(&lease))).await {
            Ok(lease) => Ok(Some(Taken { lease, asked, vacancy: None })),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Renews until the term ends. Returns the lease if it was still ours then.
    async fn lead(
        &self,
        taken: Taken,
        standing: &watch::Sender<Standing>,
        release: &CancellationToken,
    ) -> Option<Lease> {
        let Taken { mut lease, asked: mut renewed, vacancy } = taken;
        let (valid, valid_until) = watch::channel(renewed + self.timing.renew_within);
        let epoch = lease.spec.as_ref().and_then(|spec| spec.lease_transitions).unwrap_or(0);
        let term = Term { ended: CancellationToken::new(), valid_until, epoch, vacancy };
        // Whichever way this function is left, the term has ended.
        let _end = term.ended.clone().drop_guard();
        tracing::info!(lease = %self.name, identity = %self.identity, epoch, "lease taken: this replica decides and writes");
        standing.send_replace(Standing::Leader(term));
        loop {
            let deadline = renewed + self.timing.renew_within;
            tokio::select! {
                () = release.cancelled() => return Some(lease),
                () = sleep_until(deadline) => {
                    tracing::error!(lease = %self.name, "lease lost: not renewed in time; nothing more is written");
                    return None;
                }
                () = sleep(self.timing.retry) => {}
            }
            let asked = Instant::now();
            // Never all that is left to one try, so that one lost answer does not cost the lease.
            let patience = deadline.min(asked + self.timing.renew_within / 2);
            match timeout_at(patience, self.renew(&lease)).await {
                Ok(Ok(Some(newer))) => {
                    (lease, renewed) = (newer, asked);
                    valid.send_replace(renewed + self.timing.renew_within);
                }
                Ok(Ok(None)) => {
                    tracing::error!(lease = %self.name, "lease lost: somebody else holds it; nothing more is written");
                    return None;
                }
                Ok(Err(error)) => {
                    tracing::warn!(lease = %self.name, %error, "cannot renew the lease; trying again");
                }
                Err(_) => {
                    tracing::warn!(lease = %self.name, "no answer to a renewal of the lease; trying again");
                }
            }
        }
    }

    /// Renews; `None` when it is no longer ours.
    async fn renew(&self, lease: &Lease) -> Result<Option<Lease>, CallError> {
        match bounded(self.api.replace(&self.name, &PostParams::default(), &self.taken(lease))).await {
            Ok(lease) => Ok(Some(lease)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) if error.is_conflict() => {
                // A label put on it by a person is a conflict too: only another holder is a loss.
                let found = bounded(self.api.get(&self.name)).await?;
                if holder_of(&found) != Some(self.identity.as_str()) {
                    return Ok(None);
                }
                Ok(Some(
                    bounded(self.api.replace(&self.name, &PostParams::default(), &self.taken(&found)))
                        .await?,
                ))
            }
            Err(error) => Err(error),
        }
    }

    async fn give_back(&self, lease: Lease) {
        match self.try_give_back(lease).await {
            Ok(true) => tracing::info!(lease = %self.name, "lease given back"),
            Ok(false) => tracing::info!(lease = %self.name, "lease already held by somebody else"),
            Err(error) => {
                tracing::warn!(lease = %self.name, %error, "cannot give the lease back; it will run out");
            }
        }
    }

    /// Whether it was still ours to give back.
    async fn try_give_back(&self, lease: Lease) -> Result<bool, CallError> {
        match bounded(self.api.replace(&self.name, &PostParams::default(), &vacant(lease))).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) if error.is_conflict() => {
                // Somebody's label, or a renewal of ours whose answer was lost.
                let found = bounded(self.api.get(&self.name)).await?;
                if holder_of(&found) != Some(self.identity.as_str()) {
                    return Ok(false);
                }
                bounded(self.api.replace(&self.name, &PostParams::default(), &vacant(found))).await?;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// The lease as we would hold it.
    fn taken(&self, found: &Lease) -> Lease {
        let before = found.spec.clone().unwrap_or_default();
        let ours = before.holder_identity.as_deref() == Some(self.identity.as_str());
        // Machine time: it is for other processes on real clocks, no decision reads it.
        let now = MicroTime(Timestamp::now());
        let seconds = i32::try_from(self.timing.duration.as_secs().max(1)).unwrap_or(i32::MAX);
        Lease {
            metadata: found.metadata.clone(),
            spec: Some(LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: Some(seconds),
                acquire_time: if ours { before.acquire_time } else { Some(now.clone()) },
                renew_time: Some(now),
                lease_transitions: Some(before.lease_transitions.unwrap_or(0) + i32::from(!ours)),
                ..LeaseSpec::default()
            }),
        }
    }
}

fn holder_of(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}

/// The lease with nobody in it, for the next to take at once.
fn vacant(mut lease: Lease) -> Lease {
    let spec = lease.spec.get_or_insert_default();
    spec.holder_identity = None;
    spec.lease_duration_seconds = Some(1);
    lease
}

/// How long ago it was last renewed.
fn vacancy(lease: &Lease) -> Option<Duration> {
    let renewed = lease.spec.as_ref()?.renew_time.as_ref()?.0;
    Timestamp::now().duration_since(renewed).try_into().ok()
}

fn duration_of(lease: &Lease) -> Option<Duration> {
    let seconds = lease.spec.as_ref()?.lease_duration_seconds?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

fn tell_standby(standing: &mut Standing, holder: Option<String>) -> bool {
    if matches!(standing, Standing::Standby { holder: told } if *told == holder) {
        return false;
    }
    *standing = Standing::Standby { holder };
    true
}

/// Up to a fifth more, so that two replicas do not ask in step.
pub(crate) fn jittered(span: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    // The hash seed of the standard library is random enough to spread calls.
    let share = RandomState::new().hash_one(0_u8) % 1_000;
    span + span.mul_f64(f64::from(u32::try_from(share).unwrap_or(0)) / 5_000.0)
}
