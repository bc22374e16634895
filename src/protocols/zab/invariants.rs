//! Invariants of Zab, checked after every event, beyond those of every protocol (agreement, order of execution, one leader an epoch).

use super::Server;
use crate::core::node::{Breach, Invariant, Step};
use crate::core::{NodeId, Slot};

pub(super) const INVARIANTS: &[Invariant<Server>] = &[
    Invariant {
        name: "Accepted covers current",
        says: "No server is in a later epoch than it has accepted, nor has it a transaction of a later epoch than it is in.",
        holds: accepted_covers_current,
    },
    Invariant {
        name: "Primary order",
        says: "In every history zxids rise: what a leader proposed stands in its order, and behind all of earlier epochs.",
        holds: primary_order,
    },
    Invariant {
        name: "One history an epoch",
        says: "Of two servers in one epoch, one has the beginning of the other's history.",
        holds: one_history_an_epoch,
    },
];

fn accepted_covers_current(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(server) = nodes.get(usize::from(step.changed.0)).and_then(Option::as_ref) else { return Ok(()) };
    match server.disk.current <= server.disk.accepted.epoch && server.last_zxid().epoch <= server.disk.current {
        true => Ok(()),
        false => Err(Breach::default()),
    }
}

fn primary_order(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(server) = nodes.get(usize::from(step.changed.0)).and_then(Option::as_ref) else { return Ok(()) };
    let Some(from) = step.log_from else { return Ok(()) };
    let mut before = server.disk.log.get(from.saturating_sub(1)).map(|(zxid, _)| *zxid);
    for (slot, &(zxid, _)) in server.disk.log.iter_from(from) {
        let follows = match before {
            Some(before) if before.epoch == zxid.epoch => zxid.counter == before.counter + 1,
            Some(before) => zxid.epoch > before.epoch && zxid.counter == 1,
            None => true,
        };
        if !follows {
            return Err(Breach { other: None, slot: Some(slot) });
        }
        before = Some(zxid);
    }
    Ok(())
}

/// What both know to be committed, agreement covers.
fn one_history_an_epoch(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(server) = nodes.get(usize::from(step.changed.0)).and_then(Option::as_ref) else { return Ok(()) };
    let (disk, Some(from)) = (&server.disk, step.log_from) else { return Ok(()) };
    for (id, other) in (0..).map(NodeId).zip(nodes) {
        let Some(other) = other.as_ref().filter(|other| id != step.changed && other.disk.current == disk.current)
        else {
            continue;
        };
        let from: Slot = from.max(server.committed.min(other.committed) + 1);
        for slot in from..=disk.log.last().min(other.disk.log.last()) {
            if let (Some(own), Some(its)) = (disk.log.get(slot), other.disk.log.get(slot))
                && own != its
            {
                return Err(Breach { other: Some(id), slot: Some(slot) });
            }
        }
    }
    Ok(())
}
