//! Transcript: a run as text, event by event, with the rules applied, effects and state changes.

use super::{NodeView, Universe};
use crate::core::{Effect, NodeId, NodeStatus, Shots};
use crate::judge::orders::OrderOutcome;
use crate::sim::{Record, What};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fmt::Write;

/// An effect as a line of text.
pub(super) fn in_words<M: Debug, T: Debug>(shots: Shots, node: NodeId, effect: &Effect<M, T>) -> String {
    let ms = |micros: &u64| micros_as_ms(*micros);
    match effect {
        Effect::Send(to, message) => format!("{node:?} → {to:?}  {message:?}"),
        Effect::Broadcast(to, message) => {
            let to: Vec<String> = to.iter().map(|to| format!("{to:?}")).collect();
            format!("{node:?} → {}  {message:?}", to.join(" "))
        }
        Effect::SetTimer(timer, lo, hi) if lo == hi => format!("{node:?} sets {timer:?} to {}", ms(lo)),
        Effect::SetTimer(timer, lo, hi) => format!("{node:?} sets {timer:?} to {} … {}", ms(lo), ms(hi)),
        Effect::Cancel(timer) => format!("{node:?} stops {timer:?}"),
        Effect::Save => format!("{node:?} saves"),
        Effect::Reply(reply) => format!("{node:?} → {:?}#{}  {:?}", reply.client, reply.seq, reply.answer),
        Effect::Chosen(at, _) if shots == Shots::Transactions => {
            format!("{node:?} knows transaction {at:?} is aborted")
        }
        Effect::Applied(at, command) if shots == Shots::Transactions => {
            format!("{node:?} commits transaction {at:?}: {command:?}")
        }
        Effect::Chosen(at, command) if shots == Shots::Registers => {
            format!("{node:?} knows version {} of register {} is chosen: {command:?}", at.slot, at.lane)
        }
        Effect::Applied(at, command) if shots == Shots::Registers => {
            format!("{node:?} applies version {} of register {}: {command:?}", at.slot, at.lane)
        }
        Effect::Chosen(at, command) => format!("{node:?} knows slot {at:?} is chosen: {command:?}"),
        Effect::Applied(at, command) => format!("{node:?} applies slot {at:?}: {command:?}"),
        Effect::Fence(target) => format!("{node:?} has {target:?} turned off"),
        Effect::Restored(slot) => format!("{node:?} takes over a snapshot up to slot {slot}"),
    }
}

fn micros_as_ms(micros: u64) -> String {
    match micros % 1000 {
        0 => format!("{} ms", micros / 1000),
        rest => format!("{}.{rest:03} ms", micros / 1000),
    }
}

/// Writer of the transcript of one run. Keeps the last status of each node, to report changes.
#[derive(Debug)]
pub struct Transcript {
    seen: Vec<Option<NodeStatus>>,
    told: u64,
    violations: usize,
    /// Orders whose end was told, by index.
    orders: BTreeSet<usize>,
}

impl Transcript {
    /// Starts a transcript, and the recording of effects.
    pub fn of(universe: &mut dyn Universe) -> Transcript {
        universe.record_effects();
        Transcript {
            seen: (0..universe.nodes()).map(|id| universe.node(NodeId(id)).status).collect(),
            told: universe.trace().total(),
            violations: 0,
            orders: (0..).zip(universe.orders()).filter(|(_, order)| order.ended.is_some()).map(|(i, _)| i).collect(),
        }
    }

