//! The three EC2 questions: instances, volumes, addresses.
//!
//! Always paged where EC2 pages, and always with managed resources: a listing that may hide hosts proves nothing.

use aws_config::SdkConfig;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::{Region, retry::RetryPartition};
use aws_sdk_ec2::operation::RequestId;
use jiff::Timestamp;
use rollcall_engine::ids::Place;
use rollcall_engine::inventory::{Address, Instance, Volume};

use crate::answer::plain_code;
use crate::described::{self, Described, page};
use crate::failure::{Question, Refusal, refusal};
use crate::listing::{Ask, Page};
use crate::map;
use crate::proof::{ProvedKeys, Signatures};
use crate::settings::Limits;
use crate::wire::{Wire, Wiring};

/// A client for each question in one place: each has its own wire, so its own rate, as EC2 counts each action apart.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) wires: [Wire; 3],
    instances: Client,
    volumes: Client,
    addresses: Client,
}

impl Clients {
    pub(crate) fn new(config: &SdkConfig, place: &Place, keys: &ProvedKeys, wiring: &Wiring) -> Self {
        // One bucket of retries for this account and region. The SDK's default is one per region for the whole
        // process, where one throttled account uses up everybody's retries.
        let retries = RetryPartition::custom(format!("ec2 {place}")).build();
        let per_second = wiring.limits.calls_per_second;
        let wires = [Instance::OPERATION, Volume::OPERATION, Address::OPERATION]
            .map(|operation| wiring.wire(place, operation, per_second, Signatures::Proved(keys.clone())));
        let clients = wires.each_ref().map(|wire| {
            let config = aws_sdk_ec2::config::Builder::from(config)
                .region(Region::new(place.region.as_str().to_owned()))
                .http_client(wire.http_client())
                .retry_partition(retries.clone());
            Client::from_conf(config.build())
        });
        let [instances, volumes, addresses] = clients;
        Self { wires, instances, volumes, addresses }
    }
}

impl Described for Instance {
    const SERVICE: &'static str = "ec2";
    const OPERATION: &'static str = "DescribeInstances";
    const SOURCE: &'static str = "ec2 instances";

    async fn ask(
        clients: &described::Clients,
        ask: Ask,
        limits: &Limits,
        at: Timestamp,
        question: &Question<'_>,
    ) -> Result<Page<Self>, Refusal> {
        let request = clients.ec2.instances.describe_instances().include_managed_resources(true);
        let sent = request.max_results(limits.page_size).set_next_token(ask.token).send().await;
        let answer = sent.map_err(|error| refusal(&error, question))?;
        let request_id = answer.request_id().and_then(plain_code);
        let instances = answer.reservations.map(|reservations| {
            reservations
                .into_iter()
                .flat_map(|r| r.instances.unwrap_or_default())
                .map(|i| map::instance(i, at))
        });
        Ok(page(instances, answer.next_token, request_id))
    }
}

impl Described for Volume {
    const SERVICE: &'static str = "ec2";
    const OPERATION: &'static str = "DescribeVolumes";
    const SOURCE: &'static str = "ec2 volumes";

    async fn ask(
        clients: &described::Clients,
        ask: Ask,
        limits: &Limits,
        _at: Timestamp,
        question: &Question<'_>,
    ) -> Result<Page<Self>, Refusal> {
        let request = clients.ec2.volumes.describe_volumes().include_managed_resources(true);
        let sent = request.max_results(limits.page_size).set_next_token(ask.token).send().await;
        let answer = sent.map_err(|error| refusal(&error, question))?;
        let request_id = answer.request_id().and_then(plain_code);
        let volumes = answer.volumes.map(|volumes| volumes.into_iter().map(map::volume));
        Ok(page(volumes, answer.next_token, request_id))
    }
}

impl Described for Address {
    const SERVICE: &'static str = "ec2";
    const OPERATION: &'static str = "DescribeAddresses";
    const SOURCE: &'static str = "ec2 addresses";

    async fn ask(
        clients: &described::Clients,
        _ask: Ask,
        _limits: &Limits,
        _at: Timestamp,
        question: &Question<'_>,
    ) -> Result<Page<Self>, Refusal> {
        let sent = clients.ec2.addresses.describe_addresses().send().await;
        let answer = sent.map_err(|error| refusal(&error, question))?;
        let request_id = answer.request_id().and_then(plain_code);
        let addresses = answer.addresses.map(|addresses| addresses.into_iter().map(map::address));
        Ok(page(addresses, None, request_id))
    }
}
