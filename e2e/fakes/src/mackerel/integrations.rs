//! The AWS integration: settings, and the simulated thing itself, which registers what it finds in AWS.
//!
//! Each round it registers every resource that matches a setting and has no live host, **also one whose
//! host was retired by hand**, and retires the host of a resource that went away, if told to, looking once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    error::{Outcome, Refusal},
    host_params::HostParam,
    hosts::HostSize,
    metrics::Feed,
    monitors::{Monitor, text},
    roles::RoleFullname,
    truth::Truth,
};

/// Between two rounds, and two posts of metrics (API documentation: CloudWatch is asked every five minutes).
pub const ROUND_SECONDS: i64 = 300;
/// The tag that names a host's roles: `Svc:role / Svc2:role2`.
const ROLE_TAG: &str = "mackerel-integration";
/// Services whose hosts can be retired automatically.
const RETIRING: [&str; 3] = ["EC2", "RDS", "ElastiCache"];
/// What PUT keeps when it is left out; `secretKey` is never shown.
const CREDENTIALS: [&str; 3] = ["key", "roleArn", "externalId"];
/// All services of a setting; those that a client leaves out are off.
const SERVICES: [&str; 28] = [
    "EC2",
    "ELB",
    "ALB",
    "NLB",
    "RDS",
    "Redshift",
    "ElastiCache",
    "SQS",
    "Lambda",
    "DynamoDB",
    "CloudFront",
    "APIGateway",
    "Kinesis",
    "S3",
    "ES",
    "ECSCluster",
    "SES",
    "States",
    "EFS",
    "Firehose",
    "Batch",
    "WAF",
    "Billing",
    "Route 53",
    "Connect",
    "DocDB",
    "CodeBuild",
    "Athena",
];

/// Something in AWS that an integration may find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsResource {
    /// `EC2`, `RDS`, `ALB`…: the service's key in a setting.
    pub service: String,
    /// The region it is in.
    pub region: String,
    /// What its host's `customIdentifier` becomes: `i-….ec2.amazonaws.com`, an RDS endpoint, a DNS name.
    pub identifier: String,
    /// What its host is named.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it runs, which is when CloudWatch has metrics of it.
    pub running: bool,
}

impl AwsResource {
    /// A running EC2 instance without tags.
    #[must_use]
    pub fn ec2(region: &str, instance_id: &str) -> Self {
        Self {
            service: "EC2".to_owned(),
            region: region.to_owned(),
            identifier: format!("{instance_id}.ec2.amazonaws.com"),
            name: instance_id.to_owned(),
            tags: BTreeMap::new(),
            running: true,
        }
    }

    /// An available RDS instance; the integration names its host by the endpoint.
    #[must_use]
    pub fn rds(region: &str, endpoint: &str) -> Self {
        let name = endpoint.split('.').next().unwrap_or_default().to_owned();
        Self { service: "RDS".to_owned(), identifier: endpoint.to_owned(), name, ..Self::ec2(region, "") }
    }

    /// The same with this tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Whether any of `key:value, key:value` is among its tags.
    fn has_any(&self, tags: &str) -> bool {
        let pairs = tags.split(',').filter_map(|pair| pair.trim().split_once(':'));
        pairs.into_iter().any(|(k, v)| self.tags.get(k.trim()).is_some_and(|t| t == v.trim()))
    }
}

/// Settings, and what AWS holds as far as integrations can see.
#[derive(Clone, Debug, Default)]
pub(super) struct Integrations {
    settings: Vec<Monitor>,
    resources: BTreeMap<String, Arc<AwsResource>>,
    gone: BTreeMap<String, Arc<AwsResource>>,
    noticed: BTreeSet<(String, String)>,
    last_round: Option<i64>,
}

impl Integrations {
    pub(super) fn are_due(&self, now: i64) -> bool {
        let round = now.div_euclid(ROUND_SECONDS);
        !self.settings.is_empty() && self.last_round.is_none_or(|last| last < round)
    }
}

/// What one setting says of one service.
struct Wanted<'a>(&'a Monitor);

