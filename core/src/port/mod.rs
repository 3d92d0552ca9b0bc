//! The few traits at the edge, defined next to the code that needs them, and the typed GitHub client built on one of them.
//!
//! Nothing here touches the world: `io` implements these traits over the network, a local repository and child
//! processes; the sandbox and the tests implement them in process.

pub mod github;
pub mod helm;
pub mod objects;
pub mod rate_limit;
pub mod registry;
pub mod signer;
pub mod transport;
