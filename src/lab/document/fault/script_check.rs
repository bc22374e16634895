//! Static check of a script: what is certain about node and link states from the script alone.
//!
//! Which nodes are up or paused and what is partitioned follows largely from the script; an entry that contradicts it is refused before
//! the run, whatever the protocol does. What depends on the run (who leads, whether a full disk has stopped its node) is left to the
//! simulator, which refuses impossible actions when their time comes.

use crate::core::{Card, NodeId, NodeSet};
use crate::sim::action::{Behaviour, DiskFault, DomainFault, Intercept};
use crate::sim::{Action, Blueprint, Cost, DomainId, Domains};

/// What is certain about one node; `None`: it depends on the run.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    up: Option<bool>,
    paused: Option<bool>,
    /// It runs as twins.
    has_twin: Option<bool>,
    /// It has behaved in a Byzantine way.
    byzantine: Option<bool>,
    /// Its disk may be full, so that it may stop at any moment.
    full: bool,
    /// A record on its disk is corrupted, so that it does not start.
    corrupted: Option<bool>,
    /// Its innermost failure domain.
    domain: Option<DomainId>,
}

impl Known {
    /// Keeps what is known here and there.
    fn agree(&mut self, other: &Known) {
        let both = |one: &mut Option<bool>, other: Option<bool>| *one = one.filter(|one| other == Some(*one));
        both(&mut self.up, other.up);
        both(&mut self.paused, other.paused);
        both(&mut self.has_twin, other.has_twin);
        both(&mut self.byzantine, other.byzantine);
        both(&mut self.corrupted, other.corrupted);
        self.full |= other.full;
        self.domain = self.domain.filter(|domain| other.domain == Some(*domain));
    }

    fn crash(&mut self) {
        (self.up, self.paused, self.has_twin) = (Some(false), Some(false), Some(false));
    }

    fn restart(&mut self) {
        match self.corrupted {
            Some(true) => {}
            Some(false) if !self.full => self.up = Some(true),
            _ => self.up = None,
        }
    }

    fn pause(&mut self) {
        match (self.up, self.has_twin) {
            (Some(false), _) | (_, Some(true)) => {}
            (Some(true), Some(false)) => self.paused = Some(true),
            _ => self.paused = self.paused.filter(|paused| *paused),
        }
    }

    fn inject(&mut self, fault: DiskFault) {
        match fault {
            DiskFault::Fill => {
                self.full = true;
                self.up = self.up.filter(|up| !up);
                self.has_twin = self.has_twin.filter(|has_twin| !has_twin);
            }
            DiskFault::Repair => self.full = false,
            DiskFault::Rot => self.corrupted = Some(true),
            DiskFault::Wipe if self.up == Some(false) => self.corrupted = Some(false),
            // Whether it was wiped depends on whether it ran.
            DiskFault::Wipe => self.corrupted = self.corrupted.filter(|corrupted| !corrupted),
            DiskFault::Slow(_) | DiskFault::Forget | DiskFault::Tear => {}
        }
    }

    /// `there`: all nodes that the behaviour is directed at exist for certain.
    fn behave(&mut self, how: Behaviour, there: bool) {
        let certain = there && self.up == Some(true);
        match how {
            Behaviour::Honest => self.has_twin = Some(false),
            Behaviour::Twin(_) | Behaviour::Deny(_) => {
                let certain = certain && self.paused == Some(false) && self.has_twin == Some(false);
                self.has_twin = certain.then_some(true);
                self.byzantine = if certain { Some(true) } else { self.byzantine.filter(|byzantine| *byzantine) };
            }
            _ => self.byzantine = if certain { Some(true) } else { self.byzantine.filter(|byzantine| *byzantine) },
        }
    }
}

/// What is certain after some of a script's actions. Actions must be applied in the order in which they happen.
#[derive(Clone, Debug)]
pub struct ScriptCheck {
    card: &'static Card,
    /// Messages have a processing cost.
    costs: bool,
    domains: Domains,
    /// The replicas of the start; nothing is certain about those that join later.
    nodes: Vec<Known>,
    /// A node may have joined.
    joined: bool,
    /// The domains that are partitioned.
    partitioned: Vec<DomainId>,
    /// A message may be held.
    holds: bool,
    /// Everything is held.
    holds_all: bool,
}

impl ScriptCheck {
    /// The state before the first action.
    pub fn new(card: &'static Card, blueprint: &Blueprint) -> ScriptCheck {
        let domains = blueprint.domains.clone();
        let at_start = |(node, site): (u8, &u8)| Known {
            up: Some(true),
            paused: Some(false),
            has_twin: Some(false),
            byzantine: Some(false),
            corrupted: Some(false),
            domain: domains.of_replica(NodeId(node)).or(domains.of_site(*site)),
            ..Known::default()
        };
        ScriptCheck {
            card,
            costs: blueprint.topology.cost != Cost::default(),
            nodes: (0..).zip(&blueprint.placement).map(at_start).collect(),
            domains,
            joined: false,
            partitioned: Vec::new(),
            holds: false,
            holds_all: false,
        }
    }

