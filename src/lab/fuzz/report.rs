//! The report of a fuzzing campaign. Reports of disjoint seeds can be merged, so that any number of machines can share the work.

use super::{FuzzRun, Fuzzer, fault_kinds};
use crate::core::RuleId;
use crate::judge::{Finding, PropertyFinding};
use crate::lab::document::problem::Problem;
use crate::lab::document::scenario::Value;
use crate::universe::{self, Variant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most failing seeds listed in a report; more are only counted.
const TELL: usize = 100;

/// Number of seeds from which on every rule must have been reached.
pub const ENOUGH: u64 = 2_000;

/// The report of some seeds of one request. It does not depend on how the work was divided.
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
    /// The kinds of faults allowed; all kinds if empty.
    pub only: Vec<String>,
    /// Faults outside the protocol's model were allowed.
    pub beyond_model: bool,
    /// The seeds, as half-open ranges.
    pub seeds: Vec<(u64, u64)>,
    /// How many seeds that is.
    pub runs: u64,
    /// Events of all runs.
    pub events: u64,
    /// Simulated time, µs.
    pub time_us: u64,
    /// Commands answered.
    pub answered: u64,
    /// Number of leadership intervals.
    pub leadership_intervals: u64,
    /// Client operations in histories judged linearizable, or to keep the guarantees of a queue.
    pub judged: u64,
    /// Client operations in histories left undecided.
    pub undecided: u64,
    /// Faults injected, by kind.
    pub fault_kinds: BTreeMap<String, u64>,
    /// How many runs reached each rule.
    pub rules: BTreeMap<String, u64>,
    /// Runs in which each property could have failed, by property. Those that do not apply to the variant are not among them.
    pub exercised: BTreeMap<String, u64>,
    /// Runs in which a property did not hold that the variant does not promise, by property.
    pub not_promised: BTreeMap<String, u64>,
    /// Runs, by the property that they violated first.
    pub violations: BTreeMap<String, u64>,
    /// The first failing seeds, at most 100.
    pub failures: Vec<Failure>,
    /// Runs with faults outside the protocol's model. Their violations are not among `violations`.
    pub beyond: u64,
    /// Runs outside the model, by the property that they violated first.
    pub excused: BTreeMap<String, u64>,
    /// The first of those seeds, at most 100.
    pub examples: Vec<Failure>,
    /// Runs that took too much memory, and were not judged to their end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub too_large: u64,
    /// Sum of the hashes of all runs, in hexadecimal.
    pub fingerprint: String,
}

/// A seed whose run violated a property.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The property violated first.
    pub property: String,
    /// The nodes that witness it, counted from 1.
    pub nodes: Vec<u32>,
    /// The slot, if it is about one.
    pub slot: Option<u32>,
    /// The event after which it was seen.
    pub event: u64,
    /// When, µs.
    pub at_us: u64,
    /// The command that runs this seed again.
    pub again: String,
}

impl Report {
    /// An empty report.
    pub(super) fn new(fuzzer: &Fuzzer) -> Report {
        let rules = fuzzer.variant.rules().iter().map(|rule| (rule.key.to_owned(), 0)).collect();
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            variant: fuzzer.variant.card.key.to_owned(),
            without: fuzzer.request.without.clone(),
            settings: fuzzer.request.settings.clone(),
            only: fuzzer.request.only.clone(),
            beyond_model: fuzzer.request.beyond_model,
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
            exercised: BTreeMap::new(),
            not_promised: BTreeMap::new(),
            violations: BTreeMap::new(),
            failures: Vec::new(),
            beyond: 0,
            excused: BTreeMap::new(),
            examples: Vec::new(),
            too_large: 0,
            fingerprint: hexadecimal(0),
        }
    }

    /// Adds the result of one seed.
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
        for PropertyFinding { property, finding, .. } in &fuzz_run.findings {
            let count = |counts: &mut BTreeMap<String, u64>, exercised| {
                *counts.entry((*property).to_owned()).or_default() += u64::from(exercised);
            };
            match finding {
                Finding::NotApplicable => {}
                Finding::NeverExercised => count(&mut self.exercised, false),
                Finding::Held | Finding::Violated => count(&mut self.exercised, true),
                Finding::NotPromised => {
                    count(&mut self.exercised, true);
                    count(&mut self.not_promised, true);
                }
            }
        }
        self.beyond += u64::from(fuzz_run.beyond);
        self.too_large += u64::from(fuzz_run.too_large);
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

    /// Adds a report of other seeds of the same request. Errors: the field that differs, or seeds in both.
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
            (&mut self.exercised, &other.exercised),
            (&mut self.not_promised, &other.not_promised),
            (&mut self.violations, &other.violations),
            (&mut self.excused, &other.excused),
        ] {
            its.iter().for_each(|(name, count)| *own.entry(name.clone()).or_default() += count);
        }
        self.beyond += other.beyond;
        self.too_large += other.too_large;
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

    /// Rules that no run reached, if there were at least [`ENOUGH`] seeds and the request restricts neither rules, faults nor settings.
    pub fn unreached(&self) -> Vec<&str> {
        let judged = self.runs >= ENOUGH && self.without.is_empty() && self.only.is_empty() && self.settings.is_empty();
        let variant = universe::variant(&self.variant);
        let on_request = |key: &str| {
            let is = |variant: &&Variant| {
                variant.unpromised.iter().any(|rule| variant.rules()[usize::from(rule.0)].key == key)
            };
            variant.as_ref().is_some_and(is)
        };
        let unreached = self.rules.iter().filter(|(rule, runs)| judged && **runs == 0 && !on_request(rule));
        unreached.map(|(rule, _)| rule.as_str()).collect()
    }

    /// Properties that apply to the variant, and that no run exercised.
    pub fn unexercised(&self) -> Vec<&str> {
        self.exercised.iter().filter(|(_, runs)| **runs == 0).map(|(property, _)| property.as_str()).collect()
    }

    /// Whether no property was violated and no rule is unreached.
    pub fn is_good(&self) -> bool {
        self.violations.is_empty() && self.unreached().is_empty()
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn hexadecimal(number: u64) -> String {
    format!("{number:016x}")
}

/// Disjoint ranges in order, adjacent ones joined.
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
