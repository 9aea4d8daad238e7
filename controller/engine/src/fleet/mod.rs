//! The validated desired state. Custom resources are parsed once into types that cannot be wrong; the rest
//! of the code never sees a raw spec. A malformed object becomes a [`Problem`] and disturbs nobody else.

mod desired;

pub use desired::*;
