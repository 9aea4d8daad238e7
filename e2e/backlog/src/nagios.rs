//! What the team's older Nagios watches from outside: proxies, Git, databases, and the applications of Japan.
//!
//! It is as messy as it is old: a third of its hosts bear a name and no instance id, one service has been red for weeks,
//! which is Nagios' own news, and one thing is wrong that nobody has noticed.

use rollcall_fakes::nagios::{Host, Service, ServiceState};

use crate::databases::DATABASES;
use crate::hosts::{ACCOUNTS, ENVIRONMENTS, short};
use crate::tree::Tree;
use crate::{Backlog, NAGIOS_PASSWORD, NAGIOS_USER};

/// Duties that it watches in every production environment.
const DUTIES: [&str; 2] = ["git", "proxy"];
/// Environments whose applications it watches too.
const JAPAN: [&str; 2] = ["jp1", "jp2"];
/// What is only reported: the script that dumps a database says so every night.
const REPORTED: &str = "backup";
/// Between two nights, in seconds.
const NIGHTLY: i64 = 24 * 3_600;
/// After so many seconds without a report it is overdue.
const OVERDUE: i64 = 26 * 3_600;

impl Backlog {
    /// Configures it, as the tree asks and with its mess.
    pub(crate) fn watch_from_outside(&mut self, tree: &Tree) -> anyhow::Result<()> {
        self.nagios.installation.add_user(NAGIOS_USER, NAGIOS_PASSWORD, true);
        for plan in ENVIRONMENTS.iter().filter(|plan| plan.account == ACCOUNTS[0]) {
            let databases =
                DATABASES.iter().filter(|(name, _)| *name == plan.name).map(|(_, many)| ("db", *many));
            let is_watched =
                |duty: &str| DUTIES.contains(&duty) || (duty == "app" && JAPAN.contains(&plan.name));
            let instances = plan.duties.iter().copied().filter(|(duty, _)| is_watched(duty));
            for (duty, many) in instances.chain(databases) {
                let services = tree.service_names(duty, plan.name);
                for number in 1..=many {
                    self.configure(&format!("{}-{}-{number}", plan.name, short(duty)), number, &services)?;
                }
            }
        }
        self.ftp_outlived_its_server()?;
        let red = self.name_in_nagios("com1-proxy-1");
        self.nagios.installation.edit(|truth| truth.service_turns(&red, "https", ServiceState::Critical))?;
        Ok(())
    }

    fn configure(&mut self, name: &str, number: usize, services: &[String]) -> anyhow::Result<()> {
        let host = self.truth(name)?.clone();
        // Those from the old days have no id; a database has none that Nagios could know.
        let is_old = number.is_multiple_of(3) || host.instance.starts_with("db-");
        let named = if is_old { format!("{name}.internal") } else { name.to_owned() };
        let mut there = Host::named(&named);
        if !is_old {
            there = there.variable("_INSTANCE_ID", &host.instance);
        }
        for service in services {
            there = there.service(match service.as_str() {
                REPORTED => Service::reported(REPORTED, Some(OVERDUE)),
                other => Service::active(other, &format!("check_{other}")),
            });
        }
        let is_reported = services.iter().any(|service| service == REPORTED);
        self.nagios.installation.edit(|truth| -> anyhow::Result<()> {
            truth.add_host(there)?;
            if is_reported {
                truth.is_reported(&named, REPORTED, NIGHTLY)?;
            }
            Ok(())
        })
    }

    /// What Nagios calls a host of the fleet.
    #[must_use]
    pub fn name_in_nagios(&self, name: &str) -> String {
        let old = format!("{name}.internal");
        if self.nagios.installation.truth().host(&old).is_ok() { old } else { name.to_owned() }
    }

    fn ftp_outlived_its_server(&mut self) -> anyhow::Result<()> {
        for number in 1..=4 {
            let there = self.name_in_nagios(&format!("com2-git-{number}"));
            self.nagios
                .installation
                .edit(|truth| truth.add_service(&there, Service::active("ftp", "check_ftp")))?;
        }
        let story =
            "the FTP server went away with the customer who had asked for it; Nagios still looks for it";
        self.plant("RC0204", None, story, vec![], "RequiredCheck");
        Ok(())
    }

    /// Nagios is stopped; it takes nobody's word for anything until it runs again.
    pub fn nagios_dies(&self) {
        self.nagios.installation.stop();
    }

    /// Nagios is started again.
    pub fn nagios_comes_back(&self) {
        self.nagios.installation.start();
    }
}
