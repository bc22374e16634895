//! A run as a log with vector clocks, for ShiViz: two lines an event, the host with its clock and what happened. Each branch of a session is an
//! execution of its own, so that two of them can be compared.
//!
//! ShiViz takes two regular expressions beside the log; [`PARSER`] and [`DELIMITER`] stand in the head of the file as well. What is before the first
//! delimiter would be an execution, too, so the head follows it.

use super::jsonl::name;
use super::recording::Recording;
use super::{Refusal, room_for};
use crate::core::{KindId, Micros};
use crate::lab::Session;
use crate::lab::run::diagram::{Lane, Message, MessageKind};
use crate::sim::trace::{Record, What};
use crate::universe::words;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What ShiViz is to take events apart with.
pub const PARSER: &str = r"^(?<host>\S+) (?<clock>\{.*\})\n(?<event>.*)$";
/// What it is to tell executions apart with.
pub const DELIMITER: &str = r"^=== (?<trace>.*) ===$";

/// A vector clock, by lanes.
type Clock = BTreeMap<Lane, u64>;

/// Writes the log.
pub(super) fn write(runs: &[Recording], session: &Session) -> Result<String, Refusal> {
    let mut text = String::new();
    for (place, run) in runs.iter().enumerate() {
        let number = run.branch + 1;
        let title = match (runs.len(), session.scenario().title.as_str()) {
            (1, "") => session.checked().variant.card.title.to_owned(),
            (1, title) => title.replace(['\n', '\r'], " "),
            _ if run.branch == session.branch().number => format!("branch {number}, the present one"),
            _ => format!("branch {number}"),
        };
        let _ = writeln!(text, "=== {title} ===");
        if place == 0 {
            let _ = writeln!(
                text,
                "# For ShiViz (https://bestchai.bitbucket.io/shiviz/). Log parsing regular expression, and executions delimiter:\n\
                 # {PARSER}\n# {DELIMITER}"
            );
        }
        let mut log = Log { text: &mut text, session, clocks: BTreeMap::new(), carried: BTreeMap::new() };
        log.execution(run)?;
    }
    Ok(text)
}

/// One execution in the making.
struct Log<'a> {
    text: &'a mut String,
    session: &'a Session,
    clocks: BTreeMap<Lane, Clock>,
    /// The clocks of messages on their way.
    carried: BTreeMap<usize, Clock>,
}

impl Log<'_> {
    fn execution(&mut self, run: &Recording) -> Result<(), Refusal> {
        let (mut ends, mut now) = (run.ends(), run.start.clone());
        for step in &run.steps {
            let mut acted: Vec<Lane> = Vec::new();
            for record in &step.records {
                let number = ends.take(step.event, record).filter(|_| record.what != What::Lost);
                let lane = match record.what {
                    What::Client | What::Answered => ends.lane_of_client(record),
                    What::Delivered | What::Timer | What::Request => Some(Lane::Node(record.node)),
                    _ => None,
                };
                let Some(lane) = lane else { continue };
                let what = self.told(record, number.and_then(|number| run.history().message(number)));
                self.event(lane, step.at, &what, number);
                acted.push(lane);
            }
            for (node, seen) in &step.seen {
                let before = now.get(usize::from(node.0)).and_then(|seen| seen.status);
                let what = match (before, seen.status) {
                    (Some(_), None) => "goes down".to_owned(),
                    (None, Some(status)) => format!("starts as {}", status.role),
                    (Some(before), Some(status))
                        if before.role != status.role && !acted.contains(&Lane::Node(*node)) =>
                    {
                        format!("becomes {}", status.role)
                    }
                    _ => continue,
                };
                self.event(Lane::Node(*node), step.at, &what, None);
            }
            step.update(&mut now);
            for number in step.sent.clone() {
                let Some(from) = run.history().message(number).map(|message| message.from) else { continue };
                // A clock begins with an event of its own.
                if !self.clocks.contains_key(&from) {
                    self.event(from, step.at, "starts", None);
                }
                self.carried.insert(number, self.clocks[&from].clone());
            }
            room_for(self.text, step.at)?;
        }
        Ok(())
    }

    /// Writes an event, which comes after all that the message that it handles has come after.
    fn event(&mut self, lane: Lane, at: Micros, what: &str, handles: Option<usize>) {
        let clock = self.clocks.entry(lane).or_default();
        for (other, value) in handles.and_then(|number| self.carried.remove(&number)).into_iter().flatten() {
            let known = clock.entry(other).or_default();
            *known = (*known).max(value);
        }
        *clock.entry(lane).or_default() += 1;
        let own = clock.get_key_value(&lane);
        // Its own entry comes first, as in the examples of ShiViz.
        let entries = own.into_iter().chain(clock.iter().filter(|(other, _)| **other != lane));
        let places = &self.session.checked().places;
        let host = |lane: Lane| match lane {
            Lane::Node(node) => format!("node{node:?}"),
            Lane::Clients(site) => {
                let id = places.get(usize::from(site)).map_or("", |place| place.id.as_str());
                let safe = |c: char| if c.is_whitespace() || c.is_control() || c == '"' || c == '\\' { '-' } else { c };
                let plain: String = id.chars().map(safe).collect();
                // Two ids must not become one.
                if plain == id { format!("clients@{id}") } else { format!("clients@{plain}.{}", site + 1) }
            }
        };
        let entries: Vec<String> = entries.map(|(lane, value)| format!("\"{}\": {value}", host(*lane))).collect();
        let at = words::moment_ms(at);
        let _ = writeln!(self.text, "{} {{{}}}\n{what} at {at}", host(lane), entries.join(", "));
    }

    /// What a record is about, in words.
    fn told(&self, record: &Record, message: Option<&Message>) -> String {
        let kinds = self.session.checked().variant.kinds;
        let (node, client) = (record.node, record.detail + 1);
        let slot = if record.slot > 0 { format!(", slot {}", record.slot) } else { String::new() };
        let from = |lane: Lane| match lane {
            Lane::Node(node) => format!("node {node:?}"),
            Lane::Clients(_) => format!("client {client}"),
        };
        match (record.what, message) {
            (What::Client, _) => format!("client {client} asks"),
            (_, Some(message)) => format!("{} from {}{slot}", name(kinds, message.kind), from(message.from)),
            (What::Timer, _) => "a timer fires".to_owned(),
            (What::Answered, _) => format!("client {client} hears from node {node:?}"),
            (What::Request, _) => format!("request from client {client}"),
            _ => {
                let kind = MessageKind::Protocol(KindId(record.kind));
                format!("{} of its own{slot}", name(kinds, kind))
            }
        }
    }
}
