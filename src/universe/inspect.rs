//! Inspection of one event: the replay of a step with a recording outbox, and what it shows: reasons, state before and after, effects.

use super::Universe;
use super::reasons::{Why, Wording};
use crate::core::node::{Protocol, Setup};
use crate::core::{Effect, Grid, Micros, NodeId, QuorumSystem, Quorums, RuleSet, Shots};
use crate::sim::action::FlightId;
use crate::sim::recording::Text;
use crate::sim::replicas::AsText;
use crate::sim::trace::Record;
use std::fmt::Debug;

/// What it takes to inspect a protocol: its types as text, and its sentences. Apart from [`Variant`](super::Variant), so that the page can load it
/// when somebody asks.
#[derive(Clone, Copy, Debug)]
pub struct Inspector {
    /// States, messages and effects as text.
    pub as_text: AsText,
    /// Rules and sentences.
    pub wording: Wording,
    /// How many healthy nodes it takes to go on; `None` if no number of them is enough.
    pub least: fn(&Setup) -> Option<u8>,
    /// The quorum systems of its phases; see [`Protocol::quorums`].
    pub quorums: fn(&Setup) -> Option<Quorums>,
}

impl Inspector {
    /// That of a protocol.
    pub const fn of<P: Protocol>() -> Inspector {
        let wording = Wording { rules: P::RULES, sentences: P::SENTENCES };
        Inspector { as_text: AsText::of::<P>(), wording, least: least::<P>, quorums: P::quorums }
    }
}

fn least<P: Protocol>(setup: &Setup) -> Option<u8> {
    (1..=setup.replicas).find(|healthy| P::live(setup, *healthy))
}

/// Which sets are quorums, in words: `a row: 3 of 9`, and what for where phases differ. `None`: just any of a size.
pub fn quorums_in_words(quorums: &Quorums) -> Option<String> {
    let n = quorums.replicas;
    let words = |system: QuorumSystem| {
        let what = match system {
            QuorumSystem::Threshold(_) => return None,
            QuorumSystem::Row(_) => "a row".to_owned(),
            QuorumSystem::Column(_) => "a column".to_owned(),
            QuorumSystem::RowAndColumn(_) => "a row and a column".to_owned(),
            QuorumSystem::Hierarchy { of: Grid { rows, columns }, groups, members } => {
                format!("{groups} of {rows} groups, {members} of {columns} nodes in each")
            }
        };
        Some(format!("{what}: {} of {n}", system.need()))
    };
    let (one, two) = (words(quorums.phase1)?, words(quorums.phase2)?);
    Some(if one == two { one } else { format!("{one} to lead, {two} to choose") })
}

/// What a message in flight carries, field by field; nothing for those of clients.
pub fn content(universe: &dyn Universe, inspector: &Inspector, id: FlightId) -> Vec<Field> {
    let FlightId::Message { message_id, .. } = id else { return Vec::new() };
    let text = (inspector.as_text.message)(universe.cluster().world.replicas(), message_id);
    let Some(Text(text)) = text else { return Vec::new() };
    // A tuple variant around a structure, such as `AppendEntries(Append { … })`, is shown as what is in it.
    let inside = match text.split_once('(') {
        Some((name, inside)) if name.chars().all(char::is_alphanumeric) => inside.strip_suffix(')').unwrap_or(inside),
        _ => &text,
    };
    let named: Vec<Field> = fields(inside).map(|(name, value)| field(name, value, false)).collect();
    match named.is_empty() && inside != text {
        true => vec![field("content", inside, false)],
        false => named,
    }
}

/// The state of a node as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateText {
    /// All of it; `None` while the node is down.
    pub whole: Option<String>,
    /// Its durable part: its own while it is up, and otherwise what is on its disk.
    pub durable: String,
}

/// One step, replayed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// How many events had happened after it.
    pub event: u64,
    /// When, µs.
    pub at: Micros,
    /// Its trace records.
    pub records: Vec<Record>,
    /// What nodes did and why.
    pub why: Vec<Why>,
    /// The rules applied, and those that the reasons are about.
    pub rules: RuleSet,
    /// What each node that handled something asked for, as lines of text.
    pub effects: Vec<(NodeId, String)>,
    /// The nodes that handled something or whose state changed, with their states before and after.
    pub states: Vec<(NodeId, StateText, StateText)>,
}

/// Replays the next step of a copy of the simulation: `step` does it, and tells whether anything happened.
pub fn replay(
    universe: &mut dyn Universe,
    inspector: &Inspector,
    step: impl FnOnce(&mut dyn Universe) -> bool,
) -> Option<Replayed> {
    universe.record_effects();
    let states = |universe: &dyn Universe| -> Vec<StateText> {
        (0..universe.nodes()).map(|node| state(universe, inspector, NodeId(node))).collect()
    };
    let (before, total) = (states(universe), universe.trace().total());
    if !step(universe) {
        return None;
    }
    let records: Vec<Record> =
        universe.trace().records().filter(|(number, _)| *number >= total).map(|(_, record)| record).collect();
    let why = inspector.wording.why(universe.reasons());
    let applied = records.iter().map(|record| record.rules).chain(why.iter().map(|why| why.rules));
    let down = || StateText { whole: None, durable: String::new() };
    let changed = (0..).zip(states(universe)).filter_map(|(node, after)| {
        let before = before.get(usize::from(node)).cloned().unwrap_or_else(down);
        let handled = records.iter().any(|record| record.node == NodeId(node) && record.what.is_handled());
        (handled || before != after).then_some((NodeId(node), before, after))
    });
    let agrees_on = universe.variant().card.agrees_on;
    Some(Replayed {
        event: universe.events(),
        at: universe.time(),
        rules: applied.fold(RuleSet::EMPTY, RuleSet::or),
        effects: (inspector.as_text.effects)(universe.cluster().world.replicas())
            .iter()
            .map(|(node, effect)| (*node, effect_text(agrees_on, *node, effect)))
            .collect(),
        states: changed.collect(),
        records,
        why,
    })
}

