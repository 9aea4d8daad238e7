//! Who owns an instance, when that is not a person: an AWS service or a fleet that would replace what is stopped.
//!
//! It errs towards an owner: a host wrongly said to be managed is kept, the other way round it may be retired.

use aws_sdk_ec2::types::Instance;
use rollcall_engine::inventory::Tags;

/// `aws:*` tags that say how an instance was launched, not that something keeps it. AWS alone can set `aws:*` tags, and
/// all others come from a service that owns the instance (Auto Scaling, `CloudFormation`, EMR, fleets, Service Catalog…).
const NO_OWNER: [&str; 2] = ["aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"];

/// Tags that name the owner, most telling first: the tag's key, and how the owner is called here.
const NAMED: [(&str, &str); 13] = [
    ("aws:autoscaling:groupName", "autoscaling"),
    ("karpenter.sh/nodepool", "karpenter"),
    ("karpenter.sh/nodeclaim", "karpenter"),
    ("eks:nodegroup-name", "eks"),
    ("eks:cluster-name", "eks"),
    ("aws:eks:cluster-name", "eks"),
    ("elasticbeanstalk:environment-name", "elasticbeanstalk"),
    ("aws:elasticmapreduce:job-flow-id", "emr"),
    ("AWSBatchServiceTag", "batch"),
    ("AmazonECSManaged", "ecs"),
    ("AWSRDSCustom", "rds-custom"),
    ("opsworks:stack", "opsworks"),
    ("aws:cloudformation:stack-name", "cloudformation"),
];

/// Kubernetes nodes carry their cluster in the key.
const CLUSTER: &str = "kubernetes.io/cluster/";

/// The owner: `operator:eks.amazonaws.com`, `autoscaling:web`, `aws:ec2:fleet-id`, `spot`.
pub(super) fn owner(instance: &Instance, tags: &Tags) -> Option<String> {
    operator(instance).or_else(|| tagged(tags)).or_else(|| lifecycle(instance)).map(short)
}

fn operator(instance: &Instance) -> Option<String> {
    let operator = instance.operator().filter(|o| o.managed() == Some(true))?;
    Some(format!("operator:{}", operator.principal().unwrap_or("unnamed")))
}

fn tagged(tags: &Tags) -> Option<String> {
    let named = NAMED.iter().find_map(|(key, owner)| tags.get(key).map(|value| format!("{owner}:{value}")));
    let cluster =
        || tags.iter().find_map(|(key, _)| key.strip_prefix(CLUSTER).map(|c| format!("kubernetes:{c}")));
    let service = || {
        let owning = |key: &&str| key.starts_with("aws:") && !NO_OWNER.contains(key);
        tags.iter().map(|(key, _)| key).find(owning).map(str::to_owned)
    };
    named.or_else(cluster).or_else(service)
}

/// EC2 leaves the field out for plain on-demand instances; any value, known or not, means other rules than theirs.
fn lifecycle(instance: &Instance) -> Option<String> {
    instance.instance_lifecycle().map(|l| l.as_str().to_owned())
}

/// Values come from tags, which have up to 256 characters, and from whoever feeds us.
fn short(owner: String) -> String {
    if owner.chars().count() <= 320 { owner } else { owner.chars().take(320).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{InstanceLifecycleType, OperatorResponse};

    fn of(instance: &Instance, pairs: &[(&str, &str)]) -> Option<String> {
        owner(instance, &pairs.iter().copied().collect())
    }

    #[test]
    fn each_sign_of_an_owner_is_seen_and_the_most_telling_is_named() {
        let plain = Instance::builder().build();
        for (tags, expected) in [
            (&[("Name", "web-1"), ("environment", "prod")][..], None),
            (&[("aws:ec2launchtemplate:id", "lt-1"), ("aws:ec2launchtemplate:version", "3")], None),
            (&[("aws:autoscaling:groupName", "web")], Some("autoscaling:web")),
            (
                &[("aws:cloudformation:stack-name", "s"), ("aws:autoscaling:groupName", "web")],
                Some("autoscaling:web"),
            ),
            (
                &[("aws:cloudformation:stack-name", "base"), ("aws:cloudformation:logical-id", "x")],
                Some("cloudformation:base"),
            ),
            (&[("eks:cluster-name", "c1"), ("kubernetes.io/cluster/c1", "owned")], Some("eks:c1")),
            (&[("karpenter.sh/nodepool", "spot"), ("aws:ec2:fleet-id", "fleet-1")], Some("karpenter:spot")),
            (&[("kubernetes.io/cluster/kops", "owned")], Some("kubernetes:kops")),
            (&[("AmazonECSManaged", "")], Some("ecs:")),
            (&[("aws:ec2:fleet-id", "fleet-1")], Some("aws:ec2:fleet-id")),
            (&[("aws:something-new", "x")], Some("aws:something-new")),
            (&[("awsome:tag", "x")], None),
        ] {
            assert_eq!(of(&plain, tags).as_deref(), expected, "{tags:?}");
        }
    }

    #[test]
    fn the_operator_and_the_lifecycle_count_without_any_tag() {
        let operator = |managed| {
            let operator =
                OperatorResponse::builder().managed(managed).principal("eks.amazonaws.com").build();
            Instance::builder().operator(operator).build()
        };
        assert_eq!(of(&operator(true), &[]).as_deref(), Some("operator:eks.amazonaws.com"));
        assert_eq!(of(&operator(false), &[]), None);
        for lifecycle in ["spot", "scheduled", "capacity-block", "a-future-one"] {
            let bought =
                Instance::builder().instance_lifecycle(InstanceLifecycleType::from(lifecycle)).build();
            assert_eq!(of(&bought, &[]).as_deref(), Some(lifecycle));
        }
    }

    #[test]
    fn a_hostile_value_is_cut() {
        let long = "x".repeat(10_000);
        assert_eq!(of(&Instance::builder().build(), &[("eks:cluster-name", &long)]).unwrap().len(), 320);
    }
}
