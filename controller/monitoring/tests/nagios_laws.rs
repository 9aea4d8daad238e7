//! The laws of reading Nagios' files: what is written is read, and what was lost on the way is never a shorter list.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt::Write as _;

use jiff::Timestamp;
use proptest::prelude::*;
use rollcall_engine::reading::{Extent, Reading};
use rollcall_monitoring::nagios::{HostState, ServiceState, Terms, Told, from_bytes};

const OBJECTS: &str = include_str!("fixtures/nagios/nagios-4.4.6-objects.cache");
const STATUS: &str = include_str!("fixtures/nagios/nagios-4.4.6-status.dat");

fn read(objects: impl AsRef<[u8]>, status: impl AsRef<[u8]>) -> Told {
    // When the fixtures were taken.
    let then = Timestamp::from_second(1_795_403_915).unwrap();
    from_bytes(objects.as_ref(), status.as_ref(), "test", &Terms::default(), then)
}

fn is_complete<T>(reading: &Reading<T>) -> bool {
    matches!(reading.extent, Extent::Complete { .. })
}

/// A small installation, as it is configured.
#[derive(Clone, Debug)]
struct Site {
    hosts: Vec<(String, String, u8, u8)>,
}

fn sites() -> impl Strategy<Value = Site> {
    let host = ("[a-z][a-z0-9.-]{0,8}", "[ -~あ-ん]{0,12}", 0_u8..3, 0_u8..4);
    prop::collection::vec(host, 1..6).prop_map(|mut hosts| {
        hosts.sort();
        hosts.dedup_by(|a, b| a.0 == b.0);
        Site { hosts }
    })
}

impl Site {
    fn objects(&self) -> String {
        let mut text = "# objects\ndefine contact {\n\tcontact_name\toncall\n\t}\n\n".to_owned();
        for (name, variable, ..) in &self.hosts {
            writeln!(text, "define host {{\n\thost_name\t{name}\n\t_INSTANCE_ID\t{variable}\n\t}}\n")
                .unwrap();
        }
        for (name, .., services) in &self.hosts {
            for n in 0..*services {
                writeln!(
                    text,
                    "define service {{\n\thost_name\t{name}\n\tservice_description\ts {n}\n\t}}\n"
                )
                .unwrap();
            }
        }
        text
    }

    fn status(&self) -> String {
        let mut text =
            "info {\n\tcreated=1795403915\n\t}\n\nprogramstatus {\n\tenable_notifications=1\n\t}\n\n"
                .to_owned();
        for (name, _, state, _) in &self.hosts {
            writeln!(
                text,
                "hoststatus {{\n\thost_name={name}\n\thas_been_checked=1\n\tcurrent_state={state}\n\t}}\n"
            )
            .unwrap();
        }
        for (name, .., services) in &self.hosts {
            for n in 0..*services {
                writeln!(text, "servicestatus {{\n\thost_name={name}\n\tservice_description=s {n}\n\thas_been_checked=0\n\tcurrent_state=0\n\t}}\n").unwrap();
            }
        }
        text + "contactstatus {\n\tcontact_name=oncall\n\thost_notifications_enabled=0\n\t}\n"
    }

    fn services(&self) -> usize {
        self.hosts.iter().map(|host| usize::from(host.3)).sum()
    }

    /// Nothing of `told` is whole and lacks something.
    fn judge(&self, told: &Told) {
        if is_complete(&told.hosts) {
            assert_eq!(told.hosts.seen.len(), self.hosts.len(), "{told:?}");
        }
        if is_complete(&told.services) {
            assert_eq!(told.services.seen.len(), self.services(), "{told:?}");
        }
        if is_complete(&told.contacts) {
            assert_eq!(told.contacts.seen.len(), 1, "{told:?}");
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(site in sites()) {
        let told = read(site.objects(), site.status());
        prop_assert!(is_complete(&told.hosts) && is_complete(&told.services) && is_complete(&told.contacts), "{:?}", told);
        prop_assert_eq!(told.services.seen.len(), site.services());
        let states = [HostState::Up, HostState::Down, HostState::Unreachable];
        for (host, (name, variable, state, _)) in told.hosts.seen.iter().zip(&site.hosts) {
            prop_assert_eq!(host.name.as_str(), name);
            prop_assert_eq!(host.variables.get("INSTANCE_ID").map_or("", String::as_str), variable);
            prop_assert_eq!(host.check.state, Some(states[usize::from(*state)]));
        }
        prop_assert!(told.services.seen.iter().all(|s| s.check.state == Some(ServiceState::Pending)));
        prop_assert_eq!(told.contacts.seen[0].of_hosts.now, Some(false));
    }

    #[test]
    fn a_file_cut_anywhere_never_hides_a_host(site in sites(), at in any::<prop::sample::Index>(), which: bool) {
        let (objects, status) = (site.objects(), site.status());
        let (objects, status) = (objects.as_bytes(), status.as_bytes());
        let told = if which {
            read(&objects[..at.index(objects.len())], status)
        } else {
            read(objects, &status[..at.index(status.len())])
        };
        site.judge(&told);
    }

    #[test]
    fn a_hole_anywhere_never_hides_a_host(site in sites(), at in any::<prop::sample::Index>(), long in 1_usize..400) {
        // A line feed is kept, as when a block of a disk was lost.
        let mut objects = site.objects().into_bytes();
        let from = at.index(objects.len());
        let to = (from + long).min(objects.len());
        objects[from..to].iter_mut().for_each(|byte| *byte = 0);
        site.judge(&read(objects, site.status()));
    }

    #[test]
    fn any_bytes_at_all_give_an_answer(
        objects in prop::collection::vec(any::<u8>(), 0..300), status in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let told = read(objects, &status);
        prop_assert!(!is_complete(&told.hosts), "nothing was proved: {:?}", told);
        let _ = read(&status, STATUS);
    }

    #[test]
    fn nearly_files_give_an_answer(text in r"(define host \{\n|\thost_name\ta\n|\thost_name=a\n|hoststatus \{\n|\t\}\n|x|\n| |\t|=){0,20}") {
        let _ = read(&text, format!("{STATUS}{text}"));
        let _ = read(format!("{OBJECTS}{text}"), STATUS);
    }
}
