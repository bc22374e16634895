//! A run as a sequence of states in the Informal Trace Format of Apalache (ADR 015), which tools around TLA+ and Quint read. A state is what can be
//! seen after a step: of each node whether it is up, its role, epoch and log; and the messages on their way.
//!
//! Integers are written as `{"#bigint": "5"}`, functions as `{"#map": [[key, value], …]}`, sets as `{"#set": […]}`, tuples as `{"#tup": […]}`, records
//! as objects, whose fields are no keywords of the languages that read them. A value that may be absent is a sequence of one or none, so that each variable has one type.

use super::jsonl::name;
use super::recording::{Entry, Recording, Seen, Step};
use super::{Refusal, room_for};
use crate::core::{Epoch, NodeId};
use crate::lab::Session;
use crate::lab::run::diagram::{Fate, Lane};
use crate::sim::trace::What;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The variables, their types (in Apalache's notation) and what they are.
pub const VARIABLES: &[(&str, &str)] = &[
    ("action", "{ kind: Str, node: Seq(Int), says: Str }"),
    ("applied", "Int -> Int"),
    ("committed", "Int -> Int"),
    ("epoch", "Int -> <<Int, Int>>"),
    ("leads", "Int -> Bool"),
    ("log", "Int -> (Int -> Str)"),
    ("messages", "Set({ id: Int, kind: Str, sender: Str, receiver: Str, fields: Str -> Str })"),
    ("role", "Int -> Str"),
    ("time", "Int"),
    ("up", "Int -> Bool"),
];

/// Writes the trace.
pub(super) fn write(run: &Recording, session: &Session) -> Result<String, Refusal> {
    let (checked, universe) = (session.checked(), session.universe());
    let types: Map<String, Value> = VARIABLES.iter().map(|(name, of)| ((*name).to_owned(), Value::from(*of))).collect();
    let violated: Vec<&str> = universe.violations().iter().map(|violation| violation.property).collect();
    let meta = json!({
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "description": format!("{}: {}", checked.variant.card.title, session.scenario().title),
        "source": format!("quorumscope {}, {}, seed {}", env!("CARGO_PKG_VERSION"), checked.variant.card.key, checked.blueprint.seed),
        "fingerprint": format!("{:016x}", universe.fingerprint()),
        "status": if violated.is_empty() { "ok" } else { "violation" },
        "violated": violated,
        "varTypes": types,
    });
    let vars: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
    let mut text = format!("{{\"#meta\":{meta},\n\"vars\":{},\n\"states\":[", json!(vars));
    let mut states =
        States { run, session, now: run.start.clone(), logs: vec![entries(&[]); run.start.len()], on_way: Vec::new() };
    for (index, step) in run.steps.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        states.after(index, step, &mut text);
        room_for(&text, step.at)?;
    }
    text.push_str("\n]}\n");
    Ok(text)
}

struct States<'a> {
    run: &'a Recording,
    session: &'a Session,
    now: Vec<Seen>,
    /// The log of each node, as it is written.
    logs: Vec<String>,
    /// The messages on their way: their numbers, and how they are written.
    on_way: Vec<(usize, String)>,
}

fn int(number: impl std::fmt::Display) -> Value {
    json!({ "#bigint": number.to_string() })
}

fn map(entries: impl IntoIterator<Item = (Value, Value)>) -> Value {
    let entries: Vec<[Value; 2]> = entries.into_iter().map(|(key, value)| [key, value]).collect();
    json!({ "#map": entries })
}

/// An epoch: its number, and the node that may lead it alone, counted from 1; 0 where any may.
fn epoch(epoch: Epoch) -> Value {
    json!({ "#tup": [int(epoch.number), int(epoch.owner.map_or(0, |owner| owner.0 + 1))] })
}

