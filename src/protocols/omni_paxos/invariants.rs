//! Invariants of Omni-Paxos, checked after every event, beyond those of every protocol (agreement, order of execution, one leader a ballot).

use super::{Role, Server};
use crate::core::node::{Breach, Invariant, Step};
use crate::core::{NodeId, Slot};

pub(super) const INVARIANTS: &[Invariant<Server>] = &[
    Invariant {
        name: "Promise covers acceptance",
        says: "No server has accepted its log in a higher round than it has promised, and a leader has promised its own.",
        holds: promise_covers_acceptance,
    },
    Invariant {
        name: "One log a round",
        says: "Of two servers that have accepted their logs in one round, one has the beginning of the other's log.",
        holds: one_log_a_round,
    },
    Invariant {
        name: "Decided stays decided (P2)",
        says: "Whoever has accepted its log in a round has everything that is decided by a leader of that round or of a lower one.",
        holds: decided_stays_decided,
    },
];

fn breach(other: NodeId, slot: Slot) -> Result<(), Breach> {
    Err(Breach { other: Some(other), slot: Some(slot) })
}

/// The server that changed, and the others that run.
fn others(nodes: &[Option<Server>], changed: NodeId) -> Option<(&Server, impl Iterator<Item = (NodeId, &Server)>)> {
    let server = nodes.get(usize::from(changed.0))?.as_ref()?;
    let others = (0..).map(NodeId).zip(nodes).filter(move |(id, _)| *id != changed);
    Some((server, others.filter_map(|(id, node)| Some((id, node.as_ref()?)))))
}

fn promise_covers_acceptance(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some((server, _)) = others(nodes, step.changed) else { return Ok(()) };
    let leads_own = !matches!(server.role, Role::Leader(_)) || server.disk.promised.pid == server.me;
    match server.disk.accepted <= server.disk.promised && leads_own {
        true => Ok(()),
        false => Err(Breach::default()),
    }
}

/// What both know to be decided, agreement covers.
fn one_log_a_round(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some((server, others)) = others(nodes, step.changed) else { return Ok(()) };
    let (disk, Some(from)) = (&server.disk, step.log_from) else { return Ok(()) };
    for (id, other) in others.filter(|(_, other)| other.disk.accepted == disk.accepted) {
        for slot in from.max(server.decided.min(other.decided) + 1)..=disk.log.last().min(other.disk.log.last()) {
            if let (Some(own), Some(its)) = (disk.log.get(slot), other.disk.log.get(slot))
                && own != its
            {
                return breach(id, slot);
            }
        }
    }
    Ok(())
}

/// Lengths suffice here: agreement and the invariant above compare what is in the logs.
fn decided_stays_decided(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some((server, others)) = others(nodes, step.changed) else { return Ok(()) };
    for (id, other) in others {
        for (leader, holder) in [(server, other), (other, server)] {
            let leads = matches!(&leader.role, Role::Leader(leadership) if leadership.accepts);
            if leads && leader.disk.accepted < holder.disk.accepted && leader.decided > holder.disk.log.last() {
                return breach(id, leader.decided);
            }
        }
    }
    Ok(())
}
