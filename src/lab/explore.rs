//! From words to an exploration, or to all that is wrong with them.

use super::problem::{Complaints, Problem, Problems};
use super::scenario::{Scenario, Site, Value};
use crate::core::node::{Setup, Unfit};
use crate::core::{Faults, NodeId, NodeSet, Shots};
use crate::judge::explore::{Bounds, Question, Times};
use crate::universe::Variant;
use crate::universe::search::Search;
use serde::Serialize;
use std::collections::BTreeMap;

/// What to explore, in words.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The key of the variant.
    pub variant: String,
    /// Replicas.
    pub replicas: usize,
    /// Keys of the rules to take away.
    pub without: Vec<String>,
    /// Settings of the variant.
    pub settings: BTreeMap<String, Value>,
    /// Bounds, `key=value` each; [`BOUNDS`] tells them all.
    pub bounds: Vec<String>,
    /// Look for violations of this property only.
    pub property: Option<String>,
}

/// An exploration that makes sense.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// The variant.
    pub variant: &'static Variant,
    /// What to explore.
    pub question: Question,
    /// The bounds as they are, in the order of [`BOUNDS`].
    pub bounds: Vec<Bound>,
}

/// One bound and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// Its name.
    pub key: &'static str,
    /// Its value, as one would write it.
    pub value: String,
}

/// The bounds: name, and what it bounds.
pub const BOUNDS: &[(&str, &str)] = &[
    ("states", "states visited; with more, the result is undecided"),
    ("depth", "events in a row"),
    ("requests", "commands that clients ask for, each once"),
    ("at", "the node to ask for each command, such as 1+1+2, or any; in turn, or any if a log is agreed on"),
    ("timers", "timers that fire"),
    ("crashes", "nodes that crash"),
    ("restarts", "crashed nodes that restart"),
    ("duplicates", "messages that arrive twice"),
    ("losses", "messages taken away; one that stays under way for ever is as good as lost, so this is seldom needed"),
    ("epoch", "highest term or ballot"),
    ("messages", "messages under way at once"),
    ("copies", "equal messages under way at once; more get lost"),
    ("own", "messages of a node to itself: \"now\", within the same event, or \"late\", like any other"),
    ("lost", "kinds of messages that always get lost, joined by +, or none"),
];

/// Most states: their numbers take about 100 bytes each.
const STATES: u64 = 100_000_000;
/// Word for "as often as it likes".
const ANY: &str = "any";

impl Wish {
    /// What to explore, or all that is wrong with the wish.
    pub fn check(&self) -> Result<Exploration, Problems> {
        // A scenario with one site: its checks are the same.
        let site = Site { id: "here".to_owned(), ..Site::default() };
        let scenario = Scenario {
            variant: self.variant.clone(),
            settings: self.settings.clone(),
            without: self.without.clone(),
            replicas: vec![site.id.clone(); self.replicas],
            sites: vec![site],
            rtt_ms: vec![vec![1.0]],
            ..Scenario::default()
        };
        let checked = scenario.check()?;
        let variant = checked.variant;
        let replicas = checked.blueprint.placement.len() as u8;
        let mut wrong = Complaints::default();
        let mut bounds = Draft::of(variant, replicas);
        for text in &self.bounds {
            if let Err((value, says)) = bounds.set(text, variant) {
                let key = text.split('=').next().unwrap_or_default();
                let field = if BOUNDS.iter().any(|(known, _)| *known == key) { key } else { "" };
                wrong.add(if field.is_empty() { "bounds".to_owned() } else { format!("bounds.{field}") }, value, says);
            }
        }
        let properties = (variant.properties)();
        if let Some(property) = &self.property
            && !properties.contains(&property.as_str())
        {
            wrong.unknown("property", property, "properties", properties.iter().copied());
        }
        wrong.unless(Some(()))?;
        let setup = Setup {
            replicas,
            rtt_max: checked.blueprint.terrain.round_trip_max(),
            settings: checked.blueprint.settings,
            ablated: checked.blueprint.ablated,
        };
        let told = bounds.told(variant);
        let question = Question { setup, bounds: bounds.finished(), property: self.property.clone(), via: Vec::new() };
        Ok(Exploration { variant, question, bounds: told })
    }
}

impl Exploration {
    /// Sets out.
    pub fn start(&self) -> Result<Box<dyn Search>, Problem> {
        (self.variant.explore)(&self.question).map_err(|(key, says): Unfit| Problem {
            field: format!("settings.{key}"),
            value: String::new(),
            says: says.to_owned(),
        })
    }
}

/// Bounds under construction.
struct Draft {
    bounds: Bounds,
    /// Where each command may be asked.
    at: Vec<NodeSet>,
    replicas: u8,
}

impl Draft {
    /// What is explored unless said otherwise: two commands, two timers, no crash; who survives crashes may restart.
    fn of(variant: &Variant, replicas: u8) -> Draft {
        let recovers = variant.card.faults == Faults::CrashRecover;
        let restarts = if recovers { Times::Any } else { Times::Most(0) };
        let bounds = Bounds { timers: Times::Most(2), restarts, ..Bounds::default() };
        Draft { bounds, at: places(2, variant, replicas), replicas }
    }

