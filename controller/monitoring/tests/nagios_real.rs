//! The real Nagios 4 of Debian judges the reader: both ways, in the states that matter, alive and dead.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
mod nagios_world;

use jiff::Timestamp;
use nagios_world::{World, host, service, unpacked};
use rollcall_engine::reading::{Extent, FailureKind, Reading};
use rollcall_monitoring::nagios::{Check, Host, HostState, NagiosSource, Service, ServiceState, Told};

const PASSIVE: [(&str, &str); 2] = [("active_checks_enabled", "0"), ("passive_checks_enabled", "1")];

fn is_complete<T>(reading: &Reading<T>) -> bool {
    matches!(reading.extent, Extent::Complete { .. })
}

fn failed<T>(reading: &Reading<T>) -> Option<FailureKind> {
    if let Extent::Failed { why, .. } = &reading.extent { Some(why.kind) } else { None }
}

fn host_of<'a>(told: &'a Told, name: &str) -> &'a Host {
    told.hosts.seen.iter().find(|host| host.name.as_str() == name).unwrap()
}

fn service_of<'a>(told: &'a Told, host: &str, name: &str) -> &'a Service {
    let mut services = told.services.seen.iter();
    services.find(|s| s.host.as_str() == host && s.name.as_str() == name).unwrap()
}

/// Both ways' words of one status of Nagios, whichever that is; what only the files know is taken out of theirs.
async fn both(world: &World, cgi: &mut NagiosSource) -> (Told, Told) {
    let mut files = world.files();
    // Nagios writes a new status every second: what is read before and after must be the same.
    for _ in 0..100 {
        let before = files.told(Timestamp::now()).await;
        let by_cgi = cgi.told(Timestamp::now()).await;
        let mut after = files.told(Timestamp::now()).await;
        if before == after {
            for contact in &mut after.contacts.seen {
                (contact.of_hosts.now, contact.of_services.now) = (None, None);
            }
            return (after, by_cgi);
        }
    }
    panic!("Nagios wrote a new status a hundred times");
}

fn agree<T: PartialEq + std::fmt::Debug>(files: &Reading<T>, cgi: &Reading<T>) {
    assert!(is_complete(files), "{files:#?}");
    assert_eq!((&files.seen, &files.extent), (&cgi.seen, &cgi.extent));
}

/// A site with everything in it: the ground truth of the story below.
fn site() -> String {
    let fresh = [PASSIVE[0], PASSIVE[1], ("check_freshness", "1")];
    [
        host(
            "up",
            &[("alias", "web-1"), ("address", "10.0.0.1"), ("_INSTANCE_ID", "i-0abc"), ("_odd", "a b;c")],
        ),
        host("down", &[("check_command", "check_dummy!2")]),
        host("behind", &[("check_command", "check_dummy!2"), ("parents", "down")]),
        host("new", &PASSIVE),
        host("quiet", &[("contacts", "silent")]),
        service("up", "ok", "check_dummy!0", &[]),
        service("up", "warning", "check_dummy!1", &[("contacts", "silent"), ("contact_groups", "null")]),
        service("up", "critical", "check_dummy!2", &[]),
        service("up", "unknown", "check_dummy!3", &[]),
        service("up", "never", "check_dummy!3!no result", &PASSIVE),
        service(
            "up",
            "reported",
            "check_dummy!3!no result",
            &[&fresh[..], &[("freshness_threshold", "3600")]].concat(),
        ),
        service(
            "up",
            "stale",
            "check_dummy!3!no result",
            &[&fresh[..], &[("freshness_threshold", "2")]].concat(),
        ),
        service("quiet", "ok", "check_dummy!0", &[]),
    ]
    .concat()
}

