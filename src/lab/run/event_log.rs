//! Transcript as JSON lines: every handler call of a run with its stimulus, the state after it and its effects, complete enough to check a
//! protocol against a specification from outside.
//!
//! The first line is a header, the last one tells how the run ended; between them stand handler calls, crashes and actions, in order.
//! Nodes count from 1, slots from 1, times are µs, and what is the protocol's own is converted by [`debug_json`](super::debug_json): ballots
//! are `round.node`, commands are `client#number operation`.
//!
//! Logs (maps by slot in durable state) are given as changes: `{"keep": k, "new": {slot: entry}}` says that slots up to `k` are as in the
//! node's line before, and that those after are the ones listed. At a boot and after a crash nothing is kept.

use super::debug_json::parse;
use super::{Run, report::finding_text};
use crate::core::quorum::majority;
use crate::core::{Effect, Micros, NodeId, NodeSet, SettingId, SettingKind, Settings, Setup, Told};
use crate::lab::document::quantity::Quantity;
use crate::lab::{Document, Problem, Problems};
use crate::sim::recording::{HandlerCall, Stimulus, Text};
use crate::sim::{Blueprint, What};
use crate::universe::Variant;
use crate::universe::inspect::quorums_in_words;
use crate::universe::reasons::Wording;
use crate::universe::words;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};

/// The version of the format, in the header.
pub const VERSION: u32 = 1;

/// The durable state of a node in one line.
#[derive(Debug, Default)]
struct Durable {
    text: String,
    json: Value,
    /// How it is written if nothing changes.
    unchanged: Value,
}

/// Writes a run as JSON values, one a line.
#[derive(Debug)]
pub struct EventLog {
    run: Run,
    until: Micros,
    lines: VecDeque<Value>,
    /// The durable state in each node's latest line.
    durable: BTreeMap<NodeId, Durable>,
    records: u64,
    violations: usize,
    ended: bool,
}

impl EventLog {
    /// Starts a run, which ends at `until`, µs, or at its own end if that is earlier. Errors: the problems of the document.
    pub fn new(document: &Document, until: Micros) -> Result<EventLog, Problems> {
        let run = Run::with_calls(document)?;
        let mut log = EventLog {
            lines: VecDeque::from([header(&run)]),
            run,
            until,
            durable: BTreeMap::new(),
            records: 0,
            violations: 0,
            ended: false,
        };
        log.read_step();
        Ok(log)
    }

    /// The next line; `None` after the last. Errors: an intervention of the document does not fit the run.
    pub fn line(&mut self) -> Result<Option<Value>, Problem> {
        while self.lines.is_empty() && !self.ended {
            let ended = self.run.step()?;
            if ended || self.run.session().universe().time() > self.until {
                self.ended = true;
                self.lines.push_back(self.footer());
            } else {
                self.read_step();
            }
        }
        Ok(self.lines.pop_front())
    }

