//! The RDS questions: DB instances and DB clusters; and for assertions subnet groups and the parameters of one group.
//!
//! Always paged, and never filtered by engine: Neptune's and `DocumentDB`'s come with the rest, so that the listing is
//! complete by AWS's own count. Tags are inside; nothing may be asked database by database.

use std::collections::BTreeSet;
use std::error::Error;

use aws_config::SdkConfig;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::{Region, retry::RetryPartition};
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_rds::operation::RequestId;
use aws_sdk_rds::types::{Filter, Parameter};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use jiff::Timestamp;
use rollcall_engine::ids::Place;
use rollcall_engine::inventory::{
    Database, DatabaseCluster, ParameterGroupKind, ParameterGroupName, ParameterValue, SubnetGroup,
};

use crate::answer::plain_code;
use crate::described::{self, Described, Paged, page};
use crate::failure::{Question, Refusal, refusal};
use crate::listing::{Ask, Listed, Page};
use crate::map;
use crate::proof::{ProvedKeys, Signatures};
use crate::settings::Limits;
use crate::wire::{Wire, Wiring};

/// A client for each question in one place.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) wires: [Wire; 5],
    databases: Client,
    clusters: Client,
    subnet_groups: Client,
    parameters: Client,
    cluster_parameters: Client,
}

impl Clients {
    pub(crate) fn new(config: &SdkConfig, place: &Place, keys: &ProvedKeys, wiring: &Wiring) -> Self {
        // Its own bucket of retries, as EC2 has: a throttled RDS must not cost us the sight of instances.
        let retries = RetryPartition::custom(format!("rds {place}")).build();
        let per_second = wiring.limits.database_calls_per_second;
        let operations = [
            Database::OPERATION,
            DatabaseCluster::OPERATION,
            SubnetGroup::OPERATION,
            operation_of(ParameterGroupKind::Instance),
            operation_of(ParameterGroupKind::Cluster),
        ];
        let wires = operations
            .map(|operation| wiring.wire(place, operation, per_second, Signatures::Proved(keys.clone())));
        let clients = wires.each_ref().map(|wire| {
            let config = aws_sdk_rds::config::Builder::from(config)
                .region(Region::new(place.region.as_str().to_owned()))
                .http_client(wire.http_client())
                .retry_partition(retries.clone());
            Client::from_conf(config.build())
        });
        let [databases, clusters, subnet_groups, parameters, cluster_parameters] = clients;
        Self { wires, databases, clusters, subnet_groups, parameters, cluster_parameters }
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

impl Described for SubnetGroup {
    const SERVICE: &'static str = "rds";
    const OPERATION: &'static str = "DescribeDBSubnetGroups";
    const SOURCE: &'static str = "rds subnet groups";

    async fn ask(
        clients: &described::Clients,
        ask: Ask,
        limits: &Limits,
        _at: Timestamp,
        question: &Question<'_>,
    ) -> Result<Page<Self>, Refusal> {
        let client = &clients.rds.subnet_groups;
        let request = client.describe_db_subnet_groups().max_records(limits.database_page_size);
        let answer = request.set_marker(ask.token).send().await.map_err(|error| refusal(&error, question))?;
        let request_id = answer.request_id().and_then(plain_code);
        let groups = answer.db_subnet_groups.as_ref().map(|groups| groups.iter().map(map::subnet_group));
        Ok(page(groups, answer.marker, request_id))
    }
}

/// The question for the parameters of one group.
#[derive(Debug)]
pub(crate) struct ParametersOf<'a> {
    /// The group.
    pub(crate) group: &'a ParameterGroupName,
    /// Which of its parameters.
    pub(crate) which: Which<'a>,
}

/// Which parameters of a group are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'a> {
    /// All.
    All,
    /// Those that somebody set: the shortest answer that tells whether there is such a group.
    Set,
    /// These.
    Named(&'a BTreeSet<String>),
}

/// What an answer holds of a group.
#[derive(Debug)]
pub(crate) enum Told {
    /// One of its parameters, with its name.
    Parameter(String, ParameterValue),
    /// That there is no such group.
    NoSuchGroup,
}

impl Listed for Told {
    fn id(&self) -> &str {
        match self {
            Self::Parameter(name, _) => name,
            Self::NoSuchGroup => "",
        }
    }
}

fn operation_of(kind: ParameterGroupKind) -> &'static str {
    match kind {
        ParameterGroupKind::Instance => "DescribeDBParameters",
        ParameterGroupKind::Cluster => "DescribeDBClusterParameters",
    }
}

impl Paged for ParametersOf<'_> {
    type Item = Told;

    fn service(&self) -> &'static str {
        "rds"
    }
    fn operation(&self) -> &'static str {
        operation_of(self.group.kind)
    }

    async fn page(
        &self,
        clients: &described::Clients,
        ask: Ask,
        limits: &Limits,
        _at: Timestamp,
        question: &Question<'_>,
    ) -> Result<Page<Told>, Refusal> {
        let (group, size) = (self.group.name.as_str(), limits.database_page_size);
        match self.group.kind {
            ParameterGroupKind::Instance => {
                let request = clients.rds.parameters.describe_db_parameters().db_parameter_group_name(group);
                let request = request.set_filters(self.which.filters()).set_source(self.which.source());
                let request = request.max_records(size).set_marker(ask.token);
                let answer = match request.send().await {
                    Ok(answer) => answer,
                    Err(error) => return unless_unknown(&error, question),
                };
                let request_id = answer.request_id().and_then(plain_code);
                Ok(parameters(answer.parameters, answer.marker, request_id))
            }
            ParameterGroupKind::Cluster => {
                let client = &clients.rds.cluster_parameters;
                let request = client.describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
                let request = request.set_filters(self.which.filters()).set_source(self.which.source());
                let request = request.max_records(size).set_marker(ask.token);
                let answer = match request.send().await {
                    Ok(answer) => answer,
                    Err(error) => return unless_unknown(&error, question),
                };
                let request_id = answer.request_id().and_then(plain_code);
                Ok(parameters(answer.parameters, answer.marker, request_id))
            }
        }
    }
}

impl Which<'_> {
    /// `parameter-name` is the one filter that both actions know.
    fn filters(self) -> Option<Vec<Filter>> {
        let Self::Named(names) = self else { return None };
        let names = Some(names.iter().cloned().collect());
        Some(vec![Filter::builder().name("parameter-name").set_values(names).build()])
    }

    fn source(self) -> Option<String> {
        matches!(self, Self::Set).then(|| "user".to_owned())
    }
}

fn parameters(
    told: Option<Vec<Parameter>>,
    marker: Option<String>,
    request_id: Option<String>,
) -> Page<Told> {
    let read = |one| map::parameter(one).map(|(name, value)| Told::Parameter(name, value));
    page(told.map(|all| all.into_iter().map(read)), marker, request_id)
}

/// "There is no such group" is an answer.
fn unless_unknown<E>(
    error: &SdkError<E, HttpResponse>,
    question: &Question<'_>,
) -> Result<Page<Told>, Refusal>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if error.code() != Some("DBParameterGroupNotFound") {
        return Err(refusal(error, question));
    }
    let request_id = error.request_id().and_then(plain_code);
    Ok(Page { items: Some(vec![Told::NoSuchGroup]), nameless: 0, next: None, request_id })
}
