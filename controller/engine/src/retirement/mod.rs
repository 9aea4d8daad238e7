//! How a host leaves the fleet: what is decided on the way, as values. It must never make a call.
//!
//! One [`Retirement`] is one host's way out. [`step`] takes it and what was just read live, and says the *one* thing to
//! do next. [`plan`] looks at all of them and says who may begin. What may destroy something, an [`Order`], needs a
//! [`Permit`], and only the last gate makes one: it judges one table of named guards ([`Guard`]) over values that say how
//! much they know ([`Fact`]). What is unknown holds.
//!
//! Where this differs from the frame `step(&State, Event) -> (State', Option<Request>)`, and why:
//! - Writing the new state *is* an external request, with its own crash points before and after it. A step that wrote and
//!   called would hide one of them, so a [`Step`] either writes or calls.
//! - Answers are not believed: EC2 can succeed and report a failure. So nothing is learned from a call but what is read
//!   back, and events are looks. The one exception is a notice, which only its channel can confirm.
//! - An intent is used only in the breath in which it was written ([`Step::Arm`], then [`Event::Armed`]). Whoever finds one
//!   later, be it the same process, does not know whether it was used: it waits until no call made under it can still take
//!   effect, and reads back.
//!
//! What a shell must do is said at [`Step`]; the simulator (`e2e/simulator`) is one such shell.

mod approval;
mod bars;
mod breaker;
mod evidence;
mod fact;
mod gate;
mod guard;
mod host;
mod ledger;
mod live;
mod order;
mod plan;
mod policy;
mod status;
mod step;
mod undo;

pub use approval::{Admission, SeenApproval};
pub use bars::{Bar, of_tags};
pub use breaker::{Breaker, Sighting, Trip, TripCause};
pub use evidence::Use;
pub use fact::Fact;
pub use gate::{Guards, Permit, Refusal};
pub use guard::{Case, Guard, Moment, Why};
pub use host::{HostView, Member, Power};
pub use ledger::{Budget, Entry, Ledger, Limits, NoRoom};
pub use live::{Backup, Belonging, FirstList, Live, Peers, Reach, Role, Rule};
pub use order::{Act, Epoch, Incarnation, Intent, Notice, Occurrence, Order, Request};
pub use plan::{Action, Blocked, Candidate, Leftover, Plan, Standing, Trace, plan};
pub use policy::{FinalAct, Policy, PolicyHash};
pub use status::{
    Conditions, Decision, Done, Ending, Path, Reason, Retirement, Spec, State, Status, Stop, StoppedBy,
};
pub use step::{CALL_VALID, Event, SETTLED, SKEW, Step, step};

#[cfg(any(test, feature = "proof"))]
pub use step::step_with;

#[cfg(any(test, feature = "proof"))]
pub use plan::plan_with;

#[cfg(test)]
mod tests;
