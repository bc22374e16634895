//! What must hold after every event, beyond agreement itself. Each looks at the server that changed, and there at open slots only: what
//! is committed is the judges' business.

use super::{Role, Server};
use crate::core::node::{Breach, Invariant};
use crate::core::{NodeId, Slot};
use std::hash::{Hash, Hasher};
use std::ops::RangeInclusive;

/// The slots written by the latest event: a ghost variable, which no handler reads. Two servers that differ in it alone are the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    first: Slot,
    last: Slot,
}

impl Written {
    /// Another slot was written.
    pub fn add(&mut self, slot: Slot) {
        self.first = if self.last == 0 { slot } else { self.first.min(slot) };
        self.last = self.last.max(slot);
    }
}

impl PartialEq for Written {
    fn eq(&self, _: &Written) -> bool {
        true
    }
}

impl Eq for Written {}

impl Hash for Written {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// With so few open slots all of them are looked at. With more, those just written: the others held before, and nothing else changed.
const FEW: Slot = 8;

pub(super) const INVARIANTS: &[Invariant<Server>] = &[
    Invariant {
        name: "Promise covers acceptance",
        says: "No acceptor has accepted a ballot higher than the one it has promised.",
        holds: promise_covers_acceptance,
    },
    Invariant {
        name: "Chosen stays chosen (P2)",
        says: "In one slot, all acceptances in one ballot are of one command; and if a quorum has accepted it, so are all in higher ballots.",
        holds: chosen_stays_chosen,
    },
    Invariant {
        name: "The leader's ballot",
        says: "A leader leads the ballot that it has itself promised, and nobody else leads it.",
        holds: one_leader,
    },
];

fn of(nodes: &[Option<Server>], id: NodeId) -> Option<&Server> {
    nodes.get(usize::from(id.0)).and_then(Option::as_ref)
}

fn others(nodes: &[Option<Server>], changed: NodeId) -> impl Iterator<Item = (NodeId, &Server)> {
    let running = (0..).zip(nodes).filter_map(|(id, node)| Some((NodeId(id), node.as_ref()?)));
    running.filter(move |(id, _)| *id != changed)
}

/// The slots to look at.
fn suspects(server: &Server) -> RangeInclusive<Slot> {
    let (first, last) = (server.committed + 1, server.disk.accepted.last());
    match last < first + FEW {
        true => first..=last,
        false => first.max(server.written.first)..=server.written.last,
    }
}

fn promise_covers_acceptance(nodes: &[Option<Server>], changed: NodeId) -> Result<(), Breach> {
    let Some(server) = of(nodes, changed) else { return Ok(()) };
    let mut held = suspects(server).filter_map(|slot| Some((slot, server.proposal(slot)?)));
    match held.find(|(_, proposal)| proposal.ballot > server.disk.promised) {
        Some((slot, _)) => Err(Breach { other: None, slot: Some(slot) }),
        None => Ok(()),
    }
}

fn chosen_stays_chosen(nodes: &[Option<Server>], changed: NodeId) -> Result<(), Breach> {
    let Some(server) = of(nodes, changed) else { return Ok(()) };
    for slot in suspects(server) {
        let Some(own) = server.proposal(slot) else { continue };
        for (other, peer) in others(nodes, changed) {
            let Some(its) = peer.proposal(slot) else { continue };
            if own == its || own.command == its.command {
                continue;
            }
            // Of two different commands, the one in the lower ballot must not have been chosen.
            let lower = if own.ballot < its.ballot { own } else { its };
            let accepted = nodes.iter().flatten().filter(|node| node.proposal(slot) == Some(lower)).count();
            if own.ballot == its.ballot || accepted >= usize::from(server.config.accept_quorum) {
                return Err(Breach { other: Some(other), slot: Some(slot) });
            }
        }
    }
    Ok(())
}

fn one_leader(nodes: &[Option<Server>], changed: NodeId) -> Result<(), Breach> {
    let Some(server) = of(nodes, changed).filter(|server| matches!(server.role, Role::Leader(_))) else {
        return Ok(());
    };
    let rival = others(nodes, changed)
        .find(|(_, peer)| matches!(peer.role, Role::Leader(_)) && peer.disk.promised == server.disk.promised);
    match rival {
        Some((other, _)) => Err(Breach { other: Some(other), slot: None }),
        None => Ok(()),
    }
}
