//! Who may call: access keys, roles and their trust, and the sessions that `AssumeRole` gives out.
//!
//! Rights are a list of denied actions for each user and role, which is all that tests of a reader need:
//! it is **not** IAM. Session policies and tags are remembered and shown to tests, not evaluated.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{error::AwsError, ground::Mint, request::Signed};
use crate::wildcard;

/// How many sessions may live at once; the one that ends soonest makes room.
const MAX_SESSIONS: usize = 10_000;
/// The longest session of a role assumed by a role (AWS: "role chaining limits … to a maximum of one hour").
const MAX_CHAINED: i64 = 3_600;

/// All identities.
#[derive(Debug, Default)]
pub struct Identities {
    users: BTreeMap<String, User>,
    roles: BTreeMap<String, Role>,
    sessions: BTreeMap<String, Session>,
}

/// The owner of a static access key.
#[derive(Clone, Debug)]
struct User {
    account: String,
    arn: String,
    id: String,
    denies: Vec<String>,
}

/// A role, as a test or a seed gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Role {
    /// The role's name.
    pub name: String,
    /// Who may assume it: account ids, ARNs of users or roles, or `*`.
    pub trusts: Vec<String>,
    /// The external id that must be told, if any.
    pub external_id: Option<String>,
    /// Actions that it is denied, with wildcards: `ec2:DescribeVolumes`, `ec2:*Tags`.
    pub denies: Vec<String>,
}

/// What `AssumeRole` was asked, and gave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The temporary access key id.
    pub key: String,
    /// The temporary secret; it is not checked.
    pub secret: String,
    /// The session token; it is checked.
    pub token: String,
    /// The role's ARN.
    pub role: String,
    /// The role's account.
    pub account: String,
    /// The session's name.
    pub name: String,
    /// The role's id and the session's name.
    pub user_id: String,
    /// When it ends, in the **machine's** time: clients compare it with their own clock.
    pub expires: Timestamp,
    /// The session policy, if one was given.
    pub policy: Option<String>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
}

/// A wish to assume a role.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The role's ARN.
    pub role: String,
    /// The session's name.
    pub session_name: String,
    /// The external id, if told.
    pub external_id: Option<String>,
    /// Seconds; an hour when absent.
    pub duration: Option<i64>,
    /// The session policy.
    pub policy: Option<String>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
}

/// Somebody known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account that answers.
    pub account: String,
    /// Who calls.
    pub arn: String,
    /// AWS's unique id of who calls.
    pub user_id: String,
    /// Whether the caller is already an assumed role.
    pub is_session: bool,
    denies: Vec<String>,
}

impl Caller {
    /// Whether the caller is denied this action, `ec2:DescribeInstances`.
    #[must_use]
    pub fn is_denied(&self, action: &str) -> bool {
        self.denies.iter().any(|deny| wildcard::matches(deny, action))
    }
}

/// Why a caller is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// The request carries no signature.
    Unsigned,
    /// Nobody has this key, or not with this session token.
    Unknown,
    /// The session has ended.
    Expired,
}

