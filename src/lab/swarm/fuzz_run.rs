//! One seed: what it drew, and what came of it.

use super::Swarm;
use super::fault_phase::{Broken, FaultPhase, MOST_EVENTS};
use super::generate::{self, Draft};
use crate::core::{NodeSet, RuleSet};
use crate::judge::Violation;
use crate::lab::Fault;
use crate::lab::consistency::{Consistency, judge_clients};
use crate::lab::problem::Problems;
use crate::lab::scenario::Scenario;
use crate::sim::rng::Rng;
use crate::universe::Universe;

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct FuzzRun {
    /// The scenario it drew, its script included; running it is the same run again.
    pub scenario: Scenario,
    /// What was broken first, if anything was.
    pub violation: Option<Violation>,
    /// It did what the protocol does not promise to survive.
    pub beyond: bool,
    /// The rules applied at least once.
    pub rules: RuleSet,
    /// How often each sort of trouble struck.
    pub injections: Vec<u64>,
    /// Events.
    pub events: u64,
    /// Simulated time, µs.
    pub time: u64,
    /// Commands answered.
    pub answered: u64,
    /// How often somebody began to lead.
    pub leadership_intervals: u64,
    /// Operations judged to be as they must: linearizable, or what a queue promises.
    pub judged: u64,
    /// Operations of a history that was too hard to judge.
    pub undecided: u64,
    /// One number for all that happened.
    pub fingerprint: u64,
}

/// Draws from `seed` and runs.
pub(super) fn run(swarm: &Swarm, seed: u64) -> FuzzRun {
    let mut rng = Rng::stream(seed, "swarm", 0);
    let draft = generate::generate(swarm, seed, &mut rng);
    let checked = draft.scenario.check().expect("only what fits is drawn");
    let mut universe = checked.boot().expect("it was booted to be checked");
    universe.record_history();
    let mut fault_phase = FaultPhase::new(universe, &checked, &draft, swarm.request(), rng);
    let done = fault_phase.fault(&draft).and_then(|()| {
        fault_phase.heal(&draft);
        fault_phase.run_until(checked.duration)
    });
    let Draft { mut scenario, .. } = draft;
    let ids: Vec<&str> = checked.places.iter().map(|place| place.id.as_str()).collect();
    scenario.script =
        fault_phase.script.iter().map(|timed| Fault::new(timed.at, timed.action, checked.names(&ids))).collect();
    let universe = &*fault_phase.universe;
    let (mut judged, mut undecided) = (0, 0);
    let violation = match done {
        Err(Broken) => broken(universe).next(),
        Ok(()) => match judge_clients(universe) {
            Some(Consistency::Violated(violation)) => Some(violation),
            Some(Consistency::Linearizable(operations) | Consistency::Delivered(operations)) => {
                judged = operations;
                None
            }
            Some(Consistency::Undecided(operations)) => {
                undecided = operations;
                None
            }
            None => None,
        },
    };
    FuzzRun {
        violation,
        beyond: fault_phase.beyond,
        rules: universe.rules_used(),
        events: universe.events(),
        time: universe.time(),
        answered: universe.counts().answered,
        leadership_intervals: u64::from(universe.led()),
        judged,
        undecided,
        fingerprint: universe.fingerprint(),
        injections: fault_phase.injections,
        scenario,
    }
}

/// What a scenario's run breaks first, if anything: `property` alone is looked for, if one is named. Ends as soon as it is broken.
pub fn violation(scenario: &Scenario, property: Option<&str>) -> Result<Option<Violation>, Problems> {
    let checked = scenario.check()?;
    let mut universe = checked.boot()?;
    universe.record_history();
    let wanted = |violation: &Violation| property.is_none_or(|name| name == violation.property);
    let mut seen = 0;
    while universe.step_until(checked.duration) && universe.events() < MOST_EVENTS {
        if universe.violations().len() > seen {
            seen = universe.violations().len();
            if let Some(violation) = broken(&*universe).find(wanted) {
                return Ok(Some(violation));
            }
        }
    }
    let clients = match judge_clients(&*universe) {
        Some(Consistency::Violated(violation)) => Some(violation),
        _ => None,
    };
    Ok(broken(&*universe).chain(clients).find(wanted))
}

/// What is broken by now.
fn broken(universe: &dyn Universe) -> impl Iterator<Item = Violation> {
    let (event, at) = (universe.events(), universe.time());
    let endless = Violation { property: "Ending", says: ENDING, nodes: NodeSet::EMPTY, slot: None, event, at };
    universe.violations().iter().cloned().chain((event >= MOST_EVENTS).then_some(endless))
}

const ENDING: &str = "A run of some seconds takes no more than some million events.";
