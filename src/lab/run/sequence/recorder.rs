//! Makes a sequence chart of what happens while it watches a run: after each step it compares the messages in flight with those before, and
//! reads the new records, effects and changes of roles.

use super::chart::{Chart, Fate, Lane, Message, Note, NoteKind, TimePoint};
use crate::core::{Effect, Micros, NodeId, NodeSet, Phase, Shots, Slot};
use crate::sim::action::{Action, FlightId};
use crate::sim::trace::{Record, What};
use crate::sim::world::Flight;
use crate::universe::changes::{Change, Looks};
use crate::universe::inspect::{Inspector, content};
use crate::universe::{End, ReplyKind, Universe, words};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Most messages of one chart.
pub const MOST_MESSAGES: usize = 400;
/// Most notes of one chart.
const MOST_NOTES: usize = 2_000;
/// Most characters of a message's content that a chart tells.
const LONGEST_CONTENT: usize = 160;

/// What of a run a chart shows.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// These nodes; `None`: all.
    pub nodes: Option<NodeSet>,
    /// Whether all heartbeats are shown, or those only upon which the receiver learned or did something.
    pub heartbeats: bool,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter { nodes: None, heartbeats: true }
    }
}

impl Filter {
    fn shows(self, end: End) -> bool {
        match (end, self.nodes) {
            (End::Node(node), Some(nodes)) => nodes.has(node),
            _ => true,
        }
    }
}

/// There is more than a chart can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// How far it came, µs.
    pub at: Micros,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there are {MOST_MESSAGES} messages by {} already: an earlier end, fewer nodes or no heartbeats would do",
            words::moment_ms(self.at)
        )
    }
}

impl std::error::Error for TooLarge {}

/// Tells messages in flight apart: sender, receiver, id. Copies of one message have the same.
type Key = (u16, u16, u64);

fn number(end: End) -> u16 {
    match end {
        End::Client(site) => u16::from(site),
        End::Node(node) => 256 + u16::from(node.0),
    }
}

fn key(flight: &Flight) -> Key {
    let id = match flight.id {
        FlightId::Message { message_id, .. } => u64::from(message_id),
        FlightId::ClientMessage(id) => 1 << 32 | u64::from(id),
    };
    (number(flight.from), number(flight.to), id)
}

/// Watches a run.
#[derive(Clone, Debug)]
pub struct Recorder {
    title: String,
    inspector: Inspector,
    filter: Filter,
    /// Names of the sites.
    places: Vec<String>,
    nodes: Vec<Lane>,
    messages: Vec<Message>,
    notes: Vec<Note>,
    /// Places of heartbeats that have arrived and changed nothing.
    idle: BTreeSet<usize>,
    /// The messages in flight, by their places in `messages`; `None` for what is not shown.
    in_flight: BTreeMap<Key, Vec<Option<usize>>>,
    flights: Vec<Flight>,
    looks: Looks,
    /// Records, violations and refused actions told so far.
    told: u64,
    violations: usize,
    /// The present moment of each lane.
    now: BTreeMap<u16, TimePoint>,
}

impl Recorder {
    /// Begins now. `places` are the names of the sites.
    pub fn new(
        universe: &mut dyn Universe,
        inspector: &Inspector,
        title: &str,
        places: Vec<String>,
        filter: Filter,
    ) -> Recorder {
        universe.record_effects();
        let mut recorder = Recorder {
            title: title.to_owned(),
            inspector: *inspector,
            filter,
            places,
            nodes: Vec::new(),
            messages: Vec::new(),
            notes: Vec::new(),
            idle: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            flights: Vec::new(),
            looks: Looks::of(universe),
            told: universe.trace().total(),
            violations: universe.violations().len(),
            now: BTreeMap::new(),
        };
        recorder.add_nodes(universe, true);
        recorder.look_at_flights(universe, &[]);
        recorder
    }

