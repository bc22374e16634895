//! Shrinking: from a run that violates a property to a small one that still violates the same property.
//!
//! A run is its scenario, so what is made smaller is the document: the script by delta debugging (Zeller and Hildebrandt, *Simplifying and
//! Isolating Failure-Inducing Input*, 2002), then [everything else](simpler) towards what a scenario has when it says nothing. A change is
//! kept if the run still violates the property; otherwise it is taken back. Every change makes the document smaller or plainer, so it ends;
//! and there is a budget of runs.
//!
//! Taking something away also changes all chance that comes after it. So when no change works any more with the seed at hand, changes
//! are tried with a few other seeds as well.

mod simpler;

use super::fault::Fault;
use super::problem::Problems;
use super::scenario::Scenario;
use super::swarm::violation;
use crate::core::Micros;
use crate::judge::Violation;
use crate::judge::liveness::PROPERTIES;

/// Runs that a shrinking may take, unless told otherwise.
pub const BUDGET: u64 = 50_000;

/// Seeds that are tried besides the one at hand.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;

/// A scenario that violates a property, and what it took to find it.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The small scenario.
    pub scenario: Scenario,
    /// What it violates.
    pub violation: Violation,
    /// Runs it took.
    pub runs: u64,
    /// The budget was used up: it might become smaller still.
    pub cut_short: bool,
}

/// Shrinks a scenario within a budget of runs. `Ok(None)`: its run violates nothing (or not `property`, if one is named). `watch` is told the
/// runs done so far.
pub fn shrink(
    scenario: &Scenario,
    property: Option<&str>,
    budget: u64,
    watch: &mut dyn FnMut(u64),
) -> Result<Option<Shrunk>, Problems> {
    let Some(violation) = violation(scenario, property)? else { return Ok(None) };
    let mut shrinker = Shrinker { best: scenario.clone(), violation, runs: 1, budget, other_seeds: false, watch };
    shrinker.shrink();
    let Shrinker { best: mut scenario, violation, runs, .. } = shrinker;
    scenario.title = format!("{} is broken", violation.property);
    scenario.about = format!("{} Found by chance, and made as small as possible.", violation.says);
    Ok(Some(Shrunk { scenario, violation, runs, cut_short: runs >= budget }))
}

struct Shrinker<'a> {
    best: Scenario,
    violation: Violation,
    runs: u64,
    budget: u64,
    other_seeds: bool,
    watch: &'a mut dyn FnMut(u64),
}

impl Shrinker<'_> {
    fn shrink(&mut self) {
        for other_seeds in [false, true] {
            self.other_seeds = other_seeds;
            loop {
                let before = self.best.clone();
                self.end_before_due();
                self.shorten_script();
                for simpler in if self.about_recovery() { simpler::AS_PROMISED } else { simpler::WAYS } {
                    self.simplify(*simpler);
                    self.end_before_due();
                }
                if self.best == before || self.runs >= self.budget {
                    break;
                }
            }
        }
    }

    /// Whether the property is about a time without faults. Then what makes that time one without faults must stay as it is, and so must all
    /// that the stated bound was derived from.
    fn about_recovery(&self) -> bool {
        PROPERTIES.contains(&self.violation.property)
    }

    /// How many faults may be left out.
    fn removable(&self) -> usize {
        let healed =
            self.best.recovery.as_ref().filter(|_| self.about_recovery()).map(|recovery| recovery.from.micros());
        let before =
            |fault: &&Fault| !matches!((healed.as_ref(), fault.at.micros()), (Some(Ok(from)), Ok(at)) if at >= *from);
        self.best.script.iter().take_while(before).count()
    }

    /// Keeps `candidate` if it violates the same property; tells whether it does.
    fn attempt(&mut self, candidate: Scenario) -> bool {
        if candidate == self.best || candidate.check().is_err() {
            return false;
        }
        let own = candidate.seed;
        // A change of the seed alone is about that seed: with any other, it would be a step to the side, and those never end.
        let same_but_for_seed = Scenario { seed: self.best.seed, ..candidate.clone() } == self.best;
        let others = SEEDS.filter(|_| self.other_seeds && !same_but_for_seed).map(Some).filter(|seed| *seed != own);
        for seed in std::iter::once(own).chain(others) {
            if self.runs >= self.budget {
                return false;
            }
            self.runs += 1;
            (self.watch)(self.runs);
            let candidate = Scenario { seed, ..candidate.clone() };
            if let Ok(Some(violation)) = violation(&candidate, Some(self.violation.property)) {
                self.violation = violation;
                self.best = candidate;
                return true;
            }
        }
        false
    }

    /// Ends the run where the violation is seen, and leaves out all that comes after it.
    fn end_before_due(&mut self) {
        if self.about_recovery() {
            return;
        }
        let at = self.violation.at;
        let mut shorter = self.best.clone();
        shorter.script.retain(|fault| fault.at.micros().is_ok_and(|time| time <= at));
        shorter.clients.retain(|group| simpler::micros(&group.start) <= at);
        let duration = Some(super::Quantity::from_micros(round_up(at)));
        self.attempt(Scenario { duration, recovery: None, ..shorter.clone() });
        if shorter.script.len() < self.best.script.len() || shorter.clients.len() < self.best.clients.len() {
            self.attempt(shorter);
        }
    }

    /// Leaves out half of the script, a quarter, and so on down to single faults.
    fn shorten_script(&mut self) {
        let mut size = self.removable().div_ceil(2);
        while size > 0 {
            // From the end: what comes last depends on what came first, not the other way round.
            let mut end = self.removable();
            while end > 0 {
                let start = end.saturating_sub(size);
                let mut shorter = self.best.clone();
                shorter.script.drain(start..end);
                self.attempt(shorter);
                end = start.min(self.removable());
            }
            size /= 2;
        }
    }

    /// Makes the document plainer in one way, as often as that works.
    fn simplify(&mut self, ways: fn(&Scenario) -> Vec<Scenario>) {
        // A change that worked makes others possible; one that did not is tried again only after all others of its kind.
        loop {
            let mut changed = false;
            let mut place = 0;
            while let Some(candidate) = ways(&self.best).into_iter().nth(place) {
                if self.attempt(candidate) {
                    changed = true;
                } else {
                    place += 1;
                }
            }
            if !changed || self.runs >= self.budget {
                return;
            }
        }
    }
}

/// To whole milliseconds, but for the shortest times.
fn round_up(time: Micros) -> Micros {
    if time < 1_000 { time.max(1) } else { time.div_ceil(1_000) * 1_000 }
}
