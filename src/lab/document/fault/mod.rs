//! Scripted faults and interventions as text: `{ at = "5s", do = "crash", node = 1 }`. Nodes are counted from 1; sites and domains are named.

#[cfg(feature = "link")]
mod now;
mod read;
mod script_check;

pub use script_check::ScriptCheck;

use super::quantity::Quantity;
use crate::core::node::Kind;
use crate::core::{Micros, NodeId, NodeSet, TimerKind};
use crate::sim::action::{ALL, Behaviour, DiskFault, DomainFault, FlightId, Intercept, LinkFault, Which};
use crate::sim::roles::Role;
use crate::sim::{Action, DomainId, InFlight};
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// One action at one time: `{ at = "5s", do = "crash", node = 1 }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When, since the start, such as "5s".
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub at: Quantity,
    /// The action; `scenarios/README.md` lists the actions and their fields.
    #[serde(rename = "do")]
    pub action: String,
    /// The node it is done to, counted from 1; or "leader" or "follower", whoever that is then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Target>,
    /// Instead of a node, all that is in a place: a region, a site, `site/rack` or `site/rack/machine` (crash, restart, pause, continue,
    /// cut, heal).
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// One end of a link: a node, a list of nodes, or "all" of them, those that join later included; or "leader", "follower", "majority" or
    /// "minority", whoever that is then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Nodes>,
    /// The other end of a link, in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Nodes>,
    /// Only the way from `from` to `to`; the way back stays as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_way: bool,
    /// The cut does not count for clients. Without it, clients at a place cannot reach the replicas of another place once every link between
    /// the replicas of the two is cut (cut).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replicas_only: bool,
    /// The id of a site (move, add, request); with `in_flight`, that of a client (hold, deliver, drop, duplicate).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// How many messages get lost from now on, such as "5%" (loss).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub loss: Option<Quantity>,
    /// A share, such as "5%": of messages (duplication, reordering), or of the usual time, such as "1000%" (throttle).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub share: Option<Quantity>,
    /// How much longer, such as "30ms" (slow), or how much longer at most (reordering).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub extra: Option<Quantity>,
    /// The mean of a random delay that comes to that, such as "5ms" (slow).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub jitter: Option<Quantity>,
    /// How much fits through, such as "1MB/s"; "0B/s" for no limit (limit).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub bandwidth: Option<Quantity>,
    /// The kind of a message, such as "Promise" (hold, deliver, drop, duplicate, release).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The how many-th such message that is sent from now on. Default: 1 (hold, deliver, drop, duplicate).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// The message is one that is in flight now, or held; `nth` counts these, the held ones first, then in the order of their arrival. A client's
    /// request is named by `site` and `to`, the reply to one by `from` and `site` (hold, deliver, drop, duplicate).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_flight: bool,
    /// The name of a timer, such as "election timeout" (fire).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<String>,
    /// Which of several timers of that name, by the number that tells them apart. Default: 0 (fire).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Instead of its kind, the number of a message under way, as a page that shows it knows it.
    #[serde(alias = "parcel", default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<u32>,
    /// The same for a client's request or the answer to it.
    #[serde(alias = "letter", default, skip_serializing_if = "Option::is_none")]
    pub client_message: Option<u32>,
    /// How long one write to the disk takes, such as "50ms" (slow-disk).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub write: Option<Quantity>,
    /// By how many millionths the clock runs too fast; negative: too slow (drift).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppm: Option<i32>,
    /// How far the clock jumps, such as "2s", or "-2s" for backwards (jump).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub by: Option<Quantity>,
    /// Which Byzantine behaviour: silent, twin, deny, to-all, tamper, or honest to end it (byzantine).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// The crash falls in the middle of what the node sends: after so many more messages to other replicas (crash).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u16>,
    /// The node's clock stands still while it is paused (pause).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clock_stops: bool,
}