    /// Lanes for nodes that there are now and were not before.
    fn add_nodes(&mut self, universe: &dyn Universe, first: bool) {
        for id in self.nodes.len() as u8..universe.nodes() {
            let view = universe.node(NodeId(id));
            let place = self.places.get(usize::from(view.site)).cloned().unwrap_or_default();
            let role = match view.status {
                Some(status) if first => format!(", {}", status.role),
                None if first => ", down".to_owned(),
                _ => String::new(),
            };
            self.nodes.push(Lane {
                end: End::Node(view.id),
                name: format!("Node {:?}", view.id),
                about: format!("{place}{role}"),
                down: view.status.is_none(),
            });
        }
    }

    /// Reads what the last step or action did; to be called after each.
    pub fn observe(&mut self, universe: &dyn Universe) -> Result<(), TooLarge> {
        self.add_nodes(universe, false);
        let new = universe.trace().records().filter(|(number, _)| *number >= self.told).map(|(_, record)| record);
        let new: Vec<Record> = new.collect();
        self.told = universe.trace().total();
        let (messages, notes) = (self.messages.len(), self.notes.len());
        let ended = self.look_at_flights(universe, &new);
        self.read_changes(universe, &new);
        self.read_records(universe, &new);
        if !self.filter.heartbeats {
            for place in ended {
                let message = &self.messages[place];
                let noted = self.notes[notes..].iter().any(|note| note.lane == Some(message.to));
                let caused = |sent: &Message| sent.from == message.to && sent.phase != Some(Phase::Heartbeat);
                let changed = noted || self.messages[messages..].iter().any(caused);
                if message.phase == Some(Phase::Heartbeat) && !changed {
                    self.idle.insert(place);
                }
            }
        }
        // A timer is told if something came of it.
        for record in new.iter().filter(|record| record.what == What::Timer) {
            let lane = End::Node(record.node);
            let sent = self.messages[messages..].iter().any(|message| message.from == lane);
            if self.filter.shows(lane) && (sent || self.notes[notes..].iter().any(|note| note.lane == Some(lane))) {
                self.note(universe.time(), Some(lane), NoteKind::Timeout, "times out".to_owned());
            }
        }
        match self.messages.len() - self.idle.len() > MOST_MESSAGES || self.notes.len() > MOST_NOTES {
            true => Err(TooLarge { at: universe.time() }),
            false => Ok(()),
        }
    }

    /// The chart from `from` to `until`, µs since the start.
    pub fn finish(self, universe: &dyn Universe, from: Micros, until: Micros) -> Chart {
        let Recorder { title, filter, places, nodes, messages, mut notes, idle, .. } = self;
        // What is still on its way has changed nothing yet, and what waits for a disk at the last moment has not been sent.
        let hidden = |(place, message): &(usize, Message)| {
            let heartbeat = !filter.heartbeats && message.phase == Some(Phase::Heartbeat);
            let idle = idle.contains(place) || heartbeat && message.fate == Fate::UnderWay;
            idle || message.sent.at > until
        };
        let messages = messages.into_iter().enumerate().filter(|message| !hidden(message));
        let mut messages: Vec<Message> = messages.map(|(_, message)| message).collect();
        for message in messages.iter_mut().filter(|message| message.fate == Fate::UnderWay) {
            message.ended = TimePoint { at: until, order: u32::MAX };
        }
        let sends =
            |note: &Note| messages.iter().any(|message| note.lane == Some(message.from) && note.at == message.sent);
        let others: Vec<(TimePoint, Option<End>)> =
            notes.iter().filter(|note| note.kind != NoteKind::Timeout).map(|note| (note.at, note.lane)).collect();
        notes.retain(|note| note.kind != NoteKind::Timeout || sends(note) || others.contains(&(note.at, note.lane)));
        notes.sort_by_key(|note| (note.at, note.lane.map(number), note.kind));
        notes.dedup();
        let mut sites: Vec<u8> = Vec::new();
        for end in messages.iter().flat_map(|message| [message.from, message.to]) {
            if let End::Client(site) = end
                && !sites.contains(&site)
            {
                sites.push(site);
            }
        }
        sites.sort_unstable();
        let several = sites.len() > 1;
        let clients = sites.into_iter().map(|site| Lane {
            end: End::Client(site),
            name: if several { "Clients".to_owned() } else { "Client".to_owned() },
            about: places.get(usize::from(site)).cloned().unwrap_or_default(),
            down: false,
        });
        let lanes = clients.chain(nodes.into_iter().filter(|lane| filter.shows(lane.end))).collect();
        debug_assert!(universe.time() >= from);
        Chart { title, from, until, origin: 0, lanes, messages, notes }
    }

