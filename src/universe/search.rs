//! Exploration behind the façade: any variant, and its findings in words.

use super::inspect::effect_text;
use crate::core::node::{Protocol, SettingError};
use crate::core::{Card, NodeId, NodeStatus, Order, Rule, RuleSet, Slot};
use crate::judge::explore::{Checkpoint, Explorer, Query, SafetyHistory, TraceEvent, TraceStep, Unfit, Verdict};
use crate::judge::safety::{LINEARIZABLE, PROPERTIES, is_applicable};
use serde::Serialize;

/// An exploration of some variant.
#[derive(Debug)]
pub struct Search {
    explorer: Explorer,
    card: &'static Card,
    rules: &'static [Rule],
    properties: Vec<&'static str>,
    /// The only property looked for, if one is named.
    wanted: Option<String>,
    /// Whether any client reads.
    reads: bool,
}

/// What an exploration found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether every state within the bounds was visited and none was wrong, a property was violated, or neither is known.
    pub verdict: FindingVerdict,
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
    /// Every property, and what came of looking for violations: "held", "violated", "undecided" (not violated in the states visited, which are
    /// not all), "never exercised" (no event gave it anything to look at), "not applicable" (to this variant), "not promised" (by this variant,
    /// and so looked for by name only) or "not looked for" (another was named).
    pub properties: Vec<(&'static str, &'static str)>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub violation: Option<ViolatedProperty>,
    /// The events that lead to the violation, in order: as few as possible.
    pub trace: Vec<TraceLine>,
}

/// How an exploration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingVerdict {
    /// Nothing is wrong in any state within the bounds.
    Safe,
    /// A property can be violated.
    Violated,
    /// There were more states than the bounds allow for, or a goal on the way was not reached.
    Undecided,
}

/// A violated property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ViolatedProperty {
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
pub struct TraceLine {
    /// What happened, and to which node.
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

/// Begins an exploration. The error names a setting and what would do.
pub(super) fn explore<P: Protocol>(query: &Query) -> Result<Search, SettingError> {
    let explorer = Explorer::new::<P, SafetyHistory>(query)?;
    let wanted = query.property.clone();
    let reads = query.bounds.requests.iter().any(|request| request.command.op.is_read());
    Ok(Search { explorer, card: &P::CARD, rules: P::RULES, properties: properties::<P>(), wanted, reads })
}

/// The properties that can be looked for: those of every protocol, and this one's own.
pub(super) fn properties<P: Protocol>() -> Vec<&'static str> {
    let common = PROPERTIES.iter().map(|(name, _)| *name);
    let told = P::CARD.agrees_on.executes().then_some(LINEARIZABLE.0);
    common.chain(told).chain(P::invariants().iter().map(|invariant| invariant.name)).collect()
}

impl Search {
    /// Expands up to `states` states; tells whether the exploration is over.
    pub fn advance(&mut self, states: u32) -> bool {
        self.explorer.advance(states)
    }

    /// Different states found so far.
    pub fn states(&self) -> u32 {
        self.explorer.states()
    }

    /// Bytes of what was found so far, by count.
    pub fn bytes(&self) -> u64 {
        self.explorer.bytes()
    }

