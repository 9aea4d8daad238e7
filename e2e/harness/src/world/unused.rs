//! Nine hosts of an environment that look unused, by what they really do, and a team that asks for retirement. Two are kept, one is
//! used again, one is protected, one is among the last of its duty; four wait until people approve. Of two more CloudWatch
//! knows nothing, or not enough.
//!
//! It plants the truth and what people write; it must never tell anybody which of them is which.

use anyhow::Result;
use jiff::Timestamp;
use rollcall_fakes::aws::Load;
use serde_json::{Value, json};

use super::{TEAM, World};

/// The environment that asks.
pub const ASKS: &str = "jp1";

/// Long before the days that are read.
pub const LONG_AGO: &str = "2026-05-01T00:00:00Z";

/// The signing secret of their chat: 24 bytes that say what they are.
pub const SIGNING: &str = "whsec_Y2FuYXJ5LW5ldy0zZmQxYzBiNmU1LXh5";

/// What would change something at AWS: none of it may be called.
pub const ACTS: [&str; 6] = [
    "StopInstances",
    "StartInstances",
    "TerminateInstances",
    "CreateTags",
    "DeleteTags",
    "ModifyInstanceAttribute",
];

/// They do nothing, and nobody says a word.
pub const WAIT: [&str; 4] = ["jp1-app-1", "jp1-app-2", "jp1-git-1", "jp1-git-2"];

/// An Exemption keeps it.
pub const KEPT_BY_EXEMPTION: &str = "jp1-app-3";

/// Its owner has no kubectl and tagged it.
pub const KEPT_BY_TAG: &str = "jp1-git-3";

/// Its owner needs it after all, and says so by using it.
pub const USED_AGAIN: &str = "jp1-app-4";

/// It is protected from termination.
pub const PROTECTED: &str = "jp1-git-4";

/// One of two of its duty.
pub const AMONG_THE_LAST: &str = "jp1-ci-1";

/// CloudWatch has nothing at all of it, as of one whose metrics got lost.
pub const HEARD_NOTHING_OF: &str = "jp1-app-5";

/// CloudWatch has nothing of one of its days, on which it may have been busy.
pub const SILENT_FOR_A_DAY: &str = "jp1-app-6";

impl World {
    /// From then on a host does this; without a load CloudWatch is told nothing of it.
    ///
    /// # Errors
    /// When there is no such host, or `from` is no time.
    pub fn does(&self, name: &str, from: &str, load: Option<Load>) -> Result<()> {
        let from: Timestamp = from.parse()?;
        let instance = self.fleet.truth(name)?.instance.clone();
        self.fleet.region_of(name)?.set_load(&instance, from, load)?;
        Ok(())
    }

    /// What the nine really do, and the two. All others are busy.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn nine_do_nothing(&self) -> Result<()> {
        let idle = [KEPT_BY_EXEMPTION, KEPT_BY_TAG, USED_AGAIN, PROTECTED, AMONG_THE_LAST, SILENT_FOR_A_DAY];
        for name in WAIT.into_iter().chain(idle) {
            self.does(name, LONG_AGO, Some(Load::IDLE))?;
        }
        self.does(HEARD_NOTHING_OF, LONG_AGO, None)?;
        self.does(SILENT_FOR_A_DAY, "2026-11-05T00:00:00Z", None)?;
        self.does(SILENT_FOR_A_DAY, "2026-11-06T00:00:00Z", Some(Load::IDLE))?;
        let kept = self.fleet.truth(KEPT_BY_TAG)?.instance.clone();
        self.fleet.region_of(KEPT_BY_TAG)?.tag(&kept, "rollcall.dev/keep", "2027-03-31")?;
        let protected = self.fleet.truth(PROTECTED)?.instance.clone();
        let region = self.fleet.region_of(PROTECTED)?;
        region.change_instance(&protected, |instance| instance.termination_protected = true)?;
        Ok(())
    }

    /// The team lets hosts of three duties go, names a channel that leads to this receiver, keeps one host, and asks for retirement.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn team_asks_for_retirement(&mut self, url: &str) -> Result<()> {
        let object = |kind: &str, name: &str, spec: Value| {
            json!({"apiVersion": "rollcall.dev/v1alpha1", "kind": kind,
                "metadata": {"name": name, "namespace": TEAM}, "spec": spec})
        };
        let key = |key: &str| json!({"name": "chat", "key": key});
        let webhook = json!({"urlSecret": key("url"), "signingSecret": key("signing")});
        let keep = json!({"type": "Accepted", "match": {"code": "RC0401"},
            "hosts": [self.fleet.truth(KEPT_BY_EXEMPTION)?.instance],
            "reason": "The yearly closing runs here.", "approver": "k.tanaka", "expires": "2027-03-31"});
        let objects = vec![
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "chat", "namespace": TEAM},
                "stringData": {"url": url, "signing": SIGNING}}),
            object("RetirementPolicy", "standard", json!({"graceBusinessDays": 3, "keepLastHosts": 2})),
            object("NotificationChannel", "chat", json!({"webhook": webhook})),
            object("Exemption", "keep-app-3", keep),
        ];
        self.cluster.apply(objects).await?;
        for duty in ["app", "git", "ci"] {
            self.patch("rcrole", duty, &json!({"retirement": "Allowed"})).await?;
        }
        let lean =
            json!({"lean": {"enforcement": "Retire", "policy": "standard"}, "notifications": ["chat"]});
        self.patch("rcenv", ASKS, &lean).await
    }

    /// Changes the spec of an object of the team as a person does.
    async fn patch(&self, kind: &str, name: &str, spec: &Value) -> Result<()> {
        let change = json!({ "spec": spec }).to_string();
        let patched =
            self.cluster.kubectl(&["patch", kind, name, "-n", TEAM, "--type=merge", "-p", &change]).await?;
        patched.ok().map(drop)
    }
}
