//! The run of one seed: the generated scenario and its result.

use super::Fuzzer;
use super::fault_phase::{FaultPhase, PropertyViolated, is_endless};
use super::generate::{self, Draft};
use crate::core::{NodeSet, RuleSet};
use crate::judge::{Finding, PropertyFinding, Violation};
use crate::lab::Fault;
use crate::lab::document::problem::Problems;
use crate::lab::document::scenario::Scenario;
use crate::lab::run::MEMORY;
use crate::lab::run::consistency::{Consistency, judge_clients};
use crate::lab::run::session::{Stopped, Watch};
use crate::sim::rng::Rng;
use crate::universe::Universe;

/// The result of one seed.
#[derive(Clone, Debug)]
pub struct FuzzRun {
    /// The generated scenario with its script; running it gives the same run.
    pub scenario: Scenario,
    /// It took more memory than there was for it, and ended before its time.
    pub too_large: bool,
    /// The first violated property.
    pub violation: Option<Violation>,
    /// What came of checking each property.
    pub findings: Vec<PropertyFinding>,
    /// Faults outside the protocol's model were injected.
    pub beyond: bool,
    /// The rules applied at least once.
    pub rules: RuleSet,
    /// Faults injected, by kind in the order of [`fault_kinds`](super::fault_kinds()).
    pub injections: Vec<u64>,
    /// Events.
    pub events: u64,
    /// Simulated time, µs.
    pub time: u64,
    /// Commands answered.
    pub answered: u64,
    /// Number of leadership intervals.
    pub leadership_intervals: u64,
    /// Operations of histories judged linearizable, or to keep the guarantees of a queue.
    pub judged: u64,
    /// Operations of histories left undecided.
    pub undecided: u64,
    /// Hash of all events.
    pub fingerprint: u64,
}

/// Generates and runs the scenario of `seed`.
pub(super) fn run(fuzzer: &Fuzzer, seed: u64) -> FuzzRun {
    let mut rng = Rng::stream(seed, "swarm", 0);
    let draft = generate::generate(fuzzer, seed, &mut rng);
    let checked = draft.scenario.check().expect("generated scenarios are valid");
    let mut universe = checked.boot().expect("it was booted to be checked");
    universe.record_history();
    let mut fault_phase = FaultPhase::new(universe, &checked, &draft, fuzzer.request(), fuzzer.memory, rng);
    let done = fault_phase.run_faults(&draft).and_then(|()| {
        fault_phase.heal(&draft);
        fault_phase.run_until(checked.duration)
    });
    let Draft { mut scenario, .. } = draft;
    let ids: Vec<&str> = checked.places.iter().map(|place| place.id.as_str()).collect();
    scenario.script =
        fault_phase.script.iter().map(|timed| Fault::new(timed.at, timed.action, checked.names(&ids))).collect();
    let universe = &*fault_phase.universe;
    let (mut judged, mut undecided) = (0, 0);
    let mut findings = universe.findings();
    let violation = match done {
        Err(PropertyViolated) => violations_so_far(universe).next(),
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
            // Not promised, so no violation.
            Some(Consistency::NotPromised(Violation { property, says, .. })) => {
                findings.push(PropertyFinding { property, says, finding: Finding::NotPromised });
                None
            }
            None => None,
        },
    };
    FuzzRun {
        too_large: fault_phase.too_large,
        violation,
        findings,
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

/// The first violation in a scenario's run, of `property` only if one is named, and how many events it took to find out. The run ends there. Errors: the
/// problems of the scenario.
pub fn violation(scenario: &Scenario, property: Option<&str>) -> Result<(Option<Violation>, u64), Problems> {
    let checked = scenario.check()?;
    let mut universe = checked.boot()?;
    universe.record_history();
    let wanted = |violation: &Violation| property.is_none_or(|name| name == violation.property);
    let (mut seen, mut watch) = (0, Watch::new(MEMORY));
    while universe.step_until(checked.duration) && !is_endless(&*universe) {
        if let Some(Stopped::TooLarge { .. }) = watch.look(&*universe) {
            break;
        }
        if universe.violations().len() > seen {
            seen = universe.violations().len();
            if let Some(violation) = violations_so_far(&*universe).find(wanted) {
                return Ok((Some(violation), universe.events()));
            }
        }
    }
    let clients = match judge_clients(&*universe) {
        Some(Consistency::Violated(violation)) => Some(violation),
        _ => None,
    };
    Ok((violations_so_far(&*universe).chain(clients).find(wanted), universe.events()))
}

/// The violations up to now. A run of too many events violates "Ending".
fn violations_so_far(universe: &dyn Universe) -> impl Iterator<Item = Violation> {
    let (event, at) = (universe.events(), universe.time());
    let endless = Violation { property: "Ending", says: ENDING, nodes: NodeSet::EMPTY, slot: None, lane: 0, event, at };
    universe.violations().iter().cloned().chain(is_endless(universe).then_some(endless))
}

const ENDING: &str = "A run of some seconds takes no more than some million events, apart from those of heartbeats.";