/// Everything that people and agents do to it, by the FIFO.
fn acts(world: &World) {
    let now = Timestamp::now().as_second();
    let until = now + 3_600;
    for line in [
        "PROCESS_SERVICE_CHECK_RESULT;up;reported;0;\u{1b}[32mall well\u{1b}[0m|a=1\\nlong".to_owned(),
        "DISABLE_HOST_NOTIFICATIONS;quiet".to_owned(),
        "DISABLE_HOST_CHECK;quiet".to_owned(),
        "DISABLE_SVC_NOTIFICATIONS;up;warning".to_owned(),
        "DISABLE_CONTACT_HOST_NOTIFICATIONS;oncall".to_owned(),
        "DISABLE_NOTIFICATIONS".to_owned(),
        format!("SCHEDULE_HOST_DOWNTIME;down;{now};{until};1;0;0;me;release"),
        format!("SCHEDULE_SVC_DOWNTIME;up;critical;{now};{until};1;0;0;me;release"),
        format!("SCHEDULE_SVC_DOWNTIME;up;critical;{now};{};1;0;0;me;longer", until + 60),
        format!("SCHEDULE_SVC_DOWNTIME;up;ok;{until};{};1;0;0;me;later", until + 60),
        "ACKNOWLEDGE_SVC_PROBLEM;up;unknown;2;0;1;me;known".to_owned(),
    ] {
        world.command(&line);
    }
}

/// Whether Nagios has got to where the story wants it.
fn is_settled(told: &Told) -> bool {
    let host = |name, state| host_of(told, name).check.state == Some(state);
    let service = |name: &str| &service_of(told, "up", name).check;
    is_complete(&told.services)
        && host("up", HostState::Up)
        && host("down", HostState::Down)
        && ["ok", "warning", "critical"].iter().all(|name| service(name).last_check.is_some())
        && service("reported").state == Some(ServiceState::Ok)
        && service("stale").state == Some(ServiceState::Unknown)
        && service("unknown").acknowledged == Some(true)
        && service("critical").in_downtime == Some(true)
        && host_of(told, "down").check.in_downtime == Some(true)
        && told.contacts.seen.iter().any(|c| c.of_hosts.now == Some(false))
}

async fn settled(world: &mut World) -> Told {
    world
        .told("all active checks have run", |told| {
            is_complete(&told.services)
                && service_of(told, "up", "unknown").check.state == Some(ServiceState::Unknown)
        })
        .await;
    acts(world);
    world.told("everything has settled", is_settled).await;
    // Behind a host that is down nothing is reached; Nagios finds out when it next checks it.
    world.command(&format!("SCHEDULE_FORCED_HOST_CHECK;behind;{}", Timestamp::now().as_second()));
    world
        .told("the host behind is unreachable", |told| {
            host_of(told, "behind").check.state == Some(HostState::Unreachable)
        })
        .await
}

#[tokio::test]
async fn both_ways_tell_the_ground_truth() {
    let Some(packages) = unpacked() else { return };
    let mut world = World::start(packages, &site()).await;
    let told = settled(&mut world).await;
    hosts_as_they_are(&told);
    services_as_they_are(&told);
    contacts_as_they_are(&told);

    for page in [10_000, 3] {
        let mut cgi = world.cgi_with("rollcall", "s3cret", 60, page);
        let (by_files, by_cgi) = both(&world, &mut cgi).await;
        assert_eq!(by_files.program.seen, by_cgi.program.seen);
        agree(&by_files.hosts, &by_cgi.hosts);
        agree(&by_files.services, &by_cgi.services);
        agree(&by_files.downtimes, &by_cgi.downtimes);
        agree(&by_files.contacts, &by_cgi.contacts);
    }
    assert!(!format!("{told:?}").contains("s3cret"), "arguments of commands may hold passwords");
    let asked = world.asked.lock().unwrap();
    assert!(asked.iter().all(|call| call.starts_with("GET ")), "{asked:?}");
}

