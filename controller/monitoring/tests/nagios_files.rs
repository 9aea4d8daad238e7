//! Nagios by its files: real ones, odd ones, and the laws of cutting them.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rollcall_engine::reading::{Extent, FailureKind, Reading};
use rollcall_monitoring::nagios::{
    Files, Host, HostState, NagiosSource, Service, ServiceState, Terms, Told, Way, from_bytes,
};

const OBJECTS: &str = include_str!("fixtures/nagios/nagios-4.4.6-objects.cache");
const STATUS: &str = include_str!("fixtures/nagios/nagios-4.4.6-status.dat");
const ICINGA_OBJECTS: &str = include_str!("fixtures/nagios/icinga2-2.13.6-objects.cache");
const ICINGA_STATUS: &str = include_str!("fixtures/nagios/icinga2-2.13.6-status.dat");

/// When the fixtures were taken.
fn then() -> Timestamp {
    Timestamp::from_second(1_795_403_915).unwrap()
}

fn seconds() -> Terms {
    Terms { interval_length: SignedDuration::from_secs(1), ..Terms::default() }
}

fn read(objects: impl AsRef<[u8]>, status: impl AsRef<[u8]>) -> Told {
    from_bytes(objects.as_ref(), status.as_ref(), "test", &seconds(), then())
}

fn is_complete<T>(reading: &Reading<T>) -> bool {
    matches!(reading.extent, Extent::Complete { .. })
}

/// Why a reading is not complete: the kind and the message of its first gap, or of its failure.
fn why<T>(reading: &Reading<T>) -> (FailureKind, String) {
    match &reading.extent {
        Extent::Complete { .. } => panic!("{} is complete", reading.source),
        Extent::Partial { missing, .. } => (missing[0].why.kind, missing[0].why.message.clone()),
        Extent::Failed { why, .. } => (why.kind, why.message.clone()),
    }
}

fn host<'a>(told: &'a Told, name: &str) -> &'a Host {
    told.hosts.seen.iter().find(|host| host.name.as_str() == name).unwrap()
}

fn service<'a>(told: &'a Told, host: &str, name: &str) -> &'a Service {
    let mut services = told.services.seen.iter();
    services.find(|s| s.host.as_str() == host && s.name.as_str() == name).unwrap()
}

#[test]
fn a_real_nagios() {
    let told = read(OBJECTS, STATUS);
    for complete in [
        is_complete(&told.program),
        is_complete(&told.hosts),
        is_complete(&told.services),
        is_complete(&told.downtimes),
        is_complete(&told.contacts),
    ] {
        assert!(complete, "{told:#?}");
    }
    assert_eq!(told.hosts.at(), Some(then()));

    let program = told.program.seen.as_ref().unwrap();
    assert_eq!(program.version.as_deref(), Some("4.4.6"));
    assert_eq!(program.notifications, Some(false), "the fixture was taken with notifications switched off");
    assert_eq!(program.started.unwrap().as_second(), 1_795_403_906);

    let abc = host(&told, "i-0abc");
    assert_eq!(abc.alias.as_deref(), Some("jp1-app-1"));
    assert_eq!(abc.address.as_deref(), Some("127.0.0.1"));
    assert_eq!(abc.variables["INSTANCE_ID"], "i-0abc");
    assert_eq!(abc.variables["ROLLCALL_OWNER"], "env/jp1");
    assert_eq!((abc.check.state, abc.check.in_downtime), (Some(HostState::Up), Some(false)));
    assert_eq!(abc.check.command.as_deref(), Some("check_dummy"), "without its arguments");
    let def = host(&told, "i-0def");
    assert_eq!(
        (def.check.active, def.check.notifications),
        (Some(false), Some(false)),
        "switched off at run time"
    );
    assert_eq!(def.check.in_downtime, Some(true));
    assert_eq!(def.check.downtime_until.unwrap().as_second(), 1_795_404_512);

    let http = service(&told, "i-0abc", "http");
    assert_eq!((http.check.state, http.check.acknowledged), (Some(ServiceState::Critical), Some(true)));
    assert_eq!(http.check.due.unwrap().as_second(), 1_795_403_918 + 2 * 5);
    let reported = service(&told, "i-0abc", "Serverspec");
    assert_eq!((reported.check.active, reported.check.passive), (Some(false), Some(true)));
    assert_eq!(reported.check.due.unwrap().as_second(), 1_795_403_912 + 40);
    assert_eq!(reported.check.is_stale(then()), Some(false));
    assert_eq!(reported.check.is_stale(then() + SignedDuration::from_mins(1)), Some(true));
    assert_eq!(
        service(&told, "i-0def", "http").check.due,
        None,
        "nobody says when: its checks are switched off"
    );

    let recipients = &http.check.recipients;
    assert_eq!(recipients.groups.iter().map(|g| &**g).collect::<Vec<_>>(), ["admins"]);
    assert_eq!(recipients.contacts.iter().map(|c| &**c).collect::<Vec<_>>(), ["oncall"], "through the group");
    let oncall = &told.contacts.seen[0];
    assert_eq!((oncall.of_hosts.configured, oncall.of_hosts.now), (Some(true), Some(true)));
    assert_eq!(told.downtimes.seen.len(), 4, "scheduled five times, twice for the same thing and time");
}

