//! A run as JSON lines: a header, a line for each thing that happened, and an end. Nodes, slots and messages count from 1; times are µs since the
//! start.

use super::recording::{Ends, Recording, Seen, Step};
use super::{Refusal, room_for};
use crate::core::{Blocked, Kind, NodeId, NodeSet, NodeStatus, RuleSet, Tally};
use crate::lab::run::diagram::{Fate, Lane, MessageKind};
use crate::lab::run::report::finding_text;
use crate::lab::{Document, Session};
use crate::sim::trace::What;
use crate::universe::ReplyKind;
use crate::universe::inspect::Inspector;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of the format, in the header.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Header<'a> {
    /// The version of this format.
    quorumscope_run: u32,
    /// The version of the program.
    program: &'static str,
    /// The key of the variant.
    variant: &'static str,
    /// The seed of the run.
    seed: u64,
    /// Digest of all events, the time and the nodes at the moment of the export: 64 bits in hexadecimal.
    fingerprint: String,
    /// The variant's word for epochs: term, ballot, view.
    epoch: &'static str,
    /// The data centres.
    sites: Vec<SiteLine<'a>>,
    /// The nodes and their states at the start.
    nodes: Vec<NodeLine>,
    /// The kinds of messages between nodes.
    kinds: Vec<KindLine>,
    /// The scenario and what was done by hand, as `quorumscope run` reads it.
    #[cfg_attr(feature = "cli", schemars(with = "serde_json::Value"))]
    document: Document,
}

/// A data centre.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct SiteLine<'a> {
    id: &'a str,
    name: &'a str,
}

/// A node at the start.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct NodeLine {
    node: u8,
    state: State,
}

/// A kind of message.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct KindLine {
    name: &'static str,
    /// What the literature calls it as well.
    #[serde(skip_serializing_if = "str::is_empty")]
    alias: &'static str,
    /// The letter that stands for it in pictures.
    letter: char,
    /// A plain description, of which the sender is the subject.
    says: &'static str,
}

/// Something that happened.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct EventLine<'a> {
    /// How many events had happened after it. Several lines of one event have the same number.
    event: u64,
    /// When, µs.
    time_us: u64,
    /// What: delivered, lost, timer, request, answered, asks, action, refused, stopped, fenced, changed.
    kind: &'static str,
    /// The node that it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<u8>,
    /// The client, of what clients ask and hear.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<u32>,
    /// What somebody or the script did, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    /// The message that was delivered or lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageLine<'a>>,
    /// The messages that were sent in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sent: Vec<MessageLine<'a>>,
    /// The rules that the node applied, by their keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<&'static str>,
    /// Why, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    because: Vec<&'a str>,
    /// What nodes learned to be decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chosen: Vec<Learned>,
    /// What nodes executed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    applied: Vec<Learned>,
    /// Properties that are violated since then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violated: Vec<&'static str>,
    /// The state of the node after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    /// The states of other nodes that have changed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    others: BTreeMap<u8, State>,
}

/// A slot of a lane, and the node that learned of it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Learned {
    node: u8,
    /// The log, register or instance space; 0 in protocols with one log.
    lane: u32,
    slot: u32,
}

/// A message.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct MessageLine<'a> {
    /// Its number in this file.
    id: usize,
    /// Its name: one of the header's kinds, or request, answer, refusal, redirect.
    kind: &'static str,
    /// The sender: `node 1`, or `clients at` a site.
    from: String,
    /// The receiver.
    to: String,
    /// The slot that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<u32>,
    /// When it leaves or left, µs.
    sent_us: u64,
    /// When it arrives, arrived or was lost, µs.
    arrives_us: u64,
    bytes: u32,
    /// What became of it by the end: delivered, lost, under way, held, unsent.
    fate: &'static str,
    /// What it carries.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<&'a str, &'a str>,
}

/// What can be seen of a node.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct State {
    /// Whether it runs.
    up: bool,
    /// Whether it is paused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    paused: bool,
    /// The index of its site among the header's, from 0.
    site: u8,
    /// The rest; nothing while it is down.
    #[serde(flatten)]
    running: Option<Running>,
}

/// The state of a node that runs.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct Running {
    /// Its role, in the paper's word.
    role: &'static str,
    /// Whether it leads its epoch.
    leads: bool,
    /// Its term, ballot or view: a number and, where it belongs to one node, a dot and that node.
    epoch: String,
    /// The leader that it knows.
    leader: Option<u8>,
    /// What it counts: votes, promises, acknowledgements.
    #[serde(skip_serializing_if = "Option::is_none")]
    tally: Option<TallyLine>,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<BlockedLine>,
    /// First slot that it holds.
    first: u32,
    /// Last slot that it holds.
    last: u32,
    /// Last slot of the prefix that it knows to be decided.
    committed: u32,
    /// Last slot that it has executed.
    applied: u32,
    /// The members of the cluster, as it knows them.
    members: Vec<u8>,
}