fn hosts_as_they_are(told: &Told) {
    assert_eq!(told.program.seen.as_ref().unwrap().notifications, Some(false));
    let up = host_of(told, "up");
    assert_eq!((up.alias.as_deref(), up.address.as_deref()), (Some("web-1"), Some("10.0.0.1")));
    assert_eq!(up.variables["INSTANCE_ID"], "i-0abc");
    assert_eq!(up.variables["ODD"], "a b", "what follows a semicolon is a comment");
    assert_eq!((up.check.active, up.check.notifications), (Some(true), Some(true)));
    assert_eq!(up.check.is_stale(Timestamp::now()), Some(false));
    assert_eq!(up.check.command.as_deref(), Some("check_dummy"));
    let down = &host_of(told, "down").check;
    assert_eq!((down.state, down.in_downtime), (Some(HostState::Down), Some(true)));
    assert!(down.downtime_until.unwrap() > Timestamp::now());
    let new = &host_of(told, "new").check;
    assert_eq!((new.state, new.last_check, new.active), (Some(HostState::Pending), None, Some(false)));
    let quiet = &host_of(told, "quiet").check;
    assert_eq!((quiet.notifications, quiet.active), (Some(false), Some(false)));
}

fn services_as_they_are(told: &Told) {
    let check = |name: &str| -> &Check<ServiceState> { &service_of(told, "up", name).check };
    for (name, state) in [
        ("ok", ServiceState::Ok),
        ("warning", ServiceState::Warning),
        ("critical", ServiceState::Critical),
        ("unknown", ServiceState::Unknown),
        ("never", ServiceState::Pending),
        ("reported", ServiceState::Ok),
        ("stale", ServiceState::Unknown),
    ] {
        assert_eq!(check(name).state, Some(state), "{name}");
    }
    let now = Timestamp::now();
    assert_eq!(check("never").is_stale(now), None, "nothing says when it should have reported");
    assert_eq!(check("reported").is_stale(now), Some(false));
    assert_eq!(
        check("stale").is_stale(now),
        Some(true),
        "although Nagios renews its last check every other second"
    );
    assert!(check("stale").last_check.is_some());
    assert_eq!((check("reported").active, check("reported").passive), (Some(false), Some(true)));
    assert_eq!(check("warning").notifications, Some(false));
    assert_eq!(check("unknown").acknowledged, Some(true));
    let longest = told.downtimes.seen.iter().filter(|d| d.in_effect == Some(true)).map(|d| d.until).max();
    assert_eq!(check("critical").downtime_until, longest, "the last of both");
    assert_eq!((check("ok").in_downtime, check("ok").downtime_until), (Some(false), None), "it is planned");
}

fn contacts_as_they_are(told: &Told) {
    let names = |check: &Check<ServiceState>| {
        check.recipients.contacts.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(&service_of(told, "up", "ok").check), ["oncall"], "through the group");
    assert_eq!(names(&service_of(told, "up", "warning").check), ["silent"]);
    let [oncall, silent] = &told.contacts.seen[..] else { panic!("{:?}", told.contacts) };
    assert_eq!(
        (oncall.of_hosts.configured, oncall.of_hosts.now),
        (Some(true), Some(false)),
        "switched off at run time"
    );
    assert_eq!((oncall.of_services.configured, oncall.of_services.now), (Some(true), Some(true)));
    assert_eq!((silent.of_hosts.configured, silent.of_services.configured), (Some(false), Some(false)));
}

#[tokio::test]
async fn who_asks_decides_what_is_seen_and_a_part_is_never_taken_for_all() {
    let Some(packages) = unpacked() else { return };
    let world = World::start(packages, &site()).await;
    let now = Timestamp::now();
    let all = world.cgi("rollcall").told(now).await;
    assert!(is_complete(&all.hosts) && is_complete(&all.services), "{all:#?}");
    assert_eq!(all.hosts.seen.len(), 5);

    let part = world.cgi("oncall").told(now).await;
    assert!(is_complete(&part.program), "Nagios itself gives no sign of it");
    let Extent::Partial { missing, .. } = &part.hosts.extent else { panic!("{:?}", part.hosts) };
    assert_eq!(missing[0].why.kind, FailureKind::Denied);

    let none = world.cgi("nobody").told(now).await;
    assert_eq!(
        (failed(&none.hosts), failed(&none.services)),
        (Some(FailureKind::Denied), Some(FailureKind::Denied))
    );

    let wrong = world.cgi_with("rollcall", "wr0ng", 60, 100).told(now).await;
    assert_eq!(
        (failed(&wrong.program), failed(&wrong.hosts)),
        (Some(FailureKind::Denied), Some(FailureKind::Denied))
    );
    assert!(!format!("{wrong:?}").contains("wr0ng"));
}

