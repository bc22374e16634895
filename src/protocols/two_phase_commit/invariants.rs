//! What holds of all nodes together after every event: atomic commitment, and that locks keep copies the same.

use super::*;

/// All of them.
pub(super) const ALL: &[Invariant<Server>] = &[
    Invariant {
        name: "One decision (AC1)",
        says: "No node has committed a transaction that another has aborted.",
        holds: one_decision,
    },
    Invariant {
        name: "Commit needs every yes (AC3)",
        says: "A transaction that any node has committed, every other node has committed or is prepared to commit.",
        holds: every_yes,
    },
    Invariant {
        name: "Same transactions, same data",
        says: "Nodes that have executed the same transactions hold the same data.",
        holds: same_data,
    },
];

/// The transactions of which a step may have changed what a node says: those in its log from a place on, those not forced yet, and after a restart
/// all that anybody knows of.
fn changed(nodes: &[Option<Server>], step: Step) -> impl Iterator<Item = (Slot, &Server)> {
    let server = nodes.get(usize::from(step.changed.0)).and_then(Option::as_ref);
    let last = nodes.iter().flatten().map(|node| node.disk.log.last()).max().unwrap_or(0);
    server.into_iter().flat_map(move |server| {
        let last = if step.log_from == Some(1) { last } else { server.disk.log.last() };
        let first = step.log_from.unwrap_or(Slot::MAX).max(server.disk.log.first());
        (first..=last).chain(server.unforced.iter().map(|(at, _)| *at)).map(move |at| (at, server))
    })
}

/// The other nodes that run.
fn beside<'a>(nodes: &'a [Option<Server>], server: &'a Server) -> impl Iterator<Item = &'a Server> {
    nodes.iter().flatten().filter(|other| other.me != server.me)
}

fn one_decision(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    for (at, server) in changed(nodes, step) {
        let Some(commit) = server.record(at).decision() else { continue };
        if let Some(other) = beside(nodes, server).find(|other| other.record(at).decision() == Some(!commit)) {
            return Err(Breach { other: Some(other.me), slot: Some(at) });
        }
    }
    Ok(())
}

fn every_yes(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let committed = |node: &Server, at| node.record(at).decision() == Some(true);
    let willing = |node: &Server, at| {
        committed(node, at) || matches!(node.record(at), Record::Prepared(_)) || node.is_forgotten(at)
    };
    for (at, server) in changed(nodes, step) {
        let against = |other: &&Server| {
            committed(server, at) && !willing(other, at) || committed(other, at) && !willing(server, at)
        };
        if let Some(other) = beside(nodes, server).find(against) {
            return Err(Breach { other: Some(other.me), slot: Some(at) });
        }
    }
    Ok(())
}

fn same_data(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(Some(server)) = nodes.get(usize::from(step.changed.0)) else { return Ok(()) };
    if step.log_from.is_none() {
        return Ok(());
    }
    let disk = &server.disk;
    let differs = |other: &&Server| other.disk.executed == disk.executed && other.disk.data != disk.data;
    match beside(nodes, server).find(differs) {
        Some(other) => Err(Breach { other: Some(other.me), slot: None }),
        None => Ok(()),
    }
}
