//! `/v1/recording`: what a pass would be made of now, cut to what the caller may see, as gzip.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rollcall_engine::leaving::Departure;
use serde_json::json;

use super::{Shown, access, cut};
use crate::lease::Standing;
use crate::watch::{Judged, Stores};
use cut::Moment;

/// A caller waits no longer for others to be served.
const TURN_WITHIN: Duration = Duration::from_secs(20);

pub(super) async fn serve(State(shown): State<Shown>, headers: HeaderMap) -> Response {
    answer(&shown, &headers).await.unwrap_or_else(|refusal| refusal)
}

async fn answer(shown: &Shown, headers: &HeaderMap) -> Result<Response, Response> {
    let token = token(headers).ok_or_else(|| {
        refuse(StatusCode::UNAUTHORIZED, "expected the header Authorization: Bearer TOKEN, found none")
    })?;
    let user = access::who(&shown.client, token).await.map_err(|error| unreviewed(&error))?;
    let user =
        user.ok_or_else(|| refuse(StatusCode::UNAUTHORIZED, "the API server does not know this token"))?;
    let memory = shown.remembered.borrow().clone().ok_or_else(|| elsewhere(shown))?;
    let judged = shown.desired.judged(&shown.stores, shown.settings.library_namespace.as_deref());
    let access = access::of(&shown.client, &user, namespaces(&judged)).await;
    let access = access.map_err(|error| unreviewed(&error))?;
    if matches!(&access, access::Access::Some { namespaces, .. } if namespaces.is_empty()) {
        let who = user.username.unwrap_or_default();
        let what = format!(
            "{who} may not get environments.rollcall.dev in any namespace; ask for a role that allows it in yours"
        );
        return Err(refuse(StatusCode::FORBIDDEN, &what));
    }
    let turn = tokio::time::timeout(TURN_WITHIN, Arc::clone(&shown.one_at_a_time).acquire_owned()).await;
    let turn =
        turn.map_err(|_| refuse(StatusCode::TOO_MANY_REQUESTS, "others are being served; try again"))?;
    let departures = departures(&shown.stores);
    let moment =
        Moment { now: shown.clock.now(), judged, snapshot: shown.board.snapshot(), memory, departures };
    let packed = tokio::task::spawn_blocking(move || {
        // The turn is over when the work is, and not when whoever asked hangs up.
        let _turn = turn;
        pack(&moment, &access)
    })
    .await;
    match packed {
        Ok(Ok(bytes)) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "gzip")];
            Ok((headers, bytes).into_response())
        }
        _ => Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, "the recording cannot be packed")),
    }
}

fn pack(moment: &Moment, access: &access::Access) -> std::io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut packed, &cut::recording(moment, access))?;
    packed.flush()?;
    packed.finish()
}

/// How retirements stand, as the API server says now. One that cannot be read is told among the unreadable objects.
fn departures(stores: &Stores) -> Vec<Departure> {
    let entries = stores.retirements.entries();
    entries.iter().filter_map(|(_, entry)| Some(Departure::of(entry.object.as_ref().ok()?))).collect()
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::trim).filter(|token| !token.is_empty())
}

fn namespaces(judged: &Judged) -> BTreeSet<String> {
    let environments = judged.desired.environments.iter();
    environments.filter_map(|environment| environment.metadata.namespace.clone()).collect()
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"error": why}))).into_response()
}

fn unreviewed(error: &crate::calls::CallError) -> Response {
    tracing::warn!(%error, "a caller of the recording cannot be reviewed");
    refuse(StatusCode::SERVICE_UNAVAILABLE, "the API server cannot say who you are; try again")
}

/// Only the replica that decides has something to show.
fn elsewhere(shown: &Shown) -> Response {
    let holder = match &*shown.standing.borrow() {
        Standing::Standby { holder } => holder.clone(),
        Standing::Leader(_) => None,
    };
    let why = match &holder {
        Some(holder) => format!("this replica stands by; ask pod {holder}, which holds the lease"),
        None => "no pass has been made yet; try again".to_owned(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"error": why, "holder": holder}))).into_response()
}
