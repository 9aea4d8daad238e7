//! Databases and clusters when RDS, or something on the way, misbehaves: never less than was said without saying so.

use rollcall_aws::{Account, AccountSettings, Limits};
use rollcall_engine::inventory::{Asked, MemberRole};
use rollcall_engine::reading::{Extent, FailureKind, Reading};
use rollcall_fakes::aws::ground::db::ClusterLaunch;
use rollcall_fakes::faults::{Fault, Pace, Rule};

use crate::world::{ACCOUNT, KEY, World, complete, database_ids, ids, now, quick, reader, region, why};

/// 45 in pages of 20 are three pages.
const FLEET: usize = 45;

/// The two listings, which must behave alike.
#[derive(Clone, Copy, Debug)]
enum Listing {
    Databases,
    Clusters,
}

impl Listing {
    const BOTH: [Self; 2] = [Self::Databases, Self::Clusters];

    fn operation(self) -> &'static str {
        match self {
            Self::Databases => "DescribeDBInstances",
            Self::Clusters => "DescribeDBClusters",
        }
    }

    fn struck_by(self, fault: Fault) -> Rule {
        Rule::new("rds", self.operation(), fault)
    }

    /// A world with a fleet of these.
    async fn world(self) -> World {
        let world = World::new().await;
        match self {
            Self::Databases => drop(world.databases(FLEET)),
            Self::Clusters => (0..FLEET).for_each(|n| {
                let cluster = ClusterLaunch::of(&format!("cluster-{n}"), "aurora-postgresql");
                world.truth().launch_cluster(&cluster).unwrap();
            }),
        }
        world
    }

    /// What was read, by id.
    async fn read(self, account: &Account) -> Reading<Vec<String>> {
        fn ids<T>(reading: Reading<Vec<T>>, id: impl Fn(&T) -> String) -> Reading<Vec<String>> {
            let Reading { source, extent, seen, request_ids } = reading;
            Reading { source, extent, seen: seen.iter().map(id).collect(), request_ids }
        }
        match self {
            Self::Databases => ids(account.read_databases(&region(), now()).await, |d| d.id.to_string()),
            Self::Clusters => ids(account.read_clusters(&region(), now()).await, |c| c.id.to_string()),
        }
    }

    /// An answer of this listing with this inside its result.
    fn answer(self, inside: &str) -> Fault {
        let name = self.operation();
        let body = format!(
            "<{name}Response><{name}Result>{inside}</{name}Result><ResponseMetadata><RequestId>r</RequestId>\
             </ResponseMetadata></{name}Response>"
        );
        Fault::Garbage { body: Some(body) }
    }
}

fn status(status: u16, body: Option<&str>) -> Fault {
    Fault::Status { status, body: body.map(str::to_owned) }
}

fn refusal(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    )
}

#[tokio::test]
async fn each_mishap_has_its_category_and_is_over_when_it_is_over() {
    let never = Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: Pace::Machine };
    let cut = "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>\
               <DbiResourceId>db-A</DbiResourceId></DBInstance>";
    for listing in Listing::BOTH {
        let action = format!("rds:{}", listing.operation());
        let stories = [
            ("refused", Fault::Denied, FailureKind::Denied, action.as_str()),
            (
                "a region that is off",
                status(403, Some(&refusal("InvalidClientTokenId"))),
                FailureKind::Denied,
                "spec.regions",
            ),
            (
                "a marker that is no longer known",
                status(400, Some(&refusal("InvalidParameterValue"))),
                FailureKind::SourceError,
                "the next poll starts afresh",
            ),
            (
                "an endpoint without RDS",
                status(400, Some(&refusal("InvalidAction"))),
                FailureKind::NotSupported,
                "a current API of rds",
            ),
            ("a 500 without words", status(500, None), FailureKind::SourceError, "HTTP 500"),
            (
                "a balancer's page",
                status(503, Some("<html>Bad day</html>")),
                FailureKind::SourceError,
                "HTTP 503",
            ),
            ("a sign-in page", Fault::Garbage { body: None }, FailureKind::Malformed, "found <html>"),
            ("an answer without its list", listing.answer(""), FailureKind::Malformed, "holds no list"),
            (
                "a cut connection",
                Fault::CutConnection { after_bytes: 300 },
                FailureKind::Unreachable,
                "egress",
            ),
            ("an empty bucket", never.clone(), FailureKind::Throttled, "Throttling"),
            (
                "a cut document",
                Fault::Garbage { body: Some(cut.replace("DescribeDBInstances", listing.operation())) },
                FailureKind::Malformed,
                "ends before the document does",
            ),
        ];
        for (story, fault, kind, says) in stories {
            fails_and_recovers(listing, story, fault, kind, says).await;
        }
    }
}

async fn fails_and_recovers(listing: Listing, story: &str, fault: Fault, kind: FailureKind, says: &str) {
    let story = format!("{listing:?}: {story}");
    let world = listing.world().await;
    let account = world.reader().await;

    world.strike(listing.struck_by(fault.clone()));
    let whole = listing.read(&account).await;
    let Extent::Failed { why: first, .. } = &whole.extent else { panic!("{story}: {:?}", whole.extent) };
    assert_eq!(first.kind, kind, "{story}: {}", first.message);
    let begins = if kind == FailureKind::Malformed { "rds " } else { listing.operation() };
    for part in [says, begins, "123456789012/ap-northeast-1"] {
        assert!(first.message.contains(part), "{story}: {}", first.message);
    }
    assert!(whole.seen.is_empty());

    world.aws.stage().faults.clear();
    world.strike(listing.struck_by(fault).after(1));
    let later = listing.read(&account).await;
    let Extent::Partial { missing, .. } = &later.extent else { panic!("{story}: {:?}", later.extent) };
    assert_eq!((missing[0].what.as_str(), missing[0].why.kind), ("page 2 and later", kind), "{story}");
    assert_eq!(later.seen.len(), 20, "{story}: what was seen is kept");

    world.aws.stage().faults.clear();
    let after = listing.read(&account).await;
    complete(&after);
    assert_eq!(after.seen.len(), FLEET, "{story}");
}

