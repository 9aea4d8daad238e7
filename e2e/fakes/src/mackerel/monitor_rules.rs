//! What the API takes as a monitor: required fields, ranges and defaults of each type.
//!
//! Source: the API documentation, "Register Monitor Configurations". Unknown fields are kept, never refused.

use serde_json::{Value, json};

use super::{
    error::{Outcome, Refusal},
    monitors::{Monitor, text},
};

/// Characters of a memo.
const MAX_MEMO: usize = 2_048;
/// A week in minutes: the longest interruption that a service monitor waits for.
const WEEK_MINUTES: i64 = 10_080;
/// Host metrics that are compared in percent.
const PERCENTAGES: [&str; 6] = ["cpu%", "memory%", "disk%", "swap%", "container-cpu%", "container-memory%"];
const SENSITIVITIES: [&str; 3] = ["insensitive", "normal", "sensitive"];

/// What the rules are checked against.
pub(super) struct Known<'a> {
    /// Whether a service or role is registered.
    pub(super) scope: Box<dyn Fn(&str) -> bool + 'a>,
    /// Epoch seconds.
    pub(super) now: i64,
}

/// Checks a rule and fills its defaults in.
pub(super) fn complete(mut rule: Monitor, known: &Known<'_>) -> Outcome<Monitor> {
    let kind = text(&rule, "type").to_owned();
    match kind.as_str() {
        "connectivity" => connectivity(&mut rule),
        "host" => host(&mut rule),
        "service" => service(&rule, known),
        "external" => external(&mut rule, known),
        "expression" => expression(&rule, "expression", 2..=10),
        "anomalyDetection" => anomaly(&mut rule, known),
        "query" => expression(&rule, "query", 0..=10),
        other => Err(Refusal::bad(format!("unknown monitor type: {other:?}"))),
    }?;
    common(&mut rule, known)?;
    Ok(rule)
}

fn common(rule: &mut Monitor, known: &Known<'_>) -> Outcome<()> {
    default(rule, "isMute", json!(false));
    required(rule, "name")?;
    if text(rule, "memo").chars().count() > MAX_MEMO {
        return Err(Refusal::bad(format!("memo is over {MAX_MEMO} characters")));
    }
    range(rule, "notificationInterval", 10..=i64::MAX)?;
    range(rule, "maxCheckAttempts", 1..=10)?;
    scopes(rule, "scopes", known)?;
    scopes(rule, "excludeScopes", known)
}

fn connectivity(rule: &mut Monitor) -> Outcome<()> {
    default(rule, "name", json!("connectivity"));
    default(rule, "alertStatusOnGone", json!("CRITICAL"));
    default(rule, "scopes", json!([]));
    default(rule, "excludeScopes", json!([]));
    one_of(rule, "alertStatusOnGone", &["CRITICAL", "WARNING"])
}

fn host(rule: &mut Monitor) -> Outcome<()> {
    default(rule, "scopes", json!([]));
    default(rule, "excludeScopes", json!([]));
    default(rule, "maxCheckAttempts", json!(1));
    required(rule, "metric")?;
    thresholds(rule)?;
    needed(rule, "duration", 1..=10)?;
    if PERCENTAGES.contains(&text(rule, "metric")) {
        for field in ["warning", "critical"] {
            let out = |v: f64| !(0.0..=100.0).contains(&v);
            if rule.get(field).and_then(Value::as_f64).is_some_and(out) {
                return Err(Refusal::bad(format!("{field} must be a percentage from 0 to 100")));
            }
        }
    }
    Ok(())
}

fn service(rule: &Monitor, known: &Known<'_>) -> Outcome<()> {
    required(rule, "service")?;
    required(rule, "metric")?;
    registered(rule, known)?;
    thresholds(rule)?;
    needed(rule, "duration", 1..=10)?;
    for field in ["missingDurationWarning", "missingDurationCritical"] {
        range(rule, field, 10..=WEEK_MINUTES)?;
        if rule.get(field).and_then(Value::as_i64).is_some_and(|m| m % 10 != 0) {
            return Err(Refusal::bad(format!("{field} must be a multiple of 10 minutes")));
        }
    }
    Ok(())
}