impl Identities {
    /// Gives an account's user `name` an access key. What the user is denied is empty, or as before.
    pub fn add_key(&mut self, account: &str, name: &str, key: &str) {
        let user = User {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:user/{name}"),
            id: format!("AIDA{:0>16}", name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "")),
            denies: vec![],
        };
        self.users.insert(key.to_owned(), user);
    }

    /// Takes a key away: who uses it is unknown from now on.
    pub fn remove_key(&mut self, key: &str) {
        self.users.remove(key);
    }

    /// Adds or replaces a role of an account; answers its ARN. Its living sessions follow it.
    pub fn set_role(&mut self, account: &str, role: Role) -> String {
        let arn = format!("arn:aws:iam::{account}:role/{}", role.name);
        self.roles.insert(arn.clone(), role);
        arn
    }

    /// Denies actions (with wildcards) to the owner of a key or to a role by its ARN. False when there is neither.
    pub fn deny(&mut self, key_or_role: &str, actions: &[&str]) -> bool {
        let user = self.users.get_mut(key_or_role).map(|u| &mut u.denies);
        let denies = user.or_else(|| self.roles.get_mut(key_or_role).map(|r| &mut r.denies));
        denies.is_some_and(|denies| {
            *denies = actions.iter().map(|a| (*a).to_owned()).collect();
            true
        })
    }

    /// The sessions given out and not ended, oldest key first.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// Who signed this request.
    ///
    /// # Errors
    /// [`Stranger`].
    pub fn caller(&self, signed: Option<&Signed>, machine_now: Timestamp) -> Result<Caller, Stranger> {
        let signed = signed.ok_or(Stranger::Unsigned)?;
        if let Some(user) = self.users.get(&signed.key) {
            return Ok(Caller {
                account: user.account.clone(),
                arn: user.arn.clone(),
                user_id: user.id.clone(),
                is_session: false,
                denies: user.denies.clone(),
            });
        }
        let session = self.sessions.get(&signed.key).ok_or(Stranger::Unknown)?;
        if signed.session_token.as_deref() != Some(&session.token) {
            return Err(Stranger::Unknown);
        }
        if session.expires <= machine_now {
            return Err(Stranger::Expired);
        }
        let role = self.roles.get(&session.role).ok_or(Stranger::Unknown)?;
        Ok(Caller {
            account: session.account.clone(),
            arn: assumed(&session.account, &role.name, &session.name),
            user_id: session.user_id.clone(),
            is_session: true,
            denies: role.denies.clone(),
        })
    }

    /// Lets a caller assume a role.
    ///
    /// # Errors
    /// `AccessDenied` when the role does not exist, does not trust the caller or wants another external id
    /// (AWS does not say which); `ValidationError` for a bad name or duration.
    pub fn assume(
        &mut self,
        mint: &mut Mint,
        caller: &Caller,
        wish: Wish,
        machine_now: Timestamp,
    ) -> Result<Session, AwsError> {
        check_name(&wish.session_name)?;
        let seconds = check_duration(wish.duration, caller.is_session)?;
        let denied = || AwsError::access_denied(&caller.arn, "sts:AssumeRole", &wish.role);
        let role = self.roles.get(&wish.role).ok_or_else(denied)?;
        let account = wish.role.split(':').nth(4).unwrap_or_default().to_owned();
        let external = role.external_id.is_none() || role.external_id == wish.external_id;
        if caller.is_denied("sts:AssumeRole") || !trusts(role, caller) || !external {
            return Err(denied());
        }
        let session = Session {
            key: mint.access_key("ASIA"),
            secret: mint.secret(),
            token: mint.secret(),
            user_id: format!("AROA{:0>16}:{}", role.name.to_uppercase().replace('-', ""), wish.session_name),
            role: wish.role,
            account,
            name: wish.session_name,
            expires: machine_now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX),
            policy: wish.policy,
            tags: wish.tags,
        };
        self.remember(session.clone(), machine_now);
        Ok(session)
    }

    fn remember(&mut self, session: Session, machine_now: Timestamp) {
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.retain(|_, s| s.expires > machine_now);
        }
        if self.sessions.len() >= MAX_SESSIONS
            && let Some(soonest) = self.sessions.values().min_by_key(|s| s.expires).map(|s| s.key.clone())
        {
            self.sessions.remove(&soonest);
        }
        self.sessions.insert(session.key.clone(), session);
    }
}

impl Session {
    /// The ARN of whoever uses this session.
    #[must_use]
    pub fn arn(&self) -> String {
        assumed(&self.account, self.role.rsplit('/').next().unwrap_or_default(), &self.name)
    }
}

fn assumed(account: &str, role: &str, session: &str) -> String {
    format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
}

fn trusts(role: &Role, caller: &Caller) -> bool {
    role.trusts.iter().any(|who| {
        who == "*"
            || who == &caller.account
            || who == &caller.arn
            || caller
                .arn
                .strip_prefix(&who.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/"))
                .is_some_and(|rest| rest.starts_with('/'))
    })
}

fn check_name(name: &str) -> Result<(), AwsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (2..=64).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    let message = format!(
        "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]{{2,64}}"
    );
    Err(AwsError::bad_request("ValidationError", message))
}

fn check_duration(seconds: Option<i64>, chained: bool) -> Result<i64, AwsError> {
    let seconds = seconds.unwrap_or(3_600);
    if chained && seconds > MAX_CHAINED {
        let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
        return Err(AwsError::bad_request("ValidationError", message));
    }
    if !(900..=43_200).contains(&seconds) {
        let message = format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200"
        );
        return Err(AwsError::bad_request("ValidationError", message));
    }
    Ok(seconds)
}
