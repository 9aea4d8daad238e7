//! Why no host is ever stopped: said of an account, and of an environment that asks for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fleet;
use crate::ids::{AccountName, ObjectKey};
use crate::retirement::Reach;

/// Why hosts are not stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StopsNone {
    /// No grant lets any of these hosts go so far.
    NotGranted,
    /// No account of them has an identity that may stop hosts.
    NoRetireIdentity,
    /// No code of this version makes such a call.
    ThisVersion,
}

impl StopsNone {
    /// The reason of a condition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotGranted => "GrantedLess",
            Self::NoRetireIdentity => "NoRetireIdentity",
            Self::ThisVersion => "StopsNothing",
        }
    }
}

impl fmt::Display for StopsNone {
    /// What it means, and what would change it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotGranted => {
                "no grant says maxEnforcement: Retire; hosts go no further than it says (CloudAccount.spec.grants)"
            }
            Self::NoRetireIdentity => {
                "spec.retire of the CloudAccount is absent: nothing in it can ever be stopped"
            }
            Self::ThisVersion => {
                "this version of Rollcall stops nothing: owners are told, and hosts wait for approval"
            }
        })
    }
}

impl Fleet {
    /// Why nothing is stopped in an account; none for one that cannot be understood.
    #[must_use]
    pub fn stops_none_in(&self, account: &AccountName) -> Option<StopsNone> {
        let account = self.accounts.get(account)?;
        Some(why([(account.grants_a_stop(), account.may_stop)].into_iter()))
    }

    /// Why nothing of an environment is stopped; none for one that does not ask for it.
    #[must_use]
    pub fn stops_none_of(&self, environment: &ObjectKey) -> Option<StopsNone> {
        let environment = self.environment(environment)?;
        environment.lean.as_ref().filter(|lean| lean.reach == Some(Reach::Retire))?;
        let claims = environment.claims.iter().map(|claim| &claim.hosts);
        Some(why(claims.map(|hosts| (hosts.grants_a_stop(), hosts.may_stop))))
    }
}

/// What is in the way where the least is. Each: whether a grant goes so far, and whether its account has the identity.
fn why(accounts: impl Iterator<Item = (bool, bool)>) -> StopsNone {
    let why = accounts.map(|account| match account {
        (false, _) => StopsNone::NotGranted,
        (true, false) => StopsNone::NoRetireIdentity,
        (true, true) => StopsNone::ThisVersion,
    });
    why.max().unwrap_or(StopsNone::NotGranted)
}
