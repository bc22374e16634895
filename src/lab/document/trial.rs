//! What a scenario suggests to try: an action, and a question about what it will do. The answer is not in the document: it comes from the run
//! ([`crate::lab::run::trial`]).

use super::Quantity;
use super::fault::{Fault, Names};
use super::problem::ProblemCollector;
use super::read::{LONGEST, time};
use super::scenario::Scenario;
use crate::core::Micros;
use crate::sim::action::Timed;
use serde::{Deserialize, Serialize};

/// Something to try, and a question to answer first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What is done, for a button: "Crash the leader".
    pub label: String,
    /// The question: "Who leads then?".
    pub ask: String,
    /// What the answer depends on.
    pub watch: Watch,
    /// The site whose clients it is about; needed for latency, else of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The answers to choose from, in the order of the outcomes of `watch`. Default: plain words for these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What is done, all at once: actions as in the script, at "0s". Nothing: only wait.
    #[serde(default, rename = "do", skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Fault>,
    /// How long the run then goes on before the answer is told.
    #[serde(rename = "for")]
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub lasts: Quantity,
    /// What to look at meanwhile.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub look: String,
}

/// What the answer to a question depends on. Each has its outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// Who leads at the end: the same node as before, another, or nobody.
    Leader,
    /// Whether clients are answered: without a pause, again after one, or not at the end.
    Answers,
    /// The latency at a site: it falls, stays within 5 %, or rises.
    Latency,
    /// Whether a property is violated by the end: none, or one.
    Safety,
}

impl Watch {
    /// The outcomes in words, in order.
    pub const fn outcomes(self) -> &'static [&'static str] {
        match self {
            Watch::Leader => &["The same node", "Another node", "Nobody"],
            Watch::Answers => &["They go on", "They wait for a while", "They get no answer"],
            Watch::Latency => &["It falls", "It stays", "It rises"],
            Watch::Safety => &["Nothing is violated", "A property is violated"],
        }
    }
}

impl Trial {
    /// The answers to choose from.
    pub fn choices(&self) -> Vec<&str> {
        match self.choices.is_empty() {
            true => self.watch.outcomes().to_vec(),
            false => self.choices.iter().map(String::as_str).collect(),
        }
    }

    /// What is done, read. Entries that make no sense are left out; [`Scenario::check`] reports them.
    pub fn read_actions(&self, names: Names<'_>, nodes: usize) -> Vec<Timed> {
        let mut problems = ProblemCollector::default();
        self.actions.iter().filter_map(|fault| fault.read("do", names, nodes, &mut problems)).collect()
    }

    /// How long it lasts, µs.
    pub fn lasts(&self) -> Micros {
        self.lasts.micros().unwrap_or(0)
    }
}

/// Most trials of a scenario.
const TRIALS: usize = 6;
/// Most bytes of one of their texts.
const TEXT: usize = 300;

impl Scenario {
    /// Reports every field of its trials that makes no sense.
    pub(super) fn check_trials(&self, names: Names<'_>, problems: &mut ProblemCollector) {
        if self.trials.len() > TRIALS {
            problems.add("try", format!("{} entries", self.trials.len()), format!("{TRIALS} are the most"));
        }
        for (i, trial) in self.trials.iter().enumerate().take(TRIALS) {
            let path = format!("try[{i}]");
            let choices = trial.choices.iter().map(|choice| ("choices", choice));
            let texts = [("label", &trial.label), ("ask", &trial.ask), ("look", &trial.look)];
            for (field, text) in texts.into_iter().chain(choices).filter(|(_, text)| text.len() > TEXT) {
                problems.add(format!("{path}.{field}"), text, format!("is too long; {TEXT} bytes would do"));
            }
            let outcomes = trial.watch.outcomes().len();
            if !trial.choices.is_empty() && trial.choices.len() != outcomes {
                let says = format!("{outcomes} would do, in the order of: {}", trial.watch.outcomes().join(", "));
                problems.add(format!("{path}.choices"), format!("{} choices", trial.choices.len()), says);
            }
            match &trial.site {
                Some(site) if !names.sites.contains(&site.as_str()) => {
                    problems.unknown(format!("{path}.site"), site, "sites", names.sites.iter().copied());
                }
                None if trial.watch == Watch::Latency => {
                    problems.add(
                        format!("{path}.site"),
                        "",
                        format!("latency needs one of {}", names.sites.join(", ")),
                    );
                }
                _ => {}
            }
            time(&Some(trial.lasts.clone()), &format!("{path}.for"), 0, 1, LONGEST, problems);
            for (j, fault) in trial.actions.iter().enumerate().take(TRIALS) {
                let read = fault.read(&format!("{path}.do[{j}]"), names, self.replicas.len(), problems);
                if read.is_some_and(|timed| timed.at > 0) {
                    problems.add(format!("{path}.do[{j}].at"), &fault.at, "it is done at once; 0s would do");
                }
            }
        }
    }
}
