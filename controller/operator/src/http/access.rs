//! Who asks, and which namespaces they may see: decided by the API server, by the caller's own token and rights.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};

use crate::calls::{CallError, bounded};

/// Access reviews under way at once.
const AT_ONCE: usize = 8;

/// What a caller may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everything: they may read environments in all namespaces, and accounts.
    All,
    /// Only this.
    Some {
        /// Namespaces whose environments they may read.
        namespaces: BTreeSet<String>,
        /// `CloudAccount`s with identities and grants of others.
        accounts: bool,
    },
}

/// Whose token this is; `None` when nobody's.
pub(super) async fn who(client: &Client, token: &str) -> Result<Option<UserInfo>, CallError> {
    let review = TokenReview {
        spec: TokenReviewSpec { token: token.to_owned(), audiences: None },
        ..TokenReview::default()
    };
    let api: Api<TokenReview> = Api::all(client.clone());
    let answer = bounded(api.create(&PostParams::default(), &review)).await?;
    Ok(answer.status.filter(|status| status.authenticated == Some(true)).and_then(|status| status.user))
}

/// What they may see of these namespaces.
pub(super) async fn of(
    client: &Client,
    user: &UserInfo,
    namespaces: BTreeSet<String>,
) -> Result<Access, CallError> {
    let accounts = may_get(client, user, "cloudaccounts", None).await?;
    if accounts && may_get(client, user, "environments", None).await? {
        return Ok(Access::All);
    }
    let reviews = stream::iter(namespaces).map(|namespace| async move {
        let may = may_get(client, user, "environments", Some(&namespace)).await?;
        Ok::<_, CallError>(may.then_some(namespace))
    });
    let allowed: Vec<Option<String>> = reviews.buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(Access::Some { namespaces: allowed.into_iter().flatten().collect(), accounts })
}

async fn may_get(
    client: &Client,
    user: &UserInfo,
    resource: &str,
    namespace: Option<&String>,
) -> Result<bool, CallError> {
    let attributes = ResourceAttributes {
        group: Some(rollcall_crds::GROUP.to_owned()),
        resource: Some(resource.to_owned()),
        verb: Some("get".to_owned()),
        namespace: namespace.cloned(),
        ..ResourceAttributes::default()
    };
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: user.username.clone(),
            uid: user.uid.clone(),
            groups: user.groups.clone(),
            extra: user.extra.clone(),
            resource_attributes: Some(attributes),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let api: Api<SubjectAccessReview> = Api::all(client.clone());
    let answer = bounded(api.create(&PostParams::default(), &review)).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}