#[tokio::test]
async fn names_that_are_not_ascii_are_whole_in_the_files_and_a_gap_by_the_cgis() {
    let Some(packages) = unpacked() else { return };
    let objects = [
        host("up", &[("alias", "本番")]),
        service("up", "ディスク", "check_dummy!0", &[]),
        service("up", "メモリ", "check_dummy!0", &[]),
        service("up", "ssh", "check_dummy!0", &[]),
    ];
    let world = World::start(packages, &objects.concat()).await;
    let by_files = world.files().told(Timestamp::now()).await;
    assert!(is_complete(&by_files.services), "{by_files:#?}");
    assert_eq!(by_files.services.seen.len(), 3);
    assert_eq!(by_files.hosts.seen[0].alias.as_deref(), Some("本番"));

    let by_cgi = world.cgi("rollcall").told(Timestamp::now()).await;
    let Extent::Partial { missing, .. } = &by_cgi.services.extent else { panic!("{:?}", by_cgi.services) };
    assert!(missing.iter().any(|gap| gap.what.contains("ASCII")), "{missing:?}");
    assert_eq!(by_cgi.services.seen.len(), 1);
    assert!(is_complete(&by_cgi.hosts));
    assert_eq!(by_cgi.hosts.seen[0].alias, None, "the CGI says nothing, and so do we");
}

/// Both ways fail, and nobody is called absent.
async fn is_unreachable(world: &World) {
    for mut source in [world.files(), world.cgi("rollcall")] {
        let told = source.told(Timestamp::now()).await;
        for kind in
            [failed(&told.program), failed(&told.hosts), failed(&told.services), failed(&told.contacts)]
        {
            assert_eq!(kind, Some(FailureKind::Unreachable), "{told:#?}");
        }
    }
}

#[tokio::test]
async fn a_nagios_that_was_stopped() {
    let Some(packages) = unpacked() else { return };
    let mut world = World::start(packages, &site()).await;
    assert!(is_complete(&world.cgi("rollcall").told(Timestamp::now()).await.hosts));
    world.signal("TERM");
    world.until("Nagios has ended", World::has_ended).await;
    is_unreachable(&world).await;
}

#[tokio::test]
async fn a_reload_with_a_broken_configuration_kills_it() {
    let Some(packages) = unpacked() else { return };
    let mut world = World::start(packages, &site()).await;
    world.write("etc/objects/site.cfg", "define host {\n  host_name broken\n}\n");
    world.signal("HUP");
    world.until("Nagios has ended", World::has_ended).await;
    assert!(world.path("var/objects.cache").exists(), "the configuration stays behind, and proves nothing");
    is_unreachable(&world).await;
}

#[tokio::test]
async fn a_nagios_that_was_killed_leaves_its_status_behind() {
    let Some(packages) = unpacked() else { return };
    let mut world = World::start(packages, &site()).await;
    world.signal("KILL");
    world.until("Nagios has ended", World::has_ended).await;
    assert!(world.path("var/status.dat").exists());
    // Until its age shows, it looks alive, and then both ways see it.
    let left = world.files().told(Timestamp::now()).await;
    assert_eq!(left.hosts.seen.len(), 5);
    let updated = left.program.seen.unwrap().updated;
    world.until("its status is old", |_| Timestamp::now().as_second() - updated.as_second() > 3).await;
    for mut source in [world.files_aged(2), world.cgi_with("rollcall", "s3cret", 2, 100)] {
        let told = source.told(Timestamp::now()).await;
        assert_eq!(
            (failed(&told.program), failed(&told.hosts)),
            (Some(FailureKind::Stale), Some(FailureKind::Stale))
        );
        assert!(told.hosts.seen.is_empty() && told.services.seen.is_empty());
    }
}
