//! What all formats are made of: a branch of a session, followed from its start in a copy of the simulation. The record of messages is that of the
//! space-time diagram; beside it stands what happened in each step, and what could be seen of the nodes afterwards.

use super::{MOST_BYTES, MOST_EVENTS, Refusal};
use crate::core::{ClientId, EntryStatus, Micros, NodeId, NodeStatus, Op, Outcome, Slot};
use crate::lab::Session;
use crate::lab::run::diagram::{Fate, History, Lane, Message, Recorder};
use crate::lab::run::session::{Branch, Follower};
use crate::sim::action::Action;
use crate::sim::clients::HistoryEvent;
use crate::sim::trace::{Record, What};
use crate::universe::inspect::{Inspector, content};
use crate::universe::reasons::Why;
use crate::universe::{Universe, words};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

/// Most slots of one log, where logs are written down.
const MOST_ENTRIES: usize = 4_096;
/// What an entry of a log takes in a file, at least, bytes.
const ENTRY: usize = 32;

/// What is written down besides messages and states.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wants {
    /// What messages carry.
    pub contents: bool,
    /// Why nodes did what they did.
    pub reasons: bool,
    /// The entries of logs.
    pub logs: bool,
}

/// What can be seen of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Index of its site.
    pub site: u8,
    /// `None` while it is down.
    pub status: Option<NodeStatus>,
    pub paused: bool,
}

/// A slot of a log and what is in it.
pub(super) type Entry = (Slot, EntryStatus);

/// An event or intervention.
#[derive(Debug)]
pub(super) struct Step {
    /// How many events had happened after it.
    pub event: u64,
    /// When, µs.
    pub at: Micros,
    /// Its trace records, in order.
    pub records: Vec<Record>,
    /// Numbers of the messages that were sent in it.
    pub sent: Range<usize>,
    /// The nodes of which something else is to be seen now.
    pub seen: Vec<(NodeId, Seen)>,
    /// The nodes whose logs hold something else now, and what.
    pub logs: Vec<(NodeId, Vec<Entry>)>,
    /// What somebody or the script did, or would have done, in words.
    pub action: Option<(Action, String)>,
    /// Why.
    pub why: Vec<Why>,
    /// Properties violated in it, and by whom.
    pub violated: Vec<(&'static str, Vec<NodeId>)>,
}

impl Step {
    /// Makes what was seen of the nodes before it what is seen after it.
    pub fn update(&self, now: &mut Vec<Seen>) {
        for (node, seen) in &self.seen {
            let index = usize::from(node.0);
            now.resize(now.len().max(index + 1), *seen);
            now[index] = *seen;
        }
    }
}

/// A request of a client, from the first time it was sent to its outcome.
#[derive(Debug)]
pub(super) struct Request {
    pub client: ClientId,
    pub op: Op,
    pub asked: Micros,
    /// When and how it ended.
    pub told: Option<(Micros, Outcome)>,
}

/// A branch, recorded.
pub(super) struct Recording {
    /// Its number.
    pub branch: usize,
    wants: Wants,
    recorder: Recorder,
    pub steps: Vec<Step>,
    /// The nodes at the start.
    pub start: Vec<Seen>,
    /// What messages carry, by their numbers: names and values of fields. Empty unless wanted.
    pub contents: Vec<Vec<(String, String)>>,
    now: Vec<Seen>,
    logs: Vec<Vec<Entry>>,
    messages: usize,
    /// Bytes of contents, reasons and logs. All of them would be in the file.
    bytes: usize,
    /// Violations seen: of what is promised, and others.
    violations: (usize, usize),
    done: bool,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recording of {} steps of branch {}", self.steps.len(), self.branch)
    }
}

impl Recording {
    /// Begins at the start of a branch of a session.
    pub fn new(session: &Session, branch: usize, wants: Wants, inspector: &Inspector) -> Recording {
        let mut follower = session.follower(|_| false);
        follower.universe_mut().record_history();
        if wants.reasons {
            follower.universe_mut().record_effects();
        }
        let start = seen(follower.universe());
        let mut recording = Recording {
            branch,
            wants,
            logs: vec![Vec::new(); start.len()],
            now: start.clone(),
            start,
            recorder: Recorder::of_follower(follower),
            steps: Vec::new(),
            contents: Vec::new(),
            messages: 0,
            bytes: 0,
            violations: (0, 0),
            done: false,
        };
        // What nodes did when they booted.
        let (records, sent) = (recording.records_since(0), recording.sent(inspector));
        recording.steps.push(Step {
            event: 0,
            at: 0,
            records,
            sent,
            seen: Vec::new(),
            logs: Vec::new(),
            action: None,
            why: Vec::new(),
            violated: Vec::new(),
        });
        recording
    }

