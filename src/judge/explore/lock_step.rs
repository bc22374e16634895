//! Synchronous rounds in the explorer: whose turn it is in a state, timers or messages.

use super::local_states::{Action, LocalStates};
use super::outcomes::Outcomes;

/// What may happen next in a state, beside what may always happen (crashes, requests).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Anything: the search is not in lock-step.
    Any,
    /// The timers of the nodes at which so many have fired: the others are a round ahead of them.
    Timers(u16),
    /// Messages: all nodes are in the same round, and not all that was sent in it has arrived.
    Messages,
}

impl Turn {
    /// Whose turn it is where nodes are in these local states.
    ///
    /// A node that is down, or has set no timer any more, is waited for by nobody. What is in flight to a node that is down does not matter.
    pub fn of(row: &[u32], locals: &LocalStates, outcomes: &Outcomes) -> Turn {
        let facts = |&local: &u32| outcomes.facts(locals.host(local));
        let latest = row.iter().map(|local| facts(local).ticks).max().unwrap_or(0);
        let waits = row.iter().filter(|local| facts(local).up && !facts(local).timers.is_empty());
        let earliest = waits.map(|local| facts(local).ticks).min().unwrap_or(latest);
        let arriving = |local: &u32| facts(local).up && locals.in_flight[*local as usize] > 0;
        match earliest == latest && row.iter().any(arriving) {
            true => Turn::Messages,
            false => Turn::Timers(earliest),
        }
    }

    /// Whether an event at a node at which so many timers have fired may be the next.
    pub fn allows(self, action: Action, ticks: u16) -> bool {
        match (self, action) {
            (Turn::Any, _) => true,
            (Turn::Timers(_), Action::Deliver | Action::Duplicate) | (Turn::Messages, Action::Fire) => false,
            (Turn::Timers(earliest), Action::Fire) => ticks == earliest,
            _ => true,
        }
    }
}
