//! Names of the checks that run for each host.
//!
//! `monitored-statuses` tells a host's checks by id, `/monitoring/checks` (since July 2026) tells the names of ids: only
//! the two together say what a host is checked for. Neither tells when a check last ran, and a check that is red is
//! there just as well: this is about what exists.
//!
//! It costs one call a host, so it is done a few hosts a minute ([`CheckReader`]), and never more than the budget.

mod budget;
mod directory;
mod reader;

use serde_json::Value;

use super::elements::Element;
use super::hosts::filled;

pub use reader::CheckReader;

/// One page of `/monitoring/checks`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Ids and names.
    checks: Vec<(String, String)>,
    next: Option<String>,
}

impl Page {
    /// # Errors
    /// What was expected.
    pub(super) fn parse(body: &[u8]) -> Result<Self, &'static str> {
        let document: Value =
            serde_json::from_slice(body).map_err(|_| "expected JSON, found something else")?;
        let list =
            document.get("checks").and_then(Value::as_array).ok_or("expected a list under `checks`")?;
        // An entry that cannot be read leaves its id without a name, which the hosts that have it then say.
        let named = |check: &Value| {
            Some((filled(check.get("id")?)?.to_owned(), filled(check.get("name")?)?.to_owned()))
        };
        let next = match document.get("nextId") {
            None | Some(Value::Null) => None,
            Some(Value::String(next)) if next.is_empty() => None,
            Some(Value::String(next)) => Some(next.clone()),
            Some(_) => return Err("expected text under `nextId`"),
        };
        Ok(Self { checks: list.iter().filter_map(named).collect(), next })
    }
}

/// One of a host's monitored statuses, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// A check of this id.
    Check(String),
    /// Of this id, and without details: a check if the directory knows it.
    Plain(String),
    /// Of another kind of monitor.
    Other,
    /// It cannot be read, so it may be anything.
    Odd,
}

impl Status {
    pub(super) fn parse(element: Element<'_>) -> Self {
        let Element::Whole(bytes) = element else { return Self::Odd };
        let Ok(status) = serde_json::from_slice::<Value>(bytes) else { return Self::Odd };
        let id = status.get("monitorId").and_then(filled).map(str::to_owned);
        match (id, status.get("detail")) {
            (Some(id), None | Some(Value::Null)) => Self::Plain(id),
            (id, Some(detail)) => match (detail.get("type").and_then(Value::as_str), id) {
                (Some("check"), Some(id)) => Self::Check(id),
                (Some("check"), None) | (None, _) => Self::Odd,
                (Some(_), _) => Self::Other,
            },
            (None, None) => Self::Odd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages() {
        for (body, expected) in [
            (r#"{"checks":[{"id":"a","name":"check-disk"}],"nextId":"b"}"#, Ok((1, Some("b")))),
            (r#"{"checks":[]}"#, Ok((0, None))),
            (
                r#"{"checks":[{"id":"a","name":"x","new":1},{"id":7,"name":"y"},{"id":"c"},null],"nextId":null}"#,
                Ok((1, None)),
            ),
            (r#"{"checks":[],"nextId":""}"#, Ok((0, None))),
            (r#"{"checks":[],"nextId":5}"#, Err(())),
            (r#"{"checks":{}}"#, Err(())),
            (r#"{"error":{"message":"x"}}"#, Err(())),
            ("<html>", Err(())),
        ] {
            let page = Page::parse(body.as_bytes());
            let told = page.as_ref().map(|p| (p.checks.len(), p.next.as_deref())).map_err(|_| ());
            assert_eq!(told, expected, "{body}");
        }
    }

    #[test]
    fn statuses() {
        let a = || "a".to_owned();
        for (status, expected) in [
            (
                r#"{"monitorId":"a","status":"OK","detail":{"type":"check","message":"","memo":"x"}}"#,
                Status::Check(a()),
            ),
            (
                r#"{"monitorId":"a","status":"CRITICAL","detail":{"type":"check","message":""}}"#,
                Status::Check(a()),
            ),
            (r#"{"monitorId":"a","status":"NEW STATUS","detail":{"type":"check"}}"#, Status::Check(a())),
            (r#"{"monitorId":"a","status":"OK"}"#, Status::Plain(a())),
            (r#"{"monitorId":"a","status":"OK","detail":null}"#, Status::Plain(a())),
            (r#"{"monitorId":"a","detail":{"type":"somethingNew"}}"#, Status::Other),
            (r#"{"detail":{"type":"check"}}"#, Status::Odd),
            (r#"{"monitorId":9,"detail":{"type":"check"}}"#, Status::Odd),
            (r#"{"monitorId":"a","detail":{}}"#, Status::Odd),
            (r#"{"monitorId":"a","detail":[]}"#, Status::Odd),
            ("{}", Status::Odd),
            ("7", Status::Odd),
        ] {
            assert_eq!(Status::parse(Element::Whole(status.as_bytes())), expected, "{status}");
        }
        assert_eq!(Status::parse(Element::TooLong), Status::Odd);
    }
}
