//! From words to an exploration, or to all that is wrong with them.

use super::problem::{Complaints, Problem, Problems};
use super::scenario::{Scenario, Site, Value};
use crate::core::node::{Setup, Unfit};
use crate::core::{Faults, Shots};
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
        let mut bounds = Draft::of(variant);
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
        let question = Question { setup, bounds: bounds.finished(variant, replicas), property: self.property.clone() };
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
    requests: u8,
}

impl Draft {
    /// What is explored unless said otherwise: two commands, two timers, no crash; who survives crashes may restart.
    fn of(variant: &Variant) -> Draft {
        let recovers = variant.card.faults == Faults::CrashRecover;
        let restarts = if recovers { Times::Any } else { Times::Most(0) };
        Draft { bounds: Bounds { timers: Times::Most(2), restarts, ..Bounds::default() }, requests: 2 }
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
            "depth" => number_or_any(value, 1_000_000).map(|most| bounds.depth = most),
            "epoch" => number_or_any(value, 1_000_000).map(|most| bounds.epoch = most),
            "messages" => number(value, 1, 10_000).map(|most| bounds.messages = most as u16),
            "copies" => number(value, 1, 255).map(|most| bounds.copies = most as u8),
            "requests" => number(value, 0, u64::from(Bounds::REQUESTS)).map(|most| self.requests = most as u8),
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
        let values = [
            bounds.states.to_string(),
            or_any(bounds.depth),
            self.requests.to_string(),
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

    /// Where one value is agreed on, every proposer has a wish of its own; a log takes each command from whoever leads.
    fn finished(self, variant: &Variant, replicas: u8) -> Bounds {
        let anywhere = variant.card.shots == Shots::Log;
        Bounds { requests: Bounds::requests(self.requests, replicas, anywhere), ..self.bounds }
    }
}

/// A bound that may be left open.
fn number_or_any(text: &str, most: u64) -> Result<u32, String> {
    if text == ANY { Ok(u32::MAX) } else { number(text, 0, most).map(|number| number as u32) }
}

/// Whether what a node tells itself may come late.
fn late(text: &str) -> Result<bool, String> {
    match text {
        "now" => Ok(false),
        "late" => Ok(true),
        _ => Err("now or late would do".to_owned()),
    }
}

fn number(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("a whole number from {least} to {most} would do"))
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