    fn known(&self, node: NodeId) -> Known {
        self.nodes.get(usize::from(node.0)).copied().unwrap_or_default()
    }

    fn update(&mut self, node: NodeId, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.nodes.get_mut(usize::from(node.0)) {
            change(known);
        }
    }

    /// The nodes of the start that an action crashes at once, or keeps from starting again.
    #[cfg(feature = "search")]
    pub(in crate::lab) fn crashed_by(&self, action: Action) -> NodeSet {
        match action {
            Action::Crash(node) | Action::CrashAfter { node, .. } => NodeSet::just(node),
            Action::Disk { node, fault: DiskFault::Rot } => NodeSet::just(node),
            Action::Domain { domain, fault: DomainFault::Crash } => self.inside(domain),
            _ => NodeSet::EMPTY,
        }
    }

    /// The nodes of the start that are in a domain.
    fn inside(&self, domain: DomainId) -> NodeSet {
        let nodes = (0..).map(NodeId).zip(&self.nodes);
        nodes.filter(|(_, known)| self.domains.within(known.domain, domain)).map(|(node, _)| node).collect()
    }

    /// Why the action is impossible now, if that is certain.
    pub fn objection(&self, action: Action) -> Option<String> {
        let is = |node: NodeId, what: &str| Some(format!("node {node:?} {what}"));
        let is_down = |node: NodeId| self.known(node).up == Some(false);
        let is_paused = |node: NodeId| self.known(node).paused == Some(true);
        match action {
            Action::Crash(node) if is_down(node) => is(node, "is down already by then"),
            Action::CrashAfter { node, .. } if is_down(node) => is(node, "is down by then"),
            Action::Restart(node) if is_paused(node) => is(node, "is paused by then, not down; continue does it"),
            Action::Restart(node) if self.known(node).up == Some(true) => is(node, "is running by then"),
            Action::Restart(node) if self.known(node).corrupted == Some(true) => {
                is(node, "does not start by then: a record on its disk is corrupted, and wipe-disk comes first")
            }
            Action::Pause { node, .. } | Action::Behaviour { node, .. } if is_down(node) => is(node, "is down by then"),
            Action::Drift { node, .. } | Action::Jump { node, .. } if is_down(node) => {
                is(node, "is down by then, and its timers with it")
            }
            Action::Drift { node, .. }
            | Action::Jump { node, .. }
            | Action::Behaviour { node, how: Behaviour::Twin(_) | Behaviour::Deny(_) }
                if is_paused(node) =>
            {
                is(node, "is paused by then; continue comes first")
            }
            Action::Pause { node, .. } if is_paused(node) => is(node, "is paused already by then"),
            Action::Pause { node, .. } if self.known(node).has_twin == Some(true) => {
                is(node, "has a twin by then, and two cannot be paused")
            }
            Action::Continue(node) if self.known(node).paused == Some(false) => is(node, "is not paused by then"),
            Action::Domain { domain, fault } => self.objection_to_domain_fault(domain, fault),
            Action::Behaviour { node, how: Behaviour::Twin(to) | Behaviour::Deny(to) } if to.has(node) => {
                is(node, "cannot lie to itself")
            }
            Action::Behaviour {
                node,
                how: Behaviour::Twin(to) | Behaviour::Deny(to) | Behaviour::Silent(to) | Behaviour::Tamper(to),
            } if to.without(node).is_empty() => is(node, "has nobody to lie to but itself"),
            Action::Behaviour { node, how: Behaviour::Twin(_) | Behaviour::Deny(_) }
                if self.known(node).has_twin == Some(true) =>
            {
                is(node, "has a twin already by then")
            }
            Action::Behaviour { node, how: Behaviour::Honest } if self.known(node).byzantine == Some(false) => {
                is(node, "has not lied by then")
            }
            Action::Throttle { .. } if !self.costs => {
                Some("messages cost processors nothing here; give the scenario a cost".to_owned())
            }
            Action::Disk { node, fault: DiskFault::Wipe } if self.known(node).up == Some(true) => {
                is(node, "is running by then; its disk can be emptied while it is down")
            }
            Action::Heal(a, b) => self.objection_to_joining(NodeSet::just(a), NodeSet::just(b)),
            Action::Join(a, b) => self.objection_to_joining(a, b),
            Action::Fire { node, .. } if is_down(node) => is(node, "is down by then, and its timers with it"),
            Action::Fire { node, .. } if is_paused(node) => is(node, "is paused by then; continue comes first"),
            Action::HoldAll if self.holds_all => Some("all is held already by then".to_owned()),
            Action::ReleaseAll if !self.holds_all => Some("messages and timers are not held by then".to_owned()),
            Action::Release(_) if !self.holds => Some("nothing is held by then".to_owned()),
            Action::HandOver(_) if !self.card.transfer => {
                Some(format!("{} has no way to hand over leadership", self.card.title))
            }
            Action::HandOver(to) if is_down(to) => is(to, "is down by then and cannot lead"),
            Action::Add { .. } | Action::Remove(_) if !self.card.membership => {
                Some(format!("{} cannot change its members while it runs", self.card.title))
            }
            _ => None,
        }
    }