    /// The lines of the last step or action; to be called after each.
    pub fn tell(&mut self, universe: &dyn Universe) -> String {
        let mut text = String::new();
        let new: Vec<Record> =
            universe.trace().records().filter(|(number, _)| *number >= self.told).map(|(_, record)| record).collect();
        self.told = universe.trace().total();
        for record in new {
            let rules: Vec<&str> =
                record.rules.iter().map(|rule| universe.variant().rules()[usize::from(rule.0)].key).collect();
            if let Some(what) = self.headline(universe, &record) {
                let because = if rules.is_empty() { String::new() } else { format!("   [{}]", rules.join(", ")) };
                let _ = writeln!(text, "{:>9}.{:03}  {what}{because}", record.at / 1000, record.at % 1000);
            }
        }
        for line in universe.recorded_effects() {
            let _ = writeln!(text, "                 {line}");
        }
        for line in self.changes(universe) {
            let _ = writeln!(text, "               • {line}");
        }
        for (index, OrderOutcome { given, ended }) in universe.orders().iter().enumerate() {
            let Some((_, ended)) = ended.filter(|_| self.orders.insert(index)) else { continue };
            let why = ended.why(given.order).map(|why| format!(": {why}")).unwrap_or_default();
            let at = micros_as_ms(given.at);
            let _ = writeln!(text, "               • the order of {at} to {} is {}{why}", given.action, ended.text());
        }
        for violation in &universe.violations()[self.violations..] {
            let slot = violation.place(universe.variant().card.shots).map(|place| format!(", {place}"));
            let slot = slot.unwrap_or_default();
            let by = if violation.nodes.is_empty() { String::new() } else { format!(": nodes {:?}", violation.nodes) };
            let _ = writeln!(text, "               ✗ {} is broken{by}{slot}", violation.property);
        }
        self.violations = universe.violations().len();
        text
    }

    fn headline(&self, universe: &dyn Universe, record: &Record) -> Option<String> {
        let (node, peer) = (record.node, record.peer);
        let kind = || universe.variant().kinds[usize::from(record.kind)].name;
        let client = crate::core::ClientId(record.detail as u16);
        Some(match record.what {
            What::Delivered if node == peer => format!("{node:?} hears itself: {}", kind()),
            What::Delivered => format!("{node:?} ← {peer:?}  {}", kind()),
            What::Lost if node == peer => format!("a request to {node:?} is lost"),
            What::Lost => format!("{} from {peer:?} to {node:?} is lost", kind()),
            What::Timer => format!("{node:?}: a timer is due"),
            What::Request => format!("{node:?} ← {client:?}  asks"),
            What::Answered => format!("{client:?} ← {node:?}  hears"),
            What::Client => format!("{client:?} asks {node:?}"),
            What::Acted => match universe.intervention() {
                Some(action) => match universe.resolved().last().map(|resolved| resolved.timed) {
                    Some(timed) if (timed.at, timed.action) == (record.at, action) => {
                        format!("somebody steps in: {action} ({})", timed.roles)
                    }
                    _ => format!("somebody steps in: {action}"),
                },
                None => "somebody steps in".to_owned(),
            },
            What::Refused => match universe.refused().last() {
                Some(refused) => format!("somebody would {}: {}", refused.timed, refused.why),
                None => return None,
            },
            What::Fenced => format!("{node:?} is turned off by {peer:?}"),
            What::Stopped if record.detail == 1 => format!("{node:?} crashes in the middle of what it sends"),
            What::Stopped => format!("{node:?} cannot save: its disk is full"),
            What::Chosen | What::Applied => return None,
        })
    }

    /// State changes since the last call: role, epoch, committed prefix, up or down.
    fn changes(&mut self, universe: &dyn Universe) -> Vec<String> {
        let word = universe.variant().card.epoch;
        let mut lines = Vec::new();
        for id in 0..universe.nodes() {
            let NodeView { id, status, .. } = universe.node(NodeId(id));
            let index = usize::from(id.0);
            if self.seen.len() <= index {
                self.seen.push(None);
            }
            match (self.seen[index], status) {
                (Some(_), None) => lines.push(format!("{id:?} is down")),
                (None, Some(now)) => lines.push(format!("{id:?} starts as {}", now.role)),
                (Some(before), Some(now)) => {
                    if before.role != now.role {
                        lines.push(format!("{id:?}: {} → {}", before.role, now.role));
                    }
                    if before.epoch != now.epoch {
                        lines.push(format!("{id:?}: {word} {} → {}", before.epoch, now.epoch));
                    }
                    if before.log.committed != now.log.committed {
                        lines.push(format!("{id:?}: committed {} → {}", before.log.committed, now.log.committed));
                    }
                }
                (None, None) => {}
            }
            self.seen[index] = status;
        }
        lines
    }
}