    /// Has the run stop where it takes more memory than so many bytes.
    pub fn limit_memory(&mut self, bytes: u64) {
        self.run.limit_memory(bytes);
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Adds the lines of the last step: actions, then handler calls, then violations.
    fn read_step(&mut self) {
        let universe = self.run.session().universe();
        let (event, time_us) = (universe.events(), universe.time());
        let new = universe.trace().records().filter(|(number, _)| *number >= self.records).map(|(_, record)| record);
        let new: Vec<_> = new.collect();
        self.records = universe.trace().total();
        for record in new {
            match (record.what, universe.intervention(), universe.refused().last()) {
                (What::Acted, Some(action), _) => {
                    let roles = universe.resolved().last().map(|resolved| resolved.timed);
                    let roles = roles.filter(|timed| (timed.at, timed.action) == (record.at, action));
                    let roles = roles.map(|timed| timed.roles.to_string());
                    let action = words::action(universe.variant(), action);
                    self.lines
                        .push_back(json!({ "event": event, "time_us": time_us, "action": action, "roles": roles }));
                }
                (What::Refused, _, Some(refused)) => self.lines.push_back(json!({
                    "event": event,
                    "time_us": time_us,
                    "refused": refused.timed.to_string(),
                    "why": refused.why.to_string(),
                })),
                _ => {}
            }
        }
        for call in universe.calls() {
            let wording = universe.variant().inspector.wording;
            let line = call_line(event, time_us, call, wording, self.durable.entry(call.node).or_default());
            self.lines.push_back(line);
        }
        for violation in &universe.violations()[self.violations..] {
            let nodes: Vec<u32> = violation.nodes.iter().map(number).collect();
            self.lines.push_back(json!({
                "event": event, "time_us": time_us, "violated": violation.property, "nodes": nodes, "slot": violation.slot,
            }));
        }
        self.violations = universe.violations().len();
    }

    fn footer(&self) -> Value {
        let universe = self.run.session().universe();
        let findings: Map<String, Value> = universe
            .findings()
            .iter()
            .map(|finding| (finding.property.to_owned(), Value::from(finding_text(finding.finding))))
            .collect();
        json!({
            "end": true,
            "event": universe.events(),
            "time_us": universe.time(),
            "fingerprint": format!("{:016x}", universe.fingerprint()),
            "properties": findings,
        })
    }
}

fn number(node: NodeId) -> u32 {
    u32::from(node.0) + 1
}

fn numbers(nodes: NodeSet) -> Vec<u32> {
    nodes.iter().map(number).collect()
}

fn header(run: &Run) -> Value {
    let (checked, scenario) = (run.session().checked(), run.session().scenario());
    let (variant, blueprint) = (checked.variant, &checked.blueprint);
    let n = blueprint.placement.len() as u8;
    let own: Map<String, Value> = blueprint
        .overrides
        .iter()
        .map(|(node, settings)| (number(*node).to_string(), settings_json(variant, settings)))
        .collect();
    json!({
        "transcript": VERSION,
        "program": env!("CARGO_PKG_VERSION"),
        "variant": variant.card.key,
        "n": n,
        "settings": settings_json(variant, &blueprint.settings),
        "node_settings": own,
        "quorums": quorums(variant, blueprint),
        "without": scenario.without,
        "seed": blueprint.seed,
    })
}

/// All settings with their values; `null` for a time that the protocol derives from the round trips.
fn settings_json(variant: &Variant, settings: &Settings) -> Value {
    let value = |(index, kind): (u8, &SettingKind)| {
        let id = SettingId(index);
        match kind {
            SettingKind::Flag { .. } => Value::from(settings.flag(id)),
            SettingKind::Choice { options, .. } => Value::from(options[usize::from(settings.choice(id))]),
            SettingKind::Count { .. } => Value::from(settings.count(id)),
            SettingKind::Duration { .. } => match settings.duration(id, Micros::MAX) {
                Micros::MAX => Value::Null,
                micros => Value::from(Quantity::from_micros(micros).text()),
            },
        }
    };
    let all = (0..).zip(variant.settings);
    all.map(|(index, setting)| (setting.key.to_owned(), value((index, &setting.kind)))).collect::<Map<_, _>>().into()
}

/// The sizes of quorums: of both phases where the variant has settings for them, of a majority otherwise; and which sets of these sizes, if not all.
fn quorums(variant: &Variant, blueprint: &Blueprint) -> Value {
    let replicas = blueprint.placement.len() as u8;
    let setup = Setup {
        replicas,
        rtt_max: blueprint.topology.round_trip_max(),
        settings: blueprint.settings.clone(),
        ablated: blueprint.ablated,
    };
    let Some(quorums) = (variant.inspector.quorums)(&setup) else { return json!({ "majority": majority(replicas) }) };
    let mut value = json!({ "q1": quorums.phase1.need(), "q2": quorums.phase2.need() });
    if let Some(which) = quorums_in_words(&quorums) {
        value["which"] = which.into();
    }
    value
}

/// The line of a handler call; `durable` is the durable state in the node's line before, and afterwards in this one.
fn call_line(event: u64, time_us: Micros, call: &HandlerCall, wording: Wording, durable: &mut Durable) -> Value {
    let HandlerCall { node, durable: Text(text), state, .. } = call;
    let starts_anew = matches!(call.stimulus, Stimulus::Boot(_) | Stimulus::Crash);
    let written = if *text == durable.text && !starts_anew {
        durable.unchanged.clone()
    } else {
        let json = parse(text);
        let written = changes(&json, if starts_anew { &Value::Null } else { &durable.json });
        *durable = Durable { text: text.clone(), unchanged: changes(&json, &json), json };
        written
    };
    json!({
        "event": event,
        "time_us": time_us,
        "node": number(*node),
        "stimulus": stimulus(&call.stimulus),
        "durable": written,
        "volatile": state.as_ref().map(|Text(state)| volatile(state, text)),
        "because": because(call, wording),
        "effects": call.effects.iter().map(effect).collect::<Vec<_>>(),
    })
}

/// The reasons of a call: the rule, whether it is in force, and the sentence.
fn because(call: &HandlerCall, wording: Wording) -> Vec<Value> {
    let reason = |told: &Told| {
        let rule = wording.rules.get(usize::from(told.rule.0)).map(|rule| rule.key);
        json!({ "rule": rule, "in_force": told.in_force, "says": wording.sentence(call.node, told) })
    };
    call.told.iter().map(reason).collect()
}

fn stimulus(stimulus: &Stimulus) -> Value {
    match stimulus {
        Stimulus::Boot(disk) => json!({ "kind": "boot", "disk": parse(&disk.0) }),
        Stimulus::Crash => json!({ "kind": "crash" }),
        Stimulus::Timer(Text(timer)) => json!({ "kind": "timer", "timer": timer }),
        Stimulus::Request(command) => json!({ "kind": "request", "command": format!("{command:?}") }),
        Stimulus::Order(order) => json!({ "kind": "order", "order": parse(&format!("{order:?}")) }),
        Stimulus::Message { id, from, content } => {
            json!({ "kind": "message", "id": parse(&format!("{id:?}")), "from": number(*from), "message": parse(&content.0) })
        }
    }
}

fn effect(effect: &Effect<Text, Text>) -> Value {
    match effect {
        Effect::Send(to, Text(message)) => json!({ "effect": "send", "to": [number(*to)], "message": parse(message) }),
        Effect::Broadcast(to, Text(message)) => {
            json!({ "effect": "send", "to": numbers(*to), "message": parse(message) })
        }
        Effect::SetTimer(Text(timer), from_us, to_us) => {
            json!({ "effect": "set timer", "timer": timer, "from_us": from_us, "to_us": to_us })
        }
        Effect::Cancel(Text(timer)) => json!({ "effect": "cancel timer", "timer": timer }),
        Effect::Save => json!({ "effect": "save" }),
        Effect::Reply(reply) => json!({
            "effect": "reply",
            "client": format!("{:?}", reply.client),
            "number": reply.seq,
            "answer": parse(&format!("{:?}", reply.answer)),
        }),
        Effect::Chosen(at, command) => {
            json!({ "effect": "chosen", "lane": at.lane, "slot": at.slot, "command": format!("{command:?}") })
        }
        Effect::Applied(at, command) => {
            json!({ "effect": "applied", "lane": at.lane, "slot": at.slot, "command": format!("{command:?}") })
        }
        Effect::Restored(slot) => json!({ "effect": "restored", "slot": slot }),
        Effect::Fence(node) => json!({ "effect": "fence", "node": number(*node) }),
    }
}

/// The state of a node without its durable part, which is a field of it.
fn volatile(state: &str, durable: &str) -> Value {
    const PLACE: &str = "_durable_state_";
    // Cut out as text: reading a long log only to leave it out would take most of the time.
    let field = format!(": {durable}");
    let mut json = parse(&state.replacen(&field, &format!(": {PLACE}"), 1));
    if let Value::Object(fields) = &mut json {
        fields.retain(|_, value| value != PLACE);
    }
    json
}

/// `now` with its logs as changes since `before`.
fn changes(now: &Value, before: &Value) -> Value {
    match now {
        Value::Object(entries) if is_log(entries) => {
            let nothing = Map::new();
            let before = before.as_object().unwrap_or(&nothing);
            let mut slots: Vec<u64> = entries.keys().filter_map(|slot| slot.parse().ok()).collect();
            slots.sort_unstable();
            let same = |slot: &&u64| before.get(&slot.to_string()) == entries.get(&slot.to_string());
            let kept = slots.iter().take_while(same).count();
            // Slots of before that are gone are below the first one (compacted), or after the last one kept (overwritten).
            let new = slots[kept..].iter().map(|slot| slot.to_string());
            let new: Map<String, Value> = new.map(|slot| (slot.clone(), entries[&slot].clone())).collect();
            json!({ "first": slots.first(), "keep": kept.checked_sub(1).map_or(0, |last| slots[last]), "new": new })
        }
        Value::Object(fields) => {
            let changed = |(name, value): (&String, &Value)| (name.clone(), changes(value, &before[name.as_str()]));
            fields.iter().map(changed).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Whether a map is by slot.
fn is_log(entries: &Map<String, Value>) -> bool {
    !entries.is_empty() && entries.keys().all(|key| key.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_is_given_as_slots_kept_and_new_entries() {
        let log = |entries: &[(u64, &str)]| {
            let entries: Map<String, Value> =
                entries.iter().map(|(slot, entry)| (slot.to_string(), Value::from(*entry))).collect();
            json!({ "type": "Disk", "term": 3, "log": entries })
        };
        let change = |now: &[(u64, &str)], before: &[(u64, &str)]| changes(&log(now), &log(before))["log"].clone();
        let two = [(1, "a"), (2, "b")];
        assert_eq!(change(&two, &[]), json!({ "first": 1, "keep": 0, "new": { "1": "a", "2": "b" } }));
        assert_eq!(change(&two, &two), json!({ "first": 1, "keep": 2, "new": {} }));
        assert_eq!(change(&[(1, "a"), (2, "c")], &two), json!({ "first": 1, "keep": 1, "new": { "2": "c" } }));
        // Ten comes after nine, not after one.
        let nine: Vec<(u64, &str)> = (1..10).map(|slot| (slot, "x")).collect();
        let ten: Vec<(u64, &str)> = (1..11).map(|slot| (slot, "x")).collect();
        assert_eq!(change(&ten, &nine), json!({ "first": 1, "keep": 9, "new": { "10": "x" } }));
        // Compacted below 2.
        assert_eq!(change(&[(2, "b"), (3, "c")], &two), json!({ "first": 2, "keep": 2, "new": { "3": "c" } }));
        assert_eq!(change(&[(1, "a")], &two), json!({ "first": 1, "keep": 1, "new": {} }));
    }
}
