//! What holds after every event: the two properties of the commit protocol that execution rests on (EPaxos*: Agreement and Visibility).

use super::record::{Phase, interfere};
use super::{Record, Server, Value, instance};
use crate::core::node::{Breach, Invariant, Step};
use crate::core::{Instance, NodeId, Slot};

pub(super) const INVARIANTS: &[Invariant<Server>] = &[
    Invariant {
        name: "One value a ballot",
        says: "All values accepted for an instance in one ballot are the same, and so are all that are committed.",
        holds: one_value_a_ballot,
    },
    Invariant {
        name: "Interfering instances are ordered",
        says: "Of two committed commands that interfere, one depends on the other.",
        holds: interfering_instances_are_ordered,
    },
];

/// The instances of the changed node that a step may have changed: one, or all, by the number that it gave when it saved.
fn changed(nodes: &[Option<Server>], step: Step) -> impl Iterator<Item = (Instance, &Record)> {
    let node = nodes.get(usize::from(step.changed.0)).and_then(Option::as_ref);
    let lanes = node.zip(step.log_from).into_iter().flat_map(|(node, from)| {
        let only = instance(from);
        (1..).zip(&node.disk.lanes).filter(move |(lane, _)| from == 1 || *lane == only.lane).flat_map(
            move |(lane, records)| {
                let upto = if from == 1 { Slot::MAX } else { only.slot };
                let records = records.iter_from(only.slot).take_while(move |(slot, _)| *slot <= upto);
                records.map(move |(slot, record)| (Instance { lane, slot }, record))
            },
        )
    });
    lanes.filter(|(_, record)| record.phase > Phase::PreAccepted)
}

fn others(nodes: &[Option<Server>]) -> impl Iterator<Item = (NodeId, &Server)> {
    (0..).map(NodeId).zip(nodes).filter_map(|(id, node)| Some((id, node.as_ref()?)))
}

fn breach(other: NodeId, slot: Slot) -> Result<(), Breach> {
    Err(Breach { other: Some(other), slot: Some(slot) })
}

fn one_value_a_ballot(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    for (at, record) in changed(nodes, step) {
        for (id, node) in others(nodes) {
            let Some(its) = node.disk.get(at) else { continue };
            let committed = record.phase == Phase::Committed && its.phase == Phase::Committed;
            let accepted =
                record.phase == Phase::Accepted && its.phase == Phase::Accepted && record.accepted == its.accepted;
            if (committed || accepted) && record.value != its.value {
                return breach(id, at.slot);
            }
        }
    }
    Ok(())
}

fn interfering_instances_are_ordered(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    for (at, record) in changed(nodes, step) {
        let Some(value) = record.committed() else { continue };
        for (id, node) in others(nodes) {
            for (place, records) in node.disk.lanes.iter().enumerate() {
                let (lane, after) = (place as u16 + 1, value.deps.get(place).map_or(0, |last: &Slot| *last));
                if node.interference.last(value, place) <= after {
                    continue;
                }
                let unordered = |(slot, its): (Slot, &Record)| {
                    let other: Option<&Value> = its.committed().map(|value| &**value);
                    let other = other.filter(|other| interfere(other.command, value.command) && !other.depends_on(at));
                    other.is_some() && Instance { lane, slot } != at
                };
                if records.iter_from(after + 1).any(unordered) {
                    return breach(id, at.slot);
                }
            }
        }
    }
    Ok(())
}