    /// The present moment of a lane.
    fn at(&self, end: End, time: Micros) -> TimePoint {
        self.now.get(&number(end)).copied().filter(|now| now.at == time).unwrap_or(TimePoint { at: time, order: 0 })
    }

    fn note(&mut self, time: Micros, lane: Option<End>, kind: NoteKind, text: String) {
        if lane.is_none_or(|lane| self.filter.shows(lane)) {
            let at = lane.map_or(TimePoint { at: time, order: 0 }, |lane| self.at(lane, time));
            self.notes.push(Note { at, lane, kind, text });
        }
    }

    /// Ends the messages that are no longer in flight, and takes up the new ones. Returns the places of those that ended.
    fn look_at_flights(&mut self, universe: &dyn Universe, records: &[Record]) -> Vec<usize> {
        let mut ended = Vec::new();
        let time = universe.time();
        let mut flights = std::mem::take(&mut self.flights);
        universe.flights(&mut flights);
        flights.retain(|flight| flight.from != flight.to);
        let mut now: BTreeMap<Key, usize> = BTreeMap::new();
        for flight in &flights {
            *now.entry(key(flight)).or_default() += 1;
        }
        let mut before = std::mem::take(&mut self.in_flight);
        for (key, places) in &mut before {
            let left = now.get(key).copied().unwrap_or(0);
            // Of copies of one message, the first is the one that ends.
            for place in places.drain(..places.len().saturating_sub(left)).flatten() {
                self.end(place, universe, records);
                ended.push(place);
            }
        }
        before.retain(|_, places| !places.is_empty());
        self.in_flight = before;
        flights.sort_by_key(|flight| (flight.sent, key(flight)));
        for flight in &flights {
            let key = key(flight);
            let known = self.in_flight.entry(key).or_default();
            let all = now.get(&key).copied().unwrap_or(0);
            if known.len() < all {
                let message = self.message(universe, flight, time);
                let place = message.map(|message| {
                    self.messages.push(message);
                    self.messages.len() - 1
                });
                self.in_flight.entry(key).or_default().push(place);
            }
        }
        self.flights = flights;
        ended
    }

