//! The mess: what is wrong in the fleet, each fault with the finding that must report it.

use rollcall_fakes::aws::Launch;
use rollcall_fakes::mackerel::{AgentConf, HostParam};
use serde_json::json;

use crate::Backlog;
use crate::hosts::{ACCOUNTS, ENVIRONMENTS, EnvironmentPlan, short};

/// A fault that was planted on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// Code of the finding that must report it.
    pub code: &'static str,
    /// The `RequiredCheck` it must name, if it is about one.
    pub check: Option<&'static str>,
    /// What really happened.
    pub story: &'static str,
    /// Names of the hosts or registrations that are wrong; empty where one finding stands for all.
    pub subjects: Vec<String>,
    /// Words that its fix must hold.
    pub fix: &'static str,
}

/// Old staging hosts that are terminated on Saturday; their registrations stay behind.
pub const LEAVING: [&str; 6] =
    ["stg-app-7", "stg-app-8", "stg-app-9", "stg-app-10", "stg-app-11", "stg-app-12"];

impl Backlog {
    /// The monitors of the organisation. `disk%` leaves the search hosts out, and `swap%` was muted and forgotten.
    pub(crate) fn make_monitors(&mut self) -> anyhow::Result<()> {
        let percent = |metric: &str, warning: u32, critical: u32| {
            json!({"type": "host", "name": metric, "metric": metric, "operator": ">", "warning": warning,
                   "critical": critical, "duration": 3})
        };
        let mut disk = percent("disk%", 85, 92);
        let mut swap = percent("swap%", 60, 80);
        if let (Some(disk), Some(swap)) = (disk.as_object_mut(), swap.as_object_mut()) {
            disk.insert("excludeScopes".to_owned(), json!(["Backlog: search"]));
            swap.insert("isMute".to_owned(), json!(true));
        }
        self.org.edit(|truth| -> anyhow::Result<()> {
            truth.add_monitor(disk)?;
            truth.add_monitor(swap)?;
            truth.add_monitor(percent("cpu%", 90, 95))?;
            truth.add_monitor(percent("memory%", 90, 95))?;
            Ok(())
        })
    }

    pub(crate) fn make_a_mess(&mut self) -> anyhow::Result<()> {
        self.nobody_installed_ntp();
        self.an_old_image_copied_its_id_file()?;
        self.hosts_will_leave_registrations_behind();
        self.a_rebuilt_host_registered_twice()?;
        self.a_mute_was_forgotten();
        self.search_disks_are_out_of_scope();
        self.coarse_roles_in_mackerel()?;
        self.strangers_live_in_mackerel()?;
        self.hosts_without_a_duty()?;
        self.hosts_without_an_environment()?;
        self.stopped_hosts_are_still_watched()?;
        self.an_agent_crashed()?;
        self.reviews_are_overdue();
        Ok(())
    }

    pub(crate) fn plant(
        &mut self,
        code: &'static str,
        check: Option<&'static str>,
        story: &'static str,
        subjects: Vec<String>,
        fix: &'static str,
    ) {
        self.planted.push(Planted { code, check, story, subjects, fix });
    }

    /// Names of the planned hosts of a duty (or of all), in all environments.
    fn named(duty: Option<&str>) -> Vec<String> {
        let mut names = Vec::new();
        for environment in &ENVIRONMENTS {
            for (d, many) in environment.duties.iter().filter(|(d, _)| duty.is_none_or(|duty| duty == *d)) {
                names.extend((1..=*many).map(|n| format!("{}-{}-{n}", environment.name, short(d))));
            }
        }
        names
    }

    fn nobody_installed_ntp(&mut self) {
        self.plant(
            "RC0102",
            Some("ntp"),
            "the check was required, and nobody ever rolled it out",
            vec![],
            "check-ntpoffset",
        );
    }

    fn an_old_image_copied_its_id_file(&mut self) -> anyhow::Result<()> {
        let names = ["jp1-app-7", "jp1-app-8", "jp1-app-9"];
        for name in names {
            // Their agents found the id of the image's original and speak in its name.
            if let Some(id) = self.hosts.get_mut(name).and_then(|host| host.registration.take()) {
                self.org.edit(|truth| truth.retire(&id))?;
            }
        }
        let subjects = names.map(str::to_owned).to_vec();
        self.plant(
            "RC0101",
            None,
            "three hosts were made from an image that held another host's id file",
            subjects,
            "rm /var/lib/mackerel-agent/id",
        );
        Ok(())
    }

    fn hosts_will_leave_registrations_behind(&mut self) {
        let subjects = LEAVING.map(str::to_owned).to_vec();
        self.plant(
            "RC0201",
            None,
            "terminated on Saturday; nobody retired their registrations",
            subjects,
            "mkr retire",
        );
    }

    fn a_rebuilt_host_registered_twice(&mut self) -> anyhow::Result<()> {
        let instance = self.truth("jp2-git-2")?.instance.clone();
        self.org.edit(|truth| {
            // The older registration was made before identifiers were sent; only its metadata tells.
            let old = HostParam::named("jp2-git-2")
                .meta("cloud", json!({"provider": "ec2", "metadata": {"instance-id": instance}}));
            truth.add_host(&old)
        })?;
        self.plant(
            "RC0203",
            None,
            "rebuilt in place and registered again",
            vec!["jp2-git-2".to_owned()],
            "mkr retire",
        );
        Ok(())
    }

