//! One EC2 instance at one moment.

use std::{collections::BTreeMap, net::Ipv4Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Written;
use crate::aws::error::AwsError;

/// The life cycle of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Starting.
    Pending,
    /// Up.
    Running,
    /// On its way to terminated.
    ShuttingDown,
    /// Gone, shown for an hour more.
    Terminated,
    /// On its way to stopped.
    Stopping,
    /// Down; its volumes stay.
    Stopped,
}

impl State {
    /// AWS's code.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            State::Pending => 0,
            State::Running => 16,
            State::ShuttingDown => 32,
            State::Terminated => 48,
            State::Stopping => 64,
            State::Stopped => 80,
        }
    }

    /// AWS's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Running => "running",
            State::ShuttingDown => "shutting-down",
            State::Terminated => "terminated",
            State::Stopping => "stopping",
            State::Stopped => "stopped",
        }
    }

    /// Whether it is gone or going for good.
    #[must_use]
    pub fn is_ending(self) -> bool {
        matches!(self, State::ShuttingDown | State::Terminated)
    }
}

/// How an instance was bought; only the last three show in `instanceLifecycle`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifecycle {
    /// On demand.
    #[default]
    Normal,
    /// Spot, one-time.
    Spot,
    /// Scheduled.
    Scheduled,
    /// Capacity block.
    CapacityBlock,
}

impl Lifecycle {
    /// As `instanceLifecycle` says it; absent for on-demand.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Lifecycle::Normal => None,
            Lifecycle::Spot => Some("spot"),
            Lifecycle::Scheduled => Some("scheduled"),
            Lifecycle::CapacityBlock => Some("capacity-block"),
        }
    }
}

/// What holds the root device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootDevice {
    /// A volume: the instance can be stopped.
    #[default]
    Ebs,
    /// The machine's own disk: it cannot.
    InstanceStore,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// `sg-…`.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A volume as the instance sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `/dev/xvda`.
    pub name: String,
    /// `vol-…`.
    pub volume: String,
    /// Whether the volume dies with the instance.
    pub delete_on_termination: bool,
    /// Since when it is attached.
    pub attached: Timestamp,
}

/// An instance at one moment.
// Its flags are EC2's own, each a field of DescribeInstances or DescribeInstanceAttribute.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub struct Instance {
    /// `i-…`.
    pub id: String,
    /// The launch request that made it: `r-…`.
    pub reservation: String,
    /// The account that owns it.
    pub owner: String,
    /// Which of its reservation's instances it is.
    pub launch_index: i64,
    /// The caller's idempotency token of the launch.
    pub client_token: String,
    /// `ami-…`.
    pub image: String,
    /// For example `t3.medium`.
    pub instance_type: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Where it is in its life.
    pub state: State,
    /// `User initiated (2026-03-02 12:00:00 GMT)`; empty while nothing happened to it.
    pub transition_reason: String,
    /// Code and message of the last change that was not a start.
    pub state_reason: Option<(&'static str, &'static str)>,
    /// When it was last started.
    pub launched: Timestamp,
    /// The zone's name.
    pub zone: String,
    /// `default`, `dedicated` or `host`.
    pub tenancy: String,
    /// `vpc-…`; none once terminated.
    pub vpc: Option<String>,
    /// `subnet-…`; none once terminated.
    pub subnet: Option<String>,
    /// Its network interface; none once terminated.
    pub interface: Option<String>,
    /// Its private address; none once terminated.
    pub private_ip: Option<Ipv4Addr>,
    /// Its public address now.
    pub public_ip: Option<Ipv4Addr>,
    /// Whether it is given a new public address at each start.
    pub auto_public: bool,
    /// Security groups.
    pub groups: Vec<Group>,
    /// The key pair's name.
    pub key_name: Option<String>,
    /// The instance profile's ARN.
    pub profile: Option<String>,
    /// Tags, `aws:*` among them.
    pub tags: BTreeMap<String, String>,
    /// How it was bought.
    pub lifecycle: Lifecycle,
    /// The service that manages it (`operator.principal`), if any.
    pub managed_by: Option<String>,
    /// What holds its root.
    pub root: RootDevice,
    /// Attached volumes.
    pub devices: Vec<Device>,
    /// `disableApiTermination`.
    pub termination_protected: bool,
    /// `disableApiStop`.
    pub stop_protected: bool,
    /// What the guest's own shutdown does: true terminates.
    pub shutdown_terminates: bool,
    /// User data, base64 as given.
    pub user_data: Option<String>,
    /// Its `<item>` in a listing.
    pub written: Written,
}

impl Instance {
    /// AWS's answer about instances that it does not know.
    #[must_use]
    pub fn unknown(ids: &[&str]) -> AwsError {
        let message = match ids {
            [id] => format!("The instance ID '{id}' does not exist"),
            ids => format!("The instance IDs '{}' do not exist", ids.join(", ")),
        };
        AwsError::bad_request("InvalidInstanceID.NotFound", message)
    }

    /// Whether an AWS service manages it.
    #[must_use]
    pub fn is_managed(&self) -> bool {
        self.managed_by.is_some()
    }

    /// The region, which is the zone without its letter.
    #[must_use]
    pub fn region(&self) -> &str {
        self.zone.get(..self.zone.len().saturating_sub(1)).unwrap_or_default()
    }

    /// `ip-10-0-0-10.ap-northeast-1.compute.internal`; us-east-1 has its own old form.
    #[must_use]
    pub fn private_dns(&self) -> Option<String> {
        let domain = match self.region() {
            "us-east-1" => "ec2.internal".to_owned(),
            region => format!("{region}.compute.internal"),
        };
        self.private_ip.map(|ip| format!("ip-{}.{domain}", dashed(ip)))
    }

    /// `ec2-198-18-0-1.ap-northeast-1.compute.amazonaws.com`; us-east-1 has its own old form.
    #[must_use]
    pub fn public_dns(&self) -> Option<String> {
        let domain = match self.region() {
            "us-east-1" => "compute-1.amazonaws.com".to_owned(),
            region => format!("{region}.compute.amazonaws.com"),
        };
        self.public_ip.map(|ip| format!("ec2-{}.{domain}", dashed(ip)))
    }
}

fn dashed(ip: Ipv4Addr) -> String {
    ip.to_string().replace('.', "-")
}
