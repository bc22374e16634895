//! What is done to a world, as written in a script or a link. People count nodes from 1 and name sites.

use super::Quantity;
use super::problem::Complaints;
use crate::core::{Micros, NodeId};
use crate::sim::Action;
use crate::sim::action::Timed;
use crate::sim::world::MAX_NODES;
use serde::{Deserialize, Serialize};

/// One thing done at one time: `{ at = "5s", do = "crash", node = 1 }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When, since the start, such as "5s".
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub at: Quantity,
    /// What: crash, restart, cut, heal, heal-all, move, hand-over, add, remove, request, loss, quiesce or resume.
    #[serde(rename = "do")]
    pub action: String,
    /// The node it is done to, counted from 1 (crash, restart, move, hand-over, remove).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// One end of a link (cut, heal).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// The other end of a link (cut, heal).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// Cut only the way from `from` to `to`, and leave the way back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_way: bool,
    /// The id of a site (move, add, request).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// How many messages get lost from now on, such as "5%" (loss).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub loss: Option<Quantity>,
}

/// Every word after `do`, with the fields it takes.
const VERBS: &[(&str, &[&str])] = &[
    ("crash", &["node"]),
    ("restart", &["node"]),
    ("cut", &["from", "to", "one_way"]),
    ("heal", &["from", "to"]),
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

impl Fault {
    /// Writes an action down. `sites` are the ids of the sites.
    pub fn new(at: Micros, action: Action, sites: &[&str]) -> Fault {
        let number = |node: NodeId| Some(u32::from(node.0) + 1);
        let id = |site: u8| sites.get(usize::from(site)).map(|id| (*id).to_owned());
        let fault = Fault { at: Quantity::from_micros(at), ..Fault::default() };
        let does = |verb: &str, fault: Fault| Fault { action: verb.to_owned(), ..fault };
        match action {
            Action::Crash(node) => does("crash", Fault { node: number(node), ..fault }),
            Action::Restart(node) => does("restart", Fault { node: number(node), ..fault }),
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
        }
    }

    /// Reads it. `nodes` is how many nodes there may be by then; `path` is where the fault stands in its document.
    pub(super) fn read(&self, path: &str, sites: &[&str], nodes: usize, wrong: &mut Complaints) -> Option<Timed> {
        let Some((_, takes)) = VERBS.iter().find(|(verb, _)| *verb == self.action) else {
            wrong.unknown(format!("{path}.do"), &self.action, "words", words());
            return None;
        };
        let given = [
            ("node", self.node.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
            ("one_way", self.one_way),
            ("site", self.site.is_some()),
            ("loss", self.loss.is_some()),
        ];
        for (field, _) in given.iter().filter(|(field, given)| *given && !takes.contains(field)) {
            let fields = if takes.is_empty() { "nothing".to_owned() } else { takes.join(", ") };
            wrong.add(format!("{path}.{field}"), "", format!("{} takes {fields} besides \"at\"", self.action));
        }
        let at = match self.at.micros() {
            Ok(at) if at <= super::check::LONGEST => Some(at),
            Ok(_) => {
                wrong.add(format!("{path}.at"), &self.at, super::check::too_long());
                None
            }
            Err(says) => {
                wrong.add(format!("{path}.at"), &self.at, says);
                None
            }
        };
        let action = self.action(path, sites, nodes.min(MAX_NODES), wrong);
        Some(Timed { at: at?, action: action? })
    }

    fn action(&self, path: &str, sites: &[&str], nodes: usize, wrong: &mut Complaints) -> Option<Action> {
        let mut node = |field: &str, number: Option<u32>| -> Option<NodeId> {
            match number {
                Some(number) if number >= 1 && number as usize <= nodes => Some(NodeId(number as u8 - 1)),
                Some(number) => {
                    wrong.add(format!("{path}.{field}"), number, format!("the nodes are 1 to {nodes}"));
                    None
                }
                None => {
                    let says = format!("{} needs a node, 1 to {nodes}", self.action);
                    wrong.add(format!("{path}.{field}"), "", says);
                    None
                }
            }
        };
        Some(match self.action.as_str() {
            "crash" => Action::Crash(node("node", self.node)?),
            "restart" => Action::Restart(node("node", self.node)?),
            "hand-over" => Action::HandOver(node("node", self.node)?),
            "remove" => Action::Remove(node("node", self.node)?),
            "cut" | "heal" => {
                let (from, to) = (node("from", self.from), node("to", self.to));
                let (from, to) = (from?, to?);
                if from == to {
                    wrong.add(format!("{path}.to"), to.0 + 1, "a node has no link to itself; name two nodes");
                    return None;
                }
                match self.action.as_str() {
                    "cut" => Action::Cut { from, to, both: !self.one_way },
                    _ => Action::Heal(from, to),
                }
            }
            "move" => {
                let node = node("node", self.node);
                let site = self.site(path, sites, wrong);
                Action::Move { node: node?, site: site? }
            }
            "add" => Action::Add { site: self.site(path, sites, wrong)? },
            "request" => Action::Request { site: self.site(path, sites, wrong)? },
            "loss" => Action::Loss { permille: self.permille(path, wrong)? },
            "heal-all" => Action::HealAll,
            "quiesce" => Action::Quiesce,
            _ => Action::Resume,
        })
    }

    fn site(&self, path: &str, sites: &[&str], wrong: &mut Complaints) -> Option<u8> {
        let Some(site) = &self.site else {
            let says = format!("{} needs a site: {}", self.action, sites.join(", "));
            wrong.add(format!("{path}.site"), "", says);
            return None;
        };
        let index = sites.iter().position(|id| id == site);
        if index.is_none() {
            wrong.unknown(format!("{path}.site"), site, "sites", sites.iter().copied());
        }
        index.map(|index| index as u8)
    }

    fn permille(&self, path: &str, wrong: &mut Complaints) -> Option<u16> {
        let Some(loss) = &self.loss else {
            wrong.add(format!("{path}.loss"), "", "loss needs a share such as \"5%\"");
            return None;
        };
        match loss.permille() {
            Ok(permille) if permille <= 1000 => Some(permille as u16),
            Ok(_) => {
                wrong.add(format!("{path}.loss"), loss, "0% to 100% would do");
                None
            }
            Err(says) => {
                wrong.add(format!("{path}.loss"), loss, says);
                None
            }
        }
    }
}
