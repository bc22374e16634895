//! What changed in the replicas between two looks at them: role, epoch, committed prefix, up or down. As a line of a transcript, and as a sentence
//! that can be heard.

use super::{NodeView, Universe};
use crate::core::{Epoch, NodeId, NodeStatus, Slot};

/// A change in what a replica shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is down now.
    Down(NodeId),
    /// It is up now, in this role.
    Starts(NodeId, &'static str),
    /// Its role was the first and is the second.
    Role(NodeId, &'static str, &'static str),
    /// Its epoch was the first and is the second.
    Epoch(NodeId, Epoch, Epoch),
    /// The last slot of the prefix that it knows to be chosen was the first and is the second.
    Committed(NodeId, Slot, Slot),
}

impl Change {
    /// As a line of a transcript; `word` is the variant's word for epochs.
    pub fn line(self, word: &str) -> String {
        match self {
            Change::Down(id) => format!("{id:?} is down"),
            Change::Starts(id, role) => format!("{id:?} starts as {role}"),
            Change::Role(id, before, now) => format!("{id:?}: {before} → {now}"),
            Change::Epoch(id, before, now) => format!("{id:?}: {word} {before} → {now}"),
            Change::Committed(id, before, now) => format!("{id:?}: committed {before} → {now}"),
        }
    }

    /// As a sentence.
    pub fn sentence(self, word: &str) -> String {
        match self {
            Change::Down(id) => format!("Node {id:?} went down."),
            Change::Starts(id, role) => format!("Node {id:?} is up again, as {role}."),
            Change::Role(id, before, now) => format!("Node {id:?}, {before} before, is {now}."),
            Change::Epoch(id, _, now) => format!("Node {id:?} is in {word} {now}."),
            Change::Committed(id, _, now) => format!("Node {id:?} knows everything up to {now} to be committed."),
        }
    }
}

/// The replicas as they were at the last look.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    seen: Vec<Option<NodeStatus>>,
}

impl Looks {
    /// A first look.
    pub fn of(universe: &dyn Universe) -> Looks {
        Looks { seen: (0..universe.nodes()).map(|id| universe.node(NodeId(id)).status).collect() }
    }

    /// What has changed since the last look.
    pub fn changes(&mut self, universe: &dyn Universe) -> Vec<Change> {
        let mut changes = Vec::new();
        for id in 0..universe.nodes() {
            let NodeView { id, status, .. } = universe.node(NodeId(id));
            let index = usize::from(id.0);
            if self.seen.len() <= index {
                self.seen.push(None);
            }
            match (self.seen[index], status) {
                (Some(_), None) => changes.push(Change::Down(id)),
                (None, Some(now)) => changes.push(Change::Starts(id, now.role)),
                (Some(before), Some(now)) => {
                    if before.role != now.role {
                        changes.push(Change::Role(id, before.role, now.role));
                    }
                    if before.epoch != now.epoch {
                        changes.push(Change::Epoch(id, before.epoch, now.epoch));
                    }
                    if before.log.committed != now.log.committed {
                        changes.push(Change::Committed(id, before.log.committed, now.log.committed));
                    }
                }
                (None, None) => {}
            }
            self.seen[index] = status;
        }
        changes
    }
}
