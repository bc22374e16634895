//! Invariants of Viewstamped Replication, checked after every event, beyond those of every protocol (agreement, order of execution, one
//! primary a view).

use super::Replica;
use crate::core::node::{Breach, HistoryInvariant, Invariant, Step};
use crate::core::{HistoryVariables, NodeId, Slot};

pub(super) const INVARIANTS: &[Invariant<Replica>] = &[
    Invariant {
        name: "One log a view",
        says: "Of two replicas whose status is normal in one view, one has the beginning of the other's log.",
        holds: one_log_a_view,
    },
    Invariant {
        name: "Committed requests survive views",
        says: "The primary of a view has every request that is committed in that view or an earlier one.",
        holds: primary_has_committed,
    },
];

pub(super) const HISTORY: &[HistoryInvariant<Replica>] = &[HistoryInvariant {
    name: "Recovery brings everything back",
    says: "A replica that has recovered has every request again that it had executed before it crashed.",
    holds: recovery_is_complete,
}];

fn breach(other: NodeId, slot: Slot) -> Result<(), Breach> {
    Err(Breach { other: Some(other), slot: Some(slot) })
}

/// The replica that changed, and the others that run.
fn others(nodes: &[Option<Replica>], changed: NodeId) -> Option<(&Replica, impl Iterator<Item = (NodeId, &Replica)>)> {
    let replica = nodes.get(usize::from(changed.0))?.as_ref()?;
    let others = (0..).map(NodeId).zip(nodes).filter(move |(id, _)| *id != changed);
    Some((replica, others.filter_map(|(id, node)| Some((id, node.as_ref()?)))))
}

/// What both know to be committed, agreement covers.
fn one_log_a_view(nodes: &[Option<Replica>], step: Step) -> Result<(), Breach> {
    let Some((replica, others)) = others(nodes, step.changed) else { return Ok(()) };
    for (id, other) in others {
        if !replica.is_normal() || !other.is_normal() || replica.view != other.view {
            continue;
        }
        for slot in replica.commit.min(other.commit) + 1..=replica.log.last().min(other.log.last()) {
            if let (Some(own), Some(its)) = (replica.log.get(slot), other.log.get(slot))
                && own != its
            {
                return breach(id, slot);
            }
        }
    }
    Ok(())
}

fn primary_has_committed(nodes: &[Option<Replica>], step: Step) -> Result<(), Breach> {
    let Some((replica, others)) = others(nodes, step.changed) else { return Ok(()) };
    for (id, other) in others {
        for (primary, backup) in [(replica, other), (other, replica)] {
            if primary.is_primary() && backup.last_normal <= primary.view && backup.commit > primary.log.last() {
                return breach(id, backup.commit);
            }
        }
    }
    Ok(())
}

/// What a replica executes only grows, but for a crash; and while it recovers its status is not normal.
fn recovery_is_complete(history: &mut HistoryVariables, nodes: &[Option<Replica>], step: Step) -> Result<(), Breach> {
    let replica = nodes.get(usize::from(step.changed.0)).and_then(Option::as_ref);
    let Some(replica) = replica.filter(|replica| replica.is_normal()) else { return Ok(()) };
    let before = history.reach(step.changed, replica.commit).start() - 1;
    // Earlier slots are forgotten.
    match before >= history.first() && replica.log.last() < before {
        true => Err(Breach { other: None, slot: Some(before) }),
        false => Ok(()),
    }
}
