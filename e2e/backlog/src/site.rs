//! What a site has besides hosts: a login page that two systems look at, the address by which its bastion is known, and
//! the volume with its repositories.

use anyhow::Context as _;
use rollcall_fakes::aws::ground::{Address, VolumeSpec};
use rollcall_fakes::mackerel::{Kind, text};
use rollcall_fakes::nagios::{Host, Service};
use serde_json::json;

use crate::Backlog;
use crate::hosts::{ACCOUNTS, ENVIRONMENTS, EnvironmentPlan};

/// Where the team's alerts go.
const CHANNEL: &str = "sre-chat";

impl Backlog {
    /// Makes what each site of production has. Nothing of it is wrong.
    pub(crate) fn build_sites(&mut self) -> anyhow::Result<()> {
        self.alerts_reach_the_team()?;
        for plan in ENVIRONMENTS.iter().filter(|plan| plan.account == ACCOUNTS[0]) {
            self.watch_the_login_page(plan)?;
            self.give_the_bastion_an_address(plan)?;
            if plan.duties.iter().any(|(duty, _)| *duty == "git") {
                self.attach_the_repositories(plan)?;
            }
        }
        Ok(())
    }

    /// The default group of notifications has one channel, the team's chat.
    fn alerts_reach_the_team(&self) -> anyhow::Result<()> {
        self.org.edit(|truth| -> anyhow::Result<()> {
            let channel = json!({"type": "slack", "name": CHANNEL, "url": "https://chat.example.com/hooks/sre",
                                 "enabledGraphImage": false, "events": ["alert"]});
            let channel = truth.add_document(Kind::Channels, channel)?;
            let default = truth.documents(Kind::NotificationGroups).first().cloned();
            let mut default = default.context("an organisation has a default group")?;
            default.insert("childChannelIds".to_owned(), json!([text(&channel, "id")]));
            let id = text(&default, "id").to_owned();
            truth.put_document(Kind::NotificationGroups, &id, default.into())?;
            Ok(())
        })
    }

    fn watch_the_login_page(&self, plan: &EnvironmentPlan) -> anyhow::Result<()> {
        let fqdn = format!("{}.example.com", plan.name);
        let name = format!("login page of {}", plan.name);
        let monitor = json!({"type": "external", "name": name, "url": format!("https://{fqdn}/")});
        self.org.edit(|truth| truth.add_monitor(monitor))?;
        let page = Host::named(&fqdn).service(Service::active("app-http", "check_http"));
        Ok(self.nagios.installation.edit(|truth| truth.add_host(page))?)
    }

    fn give_the_bastion_an_address(&self, plan: &EnvironmentPlan) -> anyhow::Result<()> {
        let region = self.aws.account(plan.account).region(plan.region);
        let allocation = region.allocate_address()?;
        region.tag(&allocation, "Name", &address_name(plan.name))?;
        region.associate_address(&allocation, &self.truth(&bastion(plan.name))?.instance)?;
        Ok(())
    }

    fn attach_the_repositories(&self, plan: &EnvironmentPlan) -> anyhow::Result<()> {
        let host = format!("{}-git-1", plan.name);
        let region = self.region_of(&host)?;
        let instance = &self.truth(&host)?.instance;
        let zone = region.instance(instance).with_context(|| format!("{host} is not there"))?.zone;
        let mut spec = VolumeSpec { size: 2_000, delete_on_termination: false, ..VolumeSpec::default() };
        spec.tags.insert("Name".to_owned(), format!("{}-repositories", plan.name));
        let volume = region.create_volume(&zone, &spec)?;
        Ok(region.attach_volume(&volume, instance, "/dev/xvdf")?)
    }

    /// Somebody points the address of an environment's bastion to another host, by a slip of the hand.
    ///
    /// # Errors
    /// When there is no such environment or host, or the fake refuses.
    pub fn an_address_is_moved(&self, environment: &str, to: &str) -> anyhow::Result<()> {
        let region = self.region_of(to)?;
        let wanted = address_name(environment);
        let is_it = |address: &&Address| address.tags.get("Name") == Some(&wanted);
        let addresses = region.addresses();
        let address =
            addresses.iter().find(is_it).with_context(|| format!("there is no address {wanted}"))?;
        region.associate_address(&address.id, &self.truth(to)?.instance)?;
        Ok(())
    }
}

/// The tag Name of the address of an environment's bastion.
fn address_name(environment: &str) -> String {
    format!("{environment}-bastion")
}

/// The host that people enter an environment by.
#[must_use]
pub fn bastion(environment: &str) -> String {
    format!("{environment}-bastion-1")
}
