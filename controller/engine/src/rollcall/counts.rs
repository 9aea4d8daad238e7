//! Are there as many hosts of a role as wanted? Counted from running hosts, and only where every inventory of the
//! environment is complete and everybody's roles are understood. Databases that nobody can see can make a count only
//! higher: without them nobody is said to be too few, and too many are too many all the same.

use rollcall_crds::v1alpha1::Severity;

use super::excess::bare;
use super::found::{Found, Owner};
use super::host_findings::Note;
use super::phrases::Phrases;
use super::places::PlaceView;
use super::scene::Scene;
use super::tallies::Tallies;
use crate::finding::{Code, Subject};
use crate::fleet::Environment;
use crate::ids::Place;
use crate::text::count;

/// Compares the counts of every environment.
pub(super) fn look(scene: &Scene<'_, '_>, tallies: &Tallies, phrases: &mut Phrases, found: &mut Vec<Found>) {
    for (number, environment) in scene.pass.fleet.environments.iter().enumerate() {
        let Some(tally) = tallies.environments.get(number).filter(|_| is_known(scene, environment)) else {
            continue;
        };
        let mut places = environment.places();
        let sees_databases =
            places.all(|place| view_of(scene, &place).is_some_and(PlaceView::proves_databases));
        for wanted in &environment.counts {
            let running = tally.running.get(&wanted.role).copied().unwrap_or_default();
            let Some(role) = environment.book.role(wanted.role) else { continue };
            // A contested host may be this environment's, and a database that is being changed may run: both can only
            // make the count higher.
            let unclear = tally.unclear.get(&wanted.role).copied().unwrap_or_default();
            let at_most = running.saturating_add(tally.contested).saturating_add(unclear);
            let note = if sees_databases && at_most < wanted.min {
                wrong(Code::UnderCount, "at least", wanted.min, running, environment)
            } else if wanted.max.is_some_and(|max| running > max) {
                wrong(Code::OverCount, "at most", wanted.max.unwrap_or_default(), running, environment)
            } else {
                continue;
            };
            let subject = Subject::Role(role.name.clone());
            let key = environment.key.clone();
            let mut finding = bare(scene.pass, phrases, subject, role.name.as_str(), Some(key.clone()), note);
            finding.role = Some(role.name.clone());
            let owner = Owner::Environment(number);
            found.push(Found {
                owner,
                key: role.name.to_string(),
                namespace: key.namespace,
                host: None,
                finding,
            });
        }
    }
}

fn is_known(scene: &Scene<'_, '_>, environment: &Environment) -> bool {
    let proved = |place| view_of(scene, &place).is_some_and(|view| view.instances.proof.is_some());
    !environment.is_partial && !environment.book.doubted && environment.places().all(proved)
}

fn view_of<'s, 'a>(scene: &Scene<'s, 'a>, place: &Place) -> Option<&'s PlaceView<'a>> {
    scene.places.iter().find(|view| view.place == *place)
}

fn wrong(code: Code, bound: &str, wanted: u32, running: u32, environment: &Environment) -> Note {
    let wanted = count(usize::try_from(wanted).unwrap_or_default(), "running host");
    let message = format!("expected {bound} {wanted}, found {running}");
    let (key, verb) =
        (&environment.key, if code == Code::UnderCount { "start or add hosts" } else { "give hosts up" });
    let fix =
        format!("{verb}, or correct spec.roles.counts: kubectl edit rcenv -n {} {}", key.namespace, key.name);
    Note::new(code, Severity::Warning, message, fix)
}
