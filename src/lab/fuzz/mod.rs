//! Fuzzing: random scenarios with random fault injection, one for each seed, with all checkers on (swarm testing).
//!
//! A seed generates the cluster, its sites, the protocol's settings, the clients, and *which* kinds of faults occur at all and how often:
//! a run with few kinds of faults goes deeper than one in which everything fails a little (Groce et al., *Swarm Testing*, ISSTA 2012).
//! First comes the **fault phase**, in which faults are injected and only safety is checked. Then faults end for a **healthy core** of
//! nodes, of the least size that must make progress or larger; the others stay down or partitioned. From then on liveness is checked:
//! clients must be answered and members must catch up within a stated bound (as in TigerBeetle's simulator). At the end the clients'
//! history must be linearizable.
//!
//! Only faults that leave the protocol correct are injected: no clock drifts beyond what leases allow for, no disk loses writes, no node is
//! Byzantine. With [`FuzzRequest::beyond_model`] such faults are injected as well; violations in runs that left the model are counted apart.
//!
//! What a seed generates is an ordinary [scenario](Scenario). Faults are chosen while the simulation runs, because they should depend on
//! its state (on who leads, for one), and are written into the scenario's script; running that scenario gives the same run.

mod fault_kinds;
mod fault_phase;
mod fuzz_run;
mod generate;
mod report;
mod workload;

pub use fault_kinds::fault_kinds;
pub use fuzz_run::{FuzzRun, violation};
pub use report::{ENOUGH, Failure, Report};

use super::Problems;
use super::document::problem::ProblemCollector;
use super::document::scenario::{Scenario, Site, Value};
use super::run::MEMORY;
use crate::universe::Variant;
use fault_kinds::possible;
use std::collections::BTreeMap;

/// What to fuzz, as requested.
#[derive(Clone, Debug, Default)]
pub struct FuzzRequest {
    /// The variant's key.
    pub variant: String,
    /// Keys of the rules to take away.
    pub without: Vec<String>,
    /// Settings of every seed; the others are generated.
    pub settings: BTreeMap<String, Value>,
    /// The kinds of faults that may be injected; all kinds if empty.
    pub only: Vec<String>,
    /// Faults that the protocol does not promise to tolerate may be injected as well. Violations in such runs are counted, and are no failures.
    pub beyond_model: bool,
}

/// A checked fuzz request: generates and runs the scenario of any seed.
#[derive(Clone, Debug)]
pub struct Fuzzer {
    variant: &'static Variant,
    request: FuzzRequest,
    /// What each run may take, bytes.
    memory: u64,
}

impl FuzzRequest {
    /// Checks the request. Errors: all problems in it.
    pub fn check(self) -> Result<Fuzzer, Problems> {
        // Some settings fit certain cluster sizes only; seeds generate all sizes.
        let fits = |replicas: &u8| self.with_replicas(*replicas).check();
        let checked = generate::SIZES.iter().map(fits).find(Result::is_ok).unwrap_or_else(|| fits(&generate::SIZES[0]));
        let mut problems = ProblemCollector::default();
        for (i, name) in self.only.iter().enumerate() {
            if !fault_kinds().any(|known| known == name) {
                problems.unknown(format!("only[{i}]"), name, "kinds of faults", fault_kinds());
            }
        }
        let variant = problems.into_result(Some(checked?.variant))?;
        let mut problems = ProblemCollector::default();
        let can = |name: &String, beyond_model| possible(variant.card, beyond_model).any(|possible| possible == name);
        for (i, name) in self.only.iter().enumerate().filter(|(_, name)| !can(name, self.beyond_model)) {
            let title = variant.card.title;
            let says = match can(name, true) {
                true => format!("{title} does not promise to tolerate that; it is injected with beyond_model only"),
                false => format!("{title} has nothing of that kind, or assumes that it does not happen"),
            };
            problems.add(format!("only[{i}]"), name, says);
        }
        problems.into_result(Some(()))?;
        Ok(Fuzzer { variant, request: self, memory: MEMORY })
    }

    fn with_replicas(&self, replicas: u8) -> Scenario {
        let site = Site { id: "here".to_owned(), ..Site::default() };
        Scenario {
            variant: self.variant.clone(),
            settings: self.settings.clone(),
            without: self.without.clone(),
            replicas: vec![site.id.clone(); usize::from(replicas)],
            sites: vec![site],
            rtt_ms: vec![vec![1.0]],
            ..Scenario::default()
        }
    }
}

impl Fuzzer {
    /// The protocol.
    pub fn variant(&self) -> &'static Variant {
        self.variant
    }

    /// Gives each run so many bytes of memory; one that takes more ends, and is counted apart.
    pub fn limit_memory(&mut self, bytes: u64) {
        self.memory = bytes;
    }

    /// The request.
    pub fn request(&self) -> &FuzzRequest {
        &self.request
    }

    /// The kinds of faults that seeds can inject.
    pub fn fault_kinds(&self) -> impl Iterator<Item = &'static str> {
        possible(self.variant.card, self.request.beyond_model)
    }

    /// Generates and runs the scenario of `seed`.
    pub fn run(&self, seed: u64) -> FuzzRun {
        fuzz_run::run(self, seed)
    }

    /// An empty report.
    pub fn report(&self) -> Report {
        Report::new(self)
    }
}
