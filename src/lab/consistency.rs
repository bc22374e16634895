//! What clients saw, judged once a run is over.

use crate::core::{Micros, NodeSet};
use crate::judge::Violation;
use crate::judge::delivery;
use crate::judge::linearizability::{History, Limits, Model, Verdict, judge};
use crate::universe::Universe;

/// The property's name.
pub const LINEARIZABILITY: &str = "Linearizability";
const SAYS: &str =
    "What clients are told is as if every command took effect at one moment between its request and its answer.";

/// How hard to try: about two seconds at most.
const LIMITS: Limits = Limits { steps: 20_000_000, bytes: 1 << 29 };

/// What came of judging the history of a world's clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// All is well; so many operations.
    Linearizable(u64),
    /// Items of queues came again, as they may; all is well, and so many operations.
    Delivered(u64),
    /// Not known within the limits.
    Undecided(u64),
    /// It is not, as seen when the last answer that matters came.
    Violated(Violation),
}

/// The clients' history, if it is one that a model of linearizability knows. It knows of no item of a queue that comes again.
pub fn history(universe: &dyn Universe) -> Option<History> {
    let repeats = universe.deliveries().is_some_and(|seen| seen.may_repeat());
    universe.history().filter(|_| !repeats)
}

/// Judges the clients' history; `None` if there is none, because nobody listened or there is no model of what clients did.
pub fn judge_clients(universe: &dyn Universe) -> Option<Consistency> {
    let violated = |property, says, at| {
        let (nodes, slot, event) = (NodeSet::EMPTY, None, universe.events());
        Some(Consistency::Violated(Violation { property, says, nodes, slot, event, at }))
    };
    let deliveries = universe.deliveries();
    if let Some(at) = deliveries.as_ref().and_then(|seen| seen.flaw()) {
        return violated(delivery::DELIVERY, delivery::SAYS, at.min(universe.time()));
    }
    let Some(history) = history(universe) else {
        return deliveries.map(|seen| Consistency::Delivered(seen.operations()));
    };
    let operations = history.operations.len() as u64;
    match judge(&history, Model::of(&history), LIMITS).verdict {
        Verdict::Linearizable => Some(Consistency::Linearizable(operations)),
        Verdict::Undecided { .. } => Some(Consistency::Undecided(operations)),
        Verdict::Violated(window) => {
            let answered = window.operations.iter().filter_map(|view| view.operation.answered);
            let at: Micros = answered.map(|moment| moment.time).max().unwrap_or(universe.time());
            violated(LINEARIZABILITY, SAYS, at)
        }
    }
}
