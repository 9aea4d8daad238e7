//! The bearer token that is shown to the operator, which asks the API server whose it is and what they may see.
//!
//! A client certificate, or a password, opens the API server but cannot be shown to anybody else: who has only that is told what
//! to do. No token is ever printed or written.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1 as core;
use kube::api::PostParams;
use kube::client::{Body, ConfigExt as _};
use kube::{Api, Client, Config};
use rollcall_operator::calls::bounded;
use tower::{BoxError, Layer as _, ServiceExt as _};

use crate::ways::{ClusterArgs, ServiceAccount};

/// The shortest that the API server grants (seconds).
const TOKEN_SECONDS: i64 = 600;

/// What helps whoever has no token of their own.
const NEXT: &str = "name a service account that may get environments, with --service-account NAMESPACE/NAME, or a token \
                    with --token-file FILE";

/// A token, never printed.
#[derive(Clone)]
pub struct Bearer(String);

impl Bearer {
    fn new(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        ensure!(!text.is_empty(), "expected a bearer token, found nothing");
        ensure!(
            text.bytes().all(|b| b.is_ascii_graphic()),
            "expected a bearer token, found other characters"
        );
        Ok(Self(text.to_owned()))
    }

    /// As the value of the header `Authorization`.
    pub fn header(&self) -> anyhow::Result<HeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0)).context("a bearer token")?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(redacted)")
    }
}

/// Why there is no token of the caller's own.
#[derive(Debug)]
pub enum NoToken {
    /// The kubeconfig opens the API server with something else.
    NotToShow,
    /// It asks the API server to take us for somebody else; the token would still be ours.
    Impersonates(String),
}

/// The token in a file.
///
/// # Errors
/// When it cannot be read or holds none.
pub fn of_file(file: &Path) -> anyhow::Result<Bearer> {
    let about = || format!("--token-file {}", file.display());
    Bearer::new(&std::fs::read_to_string(file).with_context(about)?).with_context(about)
}

/// The caller's own token, as kube itself would send it: of the kubeconfig, of a file that it names, or of its plugin, which is
/// run once only.
///
/// # Errors
/// When the kubeconfig names a plugin that does not work.
pub async fn own(config: &mut Config) -> anyhow::Result<Result<Bearer, NoToken>> {
    if let Some(other) = &config.auth_info.impersonate {
        return Ok(Err(NoToken::Impersonates(other.clone())));
    }
    let Some(layer) = config.auth_layer().context("the user of the kubeconfig")? else {
        return Ok(Err(NoToken::NotToShow));
    };
    let echo = tower::service_fn(|request: Request<Body>| async move {
        let mut answer = Response::new(());
        if let Some(value) = request.headers().get(AUTHORIZATION) {
            answer.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        Ok::<_, BoxError>(answer)
    });
    let sent = layer.layer(echo).oneshot(Request::new(Body::empty())).await;
    let sent = sent.map_err(|error| anyhow::anyhow!(error)).context("the user of the kubeconfig")?;
    let value = sent.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(text) = value.and_then(|value| value.strip_prefix("Bearer ")) else {
        return Ok(Err(NoToken::NotToShow));
    };
    config.auth_info.exec = None;
    config.auth_info.auth_provider = None;
    config.auth_info.token = Some(text.to_owned().into());
    Ok(Ok(Bearer::new(text)?))
}

/// The token to show: the one that was named, else the caller's own.
///
/// # Errors
/// When it cannot be had, or there is none.
pub async fn shown(
    args: &ClusterArgs,
    own: Result<Bearer, NoToken>,
    client: &Client,
) -> anyhow::Result<Bearer> {
    if let Some(file) = &args.token_file {
        return of_file(file);
    }
    if let Some(account) = &args.service_account {
        return of_service_account(client, account).await;
    }
    match own {
        Ok(own) => Ok(own),
        Err(NoToken::NotToShow) => bail!(
            "the user of the kubeconfig: expected a token, which the operator can be shown, found a client certificate or \
             none; {NEXT}"
        ),
        Err(NoToken::Impersonates(other)) => bail!(
            "the user of the kubeconfig: expected a token of {other}, whom it impersonates, found none that could be shown \
             to the operator; {NEXT}"
        ),
    }
}

async fn of_service_account(client: &Client, account: &ServiceAccount) -> anyhow::Result<Bearer> {
    let ServiceAccount { namespace, name } = account;
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            expiration_seconds: Some(TOKEN_SECONDS),
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let api: Api<core::ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let granted = match bounded(api.create_token_request(name, &PostParams::default(), &request)).await {
        Ok(granted) => granted,
        Err(error) if error.is_not_found() => bail!(
            "--service-account: expected the service account {namespace}/{name}, found none; make it: kubectl create \
             serviceaccount {name} -n {namespace}"
        ),
        Err(error) if error.code() == Some(403) => bail!(
            "--service-account: expected the right to create serviceaccounts/token in namespace {namespace}, found that you \
             have it not; have somebody make the token: kubectl create token {name} -n {namespace}, and name its file with \
             --token-file"
        ),
        Err(error) => return Err(error).with_context(|| format!("--service-account {namespace}/{name}")),
    };
    let token = granted.status.and_then(|status| status.token).unwrap_or_default();
    Bearer::new(&token).with_context(|| format!("--service-account {namespace}/{name}"))
}
