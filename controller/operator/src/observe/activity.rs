//! What hosts did, place by place: asked once a day, only of whom rules look at, and only by the leader, for each metric costs
//! money. What failed is asked again after a while; what was read is not.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::activity::{Activity, Wanted, Window};
use rollcall_engine::fleet::Account;
use rollcall_engine::ids::Place;
use rollcall_engine::limits::ACTIVITY_DAYS;
use rollcall_engine::reading::Extent;
use tokio::sync::watch;
use tracing::Instrument as _;

use super::account::{Readers, reader};
use super::{Observer, tell};

/// What fails is asked again after this at the latest.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(4);

/// Polls until ended.
pub(super) async fn poll(
    observer: Arc<Observer>,
    place: Place,
    mut accounts: watch::Receiver<Arc<Account>>,
    readers: Readers,
) {
    let mut not_before = Timestamp::MIN;
    let shortest =
        SignedDuration::try_from(observer.settings.slow_inventory_interval).unwrap_or(SignedDuration::MAX);
    let mut pause = shortest;
    loop {
        let account = Arc::clone(&accounts.borrow_and_update());
        let begun = observer.clock.now();
        if begun >= not_before
            && let Some(wanted) = due(&observer, &place)
        {
            let span = tracing::info_span!("poll", source = %place, listing = "activity");
            let is_whole = poll_once(&observer, &place, &account, &readers, wanted).instrument(span).await;
            // From its begin, as a reading's age is: how long a slow source takes does not make it rarer.
            not_before = begun.saturating_add(pause).unwrap_or(Timestamp::MAX);
            // What fails again and again is asked less and less: each metric costs money each time.
            pause =
                if is_whole { shortest } else { pause.saturating_mul(2).min(LONGEST_PAUSE.max(shortest)) };
        }
        observer.until_due(observer.settings.inventory_interval, &mut accounts).await;
    }
}

/// Whose activity is to be read now. Nobody's while we do not lead, or do not know yet what is remembered.
fn due(observer: &Observer, place: &Place) -> Option<Vec<Wanted>> {
    let judged = observer.desired.judged(&observer.stores, observer.settings.library_namespace.as_deref());
    if !judged.fleet.asks_activity(place) {
        observer.board.end_activity(place);
        return None;
    }
    let memory = observer.remembered.borrow().clone()?;
    let known = observer.board.place(place)?;
    let read = observer.board.activity(place);
    let remembered = memory.places.get(place);
    let due = judged.fleet.activity_due(&known, read.as_deref(), remembered, observer.clock.now());
    (!due.is_empty()).then_some(due)
}

/// Reads what is wanted; answers whether all of it came.
async fn poll_once(
    observer: &Observer,
    place: &Place,
    account: &Account,
    readers: &Readers,
    wanted: Vec<Wanted>,
) -> bool {
    let now = observer.clock.now();
    let window = Window::whole_days(now, ACTIVITY_DAYS);
    let hosts: usize = wanted.iter().map(|wanted| wanted.subjects.len()).sum();
    let new = match reader(observer, account, readers).await {
        Ok(reader) => {
            let mut remembered = observer.remembered.clone();
            tokio::select! {
                new = reader.activity(&place.region, &wanted, window, now) => new,
                // Whoever leads now asks himself; what was asked half is given up.
                _ = remembered.wait_for(Option::is_none) => return false,
            }
        }
        // Whoever reads the inventory tells what a person must mend.
        Err(none) => Activity::failed(place.clone(), window, now, none.failure),
    };
    observer.metrics.polled("activity", &new.hosts.extent);
    tell(&new.hosts.source, &new.hosts.extent);
    tracing::debug!(hosts, last = %window.last(), "activity read");
    let is_whole = matches!(new.hosts.extent, Extent::Complete { .. });
    observer.board.put_activity(place, new);
    is_whole
}
