//! Swarm testing: every seed draws a world of its own and a mix of troubles for it, and the judges look at every event.
//!
//! A seed draws the cluster, its places, the protocol's settings, the clients, and *which* sorts of trouble there are at all and how often:
//! a run in which everything fails a little seldom gets anywhere interesting, and a run with only two sorts of trouble goes deep (Groce and
//! others, *Swarm Testing*, ISSTA 2012). First comes a **storm**, in which anything drawn may happen and only safety is asked for. Then
//! the storm ends for a **healthy core**, just large enough or larger; the rest stays down or cut off. From then on clients must be answered
//! and members must catch up within a stated time (as in TigerBeetle's simulator). At the end, what clients saw must be linearizable.
//!
//! Only what leaves the protocol correct is drawn: no clock is off by more than leases allow for, no disk forgets, no node lies. On
//! request ([`FuzzRequest::beyond_model`]) that may happen as well; then a run is judged by what it did. Where it took away what the protocol counts
//! on, whatever breaks is counted apart.
//!
//! What a seed draws is an ordinary [scenario](Scenario): faults are chosen while the run goes on, because trouble is worst where the leader
//! is, and written into its script. Running that scenario is the same run again.

mod fault_kinds;
mod fault_phase;
mod fuzz_run;
mod generate;
mod report;
mod workload;

pub use fault_kinds::fault_kinds;
pub use fuzz_run::{FuzzRun, violation};
pub use report::{ENOUGH, Failure, Report};

use super::problem::Complaints;
use super::scenario::{Scenario, Value};
use super::{Problems, Site};
use crate::universe::Variant;
use fault_kinds::possible;
use std::collections::BTreeMap;

/// What to fuzz, as asked for.
#[derive(Clone, Debug, Default)]
pub struct FuzzRequest {
    /// The variant's key.
    pub variant: String,
    /// Keys of the rules to take away.
    pub without: Vec<String>,
    /// Settings that every seed has; it draws the others.
    pub settings: BTreeMap<String, Value>,
    /// The only sorts of trouble that seeds may draw; all of them if this is empty.
    pub only: Vec<String>,
    /// Seeds may also do what the protocol does not promise to survive. What such a run breaks is counted, and no failure.
    pub beyond_model: bool,
}

/// What every seed has in common.
#[derive(Clone, Debug)]
pub struct Swarm {
    variant: &'static Variant,
    request: FuzzRequest,
}

impl FuzzRequest {
    /// What to fuzz, or all that is wrong with the wish.
    pub fn check(self) -> Result<Swarm, Problems> {
        // Some settings fit certain cluster sizes only; the seeds draw from all of them.
        let fits = |replicas: &u8| self.with_replicas(*replicas).check();
        let checked = generate::SIZES.iter().map(fits).find(Result::is_ok).unwrap_or_else(|| fits(&generate::SIZES[0]));
        let mut wrong = Complaints::default();
        for (i, name) in self.only.iter().enumerate() {
            if !fault_kinds().any(|known| known == name) {
                wrong.unknown(format!("only[{i}]"), name, "sorts of trouble", fault_kinds());
            }
        }
        let variant = wrong.unless(Some(checked?.variant))?;
        let mut wrong = Complaints::default();
        let can = |name: &String, beyond_model| possible(variant.card, beyond_model).any(|possible| possible == name);
        for (i, name) in self.only.iter().enumerate().filter(|(_, name)| !can(name, self.beyond_model)) {
            let title = variant.card.title;
            let says = match can(name, true) {
                true => format!("{title} does not promise to survive that; only seeds that go beyond its model do it"),
                false => format!("{title} has nothing of that sort, or counts on it that it does not happen"),
            };
            wrong.add(format!("only[{i}]"), name, says);
        }
        wrong.unless(Some(()))?;
        Ok(Swarm { variant, request: self })
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

impl Swarm {
    /// The protocol.
    pub fn variant(&self) -> &'static Variant {
        self.variant
    }

    /// What was asked for.
    pub fn request(&self) -> &FuzzRequest {
        &self.request
    }

    /// The sorts of trouble that seeds can draw.
    pub fn fault_kinds(&self) -> impl Iterator<Item = &'static str> {
        possible(self.variant.card, self.request.beyond_model)
    }

    /// Runs what `seed` draws.
    pub fn run(&self, seed: u64) -> FuzzRun {
        fuzz_run::run(self, seed)
    }

    /// A report about no seed yet.
    pub fn report(&self) -> Report {
        Report::new(self)
    }
}
