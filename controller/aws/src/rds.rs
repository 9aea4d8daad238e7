//! The two RDS questions: DB instances and DB clusters.
//!
//! Always paged, and never filtered by engine: Neptune's and `DocumentDB`'s come with the rest, so that the listing is
//! complete by AWS's own count. Tags are inside; nothing may be asked database by database.

use aws_config::SdkConfig;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::{Region, retry::RetryPartition};
use aws_sdk_rds::operation::RequestId;
use jiff::Timestamp;
use rollcall_engine::ids::Place;
use rollcall_engine::inventory::{Database, DatabaseCluster};

use crate::answer::plain_code;
use crate::described::{self, Described, page};
use crate::failure::{Question, Refusal, refusal};
use crate::listing::{Ask, Page};
use crate::map;
use crate::proof::{ProvedKeys, Signatures};
use crate::settings::Limits;
use crate::wire::{Wire, Wiring};

/// A client for each question in one place.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) wires: [Wire; 2],
    databases: Client,
    clusters: Client,
}

impl Clients {
    pub(crate) fn new(config: &SdkConfig, place: &Place, keys: &ProvedKeys, wiring: &Wiring) -> Self {
        // Its own bucket of retries, as EC2 has: a throttled RDS must not cost us the sight of instances.
        let retries = RetryPartition::custom(format!("rds {place}")).build();
        let per_second = wiring.limits.database_calls_per_second;
        let wires = [Database::OPERATION, DatabaseCluster::OPERATION]
            .map(|operation| wiring.wire(place, operation, per_second, Signatures::Proved(keys.clone())));
        let clients = wires.each_ref().map(|wire| {
            let config = aws_sdk_rds::config::Builder::from(config)
                .region(Region::new(place.region.as_str().to_owned()))
                .http_client(wire.http_client())
                .retry_partition(retries.clone());
            Client::from_conf(config.build())
        });
        let [databases, clusters] = clients;
        Self { wires, databases, clusters }
    }
}

impl Described for Database {
    const SERVICE: &'static str = "rds";
    const OPERATION: &'static str = "DescribeDBInstances";
    const SOURCE: &'static str = "rds databases";

    async fn ask(
        clients: &described::Clients,
        ask: Ask,
        limits: &Limits,
        _at: Timestamp,
        question: &Question<'_>,
    ) -> Result<Page<Self>, Refusal> {
        let request = clients.rds.databases.describe_db_instances().max_records(limits.database_page_size);
        let answer = request.set_marker(ask.token).send().await.map_err(|error| refusal(&error, question))?;
        let request_id = answer.request_id().and_then(plain_code);
        let databases = answer.db_instances.map(|databases| databases.into_iter().map(map::database));
        Ok(page(databases, answer.marker, request_id))
    }
}

impl Described for DatabaseCluster {
    const SERVICE: &'static str = "rds";
    const OPERATION: &'static str = "DescribeDBClusters";
    const SOURCE: &'static str = "rds clusters";

    async fn ask(
        clients: &described::Clients,
        ask: Ask,
        limits: &Limits,
        _at: Timestamp,
        question: &Question<'_>,
    ) -> Result<Page<Self>, Refusal> {
        let request = clients.rds.clusters.describe_db_clusters().max_records(limits.database_page_size);
        let answer = request.set_marker(ask.token).send().await.map_err(|error| refusal(&error, question))?;
        let request_id = answer.request_id().and_then(plain_code);
        let clusters = answer.db_clusters.map(|clusters| clusters.into_iter().map(map::cluster));
        Ok(page(clusters, answer.marker, request_id))
    }
}
