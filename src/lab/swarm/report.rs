//! What came of many seeds. Reports of different seeds add up, so that any number of machines can share the work.

use super::{FuzzRun, Swarm, fault_kinds};
use crate::core::RuleId;
use crate::lab::problem::Problem;
use crate::lab::scenario::Value;
use crate::universe;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Failing seeds a report tells of; more are only counted.
const TELL: usize = 100;

/// Fewest seeds from which on every rule must have been reached.
pub const ENOUGH: u64 = 2_000;

/// What came of some seeds of one swarm. Equal for equal seeds, however the work was divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The version of the program.
    pub version: String,
    /// The variant's key.
    pub variant: String,
    /// The rules taken away.
    pub without: Vec<String>,
    /// The settings that all seeds had.
    pub settings: BTreeMap<String, Value>,
    /// The sorts of trouble the seeds drew from; all of them if there is none here.
    pub only: Vec<String>,
    /// The seeds were free to do what the protocol does not promise to survive.
    pub beyond_model: bool,
    /// The seeds, as ranges: from the first, to before the second.
    pub seeds: Vec<(u64, u64)>,
    /// How many seeds that is.
    pub runs: u64,
    /// Events of all runs.
    pub events: u64,
    /// Simulated time, µs.
    pub time_us: u64,
    /// Commands answered.
    pub answered: u64,
    /// How often somebody began to lead.
    pub leadership_intervals: u64,
    /// Operations of clients whose histories were judged to be as they must: linearizable, or what a queue promises.
    pub judged: u64,
    /// Operations of histories that were too hard to judge.
    pub undecided: u64,
    /// How often each sort of trouble struck.
    pub fault_kinds: BTreeMap<String, u64>,
    /// How many runs reached each rule.
    pub rules: BTreeMap<String, u64>,
    /// How many runs broke each property first.
    pub violations: BTreeMap<String, u64>,
    /// The first of the seeds that broke something, at most 100.
    pub failures: Vec<Failure>,
    /// How many runs did what the protocol does not promise to survive. What these broke is not among the violations.
    pub beyond: u64,
    /// How many of those broke each property first.
    pub excused: BTreeMap<String, u64>,
    /// The first of those seeds, at most 100.
    pub examples: Vec<Failure>,
    /// One number for all that happened, in hexadecimal.
    pub fingerprint: String,
}

/// A seed that broke something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The property it broke first.
    pub property: String,
    /// The nodes it takes to see it, counted from 1.
    pub nodes: Vec<u32>,
    /// The slot, if it is about one.
    pub slot: Option<u32>,
    /// The event after which it was seen.
    pub event: u64,
    /// When, µs.
    pub at_us: u64,
    /// How to see it again.
    pub again: String,
}

