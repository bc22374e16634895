//! A run as a trace in Chrome's JSON format, for Perfetto: a process is a data centre, a thread a node or the clients there.
//!
//! * `X`: what a node or client did in an event, for as long as its processor took; a microsecond where it takes no time.
//! * `s` and `f`: the two ends of a message that was delivered, bound to the slices in which it was sent and handled.
//! * `C`: term (ballot, view) and committed prefix of each node. `i`: what somebody or the script did, crashes, violations.
//!
//! The format: "Trace Event Format", <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>; what Perfetto makes of it, in
//! its `json_trace_parser_impl.cc`: a flow begins and ends in the innermost slice that is open at its time, events of one microsecond are taken in
//! the order of the file, and slices of one thread must lie within each other or apart.

use super::jsonl::name;
use super::recording::{Recording, Seen, Step};
use super::{Refusal, room_for};
use crate::core::{Micros, NodeId};
use crate::lab::Session;
use crate::lab::run::diagram::{Fate, Lane, MessageKind};
use crate::sim::action::Action;
use crate::sim::trace::{Record, What};
use crate::universe::words;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Thread of the clients at a site; nodes have their numbers.
const CLIENTS: u32 = 1_000;

/// One event of the trace.
#[derive(Debug, Serialize)]
struct Event<'a> {
    ph: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cat: &'static str,
    ts: Micros,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<Micros>,
    pid: u32,
    tid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    /// Where a flow ends: in the slice that encloses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'static str>,
    /// How far an instant reaches: `g` over all, `t` over its thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    args: Value,
}

/// A slice: who did what in which record of a step.
struct Slice {
    lane: Lane,
    begin: Micros,
    name: String,
    args: Value,
    /// The message that it handles.
    ends: Option<usize>,
    /// The messages that it sends and that arrive.
    begins: Vec<usize>,
}

/// Writes the trace.
pub(super) fn write(run: &Recording, session: &Session) -> Result<String, Refusal> {
    let mut trace = Trace::new(run, session);
    trace.names()?;
    for step in &run.steps {
        trace.step(step)?;
    }
    Ok(trace.end())
}

struct Trace<'a> {
    run: &'a Recording,
    session: &'a Session,
    ends: super::recording::Ends,
    now: Vec<Seen>,
    /// Up to when each lane is busy, and since when it may work after it was paused, µs.
    busy: BTreeMap<Lane, Micros>,
    /// The processor of each node, in percent of its usual cost.
    percent: BTreeMap<NodeId, u64>,
    /// Threads that have their names.
    named: Vec<(u32, u32)>,
    /// Terms and committed prefixes as last told, by node.
    counters: BTreeMap<(NodeId, &'static str), u64>,
    text: String,
}

