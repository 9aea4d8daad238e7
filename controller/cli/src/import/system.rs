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
/// Longest name of a server or file that is taken from a recording, in bytes; a source is cut after 160 characters.
const MOST_SERVER: usize = 150;

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
            let spec = self::nagios(system);
            let more: &[&str] = if spec.files.is_some() {
                &[
                    "The readings came from these files; the path of the configuration is a guess: object_cache_file in nagios.cfg.",
                    "Whoever reads them must be allowed to: --nagios-files.",
                ]
            } else {
                &[
                    "The address is a guess: put in that of the folder with statusjson.cgi and objectjson.cgi.",
                    "The Secret is yours to create, in this namespace, for a user that is no contact of Nagios and is \
                     named in authorized_for_all_hosts and authorized_for_all_services of cgi.cfg.",
                ]
            };
            reasons.extend(more.iter().map(|reason| (*reason).to_owned()));
            nagios = Some(spec);
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
    let source = &system.registry.hosts.source;
    let interval_length_seconds = 60;
    if let Some(files) = files(source) {
        return api::NagiosSystem { files: Some(files), interval_length_seconds, ..Default::default() };
    }
    let server = server(source).unwrap_or(SERVER);
    api::NagiosSystem {
        status_url: Some(format!("https://{server}{CGIS}")),
        basic_auth_secret: Some(api::SecretName { name: system.key.name.to_string() }),
        files: None,
        interval_length_seconds,
    }
}

/// The files, where a reading names that of the status as its source: `hosts of nagios /var/cache/nagios4/status.dat`. The other
/// one mostly lies beside it.
fn files(source: &str) -> Option<api::NagiosFiles> {
    let status = source.strip_prefix("hosts of nagios ")?;
    let (folder, _) = status.rsplit_once('/').filter(|_| {
        status.starts_with('/') && status.len() <= MOST_SERVER && !status.contains(char::is_whitespace)
    })?;
    Some(api::NagiosFiles {
        object_cache_file: format!("{folder}/objects.cache"),
        status_file: status.to_owned(),
    })
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

    #[test]
    fn a_source_names_files_or_none() {
        let files = |source: &str| files(source).map(|files| (files.object_cache_file, files.status_file));
        let told =
            ("/var/cache/nagios4/objects.cache".to_owned(), "/var/cache/nagios4/status.dat".to_owned());
        assert_eq!(files("hosts of nagios /var/cache/nagios4/status.dat"), Some(told));
        assert_eq!(files("hosts of nagios mon.example.com"), None);
        assert_eq!(files("hosts of nagios /a file/status.dat"), None);
    }
}