    /// Takes in `key=value`; an error gives what is wrong, and what would do.
    fn set(&mut self, text: &str, variant: &Variant) -> Result<(), (String, String)> {
        let keys = || BOUNDS.iter().map(|(key, _)| *key);
        let Some((key, value)) = text.split_once('=') else {
            return Err((text.to_owned(), "write it as key=value, such as crashes=1".to_owned()));
        };
        let bounds = &mut self.bounds;
        let done = match key {
            "states" => number(value, 1, STATES).map(|most| bounds.states = most as u32),
            "depth" => number_or_any(value).map(|most| bounds.depth = most),
            "epoch" => number_or_any(value).map(|most| bounds.epoch = most),
            "messages" => number(value, 1, 10_000).map(|most| bounds.messages = most as u16),
            "copies" => number(value, 1, 255).map(|most| bounds.copies = most as u8),
            "requests" => {
                let count = number(value, 0, u64::from(Bounds::REQUESTS));
                count.map(|count| self.at = places(count as u8, variant, self.replicas))
            }
            "at" => nodes(value, self.replicas).map(|at| self.at = at),
            "timers" => times(value).map(|most| bounds.timers = most),
            "crashes" => times(value).map(|most| bounds.crashes = most),
            "restarts" => times(value).map(|most| bounds.restarts = most),
            "duplicates" => times(value).map(|most| bounds.duplicates = most),
            "losses" => times(value).map(|most| bounds.losses = most),
            "own" => late(value).map(|late| bounds.late_to_self = late),
            "lost" => kinds(value, variant).map(|kinds| bounds.lost_kinds = kinds),
            _ => return Err((format!("\"{key}\""), super::problem::no_such(key, "bounds", keys()))),
        };
        done.map_err(|says| (value.to_owned(), says))
    }

    fn told(&self, variant: &Variant) -> Vec<Bound> {
        let bounds = &self.bounds;
        let times = |times: Times| match times {
            Times::Most(most) => most.to_string(),
            Times::Any => ANY.to_owned(),
        };
        let or_any = |most: u32| if most == u32::MAX { ANY.to_owned() } else { most.to_string() };
        let lost = (0..).zip(variant.kinds).filter(|(bit, _)| bounds.lost_kinds >> bit & 1 == 1);
        let lost: Vec<&str> = lost.map(|(_, kind)| kind.name).collect();
        let place = |at: &NodeSet| match (at.len(), at.iter().next()) {
            (1, Some(node)) if self.replicas > 1 => (node.0 + 1).to_string(),
            _ => ANY.to_owned(),
        };
        let values = [
            bounds.states.to_string(),
            or_any(bounds.depth),
            self.at.len().to_string(),
            self.at.iter().map(place).collect::<Vec<_>>().join("+"),
            times(bounds.timers),
            times(bounds.crashes),
            times(bounds.restarts),
            times(bounds.duplicates),
            times(bounds.losses),
            or_any(bounds.epoch),
            bounds.messages.to_string(),
            bounds.copies.to_string(),
            if bounds.late_to_self { "late" } else { "now" }.to_owned(),
            if lost.is_empty() { "none".to_owned() } else { lost.join("+") },
        ];
        BOUNDS.iter().zip(values).map(|((key, _), value)| Bound { key, value }).collect()
    }

    fn finished(self) -> Bounds {
        Bounds { requests: Bounds::requests(&self.at), ..self.bounds }
    }
}

/// Where to ask for so many commands: where one value is agreed on, every proposer has a wish of its own; a log takes each command from
/// whoever leads.
fn places(count: u8, variant: &Variant, replicas: u8) -> Vec<NodeSet> {
    let own = |index| NodeSet::just(NodeId(index % replicas));
    let place = |index| if variant.card.shots == Shots::Log { NodeSet::first(replicas) } else { own(index) };
    (0..count).map(place).collect()
}

fn nodes(text: &str, replicas: u8) -> Result<Vec<NodeSet>, String> {
    let place = |word: &str| match word.parse() {
        _ if word == ANY => Some(NodeSet::first(replicas)),
        Ok(number @ 1..) if number <= replicas => Some(NodeSet::just(NodeId(number - 1))),
        _ => None,
    };
    let places: Option<Vec<NodeSet>> = text.split('+').map(place).collect();
    let fits = |places: &Vec<NodeSet>| places.len() <= usize::from(Bounds::REQUESTS);
    let most = Bounds::REQUESTS;
    places
        .filter(fits)
        .ok_or_else(|| format!("up to {most} nodes from 1 to {replicas}, or {ANY}, joined by + would do"))
}

fn number(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("a whole number from {least} to {most} would do"))
}

fn number_or_any(text: &str) -> Result<u32, String> {
    if text == ANY {
        return Ok(u32::MAX);
    }
    number(text, 0, 1_000_000)
        .map(|number| number as u32)
        .map_err(|_| format!("a whole number from 0 to 1000000, or {ANY}, would do"))
}

fn late(text: &str) -> Result<bool, String> {
    match text {
        "now" => Ok(false),
        "late" => Ok(true),
        _ => Err("now or late would do".to_owned()),
    }
}

fn times(text: &str) -> Result<Times, String> {
    match (text, text.parse()) {
        (ANY, _) => Ok(Times::Any),
        (_, Ok(most)) => Ok(Times::Most(most)),
        _ => Err(format!("a whole number from 0 to 255, or {ANY}, would do")),
    }
}

fn kinds(text: &str, variant: &Variant) -> Result<u64, String> {
    if text == "none" {
        return Ok(0);
    }
    let names = || variant.kinds.iter().map(|kind| kind.name);
    text.split('+').try_fold(0, |kinds, name| {
        let place = names().position(|known| known.eq_ignore_ascii_case(name));
        place.map(|bit| kinds | 1 << bit).ok_or_else(|| super::problem::no_such(name, "kinds", names()))
    })
}