    fn a_mute_was_forgotten(&mut self) {
        self.plant(
            "RC0104",
            Some("swap"),
            "the swap monitor was muted during an incident in March",
            vec![],
            "unmute it in Mackerel",
        );
    }

    fn search_disks_are_out_of_scope(&mut self) {
        let subjects = Self::named(Some("search"));
        self.plant(
            "RC0105",
            Some("disk"),
            "search was excluded from the disk monitor while it was being rebuilt",
            subjects,
            "mkr monitors push",
        );
    }

    fn coarse_roles_in_mackerel(&mut self) -> anyhow::Result<()> {
        let names: Vec<String> = (1..=4).map(|n| format!("cacoo-batch-{n}")).collect();
        for name in &names {
            let Some(id) = self.truth(name)?.registration.clone() else { continue };
            self.org.edit(|truth| -> anyhow::Result<()> {
                let checks: Vec<String> =
                    truth.host(&id)?.checks.iter().map(|check| check.name.to_string()).collect();
                let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
                truth.set_roles(&id, &["Backlog:app".to_owned()])?;
                truth.agent_starts(&id, AgentConf::new(&["Backlog:app"], &checks))?;
                Ok(())
            })?;
        }
        self.plant(
            "RC0106",
            None,
            "batch hosts were put under the app role, because there was no other",
            names,
            "mackerel-agent.conf",
        );
        Ok(())
    }

    fn strangers_live_in_mackerel(&mut self) -> anyhow::Result<()> {
        self.org.edit(|truth| -> anyhow::Result<()> {
            for n in 1..=5 {
                let name = format!("backlog-alb-{n}");
                let elb = HostParam::named(&name)
                    .custom_identifier(&format!("{name}.ap-northeast-1.elb.amazonaws.com"))
                    .meta("cloud", json!({"provider": "alb", "metadata": {}}));
                truth.add_host(&elb)?;
            }
            for n in 1..=4 {
                truth.add_host(&HostParam::named(&format!("office-fukuoka-{n}")))?;
            }
            Ok(())
        })?;
        self.plant(
            "RC0202",
            None,
            "load balancers and office machines are in Mackerel too",
            vec![],
            "nothing where they are meant to be there",
        );
        Ok(())
    }

    fn hosts_without_a_duty(&mut self) -> anyhow::Result<()> {
        let dev = environment("dev")?;
        let names = ["dev-migration-test", "dev-tanaka", "dev-suzuki-2"];
        for name in names {
            self.launch(
                name,
                dev,
                &Launch::of("t3.medium").tag("Name", name).launched_at("2026-06-01T03:00:00Z".parse()?),
            )?;
            let instance = self.truth(name)?.instance.clone();
            let id = self.org.edit(|truth| -> anyhow::Result<String> {
                let id = truth.add_host(&HostParam::ec2(name, &instance))?;
                truth.agent_starts(&id, AgentConf::new(&[], &[]))?;
                Ok(id)
            })?;
            if let Some(host) = self.hosts.get_mut(name) {
                host.registration = Some(id);
            }
        }
        self.plant(
            "RC0606",
            None,
            "somebody tried something and went on holiday",
            names.map(str::to_owned).to_vec(),
            "tag",
        );
        Ok(())
    }

    fn hosts_without_an_environment(&mut self) -> anyhow::Result<()> {
        let region = self.aws.account(ACCOUNTS[0]).region("ap-northeast-1");
        let launched = "2025-02-10T03:00:00Z".parse()?;
        for name in ["poc-elastic", "build-2019", "tmp"] {
            region.launch(&Launch::of("m5.large").tag("Name", name).launched_at(launched))?;
        }
        region.launch(&Launch::of("t3.small").launched_at(launched))?;
        self.plant(
            "RC0403",
            None,
            "four hosts that nobody put into an environment, one of them without a name",
            vec![],
            "tag",
        );
        Ok(())
    }

    fn stopped_hosts_are_still_watched(&mut self) -> anyhow::Result<()> {
        let names = ["stg-app-5", "stg-app-6"];
        for name in names {
            self.region_of(name)?.stop(&self.truth(name)?.instance)?;
            if let Some(id) = self.truth(name)?.registration.clone() {
                self.org.edit(|truth| truth.agent_stops(&id, false))?;
            }
        }
        self.plant(
            "RC0108",
            None,
            "stopped for the quarter, still working in Mackerel",
            names.map(str::to_owned).to_vec(),
            "mkr update --st poweroff",
        );
        Ok(())
    }

    fn an_agent_crashed(&mut self) -> anyhow::Result<()> {
        if let Some(id) = self.truth("com1-batch-2")?.registration.clone() {
            self.org.edit(|truth| truth.agent_stops(&id, false))?;
        }
        self.plant(
            "RC0103",
            None,
            "its agent was killed and nobody noticed",
            vec!["com1-batch-2".to_owned()],
            "systemctl",
        );
        Ok(())
    }

    fn reviews_are_overdue(&mut self) {
        self.plant("RC0601", Some("login-page"), "last reviewed in May", vec![], "review");
        self.plant("RC0601", Some("zombies"), "last reviewed in March", vec![], "review");
        self.plant("RC0601", Some("app-sessions"), "last reviewed in April", vec![], "review");
    }
}

fn environment(name: &str) -> anyhow::Result<&'static EnvironmentPlan> {
    ENVIRONMENTS
        .iter()
        .find(|e| e.name == name)
        .ok_or_else(|| anyhow::anyhow!("there is no environment {name}"))
}
