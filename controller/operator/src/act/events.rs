//! Publishes notices as Kubernetes Events. An Event that cannot be published is lost: it is news, not state.

use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};

use super::Budget;
use crate::calls::bounded;
use crate::status::{Notice, NoticeKind};

/// Tells people what changed.
pub struct Events {
    recorder: Recorder,
}

impl Events {
    /// Events from this replica.
    #[must_use]
    pub fn new(client: Client, identity: &str) -> Self {
        let reporter = Reporter { controller: "rollcall".to_owned(), instance: Some(identity.to_owned()) };
        Self { recorder: Recorder::new(client, reporter) }
    }

    /// Publishes, each within the write budget.
    pub async fn publish(&self, notices: &[Notice], budget: &Budget) {
        for notice in notices {
            budget.spend().await;
            let event = Event {
                type_: match notice.kind {
                    NoticeKind::Normal => EventType::Normal,
                    NoticeKind::Warning => EventType::Warning,
                },
                reason: notice.reason.clone(),
                note: Some(notice.note.clone()),
                action: "RollCall".to_owned(),
                secondary: None,
            };
            if let Err(error) = bounded(self.recorder.publish(&event, &notice.about)).await {
                tracing::warn!(reason = %notice.reason, %error, "cannot publish an event; it is lost");
            }
        }
    }
}
