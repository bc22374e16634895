//! Chapters of a run: the moments that matter, found in what has happened. To know those ahead, a copy of the run goes ahead
//! ([`Scout`]).

use crate::core::card::LeaderModel;
use crate::core::{Epoch, Micros, NodeId};
use crate::universe::Universe;

/// A moment that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// When, µs.
    pub at: Micros,
    /// What happens.
    pub what: ChapterKind,
}

/// Types of chapters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChapterKind {
    /// A node begins to lead.
    Leads(NodeId, Epoch),
    /// Nobody leads any more.
    Leaderless,
    /// A property is violated for the first time.
    Violated(&'static str),
    /// The first answer to any client after none for long.
    AnsweredAgain,
}

/// The chapters of a run so far, in order. No answer for longer than `patience`, µs, is an outage.
pub fn chapters(universe: &dyn Universe, patience: Micros) -> Vec<Chapter> {
    let mut found = Vec::new();
    let one_leader = !matches!(universe.variant().card.leader, LeaderModel::None | LeaderModel::PerObject);
    let intervals = universe.leadership_intervals();
    for interval in intervals.iter().filter(|_| one_leader) {
        found.push(Chapter { at: interval.since, what: ChapterKind::Leads(interval.node, interval.epoch) });
        let leads =
            |at: Micros| intervals.iter().any(|other| other.since <= at && other.until.is_none_or(|until| until > at));
        if let Some(until) = interval.until.filter(|until| !leads(*until)) {
            found.push(Chapter { at: until, what: ChapterKind::Leaderless });
        }
    }
    let mut properties: Vec<&str> = Vec::new();
    for violation in universe.violations().iter().chain(universe.not_promised()) {
        if !properties.contains(&violation.property) {
            properties.push(violation.property);
            found.push(Chapter { at: violation.at, what: ChapterKind::Violated(violation.property) });
        }
    }
    let mut answers: Vec<Micros> =
        universe.samples().iter().flat_map(|log| log.iter()).map(|(_, sample)| sample.at).collect();
    answers.sort_unstable();
    let after_outage = answers.windows(2).filter(|pair| pair[1] - pair[0] > patience).map(|pair| pair[1]);
    found.extend(after_outage.map(|at| Chapter { at, what: ChapterKind::AnsweredAgain }));
    found.sort_by_key(|chapter| chapter.at);
    found.dedup();
    found
}

/// A copy of a run that goes ahead of it, to find its chapters.
pub struct Scout {
    universe: Box<dyn Universe>,
    until: Micros,
    patience: Micros,
}

impl Scout {
    /// A scout that goes to `until`, µs.
    pub fn new(universe: &dyn Universe, until: Micros, patience: Micros) -> Scout {
        Scout { universe: universe.fork(), until, patience }
    }

    /// Goes on for about `events` events. True: it is there.
    pub fn advance(&mut self, events: u64) -> bool {
        let stop = self.universe.events() + events;
        while self.universe.events() < stop {
            if !self.universe.step_until(self.until) {
                return true;
            }
        }
        false
    }

    /// What it has found, in order.
    pub fn chapters(&self) -> Vec<Chapter> {
        chapters(&*self.universe, self.patience)
    }
}

impl std::fmt::Debug for Scout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scout at {} of {} µs", self.universe.time(), self.until)
    }
}
