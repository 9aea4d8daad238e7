//! Starts what tests, bench and demo run against: the real thing wherever the real thing runs on a
//! developer's machine, else a fake that behaves like it.
//!
//! It must never be linked into what we ship, and nothing it starts may outlive the process that started it
//! or listen on anything but loopback.
//!
//! - [`controlplane`]: a real Kubernetes API with etcd and the controllers a test leans on.

pub mod controlplane;