    /// The exploration as it is, to go on from later; `None` once there is nothing left to look at.
    pub fn checkpoint(&self) -> Option<Checkpoint<'_>> {
        self.explorer.checkpoint()
    }

    /// Goes on from a checkpoint of the same exploration. This one must be new; after an error it is of no use.
    pub fn resume(&mut self, from: Checkpoint<'_>) -> Result<(), Unfit> {
        self.explorer.resume(from)
    }

    /// The events that lead to the violation, in order, for whoever lets them happen again; empty if none was found.
    pub fn trace(&mut self) -> Vec<TraceStep> {
        self.explorer.trace()
    }

    /// What was found so far; more than numbers only once it is over.
    pub fn finding(&mut self) -> Finding {
        let trace = self.explorer.trace();
        let violation = self.explorer.violation().map(|violation| ViolatedProperty {
            property: violation.property,
            says: violation.says,
            nodes: violation.nodes.iter().map(|node| u32::from(node.0) + 1).collect(),
            slot: violation.slot,
        });
        let verdict = match self.explorer.verdict() {
            Some(Verdict::Safe) => FindingVerdict::Safe,
            Some(Verdict::Violated(_)) => FindingVerdict::Violated,
            Some(Verdict::Undecided | Verdict::Unreached(_)) | None => FindingVerdict::Undecided,
        };
        let violated = violation.as_ref().map(|violation| violation.property);
        let properties = self.properties.iter().map(|&name| (name, self.came_of(name, violated, verdict))).collect();
        let depth = if violation.is_some() { trace.len() as u32 } else { self.explorer.depth() };
        Finding {
            verdict,
            states: self.states(),
            depth,
            cut: self.explorer.cuts().names().collect(),
            rules_used: self.keys(self.explorer.rules_used()),
            reached: self.explorer.stage() as u32,
            properties,
            violation,
            trace: trace.iter().map(|step| self.told(step)).collect(),
        }
    }

    /// What came of looking for violations of a property.
    fn came_of(&self, name: &str, violated: Option<&str>, verdict: FindingVerdict) -> &'static str {
        let exercised = self.explorer.exercised();
        let nothing_seen = match name {
            name if name == PROPERTIES[0].0 => exercised.decided.len() < 2,
            name if name == PROPERTIES[1].0 => exercised.decided.is_empty(),
            name if name == PROPERTIES[2].0 => exercised.led.is_empty(),
            name if name == LINEARIZABLE.0 => !self.reads || exercised.told.is_empty(),
            _ => false,
        };
        match self.wanted.as_deref() {
            _ if violated == Some(name) => "violated",
            _ if !is_applicable(self.card, name) => "not applicable",
            Some(wanted) if wanted != name => "not looked for",
            None if !self.explorer.promises(name) => "not promised",
            _ if nothing_seen => "never exercised",
            _ if verdict == FindingVerdict::Safe => "held",
            _ => "undecided",
        }
    }

    fn keys(&self, rules: RuleSet) -> Vec<&'static str> {
        rules.iter().map(|rule| self.rules[usize::from(rule.0)].key).collect()
    }

    fn told(&self, step: &TraceStep) -> TraceLine {
        let node = step.node;
        let mut event = match &step.event {
            TraceEvent::Delivered { from, message, again: false } if *from == node => {
                format!("{node:?} hears itself: {message:?}")
            }
            TraceEvent::Delivered { from, message, again } => {
                let again = if *again { ", and may again" } else { "" };
                format!("{node:?} ← {from:?}  {message:?}{again}")
            }
            TraceEvent::Lost { from, message } => format!("{} from {from:?} to {node:?} is lost", message.kind),
            TraceEvent::TimerFired(_, timer) => format!("{node:?} runs out of patience: {timer:?}"),
            TraceEvent::Requested(command) => format!("{node:?} ← {:?}  asks: {:?}", command.client, command.op),
            TraceEvent::Ordered(Order::HandOver(to)) => format!("{node:?} is ordered to hand over to {to:?}"),
            TraceEvent::Ordered(Order::Reconfigure(members)) => {
                format!("{node:?} is ordered to change the members to {members:?}")
            }
            TraceEvent::Crashed => format!("{node:?} crashes"),
            TraceEvent::Restarted => format!("{node:?} restarts from its disk"),
        };
        if !step.coins.is_empty() {
            let sides = step.coins.iter().map(|&heads| if heads { "heads" } else { "tails" });
            event += &format!("; its coins show {}", sides.collect::<Vec<_>>().join(", "));
        }
        if !step.crashed_sending.is_empty() {
            let receivers: Vec<String> = step.crashed_sending.iter().map(|to| format!("{to:?}")).collect();
            event += &format!("; {node:?} crashes after sending to {}", receivers.join(", "));
        }
        TraceLine {
            event,
            rules: self.keys(step.rules),
            does: step.effects.iter().map(|effect| effect_text(self.card.agrees_on, node, effect)).collect(),
            changes: self.changes(node, step.before, step.after),
            goal: step.goal.map(|goal| goal as u32 + 1),
        }
    }

    fn changes(&self, node: NodeId, before: Option<NodeStatus>, after: Option<NodeStatus>) -> Vec<String> {
        let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
        let mut lines = Vec::new();
        if before.role != after.role {
            lines.push(format!("{node:?}: {} → {}", before.role, after.role));
        }
        if before.epoch != after.epoch {
            lines.push(format!("{node:?}: {} {} → {}", self.card.epoch, before.epoch.number, after.epoch.number));
        }
        if before.log.committed != after.log.committed {
            lines.push(format!("{node:?}: committed {} → {}", before.log.committed, after.log.committed));
        }
        lines
    }
}
