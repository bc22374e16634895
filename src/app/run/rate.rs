//! Messages per command of the run on screen, averaged over its latest commands.

use quorumscope::core::Phase;
use quorumscope::universe::Universe;
use std::collections::VecDeque;

/// Commands averaged over; and the fewest for which an average is given, at the start.
const WINDOW: u64 = 24;
const FEWEST: u64 = 6;

/// Counters at a moment.
#[derive(Clone, Debug)]
struct Mark {
    events: u64,
    answered: u64,
    by_kind: Vec<u64>,
}

/// Counters at earlier moments, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    marks: VecDeque<Mark>,
    latest: Option<PerCommand>,
}

/// Messages per command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerCommand {
    /// By kind, heartbeats left out.
    pub by_kind: Vec<f64>,
}

impl PerCommand {
    /// Sum over all kinds.
    pub fn total(&self) -> f64 {
        self.by_kind.iter().sum()
    }
}

impl Rate {
    /// Reads the counters, and returns the average over the latest commands; `None` while too few were answered.
    pub fn update(&mut self, universe: &dyn Universe) -> Option<PerCommand> {
        let counts = universe.counts();
        let now = Mark { events: universe.events(), answered: counts.answered, by_kind: counts.by_kind() };
        // Going back in time, or another run, starts counting again.
        let same_run = |mark: &Mark| mark.events <= now.events && mark.by_kind.len() == now.by_kind.len();
        if !self.marks.back().is_none_or(same_run) {
            *self = Rate::default();
        }
        while self.marks.get(1).is_some_and(|second| now.answered - second.answered >= WINDOW) {
            self.marks.pop_front();
        }
        // Only from answer to answer: in between, messages of the next command are already counted.
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