#[test]
fn a_real_icinga() {
    let told =
        from_bytes(ICINGA_OBJECTS.as_bytes(), ICINGA_STATUS.as_bytes(), "test", &Terms::default(), then());
    assert!(is_complete(&told.hosts) && is_complete(&told.services), "{told:#?}");
    assert_eq!(told.program.seen.as_ref().unwrap().version.as_deref(), Some("r2.13.6-1"));
    assert_eq!(told.hosts.seen.len(), 1);
    let host = host(&told, "i-static");
    assert_eq!(host.variables["INSTANCE_ID"], "i-static", "Icinga writes names of variables in lower case");
    assert_eq!((host.check.state, host.check.active), (Some(HostState::Up), Some(true)));
    assert_eq!(host.check.last_check.unwrap().as_second(), 1_795_403_914);
    assert!(host.check.recipients.contacts.is_empty());
}

#[test]
fn yesterdays_file_and_tomorrows_are_not_believed() {
    for (created, kind) in [
        (1_795_317_515, FailureKind::Stale),
        (1_795_490_315, FailureKind::Malformed),
        (0, FailureKind::Malformed),
    ] {
        let status = STATUS.replace("created=1795403915", &format!("created={created}"));
        let told = read(OBJECTS, status);
        assert_eq!(why(&told.hosts).0, kind, "{:?}", told.hosts);
        assert_eq!(why(&told.program).0, kind);
        assert!(told.hosts.seen.is_empty() && told.services.seen.is_empty());
    }
}

#[test]
fn files_that_do_not_belong_together_are_no_proof() {
    let lone = "define host {\n\thost_name\tnew\n\t}\n\n";
    let told = read(format!("{OBJECTS}{lone}"), STATUS);
    let (kind, message) = why(&told.hosts);
    assert_eq!(kind, FailureKind::Malformed);
    assert!(
        message.contains(
            "expected a status for all hosts of the configuration, found none for 1, the first being \"new\""
        ),
        "{message}"
    );
    assert_eq!(host(&told, "new").check.state, None, "present, and nothing else is known of it");
    assert!(is_complete(&told.services), "the other lists are not in doubt");

    let told = read(
        OBJECTS,
        format!("{STATUS}servicestatus {{\n\thost_name=i-0abc\n\tservice_description=ssh\n\t}}\n"),
    );
    assert!(why(&told.services).1.contains("expected a configuration for all services of the status"));
    assert!(is_complete(&told.hosts));
}

#[test]
fn an_odd_value_is_unknown_and_an_odd_name_is_a_gap() {
    for (from, to) in [
        ("current_state=2", "current_state=7"),
        ("current_state=2", "current_state=two"),
        ("current_state=2", "x=2"),
        ("has_been_checked=1", "has_been_checked=maybe"),
    ] {
        let told = read(OBJECTS, STATUS.replace(from, to));
        assert!(is_complete(&told.services), "{to}: {:?}", told.services.extent);
        assert_eq!(service(&told, "i-0abc", "http").check.state, None, "{to}");
    }
    for (from, to) in [
        ("\thost_name\ti-0def\n\talias", "\thost_name\t\n\talias"),
        ("\thost_name\ti-0def\n\talias", "\thost_name\ti-0\0def\n\talias"),
        ("\t_INSTANCE_ID\ti-0def", "\t_INSTANCE_ID\ti-0def\n\t_INSTANCE_ID\ti-0abc"),
        ("\thost_name\ti-0def\n\talias", "\thost_name\ti-0abc\n\talias"),
    ] {
        assert!(OBJECTS.contains(from));
        let told = read(OBJECTS.replace(from, to), STATUS);
        assert!(matches!(told.hosts.extent, Extent::Partial { .. }), "{to:?}: {:?}", told.hosts.extent);
        assert_eq!(host(&told, "i-0abc").check.state, Some(HostState::Up), "the others stand");
    }
}

