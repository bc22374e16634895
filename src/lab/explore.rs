//! Requests for an exploration: variant, bounds and goals in text, read and checked.

use super::problem::{Problem, ProblemCollector, Problems};
use super::scenario::{Scenario, Site, Value};
use crate::core::node::Setup;
use crate::core::{Contact, Faults, LeaderModel, NodeId, NodeSet, Order};
use crate::judge::explore::{Bounds, Goal, Query, Request, Times};
use crate::universe::Variant;
use crate::universe::search::Search;
use serde::Serialize;
use std::collections::BTreeMap;

/// A request for an exploration, in text.
#[derive(Clone, Debug, Default)]
pub struct ExploreRequest {
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
    /// Goals to reach one after the other, as [`GOALS`] has them.
    pub via: Vec<String>,
}

/// A request that was checked.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// The variant.
    pub variant: &'static Variant,
    /// Its settings, as given.
    pub settings: BTreeMap<String, Value>,
    /// Keys of the rules taken away.
    pub without: Vec<String>,
    /// What to explore.
    pub query: Query,
    /// The bounds as they are, in the order of [`BOUNDS`].
    pub bounds: Vec<Bound>,
    /// The goals, as one would write them.
    pub via: Vec<String>,
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
    (
        "at",
        "the node to ask for each command, such as 1+1+2, or any; in turn, or any if a log is agreed on. Where clients ask all nodes, any is each of them once",
    ),
    (
        "reads",
        "the node to ask for each read, in the same way; what clients are told must then be linearizable; or none",
    ),
    ("transfers", "nodes that whoever leads may be ordered to hand over to, each once, such as 2+3; or none"),
    ("members", "members that whoever leads may be ordered to change to, each once, such as 1.2.3+1.2.3.4; or none"),
    ("timers", "timers that fire; in lock-step all of them do"),
    ("crashes", "nodes that crash"),
    (
        "partial",
        "crashes in the middle of sending: after the first, second, … of several messages to others; each counts as one of the crashes, too",
    ),
    ("restarts", "crashed nodes that restart"),
    ("duplicates", "messages that arrive twice"),
    ("losses", "messages taken away; one that stays under way for ever is as good as lost, so this is seldom needed"),
    ("epoch", "highest term or ballot"),
    ("messages", "messages under way at once"),
    ("copies", "equal messages under way at once; more get lost"),
    ("own", "messages of a node to itself: \"now\", within the same event, or \"late\", like any other"),
    ("lost", "kinds of messages that always get lost, joined by +, or none"),
    (
        "byzantine",
        "Byzantine nodes, such as 1+3: each message of theirs may arrive as it is, with another command, or not at all; or none",
    ),
    (
        "lockstep",
        "on, where all messages arrive before any timer fires again, and crashes fall in the middle of sending, too: synchronous rounds, the default for protocols that need them; or off",
    ),
    (
        "symmetry",
        "on, to look at only one of several states that differ in nothing but the names of nodes that are alike; or off",
    ),
];

/// The goals of a search in stages: how one writes it, and what it is.
pub const GOALS: &[(&str, &str)] = &[
    ("leader", "some node leads; leader=2: node 2 does; leader@3, leader=2@3: in epoch 3 or later"),
    ("epoch=N", "some node is in term or ballot N or later"),
    ("chosen=N", "some node knows what is chosen in slot N"),
    (
        "held=N",
        "some node holds something in slot N, chosen or not; held=1x3: three nodes hold the same; held=1@2, held=1x3@2: written in epoch 2 or later; held=1x3@2.5: in ballot 2.5",
    ),
    ("crashed", "some node is down; crashed=2: node 2 is"),
    ("violated=PROPERTY", "this property is violated"),
];

/// Most states: their numbers take about 100 bytes each.
const STATES: u64 = 100_000_000;
/// Word for "as often as it likes".
const ANY: &str = "any";
/// Word for "there are none".
const NONE: &str = "none";
/// Most replicas together with newcomers.
const NODES: u8 = 16;

