//! Mackerel: what its API answers with 200.

use rollcall_engine::registry::Watches;
use rollcall_monitoring::mackerel::{Org, answers};

use crate::laws;

pub(crate) fn hosts(data: &[u8]) {
    laws::list(data, answers::hosts, Vec::len);
}

pub(crate) fn services(data: &[u8]) {
    laws::list(data, |body, _| answers::services(body), std::collections::BTreeMap::len);
}

/// External monitors are recorded: nothing of their addresses that may be a secret is kept.
pub(crate) fn monitors(data: &[u8]) {
    laws::list(data, |body, _| answers::monitors(body), Vec::len);
    for monitor in answers::monitors(data).seen {
        if let Watches::External { url, .. } = monitor.watches {
            let (rest, query) = url.as_str().split_once('?').unwrap_or((url.as_str(), "sha256:"));
            let host = rest.split('/').nth(2).unwrap_or_default();
            assert!(query.starts_with("sha256:") && !url.as_str().contains('#'), "{}", url.as_str());
            assert!(!host.is_empty() && !host.contains('@'), "{}", url.as_str());
        }
    }
}

/// One page of names, the statuses of one host, and whose key it is.
pub(crate) fn checks(data: &[u8]) {
    let (page, statuses) = (answers::page_of_checks(data), answers::statuses(data));
    assert_eq!(page, answers::page_of_checks(data));
    assert_eq!(statuses, answers::statuses(data));
    if page.is_ok() {
        assert!(answers::page_of_checks(laws::cut(data)).is_err(), "a part is whole");
    }
    if statuses.is_ok() {
        assert!(answers::statuses(laws::cut(data)).is_err(), "a part is whole");
    }
    if let Ok(org) = serde_json::from_slice::<Org>(data) {
        assert!(org.name.len() <= data.len());
    }
}

pub(crate) fn metrics(data: &[u8]) {
    let latest = answers::latest(data);
    assert_eq!(latest, answers::latest(data));
    if let Ok(latest) = latest {
        assert!(latest.len() <= laws::objects_begun(data));
        assert!(answers::latest(laws::cut(data)).is_err(), "a part is whole");
    }
}

/// Both lists of one document, which real ones come without: each passes over what is the other's.
pub(crate) fn notifications(data: &[u8]) {
    let read = |body: &[u8], _| answers::notifications(body, body);
    laws::list(data, read, |told| told.groups.len().max(told.channels.len()));
}
