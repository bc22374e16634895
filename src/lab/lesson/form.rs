//! The lesson document: what a lecturer writes. `docs/writing-a-lesson.md` tells it with an example.

use crate::lab::{Fault, Quantity};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// A lesson: two runs that differ in one thing, a question about them, what the runs say, and a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// Its place in the course.
    pub number: u32,
    /// A few words.
    pub title: String,
    /// What is asked, in plain words.
    pub question: String,
    /// What one needs to know to begin, in a few sentences.
    pub about: String,
    /// The lines of the notes that can be tried here, such as "L9".
    #[serde(default)]
    pub covers: Vec<String>,
    /// How long it takes.
    pub minutes: u32,
    /// Where both runs begin: the key of a built-in scenario, or a scenario in full.
    #[cfg_attr(feature = "cli", schemars(with = "serde_json::Value"))]
    pub scenario: serde_json::Value,
    /// Changes of that scenario for both runs, such as "seed=7" or "settings.timeout=500ms".
    #[serde(default)]
    pub set: Vec<String>,
    /// One run.
    pub first: RunText,
    /// The other run. It differs from the first in one thing.
    pub second: RunText,
    /// What one can change afterwards, in both runs.
    #[serde(default, rename = "control")]
    pub controls: Vec<Control>,
    /// What is asked before the runs are shown.
    pub prediction: Prediction,
    /// Named figures of the two runs, for the sentences below.
    #[serde(default)]
    pub figures: BTreeMap<String, Measure>,
    /// What happened, in sentences with `{name}` in place of every number.
    pub happened: String,
    /// Why, in sentences without numbers.
    pub reason: String,
    /// What holds in these runs under any seed, or can happen.
    #[serde(rename = "claim")]
    pub claims: Vec<Claim>,
    /// A run to be built.
    pub construct: Construct,
    /// Where the reason can be read up.
    pub sources: Vec<String>,
    /// The key of the next lesson.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One of the two runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RunText {
    /// What it is called, in a few words.
    pub name: String,
    /// How it differs from the lesson's scenario, such as "variant=raft".
    #[serde(default)]
    pub set: Vec<String>,
    /// What to look at.
    #[serde(default)]
    pub look: String,
    /// Where it stops to show what matters: a time, such as "9s", or the first moment of that kind: "chosen", "two-leaders", "no-leader"
    /// (nobody leads any more), "violation". A moment that does not come is the end of the run.
    pub stop: String,
}

/// Something to change, one of at most three.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// What it is called.
    pub label: String,
    /// What is changed, such as "settings.timeout". In a run that has no such setting, nothing is.
    pub path: String,
    /// What can be chosen.
    pub values: Vec<String>,
}

/// Which of the two runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The first.
    #[default]
    First,
    /// The second.
    Second,
}

/// What is asked before the runs are shown, and how the answer is found in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// What is asked for.
    pub kind: PredictionKind,
    /// The question.
    pub ask: String,
    /// `choice`: the answers, of which exactly one is right. `order`: what is to be put in order.
    #[serde(default, rename = "option")]
    pub options: Vec<Choice>,
    /// `number`, `moment`: what is to be predicted. `place`: what is compared at the sites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Measure>,
    /// `number`, `moment`: how far off is still right: a share such as "20%", or a number or time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Amount>,
    /// `place`: the site with the most of it, or the least; `order`: what comes first. Default: the most.
    #[serde(default)]
    pub pick: Pick,
}

/// Kinds of predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PredictionKind {
    /// One of several answers.
    Choice,
    /// A number.
    Number,
    /// Things put in order.
    Order,
    /// A site on the map.
    Place,
    /// A moment of the run: where it goes wrong.
    Moment,
}

/// One answer to choose, or one thing to put in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What it says.
    pub says: String,
    /// `choice`: it is right if all of these hold.
    #[serde(default)]
    pub when: Vec<Measure>,
    /// `order`: what decides its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Measure>,
}

/// Which end of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// The most.
    #[default]
    Most,
    /// The least.
    Least,
}

