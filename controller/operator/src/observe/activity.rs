//! What hosts did, place by place: asked once a day, only of whom rules look at, and only by the leader, for each metric costs
//! money. What failed is asked again after a while; what was read is not.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::activity::{Activity, Wanted, Window};
use rollcall_engine::fleet::Account;
use rollcall_engine::ids::Place;
use rollcall_engine::limits::ACTIVITY_DAYS;
use tokio::sync::watch;
use tracing::Instrument as _;

use super::Observer;
use super::account::{Readers, reader, tell};

/// Polls until ended.
pub(super) async fn poll(
    observer: Arc<Observer>,
    place: Place,
    mut accounts: watch::Receiver<Arc<Account>>,
    readers: Readers,
) {
    let mut not_before = Timestamp::MIN;
    loop {
        let account = Arc::clone(&accounts.borrow_and_update());
        if observer.clock.now() >= not_before
            && let Some(wanted) = due(&observer, &place)
        {
            let span = tracing::info_span!("poll", source = %place, listing = "activity");
            poll_once(&observer, &place, &account, &readers, wanted).instrument(span).await;
            let pause = SignedDuration::try_from(observer.settings.slow_inventory_interval);
            let pause = pause.unwrap_or(SignedDuration::MAX);
            not_before = observer.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
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

async fn poll_once(
    observer: &Observer,
    place: &Place,
    account: &Account,
    readers: &Readers,
    wanted: Vec<Wanted>,
) {
    let now = observer.clock.now();
    let window = Window::whole_days(now, ACTIVITY_DAYS);
    let hosts: usize = wanted.iter().map(|wanted| wanted.subjects.len()).sum();
    let new = match reader(observer, account, readers).await {
        Ok(reader) => reader.activity(&place.region, &wanted, window, now).await,
        // Whoever reads the inventory tells what a person must mend.
        Err(none) => Activity::failed(place.clone(), window, now, none.failure),
    };
    observer.metrics.polled("activity", &new.hosts.extent);
    tell(&new.hosts.source, &new.hosts.extent);
    tracing::debug!(hosts, last = %window.last(), "activity read");
    observer.board.put_activity(place, new);
}