/// One node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// By its number, counted from 1.
    Number(u32),
    /// By the role it has when the action's time comes.
    Role(Role),
}

impl From<u32> for Target {
    fn from(number: u32) -> Target {
        Target::Number(number)
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Target::Number(number) => number.serialize(serializer),
            Target::Role(role) => role.name().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Target, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Target;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of a node, \"leader\" or \"follower\"")
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<Target, E> {
                let single = Role::ALL.into_iter().find(|role| role.is_single() && role.name() == word);
                single.map(Target::Role).ok_or_else(|| E::invalid_value(Unexpected::Str(word), &self))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Target, E> {
                let read = u32::try_from(number).map(Target::Number);
                read.map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Target, E> {
                let read = u32::try_from(number).map(Target::Number);
                read.map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Target {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let number = generator.subschema_for::<u32>();
        let roles: Vec<&str> = Role::ALL.iter().filter(|role| role.is_single()).map(|role| role.name()).collect();
        schemars::json_schema!({
            "description": "A node, counted from 1, or by the role it has then.",
            "anyOf": [number, { "enum": roles }]
        })
    }
}

/// One node or several, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nodes {
    /// One.
    One(u32),
    /// Several.
    Several(Vec<u32>),
    /// All, those that join later included.
    All,
    /// By the role they have when the action's time comes.
    Role(Role),
}

/// The word for [`Nodes::All`].
const ALL_NODES: &str = "all";

impl Serialize for Nodes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Nodes::One(number) => number.serialize(serializer),
            Nodes::Several(list) => list.serialize(serializer),
            Nodes::All => ALL_NODES.serialize(serializer),
            Nodes::Role(role) => role.name().serialize(serializer),
        }
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Nodes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Nodes".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (one, several) = (generator.subschema_for::<u32>(), generator.subschema_for::<Vec<u32>>());
        schemars::json_schema!({
            "description": "One node or several, counted from 1, or all, those that join later included.",
            "anyOf": [one, several, { "const": ALL_NODES }, { "enum": Role::ALL.map(Role::name) }]
        })
    }
}