impl Wanted<'_> {
    fn service(&self, name: &str, field: &str) -> Option<&Value> {
        self.0.get("services")?.get(name)?.get(field)
    }

    fn takes(&self, resource: &AwsResource) -> bool {
        let enabled = self.service(&resource.service, "enable") == Some(&Value::Bool(true));
        let included = text(self.0, "includedTags");
        enabled
            && text(self.0, "region") == resource.region
            && (included.is_empty() || resource.has_any(included))
            && !resource.has_any(text(self.0, "excludedTags"))
    }

    fn retires(&self, resource: &AwsResource) -> bool {
        RETIRING.contains(&resource.service.as_str())
            && self.service(&resource.service, "retireAutomatically") == Some(&Value::Bool(true))
    }

    /// The roles of a new host: the resource's tag before the setting's default.
    fn roles(&self, resource: &AwsResource) -> Vec<String> {
        let tag = resource.tags.get(ROLE_TAG).map(|tag| tag.split('/').map(str::trim).collect::<Vec<_>>());
        let default =
            || self.service(&resource.service, "role").and_then(Value::as_str).into_iter().collect();
        let names = tag.unwrap_or_else(default);
        names.into_iter().filter(|n| RoleFullname::parse(n).is_ok()).map(str::to_owned).collect()
    }
}

impl Truth {
    fn integrations_mut(&mut self) -> &mut Integrations {
        Arc::make_mut(&mut self.integrations)
    }

    /// A resource appears in AWS, or changes. Integrations see it at their next round.
    pub fn aws_resource_appears(&mut self, resource: AwsResource) {
        let Integrations { resources, gone, noticed, .. } = self.integrations_mut();
        gone.remove(&resource.identifier);
        noticed.retain(|(_, seen)| *seen != resource.identifier);
        resources.insert(resource.identifier.clone(), resource.into());
    }

    /// A resource goes away in AWS. Integrations see it at their next round.
    pub fn aws_resource_goes(&mut self, identifier: &str) {
        let Integrations { resources, gone, .. } = self.integrations_mut();
        gone.extend(resources.remove(identifier).map(|resource| (identifier.to_owned(), resource)));
    }

    /// Settings, as listed.
    #[must_use]
    pub fn integrations(&self) -> &[Monitor] {
        &self.integrations.settings
    }

