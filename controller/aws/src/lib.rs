//! What AWS says: EC2, RDS, `CloudWatch` and STS as readings. The only crate that sees an AWS SDK.
//!
//! ```text
//! Account ─ Listing (rules, no I/O) ◄─ ec2, rds, cloudwatch (questions) ─ SDK client ─ wire ─► AWS
//!    └ Proof (STS: which account?) ──────────────── proved keys ──────────────────────┘
//! ```
//! [`Account`] is the door. `listing` says what makes a listing complete; `ec2` and `rds` ask, each kind of
//! thing as `described` lays down; `asserted` asks only what assertions ask; `activity` asks `cloudwatch` what hosts did;
//! `map` turns answers into the engine's types. Every attempt passes a `wire`, which holds back requests with unproved credentials (`proof`), keeps
//! to our own rate (`pace`), takes only whole answers of bounded size (`answer`, `cbor`) and counts (`calls`). `failure` puts
//! errors into words.
//!
//! It knows nothing of Kubernetes, changes nothing at AWS, and must never show a credential or a body of an answer.
//! No type of an SDK appears in what it offers.

mod account;
mod activity;
mod answer;
mod asserted;
mod calls;
mod cbor;
mod cloudwatch;
mod connections;
mod described;
mod ec2;
mod failure;
mod identity;
mod listing;
mod map;
mod pace;
mod proof;
mod rds;
mod settings;
mod wire;

pub use account::Account;
pub use calls::{Allowance, CallCount};
pub use connections::Connections;
pub use settings::{AccountSettings, AssumeRole, Identity, Limits, SESSION_NAME, StaticKeys};

/// Directives for a log filter that must stand whatever level the user asks for: below them the SDK's own crates log
/// requests and answers, and what those hold.
pub const QUIET: [&str; 9] = [
    "aws_config=info",
    "aws_runtime=info",
    "aws_sdk_cloudwatch=info",
    "aws_sdk_ec2=info",
    "aws_sdk_rds=info",
    "aws_sdk_sts=info",
    "aws_sigv4=info",
    "aws_smithy_runtime=info",
    "aws_smithy_runtime_api=info",
];
