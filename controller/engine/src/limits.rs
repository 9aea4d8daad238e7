//! Every age, distance and size that decisions use, each with its reason. Nothing here is configuration: what
//! teams may choose stands in their custom resources.

use jiff::SignedDuration;

/// An inventory older than this proves no absence. Instances are listed every minute or so (one call per
/// 1,000 hosts); a quarter of an hour survives some throttled rounds and is still "now" to a person.
pub const INVENTORY_MAX_AGE: SignedDuration = SignedDuration::from_mins(15);

/// A listing of hosts or monitors older than this proves no absence; same reasoning.
pub const REGISTRY_MAX_AGE: SignedDuration = SignedDuration::from_mins(15);

/// A listing of newest metrics older than this proves no silence; same reasoning.
pub const METRIC_MAX_AGE: SignedDuration = SignedDuration::from_mins(15);

/// What assertions look at and no pass reads each time (groups of security, subnets and parameters, volumes, addresses) is
/// believed for this long: it is read every quarter of an hour, and some throttled rounds must not make all of it unknown.
pub const ASSERTED_MAX_AGE: SignedDuration = SignedDuration::from_hours(2);

/// Termination protection is asked instance by instance, once a day; a round may take a while.
pub const PROTECTION_MAX_AGE: SignedDuration = SignedDuration::from_hours(48);

/// A day's activity is whole once the day has been over for this long. EC2 sends its points every five minutes and RDS every
/// minute, each a few minutes late; an hour is ten times that.
pub const ACTIVITY_SETTLES: SignedDuration = SignedDuration::from_hours(1);

/// How many days of activity are read. It is as dear as 35, which rules want at least, and a rule can be tried on what was.
pub const ACTIVITY_DAYS: u16 = 90;

/// Activity is read once a day; a reading that is older than two has been missed.
pub const ACTIVITY_MAX_AGE: SignedDuration = SignedDuration::from_hours(48);

/// For so many days that cannot be read, what was found before them is held: the newest day is then the day before yesterday,
/// or yesterday until today's reading came.
pub const ACTIVITY_HELD_DAYS: i32 = 1;

/// How long the names of a host's checks are believed. One call per host at one call a second is 5.5 hours for
/// 20,000 hosts, so a proof must outlive some rounds; docs/targets.md sets 24 hours.
pub const CHECK_PROOF_MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// A downtime that ends within this is maintenance; whoever is in one for longer is watched by nobody (a row is Muted
/// "for > 24 h or without end").
pub const DOWNTIME_PASSES: SignedDuration = SignedDuration::from_hours(24);

/// Two complete readings prove absence only when begun at least this far apart: EC2 can report a live instance as gone
/// (Karpenter's garbage collection learned it; docs/failure-modes.md, "absence is not death").
pub const ABSENCE_APART: SignedDuration = SignedDuration::from_mins(10);

/// More hosts than this, and than [`FALL_PERCENT`] of the remembered ones, must vanish without having been seen
/// shutting down before a complete reading is doubted.
pub const FALL_FLOOR: usize = 3;

/// See [`FALL_FLOOR`]. The breakers of Argo CD #18480's fix and of Karpenter's budgets are of this order.
pub const FALL_PERCENT: usize = 20;

/// A doubted reading is believed once complete readings have agreed with it for this long. EC2 lists terminated
/// instances for about an hour: a real mass termination is seen, not inferred.
pub const FALL_BELIEVED_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// A keep that is proposed to people names a day so far ahead: they may choose another one.
pub const KEEP_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A registration is a ghost only when its host has been proved gone for this long: a host re-created by mistake,
/// or an inventory that lied, has a day to come back.
pub const GHOST_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Tombstones without a registration are forgotten after this.
pub const TOMBSTONE_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// No place remembers more tombstones than this; those gone longest go first. A fleet that replaces 300 hosts a
/// day keeps its whole month.
pub const MAX_TOMBSTONES: usize = 10_000;

/// A host stopped for longer than this is a finding.
pub const LONG_STOPPED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// For this long after its settling ended, a new host that was never in order is one finding, not many.
pub const NOT_READY_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Two hosts of one name are paired as "replaced by" when the new one came at most this long before the old
/// one was gone: blue-green replacements overlap.
pub const REPLACEMENT_OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// Changes of an environment are remembered for this long.
pub const CHANGES_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Weekly counts of hosts that are remembered: a year, and this week.
pub const WEEKS_KEPT: usize = 53;

/// What is remembered of a place, system or environment that left the desired state is kept for this long: an
/// object deleted by mistake comes back with its past.
pub const UNUSED_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Bytes that one compiled pattern of a custom resource may take; ordinary ones take a few thousand.
pub const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// Characters of a name from outside that reach people; AWS allows 256 in a tag, hostile sources send more.
pub const MAX_NAME_CHARS: usize = 64;

/// Names that stand in a sentence before "and N more".
pub const MAX_EXAMPLES: usize = 5;

/// Different reasons for unknown rows that one roll call tells apart; further ones are told by category alone.
pub const MAX_REASONS: usize = 1_000;