    /// The trace records from the one with this number on.
    fn records_since(&self, first: u64) -> Vec<Record> {
        let records = self.recorder.universe().trace().records().rev().take_while(|(number, _)| *number >= first);
        let mut records: Vec<Record> = records.map(|(_, record)| record).collect();
        records.reverse();
        records
    }

    /// The messages sent since the last look; their contents are written down if wanted.
    fn sent(&mut self, inspector: &Inspector) -> Range<usize> {
        let (universe, history) = (self.recorder.universe(), self.recorder.history());
        let sent = self.messages..history.len();
        self.messages = sent.end;
        if self.wants.contents {
            let fields = |number: usize| {
                let Some(message) = history.message(number) else { return Vec::new() };
                let fields = content(universe, inspector, message.id);
                fields.into_iter().map(|field| (field.name, field.value)).collect()
            };
            let first = self.contents.len();
            self.contents.extend(sent.clone().map(fields));
            let new = self.contents[first..].iter().flatten();
            self.bytes += new.map(|(name, value)| name.len() + value.len()).sum::<usize>();
        }
        sent
    }

    /// The record of its messages.
    pub fn history(&self) -> &History {
        self.recorder.history()
    }

    /// The record of the space-time diagram.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The simulation at the end.
    pub fn universe(&self) -> &dyn Universe {
        self.recorder.universe()
    }

    /// Goes on for about `events` events. True: it is at the moment of the session or, in a branch that is not the present one, as far as that
    /// has come.
    pub fn advance(&mut self, session: &Session, inspector: &Inspector, events: u64) -> Result<bool, Refusal> {
        let branches = session.branches();
        let Some(branch) = branches.into_iter().find(|branch| branch.number == self.branch) else { return Ok(true) };
        for _ in 0..events {
            if self.done {
                return Ok(true);
            }
            self.step(session, branch, inspector)?;
        }
        Ok(self.done)
    }

    fn step(&mut self, session: &Session, branch: &Branch, inspector: &Inspector) -> Result<(), Refusal> {
        let present = branch.number == session.branch().number;
        let goal = if present { session.moment() } else { branch.reached };
        let total = self.recorder.universe().trace().total();
        let lead = |follower: &mut Follower| {
            let happened = session.lead_on(branch, goal, follower);
            // At the end, time goes on to the moment itself.
            if !happened && follower.universe().time() < goal.at {
                follower.universe_mut().step_until(goal.at);
            }
            happened
        };
        if !self.recorder.step_by(lead) {
            self.done = true;
            return Ok(());
        }
        let universe = self.recorder.universe();
        let at = universe.time();
        let too_much = |bound: String| Refusal::TooMuch { bound, at };
        if universe.events() > MOST_EVENTS {
            return Err(too_much(format!("{MOST_EVENTS} events")));
        }
        if self.recorder.is_full() {
            return Err(too_much(format!("{} messages", self.recorder.history().len())));
        }
        let now = seen(universe);
        let (records, sent) = (self.records_since(total), self.sent(inspector));
        let changed = (0..).zip(&now).filter(|(node, now)| self.now.get(usize::from(*node)) != Some(now));
        let changed: Vec<(NodeId, Seen)> = changed.map(|(node, now)| (NodeId(node), *now)).collect();
        let logs = match self.wants.logs {
            true => {
                self.changed_logs(&now, &records).ok_or_else(|| too_much(format!("{MOST_ENTRIES} slots of a log")))?
            }
            false => Vec::new(),
        };
        let universe = self.recorder.universe();
        let action = records.iter().find_map(|record| match record.what {
            What::Acted => universe.intervention().map(|action| (action, words::action(universe.variant(), action))),
            What::Refused => universe
                .refused()
                .last()
                .map(|refused| (refused.timed.action, format!("{}: refused, {}", refused.timed, refused.why))),
            _ => None,
        });
        let (promised, others) = (universe.violations(), universe.not_promised());
        let new = promised.iter().skip(self.violations.0).chain(others.iter().skip(self.violations.1));
        let violated = new.map(|violation| (violation.property, violation.nodes.iter().collect())).collect();
        self.violations = (promised.len(), others.len());
        let why = if self.wants.reasons { inspector.wording.why(universe.reasons()) } else { Vec::new() };
        let reasons: usize = why.iter().map(|why| why.text.len()).sum();
        self.bytes += reasons + logs.iter().map(|(_, entries)| ENTRY * entries.len()).sum::<usize>();
        if self.bytes > MOST_BYTES {
            return Err(too_much(format!("{} MB", MOST_BYTES >> 20)));
        }
        let step = Step { event: universe.events(), at, records, sent, seen: changed, logs, action, why, violated };
        self.now = now;
        if !step.records.is_empty() || !step.sent.is_empty() || !step.seen.is_empty() || !step.violated.is_empty() {
            self.steps.push(step);
        }
        Ok(())
    }