#[test]
fn zero_checked_zero_times_is_pending() {
    let told = read(
        OBJECTS,
        STATUS
            .replace("has_been_checked=1", "has_been_checked=0")
            .replace("last_check=1", "last_check=0\n\tx=1"),
    );
    assert_eq!(host(&told, "i-0abc").check.state, Some(HostState::Pending));
    assert_eq!(service(&told, "i-0abc", "http").check.state, Some(ServiceState::Pending));
    assert_eq!(service(&told, "i-0abc", "http").check.last_check, None);
}

#[test]
fn text_that_is_no_text_is_replaced_and_japanese_is_kept() {
    let mut objects = OBJECTS.replace("jp1-app-1", "本番-1").into_bytes();
    let at = objects.windows(9).position(|w| w == b"jp1-app-2").unwrap();
    objects[at] = 0xff;
    let told = read(objects, STATUS);
    assert!(is_complete(&told.hosts));
    assert_eq!(host(&told, "i-0abc").alias.as_deref(), Some("本番-1"));
    assert_eq!(host(&told, "i-0def").alias.as_deref(), Some("\u{fffd}p1-app-2"));
}

#[test]
fn no_hosts_in_both_files_is_a_whole_list_of_none() {
    let status = format!("{}\n", &STATUS[..STATUS.find("hoststatus {").unwrap()]);
    let told = read("# nothing\n", &status);
    assert!(is_complete(&told.hosts) && is_complete(&told.services), "Icinga 2 runs without hosts");
    for status in ["", "# x\n", "info {\n\tcreated=1795403915\n\t}\n", "programstatus {\n\t}\n", "<html>"] {
        assert_eq!(why(&read("", status).hosts).0, FailureKind::Malformed, "{status:?}");
    }
}

#[test]
fn a_monstrous_line_is_refused() {
    let long = "x".repeat(2_000_000);
    let told = read(OBJECTS.replace("\talias\tjp1-app-2", &format!("\talias\t{long}")), STATUS);
    assert_eq!(why(&told.hosts).0, FailureKind::TooLarge);
    let told = read(OBJECTS.replace("members\ti-0abc", &format!("members\t{long},i-0abc")), STATUS);
    assert!(is_complete(&told.hosts), "a group that is not read may be as long as it likes");
}

async fn from_paths(objects: &Path, status: &Path) -> Told {
    let files = Files { objects: objects.to_owned(), status: status.to_owned() };
    NagiosSource::new(Way::Files(files), seconds()).read(then()).await
}

#[tokio::test]
async fn files_that_are_not_there_or_are_none_fail_and_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let (objects, status) = (folder.path().join("objects.cache"), folder.path().join("status.dat"));
    std::fs::write(&objects, OBJECTS).unwrap();
    let told = from_paths(&objects, &status).await;
    let (kind, message) = why(&told.hosts);
    assert_eq!(kind, FailureKind::Unreachable, "Nagios removes it when it stops");
    assert!(message.contains("see whether it runs"), "{message}");

    std::fs::write(&status, STATUS).unwrap();
    let told = from_paths(&objects, &status).await;
    assert!(is_complete(&told.hosts), "{:?}", told.hosts.extent);
    assert_eq!(
        why(&from_paths(&folder.path().join("none"), &status).await.hosts).0,
        FailureKind::Misconfigured
    );
    assert_eq!(why(&from_paths(folder.path(), &status).await.hosts).0, FailureKind::Misconfigured);
    let fifo = folder.path().join("nagios.cmd");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert_eq!(
        why(&from_paths(&objects, &fifo).await.hosts).0,
        FailureKind::Misconfigured,
        "and nobody waits"
    );
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
