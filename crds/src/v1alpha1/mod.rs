//! Version `v1alpha1`: one file per kind. Names are settled for ever; fields grow with what acts on them.

mod cloudaccount;
mod environment;
mod exemption;
mod host;
mod hostrole;
mod monitoringsystem;
mod requiredcheck;
mod selector;

pub use cloudaccount::*;
pub use environment::*;
pub use exemption::*;
pub use host::*;
pub use hostrole::*;
pub use monitoringsystem::*;
pub use requiredcheck::*;
pub use selector::*;