    /// The logs that hold something else than after the last step. `None`: one is too long.
    fn changed_logs(&mut self, now: &[Seen], records: &[Record]) -> Option<Vec<(NodeId, Vec<Entry>)>> {
        let universe = self.recorder.universe();
        let mut changed = Vec::new();
        for (node, seen) in (0..).map(NodeId).zip(now) {
            // Only who did something, or began or ceased to run, holds something else.
            let same = self.now.get(usize::from(node.0)) == Some(seen);
            if same && !records.iter().any(|record| record.node == node) {
                continue;
            }
            let entries: Vec<Entry> = match seen.status.map(|status| status.log.first..=status.log.last) {
                Some(slots) if slots.clone().nth(MOST_ENTRIES).is_some() => return None,
                Some(slots) => slots.filter_map(|slot| Some((slot, universe.entry(node, slot)?))).collect(),
                None => Vec::new(),
            };
            let index = usize::from(node.0);
            if self.logs.len() <= index {
                self.logs.resize(index + 1, Vec::new());
            }
            if self.logs[index] != entries {
                self.logs[index].clone_from(&entries);
                changed.push((node, entries));
            }
        }
        Some(changed)
    }

    /// The requests of clients, in the order in which they were first sent.
    pub fn requests(&self) -> Vec<Request> {
        let mut requests: Vec<Request> = Vec::new();
        let mut open: BTreeMap<ClientId, usize> = BTreeMap::new();
        for record in self.universe().cluster().world().recorded() {
            match record.event {
                HistoryEvent::Asked(op) => {
                    open.insert(record.client, requests.len());
                    requests.push(Request { client: record.client, op, asked: record.at, told: None });
                }
                HistoryEvent::Told(outcome) => {
                    if let Some(place) = open.remove(&record.client) {
                        requests[place].told = Some((record.at, outcome));
                    }
                }
            }
        }
        requests
    }

    /// The messages that were delivered or lost, to be taken by their records.
    pub fn ends(&self) -> Ends {
        let mut ends = Ends { delivered: BTreeMap::new(), lost: BTreeMap::new(), sites: self.sites_of_clients() };
        for (number, Message { ended_in, from, to, fate, .. }) in self.history().messages() {
            let ends = match fate {
                Fate::Delivered => &mut ends.delivered,
                Fate::Lost => &mut ends.lost,
                _ => continue,
            };
            ends.entry((*ended_in, *to, *from)).or_default().push_back(number);
        }
        ends
    }

    /// The site of each client that has sent anything.
    pub fn sites_of_clients(&self) -> BTreeMap<ClientId, u8> {
        let site = |message: &Message| match message.clients_lane() {
            Some(Lane::Clients(site)) => Some((message.client?, site)),
            _ => None,
        };
        self.history().messages().filter_map(|(_, message)| site(message)).collect()
    }
}

/// Numbers of messages, by the event in which they ended, receiver and sender.
type ByEnd = BTreeMap<(u64, Lane, Lane), VecDeque<usize>>;

/// Delivered and lost messages by the events in which they ended.
pub(super) struct Ends {
    delivered: ByEnd,
    lost: ByEnd,
    sites: BTreeMap<ClientId, u8>,
}

impl Ends {
    /// The number of the message that a record of an event is about. `None`: the record is about something else, or a node heard itself.
    pub fn take(&mut self, event: u64, record: &Record) -> Option<usize> {
        let node = Lane::Node(record.node);
        let clients = || self.sites.get(&ClientId(record.detail as u16)).map(|site| Lane::Clients(*site));
        match record.what {
            What::Delivered if record.node != record.peer => {
                self.delivered.get_mut(&(event, node, Lane::Node(record.peer)))?.pop_front()
            }
            What::Request => {
                let from = clients()?;
                self.delivered.get_mut(&(event, node, from))?.pop_front()
            }
            What::Answered => {
                let to = clients()?;
                self.delivered.get_mut(&(event, to, node))?.pop_front()
            }
            What::Lost if record.node != record.peer => {
                self.lost.get_mut(&(event, node, Lane::Node(record.peer)))?.pop_front()
            }
            // A request of some client.
            What::Lost => {
                let of_clients = (event, node, Lane::Clients(0))..=(event, node, Lane::Clients(u8::MAX));
                let mut lost = self.lost.range_mut(of_clients);
                lost.find_map(|(_, numbers)| numbers.pop_front())
            }
            _ => None,
        }
    }

    /// The lane of a client, by the record of what it asked or heard.
    pub fn lane_of_client(&self, record: &Record) -> Option<Lane> {
        self.sites.get(&ClientId(record.detail as u16)).map(|site| Lane::Clients(*site))
    }
}

/// What can be seen of all nodes.
fn seen(universe: &dyn Universe) -> Vec<Seen> {
    let seen = |node: u8| {
        let view = universe.node(NodeId(node));
        Seen { site: view.site, status: view.status, paused: view.paused.is_some() }
    };
    (0..universe.nodes()).map(seen).collect()
}