impl<'a> Trace<'a> {
    fn new(run: &'a Recording, session: &'a Session) -> Trace<'a> {
        let (checked, universe) = (session.checked(), session.universe());
        let other = json!({
            "program": format!("quorumscope {}", env!("CARGO_PKG_VERSION")),
            "scenario": session.scenario().title,
            "variant": checked.variant.card.key,
            "seed": checked.blueprint.seed.to_string(),
            "fingerprint": format!("{:016x}", universe.fingerprint()),
            "until_us": universe.time(),
        });
        Trace {
            run,
            session,
            ends: run.ends(),
            now: run.start.clone(),
            busy: BTreeMap::new(),
            percent: BTreeMap::new(),
            named: Vec::new(),
            counters: BTreeMap::new(),
            text: format!("{{\"displayTimeUnit\":\"ms\",\"otherData\":{other},\"traceEvents\":["),
        }
    }

    fn end(mut self) -> String {
        self.text.push_str("\n]}\n");
        self.text
    }

    fn push(&mut self, event: &Event<'_>) -> Result<(), Refusal> {
        self.text.push_str(if self.text.ends_with('[') { "\n" } else { ",\n" });
        self.text.push_str(&serde_json::to_string(event).expect("its keys are texts"));
        room_for(&self.text, event.ts)
    }

    fn meta(&mut self, name: &str, (pid, tid): (u32, u32), args: Value) -> Result<(), Refusal> {
        let none = (None, None, None, None);
        let (dur, id, bp, s) = none;
        self.push(&Event { ph: "M", name, cat: "", ts: 0, dur, pid, tid, id, bp, s, args })
    }

    /// Names of processes and threads, and counters at the start.
    fn names(&mut self) -> Result<(), Refusal> {
        for (pid, place) in (1..).zip(&self.session.checked().places) {
            let name = if place.name == place.id { place.id.clone() } else { format!("{} ({})", place.name, place.id) };
            self.meta("process_name", (pid, 0), json!({ "name": name }))?;
            self.meta("process_sort_index", (pid, 0), json!({ "sort_index": pid }))?;
        }
        for node in (0..self.now.len() as u8).map(NodeId) {
            self.thread(Lane::Node(node))?;
            self.counters(0, node)?;
        }
        Ok(())
    }

    /// Process and thread of a lane; they are named at first sight.
    fn thread(&mut self, lane: Lane) -> Result<(u32, u32), Refusal> {
        let (site, tid, name) = match lane {
            Lane::Node(node) => {
                let site = self.now.get(usize::from(node.0)).map_or(0, |seen| seen.site);
                (site, u32::from(node.0) + 1, format!("node {node:?}"))
            }
            Lane::Clients(site) => (site, CLIENTS + u32::from(site) + 1, "clients".to_owned()),
        };
        let thread = (u32::from(site) + 1, tid);
        if !self.named.contains(&thread) {
            self.named.push(thread);
            self.meta("thread_name", thread, json!({ "name": name }))?;
            self.meta("thread_sort_index", thread, json!({ "sort_index": tid }))?;
        }
        Ok(thread)
    }

    fn step(&mut self, step: &Step) -> Result<(), Refusal> {
        step.update(&mut self.now);
        if let Some((Action::Throttle { node, percent }, _)) = step.action {
            self.percent.insert(node, u64::from(percent));
        }
        for (node, seen) in &step.seen {
            // What waits for a node that is paused is handled when it goes on.
            if !seen.paused {
                let busy = self.busy.entry(Lane::Node(*node)).or_default();
                *busy = (*busy).max(step.at);
            }
        }
        for slice in self.slices(step) {
            self.slice(step, &slice)?;
        }
        let nodes: Vec<NodeId> = step.seen.iter().map(|(node, _)| *node).collect();
        for node in nodes {
            self.counters(step.at, node)?;
        }
        self.instants(step)
    }

    /// What each lane did in a step.
    fn slices(&mut self, step: &Step) -> Vec<Slice> {
        let mut slices: Vec<Slice> = Vec::new();
        let kinds = self.session.checked().variant.kinds;
        for record in &step.records {
            let ends = self.ends.take(step.event, record).filter(|_| record.what != What::Lost);
            let Some(lane) = self.lane(record) else { continue };
            let message = ends.and_then(|number| self.run.history().message(number));
            let name = match (record.what, message) {
                (_, Some(message)) => name(kinds, message.kind).to_owned(),
                (What::Timer, _) => "timer".to_owned(),
                (What::Client, _) => "asks".to_owned(),
                (What::Delivered, _) => format!("{} of its own", name_of(kinds, record)),
                _ => "request".to_owned(),
            };
            let mut args = json!({ "event": step.event });
            if record.slot > 0 {
                args["slot"] = record.slot.into();
            }
            if let Some(message) = message {
                args["message"] = ends.map(|number| number + 1).into();
                args["sent_us"] = message.sent.into();
            }
            let begin = message.map_or(step.at, |message| message.arrives);
            slices.push(Slice { lane, begin, name, args, ends, begins: Vec::new() });
        }
        for number in step.sent.clone() {
            let Some(message) = self.run.history().message(number).filter(|it| it.fate == Fate::Delivered) else {
                continue;
            };
            let sender = slices.iter_mut().rev().find(|slice| slice.lane == message.from);
            match sender {
                Some(slice) => slice.begins.push(number),
                // Sent by an action, such as what was held and is let go.
                None => slices.push(Slice {
                    lane: message.from,
                    begin: step.at,
                    name: "sends".to_owned(),
                    args: json!({ "event": step.event }),
                    ends: None,
                    begins: vec![number],
                }),
            }
        }
        slices
    }

    /// The lane that a record is about, if something was done in it.
    fn lane(&self, record: &Record) -> Option<Lane> {
        match record.what {
            What::Delivered | What::Timer | What::Request => Some(Lane::Node(record.node)),
            What::Answered | What::Client => self.ends.lane_of_client(record),
            _ => None,
        }
    }

    fn slice(&mut self, step: &Step, slice: &Slice) -> Result<(), Refusal> {
        let (pid, tid) = self.thread(slice.lane)?;
        let busy = self.busy.get(&slice.lane).copied().unwrap_or(0);
        // A processor takes one message after the other: this one since it was free.
        let begin = slice.begin.max(busy).min(step.at);
        let end = (step.at + self.sending(slice)).max(begin + 1);
        self.busy.insert(slice.lane, end.max(busy));
        let (id, bp, s) = (None, None, None);
        let args = slice.args.clone();
        let cat = if matches!(slice.lane, Lane::Node(_)) { "node" } else { "client" };
        let dur = Some(end - begin);
        self.push(&Event { ph: "X", name: &slice.name, cat, ts: begin, dur, pid, tid, id, bp, s, args })?;
        let ends = slice.ends.map(|number| ("f", number));
        for (ph, number) in ends.into_iter().chain(slice.begins.iter().map(|number| ("s", *number))) {
            let kind = self.run.history().message(number).map_or(MessageKind::Request, |message| message.kind);
            let name = name(self.session.checked().variant.kinds, kind);
            let (id, bp, dur) = (Some(number + 1), (ph == "f").then_some("e"), None);
            let args = Value::Null;
            self.push(&Event { ph, name, cat: "message", ts: begin, dur, pid, tid, id, bp, s, args })?;
        }
        Ok(())
    }

    /// How long the processor of a node takes to send what it sends, µs.
    fn sending(&self, slice: &Slice) -> Micros {
        let (Lane::Node(node), cost) = (slice.lane, self.session.checked().blueprint.topology.cost) else { return 0 };
        let message = |number: &usize| self.run.history().message(*number);
        let of = slice.begins.iter().filter_map(message).map(|it| cost.send + u64::from(it.bytes) * cost.send_byte);
        (of.sum::<u64>() * self.percent.get(&node).copied().unwrap_or(100) / 100).div_ceil(1_000)
    }

    /// Term and committed prefix of a node, where they are others than before.
    fn counters(&mut self, at: Micros, node: NodeId) -> Result<(), Refusal> {
        let Some(status) = self.now.get(usize::from(node.0)).and_then(|seen| seen.status) else { return Ok(()) };
        let (pid, tid) = self.thread(Lane::Node(node))?;
        let epoch = self.session.checked().variant.card.epoch;
        let values = [(epoch, u64::from(status.epoch.number)), ("committed", u64::from(status.log.committed))];
        for (what, value) in values {
            if self.counters.insert((node, what), value) == Some(value) {
                continue;
            }
            let name = format!("node {node:?} {what}");
            let (dur, id, bp, s) = (None, None, None, None);
            let args = json!({ what: value });
            self.push(&Event { ph: "C", name: &name, cat: "", ts: at, dur, pid, tid, id, bp, s, args })?;
        }
        Ok(())
    }

    /// What somebody or the script did, who went down, what is violated.
    fn instants(&mut self, step: &Step) -> Result<(), Refusal> {
        let mut instants = Vec::new();
        if let Some((_, action)) = &step.action {
            instants.push((action.clone(), "fault", None));
        }
        for (node, seen) in &step.seen {
            if seen.status.is_none() {
                instants.push((format!("node {node:?} is down"), "fault", Some(*node)));
            }
        }
        for (property, nodes) in &step.violated {
            let by =
                if nodes.is_empty() { String::new() } else { format!(" by {}", words::nodes(nodes.iter().copied())) };
            instants.push((format!("{property} is violated{by}"), "violation", None));
        }
        for (name, cat, node) in instants {
            let (pid, tid) = node.map_or(Ok((1, 0)), |node| self.thread(Lane::Node(node)))?;
            let s = Some(if node.is_some() { "t" } else { "g" });
            let (dur, id, bp, args) = (None, None, None, json!({ "event": step.event }));
            self.push(&Event { ph: "i", name: &name, cat, ts: step.at, dur, pid, tid, id, bp, s, args })?;
        }
        Ok(())
    }
}

/// The name of the message that a record is about.
fn name_of(kinds: &[crate::core::Kind], record: &Record) -> &'static str {
    name(kinds, MessageKind::Protocol(crate::core::KindId(record.kind)))
}