    /// A message that was not in flight before; `None` if it is not to be shown.
    fn message(&self, universe: &dyn Universe, flight: &Flight, time: Micros) -> Option<Message> {
        let variant = universe.variant();
        let kind = flight.kind.map(|kind| &variant.kinds[usize::from(kind.0)]);
        let phase = kind.map(|kind| kind.phase);
        if !self.filter.shows(flight.from) || !self.filter.shows(flight.to) {
            return None;
        }
        let fields = content(universe, &self.inspector, flight.id);
        let mut label = match (kind, flight.reply) {
            (Some(kind), _) => kind.name.to_owned(),
            (None, None) => "request".to_owned(),
            (None, Some(ReplyKind::Answered)) => "answer".to_owned(),
            (None, Some(ReplyKind::Refused)) => "refusal".to_owned(),
            (None, Some(ReplyKind::Redirected(to))) => format!("redirect to {to:?}"),
        };
        // Elections are about epochs, all else is about slots.
        let epoch = fields.iter().find(|field| field.name == variant.card.epoch && !field.value.contains('{'));
        match (phase, epoch) {
            (Some(Phase::Elect | Phase::Vote), Some(epoch)) => label += &format!(" {}", epoch.value),
            (Some(_), _) if flight.slot > 0 => {
                // Where instances have two numbers, the message itself has both.
                let instance = fields.iter().find(|field| field.name == "at").map(|field| &field.value);
                match (variant.card.agrees_on, instance) {
                    (Shots::Single | Shots::Registers, _) | (Shots::Graph, None) => {}
                    (Shots::Graph, Some(at)) => label += &format!(", instance {at}"),
                    (Shots::Transactions, _) => label += &format!(", transaction {}", flight.slot),
                    (Shots::Log | Shots::Nothing, _) => label += &format!(", slot {}", flight.slot),
                }
            }
            _ => {}
        }
        let all: Vec<String> = fields.iter().map(|field| format!("{} {}", field.name, field.value)).collect();
        let mut content = all.join(", ");
        if content.chars().count() > LONGEST_CONTENT {
            content = content.chars().take(LONGEST_CONTENT).chain(['…']).collect();
        }
        let sent = match flight.sent {
            sent if sent == time => self.at(flight.from, time),
            sent => TimePoint { at: sent, order: 0 },
        };
        Some(Message {
            from: flight.from,
            to: flight.to,
            label,
            content,
            phase,
            sent,
            ended: TimePoint { at: flight.arrives, order: 0 },
            fate: Fate::UnderWay,
        })
    }

    /// Ends a message that is no longer in flight.
    fn end(&mut self, place: usize, universe: &dyn Universe, records: &[Record]) {
        let time = universe.time();
        let Message { from, to, sent, .. } = self.messages[place];
        let arrived = |record: &Record| match (from, to) {
            (End::Node(from), End::Node(to)) => {
                record.what == What::Delivered && (record.node, record.peer) == (to, from)
            }
            (_, End::Node(to)) => record.what == What::Request && record.node == to,
            (End::Node(from), _) => record.what == What::Answered && record.node == from,
            _ => false,
        };
        let lost = records.iter().any(|record| record.what == What::Lost);
        // A node that is busy or paused has the message, and handles it later.
        let waits = match to {
            End::Node(node) => !lost && universe.node(node).status.is_some(),
            End::Client(_) => false,
        };
        let fate = if records.iter().any(arrived) || waits { Fate::Arrived } else { Fate::Lost };
        let mut ended = self.at(to, time);
        if sent.at == time {
            ended.order = ended.order.max(sent.order + 1);
        }
        if fate == Fate::Arrived {
            self.now.insert(number(to), ended);
        }
        let message = &mut self.messages[place];
        (message.ended, message.fate) = (ended, fate);
    }