#[tokio::test]
async fn a_page_told_twice_shows() {
    for listing in Listing::BOTH {
        let world = listing.world().await;
        let account = world.reader().await;
        world.strike(listing.struck_by(Fault::RepeatPage).after(1).times(1));
        let once = listing.read(&account).await;
        assert_eq!((once.seen.len(), why(&once).kind), (40, FailureKind::Malformed), "{listing:?}");
        assert!(why(&once).message.contains("leads back"), "{}", why(&once).message);

        world.aws.stage().faults.clear();
        world.strike(listing.struck_by(Fault::RepeatPage));
        let before = world.asked(listing.operation());
        let always = listing.read(&account).await;
        assert_eq!((always.seen.len(), why(&always).kind), (20, FailureKind::Malformed), "{listing:?}");
        assert!(world.asked(listing.operation()) - before <= 3, "it does not go in circles");
    }
}

/// A fault of AWS's, or ids that differ in case alone: nobody may be taken for somebody else.
#[tokio::test]
async fn two_of_one_id_and_one_of_none_are_said() {
    let world = World::new().await;
    let listed = |ids: &[&str]| {
        let one = |id: &&str| format!("<DBInstance><DbiResourceId>{id}</DbiResourceId></DBInstance>");
        let all: String = ids.iter().map(one).collect();
        Listing::Databases.answer(&format!("<DBInstances>{all}</DBInstances>"))
    };
    for (ids, seen, what) in [
        (&["db-ABC", "db-DEF", "db-ABC"][..], 2, "an unknown share"),
        (&["db-ABC", "db-Abc"], 1, "an unknown share"),
        (&["db-ABC", "", "../../etc"], 1, "2 without an id"),
    ] {
        world.aws.stage().faults.clear();
        world.strike(Listing::Databases.struck_by(listed(ids)));
        let reading = Listing::Databases.read(&world.reader().await).await;
        let Extent::Partial { missing, .. } = &reading.extent else { panic!("{:?}", reading.extent) };
        assert_eq!((reading.seen.len(), missing[0].what.as_str()), (seen, what), "{ids:?}");
    }
}

#[tokio::test]
async fn one_refused_listing_blinds_only_itself() {
    let world = World::new().await;
    world.fleet(3);
    let cluster = ClusterLaunch::of("shop", "aurora-mysql").members(&["shop-1"]);
    world.truth().launch_cluster(&cluster).unwrap();
    let account = world.aws.account(ACCOUNT);
    assert!(account.deny(KEY, &["rds:DescribeDBClusters"]));
    let inventory = world.reader().await.read_place(&region(), None, &Asked::default(), now()).await;
    complete(&inventory.instances);
    complete(&inventory.volumes);
    complete(&inventory.databases);
    let refused = why(&inventory.clusters);
    assert_eq!(refused.kind, FailureKind::Denied);
    let step = "allow arn:aws:iam::123456789012:user/reader rds:DescribeDBClusters";
    assert!(refused.message.contains(step), "{}", refused.message);
    assert!(!inventory.clusters.request_ids.is_empty(), "AWS's support asks for it");
    let member = &inventory.databases.seen[0];
    assert_eq!(inventory.role_of(member), MemberRole::Unknown, "a writer is not taken for a reader");

    assert!(account.deny(KEY, &["rds:DescribeDBInstances", "rds:DescribeDBClusters"]));
    let inventory = world.reader().await.read_place(&region(), None, &Asked::default(), now()).await;
    complete(&inventory.instances);
    complete(&inventory.addresses);
    assert!(why(&inventory.databases).message.contains("rds:DescribeDBInstances"));
}

#[tokio::test]
async fn more_than_the_limits_allow_is_said() {
    let world = Listing::Databases.world().await;
    for (limits, seen) in [
        (Limits { max_pages: 2, ..quick() }, 40),
        (Limits { max_items: 21, ..quick() }, 21),
        (Limits { max_answer_bytes: 2_000, ..quick() }, 0),
    ] {
        let account = reader(AccountSettings { limits, ..world.settings() }).await;
        let reading = Listing::Databases.read(&account).await;
        assert_eq!((why(&reading).kind, reading.seen.len()), (FailureKind::TooLarge, seen));
    }
}

#[tokio::test]
async fn a_throttled_rds_costs_nobody_the_sight_of_instances() {
    let world = World::new().await;
    let fleet = world.fleet(3);
    let databases = world.databases(3);
    let account = world.reader().await;
    world.strike(Rule::new(
        "rds",
        "*",
        Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: Pace::Machine },
    ));
    let mut last = 0;
    for _ in 0..40 {
        let before = world.asked("DescribeDBInstances");
        let why = why(&account.read_databases(&region(), now()).await);
        assert_eq!(why.kind, FailureKind::Throttled);
        last = world.asked("DescribeDBInstances") - before;
    }
    assert_eq!(last, 1, "its retries are used up: 500 tokens, five a retry");

    world.strike(Rule::new("ec2", "DescribeInstances", status(500, None)).times(3));
    let inventory = account.read_place(&region(), None, &Asked::default(), now()).await;
    complete(&inventory.instances);
    assert_eq!(ids(&inventory.instances), fleet);
    world.aws.stage().faults.clear();
    let reading = account.read_databases(&region(), now()).await;
    complete(&reading);
    assert_eq!(database_ids(&reading), databases);
}
