//! URLs that teams write into custom resources.

use std::net::IpAddr;

use rollcall_monitoring::endpoint::{EndpointPolicy, special};

/// An address that passes is one of https, without a user, of a name or of a public address; it has one spelling; and no segment
/// leads out of it.
pub(crate) fn endpoint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let policy = EndpointPolicy::default();
    let Ok(endpoint) = policy.endpoint(text) else { return };
    assert!(endpoint.as_str().starts_with("https://") && endpoint.as_str().ends_with('/'), "{endpoint}");
    let authority = endpoint.as_str().split('/').nth(2).unwrap_or_default();
    assert!(!endpoint.host().is_empty() && !authority.contains('@'), "{endpoint}");
    assert!(!endpoint.as_str().contains(['?', '#']), "{endpoint}");
    let literal = endpoint.host().trim_matches(['[', ']']).parse::<IpAddr>();
    assert!(literal.map_or(true, |address| special(address).is_none()), "{endpoint}");
    assert_eq!(policy.endpoint(endpoint.as_str()).as_ref(), Ok(&endpoint), "another spelling");
    let below = endpoint.at(&["api", "..", text, "?x"]);
    assert!(below.as_str().starts_with(endpoint.as_str()), "{below} is not below {endpoint}");
}
