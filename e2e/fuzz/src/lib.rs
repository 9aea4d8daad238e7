//! `make fuzz`: every parser of foreign formats, on bytes that nobody meant.
//!
//! A body takes any bytes, reads them as its parser does, and holds what was read against the laws of that format: the same
//! bytes say the same, nothing is seen that is not there, and what was cut is never taken for whole. It fails by panicking, as
//! the parser itself would. libFuzzer drives the bodies (`tests/libfuzzer.rs`); `tests/seeds.rs` runs them over `seeds/` and over
//! `crashers/`, what once broke them, in every ordinary test run. A body must never read a clock, a file or a network.

mod aws;
mod endpoint;
mod fleet;
mod http;
mod json;
mod laws;
mod mackerel;
mod manifest;
mod nagios;
mod recording;

/// One parser.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folders of seeds and crashers.
    pub name: &'static str,
    /// Reads the bytes and judges what was read; panics when a law is broken.
    pub body: fn(&[u8]),
}

/// Every parser of a foreign format.
pub const TARGETS: &[Target] = &[
    Target { name: "nagios_objects_cache", body: nagios::objects_cache },
    Target { name: "nagios_status_dat", body: nagios::status_dat },
    Target { name: "nagios_cgi_hosts", body: nagios::hosts },
    Target { name: "nagios_cgi_services", body: nagios::services },
    Target { name: "nagios_cgi_contacts", body: nagios::contacts },
    Target { name: "nagios_cgi_host_status", body: nagios::host_statuses },
    Target { name: "nagios_cgi_service_status", body: nagios::service_statuses },
    Target { name: "nagios_cgi_downtimes", body: nagios::downtimes },
    Target { name: "nagios_cgi_program", body: nagios::program },
    Target { name: "mackerel_hosts", body: mackerel::hosts },
    Target { name: "mackerel_services", body: mackerel::services },
    Target { name: "mackerel_monitors", body: mackerel::monitors },
    Target { name: "mackerel_checks", body: mackerel::checks },
    Target { name: "mackerel_metrics", body: mackerel::metrics },
    Target { name: "mackerel_notifications", body: mackerel::notifications },
    Target { name: "json_cutters", body: json::cutters },
    Target { name: "http_refusal", body: http::refusal },
    Target { name: "http_retry_after", body: http::retry_after },
    Target { name: "endpoint", body: endpoint::endpoint },
    Target { name: "aws_answer", body: aws::answer },
    Target { name: "manifest", body: manifest::manifest },
    Target { name: "fleet", body: fleet::fleet },
    Target { name: "recording", body: recording::recording },
    Target { name: "roll_call", body: recording::roll_call },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