impl States<'_> {
    /// Writes the state after a step.
    fn after(&mut self, index: usize, step: &Step, text: &mut String) {
        step.update(&mut self.now);
        self.logs.resize(self.now.len(), entries(&[]));
        for (node, log) in &step.logs {
            self.logs[usize::from(node.0)] = entries(log);
        }
        let sent: Vec<_> = step.sent.clone().filter_map(|number| Some((number, self.message(number)?))).collect();
        self.on_way.extend(sent);
        let history = self.run.history();
        let stays = |(number, _): &(usize, String)| {
            // What a step ended is not on its way after it; what never left never was.
            history.message(*number).is_some_and(|it| it.ended_in > step.event && it.fate != Fate::Unsent)
        };
        self.on_way.retain(stays);
        let of = |value: &dyn Fn(&Seen) -> Value| {
            map((1..).zip(&self.now).map(|(node, seen): (u8, &Seen)| (int(node), value(seen))))
        };
        let running = |seen: &Seen| seen.status.unwrap_or_default();
        // Logs and messages are long and change seldom: they are written once and copied.
        let messages: Vec<&str> = self.on_way.iter().map(|(_, text)| text.as_str()).collect();
        let logs: Vec<String> =
            (1..).zip(&self.logs).map(|(node, log): (u8, _)| format!("[{},{log}]", int(node))).collect();
        let parts: [(&str, String); 11] = [
            ("#meta", json!({ "index": index, "event": step.event }).to_string()),
            ("action", self.action(step).to_string()),
            ("applied", of(&|seen| int(running(seen).log.applied)).to_string()),
            ("committed", of(&|seen| int(running(seen).log.committed)).to_string()),
            ("epoch", of(&|seen| epoch(running(seen).epoch)).to_string()),
            ("leads", of(&|seen| running(seen).leads.into()).to_string()),
            ("log", format!("{{\"#map\":[{}]}}", logs.join(","))),
            ("messages", format!("{{\"#set\":[{}]}}", messages.join(","))),
            ("role", of(&|seen| running(seen).role.into()).to_string()),
            ("time", int(step.at).to_string()),
            ("up", of(&|seen| seen.status.is_some().into()).to_string()),
        ];
        let parts: Vec<String> = parts.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let _ = write!(text, "{{{}}}", parts.join(","));
    }

    /// What happened: a word, the node that it happened to, and more words.
    fn action(&self, step: &Step) -> Value {
        let kinds = self.session.checked().variant.kinds;
        let first = step.records.iter().find(|record| !matches!(record.what, What::Chosen | What::Applied));
        let (kind, node, says) = match first {
            None if step.event == 0 => ("init", None, String::new()),
            None => ("change", None, String::new()),
            Some(record) => {
                let message = || {
                    let name = kinds.get(usize::from(record.kind)).map_or("message", |kind| kind.name);
                    format!("{name} from node {:?}", record.peer)
                };
                let client = || format!("client {}", record.detail + 1);
                let node = Some(record.node);
                match record.what {
                    What::Delivered => ("deliver", node, message()),
                    What::Lost if record.node == record.peer => ("lose", node, "request".to_owned()),
                    What::Lost => ("lose", node, message()),
                    What::Timer => ("timer", node, String::new()),
                    What::Request => ("request", node, client()),
                    What::Answered => ("answer", node, client()),
                    What::Client => ("ask", node, client()),
                    What::Stopped => ("stop", node, String::new()),
                    What::Fenced => ("fence", node, String::new()),
                    _ => {
                        let says = step.action.as_ref().map(|(_, says)| says.clone()).unwrap_or_default();
                        (if record.what == What::Acted { "act" } else { "refuse" }, None, says)
                    }
                }
            }
        };
        let node: Vec<Value> = node.iter().map(|node: &NodeId| int(node.0 + 1)).collect();
        json!({ "kind": kind, "node": node, "says": says })
    }

    /// A message, as it is written.
    fn message(&self, number: usize) -> Option<String> {
        let kinds = self.session.checked().variant.kinds;
        let lane = |lane: Lane| match lane {
            Lane::Node(node) => format!("node {node:?}"),
            Lane::Clients(site) => {
                let id = self.session.checked().places.get(usize::from(site)).map_or("", |place| place.id.as_str());
                format!("clients at {id}")
            }
        };
        let message = self.run.history().message(number)?;
        let fields = self.run.contents.get(number).into_iter().flatten();
        let fields = map(fields.map(|(name, value)| (Value::from(name.as_str()), Value::from(value.as_str()))));
        let record = json!({
            "id": int(number + 1),
            "kind": name(kinds, message.kind),
            "sender": lane(message.from),
            "receiver": lane(message.to),
            "fields": fields,
        });
        Some(record.to_string())
    }
}

/// A log: its slots, and in each the epoch in which it was written and the command.
fn entries(log: &[Entry]) -> String {
    let entry = |(slot, entry): &Entry| {
        let command =
            entry.command.map_or_else(|| "of the protocol's own".to_owned(), |command| format!("{command:?}"));
        (int(slot), Value::from(format!("{} {command}", entry.epoch)))
    };
    map(log.iter().map(entry)).to_string()
}
