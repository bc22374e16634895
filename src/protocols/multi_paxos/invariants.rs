//! Invariants of Multi-Paxos, checked after every event, beyond those of every protocol (agreement, order of execution). Each examines the
//! server that changed, and there only the open slots that may have changed: committed slots are covered by agreement.

use super::{Role, Server};
use crate::core::hash::Digest;
use crate::core::history::Choice;
use crate::core::node::{Breach, HistoryInvariant, Invariant, Step};
use crate::core::{HistoryVariables, NodeId, NodeSet, Slot};

pub(super) const INVARIANTS: &[Invariant<Server>] = &[
    Invariant {
        name: "Promise covers acceptance",
        says: "No acceptor has accepted a ballot higher than the one it has promised.",
        holds: promise_covers_acceptance,
    },
    Invariant { name: P2.0, says: P2.1, holds: chosen_stays_chosen },
    Invariant {
        name: "The leader's ballot",
        says: "A leader leads the ballot that it has itself promised, and nobody else leads it.",
        holds: one_leader,
    },
];

pub(super) const HISTORY: &[HistoryInvariant<Server>] =
    &[HistoryInvariant { name: P2.0, says: P2.1, holds: ever_chosen_stays_chosen }];

const P2: (&str, &str) = (
    "Chosen stays chosen (P2)",
    "In one slot, all acceptances in one ballot are of one command; and if a quorum has accepted it, so are all in higher ballots.",
);

fn of(nodes: &[Option<Server>], id: NodeId) -> Option<&Server> {
    nodes.get(usize::from(id.0)).and_then(Option::as_ref)
}

fn running(nodes: &[Option<Server>]) -> impl Iterator<Item = (NodeId, &Server)> {
    (0..).zip(nodes).filter_map(|(id, node)| Some((NodeId(id), node.as_ref()?)))
}

fn others(nodes: &[Option<Server>], changed: NodeId) -> impl Iterator<Item = (NodeId, &Server)> {
    running(nodes).filter(move |(id, _)| *id != changed)
}

/// The open slots in which the step may have changed something.
fn open_slots(server: &Server, step: Step) -> std::ops::RangeInclusive<Slot> {
    let first = step.log_from.unwrap_or(Slot::MAX);
    first.max(server.committed + 1)..=server.disk.accepted.last()
}

fn promise_covers_acceptance(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(server) = of(nodes, step.changed) else { return Ok(()) };
    let mut held = open_slots(server, step).filter_map(|slot| Some((slot, server.proposal(slot)?)));
    match held.find(|(_, proposal)| proposal.ballot > server.disk.promised) {
        Some((slot, _)) => Err(Breach { other: None, slot: Some(slot) }),
        None => Ok(()),
    }
}

fn chosen_stays_chosen(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(server) = of(nodes, step.changed) else { return Ok(()) };
    for slot in open_slots(server, step) {
        let Some(own) = server.proposal(slot) else { continue };
        for (other, peer) in others(nodes, step.changed) {
            let Some(its) = peer.proposal(slot).filter(|its| its.command != own.command) else { continue };
            // Of two different commands, the one in the lower ballot must not have been chosen.
            let lower = if own.ballot < its.ballot { own } else { its };
            let accepted = running(nodes).filter(|(_, node)| node.proposal(slot) == Some(lower)).map(|(id, _)| id);
            if own.ballot == its.ballot || server.config.quorums.phase2.is_quorum(accepted.collect()) {
                return Err(Breach { other: Some(other), slot: Some(slot) });
            }
        }
    }
    Ok(())
}

fn one_leader(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(server) = of(nodes, step.changed).filter(|server| matches!(server.role, Role::Leader(_))) else {
        return Ok(());
    };
    let rival = others(nodes, step.changed)
        .find(|(_, peer)| matches!(peer.role, Role::Leader(_)) && peer.disk.promised == server.disk.promised);
    match rival {
        Some((other, _)) => Err(Breach { other: Some(other), slot: None }),
        None => Ok(()),
    }
}

impl Choice for Server {
    fn is_quorum(&self, voters: NodeSet) -> bool {
        self.config.quorums.phase2.is_quorum(voters)
    }
}

/// Counts every vote that was ever on a disk, whatever its acceptor has accepted, lost or compacted since.
fn ever_chosen_stays_chosen(
    history: &mut HistoryVariables,
    nodes: &[Option<Server>],
    step: Step,
) -> Result<(), Breach> {
    let (server, mut result) = history.count_after(nodes, step.changed, |server| server);
    let (Some(server), Some(from)) = (server, step.log_from) else { return result };
    // Where anything may have changed, committed slots have not; agreement covers them.
    let from = if from > 1 { from } else { server.committed + 1 };
    for (slot, held) in server.disk.accepted.iter_from(from) {
        if let Some(held) = held {
            let value = (held.ballot.epoch(), Digest::of(&held.command), 0);
            result = result.and(history.vote(slot, value, step.changed, server));
        }
    }
    result
}
