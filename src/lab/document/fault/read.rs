//! Reading script entries: from names and quantities to an [`Action`], with every problem reported.

mod messages;

use super::{BEHAVIOURS, Fault, Names, Nodes, Target, VERBS, byzantine, renamed, words};
use crate::core::{NodeId, NodeSet};
use crate::lab::document::Quantity;
use crate::lab::document::problem::ProblemCollector;
use crate::lab::document::read::{LONGEST, too_long};
use crate::sim::action::{
    ALL, BANDWIDTHS, Behaviour, DiskFault, DomainFault, Intercept, LinkFault, MOST_DELAY, MOST_DRIFT, MOST_JUMP, Timed,
};
use crate::sim::roles::{Role, Roles};
use crate::sim::world::MAX_NODES;
use crate::sim::{Action, DomainId};

/// A quantity field: how it is parsed, its bounds, and the messages for them.
struct Amount {
    /// What to ask for if the field is missing.
    needs: &'static str,
    /// The number in the smallest unit, or what is wrong with the text.
    read: fn(&Quantity) -> Result<i64, &'static str>,
    /// Whether it is within bounds.
    fits: fn(i64) -> bool,
    /// The bounds.
    would: &'static str,
}

const TIME: Amount = Amount {
    needs: "a time such as \"30ms\"",
    read: |time| time.micros().map(signed),
    fits: |micros| micros <= i64::from(MOST_DELAY),
    would: "0s to 60s",
};
const SHARE: Amount = Amount {
    needs: "a share such as \"5%\"",
    read: |share| share.permille().map(signed),
    fits: |permille| permille <= 1_000,
    would: "0% to 100%",
};
const SLOWNESS: Amount = Amount {
    needs: "a share of the usual time such as \"1000%\"",
    read: |share| share.permille().map(signed),
    fits: |permille| (10..=655_350).contains(&permille) && permille % 10 == 0,
    would: "a whole percentage from 1% to 65535%",
};
const BANDWIDTH: Amount = Amount {
    needs: "a bandwidth such as \"1MB/s\"",
    read: |bandwidth| bandwidth.bytes_per_s().map(signed),
    fits: |bytes| bytes == 0 || u32::try_from(bytes).is_ok_and(|bytes| BANDWIDTHS.contains(&bytes)),
    would: "100B/s to 4GB/s, or 0B/s for no limit,",
};
const JUMP: Amount = Amount {
    needs: "a time such as \"2s\" or \"-2s\"",
    read: |time| match time.text().strip_prefix('-') {
        Some(back) => Quantity::from(back).micros().map(|micros| -signed(micros)),
        None => time.micros().map(signed),
    },
    fits: |micros| micros.unsigned_abs() <= MOST_JUMP.into(),
    would: "-30min to 30min",
};

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// One end of a link, or of several.
#[derive(Clone, Copy)]
enum End {
    One(NodeId),
    Several(NodeSet),
    All,
    Role(Role),
}

impl End {
    fn set(self) -> NodeSet {
        match self {
            End::One(node) => NodeSet::just(node),
            End::Several(set) => set,
            End::All => ALL,
            // Found out when its time comes.
            End::Role(_) => NodeSet::EMPTY,
        }
    }
}

/// One fault, where it stands, and who is told what is wrong with it.
struct Reader<'a, 'b> {
    fault: &'a Fault,
    path: &'a str,
    names: Names<'a>,
    /// How many nodes there may be.
    nodes: usize,
    /// The roles named so far.
    roles: Roles,
    problems: &'b mut ProblemCollector,
}