    fn objection_to_domain_fault(&self, domain: DomainId, fault: DomainFault) -> Option<String> {
        let partitioned = self.partitioned.contains(&domain);
        let unaffected: fn(&Known) -> bool = match fault {
            DomainFault::Crash => |known| known.up == Some(false),
            DomainFault::Restart => |known| known.up == Some(true) || known.corrupted == Some(true),
            DomainFault::Pause => {
                |known| known.up == Some(false) || known.paused == Some(true) || known.has_twin == Some(true)
            }
            DomainFault::Continue => |known| known.paused == Some(false),
            DomainFault::Partition if partitioned => return Some("the place is cut off already by then".to_owned()),
            DomainFault::Reconnect if !partitioned => return Some("the place is not cut off by then".to_owned()),
            DomainFault::Partition | DomainFault::Reconnect => return None,
        };
        let untouched = !self.joined && self.inside(domain).iter().all(|node| unaffected(&self.known(node)));
        untouched.then(|| {
            let whom = match fault {
                DomainFault::Restart => "is down by then and could start",
                DomainFault::Continue => "is paused by then",
                _ => "runs there by then",
            };
            format!("no node in this place {whom}")
        })
    }

    /// A link across the edge of a partitioned domain cannot be healed on its own.
    fn objection_to_joining(&self, a: NodeSet, b: NodeSet) -> Option<String> {
        let here = |node: NodeId, edge: DomainId| self.domains.within(self.known(node).domain, edge);
        let known = |node: &NodeId| usize::from(node.0) < self.nodes.len();
        let pairs = a.iter().filter(known).flat_map(|a| b.iter().filter(known).map(move |b| (a, b)));
        let parted = |(a, b): (NodeId, NodeId)| self.partitioned.iter().any(|edge| here(a, *edge) != here(b, *edge));
        pairs.into_iter().any(parted).then(|| "a whole place is cut off between them by then; heal that".to_owned())
    }

    /// Records an action whose node is known only in the run: what is certain afterwards is what is certain whoever it is.
    pub fn apply_by_role(&mut self, action: Action) {
        let candidates = (0..self.nodes.len() as u8).map(NodeId);
        let outcomes = candidates.map(|node| {
            let mut outcome = self.clone();
            outcome.apply(action.with_node(node));
            outcome
        });
        let merged = outcomes.reduce(|mut all, one| {
            all.nodes.iter_mut().zip(&one.nodes).for_each(|(known, other)| known.agree(other));
            all.holds |= one.holds;
            all
        });
        *self = merged.unwrap_or_else(|| self.clone());
    }

    /// Records an action whose time has come. Where it is uncertain whether it took effect, so is the state after it.
    pub fn apply(&mut self, action: Action) {
        match action {
            Action::Crash(node) => self.update(node, Known::crash),
            // When it has sent so many messages, only the run can tell.
            Action::CrashAfter { node, .. } => self.update(node, |known| known.up = None),
            Action::Restart(node) => self.update(node, Known::restart),
            Action::Pause { node, .. } => self.update(node, Known::pause),
            Action::Continue(node) => self.update(node, |known| known.paused = Some(false)),
            Action::Domain { domain, fault } => {
                for node in self.inside(domain).iter() {
                    self.update(node, |known| match fault {
                        DomainFault::Crash => known.crash(),
                        DomainFault::Restart => known.restart(),
                        DomainFault::Pause => known.pause(),
                        DomainFault::Continue => known.paused = Some(false),
                        DomainFault::Partition | DomainFault::Reconnect => {}
                    });
                }
                match fault {
                    DomainFault::Partition => self.partitioned.push(domain),
                    DomainFault::Reconnect => self.partitioned.retain(|other| *other != domain),
                    _ => {}
                }
            }
            Action::Move { node, site } => {
                let domain = self.domains.of_site(site);
                self.update(node, |known| known.domain = domain);
            }
            Action::Add { .. } => self.joined = true,
            Action::Disk { node, fault } => self.update(node, |known| known.inject(fault)),
            Action::Behaviour { node, how } => {
                let there = action.nodes().iter().all(|node| usize::from(node.0) < self.nodes.len());
                self.update(node, |known| known.behave(how, there));
            }
            Action::Catch { intercept: Intercept::Hold, .. }
            | Action::Message { intercept: Intercept::Hold, .. }
            | Action::Sent { intercept: Intercept::Hold, .. } => self.holds = true,
            Action::HoldAll => (self.holds, self.holds_all) = (true, true),
            Action::ReleaseAll => self.holds_all = false,
            Action::HealAll => self.partitioned.clear(),
            Action::Stabilise => {
                self.partitioned.clear();
                (self.holds, self.holds_all) = (false, false);
                self.nodes.iter_mut().for_each(|known| known.paused = Some(false));
            }
            _ => {}
        }
    }
}
