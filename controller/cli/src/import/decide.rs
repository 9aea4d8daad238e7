//! From what is seen to a first tree: a list of objects, each with what it was derived from. Pure.
//!
//! Nothing here is a wish of anybody yet: every object says so, and every check must be reviewed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use rollcall_crds::manifest::Object;
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::text::{clean, count, few};

use super::checks::{self, Checks};
use super::environments::{self, Environment, Environments};
use super::observe::{Host, Observed};
use super::roles::{self, Duties, is_role_name};
use super::shares::PARAMETER;
use super::system;

/// What stands where people say why a check is required, until they do.
const WHY: &str = "imported, not reviewed";
/// Days until an imported check must be reviewed.
const REVIEW_DAYS: i32 = 90;
/// A demand that more hosts meet than this, in percent, is taken for one.
const MOST: usize = 80;

/// What the person who imports chose.
#[derive(Debug)]
pub struct Wishes<'a> {
    /// The namespace of the tree.
    pub namespace: &'a str,
    /// The tag that names environments.
    pub environment_tag: Option<&'a str>,
    /// The tag that names roles.
    pub role_tag: Option<&'a str>,
    /// What counts as most hosts of a role, in percent.
    pub share: u8,
}

/// One object of the tree.
#[derive(Debug)]
pub struct Drafted {
    /// Its file, below the tree's folder.
    pub file: String,
    /// What it was derived from, for a reviewer.
    pub reasons: Vec<String>,
    /// The object.
    pub object: Object,
}

/// The whole tree.
#[derive(Debug, Default)]
pub struct Draft {
    /// Its objects, in the order in which people read them.
    pub objects: Vec<Drafted>,
    /// Where environments come from.
    pub environments: String,
    /// Where duties come from.
    pub duties: String,
    /// What nothing was written for, and why.
    pub left: Vec<String>,
}

/// Decides what a first tree says.
pub fn decide(observed: &Observed<'_>, wishes: &Wishes<'_>) -> Draft {
    let environments = environments::find(observed, wishes.environment_tag);
    let duties = roles::find(observed, &environments, wishes.role_tag);
    let checks = checks::find(observed, &environments, &duties, wishes.share);
    let mut clerk = Clerk { observed, wishes, draft: Draft::default() };
    clerk.namespace();
    clerk.accounts();
    clerk.system();
    for environment in &environments.list {
        clerk.environment(environment, &duties, &checks);
    }
    clerk.roles(&duties, &checks);
    for check in &checks.list {
        clerk.check(check);
    }
    let left = left(observed, &environments, &duties);
    let left = left.into_iter().chain(duties.left).chain(checks.left).collect();
    Draft { environments: environments.origin, duties: duties.origin, left, ..clerk.draft }
}

/// Hosts for which nothing was written.
fn left(observed: &Observed<'_>, environments: &Environments, duties: &Duties) -> Vec<String> {
    let mut left = Vec::new();
    let named = |hosts: &[usize]| {
        let name = |host: &usize| {
            let host = observed.hosts.get(*host)?;
            Some(clean(host.name().unwrap_or_else(|| host.id.as_str())))
        };
        let mut names: Vec<_> = hosts.iter().filter_map(name).collect();
        names.sort();
        few(&names, names.len(), 3)
    };
    let has_home = |host: &usize| environments.of_host.get(*host).is_some_and(Option::is_some);
    let (at_home, homeless): (Vec<usize>, Vec<usize>) = (0..observed.hosts.len()).partition(has_home);
    if !homeless.is_empty() {
        left.push(format!(
            "no environment for {}, by tag or name (RC0403): {}",
            count(homeless.len(), "host"),
            named(&homeless)
        ));
    }
    let played: BTreeSet<usize> = duties.list.iter().flat_map(|duty| duty.hosts.iter().copied()).collect();
    let idle: Vec<usize> = at_home.into_iter().filter(|host| !played.contains(host)).collect();
    if !idle.is_empty() {
        left.push(format!(
            "no duty for {}, by tag or name (RC0606): {}",
            count(idle.len(), "host"),
            named(&idle)
        ));
    }
    if observed.managed > 0 {
        left.push(format!(
            "{} that AWS or a fleet manages: they need no environment",
            count(observed.managed, "host")
        ));
    }
    left
}

/// The name of the `CloudAccount` of an account.
fn account_name(account: &str) -> String {
    format!("aws-{account}")
}

