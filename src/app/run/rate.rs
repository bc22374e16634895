//! Messages for each command of the run on screen, over its latest commands.

use quorumscope::core::Phase;
use quorumscope::universe::Universe;
use std::collections::VecDeque;

/// Commands that an average is taken of, at least; at the start, fewer will do, but not too few.
const WINDOW: u64 = 24;
const FEWEST: u64 = 6;

/// Counters at one moment.
#[derive(Clone, Debug)]
struct Mark {
    events: u64,
    answered: u64,
    by_kind: Vec<u64>,
}

/// Counters at some earlier moments, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    marks: VecDeque<Mark>,
    latest: Option<PerCommand>,
}

/// Messages for one command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerCommand {
    /// By kind, heartbeats left out.
    pub by_kind: Vec<f64>,
}

impl PerCommand {
    /// All kinds together.
    pub fn total(&self) -> f64 {
        self.by_kind.iter().sum()
    }
}

impl Rate {
    /// Looks at the counters, and tells the average over the latest commands, if any was answered.
    pub fn look(&mut self, universe: &dyn Universe) -> Option<PerCommand> {
        let counts = universe.counts();
        let now = Mark { events: universe.events(), answered: counts.answered, by_kind: counts.by_kind() };
        // Whoever went back in time, or runs something else, starts counting again.
        let same_run = |mark: &Mark| mark.events <= now.events && mark.by_kind.len() == now.by_kind.len();
        if !self.marks.back().is_none_or(same_run) {
            *self = Rate::default();
        }
        while self.marks.get(1).is_some_and(|second| now.answered - second.answered >= WINDOW) {
            self.marks.pop_front();
        }
        // Only from answer to answer: in between, the messages of the next command are out already.
        if self.marks.back().is_some_and(|last| last.answered == now.answered) {
            return self.latest.clone();
        }
        self.marks.push_back(now.clone());
        let first = self.marks.front()?;
        let commands = now.answered - first.answered;
        let kinds = universe.variant().kinds;
        let share = |i: usize| match kinds[i].phase {
            Phase::Heartbeat => 0.0,
            _ => (now.by_kind[i] - first.by_kind[i]) as f64 / commands as f64,
        };
        self.latest = (commands >= FEWEST).then(|| PerCommand { by_kind: (0..kinds.len()).map(share).collect() });
        self.latest.clone()
    }
}
