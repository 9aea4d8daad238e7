//! The proof that credentials belong to the account that a `CloudAccount` names.
//!
//! STS is asked before the first listing, at least hourly, and whenever another access key turns up: the wires to EC2
//! and RDS ([`crate::wire`]) hold back every request whose key has no proof, so that no mistake above them can read
//! one account and believe it to be another.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use parking_lot::Mutex;
use rollcall_engine::ids::Place;
use rollcall_engine::reading::{Failure, FailureKind};

use crate::failure::{Failed, Question, Refusal, refusal};

/// The id of the access key that signed a request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyId(Box<str>);

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyId(redacted)")
    }
}

impl KeyId {
    /// From `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
    fn that_signed(request: &HttpRequest) -> Option<Self> {
        let (_, scope) = request.headers().get("authorization")?.split_once("Credential=")?;
        let (key, _) = scope.split_once('/')?;
        Some(Self(key.into()))
    }
}

/// The request was signed with a key that STS has not proved, or not lately.
#[derive(Debug, thiserror::Error)]
#[error("held back: these credentials are not proved to belong to the account")]
pub(crate) struct Unproved;

/// What a wire does with the signatures that pass.
#[derive(Clone, Debug)]
pub(crate) enum Signatures {
    /// Lets all pass: taking on a role comes before any proof.
    Any,
    /// Lets all pass and remembers the last one: the question of who we are.
    Remember(Arc<Mutex<Option<KeyId>>>),
    /// Lets only proved keys pass.
    Proved(ProvedKeys),
}

impl Signatures {
    pub(crate) fn admit(&self, request: &HttpRequest) -> Result<(), Unproved> {
        match self {
            Self::Any => Ok(()),
            Self::Remember(last) => {
                *last.lock() = KeyId::that_signed(request);
                Ok(())
            }
            Self::Proved(keys) => {
                let key = KeyId::that_signed(request).ok_or(Unproved)?;
                if keys.cover(&key) { Ok(()) } else { Err(Unproved) }
            }
        }
    }
}

/// The keys that STS said belong to the account, with when it said so. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct ProvedKeys {
    max_age: Duration,
    keys: Arc<Mutex<Vec<(KeyId, Instant)>>>,
}

impl ProvedKeys {
    pub(crate) fn new(max_age: Duration) -> Self {
        Self { max_age, keys: Arc::default() }
    }

    fn cover(&self, key: &KeyId) -> bool {
        self.keys.lock().iter().any(|(k, at)| k == key && at.elapsed() < self.max_age)
    }

    fn any(&self) -> bool {
        self.keys.lock().iter().any(|(_, at)| at.elapsed() < self.max_age)
    }

    fn add(&self, key: KeyId) {
        let mut keys = self.keys.lock();
        // Keys that are out of use are forgotten with their proof, so that the list stays short.
        keys.retain(|(k, at)| *k != key && at.elapsed() < self.max_age);
        keys.push((key, Instant::now()));
    }
}

/// Asks STS who we are, one caller at a time.
#[derive(Debug)]
pub(crate) struct Proof {
    place: Place,
    sts: aws_sdk_sts::Client,
    signed_with: Arc<Mutex<Option<KeyId>>>,
    keys: ProvedKeys,
    pause: Duration,
    principal: Mutex<Option<String>>,
    refused: tokio::sync::Mutex<Option<(Instant, Failed)>>,
}

impl Proof {
    /// Proofs that the account is `place`'s, by the STS of `place`'s region. The wire of `sts` remembers keys in
    /// `signed_with`; a refusal stands for `pause` before STS is asked again.
    pub(crate) fn new(
        place: Place,
        sts: aws_sdk_sts::Client,
        signed_with: Arc<Mutex<Option<KeyId>>>,
        keys: ProvedKeys,
        pause: Duration,
    ) -> Self {
        Self {
            place,
            sts,
            signed_with,
            keys,
            pause,
            principal: Mutex::default(),
            refused: tokio::sync::Mutex::default(),
        }
    }

    /// Makes sure that some key has a proof that still holds.
    pub(crate) async fn hold(&self) -> Result<(), Failed> {
        let mut refused = self.refused.lock().await;
        if self.keys.any() {
            return Ok(());
        }
        self.ask(&mut refused).await
    }

    /// Asks again, because a request was held back.
    pub(crate) async fn renew(&self) -> Result<(), Failed> {
        let mut refused = self.refused.lock().await;
        self.ask(&mut refused).await
    }

