//! What in the desired state itself needs a person: reviews, exemptions, owners, parameters, names.

use rollcall_crds::v1alpha1::Severity;

use super::Requirement;
use super::excess::bare;
use super::exemptions::Exemptions;
use super::found::{Found, Owner};
use super::host_findings::{Note, host_name};
use super::phrases::Phrases;
use super::scene::Scene;
use super::tallies::Tallies;
use crate::finding::{Code, Subject};
use crate::fleet::{Demand, Environment};
use crate::limits::MAX_EXAMPLES;
use crate::text::{argument, clean, count, few};

/// Looks at the desired state with the eyes of whoever keeps it.
pub(super) fn look(
    scene: &Scene<'_, '_>,
    tallies: &Tallies,
    exemptions: &Exemptions<'_>,
    phrases: &mut Phrases,
    found: &mut Vec<Found>,
) {
    let mut desk = Desk { scene, phrases, found };
    desk.reviews();
    desk.expired(exemptions);
    for (number, environment) in scene.pass.fleet.environments.iter().enumerate() {
        desk.owner(number, environment);
        desk.parameters(number, environment, tallies);
        desk.shadowing(number, environment);
    }
    desk.unknown_roles();
}

struct Desk<'d, 'p, 'a> {
    scene: &'d Scene<'p, 'a>,
    phrases: &'d mut Phrases,
    found: &'d mut Vec<Found>,
}

impl Desk<'_, '_, '_> {
    /// Overdue from the day after the review was due, in UTC: the one day that is the same for everybody who sees the check.
    fn reviews(&mut self) {
        for check in self.scene.pass.fleet.checks.values() {
            let (Some(due), Some(from)) = (check.review_due, check.overdue_from()) else { continue };
            if self.scene.pass.now < from {
                continue;
            }
            let key = &check.key;
            let message = format!("expected a review by {due}, found none");
            let fix = format!(
                "read its why; set spec.review.last, or delete it: kubectl edit rccheck -n {} {}",
                key.namespace, key.name
            );
            let note = Note::new(Code::ReviewOverdue, Severity::Info, message, fix);
            let mut finding = bare(self.scene.pass, self.phrases, Subject::Itself, &key.name, None, note);
            finding.check = Some(key.clone());
            finding.since = from;
            let namespace = key.namespace.clone();
            self.found.push(Found {
                owner: Owner::Dated,
                key: String::new(),
                namespace,
                host: None,
                finding,
            });
        }
    }

    fn expired(&mut self, exemptions: &Exemptions<'_>) {
        for exemption in self.scene.pass.fleet.exemptions.values() {
            let key = &exemption.key;
            if !exemptions.rolls.get(key).is_some_and(|roll| roll.expired) {
                continue;
            }
            let message = "its last day has passed; what it covered is open again";
            let fix = format!(
                "delete it, or decide again and set spec.expires: kubectl delete rcexempt -n {} {}",
                key.namespace, key.name
            );
            let note = Note::new(Code::ExemptionExpired, Severity::Warning, message, fix);
            let mut finding = bare(self.scene.pass, self.phrases, Subject::Itself, &key.name, None, note);
            finding.since = exemption.ends;
            let namespace = key.namespace.clone();
            self.found.push(Found {
                owner: Owner::Dated,
                key: String::new(),
                namespace,
                host: None,
                finding,
            });
        }
    }

    fn owner(&mut self, number: usize, environment: &Environment) {
        if environment.has_owner {
            return;
        }
        let key = &environment.key;
        let fix = format!("set spec.owner.name: kubectl edit rcenv -n {} {}", key.namespace, key.name);
        let note = Note::new(Code::NoOwner, Severity::Info, "expected spec.owner, found none", fix);
        self.of_environment(number, environment, Subject::Itself, &key.name, "", note);
    }

    /// A parameter that is missing is said once for each check that uses it and applies to somebody here.
    fn parameters(&mut self, number: usize, environment: &Environment, tallies: &Tallies) {
        let tallies = tallies.environments.get(number).map_or(&[][..], |tally| &tally.ledger);
        for (entry, tally) in environment.ledger.iter().zip(tallies) {
            let (Some(demand), Requirement::Check(check)) = (entry.demand.check(), &entry.requirement) else {
                continue;
            };
            let Some(parameter) = demand.missing_parameter.as_ref().filter(|_| tally.required > 0) else {
                continue;
            };
            let on = match entry.demand {
                Demand::Environment(_) => String::new(),
                _ => format!(" on {}", count(usize::try_from(tally.required).unwrap_or_default(), "host")),
            };
            let message =
                format!("expected the parameter {parameter}, which {} uses{on} here, found none", check.name);
            let key = &environment.key;
            let fix = format!(
                "set spec.parameters.{parameter}: kubectl edit rcenv -n {} {}",
                key.namespace, key.name
            );
            let mut note = Note::new(Code::ParameterMissing, Severity::Warning, message, fix);
            note.check = Some(check.clone());
            self.of_environment(number, environment, Subject::Itself, &key.name, &check.to_string(), note);
        }
    }

    fn shadowing(&mut self, number: usize, environment: &Environment) {
        for (kind, key) in &environment.shadowing {
            let kind = kind.as_str();
            let message =
                format!("{kind} {} hides the library's of that name; the local one is used", key.name);
            let fix = format!("rename or delete one of the two: kubectl get {} -A", kind.to_lowercase());
            let note = Note::new(Code::Shadowed, Severity::Info, message, fix);
            let id = format!("{kind} {}", key.name);
            self.of_environment(number, environment, Subject::Itself, &key.name, &id, note);
        }
    }

    /// Role names in tags that no `HostRole` describes, once per name and environment.
    fn unknown_roles(&mut self) {
        for ((number, name), hosts) in &self.scene.roles.unknown {
            let Some(environment) = self.scene.pass.fleet.environments.get(*number) else { continue };
            if environment.book.doubted {
                continue;
            }
            let hosts: Vec<_> =
                hosts.iter().filter_map(|host| self.scene.population.hosts.get(*host)).collect();
            let names: Vec<_> = hosts.iter().map(|host| host_name(host)).collect();
            let tag = environment.role_tag.as_ref().map_or("", |tag| &tag.key);
            let message = format!(
                "tag {} of {} names it, and no HostRole describes it",
                clean(tag),
                few(&names, names.len(), MAX_EXAMPLES)
            );
            let find = if hosts.iter().any(|host| host.id.is_database()) {
                format!("aws resourcegroupstaggingapi get-resources --tag-filters Key={}", argument(tag))
            } else {
                "aws ec2 describe-tags --filters Name=value".to_owned()
            };
            let fix = format!(
                "write HostRole {}, or correct the tag: {find},Values={}",
                clean(name),
                argument(name)
            );
            let note = Note::new(Code::UnknownRole, Severity::Warning, message, fix);
            let subject = Subject::Role((&**name).into());
            self.of_environment(*number, environment, subject, name, name, note);
        }
    }

    fn of_environment(
        &mut self,
        number: usize,
        environment: &Environment,
        subject: Subject,
        name: &str,
        key: &str,
        note: Note,
    ) {
        let finding = bare(self.scene.pass, self.phrases, subject, name, Some(environment.key.clone()), note);
        let namespace = environment.key.namespace.clone();
        let (owner, key) = (Owner::Environment(number), key.to_owned());
        self.found.push(Found { owner, key, namespace, host: None, finding });
    }
}
