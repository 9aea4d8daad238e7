//! Elastic addresses and volumes: do they hang on the right instance? Every attachment counts, and the right one is told by
//! the role that it plays, or by its name.

use super::{Everywhere, Verdict, the_one};
use crate::fleet::Attached;
use crate::ids::HostId;
use crate::inventory::{AttachmentState, VolumeState};
use crate::reading::FailureKind;
use crate::rollcall::claims::Claimed;
use crate::rollcall::host_findings::host_name;
use crate::rollcall::scene::Scene;
use crate::text::clean;

/// An Elastic IP, by allocation id, address or tag Name.
pub(super) fn of_address(
    scene: &Scene<'_, '_>,
    environment: usize,
    name: &str,
    attached: &Attached,
    all: &Everywhere<'_, '_>,
    verdict: &mut Verdict,
) {
    let sought =
        all.seek("Elastic IP", |inventory| &inventory.addresses, true, |address| address.is_called(name));
    let Some((_, address)) = the_one("Elastic IP", name, sought, verdict) else { return };
    match (&address.attached_to, &address.network_interface) {
        (Some(host), _) => hangs_on(scene, environment, host, attached, verdict),
        (None, Some(interface)) => {
            let interface = clean(interface);
            verdict.fail(format!("{}, found {interface} of no instance", expected(attached)));
        }
        (None, None) => verdict.fail(format!("{}, found nothing", expected(attached))),
    }
}

/// A volume, by id or tag Name. One on its way to or from an instance is not judged.
pub(super) fn of_volume(
    scene: &Scene<'_, '_>,
    environment: usize,
    name: &str,
    attached: &Attached,
    all: &Everywhere<'_, '_>,
    verdict: &mut Verdict,
) {
    let sought = all.seek("volume", |inventory| &inventory.volumes, false, |volume| volume.is_called(name));
    let Some((_, volume)) = the_one("volume", name, sought, verdict) else { return };
    match volume.state {
        VolumeState::Available | VolumeState::InUse => {}
        VolumeState::Error => return verdict.fail("expected a volume that works, found state error"),
        VolumeState::Creating | VolumeState::Deleting | VolumeState::Deleted | VolumeState::Unknown => {
            return verdict.doubt(
                FailureKind::NotYetRead,
                "the volume is being made or deleted, or its state is not known",
            );
        }
    }
    let moves = |state| !matches!(state, AttachmentState::Attached | AttachmentState::Detached);
    if volume.attachments.iter().any(|one| moves(one.state)) {
        return verdict.doubt(FailureKind::NotYetRead, "the volume is being attached or detached");
    }
    let mut hosts = volume.attached_to().peekable();
    if hosts.peek().is_none() {
        verdict.fail(format!("{}, found nothing", expected(attached)));
    }
    for host in hosts {
        hangs_on(scene, environment, host, attached, verdict);
    }
}

/// Is this the instance that is meant? One that plays the role must be the environment's own.
fn hangs_on(
    scene: &Scene<'_, '_>,
    environment: usize,
    host: &HostId,
    attached: &Attached,
    verdict: &mut Verdict,
) {
    let hosts = &scene.population.hosts;
    let number = hosts.binary_search_by(|view| view.id.cmp(host)).ok();
    let found = number.and_then(|number| Some((number, hosts.get(number).filter(|view| view.seen)?)));
    let Some((number, view)) = found else {
        // The two listings are of different times: it may be new, or gone, or nobody may see it.
        let host = clean(host.as_str());
        let message = format!("it hangs on {host}, which is not listed as a host now");
        return verdict.doubt(FailureKind::NotYetRead, message);
    };
    let is_it = match attached {
        Attached::Host(wanted) => Some(host.as_str() == wanted || view.name() == Some(wanted)),
        Attached::Role(role) => match (scene.claims.get(number), scene.class(number)) {
            (Some(Claimed::By(by)), Some((_, class))) => {
                let plays = *by == environment && class.plays(role);
                // A role that cannot be understood may be played.
                if plays || !class.environment.book.doubted { Some(plays) } else { None }
            }
            (Some(Claimed::Nobody), _) => Some(false),
            _ => None,
        },
    };
    match is_it {
        Some(true) => {}
        Some(false) => {
            let found = format!("{} ({})", host_name(view), clean(host.as_str()));
            verdict.fail(format!("{}, found {found}", expected(attached)));
        }
        None => verdict.doubt(
            FailureKind::NotYetRead,
            "whose instance it hangs on, or what that plays, cannot be told now",
        ),
    }
}

fn expected(attached: &Attached) -> String {
    match attached {
        Attached::Role(role) => format!("attached to: expected an instance that plays {}", clean(role)),
        Attached::Host(host) => format!("attached to: expected {}", clean(host)),
    }
}
