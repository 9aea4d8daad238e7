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
    .map(|(account, region)| fleet.aws.account(account).region(region).living().len())
    .sum();
    assert_eq!(living, before - 6 + 4, "six left; four belong to no environment");
    assert!(fleet.planted().len() >= 14, "a messy fleet");
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
    assert!(now.checks.len() + 1 >= twin.checks.len(), "all but the one nobody asked for");

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
