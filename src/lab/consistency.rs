//! What clients saw, judged once a run is over.

use crate::core::{Micros, NodeSet};
use crate::judge::Violation;
use crate::judge::linearizability::{Limits, Model, Verdict, judge};
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
    /// Not known within the limits.
    Undecided(u64),
    /// It is not, as seen when the last answer that matters came.
    Violated(Violation),
}

/// Judges the clients' history; `None` if there is none, because nobody listened or no command was one of a register.
pub fn judge_clients(universe: &dyn Universe) -> Option<Consistency> {
    let history = universe.history()?;
    let operations = history.operations.len() as u64;
    Some(match judge(&history, Model::of(&history), LIMITS).verdict {
        Verdict::Linearizable => Consistency::Linearizable(operations),
        Verdict::Undecided { .. } => Consistency::Undecided(operations),
        Verdict::Violated(window) => {
            let answered = window.operations.iter().filter_map(|shown| shown.operation.answered);
            let at: Micros = answered.map(|moment| moment.time).max().unwrap_or(universe.time());
            let (nodes, slot, event) = (NodeSet::EMPTY, None, universe.events());
            Consistency::Violated(Violation { property: LINEARIZABILITY, says: SAYS, nodes, slot, event, at })
        }
    })
}
