//! Roles as targets of script actions (leader, follower, majority, minority), resolved to nodes when the action is due.

use super::action::{Action, Behaviour, Timed, Which};
use super::in_flight::InFlight;
use crate::core::{NodeId, NodeSet};
use std::fmt;

/// Role: resolves to a node or a set of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The leader of the highest epoch.
    Leader,
    /// The running member with the lowest number that is not the leader.
    Follower,
    /// The leader, and the other members with the lowest numbers, running ones first, up to ⌊n/2⌋ + 1 of n members.
    Majority,
    /// All other members.
    Minority,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 4] = [Role::Leader, Role::Follower, Role::Majority, Role::Minority];

    /// Its name in a document.
    pub fn name(self) -> &'static str {
        match self {
            Role::Leader => "leader",
            Role::Follower => "follower",
            Role::Majority => "majority",
            Role::Minority => "minority",
        }
    }

    /// Whether it resolves to exactly one node.
    pub fn is_single(self) -> bool {
        matches!(self, Role::Leader | Role::Follower)
    }
}

/// The roles in an action; unresolved, the action holds node 1 or the empty set in their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Roles {
    /// Role of its node.
    pub node: Option<Role>,
    /// Role of the first end of a link.
    pub from: Option<Role>,
    /// Role of the other end, or of the targets of a Byzantine behaviour.
    pub to: Option<Role>,
}

impl Roles {
    /// Whether none is named.
    pub fn is_empty(self) -> bool {
        self == Roles::default()
    }
}

/// A script action with roles, and its resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Index in the script, from 0.
    pub index: u32,
    /// Time and roles; the action holds the resolved nodes.
    pub timed: Timed,
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [("node", self.node), ("from", self.from), ("to", self.to)];
        let named = named.iter().filter_map(|(field, role)| Some(format!("{field} = {}", (*role)?.name())));
        f.write_str(&named.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Timed {
    /// The action; while its roles are not resolved, its name and these.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.roles.is_empty() {
            return self.action.fmt(f);
        }
        let text = format!("{:?}", self.action);
        let name = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        write!(f, "{} ({})", name.to_ascii_lowercase(), self.roles)
    }
}

impl Action {
    /// The same with other nodes in it, where given.
    pub(super) fn aimed(self, node: Option<NodeId>, from: Option<NodeSet>, to: Option<NodeSet>) -> Action {
        let at = |own: NodeId| node.unwrap_or(own);
        let one = |own: NodeId, given: Option<NodeSet>| given.and_then(NodeSet::lowest).unwrap_or(own);
        let (source, target) = (|own: NodeSet| from.unwrap_or(own), |own: NodeSet| to.unwrap_or(own));
        let which = |Which { from: a, to: b, kind }| Which { from: one(a, from), to: one(b, to), kind };
        match self {
            Action::Crash(node) => Action::Crash(at(node)),
            Action::CrashAfter { node, sends } => Action::CrashAfter { node: at(node), sends },
            Action::Restart(node) => Action::Restart(at(node)),
            Action::Pause { node, clock_stops } => Action::Pause { node: at(node), clock_stops },
            Action::Continue(node) => Action::Continue(at(node)),
            Action::Move { node, site } => Action::Move { node: at(node), site },
            Action::HandOver(node) => Action::HandOver(at(node)),
            Action::Remove(node) => Action::Remove(at(node)),
            Action::Disk { node, fault } => Action::Disk { node: at(node), fault },
            Action::Drift { node, ppm } => Action::Drift { node: at(node), ppm },
            Action::Jump { node, by } => Action::Jump { node: at(node), by },
            Action::Throttle { node, percent } => Action::Throttle { node: at(node), percent },
            Action::Uplink { node, bytes_per_s } => Action::Uplink { node: at(node), bytes_per_s },
            Action::Behaviour { node, how } => {
                let how = match how {
                    Behaviour::Silent(set) => Behaviour::Silent(target(set)),
                    Behaviour::Twin(set) => Behaviour::Twin(target(set)),
                    Behaviour::Deny(set) => Behaviour::Deny(target(set)),
                    Behaviour::Tamper(set) => Behaviour::Tamper(target(set)),
                    Behaviour::ToAll | Behaviour::Honest => how,
                };
                Action::Behaviour { node: at(node), how }
            }
            Action::Split { from: a, to: b, both, replicas_only } => {
                Action::Split { from: source(a), to: target(b), both, replicas_only }
            }
            Action::Join(a, b) => Action::Join(source(a), target(b)),
            Action::Disturb { from: a, to: b, both, how } => {
                Action::Disturb { from: source(a), to: target(b), both, how }
            }
            Action::Catch { which: message, nth, intercept } => Action::Catch { which: which(message), nth, intercept },
            Action::Release(message) => Action::Release(message.map(which)),
            Action::Sent { which: message, nth, intercept } => {
                let message = match message {
                    InFlight::Message(message) => InFlight::Message(which(message)),
                    InFlight::Request { site, to: b } => InFlight::Request { site, to: one(b, to) },
                    InFlight::Reply { from: a, site } => InFlight::Reply { from: one(a, from), site },
                };
                Action::Sent { which: message, nth, intercept }
            }
            Action::Fire { node, timer } => Action::Fire { node: at(node), timer },
            other => other,
        }
    }

    /// The same with another node in it, if it names one.
    pub fn with_node(self, node: NodeId) -> Action {
        self.aimed(Some(node), None, None)
    }

    /// Whether it can hold from the very start, before any node boots: it needs no running node, and changes how nodes and links fare.
    pub(super) fn holds_from_start(self) -> bool {
        use super::action::DomainFault;
        match self {
            Action::Domain { fault, .. } => {
                matches!(fault, DomainFault::Crash | DomainFault::Partition | DomainFault::Reconnect)
            }
            Action::Behaviour { how, .. } => !matches!(how, Behaviour::Twin(_) | Behaviour::Deny(_)),
            Action::Crash(_)
            | Action::CrashAfter { .. }
            | Action::Cut { .. }
            | Action::Heal(..)
            | Action::Split { .. }
            | Action::Join(..)
            | Action::HealAll
            | Action::Disturb { .. }
            | Action::Uplink { .. }
            | Action::ClearLinkFaults
            | Action::Catch { .. }
            | Action::Move { .. }
            | Action::Loss { .. }
            | Action::Disk { .. }
            | Action::Drift { .. }
            | Action::Throttle { .. } => true,
            _ => false,
        }
    }
}