    /// The setting of this id.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn integration(&self, id: &str) -> Outcome<&Monitor> {
        let found = self.integrations.settings.iter().find(|s| text(s, "id") == id);
        found.ok_or_else(|| Refusal::not_found("AWS Integration Setting Not Found."))
    }

    /// Creates a setting. Integration begins at the next round.
    ///
    /// # Errors
    /// 400 with what is wrong.
    pub fn add_integration(&mut self, body: Value) -> Outcome<Monitor> {
        let mut setting = judged(body)?;
        let same = |s: &Monitor| text(s, "name") == text(&setting, "name");
        if self.integrations.settings.iter().any(same) {
            return Err(Refusal::bad("an AWS integration setting of this name exists"));
        }
        for field in CREDENTIALS {
            setting.entry(field).or_insert(Value::Null);
        }
        setting.insert("id".to_owned(), self.take_id().into());
        self.integrations_mut().settings.push(setting.clone());
        Ok(setting)
    }

    /// Overwrites a setting; credentials that are left out are kept.
    ///
    /// # Errors
    /// 404 for an unknown setting, 400 with what is wrong.
    pub fn put_integration(&mut self, id: &str, body: Value) -> Outcome<Monitor> {
        let mut setting = judged(body)?;
        let old = self.integration(id)?;
        for field in CREDENTIALS {
            let kept = old.get(field).cloned().unwrap_or_default();
            setting.entry(field).or_insert(kept);
        }
        setting.insert("id".to_owned(), id.into());
        let all = self.integrations_mut().settings.iter_mut();
        all.filter(|s| text(s, "id") == id).for_each(|s| s.clone_from(&setting));
        Ok(setting)
    }

    /// Deletes a setting; its hosts stay.
    ///
    /// # Errors
    /// 404 for an unknown setting.
    pub fn delete_integration(&mut self, id: &str) -> Outcome<Monitor> {
        let last = self.integration(id)?.clone();
        self.integrations_mut().settings.retain(|s| text(s, "id") != id);
        Ok(last)
    }

    /// One round over all settings.
    pub(super) fn integrate(&mut self) {
        let round = self.now().div_euclid(ROUND_SECONDS);
        self.integrations_mut().last_round = Some(round);
        for setting in self.integrations.settings.clone() {
            let wanted = Wanted(&setting);
            let taken = |r: &&Arc<AwsResource>| wanted.takes(r);
            let present: Vec<_> = self.integrations.resources.values().filter(taken).cloned().collect();
            for resource in present {
                // A host that cannot be registered is left for the next round, as the real one does.
                let _ = self.register_resource(&resource, &wanted);
            }
            for resource in self.newly_gone(text(&setting, "id")) {
                if wanted.takes(&resource) {
                    let _ = self.notice_end(&resource, wanted.retires(&resource));
                }
            }
        }
    }

    /// What went away since a setting last looked. It looks once, also when it is off or excludes the resource.
    fn newly_gone(&mut self, setting: &str) -> Vec<Arc<AwsResource>> {
        let Integrations { gone, noticed, .. } = self.integrations_mut();
        let first = |r: &&Arc<AwsResource>| noticed.insert((setting.to_owned(), r.identifier.clone()));
        gone.values().filter(first).cloned().collect()
    }

    fn live_host_of(&self, identifier: &str) -> Option<String> {
        let same = |h: &&super::hosts::Host| {
            let own = h.custom_identifier.as_deref();
            !h.is_retired() && own.is_some_and(|own| own.eq_ignore_ascii_case(identifier))
        };
        self.hosts().find(same).map(|h| h.id.clone())
    }

    fn register_resource(&mut self, resource: &AwsResource, wanted: &Wanted<'_>) -> Outcome<()> {
        let id = match self.live_host_of(&resource.identifier) {
            Some(id) => id,
            None => self.register_found(resource, wanted)?,
        };
        let fed = |f: &Feed| f.every == ROUND_SECONDS && f.until.is_none();
        let is_fed = self.host(&id)?.feeds.iter().any(fed);
        let now = self.now();
        match (resource.running, is_fed) {
            (true, false) => {
                let metric = format!("custom.{}.cpu.used", resource.service.to_ascii_lowercase());
                let values = vec![(metric.into(), 5.0)];
                self.feed(&id, Feed { every: ROUND_SECONDS, from: now, until: None, values })
            }
            (false, true) => self.end_feed(&id, ROUND_SECONDS),
            _ => Ok(()),
        }
    }

    fn register_found(&mut self, resource: &AwsResource, wanted: &Wanted<'_>) -> Outcome<String> {
        let provider = resource.service.to_ascii_lowercase();
        let metadata = match resource.identifier.strip_suffix(".ec2.amazonaws.com") {
            Some(instance) => json!({"instance-id": instance}),
            None => json!({}),
        };
        let mut param = HostParam::named(&resource.name)
            .custom_identifier(&resource.identifier)
            .meta("cloud", json!({"provider": provider, "metadata": metadata}));
        param.role_fullnames = Some(wanted.roles(resource));
        let id = self.add_host(&param)?;
        let size = if resource.service == "EC2" { HostSize::Standard } else { HostSize::Micro };
        self.set_size(&id, size)?;
        Ok(id)
    }

    fn notice_end(&mut self, resource: &AwsResource, retire: bool) -> Outcome<()> {
        let Some(id) = self.live_host_of(&resource.identifier) else {
            return Ok(());
        };
        self.end_feed(&id, ROUND_SECONDS)?;
        if retire { self.retire(&id) } else { Ok(()) }
    }
}

fn judged(body: Value) -> Outcome<Monitor> {
    let Value::Object(mut setting) = body else {
        return Err(Refusal::bad("expected a JSON object"));
    };
    setting.remove("secretKey");
    for field in ["name", "region"] {
        if text(&setting, field).is_empty() {
            return Err(Refusal::bad(format!("{field} is empty")));
        }
    }
    for field in ["memo", "includedTags", "excludedTags"] {
        setting.entry(field).or_insert_with(|| "".into());
    }
    let given = setting.remove("services").unwrap_or_else(|| json!({}));
    let Value::Object(mut services) = given else {
        return Err(Refusal::bad("services must be an object"));
    };
    for name in SERVICES {
        let off = json!({"enable": false, "role": null, "excludedMetrics": []});
        let service = services.entry(name).or_insert(off);
        if RETIRING.contains(&name)
            && let Some(fields) = service.as_object_mut()
        {
            fields.entry("retireAutomatically").or_insert(Value::Bool(false));
        }
    }
    setting.insert("services".to_owned(), Value::Object(services));
    Ok(setting)
}
