//! Leave: what one pass makes of retirements, between the decision, which is the engine's, and the hands that write and send.
//!
//! Nothing outside Kubernetes is touched from here but the channels that people named.

use std::collections::BTreeSet;

use rollcall_engine::fleet::Fleet;
use rollcall_engine::ids::HostId;
use rollcall_engine::leaving::{self, Leaving, Object, Pass, Standing};
use rollcall_engine::notice::{Kind, NoticeId, Origin};
use rollcall_engine::retirement::State;

use crate::notify::Post;
use crate::status::{RetirementWrite, retirement_writes};
use crate::watch::Stores;

/// Looks at all retirements, puts what is to be told into the outbox, and lists what must be written.
#[must_use]
pub fn leave(pass: Pass<'_>, stores: &Stores, post: &Post) -> Vec<RetirementWrite> {
    let (objects, strange) = objects(pass, stores);
    let standing: Vec<Standing<'_>> =
        objects.iter().map(|object| standing(object, pass.fleet, post)).collect();
    let leaving = leaving::look(pass, &standing, &strange);
    tell(&leaving, pass, post);
    retirement_writes(&leaving, &stores.retirements, pass.now)
}

/// All objects, and the hosts of those that this version cannot understand: nobody touches these.
fn objects(pass: Pass<'_>, stores: &Stores) -> (Vec<Object>, BTreeSet<HostId>) {
    let (mut objects, mut strange) = (Vec::new(), BTreeSet::new());
    for (key, entry) in stores.retirements.entries() {
        // One that cannot even be read is told by the desired state, and nothing in its namespace is proposed meanwhile.
        let Ok(object) = &entry.object else { continue };
        match Object::read(object, pass.now) {
            Ok(object) => objects.push(object),
            Err(why) => {
                tracing::warn!(object = %key, %why, "a Retirement cannot be understood, and is left as it is");
                strange.insert(HostId::new(&object.spec.host_name));
            }
        }
    }
    (objects, strange)
}

fn standing<'a>(object: &'a Object, fleet: &Fleet, post: &Post) -> Standing<'a> {
    let mut standing = Standing { object, accepted: None, taken_back: false, heard: false };
    let Ok(origin) = Origin::new(object.retirement.mark.as_str()) else { return standing };
    let id = |kind| NoticeId { origin: origin.clone(), kind, occurrence: 0 };
    let channels = fleet.channels_of(&object.retirement.spec.environment);
    let accepted = |kind| channels.iter().filter_map(|channel| post.accepted(&channel.key, &id(kind))).min();
    let is_asked_for = matches!(object.retirement.status.state, State::Proposed | State::Waiting);
    if !is_asked_for {
        for channel in channels {
            post.withdraw(&channel.key, &id(Kind::Proposed));
        }
    }
    standing.accepted = accepted(Kind::Proposed);
    standing.taken_back = accepted(Kind::Cancelled).is_some();
    standing.heard = post.may_have_been_heard(&origin);
    standing
}

fn tell(leaving: &Leaving, pass: Pass<'_>, post: &Post) {
    for telling in &leaving.tellings {
        for channel in pass.fleet.channels_of(&telling.environment) {
            let message = telling.notice.message(channel.language, pass.now);
            post.put(&channel.key, message, pass.now);
        }
    }
}
