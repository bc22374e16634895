//! What holds after every event: the lemma behind theorem 1 of the paper (appendix A), as far as accepted states show it.

use super::{Acceptor, Change, Server};
use crate::core::node::{Breach, Invariant, Step};
use crate::core::{NodeId, Slot};

pub(super) const INVARIANTS: &[Invariant<Server>] = &[
    Invariant {
        name: "One state a ballot",
        says: "All states accepted for a register in one ballot are the same.",
        holds: one_state_a_ballot,
    },
    Invariant {
        name: "Acknowledged changes stay",
        says: "If a quorum has accepted a state, every state accepted in a higher ballot is a descendant of it: it has the same change in it, and no lower version.",
        holds: acknowledged_changes_stay,
    },
];

/// Checks all pairs of the changed node's accepted states and those of others.
fn each_pair(
    nodes: &[Option<Server>],
    step: Step,
    mut holds: impl FnMut(usize, &Acceptor, &Acceptor) -> bool,
) -> Result<(), Breach> {
    let (Some(Some(own)), Some(from)) = (nodes.get(usize::from(step.changed.0)), step.log_from) else { return Ok(()) };
    for (register, its) in own.disk.registers.iter().enumerate().skip(from.saturating_sub(1) as usize) {
        for (id, node) in (0..).zip(nodes) {
            let Some(other) = node.as_ref().and_then(|node| node.disk.registers.get(register)) else { continue };
            if its.accepted.is_real() && other.accepted.is_real() && !holds(register, its, other) {
                return Err(Breach { other: Some(NodeId(id)), slot: Some(register as Slot + 1) });
            }
        }
    }
    Ok(())
}

fn one_state_a_ballot(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    each_pair(nodes, step, |_, one, other| one.accepted != other.accepted || one.state == other.state)
}

fn acknowledged_changes_stay(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    each_pair(nodes, step, |register, one, other| {
        let (lower, higher) = if one.accepted < other.accepted { (one, other) } else { (other, one) };
        let accepted = |node: &Server| node.disk.registers.get(register).is_some_and(|a| a.accepted == lower.accepted);
        let holders = (0..).map(NodeId).zip(nodes).filter(|(_, node)| node.as_ref().is_some_and(accepted));
        let holders = holders.map(|(id, _)| id).collect();
        let quorum = nodes.iter().flatten().next().is_some_and(|node| node.config.quorums.phase2.is_quorum(holders));
        let descends = || {
            let has = |change: Change| higher.state.outcome(change.command).is_some();
            higher.state.version >= lower.state.version && lower.state.last().is_none_or(has)
        };
        !quorum || descends()
    })
}