impl ExploreRequest {
    /// What to explore, or all that is wrong with the request.
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
        let mut wrong = ProblemCollector::default();
        let mut bounds = Draft::of(variant, replicas);
        for text in &self.bounds {
            if let Err((value, says)) = bounds.set(text, variant) {
                let key = text.split('=').next().unwrap_or_default();
                let field = if BOUNDS.iter().any(|(known, _)| *known == key) { key } else { "" };
                wrong.add(if field.is_empty() { "bounds".to_owned() } else { format!("bounds.{field}") }, value, says);
            }
        }
        let given = |key: &str| self.bounds.iter().find_map(|text| text.strip_prefix(key)?.strip_prefix('='));
        if let (Some(requests), Some(_)) = (given("requests"), given("at")) {
            wrong.add("bounds.requests", requests, "\"at\" names a node for each of them; leave one of the two out");
        }
        if bounds.bounds.lock_step {
            // Time goes on by itself.
            bounds.bounds.timers = Times::Any;
        }
        let partial = given("partial").is_some() && bounds.bounds.partial != Times::Most(0);
        if partial && bounds.bounds.crashes == Times::Most(0) {
            let says = "a crash in the middle of sending is one of the crashes: crashes=1 or more would do";
            wrong.add("bounds.partial", given("partial").unwrap_or_default(), says);
        }
        let properties = (variant.properties)();
        if let Some(property) = &self.property
            && !properties.contains(&property.as_str())
        {
            wrong.unknown("property", property, "properties", properties.iter().copied());
        }
        let mut via = Vec::new();
        for text in &self.via {
            match goal(text, replicas, &properties) {
                Ok(goal) => via.push(goal),
                Err(says) => wrong.add("via".to_owned(), format!("\"{text}\""), says),
            }
        }
        let most = usize::from(Bounds::REQUESTS);
        let requests = bounds.requests().len();
        if requests > most {
            let says = format!("clients ask all nodes, each with a request of its own: up to {most} requests would do");
            wrong.add("bounds.requests", requests, says);
        }
        wrong.into_result(Some(()))?;
        let setup = Setup {
            replicas,
            rtt_max: checked.blueprint.topology.round_trip_max(),
            settings: checked.blueprint.settings,
            ablated: checked.blueprint.ablated,
        };
        let values = bounds.values(variant);
        let bounds = bounds.finished();
        let query = Query { setup, bounds, property: self.property.clone(), via };
        let via = query.via.iter().map(Goal::to_string).collect();
        let (settings, without) = (self.settings.clone(), self.without.clone());
        Ok(Exploration { variant, settings, without, query, bounds: values, via })
    }
}

impl Exploration {
    /// Begins it.
    pub fn start(&self) -> Result<Search, Problem> {
        (self.variant.explore)(&self.query).map_err(Problem::of_protocol)
    }
}

/// Bounds under construction.
struct Draft {
    bounds: Bounds,
    /// Where each write may be asked.
    at: Vec<NodeSet>,
    /// Where each read may be asked.
    reads: Vec<NodeSet>,
    transfers: Vec<NodeId>,
    members: Vec<NodeSet>,
    replicas: u8,
    /// Whether clients ask all nodes at once.
    contact_all: bool,
}

impl Draft {
    /// What is explored unless said otherwise: two commands, two timers, no crash; who survives crashes may restart.
    fn of(variant: &Variant, replicas: u8) -> Draft {
        let recovers = matches!(variant.card.faults, Faults::CrashRecover | Faults::CrashForget);
        let restarts = if recovers { Times::Any } else { Times::Most(0) };
        let lock_step = variant.card.needs_synchrony();
        // A crash falls in the middle of a broadcast as well as between two: that is what synchronous rounds have to survive.
        let partial = if lock_step { Times::Any } else { Times::Most(0) };
        let bounds = Bounds { timers: Times::Most(2), partial, restarts, lock_step, ..Bounds::default() };
        let contact_all = variant.card.contact == Contact::All;
        let count = if contact_all { (Bounds::REQUESTS / replicas.max(1)).min(2) } else { 2 };
        let at = places(count, variant, replicas);
        Draft { bounds, at, reads: Vec::new(), transfers: Vec::new(), members: Vec::new(), replicas, contact_all }
    }