impl Fault {
    /// Reads the entry. `nodes` is the most nodes there can be at its time; `path` is its path in the document. `None`: problems were reported.
    pub(in crate::lab) fn read(
        &self,
        path: &str,
        names: Names<'_>,
        nodes: usize,
        problems: &mut ProblemCollector,
    ) -> Option<Timed> {
        let Some((_, takes)) = VERBS.iter().find(|(verb, _)| *verb == renamed(&self.action)) else {
            problems.unknown(format!("{path}.do"), &self.action, "words", words());
            return None;
        };
        for (field, _) in self.given().iter().filter(|(field, given)| *given && !takes.contains(field)) {
            let fields = if takes.is_empty() { "nothing".to_owned() } else { takes.join(", ") };
            problems.add(format!("{path}.{field}"), "", format!("{} takes {fields} besides \"at\"", self.action));
        }
        let at = match self.at.micros() {
            Ok(at) if at <= LONGEST => Some(at),
            Ok(_) => {
                problems.add(format!("{path}.at"), &self.at, too_long());
                None
            }
            Err(says) => {
                problems.add(format!("{path}.at"), &self.at, says);
                None
            }
        };
        let mut reader =
            Reader { fault: self, path, names, nodes: nodes.min(MAX_NODES), roles: Roles::default(), problems };
        let action = reader.action();
        let roles = reader.roles;
        Some(Timed { at: at?, action: action?, roles })
    }