/// The state of a node as text.
pub fn state(universe: &dyn Universe, inspector: &Inspector, node: NodeId) -> StateText {
    let replicas = universe.cluster().world.replicas();
    StateText {
        whole: (inspector.as_text.state)(replicas, node).map(|Text(text)| text),
        durable: (inspector.as_text.durable)(replicas, node).map(|Text(text)| text).unwrap_or_default(),
    }
}

/// An effect as a line of text.
pub fn effect_text<M: Debug, T: Debug>(agrees_on: Shots, node: NodeId, effect: &Effect<M, T>) -> String {
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
        Effect::Chosen(at, _) if agrees_on == Shots::Transactions => {
            format!("{node:?} knows transaction {at:?} is aborted")
        }
        Effect::Applied(at, command) if agrees_on == Shots::Transactions => {
            format!("{node:?} commits transaction {at:?}: {command:?}")
        }
        Effect::Chosen(at, command) if agrees_on == Shots::Registers => {
            format!("{node:?} knows version {} of register {} is chosen: {command:?}", at.slot, at.lane)
        }
        Effect::Applied(at, command) if agrees_on == Shots::Registers => {
            format!("{node:?} applies version {} of register {}: {command:?}", at.slot, at.lane)
        }
        Effect::Chosen(at, command) => format!("{node:?} knows slot {at:?} is chosen: {command:?}"),
        Effect::Applied(at, command) => format!("{node:?} applies slot {at:?}: {command:?}"),
        Effect::Fence(target) => format!("{node:?} has {target:?} turned off"),
        Effect::Restored(slot) => format!("{node:?} takes over a snapshot up to slot {slot}"),
    }
}

pub(super) fn micros_as_ms(micros: u64) -> String {
    match micros % 1000 {
        0 => format!("{} ms", micros / 1000),
        rest => format!("{}.{rest:03} ms", micros / 1000),
    }
}

/// One field of a state, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, such as `hears leader`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it is durable.
    pub durable: bool,
}

impl StateText {
    /// The fields of the state: those of its durable part each for itself, and the others, without what a node was configured to be. Empty
    /// while the node is down.
    pub fn fields(&self) -> Vec<Field> {
        let Some(whole) = &self.whole else {
            return fields(&self.durable).map(|(name, value)| field(name, value, true)).collect();
        };
        let mut all = Vec::new();
        for (name, value) in fields(whole) {
            match value == self.durable {
                true => all.extend(fields(value).map(|(name, value)| field(name, value, true))),
                false if matches!(name, "config" | "me") => {}
                false => all.push(field(name, value, false)),
            }
        }
        all
    }
}

fn field(name: &str, value: &str, durable: bool) -> Field {
    let some = value.strip_prefix("Some(").and_then(|value| value.strip_suffix(')'));
    let value = match some.unwrap_or(value) {
        "None" | "{}" | "[]" => "none",
        "true" => "yes",
        "false" => "no",
        value => value,
    };
    Field { name: name.replace('_', " "), value: value.to_owned(), durable }
}

/// Names and values of the fields in the `Debug` text of a structure.
pub fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let inside = text.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}')).unwrap_or_default();
    let mut rest = inside.trim();
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once(": ")?;
        let end = end_of_value(after);
        rest = after[end..].trim_start_matches(',').trim_start();
        Some((name, after[..end].trim()))
    })
}

/// Where a value ends: at a comma that is not in brackets.
fn end_of_value(text: &str) -> usize {
    let mut depth = 0;
    for (at, char) in text.char_indices() {
        match char {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_durable_part_stand_for_themselves_and_say_so() {
        let durable = "Disk { term: 3, vote: Some(5), log: {1: a, 2: b} }".to_owned();
        let whole = format!(
            "Server {{ me: 2, config: Config {{ a: 1, b: 2 }}, hears_leader: true, leader: None, disk: {durable}, open: [] }}"
        );
        let state = StateText { whole: Some(whole), durable };
        let shown: Vec<_> = state
            .fields()
            .into_iter()
            .map(|field| format!("{} = {} {}", field.name, field.value, field.durable))
            .collect();
        let expected = [
            "hears leader = yes false",
            "leader = none false",
            "term = 3 true",
            "vote = 5 true",
            "log = {1: a, 2: b} true",
            "open = none false",
        ];
        assert_eq!(shown, expected);
        let down = StateText { whole: None, ..state };
        assert_eq!(down.fields().len(), 3);
    }
}