fn external(rule: &mut Monitor, known: &Known<'_>) -> Outcome<()> {
    required(rule, "url")?;
    if !["http://", "https://"].iter().any(|scheme| text(rule, "url").starts_with(scheme)) {
        return Err(Refusal::bad("url must begin with http:// or https://"));
    }
    default(rule, "method", json!("GET"));
    default(rule, "maxCheckAttempts", json!(1));
    default(rule, "headers", json!([]));
    one_of(rule, "method", &["GET", "POST", "PUT", "DELETE"])?;
    one_of(rule, "dualstack", &["ipv4", "ipv6", "auto"])?;
    registered(rule, known)?;
    let timed = ["responseTimeWarning", "responseTimeCritical", "responseTimeDuration"];
    if timed.iter().any(|f| is_set(rule, f)) && !is_set(rule, "service") {
        return Err(Refusal::bad("monitoring response time needs a service"));
    }
    range(rule, "responseTimeDuration", 1..=10)
}

fn expression(rule: &Monitor, field: &str, minutes: std::ops::RangeInclusive<i64>) -> Outcome<()> {
    required(rule, field)?;
    thresholds(rule)?;
    range(rule, "evaluateBackwardMinutes", minutes)
}

fn anomaly(rule: &mut Monitor, known: &Known<'_>) -> Outcome<()> {
    default(rule, "maxCheckAttempts", json!(3));
    let scopes = rule.get("scopes").and_then(Value::as_array).map_or(0, Vec::len);
    let given = ["warningSensitivity", "criticalSensitivity"].map(|f| is_set(rule, f));
    if scopes == 0 || given == [false, false] {
        return Err(Refusal::bad("scopes and one of the sensitivities are needed"));
    }
    one_of(rule, "warningSensitivity", &SENSITIVITIES)?;
    one_of(rule, "criticalSensitivity", &SENSITIVITIES)?;
    range(rule, "trainingPeriodFrom", 0..=known.now)
}

fn default(rule: &mut Monitor, field: &str, value: Value) {
    if !is_set(rule, field) {
        rule.insert(field.to_owned(), value);
    }
}

fn is_set(rule: &Monitor, field: &str) -> bool {
    rule.get(field).is_some_and(|v| !v.is_null())
}

fn required(rule: &Monitor, field: &str) -> Outcome<()> {
    if text(rule, field).is_empty() { Err(Refusal::bad(format!("{field} is empty"))) } else { Ok(()) }
}

fn one_of(rule: &Monitor, field: &str, words: &[&str]) -> Outcome<()> {
    match rule.get(field) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(word)) if words.contains(&word.as_str()) => Ok(()),
        Some(other) => Err(Refusal::bad(format!("{field} must be one of {words:?}, found {other}"))),
    }
}

fn range(rule: &Monitor, field: &str, within: std::ops::RangeInclusive<i64>) -> Outcome<()> {
    match rule.get(field) {
        None | Some(Value::Null) => Ok(()),
        Some(value) if value.as_i64().is_some_and(|v| within.contains(&v)) => Ok(()),
        Some(other) => Err(Refusal::bad(format!("{field} is out of range: {other}"))),
    }
}

fn needed(rule: &Monitor, field: &str, within: std::ops::RangeInclusive<i64>) -> Outcome<()> {
    if !is_set(rule, field) {
        return Err(Refusal::bad(format!("{field} is missing")));
    }
    range(rule, field, within)
}

/// Thresholds are numbers or null: null is how mkr and the API say "none".
fn thresholds(rule: &Monitor) -> Outcome<()> {
    one_of(rule, "operator", &[">", "<"])?;
    required(rule, "operator")?;
    for field in ["warning", "critical"] {
        if rule.get(field).is_some_and(|v| !(v.is_number() || v.is_null())) {
            return Err(Refusal::bad(format!("{field} must be a number or null")));
        }
    }
    Ok(())
}

fn registered(rule: &Monitor, known: &Known<'_>) -> Outcome<()> {
    let service = text(rule, "service");
    if service.is_empty() || (known.scope)(service) {
        return Ok(());
    }
    Err(Refusal::bad(format!("service is not registered: {service}")))
}

