//! Nagios by its files: real ones and odd ones.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
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
    let within = objects.parent().unwrap().to_owned();
    let files = Files { within, objects: objects.to_owned(), status: status.to_owned() };
    NagiosSource::new(Way::Files(files), seconds()).told(then()).await
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

#[tokio::test]
async fn only_files_in_the_folder_that_the_admin_allows_are_opened_wherever_links_lead() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (place, name, text) in
        [(&folder, "objects.cache", OBJECTS), (&folder, "status.dat", STATUS), (&elsewhere, "secret", STATUS)]
    {
        std::fs::write(place.path().join(name), text).unwrap();
    }
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
    link(&elsewhere.path().join("secret"), "out");
    link(&elsewhere.path().join("nothing"), "nowhere");
    link(&folder.path().join("status.dat"), "in");
    link(elsewhere.path(), "door");
    let up = folder.path().join("..").join(elsewhere.path().file_name().unwrap()).join("secret");
    let read = async |status: &Path| {
        let objects = folder.path().join("objects.cache");
        let files = Files { within: folder.path().to_owned(), objects, status: status.to_owned() };
        NagiosSource::new(Way::Files(files), seconds()).told(then()).await
    };
    assert!(is_complete(&read(&folder.path().join("in")).await.hosts), "a link within is followed");
    let outside = [
        elsewhere.path().join("secret"),
        elsewhere.path().join("nothing"),
        folder.path().join("out"),
        folder.path().join("door/secret"),
        up,
        Path::new("/proc/self/environ").to_owned(),
    ];
    for status in outside {
        let told = read(&status).await;
        let (kind, message) = why(&told.hosts);
        assert_eq!(kind, FailureKind::Misconfigured, "{}", status.display());
        assert!(message.contains("which is elsewhere"), "{message}");
    }
    assert_eq!(why(&read(&folder.path().join("nowhere")).await.hosts).0, FailureKind::Unreachable);
}
