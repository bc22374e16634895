//! Long work as a job: what can be asked, what is told of it, and what does it in slices. The page has it done by a worker, a thread of its own.
//!
//! What is asked and told is plain data, which goes between the two as JSON, because a worker shares no memory with the page.
//!
//! * [`begin`](mod@begin): begins any job.
//! * [`measure`]: messages per command of every variant.
//! * [`search`]: every run within bounds, by the model checker.
//! * [`fuzz`]: random runs full of faults until one violates a property; that run, shrunk.
//!
//! To add a kind of work: an arm of [`Job`] that says all there is to know, one of [`News`] for a result, and a [`Work`] that is begun in
//! [`begin`](mod@begin).

#[cfg(feature = "search")]
pub mod begin;
#[cfg(feature = "search")]
mod fuzz;
mod measure;
#[cfg(feature = "search")]
mod search;

pub use measure::{Counts, Formula, Measurement, measuring};

use super::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Job {
    /// Measure messages per command.
    Measure {
        /// The scenario, a document in JSON.
        scenario: String,
        /// Variants by key, each with a number of replicas, in the order in which they are wanted.
        cells: Vec<(String, u8)>,
    },
    /// Visit every state within bounds.
    Explore {
        /// What is looked at.
        of: Subject,
        /// Replicas.
        replicas: usize,
        /// Bounds, `key=value` each, as `quorumscope check --bounds` has them.
        bounds: Vec<String>,
    },
    /// Run random scenarios full of faults until one violates a property, and shrink that.
    Fuzz {
        /// What is looked at.
        of: Subject,
        /// The first seed, and the first after the last.
        seeds: (u64, u64),
    },
}

/// A job under way.
pub trait Work {
    /// Goes on for some milliseconds, and tells what is new. Nothing is asked of it after an end.
    fn advance(&mut self, tell: &mut dyn FnMut(News));

    /// How much there is to do in all, in the units of [`News::Progress`].
    fn extent(&self) -> u64;
}

/// A variant with rules taken away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The key of the variant.
    pub variant: String,
    /// Keys of the rules taken away.
    pub without: Vec<String>,
    /// Settings of the variant.
    pub settings: BTreeMap<String, Value>,
}

/// What is told of a job: results as they come, how far it is, and one end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum News {
    /// So much is done, of so much in all: cells, states, seeds, or runs while it shrinks. Also told at the beginning, before any result.
    Progress(u64, u64),
    /// A measurement.
    Measured(Measurement),
    /// What the model checker found.
    Explored(Explored),
    /// Random runs have been made, and this is what came of them.
    Fuzzed(Fuzzed),
    /// A run that violates a property: as it was found, and later, where that succeeds, shrunk.
    Violated(ViolatingRun),
    /// The end: all is done.
    Done,
    /// The end: why it cannot be done.
    Failed(String),
}

impl News {
    /// Whether nothing comes after it.
    pub fn is_end(&self) -> bool {
        matches!(self, News::Done | News::Failed(_))
    }
}

/// What an exploration found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explored {
    /// How it ended.
    pub verdict: Verdict,
    /// Different states.
    pub states: u32,
    /// Events from the start to the farthest state; with a violation, in its trace.
    pub depth: u32,
    /// The bounds it was made within, `key=value` each, all of them.
    pub bounds: Vec<(String, String)>,
    /// The bounds that kept it from going further, by their keys.
    pub cut: Vec<String>,
    /// The violated property: its name, what it says, and the nodes it takes to see it, counted from 1.
    pub violation: Option<(String, String, Vec<u32>)>,
    /// The events that lead to the violation, as few as possible: what happens, and what the node does then.
    pub trace: Vec<(String, Vec<String>)>,
    /// The violation as an ordinary run, or why there is no such run.
    pub run: Option<Result<Box<ViolatingRun>, String>>,
}

/// How an exploration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Every state within the bounds was visited, and none violates anything.
    Safe,
    /// A property can be violated.
    Violated,
    /// There were more states than the bound of states or the memory allows for.
    Undecided,
}

/// What came of random runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fuzzed {
    /// Runs made.
    pub runs: u64,
    /// Events in them.
    pub events: u64,
    /// Faults injected, by kind, those that occurred.
    pub faults: Vec<(String, u64)>,
}

/// A run that violates a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViolatingRun {
    /// The run at that moment, a document in JSON.
    pub document: String,
    /// The name of the property.
    pub property: String,
    /// What it says.
    pub says: String,
    /// When, µs.
    pub at: u64,
    /// The number of the event.
    pub event: u64,
    /// How many faults its script has.
    pub faults: usize,
    /// Whether it has been shrunk.
    pub shrunk: bool,
}
