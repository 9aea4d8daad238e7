//! One round of a Monday: what happens to the fleet, and what Rollcall says about it, as it happens.
//!
//! Each act changes the ground truth first and then waits for what the API shows; it must never print what is not there.

use std::time::Instant;

use anyhow::{Context as _, Result};
use rollcall_backlog::{LIBRARY, bastion};
use rollcall_fakes::faults::{Fault, Rule};
use rollcall_harness::world::{PLACES, World};

use crate::look::Eyes;
use crate::screen::Screen;
use crate::unused;

/// A host whose agent dies in each round.
const FRAGILE: &str = "jp2-app-3";

/// A day of rounds.
pub struct Day {
    eyes: Eyes,
    screen: Screen,
}

impl Day {
    /// The day begins.
    ///
    /// # Errors
    /// When the API cannot be reached.
    pub async fn begin(world: &World, screen: &Screen) -> Result<Self> {
        screen.say("From here on a minute of the world is a second of yours.");
        Ok(Self { eyes: Eyes::new(world.cluster.client().await?), screen: screen.clone() })
    }

    /// Days pass in which nine hosts look unused.
    ///
    /// # Errors
    /// When Rollcall does not come to say what it must, or something is done to one of them.
    pub async fn nine_look_unused(&self, world: &mut World) -> Result<()> {
        unused::play(world, &self.eyes, &self.screen).await
    }

    /// Plays one round, after which everything is as it was before.
    ///
    /// # Errors
    /// When Rollcall does not come to say what it must.
    pub async fn round(&mut self, world: &mut World) -> Result<()> {
        self.a_wish_is_narrowed(world).await?;
        self.a_mute_is_lifted(world).await?;
        let joined = self.a_host_joins(world).await?;
        self.an_agent_dies(world).await?;
        self.an_address_is_moved(world).await?;
        self.a_page_is_cut(world).await?;
        self.nagios_dies(world).await?;
        self.the_host_leaves(world, &joined).await?;
        self.back_to_the_morning(world).await
    }

    /// An edited required check changes statuses at once: nothing outside is asked again.
    async fn a_wish_is_narrowed(&self, world: &World) -> Result<()> {
        let before = self.eyes.check("ntp").await?;
        self.screen.now(&format!(
            "Nobody ever rolled check-ntp out ({before} hosts). You narrow the required check to the role ci:"
        ));
        self.screen.more("kubectl patch rccheck ntp -n rollcall-library --type=merge -p '{\"spec\":{\"appliesTo\":{\"roles\":[\"ci\"]}}}'");
        let edited = Instant::now();
        require_ntp_on(world, "ci").await?;
        let after = self.eyes.check_changes("ntp", &before).await?;
        self.screen.more(&format!("{} ms later its status says {after}.", edited.elapsed().as_millis()));
        Ok(())
    }

    async fn a_mute_is_lifted(&self, world: &World) -> Result<()> {
        let before = self.eyes.check("swap").await?;
        self.screen
            .now("Somebody finds the monitor swap% in Mackerel, muted since March, and lets it speak again.");
        world.fleet.a_monitor_is_muted("swap%", false)?;
        let after = self.eyes.check_changes("swap", &before).await?;
        self.screen.now(&format!("Covered hosts of required check swap: {before} before, {after} now."));
        Ok(())
    }

    async fn a_host_joins(&self, world: &mut World) -> Result<String> {
        let name = world.fleet.a_host_joins("jp1", "app")?;
        let id = world.fleet.truth(&name)?.instance.clone();
        self.screen.now(&format!("A new host is launched: {name} ({id})."));
        let face =
            self.eyes.host(&id, "is Settling", |face| face.is_some_and(|f| f.state == "Settling")).await?;
        self.screen.now(&format!(
            "Rollcall sees it: {}, {} checks, {}. No finding: it may settle.",
            face.state, face.checks, face.top
        ));
        world.fleet.its_agent_starts(&name)?;
        self.screen.now("Provisioning is done: its agent registers with Mackerel.");
        let face = self.eyes.host(&id, "is Active", |face| face.is_some_and(|f| f.state == "Active")).await?;
        self.screen.now(&format!("{name} is {}: {} checks. {}", face.state, face.checks, face.top));
        Ok(name)
    }

