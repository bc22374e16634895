//! Many runs of one scenario, one for each seed: a short report of each, for distributions of latencies, elections and outages.

use super::report::{Latency, LatencySummary, Leader, PropertyReport, ViolationReport};
use super::{Ending, MEMORY, MOST_EVENTS, Run};
use crate::core::Micros;
use crate::judge::liveness;
use crate::lab::{Document, Problem, Problems, Scenario};
use serde::Serialize;
use std::collections::BTreeMap;

/// The report of one seed: one line of `run --seeds`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeedReport {
    /// The seed.
    pub seed: u64,
    /// How the run ended.
    pub ended: Ending,
    /// Simulated time, µs.
    pub time_us: Micros,
    /// Number of events.
    pub events: u64,
    /// Hash of all events, 64 bits in hexadecimal.
    pub fingerprint: String,
    /// Commands answered after the warm-up.
    pub answered: u64,
    /// Commands chosen after the warm-up.
    pub committed: u64,
    /// Commands outstanding at the end.
    pub waiting: u64,
    /// Messages between replicas after the warm-up.
    pub messages: u64,
    /// Messages other than heartbeats per answered command; `null` if none was answered.
    pub messages_per_command: Option<f64>,
    /// Latency over all sites, µs; `null` if no command was answered after the warm-up.
    pub latency_us: Option<LatencySummary>,
    /// Latency by site, µs, for sites with answers.
    pub latency_by_site_us: Vec<Latency>,
    /// The beginnings of leadership intervals, in the whole run.
    pub leaders: Vec<Leader>,
    /// Number of outages, in the whole run.
    pub outages: u64,
    /// Their total length, µs.
    pub outage_us: Micros,
    /// Number of script actions that were impossible when their time came.
    pub refused: u64,
    /// The verdict on the clients' history; `null` if there is none to judge.
    pub history: Option<&'static str>,
    /// What came of checking each safety property, as in [`PropertyReport`](super::report::PropertyReport).
    pub safety: BTreeMap<&'static str, &'static str>,
    /// The same for each liveness property; "not applicable" where the scenario states no bound (`recovery`), and "undecided" where the run was
    /// cut short before the bound was over.
    pub liveness: BTreeMap<&'static str, &'static str>,
    /// Violated properties.
    pub violations: Vec<ViolationReport>,
}

/// The runs of one scenario under different seeds.
#[derive(Clone, Debug)]
pub struct Seeds {
    scenario: Scenario,
    memory: u64,
}

impl Seeds {
    /// Checks the scenario. Errors: its problems; interventions or a moment, as these belong to one seed.
    pub fn new(document: &Document) -> Result<Seeds, Problems> {
        for (field, given) in
            [("interventions", !document.interventions.is_empty()), ("moment", document.moment.is_some())]
        {
            if given {
                return Err(Problems::from(Problem {
                    field: field.to_owned(),
                    value: String::new(),
                    says: "belongs to the run of one seed; a scenario alone would do".to_owned(),
                }));
            }
        }
        document.scenario.check()?;
        Ok(Seeds { scenario: document.scenario.clone(), memory: MEMORY })
    }

    /// Gives each run so many bytes of memory.
    pub fn limit_memory(&mut self, bytes: u64) {
        self.memory = bytes;
    }

    /// Runs one seed to its end. Errors: a seed that is out of bounds.
    pub fn run(&self, seed: u64) -> Result<SeedReport, Problems> {
        let mut run = Run::new(&Document::from(Scenario { seed: Some(seed), ..self.scenario.clone() }))?;
        run.limit_memory(self.memory);
        while !run.advance(MOST_EVENTS)? {}
        Ok(SeedReport::new(&run))
    }
}

impl SeedReport {
    fn new(run: &Run) -> SeedReport {
        let (report, universe) = (run.report(), run.session().universe());
        let checked = run.session().checked();
        let is_liveness = |name: &str| liveness::PROPERTIES.contains(&name);
        let undecided =
            checked.blueprint.recovery.is_some_and(|bound| report.time_us < bound.from.saturating_add(bound.within));
        let (mut safety, mut liveness) = (BTreeMap::new(), BTreeMap::new());
        for PropertyReport { property, finding } in &report.properties {
            match is_liveness(property) {
                true if undecided && *finding != "violated" => liveness.insert(*property, "undecided"),
                true => liveness.insert(*property, *finding),
                false => safety.insert(*property, *finding),
            };
        }
        SeedReport {
            seed: report.seed,
            ended: run.ending(),
            time_us: report.time_us,
            events: report.events,
            answered: report.commands.answered,
            committed: report.commands.committed,
            waiting: report.commands.waiting,
            messages: report.messages.total,
            messages_per_command: report.messages.per_command,
            latency_us: LatencySummary::of_all_sites(universe, checked.warmup),
            latency_by_site_us: report.latency_us,
            leaders: report.leaders,
            outages: report.outages.len() as u64,
            outage_us: report.outages.iter().map(|outage| outage.to_us - outage.from_us).sum(),
            refused: report.refused.len() as u64,
            history: report.history,
            safety,
            liveness,
            violations: report.violations,
            fingerprint: report.fingerprint,
        }
    }
}