/// A count of answers.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct TallyLine {
    of: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<u32>,
    from: Vec<u8>,
    need: u8,
}

/// What a node waits for.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct BlockedLine {
    on: Vec<u8>,
    slot: u32,
    because: &'static str,
}

/// The last line.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct EndLine {
    end: bool,
    /// Events in all.
    event: u64,
    /// The moment of the export, µs.
    time_us: u64,
    /// Messages sent, those of clients included.
    messages: usize,
    /// Messages delivered.
    delivered: usize,
    /// Requests of clients.
    asked: u64,
    /// Requests answered.
    answered: u64,
    /// What came of each property: held, violated, never exercised, not applicable, not promised.
    properties: BTreeMap<&'static str, &'static str>,
}

/// A line.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[expect(clippy::large_enum_variant, reason = "one at a time")]
pub enum Line<'a> {
    /// The first line.
    Header(Header<'a>),
    /// Something that happened.
    Event(EventLine<'a>),
    /// The last line.
    End(EndLine),
}

/// The JSON Schema of a line.
#[cfg(feature = "cli")]
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Line<'static>>();
    schema.insert("title".to_owned(), "A line of a Quorumscope run".into());
    schema.to_value()
}

/// Writes the file.
pub(super) fn write(run: &Recording, session: &Session, inspector: &Inspector) -> Result<String, Refusal> {
    let mut text = String::new();
    let writer = Writer { run, session, inspector };
    let mut push = |line: &Line<'_>, at| {
        text.push_str(&serde_json::to_string(line).expect("its keys are texts"));
        text.push('\n');
        room_for(&text, at)
    };
    push(&Line::Header(writer.header()), 0)?;
    let (mut ends, mut now) = (run.ends(), run.start.clone());
    for step in &run.steps {
        for line in writer.lines(step, &mut ends, &mut now) {
            push(&Line::Event(line), step.at)?;
        }
    }
    push(&Line::End(writer.end()), run.universe().time())?;
    Ok(text)
}

struct Writer<'a> {
    run: &'a Recording,
    session: &'a Session,
    inspector: &'a Inspector,
}

fn number(node: NodeId) -> u8 {
    node.0 + 1
}

fn numbers(nodes: NodeSet) -> Vec<u8> {
    nodes.iter().map(number).collect()
}

