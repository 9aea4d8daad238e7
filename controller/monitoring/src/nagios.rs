//! Nagios 4, and what writes its files (Icinga 2): hosts, services, downtimes, contacts. It only reads.
//!
//! Two ways lead to one value, [`Told`]: the JSON CGIs by HTTP ([`Cgi`]) and the files `objects.cache` and `status.dat`
//! ([`Files`]). Nothing is ever sent to the command FIFO, and no CGI is called that could.
//!
//! The CGIs answer errors with 200, a dead program with an empty body, and a user without rights with a list of nothing;
//! the files have no end mark. What this folder does against that, and the tests that show it, stand in docs/nagios.md.

mod cgi;
mod due;
mod files;
mod join;
mod record;
mod registry;
mod source;
mod told;

#[cfg(feature = "answers")]
pub use cgi::answers;
pub use cgi::{Cgi, Login, LoginSource, PAGE, patience};
pub use files::{Files, from_bytes};
pub use record::{MAX_HOSTS, MAX_SERVICES, Terms};
pub use registry::registry;
pub use source::{NagiosSource, Way};
pub use told::{
    Check, Contact, Downtime, Host, HostState, Notified, Program, Recipients, Service, ServiceState, Told,
};
