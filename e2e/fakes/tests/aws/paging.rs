//! The laws of paging: nothing is lost, nothing comes twice, no page is too long.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rollcall_fakes::aws::{Habits, Launch};

use crate::client::{Client, Play};

#[tokio::test]
async fn pages_count_hosts_not_reservations_and_a_reservation_may_go_on() {
    let play = Play::start().await;
    play.tokyo.launch(&Launch::of("t3.small").count(12)).unwrap();
    let first = play.client.ec2("DescribeInstances", &[("MaxResults", "5")]).await;
    assert_eq!(first.all("instanceId").len(), 5);
    let token = first.one("nextToken").unwrap();
    let second = play.client.ec2("DescribeInstances", &[("MaxResults", "5"), ("NextToken", &token)]).await;
    assert_eq!(second.one("reservationId"), first.one("reservationId"));
}

#[tokio::test]
async fn a_token_belongs_to_its_request() {
    let play = Play::start().await;
    play.tokyo.launch(&Launch::of("t3.small").count(12)).unwrap();
    let first = play.client.ec2("DescribeInstances", &[("MaxResults", "5")]).await;
    let token = first.one("nextToken").unwrap();
    let other_page_size = [("MaxResults", "7"), ("NextToken", token.as_str())];
    assert_eq!(play.client.ec2("DescribeInstances", &other_page_size).await.all("instanceId").len(), 7);

    let filtered =
        [("MaxResults", "5"), ("NextToken", &token), ("Filter.1.Name", "tag-key"), ("Filter.1.Value.1", "*")];
    let bent = token.replace('0', "1");
    let elsewhere = play.client.in_region("eu-west-1");
    for (client, action, params) in [
        (&play.client, "DescribeInstances", &filtered[..]),
        (&play.client, "DescribeVolumes", &filtered[..2]),
        (&elsewhere, "DescribeInstances", &filtered[..2]),
        (&play.client, "DescribeInstances", &[("NextToken", bent.as_str())][..]),
    ] {
        assert_eq!(client.ec2(action, params).await.code(), "InvalidPaginationToken", "{action} {params:?}");
    }
}

#[tokio::test]
async fn the_order_differs_from_listing_to_listing() {
    let play = Play::start().await;
    play.tokyo.launch(&Launch::of("t3.small").count(50)).unwrap();
    let orders: BTreeSet<Vec<String>> =
        [play.client.pages(Some(10), &[]).await.concat(), play.client.pages(Some(10), &[]).await.concat()]
            .into();
    assert_eq!(orders.len(), 2);
    play.aws.set_habits(Habits { unstable_order: false, short_pages: false });
    assert_eq!(play.client.pages(Some(10), &[]).await, play.client.pages(Some(10), &[]).await);
}

#[tokio::test]
async fn short_and_empty_pages_still_lead_to_the_end() {
    let play = Play::start().await;
    let ids: BTreeSet<String> =
        play.tokyo.launch(&Launch::of("t3.small").count(60)).unwrap().into_iter().collect();
    play.aws.set_habits(Habits { unstable_order: true, short_pages: true });
    let pages = play.client.pages(Some(5), &[]).await;
    assert!(pages.len() > 12, "some page must have been short: {}", pages.len());
    let told: Vec<String> = pages.concat();
    assert_eq!(told.len(), 60);
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), ids);
}

#[tokio::test]
async fn volumes_page_as_hosts_do() {
    let play = Play::start().await;
    play.tokyo.launch(&Launch::of("t3.small").count(12)).unwrap();
    let first = play.client.ec2("DescribeVolumes", &[("MaxResults", "10")]).await;
    let token = first.one("nextToken").unwrap();
    let last = play.client.ec2("DescribeVolumes", &[("MaxResults", "10"), ("NextToken", &token)]).await;
    assert_eq!((first.all("size").len(), last.all("size").len()), (10, 2));
    assert_eq!(last.one("nextToken"), None);
}

/// What happens to the fleet while somebody pages through it.
#[derive(Clone, Debug)]
enum Happening {
    Join(u32),
    Vanish(usize),
    Terminate(usize),
    Tag(usize),
    Quiet,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (1..4_u32).prop_map(Happening::Join),
        any::<usize>().prop_map(Happening::Vanish),
        any::<usize>().prop_map(Happening::Terminate),
        any::<usize>().prop_map(Happening::Tag),
        Just(Happening::Quiet),
    ]
}

fn happen(play: &Play, what: &Happening) {
    let living = play.tokyo.living();
    let pick = |n: &usize| living.get(n % living.len().max(1));
    let done = match what {
        Happening::Join(count) => play.tokyo.launch(&Launch::of("t3.small").count(*count)).map(|_| ()),
        Happening::Vanish(n) => pick(n).map_or(Ok(()), |id| play.tokyo.vanish(id)),
        Happening::Terminate(n) => pick(n).map_or(Ok(()), |id| play.tokyo.terminate(id)),
        Happening::Tag(n) => pick(n).map_or(Ok(()), |id| play.tokyo.tag(id, "k", "v")),
        Happening::Quiet => Ok(()),
    };
    done.unwrap();
}

/// One listing with something happening after each page; answers what was told, in order.
async fn list_while(client: &Client, size: usize, mut after_page: impl FnMut(usize)) -> Vec<String> {
    let (mut told, mut token) = (vec![], None::<String>);
    for page in 0.. {
        let max = size.to_string();
        let mut params = vec![("MaxResults", max.as_str())];
        params.extend(token.as_deref().map(|t| ("NextToken", t)));
        let answer = client.ec2("DescribeInstances", &params).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let ids = answer.all("instanceId");
        assert!(ids.len() <= size, "{} hosts on a page of {size}", ids.len());
        told.extend(ids);
        token = answer.one("nextToken");
        if token.is_none() {
            break;
        }
        after_page(page);
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// For any fleet and page size: quiet, the pages are the fleet, each host once. With anything happening in
    /// between: no host twice, every host that was there all the time, and none that never was.
    #[test]
    fn pages_are_the_fleet(
        reservations in prop::collection::vec(1..9_u32, 0..12),
        size in 5..40_usize,
        short_pages in any::<bool>(),
        happenings in prop::collection::vec(happening(), 0..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let play = Play::start().await;
            play.aws.set_habits(Habits { unstable_order: true, short_pages });
            for count in reservations {
                play.tokyo.launch(&Launch::of("t3.small").count(count)).unwrap();
            }
            let all = |play: &Play| play.tokyo.instances().into_iter().map(|i| i.id).collect::<BTreeSet<_>>();
            let before = all(&play);
            let quiet = list_while(&play.client, size, |_| ()).await;
            assert_eq!(quiet.len(), before.len());
            assert_eq!(quiet.into_iter().collect::<BTreeSet<_>>(), before);

            let mut ever = before.clone();
            let mut always = before;
            let told = list_while(&play.client, size, |page| {
                happenings.get(page).into_iter().for_each(|what| happen(&play, what));
                ever.extend(all(&play));
                always.retain(|id| all(&play).contains(id));
            })
            .await;
            let distinct: BTreeSet<String> = told.iter().cloned().collect();
            assert_eq!(distinct.len(), told.len(), "a host came twice");
            assert!(always.is_subset(&distinct), "a host was lost");
            assert!(distinct.is_subset(&ever), "a host was invented");
        });
    }
}