impl<'a> Writer<'a> {
    fn header(&self) -> Header<'a> {
        let checked = self.session.checked();
        let card = checked.variant.card;
        let kind = |kind: &Kind| KindLine { name: kind.name, alias: kind.alias, letter: kind.letter, says: kind.says };
        let node = |(node, seen): (u8, &Seen)| NodeLine { node, state: state(seen) };
        Header {
            quorumscope_run: VERSION,
            program: env!("CARGO_PKG_VERSION"),
            variant: card.key,
            seed: checked.blueprint.seed,
            fingerprint: format!("{:016x}", self.session.universe().fingerprint()),
            epoch: card.epoch,
            sites: checked.places.iter().map(|place| SiteLine { id: &place.id, name: &place.name }).collect(),
            nodes: (1..).zip(&self.run.start).map(node).collect(),
            kinds: checked.variant.kinds.iter().map(kind).collect(),
            document: self.session.document(),
        }
    }

    fn end(&self) -> EndLine {
        let (universe, history) = (self.session.universe(), self.run.history());
        let delivered = history.messages().filter(|(_, message)| message.fate == Fate::Delivered).count();
        EndLine {
            end: true,
            event: universe.events(),
            time_us: universe.time(),
            messages: history.len(),
            delivered,
            asked: universe.counts().asked,
            answered: universe.counts().answered,
            properties: universe.findings().iter().map(|it| (it.property, finding_text(it.finding))).collect(),
        }
    }

    /// The lines of a step: one for each record that says what happened. What else came of the step stands in the last of them.
    fn lines(&self, step: &'a Step, ends: &mut Ends, now: &mut Vec<Seen>) -> Vec<EventLine<'a>> {
        step.update(now);
        let mut lines: Vec<EventLine<'a>> = Vec::new();
        let mut learned: [Vec<Learned>; 2] = Default::default();
        for record in &step.records {
            let slot = Learned { node: number(record.node), lane: record.detail, slot: record.slot };
            match record.what {
                What::Chosen => learned[0].push(slot),
                What::Applied => learned[1].push(slot),
                _ => {
                    let mut line = self.line(step, kind(record.what));
                    let client = matches!(record.what, What::Request | What::Answered | What::Client);
                    line.client = client.then(|| record.detail + 1);
                    line.node = (!matches!(record.what, What::Acted | What::Refused)).then(|| number(record.node));
                    line.rules = self.rules(record.rules);
                    line.message = ends.take(step.event, record).and_then(|number| self.message(number));
                    lines.push(line);
                }
            }
        }
        // At the start, nodes boot; and a clock that runs, or a disk, changes what can be seen without a record.
        let rest = !learned[0].is_empty() || !learned[1].is_empty() || !step.sent.is_empty() || !step.seen.is_empty();
        if lines.is_empty() && rest {
            lines.push(self.line(step, "changed"));
        }
        if let Some(last) = lines.last_mut() {
            [last.chosen, last.applied] = learned;
            last.sent = step.sent.clone().filter_map(|number| self.message(number)).collect();
            last.because = step.why.iter().map(|why| why.text.as_str()).collect();
            last.violated = step.violated.iter().map(|(property, _)| *property).collect();
            last.action = step.action.as_ref().map(|(_, action)| action.as_str());
            last.others = step.seen.iter().map(|(node, seen)| (number(*node), state(seen))).collect();
        }
        for line in &mut lines {
            let Some(node) = line.node.filter(|_| line.kind != "asks") else { continue };
            line.state = now.get(usize::from(node - 1)).map(state);
            line.others.remove(&node);
        }
        lines
    }

    fn line(&self, step: &Step, kind: &'static str) -> EventLine<'a> {
        EventLine {
            event: step.event,
            time_us: step.at,
            kind,
            node: None,
            client: None,
            action: None,
            message: None,
            sent: Vec::new(),
            rules: Vec::new(),
            because: Vec::new(),
            chosen: Vec::new(),
            applied: Vec::new(),
            violated: Vec::new(),
            state: None,
            others: BTreeMap::new(),
        }
    }

    fn rules(&self, rules: RuleSet) -> Vec<&'static str> {
        rules.iter().filter_map(|rule| Some(self.inspector.wording.rules.get(usize::from(rule.0))?.key)).collect()
    }

    fn message(&self, number: usize) -> Option<MessageLine<'a>> {
        let message = self.run.history().message(number)?;
        let lane = |lane: Lane| match lane {
            Lane::Node(node) => format!("node {node:?}"),
            Lane::Clients(site) => {
                let place = self.session.checked().places.get(usize::from(site));
                format!("clients at {}", place.map_or("", |place| &place.id))
            }
        };
        let fields = self.run.contents.get(number).into_iter().flatten();
        Some(MessageLine {
            id: number + 1,
            kind: name(self.session.checked().variant.kinds, message.kind),
            from: lane(message.from),
            to: lane(message.to),
            slot: (message.slot > 0).then_some(message.slot),
            sent_us: message.sent,
            arrives_us: message.arrives,
            bytes: message.bytes,
            fate: fate(message.fate),
            fields: fields.map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        })
    }
}

/// What a message is called.
pub(super) fn name(kinds: &[Kind], kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Protocol(kind) => kinds.get(usize::from(kind.0)).map_or("message", |kind| kind.name),
        MessageKind::Request => "request",
        MessageKind::Reply(ReplyKind::Answered) => "answer",
        MessageKind::Reply(ReplyKind::Refused) => "refusal",
        MessageKind::Reply(ReplyKind::Redirected(_)) => "redirect",
    }
}

/// What became of a message, in a word.
pub(super) fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::UnderWay => "under way",
        Fate::Held => "held",
        Fate::Delivered => "delivered",
        Fate::Lost => "lost",
        Fate::Unsent => "unsent",
    }
}

/// What happened, in a word.
fn kind(what: What) -> &'static str {
    match what {
        What::Delivered => "delivered",
        What::Lost => "lost",
        What::Timer => "timer",
        What::Request => "request",
        What::Answered => "answered",
        What::Client => "asks",
        What::Acted => "action",
        What::Chosen => "chosen",
        What::Applied => "applied",
        What::Refused => "refused",
        What::Stopped => "stopped",
        What::Fenced => "fenced",
    }
}

fn state(seen: &Seen) -> State {
    let running = |status: NodeStatus| Running {
        role: status.role,
        leads: status.leads,
        epoch: status.epoch.to_string(),
        leader: status.leader.map(number),
        tally: status.tally.map(|Tally { of, slot, from, need }| TallyLine {
            of,
            slot: (slot > 0).then_some(slot),
            from: numbers(from),
            need,
        }),
        blocked: status.blocked.map(|Blocked { on, at, because }| BlockedLine { on: numbers(on), slot: at, because }),
        first: status.log.first,
        last: status.log.last,
        committed: status.log.committed,
        applied: status.log.applied,
        members: numbers(status.members),
    };
    State { up: seen.status.is_some(), paused: seen.paused, site: seen.site, running: seen.status.map(running) }
}
