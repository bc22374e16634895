//! What is done to a world, as written in a script or a link. People count nodes from 1 and name places.

mod read;

use super::Quantity;
use crate::core::node::Kind;
use crate::core::{Micros, NodeId};
use crate::sim::action::{Blow, DiskFault};
use crate::sim::{Action, DomainId};
use serde::{Deserialize, Serialize};

/// One thing done at one time: `{ at = "5s", do = "crash", node = 1 }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When, since the start, such as "5s".
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub at: Quantity,
    /// What; the guide beside the built-in scenarios tells what each word does and takes.
    #[serde(rename = "do")]
    pub action: String,
    /// The node it is done to, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// Instead of a node, all that is in a place: a region, a site, `site/rack` or `site/rack/machine` (crash, restart, pause, continue,
    /// cut, heal).
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// One end of a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// The other end of a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// Only the way from `from` to `to`; the way back stays as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_way: bool,
    /// The id of a site (move, add, request).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// How many messages get lost from now on, such as "5%" (loss).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub loss: Option<Quantity>,
    /// The node's clock stands still while it is paused (pause).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clock_stops: bool,
}

/// Every word after `do`, with the fields it takes.
const VERBS: &[(&str, &[&str])] = &[
    ("crash", &["node", "in"]),
    ("restart", &["node", "in"]),
    ("pause", &["node", "in", "clock_stops"]),
    ("continue", &["node", "in"]),
    ("wipe-disk", &["node"]),
    ("cut", &["from", "to", "one_way", "in"]),
    ("heal", &["from", "to", "in"]),
    ("heal-all", &[]),
    ("move", &["node", "site"]),
    ("hand-over", &["node"]),
    ("add", &["site"]),
    ("remove", &["node"]),
    ("request", &["site"]),
    ("loss", &["loss"]),
    ("quiesce", &[]),
    ("resume", &[]),
];

/// Every word that may stand after `do`.
pub fn words() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|(verb, _)| *verb)
}

/// What things are called in a document.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// The ids of the sites.
    pub sites: &'a [&'a str],
    /// The names of the failure domains, by [`DomainId`].
    pub domains: &'a [String],
    /// The kinds of messages of the variant.
    pub kinds: &'static [Kind],
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

impl Fault {
    /// Writes an action down.
    pub fn new<'a>(at: Micros, action: Action, names: impl Into<Names<'a>>) -> Fault {
        let names = names.into();
        let number = |node: NodeId| Some(u32::from(node.0) + 1);
        let id = |site: u8| names.sites.get(usize::from(site)).map(|id| (*id).to_owned());
        let place = |domain: DomainId| names.domains.get(usize::from(domain.0)).cloned();
        let fault = Fault { at: Quantity::from_micros(at), ..Fault::default() };
        let does = |verb: &str, fault: Fault| Fault { action: verb.to_owned(), ..fault };
        match action {
            Action::Crash(node) => does("crash", Fault { node: number(node), ..fault }),
            Action::Restart(node) => does("restart", Fault { node: number(node), ..fault }),
            Action::Pause { node, clock_stops } => does("pause", Fault { node: number(node), clock_stops, ..fault }),
            Action::Continue(node) => does("continue", Fault { node: number(node), ..fault }),
            Action::Domain { domain, blow } => {
                let verb = match blow {
                    Blow::Crash => "crash",
                    Blow::Restart => "restart",
                    Blow::Pause => "pause",
                    Blow::Continue => "continue",
                    Blow::CutOff => "cut",
                    Blow::Reconnect => "heal",
                };
                does(verb, Fault { place: place(domain), ..fault })
            }
            Action::Cut { from, to, both } => {
                does("cut", Fault { from: number(from), to: number(to), one_way: !both, ..fault })
            }
            Action::Heal(from, to) => does("heal", Fault { from: number(from), to: number(to), ..fault }),
            Action::HealAll => does("heal-all", fault),
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
            Action::Disk { node, fault: DiskFault::Wipe } => does("wipe-disk", Fault { node: number(node), ..fault }),
        }
    }
}
