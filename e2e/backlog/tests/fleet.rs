//! The ground truth is what its story says, before anybody looks at it.

use rollcall_backlog::{Backlog, Tree, folder};

#[test]
fn about_two_hundred_hosts_live_in_seven_environments_and_six_leave() {
    let mut fleet = Backlog::two_days_ago().unwrap();
    let before = fleet.hosts.len();
    assert!((180..=210).contains(&before), "{before} hosts");
    fleet.old_hosts_leave().unwrap();
    fleet.monday_morning();
    let living: usize = [
        ("123456789012", "ap-northeast-1"),
        ("123456789012", "us-west-2"),
        ("210987654321", "ap-northeast-1"),
    ]
    .iter()
    .map(|(account, region)| fleet.aws.account(account).region(region))
    .map(|region| region.living().len() + region.dbs().len())
    .sum();
    assert_eq!(living, before - 6 + 4, "six left; four belong to no environment");
    assert!(fleet.planted().len() >= 14, "a messy fleet");
}

#[test]
fn databases_are_registered_by_the_integration_and_watched_by_nagios() {
    let fleet = Backlog::two_days_ago().unwrap();
    let databases: Vec<_> = fleet.hosts.iter().filter(|(name, _)| name.contains("-db-")).collect();
    assert_eq!(databases.len(), 7);
    let (mackerel, nagios) = (fleet.org.truth(), fleet.nagios.installation.truth());
    for (name, host) in databases {
        assert!(host.instance.starts_with("db-"), "{host:?}");
        let registered = mackerel.host(host.registration.as_ref().unwrap()).unwrap();
        assert!(registered.has_role("Backlog", "db"), "{name}");
        let there = nagios.host(&fleet.name_in_nagios(name)).unwrap();
        assert_eq!(there.services.keys().collect::<Vec<_>>(), ["backup", "mysql"], "as the tree asks");
    }
}

#[test]
fn nagios_watches_a_part_of_production_and_dies_and_comes_back() {
    let fleet = Backlog::two_days_ago().unwrap();
    let nagios = fleet.nagios.installation.truth();
    let names: Vec<&str> = nagios.hosts().map(|host| host.name.as_str()).collect();
    assert!((60..=70).contains(&names.len()), "{} hosts: {names:?}", names.len());
    assert!(names.contains(&"jp1-app-1") && names.contains(&"jp1-app-3.internal"), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("stg") || name.starts_with("dev")));
    fleet.nagios_dies();
    assert!(!fleet.nagios.installation.runs());
    fleet.nagios_comes_back();
    assert!(fleet.nagios.installation.runs());
}

#[test]
fn agents_run_what_the_tree_asks_of_their_duty() {
    let tree = Tree::read(&folder()).unwrap();
    let proxy = tree.check_names("proxy", "jp1");
    assert!(
        proxy.contains(&"check-cert-jp1".to_owned()) && proxy.contains(&"check-nginx".to_owned()),
        "{proxy:?}"
    );
    assert!(!tree.check_names("ci", "jp1").contains(&"check-cert-jp1".to_owned()));
    assert!(proxy.contains(&"check-https".to_owned()));
    let staging = tree.check_names("proxy", "stg");
    assert!(!staging.contains(&"check-https".to_owned()), "asked for in production alone: {staging:?}");
    assert_eq!(tree.service_names("proxy", "jp1"), ["https"]);
}

#[test]
fn a_host_joins_is_provisioned_falls_silent_comes_back_and_leaves() {
    let mut fleet = Backlog::two_days_ago().unwrap();
    let name = fleet.a_host_joins("jp1", "webdav").unwrap();
    assert_eq!(name, "jp1-dav-4");
    fleet.its_agent_starts(&name).unwrap();
    let host = fleet.truth(&name).unwrap().clone();
    let id = host.registration.unwrap();
    let heard = |fleet: &Backlog| {
        let now = fleet.stage.now().as_second();
        now - fleet.org.truth().host(&id).unwrap().last_system_metric(now).unwrap()
    };
    let minutes = jiff::SignedDuration::from_mins;
    fleet.stage.clock.advance(minutes(10));
    assert!(heard(&fleet) <= 60);
    fleet.its_agent_dies(&name).unwrap();
    fleet.stage.clock.advance(minutes(40));
    assert!(heard(&fleet) >= 40 * 60);
    fleet.its_agent_comes_back(&name).unwrap();
    fleet.stage.clock.advance(minutes(2));
    assert!(heard(&fleet) <= 120);
    let truth = fleet.org.truth();
    let (before, now) = (fleet.truth("jp1-dav-3").unwrap(), truth.host(&id).unwrap());
    let twin = truth.host(before.registration.as_ref().unwrap()).unwrap();
    assert_eq!(now.roles, twin.roles);
    assert_eq!(now.checks.len(), twin.checks.len());

    let region = fleet.region_of(&name).unwrap();
    fleet.a_host_leaves(&name).unwrap();
    fleet.stage.clock.advance(minutes(5));
    assert!(!region.living().contains(&host.instance));
    assert!(fleet.org.truth().host(&id).unwrap().is_retired());
}

#[test]
fn a_monitor_is_muted_by_name() {
    let fleet = Backlog::two_days_ago().unwrap();
    let muted = |fleet: &Backlog| {
        let truth = fleet.org.truth();
        let swap =
            truth.monitors().into_iter().find(|m| m.get("name").is_some_and(|n| n == "swap%")).cloned();
        swap.unwrap().get("isMute").cloned()
    };
    assert_eq!(muted(&fleet), Some(true.into()));
    fleet.a_monitor_is_muted("swap%", false).unwrap();
    assert_eq!(muted(&fleet), Some(false.into()));
    assert!(fleet.a_monitor_is_muted("no such", true).is_err());
}
