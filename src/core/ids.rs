//! Identifiers of replicas, clients and log slots, and the unit of time.

use serde::{Deserialize, Serialize};

/// A duration, or a time since the start of the run, in µs.
pub type Micros = u64;

/// A position in the replicated log (Raft: index). The first is 1; 0 means none.
pub type Slot = u32;

/// A replica's id, counted from 0. Shown counted from 1.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u8);

/// A client session. Invariant: at most one command of a session is outstanding, so that one remembered outcome per session suffices to
/// execute commands at most once.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub u16);

impl ClientId {
    /// The client of commands that no client issued (no-ops, elections).
    pub const NOBODY: ClientId = ClientId(u16::MAX);
}