impl Report {
    /// About no seed yet.
    pub(super) fn new(swarm: &Swarm) -> Report {
        let rules = swarm.variant.rules().iter().map(|rule| (rule.key.to_owned(), 0)).collect();
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            variant: swarm.variant.card.key.to_owned(),
            without: swarm.request.without.clone(),
            settings: swarm.request.settings.clone(),
            only: swarm.request.only.clone(),
            beyond_model: swarm.request.beyond_model,
            seeds: Vec::new(),
            runs: 0,
            events: 0,
            time_us: 0,
            answered: 0,
            leadership_intervals: 0,
            judged: 0,
            undecided: 0,
            fault_kinds: fault_kinds().map(|name| (name.to_owned(), 0)).collect(),
            rules,
            violations: BTreeMap::new(),
            failures: Vec::new(),
            beyond: 0,
            excused: BTreeMap::new(),
            examples: Vec::new(),
            fingerprint: hexadecimal(0),
        }
    }

    /// Takes in what came of one more seed.
    pub fn add(&mut self, seed: u64, fuzz_run: &FuzzRun) {
        self.seeds = joined(&self.seeds, &[(seed, seed + 1)]);
        self.runs += 1;
        self.events += fuzz_run.events;
        self.time_us += fuzz_run.time;
        self.answered += fuzz_run.answered;
        self.leadership_intervals += fuzz_run.leadership_intervals;
        self.judged += fuzz_run.judged;
        self.undecided += fuzz_run.undecided;
        for (name, injections) in fault_kinds().zip(&fuzz_run.injections) {
            *self.fault_kinds.entry(name.to_owned()).or_default() += injections;
        }
        let rules = universe::variant(&self.variant).map_or(&[][..], |variant| variant.rules());
        for RuleId(rule) in fuzz_run.rules.iter() {
            if let Some(rule) = rules.get(usize::from(rule)) {
                *self.rules.entry(rule.key.to_owned()).or_default() += 1;
            }
        }
        self.beyond += u64::from(fuzz_run.beyond);
        if let Some(violation) = &fuzz_run.violation {
            let failure = Failure {
                seed,
                property: violation.property.to_owned(),
                nodes: violation.nodes.iter().map(|node| u32::from(node.0) + 1).collect(),
                slot: violation.slot,
                event: violation.event,
                at_us: violation.at,
                again: self.again(seed),
            };
            let (counts, seeds) = match fuzz_run.beyond {
                true => (&mut self.excused, &mut self.examples),
                false => (&mut self.violations, &mut self.failures),
            };
            *counts.entry(failure.property.clone()).or_default() += 1;
            seeds.push(failure);
        }
        self.sum(fuzz_run.fingerprint);
        self.tidy();
    }

    /// The command that runs this seed alone.
    pub fn again(&self, seed: u64) -> String {
        let mut command = format!("quorumscope fuzz --variant {} --seeds {seed}..{}", self.variant, seed + 1);
        for (flag, list) in [("--without", &self.without), ("--only", &self.only)] {
            if !list.is_empty() {
                command.push_str(&format!(" {flag} {}", list.join(",")));
            }
        }
        if self.beyond_model {
            command.push_str(" --beyond-model");
        }
        for (key, value) in &self.settings {
            let text = match value {
                Value::Text(text) => text.clone(),
                other => other.to_string(),
            };
            command.push_str(&format!(" --set {key}={text}"));
        }
        command
    }

    /// Adds a report about other seeds of the same swarm. The error names what does not fit.
    pub fn merge(&mut self, other: &Report) -> Result<(), Problem> {
        let unlike = |field: &str, own: String, its: String| Problem {
            field: field.to_owned(),
            value: its,
            says: format!("the reports before have {own}; only reports about the same can be merged"),
        };
        if self.version != other.version {
            return Err(unlike("version", self.version.clone(), other.version.clone()));
        }
        if self.variant != other.variant {
            return Err(unlike("variant", self.variant.clone(), other.variant.clone()));
        }
        let list = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        for (field, own, its) in [("without", &self.without, &other.without), ("only", &self.only, &other.only)] {
            if own != its {
                return Err(unlike(field, list(own), list(its)));
            }
        }
        if self.settings != other.settings {
            let told = |settings: &BTreeMap<String, Value>| {
                list(&settings.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>())
            };
            return Err(unlike("settings", told(&self.settings), told(&other.settings)));
        }
        if self.beyond_model != other.beyond_model {
            return Err(unlike("beyond_model", self.beyond_model.to_string(), other.beyond_model.to_string()));
        }
        let overlap = |own: &(u64, u64), its: &(u64, u64)| own.0.max(its.0) < own.1.min(its.1);
        if let Some(twice) = other.seeds.iter().find(|its| self.seeds.iter().any(|own| overlap(own, its))) {
            return Err(Problem {
                field: "seeds".to_owned(),
                value: format!("{}..{}", twice.0, twice.1),
                says: "a report before has some of these; only reports about different seeds can be merged".to_owned(),
            });
        }
        self.seeds = joined(&self.seeds, &other.seeds);
        self.runs += other.runs;
        self.events += other.events;
        self.time_us += other.time_us;
        self.answered += other.answered;
        self.leadership_intervals += other.leadership_intervals;
        self.judged += other.judged;
        self.undecided += other.undecided;
        for (own, its) in [
            (&mut self.fault_kinds, &other.fault_kinds),
            (&mut self.rules, &other.rules),
            (&mut self.violations, &other.violations),
            (&mut self.excused, &other.excused),
        ] {
            its.iter().for_each(|(name, count)| *own.entry(name.clone()).or_default() += count);
        }
        self.beyond += other.beyond;
        self.failures.extend(other.failures.iter().cloned());
        self.examples.extend(other.examples.iter().cloned());
        self.sum(u64::from_str_radix(&other.fingerprint, 16).unwrap_or(0));
        self.tidy();
        Ok(())
    }

    fn sum(&mut self, fingerprint: u64) {
        let own = u64::from_str_radix(&self.fingerprint, 16).unwrap_or(0);
        self.fingerprint = hexadecimal(own.wrapping_add(fingerprint));
    }

    fn tidy(&mut self) {
        for seeds in [&mut self.failures, &mut self.examples] {
            seeds.sort();
            seeds.truncate(TELL);
        }
    }

    /// Rules that no run reached, though they were in force and there were seeds enough. Whether a run without some rule reaches the
    /// others says nothing.
    pub fn unreached(&self) -> Vec<&str> {
        let judged = self.runs >= ENOUGH && self.without.is_empty() && self.only.is_empty() && self.settings.is_empty();
        let unreached = self.rules.iter().filter(|(_, runs)| judged && **runs == 0);
        unreached.map(|(rule, _)| rule.as_str()).collect()
    }

    /// Whether no property was broken and no rule is left unreached.
    pub fn is_good(&self) -> bool {
        self.violations.is_empty() && self.unreached().is_empty()
    }
}

fn hexadecimal(number: u64) -> String {
    format!("{number:016x}")
}

/// Ranges that do not overlap, in order, neighbours joined.
fn joined(some: &[(u64, u64)], more: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = [some, more].concat();
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (from, to) in ranges {
        match joined.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => joined.push((from, to)),
        }
    }
    joined
}