    /// The requests of clients: each at one of its nodes or, where clients ask all, one at each of them.
    fn requests(&self) -> Vec<Request> {
        let requests = Bounds::requests(&self.at, &self.reads);
        if !self.contact_all {
            return requests;
        }
        let each =
            |Request { command, at }: Request| at.iter().map(move |node| Request { command, at: NodeSet::just(node) });
        requests.into_iter().flat_map(each).collect()
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
                let count = number(value, 0, u64::from(Bounds::REQUESTS / 2));
                count.map(|count| self.at = places(count as u8, variant, self.replicas))
            }
            "at" => nodes(value, self.replicas).map(|at| self.at = at),
            "reads" if !variant.card.agrees_on.executes() && value != NONE => {
                Err(format!("{} agrees on one value and has nothing to read; none would do", variant.card.title))
            }
            "reads" => nodes(value, self.replicas).map(|reads| self.reads = reads),
            "transfers" if !variant.card.transfer && value != NONE => {
                Err(format!("{} has no way to hand over leadership; none would do", variant.card.title))
            }
            "transfers" => one_by_one(value, self.replicas).map(|to| self.transfers = to),
            "members" if !variant.card.membership && value != NONE => {
                Err(format!("{} cannot change its members while it runs; none would do", variant.card.title))
            }
            "members" => memberships(value).map(|members| self.members = members),
            "byzantine" => {
                one_by_one(value, self.replicas).map(|byzantine| bounds.byzantine = byzantine.into_iter().collect())
            }
            "symmetry" => on(value).map(|on| bounds.symmetry = on),
            "lockstep" => on(value).map(|on| bounds.lock_step = on),
            "timers" => times(value).map(|most| bounds.timers = most),
            "crashes" => times(value).map(|most| bounds.crashes = most),
            "partial" => times(value).map(|most| bounds.partial = most),
            "restarts" => times(value).map(|most| bounds.restarts = most),
            "duplicates" => times(value).map(|most| bounds.duplicates = most),
            "losses" => times(value).map(|most| bounds.losses = most),
            "own" => late(value).map(|late| bounds.late_to_self = late),
            "lost" => kinds(value, variant).map(|kinds| bounds.lost_kinds = kinds),
            _ => return Err((format!("\"{key}\""), super::problem::no_such(key, "bounds", keys()))),
        };
        done.map_err(|says| (value.to_owned(), says))
    }

    /// All bounds as one would write them.
    fn values(&self, variant: &Variant) -> Vec<Bound> {
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
        let joined = |words: Vec<String>| if words.is_empty() { NONE.to_owned() } else { words.join("+") };
        let name = |node: NodeId| (node.0 + 1).to_string();
        let names = |set: &NodeSet| set.iter().map(name).collect::<Vec<_>>().join(".");
        let values = [
            bounds.states.to_string(),
            or_any(bounds.depth),
            self.at.len().to_string(),
            joined(self.at.iter().map(place).collect()),
            joined(self.reads.iter().map(place).collect()),
            joined(self.transfers.iter().copied().map(name).collect()),
            joined(self.members.iter().map(names).collect()),
            times(bounds.timers),
            times(bounds.crashes),
            times(bounds.partial),
            times(bounds.restarts),
            times(bounds.duplicates),
            times(bounds.losses),
            or_any(bounds.epoch),
            bounds.messages.to_string(),
            bounds.copies.to_string(),
            if bounds.late_to_self { "late" } else { "now" }.to_owned(),
            if lost.is_empty() { NONE.to_owned() } else { lost.join("+") },
            joined(bounds.byzantine.iter().map(name).collect()),
            if bounds.lock_step { "on" } else { "off" }.to_owned(),
            if bounds.symmetry { "on" } else { "off" }.to_owned(),
        ];
        BOUNDS.iter().zip(values).map(|((key, _), value)| Bound { key, value }).collect()
    }

    fn finished(self) -> Bounds {
        let requests = self.requests();
        let transfers = self.transfers.iter().copied().map(Order::HandOver);
        let changes = self.members.iter().copied().map(Order::Reconfigure);
        let last = self.members.iter().flat_map(|set| set.iter()).map(|node| node.0 + 1).max().unwrap_or(0);
        Bounds {
            requests,
            orders: transfers.chain(changes).collect(),
            newcomers: last.saturating_sub(self.replicas),
            ..self.bounds
        }
    }
}

/// Where to ask for so many commands: without a leader, each command is asked of a node of its own; with one, whoever leads may be asked for any
/// of them.
fn places(count: u8, variant: &Variant, replicas: u8) -> Vec<NodeSet> {
    let own = |index| NodeSet::just(NodeId(index % replicas));
    let led = variant.card.agrees_on.executes() && variant.card.leader != LeaderModel::None;
    let place = |index| if led { NodeSet::first(replicas) } else { own(index) };
    (0..count).map(place).collect()
}

/// One node, counted from 1.
fn node(word: &str, most: u8) -> Option<NodeId> {
    let number = word.parse().ok().filter(|number| (1..=most).contains(number))?;
    Some(NodeId(number - 1))
}

fn one_by_one(text: &str, replicas: u8) -> Result<Vec<NodeId>, String> {
    let words = text.split('+').filter(|_| text != NONE);
    let nodes: Option<Vec<NodeId>> = words.map(|word| node(word, replicas)).collect();
    nodes
        .filter(|nodes| nodes.len() <= usize::from(Bounds::REQUESTS) / 2)
        .ok_or_else(|| format!("up to 8 nodes from 1 to {replicas}, joined by +, or {NONE}, would do"))
}

