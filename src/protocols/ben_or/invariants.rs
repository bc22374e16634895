//! What holds of all nodes together after every event: the two claims that agreement rests on, and validity.

use super::*;

/// All of them.
pub(super) const ALL: &[Invariant<Server>] = &[
    Invariant {
        name: "One value a round (claim 1)",
        says: "No two nodes send echo2 of different values in one round.",
        holds: one_value_a_round,
    },
    Invariant {
        name: "Decided stays decided (claim 2)",
        says: "If a node decides a value in some round, every node that goes further begins the next round with that value.",
        holds: decided_stays_decided,
    },
    Invariant {
        name: "Validity",
        says: "While every node is up and all inputs are the same, nobody has another value.",
        holds: validity,
    },
];

/// The node that changed, and each of the others that are up.
fn pairs(nodes: &[Option<Server>], step: Step) -> impl Iterator<Item = (&Server, &Server)> {
    let changed = nodes.get(usize::from(step.changed.0)).and_then(Option::as_ref).filter(|_| step.log_from.is_some());
    changed.into_iter().flat_map(|server| nodes.iter().flatten().map(move |other| (server, other)))
}

fn one_value_a_round(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    for (server, other) in pairs(nodes, step) {
        let both = server.disk.rounds.iter().zip(&other.disk.rounds);
        let values = both.filter_map(|(own, its)| Some((own.echo2??, its.echo2??)));
        if values.into_iter().any(|(own, its)| own != its) {
            return Err(Breach { other: Some(other.me), slot: None });
        }
    }
    Ok(())
}

fn decided_stays_decided(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let leaves = |decided: &Server, other: &Server| match decided.disk.decided {
        Some((value, round)) if round > 0 => other.sent(round + 1).is_some_and(|sent| sent.echo1 != value),
        _ => false,
    };
    match pairs(nodes, step).find(|(server, other)| leaves(server, other) || leaves(other, server)) {
        Some((_, other)) => Err(Breach { other: Some(other.me), slot: Some(1) }),
        None => Ok(()),
    }
}

fn validity(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(Some(server)) = nodes.get(usize::from(step.changed.0)) else { return Ok(()) };
    let input = |node: &Option<Server>| node.as_ref().map(|node| node.disk.rounds.first().map(|sent| sent.echo1));
    let Some(Some(own)) = nodes.iter().find_map(|node| input(node).filter(Option::is_some)) else { return Ok(()) };
    let same = nodes.iter().all(|node| input(node).is_some_and(|input| input.is_none_or(|input| input == own)));
    let other =
        server.value().is_some_and(|value| value != own) || server.disk.decided.is_some_and(|(value, _)| value != own);
    match same && other {
        true => Err(Breach { other: None, slot: Some(1) }),
        false => Ok(()),
    }
}