/// Something measured in a run; with a bound, a condition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What is measured.
    pub measure: MeasureKind,
    /// In which run. Default: the first; in a claim or a task, its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Which>,
    /// Only clients at this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Only this replica, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// Only violations of this property, such as "Agreement" or "Linearizability".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// Only messages of this kind, such as "Prepare".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only from this time on. Default: the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub from: Option<Quantity>,
    /// Only up to this time. Default: where the run stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub to: Option<Quantity>,
    /// A condition: exactly this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<Amount>,
    /// A condition: this or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Amount>,
    /// A condition: this or less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Amount>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MeasureKind {
    /// How many running nodes take themselves for the leader where the run stops.
    #[default]
    Leaders,
    /// The most nodes that led at the same time.
    LeadersAtOnce,
    /// How many different nodes ever led.
    Winners,
    /// How often a node began to lead.
    Leaderships,
    /// The most nodes that led the same term or ballot.
    LeadersPerEpoch,
    /// How long nobody led.
    Leaderless,
    /// The highest term or ballot of any node.
    Ballot,
    /// How many nodes are down where the run stops.
    Down,
    /// How many commands were answered.
    Answered,
    /// How many commands wait where the run stops.
    Waiting,
    /// How many commands are known to be chosen where the run stops.
    Committed,
    /// The median time from a request to its answer.
    Latency,
    /// The longest time from a request to its answer.
    Slowest,
    /// The longest time without any answer.
    Gap,
    /// How many messages went between replicas.
    Messages,
    /// Messages between replicas for one answered command, heartbeats left out.
    MessagesPerCommand,
    /// The share of all bytes between replicas that one node sent.
    SentShare,
    /// How many properties were violated, promised or not.
    Violations,
    /// When a property was violated first.
    ViolatedAt,
}

/// A number, or a quantity such as "150ms" or "20%".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount(pub Quantity);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.text().parse::<u64>() {
            Ok(number) => number.serialize(serializer),
            Err(_) => self.0.text().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or a quantity such as \"150ms\" or \"20%\"")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount(Quantity::from(number.to_string().as_str())))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
                u64::try_from(number)
                    .map_err(|_| E::custom("a number from 0 up would do"))
                    .and_then(|n| self.visit_u64(n))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount(Quantity::from(text)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (number, text) = (generator.subschema_for::<u64>(), generator.subschema_for::<String>());
        schemars::json_schema!({ "description": "A number, or a quantity with its unit.", "anyOf": [number, text] })
    }
}

/// What holds in one of the runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The claim, in a sentence.
    pub says: String,
    /// The run it is about. Default: the first.
    #[serde(default)]
    pub run: Which,
    /// How often.
    pub holds: Holds,
    /// What: all of these.
    pub when: Vec<Measure>,
    /// `can`: a seed with which it happens. Default: the lesson's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// `share`: the least and the greatest share of seeds, such as ["20%", "30%"].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "cli", schemars(with = "Vec<String>"))]
    pub between: Vec<Quantity>,
}

/// How often a claim holds over the seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// With every seed.
    Always,
    /// With no seed.
    Never,
    /// With one seed, which is told.
    Can,
    /// With a share of the seeds.
    Share,
}

/// A run to be built: a fault schedule that reaches a goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Construct {
    /// The task.
    pub ask: String,
    /// A hint.
    #[serde(default)]
    pub hint: String,
    /// The run that is changed. Default: the first.
    #[serde(default)]
    pub run: Which,
    /// Whether the script of that run stays. Default: false, one begins with an empty one.
    #[serde(default)]
    pub keep: bool,
    /// The actions that may be used, such as "cut" and "heal". Default: all.
    #[serde(default)]
    pub only: Vec<String>,
    /// How many actions may be used. Default: 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// When the goal is looked at, since the start.
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub at: Quantity,
    /// What must hold then: all of these.
    pub goal: Vec<Measure>,
    /// Actions that reach the goal.
    pub example: Vec<Fault>,
}