fn scopes(rule: &Monitor, field: &str, known: &Known<'_>) -> Outcome<()> {
    let Some(scopes) = rule.get(field).filter(|v| !v.is_null()) else {
        return Ok(());
    };
    let wrong = |scope: &Value| Refusal::bad(format!("{field}: not a registered service or role: {scope}"));
    for scope in scopes.as_array().ok_or_else(|| wrong(scopes))? {
        if !scope.as_str().is_some_and(|s| (known.scope)(s)) {
            return Err(wrong(scope));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rule: &Value) -> Outcome<Monitor> {
        let known = Known { scope: Box::new(|s| matches!(s, "Svc" | "Svc:db" | "Svc: db")), now: 1_000 };
        complete(rule.as_object().cloned().unwrap(), &known)
    }

    #[test]
    fn every_type_is_taken_with_its_required_fields() {
        let accepted = [
            json!({"type": "connectivity"}),
            json!({"type": "host", "name": "a", "metric": "cpu%", "operator": ">", "duration": 3, "warning": 80, "critical": null}),
            json!({"type": "service", "name": "a", "service": "Svc", "metric": "m", "operator": "<", "duration": 1}),
            json!({"type": "external", "name": "a", "url": "https://x", "headers": null, "dualstack": "auto"}),
            json!({"type": "expression", "name": "a", "expression": "avg()", "operator": ">"}),
            json!({"type": "anomalyDetection", "name": "a", "scopes": ["Svc: db"], "warningSensitivity": "normal"}),
            json!({"type": "query", "name": "a", "query": "up", "operator": ">", "evaluateBackwardMinutes": 0}),
        ];
        for rule in accepted {
            judged(&rule).unwrap_or_else(|e| panic!("{rule}: {e}"));
        }
    }

    #[test]
    fn what_the_documentation_refuses_is_refused() {
        let host = json!({"type": "host", "name": "a", "metric": "cpu%", "operator": ">", "duration": 3});
        let with = |field: &str, value: Value| {
            let mut rule = host.clone();
            rule[field] = value;
            rule
        };
        let refused = [
            json!({"type": "otelFuture", "name": "a"}),
            json!({"type": "connectivity", "alertStatusOnGone": "UNKNOWN"}),
            with("name", json!("")),
            with("duration", json!(11)),
            with("duration", Value::Null),
            with("operator", json!(">=")),
            with("warning", json!(101)),
            with("critical", json!("90")),
            with("memo", json!("x".repeat(MAX_MEMO + 1))),
            with("notificationInterval", json!(9)),
            with("maxCheckAttempts", json!(0)),
            with("scopes", json!(["Nowhere"])),
            with("excludeScopes", json!(["Svc:web"])),
            json!({"type": "service", "name": "a", "service": "Nowhere", "metric": "m", "operator": "<", "duration": 1}),
            json!({"type": "service", "name": "a", "service": "Svc", "metric": "m", "operator": "<", "duration": 1, "missingDurationWarning": 15}),
            json!({"type": "external", "name": "a", "url": "ftp://x"}),
            json!({"type": "external", "name": "a", "url": "http://x", "responseTimeWarning": 5}),
            json!({"type": "anomalyDetection", "name": "a", "scopes": [], "warningSensitivity": "normal"}),
            json!({"type": "anomalyDetection", "name": "a", "scopes": ["Svc"]}),
            json!({"type": "anomalyDetection", "name": "a", "scopes": ["Svc"], "warningSensitivity": "normal", "trainingPeriodFrom": 1_001}),
            json!({"type": "expression", "name": "a", "expression": "x", "operator": ">", "evaluateBackwardMinutes": 1}),
        ];
        for rule in refused {
            let refusal = judged(&rule).expect_err(&rule.to_string());
            assert_eq!(refusal.status, 400, "{rule}");
        }
    }

    #[test]
    fn defaults_are_filled_in_and_unknown_fields_are_kept() {
        let rule = judged(&json!({"type": "connectivity", "fromTheFuture": {"a": 1}})).unwrap();
        assert_eq!(text(&rule, "name"), "connectivity");
        assert_eq!(text(&rule, "alertStatusOnGone"), "CRITICAL");
        assert_eq!(rule["isMute"], false);
        assert_eq!(rule["fromTheFuture"]["a"], 1);
    }
}
