//! Exploration behind the façade: any variant, and its findings in words.

use super::transcript::in_words;
use crate::core::node::{Message, Node, Protocol, SettingError};
use crate::core::{NodeId, NodeStatus, Order, Shots, Slot};
use crate::judge::explore::{Explorer, Happened, Moment, Query, Verdict};
use crate::judge::safety::{LINEARIZABLE, PROPERTIES};
use serde::Serialize;

/// An exploration of some variant.
pub trait Search {
    /// Goes on from as many as `states` states; tells whether it is over.
    fn advance(&mut self, states: u32) -> bool;

    /// Different states found so far.
    fn states(&self) -> u32;

    /// What was found so far; more than numbers only once it is over.
    fn finding(&mut self) -> Finding;
}

/// What an exploration found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether every state within the bounds was visited and none was wrong, a property was violated, or neither is known.
    pub verdict: Decided,
    /// Different states found.
    pub states: u32,
    /// Events from the start to the farthest states visited; with a violation, in its trace.
    pub depth: u32,
    /// The bounds that kept the exploration from going further.
    pub cut: Vec<&'static str>,
    /// The rules applied at least once, by their keys.
    pub rules_used: Vec<&'static str>,
    /// Goals reached, of a search in stages.
    pub reached: u32,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub violation: Option<Wrong>,
    /// The events that lead to the violation, in order: as few as possible.
    pub trace: Vec<Told>,
}

/// How an exploration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decided {
    /// Nothing is wrong in any state within the bounds.
    Safe,
    /// A property can be violated.
    Violated,
    /// There were more states than the bounds allow for, or a goal on the way was not reached.
    Undecided,
}

/// A violated property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// Its name.
    pub property: &'static str,
    /// What it says.
    pub says: &'static str,
    /// The nodes it takes to see it, counted from 1.
    pub nodes: Vec<u32>,
    /// The slot, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
}

/// One event of a trace in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// What happened, and to whom.
    pub event: String,
    /// The rules the node applied, by their keys.
    pub rules: Vec<&'static str>,
    /// What the node did.
    pub does: Vec<String>,
    /// What can be seen to have changed.
    pub changes: Vec<String>,
    /// The goal that this reaches, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<u32>,
}

/// Sets out to explore.
pub(super) fn explore<P: Protocol>(query: &Query) -> Result<Box<dyn Search>, SettingError> {
    Ok(Box::new(Explorer::<P>::new(query)?))
}

/// The properties that can be looked for: those of every protocol, and this one's own.
pub(super) fn properties<P: Protocol>() -> Vec<&'static str> {
    let common = PROPERTIES.iter().map(|(name, _)| *name);
    let told = matches!(P::CARD.shots, Shots::Log | Shots::Registers).then_some(LINEARIZABLE.0);
    common.chain(told).chain(P::invariants().iter().map(|invariant| invariant.name)).collect()
}

fn keys<P: Protocol>(rules: crate::core::RuleSet) -> Vec<&'static str> {
    rules.iter().map(|rule| P::RULES[usize::from(rule.0)].key).collect()
}

impl<P: Protocol> Search for Explorer<P> {
    fn advance(&mut self, states: u32) -> bool {
        Explorer::advance(self, states)
    }

    fn states(&self) -> u32 {
        Explorer::states(self)
    }

    fn finding(&mut self) -> Finding {
        let trace = self.trace();
        let (verdict, violation) = match self.verdict() {
            Some(Verdict::Safe) => (Decided::Safe, None),
            Some(&Verdict::Violated { property, says, nodes, slot }) => {
                let nodes = nodes.iter().map(|node| u32::from(node.0) + 1).collect();
                (Decided::Violated, Some(Wrong { property, says, nodes, slot }))
            }
            Some(Verdict::Undecided | Verdict::Unreached(_)) | None => (Decided::Undecided, None),
        };
        let depth = if violation.is_some() { trace.len() as u32 } else { self.depth() };
        Finding {
            verdict,
            states: Explorer::states(self),
            depth,
            cut: self.cuts().names().collect(),
            rules_used: keys::<P>(self.rules_used()),
            reached: self.stage() as u32,
            violation,
            trace: trace.iter().map(told).collect(),
        }
    }
}

fn told<P: Protocol>(moment: &Moment<P>) -> Told {
    let node = moment.node;
    let event = match &moment.event {
        Happened::Arrived { from, message, again: false } if *from == node => {
            format!("{node:?} hears itself: {message:?}")
        }
        Happened::Arrived { from, message, again } => {
            let again = if *again { ", and may again" } else { "" };
            format!("{node:?} ← {from:?}  {message:?}{again}")
        }
        Happened::Lost { from, message } => {
            let name = <P::Node as Node>::Msg::KINDS[usize::from(message.kind().0)].name;
            format!("{name} from {from:?} to {node:?} is lost")
        }
        Happened::Fired(timer) => format!("{node:?} runs out of patience: {timer:?}"),
        Happened::Asked(command) => format!("{node:?} ← {:?}  asks: {:?}", command.client, command.op),
        Happened::Ordered(Order::HandOver(to)) => format!("{node:?} is ordered to hand over to {to:?}"),
        Happened::Ordered(Order::Reconfigure(members)) => {
            format!("{node:?} is ordered to change the members to {members:?}")
        }
        Happened::Crashed => format!("{node:?} crashes"),
        Happened::Restarted => format!("{node:?} restarts from its disk"),
    };
    Told {
        event,
        rules: keys::<P>(moment.rules),
        does: moment.said.iter().map(|effect| in_words(node, effect)).collect(),
        changes: changes::<P>(node, moment.before, moment.after),
        goal: moment.goal.map(|goal| goal as u32 + 1),
    }
}

fn changes<P: Protocol>(node: NodeId, before: Option<NodeStatus>, after: Option<NodeStatus>) -> Vec<String> {
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    let mut lines = Vec::new();
    if before.role != after.role {
        lines.push(format!("{node:?}: {} → {}", before.role, after.role));
    }
    if before.epoch != after.epoch {
        lines.push(format!("{node:?}: {} {} → {}", P::CARD.epoch, before.epoch.number, after.epoch.number));
    }
    if before.log.committed != after.log.committed {
        lines.push(format!("{node:?}: committed {} → {}", before.log.committed, after.log.committed));
    }
    lines
}
