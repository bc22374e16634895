//! A run of a lesson, up to where it stops.

use super::form::Lesson;
use crate::core::Micros;
use crate::judge::linearizability::{Limits, Model, Verdict, judge};
use crate::lab::{Checked, Problem, Quantity, Scenario, Session};
use crate::sim::Counts;
use crate::universe::Universe;
use std::cell::OnceCell;

/// Most events of a lesson's run.
pub const MOST_EVENTS: u64 = 2_000_000;
/// Limits of the search for a linearization: some tenths of a second.
const LIMITS: Limits = Limits { steps: 3_000_000, bytes: 1 << 26 };

/// Where a run stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At a time, µs.
    At(Micros),
    /// The first time that a command is chosen.
    Chosen,
    /// The first time that two nodes take themselves for leaders.
    TwoLeaders,
    /// The first time that nobody leads any more.
    NoLeader,
    /// The first time that a property is violated.
    Violation,
}

/// Moments by name.
const MOMENTS: [(&str, Stop); 4] = [
    ("chosen", Stop::Chosen),
    ("two-leaders", Stop::TwoLeaders),
    ("no-leader", Stop::NoLeader),
    ("violation", Stop::Violation),
];

impl Stop {
    /// Reads where a run stops. Errors: what would do.
    pub(super) fn read(text: &str, duration: Micros) -> Result<Stop, String> {
        if let Some((_, stop)) = MOMENTS.iter().find(|(name, _)| *name == text) {
            return Ok(*stop);
        }
        let names = MOMENTS.map(|(name, _)| name).join(", ");
        match Quantity::from(text).micros() {
            Ok(at) if (1..=duration).contains(&at) => Ok(Stop::At(at)),
            Ok(_) => Err(format!("a time up to the run's duration, {}, would do", Quantity::from_micros(duration))),
            Err(_) => Err(format!("a time such as \"9s\", or one of the moments {names} would do")),
        }
    }

    fn is_reached(self, universe: &dyn Universe) -> bool {
        match self {
            Stop::At(_) => false,
            Stop::Chosen => universe.chosen() > 0,
            Stop::TwoLeaders => leaders(universe) > 1,
            Stop::NoLeader => universe.led() > 0 && universe.leader().is_none(),
            Stop::Violation => !universe.violations().is_empty() || !universe.not_promised().is_empty(),
        }
    }
}

/// How many running nodes take themselves for the leader.
pub(super) fn leaders(universe: &dyn Universe) -> usize {
    let nodes = (0..universe.nodes()).map(|id| universe.node(crate::core::NodeId(id)));
    nodes.filter(|node| node.paused.is_none() && node.status.is_some_and(|status| status.leads)).count()
}

/// A run, as far as it has come.
pub struct Played {
    session: Session,
    stop: Stop,
    /// Counters at the end of the warm-up, and whether it has ended.
    before: Counts,
    warm: bool,
    over: bool,
    linearizable: OnceCell<Option<bool>>,
}

impl std::fmt::Debug for Played {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Played").field("session", &self.session).field("stop", &self.stop).finish_non_exhaustive()
    }
}

impl Played {
    /// Starts the run. Errors: settings that contradict each other.
    pub fn new(scenario: Scenario, checked: Checked, stop: Stop) -> Result<Played, Problem> {
        let session = Session::of(scenario, checked)?.recorded();
        let before = session.universe().counts().clone();
        Ok(Played { session, stop, before, warm: false, over: false, linearizable: OnceCell::new() })
    }

    /// Goes on for about so many events. True: it has come to where it stops. Errors: it takes too long for a lesson.
    pub fn advance(&mut self, events: u64) -> Result<bool, Problem> {
        let until = self.session.universe().events().saturating_add(events);
        while !self.over && self.session.universe().events() < until {
            let (duration, warmup) = (self.session.checked().duration, self.session.checked().warmup);
            let end = if let Stop::At(at) = self.stop { at } else { duration };
            if !self.warm && self.session.universe().time() >= warmup {
                self.warm = true;
                self.before = self.session.universe().counts().clone();
            }
            let limit = if self.warm { end } else { warmup.min(end) };
            let at_once = if matches!(self.stop, Stop::At(_)) { until - self.session.universe().events() } else { 1 };
            let happened = self.session.run_until(limit, at_once);
            self.over = happened < at_once && limit == end || self.stop.is_reached(self.session.universe());
            if self.session.stopped().is_some() || self.session.universe().events() > MOST_EVENTS {
                let says = format!("takes too long for a lesson: {MOST_EVENTS} events are the most");
                return Err(Problem { field: "stop".to_owned(), value: String::new(), says });
            }
        }
        Ok(self.over)
    }

    /// Goes on to where it stops.
    pub fn to_stop(mut self) -> Result<Played, Problem> {
        while !self.advance(MOST_EVENTS)? {}
        Ok(self)
    }

    /// The simulation.
    pub fn universe(&self) -> &dyn Universe {
        self.session.universe()
    }

    /// The scenario in the simulator's terms.
    pub fn checked(&self) -> &Checked {
        self.session.checked()
    }

    /// The run, at the present moment.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Counters at the end of the warm-up.
    pub(super) fn before(&self) -> &Counts {
        &self.before
    }

    /// Whether what clients were told is linearizable. `None`: there is nothing to judge, or it is not known within the limits.
    pub(super) fn is_linearizable(&self) -> Option<bool> {
        *self.linearizable.get_or_init(|| {
            let history = self.universe().history()?;
            match judge(&history, Model::of(&history), LIMITS).verdict {
                Verdict::Linearizable => Some(true),
                Verdict::Violated(_) => Some(false),
                Verdict::Undecided { .. } => None,
            }
        })
    }
}

impl Lesson {
    /// The title of one of its runs.
    pub(super) fn run_title(&self, name: &str) -> String {
        format!("{}: {name}", self.title)
    }
}
