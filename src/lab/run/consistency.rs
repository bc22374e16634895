//! Consistency verdicts on the clients' history of a run: linearizability, or delivery guarantees of a queue with redelivery.

use crate::core::{Micros, NodeSet, Promises};
use crate::judge::Violation;
use crate::judge::delivery;
use crate::judge::linearizability::{History, Limits, Model, Verdict, judge};
use crate::universe::Universe;

/// The property's name.
pub const LINEARIZABILITY: &str = "Linearizability";
const SAYS: &str =
    "What clients are told is as if every command took effect at one moment between its request and its answer.";

/// Limits of the linearizability search: about two seconds.
const LIMITS: Limits = Limits { steps: 20_000_000, bytes: 1 << 29 };

/// The verdict on the history of a run's clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// Linearizable; the number of operations.
    Linearizable(u64),
    /// A queue with redelivery kept its guarantees; the number of operations.
    Delivered(u64),
    /// Undecided within the limits; the number of operations.
    Undecided(u64),
    /// Violated; the time is that of the last answer that matters.
    Violated(Violation),
    /// It did not hold, which the protocol does not promise either.
    NotPromised(Violation),
}

/// The clients' history, if there is a sequential model for it. There is none for queues with redelivery.
pub fn history(universe: &dyn Universe) -> Option<History> {
    let repeats = universe.deliveries().is_some_and(|deliveries| deliveries.may_redeliver());
    universe.history().filter(|_| !repeats)
}

/// Judges the clients' history; `None` if it was not recorded, or nothing in it can be judged.
pub fn judge_clients(universe: &dyn Universe) -> Option<Consistency> {
    let violated = |property, says, at| {
        let (nodes, slot, event) = (NodeSet::EMPTY, None, universe.events());
        let violation = Violation { property, says, nodes, slot, lane: 0, event, at };
        let promised = universe.promises().has(Promises::LINEARIZABLE);
        Some(if promised { Consistency::Violated(violation) } else { Consistency::NotPromised(violation) })
    };
    let deliveries = universe.deliveries();
    if let Some(at) = deliveries.as_ref().and_then(|deliveries| deliveries.first_violation()) {
        return violated(delivery::DELIVERY, delivery::SAYS, at.min(universe.time()));
    }
    let Some(history) = history(universe) else {
        return deliveries.map(|seen| Consistency::Delivered(seen.operations()));
    };
    let operations = history.operations.len() as u64;
    match judge(&history, Model::of(&history), LIMITS).verdict {
        Verdict::Linearizable => Some(Consistency::Linearizable(operations)),
        Verdict::Undecided { .. } => Some(Consistency::Undecided(operations)),
        Verdict::Violated(counterexample) => {
            let responses = counterexample.operations.iter().filter_map(|shown| shown.operation.response);
            let at: Micros = responses.map(|moment| moment.time).max().unwrap_or(universe.time());
            violated(LINEARIZABILITY, SAYS, at)
        }
    }
}