    async fn an_agent_dies(&self, world: &World) -> Result<()> {
        let id = world.fleet.truth(FRAGILE)?.instance.clone();
        let named = |code: &'static str| {
            move |face: Option<&crate::look::HostFace>| face.is_some_and(|f| f.top.contains(code))
        };
        world.fleet.its_agent_dies(FRAGILE)?;
        self.screen.now(&format!(
            "The agent on {FRAGILE} is killed. Silence is judged after 30 minutes without a metric."
        ));
        let face = self.eyes.host(&id, "is silent", named("RC0103")).await?;
        self.screen.now(&format!("{FRAGILE}: {}", face.top));
        world.fleet.its_agent_comes_back(FRAGILE)?;
        self.screen.now("Somebody restarts it.");
        self.eyes.host(&id, "is heard", |face| face.is_some_and(|f| !f.top.contains("RC0103"))).await?;
        self.screen.now(&format!("{FRAGILE} is heard again; the finding is gone."));
        Ok(())
    }

    /// What is asserted of AWS itself: the listing of addresses is read every quarter of an hour.
    async fn an_address_is_moved(&self, world: &World) -> Result<()> {
        let (site, elsewhere) = ("jp1", "jp1-ci-1");
        let before = self.eyes.check("bastion-address").await?;
        world.fleet.an_address_is_moved(site, elsewhere)?;
        self.screen.now(&format!(
            "Somebody points the Elastic IP of {site}'s bastion, which customers have in their firewalls, to {elsewhere}."
        ));
        let moved = self.eyes.check_changes("bastion-address", &before).await?;
        self.screen.now(&format!("Required check bastion-address: {before} before, {moved} now."));
        let told = self.eyes.cause(site, "RC0301", "bastion-address").await?;
        self.screen.more(&format!("{site}: RC0301 {told}"));
        world.fleet.an_address_is_moved(site, &bastion(site))?;
        self.screen.now("It is pointed back.");
        let back = self.eyes.check_changes("bastion-address", &moved).await?;
        self.screen.now(&format!("Required check bastion-address: {back}; the finding is gone."));
        Ok(())
    }

    /// An error is never absence: nothing is missing, counts are not known.
    async fn a_page_is_cut(&self, world: &World) -> Result<()> {
        let (account, region) = PLACES[0];
        let cut = Rule::new("ec2", "DescribeInstances", Fault::CutConnection { after_bytes: 2_000 });
        let rule = world.stage().faults.add(cut.account(account).region(region))?;
        self.screen
            .now(&format!("The network to {account}/{region} breaks in the middle of every page of EC2."));
        let blind = self
            .eyes
            .environment("jp1", "is blind", |summary| summary.hosts == "-" || summary.missing == "-")
            .await?;
        let summary = blind.status.as_ref().and_then(|status| status.summary.clone()).unwrap_or_default();
        self.screen.now(&format!(
            "jp1: hosts {}, covered {}, missing {}, unknown {}, ghosts {}. Sources: {}.",
            summary.hosts, summary.covered, summary.missing, summary.unknown, summary.ghosts, summary.sources
        ));
        let conditions = blind.status.map(|status| status.conditions).unwrap_or_default();
        if let Some(condition) = conditions.into_iter().find(|c| c.type_ == "InventoryFresh") {
            self.screen.more(&format!("InventoryFresh={}: {}", condition.status, condition.message));
        }
        let removed = world.stage().faults.remove(rule);
        anyhow::ensure!(removed, "the fault was gone already");
        self.screen.now("The network is well again.");
        let fresh = self
            .eyes
            .environment("jp1", "is fresh", |summary| summary.sources == "Fresh" && summary.missing != "-")
            .await?;
        let summary = fresh.status.and_then(|status| status.summary).unwrap_or_default();
        self.screen.now(&format!(
            "jp1: hosts {}, covered {}, missing {}. Nothing had been called missing or gone.",
            summary.hosts, summary.covered, summary.missing
        ));
        Ok(())
    }

    /// A dead Nagios answers 200 and nothing: what it alone could tell is unknown, and nothing of it is missing.
    async fn nagios_dies(&self, world: &World) -> Result<()> {
        let before = self.eyes.environment("com1", "is fresh", |summary| summary.sources == "Fresh").await?;
        let before = before.status.and_then(|status| status.summary).unwrap_or_default();
        let covered = self.eyes.check("db-login").await?;
        world.fleet.nagios_dies();
        self.screen.now("The daemon of Nagios dies; its CGIs go on answering 200, with nothing in it.");
        let blind = self
            .eyes
            .environment("com1", "is blind", |summary| {
                summary.missing == "-" && summary.unknown != before.unknown
            })
            .await?;
        let summary = blind.status.and_then(|status| status.summary).unwrap_or_default();
        self.screen.now(&format!(
            "com1: covered {}, missing {}, unknown {}. Sources: {}.",
            summary.covered, summary.missing, summary.unknown, summary.sources
        ));
        let told = self.eyes.check_changes("db-login", &covered).await?;
        self.screen.more(&format!(
            "Required check db-login, which Nagios alone watches: covered on {covered} before, on {told} now, and missing on none."
        ));
        world.fleet.nagios_comes_back();
        self.screen.now("Nagios is started again.");
        let fresh = self
            .eyes
            .environment("com1", "is fresh", |summary| {
                summary.sources == "Fresh"
                    && summary.missing == before.missing
                    && summary.unknown == before.unknown
            })
            .await?;
        let summary = fresh.status.and_then(|status| status.summary).unwrap_or_default();
        self.screen.now(&format!(
            "com1: covered {}, missing {}, unknown {}, as before.",
            summary.covered, summary.missing, summary.unknown
        ));
        Ok(())
    }

    async fn the_host_leaves(&self, world: &mut World, name: &str) -> Result<()> {
        let id = world.fleet.truth(name)?.instance.clone();
        world.fleet.a_host_leaves(name)?;
        self.screen.now(&format!("{name} is terminated, and its registration retired."));
        self.eyes.host(&id, "is gone", |face| face.is_none()).await?;
        self.screen.now(&format!("Two complete readings prove {name} gone; its Host object goes too."));
        Ok(())
    }

    async fn back_to_the_morning(&self, world: &World) -> Result<()> {
        require_ntp_on(world, "linux").await?;
        world.fleet.a_monitor_is_muted("swap%", true)
    }
}

async fn require_ntp_on(world: &World, role: &str) -> Result<()> {
    let patch = format!(r#"{{"spec":{{"appliesTo":{{"roles":["{role}"]}}}}}}"#);
    let patched = world
        .cluster
        .kubectl(&["patch", "rccheck", "ntp", "-n", LIBRARY, "--type=merge", "-p", &patch])
        .await?;
    patched.ok().map(drop).context("required check ntp")
}
