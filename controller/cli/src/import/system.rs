//! The monitoring system as a first tree describes it: how to reach it, and what joins its registrations to hosts. Pure.
//!
//! A recording holds neither credentials nor addresses: Secrets are named and not written, and what is guessed says so.

use rollcall_crds::v1alpha1 as api;
use rollcall_engine::registry::Product;

use super::observe::System;

/// Where Debian's and most other Nagioses have their CGIs.
const CGIS: &str = "/nagios4/cgi-bin/";
/// What stands for a server that the recording does not name.
const SERVER: &str = "nagios.example.com";
/// Longest name of a server that is taken from a recording.
const MOST_SERVER: usize = 200;

/// The spec, and what it was derived from.
pub fn spec(system: &System<'_>) -> (api::MonitoringSystemSpec, Vec<String>) {
    let mut reasons = system.reasons.clone();
    let (mut mackerel, mut nagios) = (None, None);
    match system.registry.product {
        Product::Mackerel => {
            mackerel = Some(self::mackerel(system));
            let secret =
                "The Secret is yours to create, in this namespace; a key that may only read is enough.";
            reasons.push(secret.to_owned());
        }
        Product::Nagios => {
            nagios = Some(self::nagios(system));
            let address =
                "The address is a guess: put in that of the folder with statusjson.cgi and objectjson.cgi.";
            let secret = "The Secret is yours to create, in this namespace, for a user that is no contact of Nagios and is \
                          named in authorized_for_all_hosts and authorized_for_all_services of cgi.cfg.";
            reasons.extend([address.to_owned(), secret.to_owned()]);
        }
    }
    let join = system.rules.clone();
    (
        api::MonitoringSystemSpec {
            mackerel,
            nagios,
            ca_secret: None,
            only_accounts: None,
            join,
            silent_minutes: 30,
        },
        reasons,
    )
}

fn mackerel(system: &System<'_>) -> api::MackerelSystem {
    let organization = system.registry.organization.as_ref().map(|reading| reading.seen.clone());
    let is_name = |name: &String| {
        (1..=64).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    api::MackerelSystem {
        api_url: None,
        api_key_secret: api::SecretKey { name: system.key.name.to_string(), key: "api-key".to_owned() },
        organization: organization.filter(is_name),
    }
}

fn nagios(system: &System<'_>) -> api::NagiosSystem {
    let server = server(&system.registry.hosts.source).unwrap_or(SERVER);
    api::NagiosSystem {
        status_url: format!("https://{server}{CGIS}"),
        basic_auth_secret: api::SecretName { name: system.key.name.to_string() },
        interval_length_seconds: 60,
    }
}

/// The server that a reading names as its source, `hosts of nagios SERVER`; none when that was a file.
fn server(source: &str) -> Option<&str> {
    let server = source.strip_prefix("hosts of nagios ")?;
    let is_server = server.contains('.')
        && server.len() <= MOST_SERVER
        && server.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'));
    is_server.then_some(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_a_server_or_none() {
        for (source, told) in [
            ("hosts of nagios mon.example.com", Some("mon.example.com")),
            ("hosts of nagios 10.0.0.1:8080", Some("10.0.0.1:8080")),
            ("hosts of nagios /var/cache/nagios4/status.dat", None),
            ("hosts of nagios a b.c", None),
            ("hosts of nagios", None),
            ("hosts", None),
        ] {
            assert_eq!(server(source), told, "{source}");
        }
    }
}
