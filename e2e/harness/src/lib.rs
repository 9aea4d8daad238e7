//! Starts what tests, bench and demo run against: the real thing wherever the real thing runs on a
//! developer's machine, else a fake that behaves like it.
//!
//! It must never be linked into what we ship, and nothing it starts may outlive the process that started it
//! or listen on anything but loopback.
//!
//! - [`controlplane`]: a real Kubernetes API with etcd and the controllers a test leans on.
//! - [`cluster`]: that one, or a cluster which exists already.
//! - [`kubelet`]: as much of one as forwarding a port takes.
//! - [`operator`]: the binary `rollcall run` as a child process.
//! - [`world`]: all of it as one handle: cluster, fakes, the messy fleet, what is installed, the operator.
//! - [`wait`]: waiting for what must become true.

pub mod cluster;
pub mod controlplane;
pub mod kubelet;
pub mod operator;
pub mod wait;
pub mod world;