fn memberships(text: &str) -> Result<Vec<NodeSet>, String> {
    let words = text.split('+').filter(|_| text != NONE);
    let set = |word: &str| word.split('.').map(|word| node(word, NODES)).collect::<Option<NodeSet>>();
    let sets: Option<Vec<NodeSet>> = words.map(set).collect();
    sets.filter(|sets| sets.len() <= usize::from(Bounds::REQUESTS) / 2).ok_or_else(|| {
        format!("up to 8 sets of nodes from 1 to {NODES}, such as 1.2.3, joined by +, or {NONE}, would do")
    })
}

fn on(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off would do".to_owned()),
    }
}

/// One goal, as [`GOALS`] has it; an error says what would do.
fn goal(text: &str, replicas: u8, properties: &[&str]) -> Result<Goal, String> {
    let (key, value) = text.split_once('=').map_or((text, None), |(key, value)| (key, Some(value)));
    let (key, at) = key.split_once('@').map_or((key, None), |(key, epoch)| (key, Some(epoch)));
    let (value, at) = match value.and_then(|value| value.split_once('@')) {
        Some((value, epoch)) if matches!(key, "leader" | "held") => (Some(value), Some(epoch)),
        _ => (value, at),
    };
    let count = |text: Option<&str>| text.and_then(|text| text.parse().ok()).filter(|&number: &u32| number > 0);
    let who = |value: Option<&str>| match value {
        None => Ok(None),
        Some(word) => node(word, replicas).map(Some).ok_or_else(|| format!("a node from 1 to {replicas} would do")),
    };
    let needs = |number: Option<u32>| number.ok_or_else(|| format!("{key}=N with N from 1 on would do"));
    match key {
        "leader" => {
            let epoch = if at.is_some() { count(at).ok_or("an epoch from 1 on would do after @")? } else { 0 };
            Ok(Goal::Leader(who(value)?, epoch))
        }
        "held" => held(value.unwrap_or_default(), at, replicas)
            .ok_or_else(|| "a slot, as in held=1, held=1x3, held=1@2 or held=1x3@2.5, would do".to_owned()),
        _ if at.is_some() => Err("@ goes with leader and held only".to_owned()),
        "epoch" => needs(count(value)).map(Goal::Epoch),
        "chosen" => needs(count(value)).map(Goal::Chosen),
        "crashed" => who(value).map(Goal::Crashed),
        "violated" => match value {
            Some(property) if properties.contains(&property) => Ok(Goal::Violated(property.to_owned())),
            _ => Err(super::problem::no_such(value.unwrap_or_default(), "properties", properties.iter().copied())),
        },
        _ => Err(super::problem::no_such(key, "goals", GOALS.iter().map(|(key, _)| *key))),
    }
}

/// What follows `held=`: a slot, perhaps how many nodes, perhaps the epoch, perhaps its owner.
fn held(text: &str, at: Option<&str>, replicas: u8) -> Option<Goal> {
    let count = |text: &str| text.parse().ok().filter(|&number: &u32| number > 0);
    let (slot, nodes) = text.split_once('x').unwrap_or((text, "1"));
    let (epoch, owner) =
        at.map(|at| at.split_once('.').map_or((at, None), |(epoch, owner)| (epoch, Some(owner)))).unzip();
    let owner = owner.flatten().map(|owner| node(owner, replicas));
    if owner == Some(None) {
        return None;
    }
    let nodes = node(nodes, replicas)?.0 + 1;
    Some(Goal::Held { slot: count(slot)?, nodes, epoch: epoch.map_or(Some(0), count)?, owner: owner.flatten() })
}

fn nodes(text: &str, replicas: u8) -> Result<Vec<NodeSet>, String> {
    if text == NONE {
        return Ok(Vec::new());
    }
    let place = |word: &str| match word.parse() {
        _ if word == ANY => Some(NodeSet::first(replicas)),
        Ok(number @ 1..) if number <= replicas => Some(NodeSet::just(NodeId(number - 1))),
        _ => None,
    };
    let places: Option<Vec<NodeSet>> = text.split('+').map(place).collect();
    let fits = |places: &Vec<NodeSet>| places.len() <= usize::from(Bounds::REQUESTS) / 2;
    let most = Bounds::REQUESTS / 2;
    places
        .filter(fits)
        .ok_or_else(|| format!("up to {most} nodes from 1 to {replicas}, or {ANY}, joined by +, or {NONE}, would do"))
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
    if text == NONE {
        return Ok(0);
    }
    let names = || variant.kinds.iter().map(|kind| kind.name);
    text.split('+').try_fold(0, |kinds, name| {
        let place = names().position(|known| known.eq_ignore_ascii_case(name));
        place.map(|bit| kinds | 1 << bit).ok_or_else(|| super::problem::no_such(name, "kinds", names()))
    })
}
