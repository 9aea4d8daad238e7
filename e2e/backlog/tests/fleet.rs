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
