//! A run as a document: the scenario, what was done by hand, and the moment it stands at. This is what a link carries.

use super::Quantity;
use super::check::Checked;
use super::fault::Fault;
use super::problem::{ProblemCollector, Problems};
use super::read::{LONGEST, too_long};
use super::scenario::Scenario;
use crate::core::Micros;
use crate::sim::Action;
use serde::{Deserialize, Serialize};

/// Most events before a document's moment: some seconds of computing.
pub const FARTHEST: u64 = 50_000_000;
/// Most interventions of a document.
const INTERVENTIONS: usize = 10_000;

/// An action that a person took during the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervention {
    /// How many events had happened.
    pub event: u64,
    /// When, µs since the start.
    pub at: Micros,
    /// The action.
    pub action: Action,
}

/// A point of a run: between two events or interventions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// How many events have happened.
    pub event: u64,
    /// How many interventions have been done.
    pub interventions: usize,
    /// µs since the start.
    pub at: Micros,
}

/// A scenario, the interventions in its run, and the moment it stands at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRun {
    /// The scenario.
    pub scenario: Scenario,
    /// The interventions, in order of time.
    #[serde(alias = "deeds", default, skip_serializing_if = "Vec::is_empty")]
    pub interventions: Vec<InterventionText>,
    /// The moment at which the run stands. Default: its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<MomentText>,
}

/// An intervention, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterventionText {
    /// How many events had happened.
    pub event: u64,
    /// What was done, and when.
    pub what: Fault,
}

/// A moment, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MomentText {
    /// How many events have happened.
    pub event: u64,
    /// How many interventions have been done.
    #[serde(alias = "deeds", default, skip_serializing_if = "is_zero")]
    pub interventions: usize,
    /// When, since the start.
    pub at: Quantity,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl From<Scenario> for RecordedRun {
    fn from(scenario: Scenario) -> RecordedRun {
        RecordedRun { scenario, interventions: Vec::new(), moment: None }
    }
}

impl RecordedRun {
    /// Reads the interventions and the moment. Errors: all problems in them.
    pub(in crate::lab) fn check(&self, checked: &Checked) -> Result<(Vec<Intervention>, Option<Moment>), Problems> {
        let mut problems = ProblemCollector::default();
        if self.interventions.len() > INTERVENTIONS {
            problems.add(
                "interventions",
                format!("{} interventions", self.interventions.len()),
                format!("{INTERVENTIONS} are the most"),
            );
        }
        let sites = checked.sites();
        let names = checked.names(&sites);
        let mut interventions: Vec<Intervention> = Vec::new();
        for (i, intervention) in self.interventions.iter().take(INTERVENTIONS).enumerate() {
            let Some(timed) =
                intervention.what.read(&format!("interventions[{i}].what"), names, usize::MAX, &mut problems)
            else {
                continue;
            };
            if !timed.roles.is_empty() {
                problems.add(
                    format!("interventions[{i}].what"),
                    timed.roles,
                    "what is done by hand names nodes by number; roles are for scripts",
                );
            }
            let read = Intervention { event: intervention.event, at: timed.at, action: timed.action };
            if interventions.last().is_some_and(|last| last.event > read.event || last.at > read.at) {
                problems.add(
                    format!("interventions[{i}]"),
                    "",
                    "comes before the intervention listed before it; order them by time",
                );
            }
            distance(&format!("interventions[{i}].event"), intervention.event, &mut problems);
            interventions.push(read);
        }
        let mut moment = None;
        if let Some(text) = &self.moment {
            distance("moment.event", text.event, &mut problems);
            if text.interventions > self.interventions.len() {
                problems.add(
                    "moment.interventions",
                    text.interventions,
                    format!("0 to {} would do", self.interventions.len()),
                );
            }
            match text.at.micros() {
                Ok(at) if at <= LONGEST => {
                    moment = Some(Moment { event: text.event, interventions: text.interventions, at })
                }
                Ok(_) => problems.add("moment.at", &text.at, too_long()),
                Err(says) => problems.add("moment.at", &text.at, says),
            }
        }
        problems.into_result(Some((interventions, moment)))
    }
}

fn distance(field: &str, event: u64, problems: &mut ProblemCollector) {
    if event > FARTHEST {
        problems.add(field, event, format!("is too far to go to; 0 to {FARTHEST} would do"));
    }
}