    /// The principal of the last proof, without its session.
    pub(crate) fn principal(&self) -> Option<String> {
        self.principal.lock().clone()
    }

    async fn ask(&self, refused: &mut Option<(Instant, Failed)>) -> Result<(), Failed> {
        if let Some((at, why)) = refused
            && at.elapsed() < self.pause
        {
            return Err(why.clone());
        }
        let answer = self.caller().await;
        *refused = answer.as_ref().err().map(|why| (Instant::now(), why.clone()));
        answer
    }

    async fn caller(&self) -> Result<(), Failed> {
        let answer = self.sts.get_caller_identity().send().await;
        let caller = answer.map_err(|error| self.failed(&error))?;
        let arn = lasting(caller.arn().unwrap_or("an unnamed principal"));
        let found = caller.account().unwrap_or("none");
        if found != self.place.account.as_str() {
            return Err(self.wrong_account(found, &arn).into());
        }
        let key = self.signed_with.lock().clone().ok_or_else(|| self.unsigned())?;
        self.keys.add(key);
        *self.principal.lock() = Some(arn);
        Ok(())
    }

    fn failed(&self, error: &SdkError<GetCallerIdentityError>) -> Failed {
        let (service, operation) = ("sts", "GetCallerIdentity");
        let asked = Question { service, operation, place: &self.place, principal: None };
        match refusal(error, &asked) {
            Refusal::Failed(failed) => failed,
            Refusal::Unproved => self.unsigned().into(),
        }
    }

    fn wrong_account(&self, found: &str, arn: &str) -> Failure {
        let expected = &self.place.account;
        let found: String = found.chars().take(20).collect();
        let message = format!(
            "the credentials belong to another account: CloudAccount spec.accountID expected {expected}, sts \
             GetCallerIdentity found {found} ({arn}). Next step: correct spec.accountID, or the role or keys in \
             spec.observe"
        );
        Failure::new(FailureKind::WrongAccount, message)
    }

    fn unsigned(&self) -> Failure {
        let place = &self.place;
        let message =
            format!("sts GetCallerIdentity {place} was not signed. Next step: give the reader credentials");
        Failure::new(FailureKind::Misconfigured, message)
    }
}

/// The principal without its session, whose name may change with every renewal: of `…:assumed-role/observe/x-17` the
/// part before the last slash.
fn lasting(arn: &str) -> String {
    let role = arn.rsplit_once('/').filter(|_| arn.contains(":assumed-role/")).map_or(arn, |(role, _)| role);
    role.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    #[test]
    fn a_principal_keeps_its_name_when_its_session_is_renewed() {
        for (arn, expected) in [
            (
                "arn:aws:sts::1:assumed-role/observe/botocore-session-17",
                "arn:aws:sts::1:assumed-role/observe",
            ),
            ("arn:aws:iam::1:user/team/reader", "arn:aws:iam::1:user/team/reader"),
            ("arn:aws:iam::1:root", "arn:aws:iam::1:root"),
        ] {
            assert_eq!(lasting(arn), expected);
        }
    }

    fn signed(key: &str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::empty());
        let header =
            format!("AWS4-HMAC-SHA256 Credential={key}/20260302/eu-west-1/ec2/aws4_request, Signature=0");
        request.headers_mut().insert("authorization", header);
        request
    }

    #[test]
    fn only_a_key_with_a_fresh_proof_passes() {
        let keys = ProvedKeys::new(Duration::from_millis(30));
        let gate = Signatures::Proved(keys.clone());
        assert!(gate.admit(&signed("AKIA1")).is_err(), "nothing is proved yet");
        let last = Arc::new(Mutex::new(None));
        Signatures::Remember(last.clone()).admit(&signed("AKIA1")).unwrap();
        keys.add(last.lock().clone().unwrap());
        assert!(gate.admit(&signed("AKIA1")).is_ok());
        assert!(gate.admit(&signed("AKIA2")).is_err(), "another key needs a proof of its own");
        assert!(gate.admit(&HttpRequest::new(SdkBody::empty())).is_err(), "unsigned");
        std::thread::sleep(Duration::from_millis(40));
        assert!(gate.admit(&signed("AKIA1")).is_err(), "the proof has aged");
        assert!(!format!("{keys:?}").contains("AKIA"));
    }
}