/// Who writes the objects.
struct Clerk<'c, 'r> {
    observed: &'c Observed<'r>,
    wishes: &'c Wishes<'c>,
    draft: Draft,
}

impl Clerk<'_, '_> {
    fn add(&mut self, file: impl Into<String>, reasons: Vec<String>, object: Object) {
        self.draft.objects.push(Drafted { file: file.into(), reasons, object });
    }

    fn namespace(&mut self) {
        let name = self.wishes.namespace.to_owned();
        let reason = "The team's namespace; the accounts grant it their hosts by its name.".to_owned();
        self.add("namespace.yaml", vec![reason], Object::Namespace { name, labels: BTreeMap::new() });
    }

    fn accounts(&mut self) {
        let mut regions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for place in &self.observed.places {
            regions.entry(place.account.as_str()).or_default().push(place.region.to_string());
        }
        for (account, regions) in regions {
            let hosts =
                self.observed.hosts.iter().filter(|host| host.place.account.as_str() == account).count();
            let reasons = vec![
                format!("{} in {}", count(hosts, "host"), regions.join(", ")),
                "The Secret is yours to create, in the operator's namespace; a role to assume (roleARN) is better.".to_owned(),
            ];
            let name = self.wishes.namespace.to_owned();
            let labels = BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), api::LabelValue(name))]);
            let secret = api::SecretName { name: account_name(account) };
            let spec = api::CloudAccountSpec {
                account_id: account.to_owned(),
                regions,
                observe: Some(api::ObserveIdentity {
                    secret_ref: Some(secret),
                    ..api::ObserveIdentity::default()
                }),
                grants: vec![api::Grant {
                    namespace_selector: api::LabelSelector { match_labels: labels },
                    host_selector: None,
                    max_enforcement: api::LeanEnforcement::Notify,
                }],
                retire: None,
                unclaimed_namespace: None,
            };
            let object = api::CloudAccount::new(&account_name(account), spec);
            self.add("accounts.yaml", reasons, Object::CloudAccount(Box::new(object)));
        }
    }

    fn system(&mut self) {
        let Some(system) = &self.observed.system else { return };
        let (spec, reasons) = system::spec(system);
        let mut object = api::MonitoringSystem::new(&system.key.name, spec);
        object.metadata.namespace = Some(self.wishes.namespace.to_owned());
        self.add("monitoring.yaml", reasons, Object::MonitoringSystem(Box::new(object)));
    }

    fn environment(&mut self, environment: &Environment, duties: &Duties, checks: &Checks) {
        let mut reasons = environment.reasons.clone();
        let hosts: Vec<&Host<'_>> =
            environment.hosts.iter().filter_map(|host| self.observed.hosts.get(*host)).collect();
        let monitoring: Vec<_> = self.monitoring(&hosts, &mut reasons).into_iter().collect();
        let site = (PARAMETER.to_owned(), api::ParameterValue(environment.name.clone()));
        let spec = api::EnvironmentSpec {
            accounts: accounts(&hosts),
            selector: api::HostSelector { any_of: environment.terms.clone() },
            parameters: checks.uses_site.then_some(site).into_iter().collect(),
            owner: None,
            time_zone: None,
            settle_minutes: 60,
            roles: duties.tag.clone().map(|tag| api::RoleSource { from_tag: Some(tag), counts: Vec::new() }),
            monitoring,
            // Looking at what hosts do costs money: nobody decides that for a team.
            lean: None,
            notifications: Vec::new(),
        };
        reasons.push("Say who answers for it: spec.owner.name (RC0603).".to_owned());
        let mut object = api::Environment::new(&environment.name, spec);
        object.metadata.namespace = Some(self.wishes.namespace.to_owned());
        let file = format!("environments/{}.yaml", environment.name);
        self.add(file, reasons, Object::Environment(Box::new(object)));
    }

    /// How an environment uses the monitoring system: its service there, and whether every host must be known to it.
    fn monitoring(
        &self,
        hosts: &[&Host<'_>],
        reasons: &mut Vec<String>,
    ) -> Option<api::EnvironmentMonitoring> {
        let system = self.observed.system.as_ref()?;
        let running: Vec<_> = hosts.iter().filter(|host| host.is_running).collect();
        let registered: Vec<_> = running.iter().filter_map(|host| host.registration).collect();
        let is_all = registered.len() * 100 >= MOST * running.len();
        let demand =
            if is_all { api::RegistrationDemand::All } else { api::RegistrationDemand::AsChecksRequire };
        reasons.push(format!(
            "{} of {} running hosts are registered in {}: hosts: {demand:?}",
            registered.len(),
            running.len(),
            system.key.name
        ));
        let mut services: BTreeMap<&str, usize> = BTreeMap::new();
        for registration in &registered {
            let of_one: BTreeSet<&str> =
                registration.roles.iter().map(|scope| scope.service.as_str()).collect();
            for service in of_one.into_iter().filter(|service| is_role_name(service)) {
                *services.entry(service).or_default() += 1;
            }
        }
        let service = services.into_iter().max_by_key(|(service, many)| (*many, std::cmp::Reverse(*service)));
        if let Some((service, many)) = service {
            reasons.push(format!("{many} of them have their roles under the service {service}"));
        }
        Some(api::EnvironmentMonitoring {
            system: system.key.name.to_string(),
            service: service.map(|(service, _)| service.to_owned()),
            hosts: demand,
        })
    }

    fn roles(&mut self, duties: &Duties, checks: &Checks) {
        for one in &checks.traits {
            let spec = api::HostRoleSpec {
                type_: api::RoleType::Trait,
                selector: None,
                includes: Vec::new(),
                mackerel: None,
                idle: api::IdleExpectation::Unexpected,
                retirement: None,
            };
            self.role(&one.name, one.reasons.clone(), spec);
        }
        for duty in &duties.list {
            let includes = checks.traits.iter().filter(|one| one.duties.contains(&duty.name));
            let there = duty.there.clone().map(|role| api::MackerelRole {
                roles: Some(vec![role]),
                match_: api::RoleMatch::AtLeast,
                statuses: None,
            });
            let any_of = duty.terms.clone();
            let spec = api::HostRoleSpec {
                type_: api::RoleType::Duty,
                selector: (!any_of.is_empty()).then_some(api::HostSelector { any_of }),
                includes: includes.map(|one| one.name.clone()).collect(),
                mackerel: there,
                idle: api::IdleExpectation::Unexpected,
                retirement: None,
            };
            self.role(&duty.name, duty.reasons.clone(), spec);
        }
    }

    fn role(&mut self, name: &str, reasons: Vec<String>, spec: api::HostRoleSpec) {
        let mut object = api::HostRole::new(name, spec);
        object.metadata.namespace = Some(self.wishes.namespace.to_owned());
        self.add(format!("roles/{name}.yaml"), reasons, Object::HostRole(Box::new(object)));
    }

    fn check(&mut self, check: &checks::Check) {
        let today = self.observed.now.to_zoned(TimeZone::UTC).date();
        let spec = api::RequiredCheckSpec {
            subject: api::CheckSubject::Host,
            applies_to: api::AppliesTo {
                environments: None,
                services: None,
                roles: Some(check.roles.clone()),
                except_roles: (!check.except.is_empty()).then(|| check.except.clone()),
            },
            why: WHY.to_owned(),
            severity: api::Severity::Warning,
            owner: None,
            fix: None,
            review: Some(api::Review { every_days: REVIEW_DAYS, last: today.to_string() }),
            enforce_from: None,
            watched: Some(api::Watched { at_least: 1, by: vec![check.by.clone()] }),
            assertion: None,
        };
        let mut object = api::RequiredCheck::new(&check.name, spec);
        object.metadata.namespace = Some(self.wishes.namespace.to_owned());
        let file = match check.roles.as_slice() {
            [role] => format!("checks/{role}.yaml"),
            _ => "checks/several-roles.yaml".to_owned(),
        };
        self.add(file, check.reasons.clone(), Object::RequiredCheck(Box::new(object)));
    }
}

/// The accounts and regions of some hosts.
fn accounts(hosts: &[&Host<'_>]) -> Vec<api::EnvironmentAccount> {
    let mut regions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for host in hosts {
        regions.entry(host.place.account.as_str()).or_default().insert(host.place.region.as_str());
    }
    let account = |(account, regions): (&str, BTreeSet<&str>)| api::EnvironmentAccount {
        name: account_name(account),
        regions: Some(regions.into_iter().map(str::to_owned).collect()),
    };
    regions.into_iter().map(account).collect()
}
