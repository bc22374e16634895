//! What holds after every event, beyond what is checked for every protocol: the properties of simple consensus (§4.2).

use super::{Record, Server};
use crate::core::node::{Breach, Invariant, Step};
use crate::core::{Command, NodeId, Slot};

pub(super) const INVARIANTS: &[Invariant<Server>] = &[
    Invariant {
        name: "One value a round",
        says: "All that is accepted for an instance in one round is the same.",
        holds: one_value_a_round,
    },
    Invariant {
        name: "Simple consensus",
        says: "In an instance nothing is accepted or learned but a no-op and one command, its owner's.",
        holds: one_command_an_instance,
    },
    Invariant {
        name: "Learned alike",
        says: "What two servers have learned of an instance is the same.",
        holds: learned_alike,
    },
    Invariant {
        name: "Skipped for ever",
        says: "No command is accepted or learned in an instance that its owner has skipped.",
        holds: skipped_for_ever,
    },
];

fn others(nodes: &[Option<Server>], changed: NodeId) -> impl Iterator<Item = (NodeId, &Server)> {
    let all = (0..).map(NodeId).zip(nodes).filter_map(|(id, node)| Some((id, node.as_ref()?)));
    all.filter(move |(id, _)| *id != changed)
}

/// The instances of the changed node that a step may have changed, with what it holds there.
fn changed(nodes: &[Option<Server>], step: Step) -> impl Iterator<Item = (Slot, &Record, Command)> {
    let node = nodes.get(usize::from(step.changed.0)).and_then(Option::as_ref);
    let records = node.zip(step.log_from).into_iter().flat_map(|(node, from)| node.disk.records.iter_from(from));
    records.filter_map(|(slot, record)| Some((slot, record, record.value?)))
}

fn breach(other: NodeId, slot: Slot) -> Result<(), Breach> {
    Err(Breach { other: Some(other), slot: Some(slot) })
}

fn one_value_a_round(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    for (slot, record, value) in changed(nodes, step).filter(|(_, record, _)| !record.learned) {
        for (id, node) in others(nodes, step.changed) {
            let its = node.disk.records.get(slot).filter(|its| !its.learned && its.accepted == record.accepted);
            if its.and_then(|its| its.value).is_some_and(|its| its != value) {
                return breach(id, slot);
            }
        }
    }
    Ok(())
}

fn one_command_an_instance(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    for (slot, _, value) in changed(nodes, step).filter(|(.., value)| *value != Command::NOOP) {
        for (id, node) in others(nodes, step.changed) {
            let its = node.disk.records.get(slot).and_then(|its| its.value);
            if its.is_some_and(|its| its != value && its != Command::NOOP) {
                return breach(id, slot);
            }
        }
    }
    Ok(())
}

fn learned_alike(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    for (slot, _, value) in changed(nodes, step).filter(|(_, record, _)| record.learned) {
        for (id, node) in others(nodes, step.changed) {
            if node.disk.learned(slot).is_some_and(|its| its != value) {
                return breach(id, slot);
            }
        }
    }
    Ok(())
}

fn skipped_for_ever(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    for (slot, _, _) in changed(nodes, step).filter(|(.., value)| *value != Command::NOOP) {
        let owner = nodes.iter().flatten().next().map_or(NodeId(0), |node| node.owner(slot));
        let Some(Some(node)) = nodes.get(usize::from(owner.0)) else { continue };
        if slot > node.disk.suggested && slot < node.disk.index {
            return breach(owner, slot);
        }
    }
    Ok(())
}
