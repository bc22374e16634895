//! Invariants of Raft, checked after every event (paper, figure 3), beyond those of every protocol: one leader a term (Election Safety), and
//! agreement and order of what is applied (State Machine Safety).

use super::server::{Role, Server};
use crate::core::{Breach, Invariant, NodeId, Slot, Step};

/// All of them.
pub const INVARIANTS: &[Invariant<Server>] = &[
    Invariant {
        name: "Log Matching",
        says: "If two logs hold an entry with the same index and term, they are equal up to that entry.",
        holds: log_matching,
    },
    Invariant {
        name: "Leader Completeness",
        says: "The leader's log holds every entry committed in its term or an earlier one.",
        holds: leader_completeness,
    },
    Invariant {
        name: "Committed entries are held",
        says: "A server holds, in its log or its snapshot, every entry it knows to be committed.",
        holds: committed_is_held,
    },
    Invariant {
        name: "Lease",
        says: "While a leader holds a lease, no server leads a later term.",
        holds: lease_excludes,
    },
];

fn others(nodes: &[Option<Server>], changed: NodeId) -> Option<(&Server, impl Iterator<Item = (NodeId, &Server)>)> {
    let server = nodes.get(usize::from(changed.0))?.as_ref()?;
    let others = (0..).map(NodeId).zip(nodes).filter(move |(id, _)| *id != changed);
    Some((server, others.filter_map(|(id, node)| Some((id, node.as_ref()?)))))
}

const fn breach(other: NodeId, slot: Option<Slot>) -> Result<(), Breach> {
    Err(Breach { other: Some(other), slot })
}

/// Compares only the slots that the step can have changed.
fn log_matching(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(from) = step.log_from else { return Ok(()) };
    let Some((server, others)) = others(nodes, step.changed) else { return Ok(()) };
    let mine = &server.disk.log;
    for (id, other) in others {
        let log = &other.disk.log;
        if log.last() < from {
            continue;
        }
        // One slot more: entries from `from` on may match although the ones before them never did.
        let lowest = (from - 1).max(mine.first()).max(log.first());
        let mut matched = false;
        for slot in (lowest..=mine.last().min(log.last())).rev() {
            let (Some(a), Some(b)) = (mine.get(slot), log.get(slot)) else { break };
            matched |= a.term == b.term;
            if matched && a != b {
                return breach(id, Some(slot));
            }
        }
    }
    Ok(())
}

fn leader_completeness(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some((server, others)) = others(nodes, step.changed) else { return Ok(()) };
    for (id, other) in others {
        for (leader, follower) in [(server, other), (other, server)] {
            let slot = follower.commit;
            let leads = slot > leader.commit && matches!(leader.role, Role::Leader(_));
            if !leads || leader.disk.term < follower.disk.term {
                continue;
            }
            let here = leader.disk.log.term_at(slot);
            if here.is_none() || follower.disk.log.term_at(slot).is_some_and(|there| here != Some(there)) {
                return breach(id, Some(slot));
            }
        }
    }
    Ok(())
}

fn committed_is_held(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    match nodes.get(usize::from(step.changed.0)) {
        Some(Some(server)) if server.disk.log.last() < server.commit => {
            Err(Breach { other: None, slot: Some(server.commit) })
        }
        _ => Ok(()),
    }
}

fn lease_excludes(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some((server, others)) = others(nodes, step.changed) else { return Ok(()) };
    if !matches!(server.role, Role::Leader(_)) {
        return Ok(());
    }
    for (id, other) in others.filter(|(_, other)| matches!(other.role, Role::Leader(_))) {
        let mine = server.disk.term < other.disk.term;
        let (earlier, later) = if mine { (server, other) } else { (other, server) };
        let paused = step.unaware.has(if mine { step.changed } else { id });
        if earlier.holds_lease() && earlier.disk.term < later.disk.term && !paused {
            return breach(id, None);
        }
    }
    Ok(())
}