impl<'de> Deserialize<'de> for Nodes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Nodes, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Nodes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of a node, a list of such, \"all\", \"leader\", \"follower\", \"majority\" or \"minority\"")
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<Nodes, E> {
                match word {
                    ALL_NODES => Ok(Nodes::All),
                    _ => match Role::ALL.into_iter().find(|role| role.name() == word) {
                        Some(role) => Ok(Nodes::Role(role)),
                        None => Err(E::invalid_value(Unexpected::Str(word), &self)),
                    },
                }
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Nodes, E> {
                u32::try_from(number).map(Nodes::One).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Nodes, E> {
                u32::try_from(number).map(Nodes::One).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Nodes, A::Error> {
                let mut list = Vec::new();
                while let Some(number) = seq.next_element()? {
                    list.push(number);
                }
                Ok(Nodes::Several(list))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// What the actions on single messages take.
const INTERCEPTS: &[&str] = &["from", "to", "kind", "nth", "in_flight", "site", "message_id", "client_message"];

/// The actions (`do`), with the fields that each takes.
const VERBS: &[(&str, &[&str])] = &[
    ("crash", &["node", "in", "after"]),
    ("restart", &["node", "in"]),
    ("pause", &["node", "in", "clock_stops"]),
    ("continue", &["node", "in"]),
    ("wipe-disk", &["node"]),
    ("slow-disk", &["node", "write"]),
    ("fill-disk", &["node"]),
    ("forget-writes", &["node"]),
    ("tear-write", &["node"]),
    ("corrupt-disk", &["node"]),
    ("repair-disk", &["node"]),
    ("drift", &["node", "ppm"]),
    ("jump", &["node", "by"]),
    ("throttle", &["node", "share"]),
    ("byzantine", &["node", "how", "to"]),
    ("cut", &["from", "to", "one_way", "replicas_only", "in"]),
    ("heal", &["from", "to", "in"]),
    ("heal-all", &[]),
    ("move", &["node", "site"]),
    ("hand-over", &["node"]),
    ("add", &["site"]),
    ("remove", &["node"]),
    ("request", &["site"]),
    ("loss", &["loss", "from", "to", "one_way"]),
    ("slow", &["from", "to", "one_way", "extra", "jitter"]),
    ("duplication", &["share", "from", "to", "one_way"]),
    ("reordering", &["share", "extra", "from", "to", "one_way"]),
    ("limit", &["bandwidth", "node", "from", "to", "one_way"]),
    ("clear-link-faults", &[]),
    ("stabilise", &[]),
    ("hold", INTERCEPTS),
    ("deliver", INTERCEPTS),
    ("drop", INTERCEPTS),
    ("duplicate", INTERCEPTS),
    ("fire", &["node", "timer", "number"]),
    ("hold-all", &[]),
    ("release-all", &[]),
    ("release", &["from", "to", "kind"]),
    ("quiesce", &[]),
    ("resume", &[]),
];

/// Earlier names of actions and Byzantine behaviours, with their present names. They are read, never written.
const RENAMED: &[(&str, &str)] = &[
    ("calm", "clear-link-faults"),
    ("mend-disk", "repair-disk"),
    ("lie", "byzantine"),
    ("forge", "tamper"),
    ("nothing", "honest"),
];

/// The present name for one that an earlier version may have written.
fn renamed(word: &str) -> &str {
    RENAMED.iter().find(|(before, _)| *before == word).map_or(word, |(_, now)| now)
}

/// Byzantine behaviours (`how`), and whether they need `to`.
const BEHAVIOURS: &[(&str, bool)] =
    &[("silent", false), ("twin", true), ("deny", true), ("to-all", false), ("tamper", false), ("honest", false)];

/// The names of all actions.
pub fn words() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|(verb, _)| *verb)
}

/// The names of all Byzantine behaviours.
pub fn byzantine() -> impl Iterator<Item = &'static str> {
    BEHAVIOURS.iter().map(|(word, _)| *word)
}

/// The names by which a document refers to sites, failure domains and message kinds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// The ids of the sites.
    pub sites: &'a [&'a str],
    /// The names of the failure domains, by [`DomainId`].
    pub domains: &'a [String],
    /// The kinds of messages of the variant.
    pub kinds: &'static [Kind],
    /// The kinds of timers of the variant.
    pub timers: &'static [TimerKind],
}

impl<'a> From<&'a [&'a str]> for Names<'a> {
    fn from(sites: &'a [&'a str]) -> Names<'a> {
        Names { sites, ..Names::default() }
    }
}

impl<'a> From<&'a Vec<&'a str>> for Names<'a> {
    fn from(sites: &'a Vec<&'a str>) -> Names<'a> {
        Names { sites, ..Names::default() }
    }
}

/// The name of an interception.
fn intercept_word(intercept: Intercept) -> &'static str {
    match intercept {
        Intercept::Hold => "hold",
        Intercept::Deliver => "deliver",
        Intercept::Drop => "drop",
        Intercept::Duplicate => "duplicate",
    }
}

fn bandwidth(bytes_per_s: u32) -> Option<Quantity> {
    Some(Quantity::from_bytes_per_s(bytes_per_s.into()))
}

