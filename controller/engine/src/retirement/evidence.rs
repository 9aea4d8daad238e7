//! What is known of a host's use. The one place to change when the rule (`lean`) gives the verdict.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::reading::FailureKind;

/// The verdict on one host over one span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Use {
    /// Every metric that it can have was read without a hole, and none shows use.
    #[serde(rename_all = "camelCase")]
    Idle {
        /// From when on.
        since: Timestamp,
        /// Up to the newest datum.
        until: Timestamp,
    },
    /// Something shows use.
    Active,
    /// It cannot be said. Never idle.
    Unknown(FailureKind),
}