    /// Notes on roles, crashes, what was learned, and writes.
    fn read_changes(&mut self, universe: &dyn Universe, records: &[Record]) {
        let time = universe.time();
        let word = universe.variant().card.epoch;
        let changes = self.looks.changes(universe);
        for change in &changes {
            let (node, kind, text) = match *change {
                Change::Down(node) => (node, NoteKind::Down, "is down".to_owned()),
                Change::Starts(node, role) => (node, NoteKind::Up, format!("starts as {role}")),
                Change::Role(node, _, now) => {
                    let epoch = changes.iter().find_map(|other| match *other {
                        Change::Epoch(of, _, epoch) if of == node => Some(epoch),
                        _ => None,
                    });
                    let epoch = epoch.map(|epoch| format!(", {word} {epoch}")).unwrap_or_default();
                    (node, NoteKind::Role, format!("becomes {now}{epoch}"))
                }
                Change::Epoch(node, _, now) => {
                    if changes.iter().any(|other| matches!(*other, Change::Role(of, ..) if of == node)) {
                        continue;
                    }
                    (node, NoteKind::Role, format!("enters {word} {now}"))
                }
                Change::Committed(..) => continue,
            };
            self.note(time, Some(End::Node(node)), kind, text);
        }
        let mut saved: Vec<NodeId> = Vec::new();
        for (node, effect) in (self.inspector.as_text.effects)(universe.cluster().world().replicas()) {
            let text = match effect {
                Effect::Fence(target) => format!("has node {target:?} turned off"),
                Effect::Restored(slot) => format!("installs a snapshot up to slot {slot}"),
                Effect::Save if !saved.contains(&node) => {
                    saved.push(node);
                    self.note(time, Some(End::Node(node)), NoteKind::Saves, "saves".to_owned());
                    continue;
                }
                _ => continue,
            };
            self.note(time, Some(End::Node(node)), NoteKind::Learned, text);
        }
        // A crash is told where it happens, a request by its message.
        let told = changes.iter().any(|change| matches!(change, Change::Down(_) | Change::Starts(..)));
        for record in records {
            match (record.what, universe.intervention(), universe.refused().last()) {
                (What::Acted, Some(Action::Request { .. }), _) => {}
                (What::Acted, Some(action), _) if !told => {
                    self.note(time, None, NoteKind::Global, words::action(universe.variant(), action));
                }
                (What::Refused, _, Some(refused)) => {
                    self.note(time, None, NoteKind::Global, format!("{}: refused, {}", refused.timed, refused.why));
                }
                _ => {}
            }
        }
        for violation in &universe.violations()[self.violations..] {
            let place = violation.place(universe.variant().card.agrees_on).map(|place| format!(", {place}"));
            let text = format!("✗ {} is violated{}", violation.property, place.unwrap_or_default());
            self.notes.push(Note { at: TimePoint { at: time, order: 0 }, lane: None, kind: NoteKind::Global, text });
        }
        self.violations = universe.violations().len();
    }

    /// Notes on what nodes learned and executed; many slots at once in one note.
    fn read_records(&mut self, universe: &dyn Universe, records: &[Record]) {
        let agrees_on = universe.variant().card.agrees_on;
        let mut learned: BTreeMap<(NodeId, u32), [Vec<Slot>; 2]> = BTreeMap::new();
        for record in records {
            let which = match record.what {
                What::Chosen => 0,
                What::Applied => 1,
                _ => continue,
            };
            learned.entry((record.node, record.detail)).or_default()[which].push(record.slot);
        }
        for ((node, lane), [chosen, applied]) in learned {
            // A transaction is either aborted or committed; all else is chosen first and then executed, often at once.
            let (first, then, both) = match agrees_on {
                Shots::Transactions => ("aborts", "commits", "commits"),
                Shots::Single => ("learns", "learns", "learns"),
                _ => ("learns", "applies", "learns and applies"),
            };
            let told = match chosen == applied {
                true => vec![(both, chosen)],
                false => vec![(first, chosen), (then, applied)],
            };
            for (verb, slots) in told {
                if let Some(what) = what_of(agrees_on, lane, &slots) {
                    self.note(universe.time(), Some(End::Node(node)), NoteKind::Learned, format!("{verb} {what}"));
                }
            }
        }
    }
}

/// Slots of a lane, by what is agreed on; `None` if there are none.
fn what_of(agrees_on: Shots, lane: u32, slots: &[Slot]) -> Option<String> {
    let (first, last) = (slots.iter().min()?, slots.iter().max()?);
    let numbers = if first == last { first.to_string() } else { format!("{first}–{last}") };
    let slot = if first == last { "slot" } else { "slots" };
    Some(match agrees_on {
        Shots::Single => "the value".to_owned(),
        Shots::Transactions => format!("transaction {numbers}"),
        Shots::Registers => format!("version {numbers} of register {lane}"),
        Shots::Graph => format!("instance {lane}/{numbers}"),
        Shots::Log | Shots::Nothing => format!("{slot} {numbers}"),
    })
}
