//! Reading what is done to a world, or saying what would do.

use super::{Fault, Names, VERBS, words};
use crate::core::NodeId;
use crate::lab::check;
use crate::lab::problem::Complaints;
use crate::sim::action::{Blow, DiskFault, Timed};
use crate::sim::world::MAX_NODES;
use crate::sim::{Action, DomainId};

/// One fault, where it stands, and who is told what is wrong with it.
struct Reader<'a, 'b> {
    fault: &'a Fault,
    path: &'a str,
    names: Names<'a>,
    /// How many nodes there may be.
    nodes: usize,
    wrong: &'b mut Complaints,
}

impl Fault {
    /// Reads it. `nodes` is how many nodes there may be by then; `path` is where the fault stands in its document.
    pub(in crate::lab) fn read(
        &self,
        path: &str,
        names: Names<'_>,
        nodes: usize,
        wrong: &mut Complaints,
    ) -> Option<Timed> {
        let Some((_, takes)) = VERBS.iter().find(|(verb, _)| *verb == self.action) else {
            wrong.unknown(format!("{path}.do"), &self.action, "words", words());
            return None;
        };
        for (field, _) in self.given().iter().filter(|(field, given)| *given && !takes.contains(field)) {
            let fields = if takes.is_empty() { "nothing".to_owned() } else { takes.join(", ") };
            wrong.add(format!("{path}.{field}"), "", format!("{} takes {fields} besides \"at\"", self.action));
        }
        let at = match self.at.micros() {
            Ok(at) if at <= check::LONGEST => Some(at),
            Ok(_) => {
                wrong.add(format!("{path}.at"), &self.at, check::too_long());
                None
            }
            Err(says) => {
                wrong.add(format!("{path}.at"), &self.at, says);
                None
            }
        };
        let action = Reader { fault: self, path, names, nodes: nodes.min(MAX_NODES), wrong }.action();
        Some(Timed { at: at?, action: action? })
    }

    /// All fields but the two that every fault has, and whether they are there.
    fn given(&self) -> [(&'static str, bool); 8] {
        [
            ("node", self.node.is_some()),
            ("in", self.place.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
            ("one_way", self.one_way),
            ("site", self.site.is_some()),
            ("loss", self.loss.is_some()),
            ("clock_stops", self.clock_stops),
        ]
    }
}

impl Reader<'_, '_> {
    fn action(&mut self) -> Option<Action> {
        let fault = self.fault;
        Some(match fault.action.as_str() {
            "crash" => self.node_or_place(Action::Crash, Blow::Crash)?,
            "restart" => self.node_or_place(Action::Restart, Blow::Restart)?,
            "pause" => {
                if fault.clock_stops && fault.place.is_some() {
                    self.complain("clock_stops", "", "is for one node; name it in \"node\"");
                    return None;
                }
                let clock_stops = fault.clock_stops;
                self.node_or_place(|node| Action::Pause { node, clock_stops }, Blow::Pause)?
            }
            "continue" => self.node_or_place(Action::Continue, Blow::Continue)?,
            "wipe-disk" => Action::Disk { node: self.node()?, fault: DiskFault::Wipe },
            "cut" if fault.place.is_some() => self.edge(Blow::CutOff)?,
            "heal" if fault.place.is_some() => self.edge(Blow::Reconnect)?,
            "cut" => {
                let (from, to) = self.link()?;
                Action::Cut { from, to, both: !fault.one_way }
            }
            "heal" => {
                let (from, to) = self.link()?;
                Action::Heal(from, to)
            }
            "heal-all" => Action::HealAll,
            "move" => {
                let node = self.node();
                let site = self.site();
                Action::Move { node: node?, site: site? }
            }
            "hand-over" => Action::HandOver(self.node()?),
            "add" => Action::Add { site: self.site()? },
            "remove" => Action::Remove(self.node()?),
            "request" => Action::Request { site: self.site()? },
            "loss" => Action::Loss { permille: self.permille()? },
            "quiesce" => Action::Quiesce,
            "resume" => Action::Resume,
            other => unreachable!("{other} is among the words, so it is read here"),
        })
    }

    fn complain(&mut self, field: &str, value: impl std::fmt::Display, says: impl Into<String>) {
        self.wrong.add(format!("{}.{field}", self.path), value, says);
    }

    fn numbered(&mut self, field: &str, number: Option<u32>) -> Option<NodeId> {
        let nodes = self.nodes;
        match number {
            Some(number) if number >= 1 && number as usize <= nodes => return Some(NodeId(number as u8 - 1)),
            Some(number) => self.complain(field, number, format!("the nodes are 1 to {nodes}")),
            None => self.complain(field, "", format!("{} needs a node, 1 to {nodes}", self.fault.action)),
        }
        None
    }

    fn node(&mut self) -> Option<NodeId> {
        self.numbered("node", self.fault.node)
    }

    /// What is done to a node, or to all in a place.
    fn node_or_place(&mut self, one: impl Fn(NodeId) -> Action, blow: Blow) -> Option<Action> {
        match (&self.fault.place, self.fault.node) {
            (None, _) => Some(one(self.node()?)),
            (Some(_), None) => Some(Action::Domain { domain: self.domain()?, blow }),
            (Some(_), Some(_)) => {
                self.complain("in", "", "\"node\" names a node already; leave one of the two out");
                None
            }
        }
    }

    /// What is done to the edge of a place.
    fn edge(&mut self, blow: Blow) -> Option<Action> {
        if self.fault.from.is_some() || self.fault.to.is_some() || self.fault.one_way {
            self.complain("in", "", "is for a whole place, \"from\" and \"to\" for a link; leave one of the two out");
            return None;
        }
        Some(Action::Domain { domain: self.domain()?, blow })
    }

    fn domain(&mut self) -> Option<DomainId> {
        let place = self.fault.place.as_deref()?;
        let domains = self.names.domains;
        let index = domains.iter().position(|name| name == place);
        if index.is_none() {
            let path = format!("{}.in", self.path);
            self.wrong.unknown(path, place, "places", domains.iter().map(String::as_str));
        }
        index.map(|index| DomainId(index as u16))
    }

    fn link(&mut self) -> Option<(NodeId, NodeId)> {
        let (from, to) = (self.numbered("from", self.fault.from), self.numbered("to", self.fault.to));
        let (from, to) = (from?, to?);
        if from == to {
            self.complain("to", to.0 + 1, "a node has no link to itself; name two nodes");
            return None;
        }
        Some((from, to))
    }

    fn site(&mut self) -> Option<u8> {
        let sites = self.names.sites;
        let Some(site) = &self.fault.site else {
            self.complain("site", "", format!("{} needs a site: {}", self.fault.action, sites.join(", ")));
            return None;
        };
        let index = sites.iter().position(|id| id == site);
        if index.is_none() {
            self.wrong.unknown(format!("{}.site", self.path), site, "sites", sites.iter().copied());
        }
        index.map(|index| index as u8)
    }

    fn permille(&mut self) -> Option<u16> {
        let Some(loss) = &self.fault.loss else {
            self.complain("loss", "", "loss needs a share such as \"5%\"");
            return None;
        };
        match loss.permille() {
            Ok(permille) if permille <= 1000 => return Some(permille as u16),
            Ok(_) => self.complain("loss", loss, "0% to 100% would do"),
            Err(says) => self.complain("loss", loss, says),
        }
        None
    }
}