    /// All fields but `at` and `do`, and whether they are given.
    fn given(&self) -> [(&'static str, bool); 25] {
        [
            ("node", self.node.is_some()),
            ("in", self.place.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
            ("one_way", self.one_way),
            ("replicas_only", self.replicas_only),
            ("site", self.site.is_some()),
            ("loss", self.loss.is_some()),
            ("share", self.share.is_some()),
            ("extra", self.extra.is_some()),
            ("jitter", self.jitter.is_some()),
            ("bandwidth", self.bandwidth.is_some()),
            ("kind", self.kind.is_some()),
            ("nth", self.nth.is_some()),
            ("in_flight", self.in_flight),
            ("timer", self.timer.is_some()),
            ("number", self.number.is_some()),
            ("message_id", self.message_id.is_some()),
            ("client_message", self.client_message.is_some()),
            ("write", self.write.is_some()),
            ("ppm", self.ppm.is_some()),
            ("by", self.by.is_some()),
            ("how", self.how.is_some()),
            ("clock_stops", self.clock_stops),
            ("after", self.after.is_some()),
        ]
    }
}

impl Reader<'_, '_> {
    fn action(&mut self) -> Option<Action> {
        let fault = self.fault;
        Some(match renamed(&fault.action) {
            "crash" => match self.fault.after {
                None => self.node_or_place(Action::Crash, DomainFault::Crash)?,
                Some(_) if self.fault.place.is_some() => {
                    self.problem("after", "", "is for one node; name it in \"node\"");
                    return None;
                }
                Some(sends) => Action::CrashAfter { node: self.node()?, sends },
            },
            "restart" => self.node_or_place(Action::Restart, DomainFault::Restart)?,
            "pause" => {
                if fault.clock_stops && fault.place.is_some() {
                    self.problem("clock_stops", "", "is for one node; name it in \"node\"");
                    return None;
                }
                let clock_stops = fault.clock_stops;
                self.node_or_place(|node| Action::Pause { node, clock_stops }, DomainFault::Pause)?
            }
            "continue" => self.node_or_place(Action::Continue, DomainFault::Continue)?,
            "wipe-disk" => Action::Disk { node: self.node()?, fault: DiskFault::Wipe },
            "slow-disk" => {
                let (node, write) = (self.node(), self.time("write", &fault.write));
                Action::Disk { node: node?, fault: DiskFault::Slow(write?) }
            }
            "fill-disk" => Action::Disk { node: self.node()?, fault: DiskFault::Fill },
            "forget-writes" => Action::Disk { node: self.node()?, fault: DiskFault::Forget },
            "tear-write" => Action::Disk { node: self.node()?, fault: DiskFault::Tear },
            "corrupt-disk" => Action::Disk { node: self.node()?, fault: DiskFault::Rot },
            "repair-disk" => Action::Disk { node: self.node()?, fault: DiskFault::Repair },
            "cut" if fault.place.is_some() => self.edge(DomainFault::Partition)?,
            "heal" if fault.place.is_some() => self.edge(DomainFault::Reconnect)?,
            "cut" => match self.ends()? {
                (End::One(from), End::One(to)) => {
                    Action::Cut { from, to, both: !fault.one_way, replicas_only: fault.replicas_only }
                }
                (from, to) => Action::Split {
                    from: from.set(),
                    to: to.set(),
                    both: !fault.one_way,
                    replicas_only: fault.replicas_only,
                },
            },
            "heal" => match self.ends()? {
                (End::One(a), End::One(b)) => Action::Heal(a, b),
                (a, b) => Action::Join(a.set(), b.set()),
            },
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
            "loss" if fault.from.is_none() && fault.to.is_none() && !fault.one_way => {
                Action::Loss { permille: self.share("loss", &fault.loss)? }
            }
            "loss" => {
                let share = self.share("loss", &fault.loss);
                self.link_fault(share.map(LinkFault::Lose))?
            }
            "slow" => {
                let extra = self.time("extra", &fault.extra);
                let jitter = if fault.jitter.is_some() { self.time("jitter", &fault.jitter) } else { Some(0) };
                self.link_fault(extra.zip(jitter).map(|(extra, jitter)| LinkFault::Slow { extra, jitter }))?
            }
            "duplication" => {
                let share = self.share("share", &fault.share);
                self.link_fault(share.map(LinkFault::Duplicate))?
            }
            "reordering" => {
                let (share, by) = (self.share("share", &fault.share), self.time("extra", &fault.extra));
                self.link_fault(share.zip(by).map(|(permille, by)| LinkFault::Reorder { permille, by }))?
            }
            "limit" => {
                let bytes_per_s = self.amount("bandwidth", &fault.bandwidth, &BANDWIDTH).map(|bytes| bytes as u32);
                match (fault.node, &fault.from, &fault.to) {
                    (Some(_), None, None) => Action::Uplink { node: self.node()?, bytes_per_s: bytes_per_s? },
                    (Some(_), ..) => {
                        self.problem(
                            "node",
                            "",
                            "limits all that a node sends, \"from\" and \"to\" a link; leave one of the two out",
                        );
                        return None;
                    }
                    _ => self.link_fault(bytes_per_s.map(LinkFault::Narrow))?,
                }
            }
            "clear-link-faults" => Action::ClearLinkFaults,
            "stabilise" => Action::Stabilise,
            "byzantine" => {
                let (node, how) = (self.node(), self.behave());
                Action::Behaviour { node: node?, how: how? }
            }
            "drift" => {
                let (node, ppm) = (self.node(), self.ppm());
                Action::Drift { node: node?, ppm: ppm? }
            }
            "jump" => {
                let (node, by) = (self.node(), self.amount("by", &fault.by, &JUMP));
                Action::Jump { node: node?, by: by? as i32 }
            }
            "throttle" => {
                let (node, permille) = (self.node(), self.amount("share", &fault.share, &SLOWNESS));
                Action::Throttle { node: node?, percent: (permille? / 10) as u16 }
            }
            "hold" => self.intercept(Intercept::Hold)?,
            "deliver" => self.intercept(Intercept::Deliver)?,
            "drop" => self.intercept(Intercept::Drop)?,
            "duplicate" => self.intercept(Intercept::Duplicate)?,
            "release" if fault.from.is_none() && fault.to.is_none() && fault.kind.is_none() => Action::Release(None),
            "release" => Action::Release(Some(self.which()?)),
            "fire" => {
                let (node, timer) = (self.node(), self.timer());
                Action::Fire { node: node?, timer: timer? }
            }
            "hold-all" => Action::HoldAll,
            "release-all" => Action::ReleaseAll,
            "quiesce" => Action::Quiesce,
            "resume" => Action::Resume,
            other => unreachable!("{other} is among the words, so it is read here"),
        })
    }

    fn problem(&mut self, field: &str, value: impl std::fmt::Display, says: impl Into<String>) {
        self.problems.add(format!("{}.{field}", self.path), value, says);
    }

    /// A quantity in its smallest unit.
    fn amount(&mut self, field: &str, given: &Option<Quantity>, amount: &Amount) -> Option<i64> {
        let Some(given) = given else {
            self.problem(field, "", format!("{} needs {}", self.fault.action, amount.needs));
            return None;
        };
        match (amount.read)(given) {
            Ok(number) if (amount.fits)(number) => return Some(number),
            Ok(_) => self.problem(field, given, format!("{} would do", amount.would)),
            Err(says) => self.problem(field, given, says),
        }
        None
    }

    fn time(&mut self, field: &str, given: &Option<Quantity>) -> Option<u32> {
        self.amount(field, given, &TIME).map(|micros| micros as u32)
    }

    fn share(&mut self, field: &str, given: &Option<Quantity>) -> Option<u16> {
        self.amount(field, given, &SHARE).map(|permille| permille as u16)
    }

    fn numbered(&mut self, field: &str, number: Option<u32>) -> Option<NodeId> {
        let nodes = self.nodes;
        match number {
            Some(number) if number >= 1 && number as usize <= nodes => return Some(NodeId(number as u8 - 1)),
            Some(number) => self.problem(field, number, format!("the nodes are 1 to {nodes}")),
            None => self.problem(field, "", format!("{} needs a node, 1 to {nodes}", self.fault.action)),
        }
        None
    }

    fn node(&mut self) -> Option<NodeId> {
        match self.fault.node {
            Some(Target::Role(role)) => {
                self.roles.node = Some(role);
                Some(NodeId(0))
            }
            Some(Target::Number(number)) => self.numbered("node", Some(number)),
            None => self.numbered("node", None),
        }
    }

    /// An action on a node, or on all nodes of a failure domain.
    fn node_or_place(&mut self, one: impl Fn(NodeId) -> Action, fault: DomainFault) -> Option<Action> {
        match (&self.fault.place, self.fault.node) {
            (None, _) => Some(one(self.node()?)),
            (Some(_), None) => Some(Action::Domain { domain: self.domain()?, fault }),
            (Some(_), Some(_)) => {
                self.problem("in", "", "\"node\" names a node already; leave one of the two out");
                None
            }
        }
    }

    /// A partition of a failure domain from everything else, or its end.
    fn edge(&mut self, fault: DomainFault) -> Option<Action> {
        if self.fault.from.is_some() || self.fault.to.is_some() || self.fault.one_way {
            self.problem("in", "", "is for a whole place, \"from\" and \"to\" for a link; leave one of the two out");
            return None;
        }
        if self.fault.replicas_only {
            self.problem("replicas_only", "", "is for links; a place that is cut off is cut off from clients, too");
            return None;
        }
        Some(Action::Domain { domain: self.domain()?, fault })
    }

    fn domain(&mut self) -> Option<DomainId> {
        let place = self.fault.place.as_deref()?;
        let domains = self.names.domains;
        let index = domains.iter().position(|name| name == place);
        if index.is_none() {
            let path = format!("{}.in", self.path);
            self.problems.unknown(path, place, "places", domains.iter().map(String::as_str));
        }
        index.map(|index| DomainId(index as u16))
    }

    /// One end of a link.
    fn end(&mut self, field: &str, nodes: &Option<Nodes>) -> Option<End> {
        match nodes {
            None => self.numbered(field, None).map(End::One),
            Some(Nodes::All) => Some(End::All),
            Some(Nodes::Role(role)) => {
                let place = if field == "from" { &mut self.roles.from } else { &mut self.roles.to };
                *place = Some(*role);
                Some(End::Role(*role))
            }
            Some(Nodes::One(number)) => self.numbered(field, Some(*number)).map(End::One),
            Some(Nodes::Several(list)) => {
                if list.is_empty() {
                    self.problem(field, "[]", "is empty; name at least one node");
                    return None;
                }
                let read: Vec<_> =
                    list.iter().take(MAX_NODES + 1).map(|number| self.numbered(field, Some(*number))).collect();
                read.into_iter().collect::<Option<NodeSet>>().map(End::Several)
            }
        }
    }

    /// The ends of a link, or two groups of nodes.
    fn ends(&mut self) -> Option<(End, End)> {
        let (from, to) = (self.end("from", &self.fault.from), self.end("to", &self.fault.to));
        let (from, to) = (from?, to?);
        for (field, end) in [("from", from), ("to", to)] {
            if let End::All = end {
                self.problem(field, "\"all\"", "name the nodes; whoever is on one side cannot be on the other");
                return None;
            }
        }
        self.apart(from, to)
    }

    /// Both ends, if they are disjoint.
    fn apart(&mut self, from: End, to: End) -> Option<(End, End)> {
        let both = from.set().and(to.set());
        if !both.is_empty() {
            let says = match (from, to) {
                (End::One(_), End::One(_)) => "a node has no link to itself; name two nodes".to_owned(),
                _ => format!("{both:?} would be on both sides"),
            };
            self.problem("to", both.iter().map(|node| (node.0 + 1).to_string()).collect::<Vec<_>>().join(", "), says);
            return None;
        }
        Some((from, to))
    }

    /// A link fault on the links named, or on all links.
    fn link_fault(&mut self, how: Option<LinkFault>) -> Option<Action> {
        if self.fault.from.is_none() && self.fault.to.is_none() {
            if self.fault.one_way {
                self.problem("one_way", "", "is for links between nodes; name them in \"from\" and \"to\"");
                return None;
            }
            return Some(Action::Disturb { from: ALL, to: ALL, both: true, how: how? });
        }
        let (from, to) = (self.end("from", &self.fault.from), self.end("to", &self.fault.to));
        let (from, to) = match (from?, to?) {
            (from, End::All) => (from, End::All),
            (End::All, to) => (End::All, to),
            (from, to) => self.apart(from, to)?,
        };
        Some(Action::Disturb { from: from.set(), to: to.set(), both: !self.fault.one_way, how: how? })
    }

    fn single(&mut self, field: &str, nodes: &Option<Nodes>) -> Option<NodeId> {
        match self.end(field, nodes)? {
            End::One(node) => Some(node),
            // Two that cannot be the same node before it is found out which one it is.
            End::Role(role) if role.is_single() => Some(NodeId(u8::from(field == "to"))),
            End::Several(_) | End::All | End::Role(_) => {
                self.problem(field, "", "is one node here, not several");
                None
            }
        }
    }

    fn behave(&mut self) -> Option<Behaviour> {
        let Some(how) = self.fault.how.as_deref().map(renamed) else {
            self.problem("how", "", format!("byzantine needs a way: {}", byzantine().collect::<Vec<_>>().join(", ")));
            return None;
        };
        let Some((_, needs_to)) = BEHAVIOURS.iter().find(|(word, _)| *word == how) else {
            self.problems.unknown(format!("{}.how", self.path), how, "ways", byzantine());
            return None;
        };
        let to = match &self.fault.to {
            None if *needs_to => {
                self.problem("to", "", format!("{how} needs the nodes that see the second copy"));
                return None;
            }
            None => ALL,
            given => self.end("to", given)?.set(),
        };
        if self.fault.to.is_some() && matches!(how, "to-all" | "honest") {
            self.problem("to", "", format!("{how} is for all; leave it out"));
            return None;
        }
        Some(match how {
            "silent" => Behaviour::Silent(to),
            "twin" => Behaviour::Twin(to),
            "deny" => Behaviour::Deny(to),
            "to-all" => Behaviour::ToAll,
            "tamper" => Behaviour::Tamper(to),
            _ => Behaviour::Honest,
        })
    }

    fn ppm(&mut self) -> Option<i32> {
        let says = format!("-{MOST_DRIFT} to {MOST_DRIFT} would do");
        match self.fault.ppm {
            Some(ppm) if ppm.unsigned_abs() <= MOST_DRIFT => return Some(ppm),
            Some(ppm) => self.problem("ppm", ppm, says),
            None => self.problem("ppm", "", format!("drift needs millionths; {says}")),
        }
        None
    }

    fn site(&mut self) -> Option<u8> {
        let sites = self.names.sites;
        let Some(site) = &self.fault.site else {
            self.problem("site", "", format!("{} needs a site: {}", self.fault.action, sites.join(", ")));
            return None;
        };
        let index = sites.iter().position(|id| id == site);
        if index.is_none() {
            self.problems.unknown(format!("{}.site", self.path), site, "sites", sites.iter().copied());
        }
        index.map(|index| index as u8)
    }
}
