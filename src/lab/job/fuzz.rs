//! Fuzzing as a job: random runs until one violates a property, and that run, shrunk.

use super::{Fuzzed, News, Subject, ViolatingRun, Work};
use crate::judge::Violation;
use crate::lab::document::link;
use crate::lab::document::recorded_run::MomentText;
use crate::lab::fuzz::{FuzzRequest, Fuzzer, Report};
use crate::lab::session::MEMORY;
use crate::lab::{Document, Quantity, Scenario, shrink};

/// Most runs to shrink one.
const RUNS: u64 = 5_000;

struct Fuzzing {
    fuzzer: Fuzzer,
    report: Report,
    seeds: (u64, u64),
    next: u64,
    /// The scenario to shrink, and the property it violates.
    found: Option<(Scenario, &'static str)>,
}

/// Begins to fuzz. Errors: all that is wrong with what is asked.
pub(super) fn begin(of: &Subject, seeds: (u64, u64)) -> Result<Box<dyn Work>, String> {
    if seeds.0 >= seeds.1 {
        return Err(format!(
            "seeds: {}..{} has none; the second must be the greater, such as 0..1000",
            seeds.0, seeds.1
        ));
    }
    let request = FuzzRequest {
        variant: of.variant.clone(),
        without: of.without.clone(),
        settings: of.settings.clone(),
        ..FuzzRequest::default()
    };
    let mut fuzzer = request.check().map_err(|problems| problems.to_string())?;
    fuzzer.limit_memory(MEMORY);
    let report = fuzzer.report();
    Ok(Box::new(Fuzzing { fuzzer, report, seeds, next: seeds.0, found: None }))
}

impl Work for Fuzzing {
    fn advance(&mut self, tell: &mut dyn FnMut(News)) {
        if let Some((scenario, property)) = self.found.take() {
            let mut progress = |runs| {
                tell(News::Progress(runs, RUNS));
                true
            };
            // It was violated a moment ago, and is again.
            if let Ok(Some(shrunk)) = shrink::shrink(&scenario, Some(property), RUNS, &mut progress) {
                tell(News::Violated(run(shrunk.scenario, &shrunk.violation, true)));
            }
            return tell(News::Done);
        }
        let seed = self.next;
        self.next += 1;
        let done = self.fuzzer.run(seed);
        self.report.add(seed, &done);
        tell(News::Progress(self.next - self.seeds.0, self.extent()));
        if done.violation.is_none() && self.next < self.seeds.1 {
            return;
        }
        tell(News::Fuzzed(self.fuzzed()));
        let Some(violation) = done.violation else { return tell(News::Done) };
        tell(News::Violated(run(done.scenario.clone(), &violation, false)));
        self.found = Some((done.scenario, violation.property));
    }

    fn extent(&self) -> u64 {
        self.seeds.1 - self.seeds.0
    }
}

impl Fuzzing {
    fn fuzzed(&self) -> Fuzzed {
        Fuzzed {
            runs: self.report.runs,
            events: self.report.events,
            faults: self
                .report
                .fault_kinds
                .iter()
                .filter(|(_, n)| **n > 0)
                .map(|(kind, n)| (kind.clone(), *n))
                .collect(),
        }
    }
}

/// A run that violates a property, as it is told.
fn run(mut scenario: Scenario, violation: &Violation, shrunk: bool) -> ViolatingRun {
    scenario.title = format!("{} is violated", violation.property);
    let faults = scenario.script.len();
    let moment = MomentText { event: violation.event, interventions: 0, at: Quantity::from_micros(violation.at) };
    ViolatingRun {
        document: link::written(&Document { scenario, moment: Some(moment), ..Document::default() }),
        property: violation.property.to_owned(),
        says: violation.says.to_owned(),
        at: violation.at,
        event: violation.event,
        faults,
        shrunk,
    }
}
