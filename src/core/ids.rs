//! Names of things, small enough to travel in every event.

use serde::{Deserialize, Serialize};

/// A length of time, or a moment since the start of the run, in microseconds.
pub type Micros = u64;

/// A position in the replicated log. The first command has slot 1; 0 means "none yet".
pub type Slot = u32;

/// A replica, numbered from 0. People see it counted from 1.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u8);

/// One client session. A session has at most one command outstanding, which is what lets a replica answer a
/// repeated command from memory instead of executing it twice.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub u16);

impl ClientId {
    /// The author of commands no client asked for (no-ops that fill gaps, elections).
    pub const NOBODY: ClientId = ClientId(u16::MAX);
}
