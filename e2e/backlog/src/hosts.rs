//! Who lives in the fleet: environments, duties and numbers, launched over four years.

use jiff::{SignedDuration, Timestamp};
use rollcall_fakes::aws::Launch;
use rollcall_fakes::mackerel::{AgentConf, HostParam};

use crate::tree::Tree;
use crate::{Backlog, HostTruth};

/// The production and the development account.
pub const ACCOUNTS: [&str; 2] = ["123456789012", "210987654321"];

/// One environment: where it is and how many hosts of each duty it has.
#[derive(Debug)]
pub struct EnvironmentPlan {
    /// Its name, and the prefix of its hosts' names.
    pub name: &'static str,
    /// Its account.
    pub account: &'static str,
    /// Its region.
    pub region: &'static str,
    /// Hosts by duty; the name part stands in [`short`].
    pub duties: &'static [(&'static str, usize)],
}

/// The seven environments.
pub const ENVIRONMENTS: [EnvironmentPlan; 7] = [
    EnvironmentPlan {
        name: "jp1",
        account: ACCOUNTS[0],
        region: "ap-northeast-1",
        duties: &[
            ("app", 12),
            ("batch", 4),
            ("git", 6),
            ("webdav", 3),
            ("search", 3),
            ("proxy", 3),
            ("log", 2),
            ("bastion", 1),
            ("ci", 2),
        ],
    },
    EnvironmentPlan {
        name: "jp2",
        account: ACCOUNTS[0],
        region: "ap-northeast-1",
        duties: &[
            ("app", 10),
            ("batch", 3),
            ("git", 5),
            ("webdav", 3),
            ("search", 3),
            ("proxy", 3),
            ("log", 2),
            ("bastion", 1),
        ],
    },
    EnvironmentPlan {
        name: "com1",
        account: ACCOUNTS[0],
        region: "us-west-2",
        duties: &[
            ("app", 8),
            ("batch", 3),
            ("git", 4),
            ("webdav", 2),
            ("search", 3),
            ("proxy", 2),
            ("log", 2),
            ("bastion", 1),
        ],
    },
    EnvironmentPlan {
        name: "com2",
        account: ACCOUNTS[0],
        region: "us-west-2",
        duties: &[
            ("app", 8),
            ("batch", 3),
            ("git", 4),
            ("webdav", 2),
            ("search", 3),
            ("proxy", 2),
            ("log", 2),
            ("bastion", 1),
        ],
    },
    EnvironmentPlan {
        name: "cacoo",
        account: ACCOUNTS[0],
        region: "us-west-2",
        duties: &[("app", 10), ("batch", 4), ("search", 3), ("proxy", 3), ("log", 2), ("bastion", 1)],
    },
    EnvironmentPlan {
        name: "stg",
        account: ACCOUNTS[1],
        region: "ap-northeast-1",
        duties: &[
            ("app", 12),
            ("batch", 2),
            ("git", 3),
            ("webdav", 2),
            ("search", 3),
            ("proxy", 2),
            ("log", 1),
            ("bastion", 1),
            ("ci", 2),
        ],
    },
    EnvironmentPlan {
        name: "dev",
        account: ACCOUNTS[1],
        region: "ap-northeast-1",
        duties: &[
            ("app", 6),
            ("batch", 3),
            ("git", 3),
            ("webdav", 2),
            ("search", 3),
            ("proxy", 2),
            ("log", 1),
            ("bastion", 1),
            ("ci", 3),
        ],
    },
];

/// What a duty is called in a host's name.
pub fn short(duty: &str) -> &str {
    if duty == "webdav" { "dav" } else { duty }
}

pub(crate) fn instance_type(duty: &str) -> &'static str {
    match duty {
        "app" | "search" => "m5.large",
        "batch" | "git" => "c5.xlarge",
        "bastion" => "t3.micro",
        _ => "t3.medium",
    }
}

impl Backlog {
    /// Launches every host of the plan. Tags are as people left them: half the fleet has no Role tag and is
    /// known by its name alone.
    pub(crate) fn launch_all(&mut self, begin: Timestamp) -> anyhow::Result<()> {
        let mut age_days = 0;
        for environment in &ENVIRONMENTS {
            for (duty, many) in environment.duties {
                for number in 1..=*many {
                    age_days = (age_days * 7 + 37) % 1_400;
                    let name = format!("{}-{}-{number}", environment.name, short(duty));
                    let mut launch = Launch::of(instance_type(duty))
                        .tag("Name", &name)
                        .tag("Env", environment.name)
                        .launched_at(begin - SignedDuration::from_hours(24 * (20 + age_days)));
                    if number % 2 == 1 {
                        launch = launch.tag("Role", duty);
                    }
                    self.launch(&name, environment, &launch)?;
                }
            }
        }
        Ok(())
    }

    /// Launches one host of an environment and remembers where it is.
    ///
    /// # Errors
    /// When the fake refuses.
    pub fn launch(
        &mut self,
        name: &str,
        environment: &EnvironmentPlan,
        launch: &Launch,
    ) -> anyhow::Result<()> {
        let ids = self.aws.account(environment.account).region(environment.region).launch(launch)?;
        let instance = ids.into_iter().next().ok_or_else(|| anyhow::anyhow!("{name} was not launched"))?;
        let truth = HostTruth {
            environment: environment.name.to_owned(),
            instance,
            account: environment.account.to_owned(),
            region: environment.region.to_owned(),
            registration: None,
        };
        self.hosts.insert(name.to_owned(), truth);
        Ok(())
    }

    /// Every host's agent registers it, takes its roles and runs its checks; then the monitors are made.
    pub(crate) fn register_all(&mut self, tree: &Tree) -> anyhow::Result<()> {
        for environment in &ENVIRONMENTS {
            for (duty, many) in environment.duties {
                let checks = tree.check_names(duty, environment.name);
                for number in 1..=*many {
                    let name = format!("{}-{}-{number}", environment.name, short(duty));
                    self.register(&name, duty, &checks)?;
                }
            }
        }
        self.make_monitors()
    }

    /// Registers one host as its agent would, and starts the agent. The role that no agent has ever been given a
    /// check for (`check-ntp`) stays out, and bastions have no cron.
    pub(crate) fn register(&mut self, name: &str, duty: &str, checks: &[String]) -> anyhow::Result<()> {
        let instance = self.truth(name)?.instance.clone();
        let runs: Vec<&str> = checks
            .iter()
            .map(String::as_str)
            .filter(|check| *check != "check-ntp" && !(duty == "bastion" && *check == "check-cron"))
            .collect();
        let role = format!("Backlog:{duty}");
        let id = self.org.edit(|truth| -> anyhow::Result<String> {
            let id = truth.add_host(&HostParam::ec2(name, &instance))?;
            truth.agent_starts(&id, AgentConf::new(&[&role], &runs))?;
            Ok(id)
        })?;
        if let Some(host) = self.hosts.get_mut(name) {
            host.registration = Some(id);
        }
        Ok(())
    }
}
