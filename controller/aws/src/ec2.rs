//! The EC2 questions: instances, volumes, addresses; and for assertions security groups and one instance's protection.
//!
//! Always paged where EC2 pages, and always with managed resources: a listing that may hide hosts proves nothing.

use aws_config::SdkConfig;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::{Region, retry::RetryPartition};
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::operation::RequestId;
use aws_sdk_ec2::types::InstanceAttributeName;
use jiff::Timestamp;
use rollcall_engine::ids::{HostId, Place};
use rollcall_engine::inventory::{Address, Instance, SecurityGroup, Volume};

use crate::answer::plain_code;
use crate::described::{self, Described, Paged, page};
use crate::failure::{Question, Refusal, refusal};
use crate::listing::{Ask, Listed, Page};
use crate::map;
use crate::proof::{ProvedKeys, Signatures};
use crate::settings::Limits;
use crate::wire::{Wire, Wiring};

/// A client for each question in one place: each has its own wire, so its own rate, as EC2 counts each action apart.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) wires: [Wire; 5],
    instances: Client,
    volumes: Client,
    addresses: Client,
    security_groups: Client,
    attributes: Client,
}

impl Clients {
    pub(crate) fn new(config: &SdkConfig, place: &Place, keys: &ProvedKeys, wiring: &Wiring) -> Self {
        // One bucket of retries for this account and region. The SDK's default is one per region for the whole
        // process, where one throttled account uses up everybody's retries.
        let retries = RetryPartition::custom(format!("ec2 {place}")).build();
        let per_second = wiring.limits.calls_per_second;
        let operations = [
            Instance::OPERATION,
            Volume::OPERATION,
            Address::OPERATION,
            SecurityGroup::OPERATION,
            ProtectionOf::OPERATION,
        ];
        let wires = operations
            .map(|operation| wiring.wire(place, operation, per_second, Signatures::Proved(keys.clone())));
        let clients = wires.each_ref().map(|wire| {
            let config = aws_sdk_ec2::config::Builder::from(config)
                .region(Region::new(place.region.as_str().to_owned()))
                .http_client(wire.http_client())
                .retry_partition(retries.clone());
            Client::from_conf(config.build())
        });
        let [instances, volumes, addresses, security_groups, attributes] = clients;
        Self { wires, instances, volumes, addresses, security_groups, attributes }
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
        let mut shared = map::Shared::default();
        let instances = answer.reservations.map(|reservations| {
            reservations
                .into_iter()
                .flat_map(|r| r.instances.unwrap_or_default())
                .map(|i| map::instance(i, at, &mut shared))
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

impl Described for SecurityGroup {
    const SERVICE: &'static str = "ec2";
    const OPERATION: &'static str = "DescribeSecurityGroups";
    const SOURCE: &'static str = "ec2 security groups";

    async fn ask(
        clients: &described::Clients,
        ask: Ask,
        limits: &Limits,
        _at: Timestamp,
        question: &Question<'_>,
    ) -> Result<Page<Self>, Refusal> {
        let request = clients.ec2.security_groups.describe_security_groups().max_results(limits.page_size);
        let sent = request.set_next_token(ask.token).send().await;
        let answer = sent.map_err(|error| refusal(&error, question))?;
        let request_id = answer.request_id().and_then(plain_code);
        let groups = answer.security_groups.map(|groups| groups.into_iter().map(map::security_group));
        Ok(page(groups, answer.next_token, request_id))
    }
}

/// The question whether one instance is protected from termination: `DescribeInstances` does not say.
#[derive(Debug)]
pub(crate) struct ProtectionOf<'a>(pub(crate) &'a HostId);

/// Whether it is; `None` when EC2 knows no such instance.
#[derive(Debug)]
pub(crate) struct Protection(pub(crate) Option<bool>);

impl Listed for Protection {
    // There is one, of the instance that was asked about.
    fn id(&self) -> &'static str {
        ""
    }
}

impl ProtectionOf<'_> {
    const OPERATION: &'static str = "DescribeInstanceAttribute";
}

impl Paged for ProtectionOf<'_> {
    type Item = Protection;

    fn service(&self) -> &'static str {
        "ec2"
    }
    fn operation(&self) -> &'static str {
        Self::OPERATION
    }

    async fn page(
        &self,
        clients: &described::Clients,
        _ask: Ask,
        _limits: &Limits,
        _at: Timestamp,
        question: &Question<'_>,
    ) -> Result<Page<Protection>, Refusal> {
        let request = clients.ec2.attributes.describe_instance_attribute().instance_id(self.0.as_str());
        let only = |protection, request_id| Page {
            items: Some(vec![Protection(protection)]),
            nameless: 0,
            next: None,
            request_id,
        };
        match request.attribute(InstanceAttributeName::DisableApiTermination).send().await {
            Ok(answer) => {
                let request_id = answer.request_id().and_then(plain_code);
                let told = answer.disable_api_termination.and_then(|attribute| attribute.value);
                let page = only(told, request_id);
                // Without a word on it nothing was answered.
                Ok(Page { items: page.items.filter(|_| told.is_some()), ..page })
            }
            // Terminated an hour ago, or never there.
            Err(error) if error.code() == Some("InvalidInstanceID.NotFound") => {
                Ok(only(None, error.request_id().and_then(plain_code)))
            }
            Err(error) => Err(refusal(&error, question)),
        }
    }
}
