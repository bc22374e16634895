//! Shrinking (test-case reduction): from a scenario that violates a property to a small one that still violates it.
//!
//! The scenario's script is reduced by delta debugging (Zeller and Hildebrandt, *Simplifying and Isolating Failure-Inducing Input*, 2002),
//! and every other field by [reductions] towards its default. A reduction is kept if the run still violates the same property.
//! Every reduction makes the document smaller or plainer, so shrinking terminates; it is also bounded by a budget of runs and
//! one of events.
//!
//! A removed field changes all random draws after it, so once no reduction works with the scenario's own seed, reductions are tried with
//! a few other seeds as well.

mod reductions;

use super::document::{Fault, Problems, Scenario};
use super::fuzz::violation;
use crate::core::Micros;
use crate::judge::Violation;
use crate::judge::liveness::PROPERTIES;

/// Default budget of runs.
pub const BUDGET: u64 = 50_000;

/// Most events in all runs together: a minute or two. A run that does not come to its end has a million.
const MOST_EVENTS: u64 = 300_000_000;

/// Seeds that are tried besides the scenario's own.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;

/// The result of shrinking.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The small scenario.
    pub scenario: Scenario,
    /// The violation in its run.
    pub violation: Violation,
    /// Number of runs.
    pub runs: u64,
    /// It ended before no reduction worked any more: a budget was used up, or it was stopped.
    pub cut_short: bool,
}

/// Shrinks a scenario within a budget of runs. `Ok(None)`: its run violates no property (or not `property`, if one is named). `watch` is called
/// with the number of runs so far, and says whether to go on. Errors: the problems of the scenario.
pub fn shrink(
    scenario: &Scenario,
    property: Option<&str>,
    budget: u64,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<Shrunk>, Problems> {
    let (Some(violation), events) = violation(scenario, property)? else { return Ok(None) };
    let mut shrinker = Shrinker {
        best: scenario.clone(),
        violation,
        runs: 1,
        events,
        budget,
        stopped: false,
        other_seeds: false,
        watch,
    };
    shrinker.shrink();
    let cut_short = shrinker.is_spent();
    let Shrinker { best: mut scenario, violation, runs, .. } = shrinker;
    scenario.title = format!("{} is violated", violation.property);
    scenario.about = format!("{} Found by fuzzing, and shrunk.", violation.says);
    Ok(Some(Shrunk { scenario, violation, runs, cut_short }))
}

struct Shrinker<'a> {
    best: Scenario,
    violation: Violation,
    runs: u64,
    /// Events in all of them.
    events: u64,
    budget: u64,
    /// Whoever watches has had enough.
    stopped: bool,
    other_seeds: bool,
    watch: &'a mut dyn FnMut(u64) -> bool,
}

impl Shrinker<'_> {
    /// Whether it is to end with what it has.
    fn is_spent(&self) -> bool {
        self.stopped || self.runs >= self.budget || self.events >= MOST_EVENTS
    }

    fn shrink(&mut self) {
        for other_seeds in [false, true] {
            self.other_seeds = other_seeds;
            loop {
                let before = self.best.clone();
                self.end_before_due();
                self.shorten_script();
                for reduction in
                    if self.about_recovery() { reductions::KEEPING_RECOVERY_BOUND } else { reductions::ALL }
                {
                    self.reduce(*reduction);
                    self.end_before_due();
                }
                if self.best == before || self.is_spent() {
                    break;
                }
            }
        }
    }

    /// Whether the property is liveness after faults. Then the actions that end the faults must stay, and so must everything that the
    /// bound was derived from.
    fn about_recovery(&self) -> bool {
        PROPERTIES.contains(&self.violation.property)
    }

    /// The number of script entries that may be removed.
    fn removable(&self) -> usize {
        let healed =
            self.best.recovery.as_ref().filter(|_| self.about_recovery()).map(|recovery| recovery.from.micros());
        let before =
            |fault: &&Fault| !matches!((healed.as_ref(), fault.at.micros()), (Some(Ok(from)), Ok(at)) if at >= *from);
        self.best.script.iter().take_while(before).count()
    }

    /// Keeps `candidate` if its run violates the same property; returns whether it does.
    fn attempt(&mut self, candidate: Scenario) -> bool {
        if candidate == self.best || candidate.check().is_err() {
            return false;
        }
        let own = candidate.seed;
        // A change of the seed alone is not retried with other seeds, or shrinking would not terminate.
        let same_but_for_seed = Scenario { seed: self.best.seed, ..candidate.clone() } == self.best;
        let others = SEEDS.filter(|_| self.other_seeds && !same_but_for_seed).map(Some).filter(|seed| *seed != own);
        for seed in std::iter::once(own).chain(others) {
            if self.is_spent() {
                return false;
            }
            self.runs += 1;
            self.stopped = !(self.watch)(self.runs);
            let candidate = Scenario { seed, ..candidate.clone() };
            let Ok((found, events)) = violation(&candidate, Some(self.violation.property)) else { continue };
            self.events += events;
            if let Some(violation) = found {
                self.violation = violation;
                self.best = candidate;
                return true;
            }
        }
        false
    }

    /// Ends the run at the violation and removes everything after it.
    fn end_before_due(&mut self) {
        if self.about_recovery() {
            return;
        }
        let at = self.violation.at;
        let mut shorter = self.best.clone();
        shorter.script.retain(|fault| fault.at.micros().is_ok_and(|time| time <= at));
        shorter.clients.retain(|group| reductions::micros(&group.start) <= at);
        let duration = Some(super::Quantity::from_micros(round_up(at)));
        self.attempt(Scenario { duration, recovery: None, ..shorter.clone() });
        if shorter.script.len() < self.best.script.len() || shorter.clients.len() < self.best.clients.len() {
            self.attempt(shorter);
        }
    }

    /// Removes half of the script, a quarter, and so on down to single entries (delta debugging).
    fn shorten_script(&mut self) {
        let mut size = self.removable().div_ceil(2);
        while size > 0 {
            // From the end, because later entries depend on earlier ones.
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

    /// Applies one kind of reduction until none of its candidates works.
    fn reduce(&mut self, candidates: fn(&Scenario) -> Vec<Scenario>) {
        // After a success the candidates are generated anew; failed ones are tried again only in the next round.
        loop {
            let mut changed = false;
            let mut place = 0;
            while let Some(candidate) = candidates(&self.best).into_iter().nth(place) {
                if self.attempt(candidate) {
                    changed = true;
                } else {
                    place += 1;
                }
            }
            if !changed || self.is_spent() {
                return;
            }
        }
    }
}

/// Rounds up to whole milliseconds, except times below one.
fn round_up(time: Micros) -> Micros {
    if time < 1_000 { time.max(1) } else { time.div_ceil(1_000) * 1_000 }
}
