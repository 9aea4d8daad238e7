//! One question over one connection: `GET /v1/recording`. What the operator refuses it refuses in words, which are passed on.

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use rollcall_engine::text::clean;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};

use super::token::Bearer;

/// No answer may be larger: a recording of 20,000 hosts is some 6 MB as it travels.
const MOST_BYTES: usize = 128 * 1024 * 1024;
/// Of words that came from outside, no more are passed on.
const MOST_WORDS: usize = 60;

/// What an operator answers.
#[derive(Debug)]
pub enum Answer {
    /// The recording, packed as it travelled.
    Recording(Vec<u8>),
    /// This replica has none.
    Elsewhere {
        /// The pod that has, if this one knows.
        holder: Option<String>,
        /// In its words.
        why: String,
    },
}

/// How the operator words a refusal.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    holder: Option<String>,
}

/// Asks over this connection.
///
/// # Errors
/// When it breaks, or the operator refuses: then in its words, with what to do.
pub async fn recording<S>(stream: S, token: &Bearer) -> anyhow::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get("/v1/recording")
        .header(header::HOST, "rollcall")
        .header(header::ACCEPT_ENCODING, "gzip")
        .header(header::AUTHORIZATION, token.header()?)
        .body(Empty::<Bytes>::new())?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await;
    let body = body.map_err(|error| anyhow!(error)).context("the answer broke off, or is too large")?;
    understood(head.status, &body.to_bytes())
}

fn understood(status: StatusCode, body: &[u8]) -> anyhow::Result<Answer> {
    if status == StatusCode::OK {
        return Ok(Answer::Recording(body.to_vec()));
    }
    let Ok(Refusal { error, holder }) = serde_json::from_slice(body) else {
        bail!(
            "expected Rollcall's /v1/recording, found an answer {status} that is not its; does something else listen there?"
        );
    };
    let why: Vec<String> =
        error.split_whitespace().take(MOST_WORDS).map(|word| clean(word).to_string()).collect();
    let why = why.join(" ");
    match status {
        StatusCode::UNAUTHORIZED => bail!(
            "the operator took no token of yours: {why}; log in again, or show another one with --token-file or \
             --service-account"
        ),
        StatusCode::FORBIDDEN => bail!("the operator refused: {why}"),
        StatusCode::SERVICE_UNAVAILABLE => {
            Ok(Answer::Elsewhere { holder: holder.map(|holder| clean(&holder).to_string()), why })
        }
        _ => bail!("the operator answered {status}: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        match understood(status, body.as_bytes()) {
            Ok(answer) => format!("{answer:?}"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn refusals_are_passed_on_in_words() {
        for (status, body, words) in [
            (
                401,
                r#"{"error":"the API server does not know this token"}"#,
                "not know this token; log in again",
            ),
            (
                403,
                r#"{"error":"sa may not get environments"}"#,
                "the operator refused: sa may not get environments",
            ),
            (503, r#"{"error":"stands by","holder":"rollcall-2"}"#, r#"holder: Some("rollcall-2")"#),
            (503, r#"{"error":"no pass has been made yet; try again","holder":null}"#, "holder: None"),
            (429, r#"{"error":"others are being served; try again"}"#, "429 Too Many Requests: others are"),
            (404, "", "found an answer 404 Not Found that is not its"),
            (403, "{\"error\":\"\\u001b[2Jgone\"}", "refused: \u{fffd}[2Jgone"),
        ] {
            let said = said(status, body);
            assert!(said.contains(words), "{status} {body}: {said}");
        }
    }
}