impl Fault {
    /// Writes an action as a script entry.
    pub fn new<'a>(at: Micros, action: Action, names: impl Into<Names<'a>>) -> Fault {
        let names = names.into();
        let number = |node: NodeId| Some(Target::Number(u32::from(node.0) + 1));
        let one = |node: NodeId| Some(Nodes::One(u32::from(node.0) + 1));
        let several = |set: NodeSet| Some(Nodes::Several(set.iter().map(|node| u32::from(node.0) + 1).collect()));
        let end = |set: NodeSet| if set == ALL { Some(Nodes::All) } else { several(set) };
        let which = |Which { from, to, kind }, fault: Fault| {
            let kind = names.kinds.get(usize::from(kind.0)).map(|kind| kind.name.to_owned());
            Fault { from: one(from), to: one(to), kind, ..fault }
        };
        let id = |site: u8| names.sites.get(usize::from(site)).map(|id| (*id).to_owned());
        let place = |domain: DomainId| names.domains.get(usize::from(domain.0)).cloned();
        let fault = Fault { at: Quantity::from_micros(at), ..Fault::default() };
        let does = |verb: &str, fault: Fault| Fault { action: verb.to_owned(), ..fault };
        match action {
            Action::Crash(node) => does("crash", Fault { node: number(node), ..fault }),
            Action::CrashAfter { node, sends } => {
                does("crash", Fault { node: number(node), after: Some(sends), ..fault })
            }
            Action::Restart(node) => does("restart", Fault { node: number(node), ..fault }),
            Action::Pause { node, clock_stops } => does("pause", Fault { node: number(node), clock_stops, ..fault }),
            Action::Continue(node) => does("continue", Fault { node: number(node), ..fault }),
            Action::Domain { domain, fault: domain_fault } => {
                let verb = match domain_fault {
                    DomainFault::Crash => "crash",
                    DomainFault::Restart => "restart",
                    DomainFault::Pause => "pause",
                    DomainFault::Continue => "continue",
                    DomainFault::Partition => "cut",
                    DomainFault::Reconnect => "heal",
                };
                does(verb, Fault { place: place(domain), ..fault })
            }
            Action::Cut { from, to, both, replicas_only } => {
                does("cut", Fault { from: one(from), to: one(to), one_way: !both, replicas_only, ..fault })
            }
            Action::Heal(from, to) => does("heal", Fault { from: one(from), to: one(to), ..fault }),
            Action::Split { from, to, both, replicas_only } => {
                does("cut", Fault { from: several(from), to: several(to), one_way: !both, replicas_only, ..fault })
            }
            Action::Join(from, to) => does("heal", Fault { from: several(from), to: several(to), ..fault }),
            Action::HealAll => does("heal-all", fault),
            Action::Disturb { from, to, both, how } => {
                let fault = match (from, to, both, how) {
                    // All links are the default; but `loss` without ends holds for client messages as well.
                    (ALL, ALL, true, how) if !matches!(how, LinkFault::Lose(_)) => fault,
                    _ => Fault { from: end(from), to: end(to), one_way: !both, ..fault },
                };
                let share = |permille: u16| Some(Quantity::from_permille(permille.into()));
                let time = |micros: u32| Some(Quantity::from_micros(micros.into()));
                match how {
                    LinkFault::Slow { extra, jitter } => {
                        does("slow", Fault { extra: time(extra), jitter: time(jitter), ..fault })
                    }
                    LinkFault::Lose(permille) => does("loss", Fault { loss: share(permille), ..fault }),
                    LinkFault::Duplicate(permille) => does("duplication", Fault { share: share(permille), ..fault }),
                    LinkFault::Reorder { permille, by } => {
                        does("reordering", Fault { share: share(permille), extra: time(by), ..fault })
                    }
                    LinkFault::Narrow(bytes) => does("limit", Fault { bandwidth: bandwidth(bytes), ..fault }),
                }
            }
            Action::Uplink { node, bytes_per_s } => {
                does("limit", Fault { node: number(node), bandwidth: bandwidth(bytes_per_s), ..fault })
            }
            Action::ClearLinkFaults => does("clear-link-faults", fault),
            Action::Stabilise => does("stabilise", fault),
            Action::Behaviour { node, how } => {
                let (word, to) = match how {
                    Behaviour::Silent(to) => ("silent", to),
                    Behaviour::Twin(to) => ("twin", to),
                    Behaviour::Deny(to) => ("deny", to),
                    Behaviour::ToAll => ("to-all", ALL),
                    Behaviour::Tamper(to) => ("tamper", to),
                    Behaviour::Honest => ("honest", ALL),
                };
                let to = if to == ALL { None } else { several(to) };
                does("byzantine", Fault { node: number(node), how: Some(word.to_owned()), to, ..fault })
            }
            Action::Drift { node, ppm } => does("drift", Fault { node: number(node), ppm: Some(ppm), ..fault }),
            Action::Jump { node, by } => {
                let far = Quantity::from_micros(by.unsigned_abs().into());
                let by = if by < 0 { Quantity::from(&*format!("-{far}")) } else { far };
                does("jump", Fault { node: number(node), by: Some(by), ..fault })
            }
            Action::Throttle { node, percent } => {
                let share = Some(Quantity::from_permille(u64::from(percent) * 10));
                does("throttle", Fault { node: number(node), share, ..fault })
            }
            Action::Message { flight: FlightId::Message { message_id, to }, intercept } => {
                does(intercept_word(intercept), Fault { message_id: Some(message_id), to: one(to), ..fault })
            }
            Action::Message { flight: FlightId::ClientMessage(client_message), intercept } => {
                does(intercept_word(intercept), Fault { client_message: Some(client_message), ..fault })
            }
            Action::Catch { which: message, nth, intercept } => {
                let nth = (nth > 1).then_some(u32::from(nth));
                does(intercept_word(intercept), which(message, Fault { nth, ..fault }))
            }
            Action::Sent { which: message, nth, intercept } => {
                let nth = (nth > 1).then_some(u32::from(nth));
                let fault = Fault { nth, in_flight: true, ..fault };
                let fault = match message {
                    InFlight::Message(message) => which(message, fault),
                    InFlight::Request { site, to } => Fault { site: id(site), to: one(to), ..fault },
                    InFlight::Reply { from, site } => Fault { from: one(from), site: id(site), ..fault },
                };
                does(intercept_word(intercept), fault)
            }
            Action::Fire { node, timer } => {
                let kind = names.timers.get((timer & 0xff) as usize).map(|kind| kind.name.to_owned());
                let which = Some((timer >> 8) as u32).filter(|number| *number > 0);
                does("fire", Fault { node: number(node), timer: kind, number: which, ..fault })
            }
            Action::HoldAll => does("hold-all", fault),
            Action::ReleaseAll => does("release-all", fault),
            Action::Release(None) => does("release", fault),
            Action::Release(Some(message)) => does("release", which(message, fault)),
            Action::Move { node, site } => does("move", Fault { node: number(node), site: id(site), ..fault }),
            Action::HandOver(node) => does("hand-over", Fault { node: number(node), ..fault }),
            Action::Add { site } => does("add", Fault { site: id(site), ..fault }),
            Action::Remove(node) => does("remove", Fault { node: number(node), ..fault }),
            Action::Request { site } => does("request", Fault { site: id(site), ..fault }),
            Action::Loss { permille } => {
                does("loss", Fault { loss: Some(Quantity::from_permille(permille.into())), ..fault })
            }
            Action::Quiesce => does("quiesce", fault),
            Action::Resume => does("resume", fault),
            Action::Disk { node, fault: disk } => {
                let fault = Fault { node: number(node), ..fault };
                match disk {
                    DiskFault::Wipe => does("wipe-disk", fault),
                    DiskFault::Slow(micros) => {
                        does("slow-disk", Fault { write: Some(Quantity::from_micros(micros.into())), ..fault })
                    }
                    DiskFault::Fill => does("fill-disk", fault),
                    DiskFault::Forget => does("forget-writes", fault),
                    DiskFault::Tear => does("tear-write", fault),
                    DiskFault::Rot => does("corrupt-disk", fault),
                    DiskFault::Repair => does("repair-disk", fault),
                }
            }
        }
    }
}
