//! Clients: they live at sites, ask one command at a time per session, find the leader by asking, and ask again when no
//! answer comes.

mod keys;
mod service;

use super::rng::Rng;
use crate::core::{ClientId, Command, Micros, NodeId, Op, Outcome};
use keys::Keys;
use service::{Seen, Speaker, Task};

pub use keys::Skew;
pub use service::{Holding, Service};

/// How a group of clients paces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Closed loop: each of `sessions` asks again `think` µs after its answer.
    Closed {
        /// How many ask at the same time.
        sessions: u16,
        /// Pause after an answer, µs.
        think: Micros,
    },
    /// Open loop: commands arrive as they come (exponential gaps), answered or not.
    Open {
        /// Mean gap between arrivals, µs.
        gap: Micros,
    },
}

/// Clients at one site with one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientGroup {
    /// Index of their site.
    pub site: u8,
    /// How they pace themselves.
    pub pace: Pace,
    /// What they do.
    pub service: Service,
    /// Reads in a hundred commands; the others write.
    pub read_percent: u8,
    /// How many keys they use (or locks, or queues).
    pub keys: u16,
    /// The first of them.
    pub first_key: u16,
    /// How commands spread over the keys.
    pub skew: Skew,
    /// When they begin, µs.
    pub start: Micros,
    /// When they begin no more commands, µs; `Micros::MAX` for never.
    pub stop: Micros,
    /// How many commands they begin in all; `u32::MAX` for no end.
    pub limit: u32,
    /// How long a session waits for an answer before it asks another replica, µs.
    pub retry: Micros,
}

impl Default for ClientGroup {
    /// One session at the first site that writes one key, for ever.
    fn default() -> ClientGroup {
        ClientGroup {
            site: 0,
            pace: Pace::Closed { sessions: 1, think: 0 },
            service: Service::default(),
            read_percent: 0,
            keys: 1,
            first_key: 0,
            skew: Skew::Even,
            start: 0,
            stop: Micros::MAX,
            limit: u32::MAX,
            retry: 1_000_000,
        }
    }
}

/// What a client said or was told: its part of a history, for the judge of linearizability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryRecord {
    /// When, µs.
    pub at: Micros,
    /// Who.
    pub client: ClientId,
    /// What.
    pub event: HistoryEvent,
}

/// An end of a client's operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryEvent {
    /// It asks for this, for the first time.
    Asked(Op),
    /// It is told for good what came of it.
    Told(Outcome),
}

/// Sessions an open-loop group may have waiting at the same time; later arrivals are turned away, and counted.
pub const OPEN_SESSIONS: u16 = 256;

/// One session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub group: u16,
    pub site: u8,
    /// The replica it asks first.
    pub target: NodeId,
    pub seq: u32,
    pub waiting: Option<Waiting>,
    /// Whether an event of the wheel stands for its patience.
    pub watched: bool,
    /// How many more commands it stays away from the nearest replica, which did not answer, and for how many it would the next time.
    pub away: (u16, u16),
    /// What replicas answered to the waiting command, where one answer is not enough.
    pub answers: Vec<(NodeId, Outcome)>,
    /// What it is doing.
    task: Task,
    /// When it goes on with that, µs.
    due: Micros,
    seen: Option<Seen>,
}

/// A command without an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub command: Command,
    pub since: Micros,
    /// When it was last sent.
    pub asked: Micros,
    /// Counts requests for this command, so that a timer for an earlier one is recognised.
    pub attempt: u16,
}

/// All sessions, and the chance behind them.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    pub groups: Vec<ClientGroup>,
    pub begun: Vec<u32>,
    pub sessions: Vec<Session>,
    pub rng: Vec<Rng>,
    keys: Vec<Keys>,
    seed: u64,
    /// Whether new commands are held back.
    pub quiet: bool,
}

impl Clients {
    pub fn new(groups: Vec<ClientGroup>, seed: u64) -> Clients {
        let mut clients = Clients {
            groups: Vec::with_capacity(groups.len()),
            begun: Vec::new(),
            sessions: Vec::new(),
            rng: Vec::new(),
            keys: Vec::new(),
            seed,
            quiet: false,
        };
        for group in groups {
            clients.add(group);
        }
        clients
    }

    /// Takes in another group; tells its number.
    pub fn add(&mut self, group: ClientGroup) -> u16 {
        let number = self.groups.len();
        self.begun.push(0);
        self.rng.push(Rng::stream(self.seed, "clients", number as u64));
        self.keys.push(Keys::new(group.keys, group.skew, self.keys.iter()));
        self.groups.push(group);
        number as u16
    }

    /// Opens a session of `group` that asks `target` first.
    pub fn open(&mut self, group: u16, target: NodeId) -> ClientId {
        let site = self.groups[usize::from(group)].site;
        let session = Session {
            group,
            site,
            target,
            seq: 0,
            waiting: None,
            watched: false,
            away: (0, 1),
            answers: Vec::new(),
            task: Task::Free,
            due: 0,
            seen: None,
        };
        self.sessions.push(session);
        ClientId(self.sessions.len() as u16 - 1)
    }

    /// A session of `group` with nothing to do.
    pub fn idle(&self, group: u16) -> Option<ClientId> {
        let idle =
            |session: &Session| session.group == group && session.waiting.is_none() && session.task == Task::Free;
        self.sessions.iter().position(idle).map(|i| ClientId(i as u16))
    }

    /// How many sessions `group` has opened.
    pub fn opened(&self, group: u16) -> u16 {
        self.sessions.iter().filter(|session| session.group == group).count() as u16
    }

    /// What `client` uses to find out what to do.
    fn speaker(&mut self, client: ClientId) -> Speaker<'_> {
        let Session { group, task, seen, .. } = &mut self.sessions[usize::from(client.0)];
        let group = usize::from(*group);
        Speaker { group: &self.groups[group], keys: &self.keys[group], task, seen, rng: &mut self.rng[group] }
    }

    /// The next command of `client`, now waiting for its answer.
    #[inline(always)]
    pub fn begin(&mut self, client: ClientId, now: Micros) -> Command {
        let session = &mut self.sessions[usize::from(client.0)];
        self.begun[usize::from(session.group)] += 1;
        session.seq += 1;
        let seq = session.seq;
        let op = self.speaker(client).next(now, Command::value_of(client, seq));
        let command = Command { client, seq, op };
        let waiting = Waiting { command, since: now, asked: now, attempt: 0 };
        self.sessions[usize::from(client.0)].waiting = Some(waiting);
        command
    }

    /// `client` is told at last what came of its command. Tells after how long it is to be woken, if it is; `least` is the shortest pause.
    #[inline(always)]
    pub fn told(&mut self, client: ClientId, op: Op, outcome: Outcome, now: Micros, least: Micros) -> Option<Micros> {
        let pause = self.speaker(client).told(op, outcome);
        let session = &mut self.sessions[usize::from(client.0)];
        session.waiting = None;
        let pause = match (self.groups[usize::from(session.group)].pace, pause) {
            (Pace::Closed { think, .. }, Some(pause)) if session.task == Task::Free => pause.max(think),
            (Pace::Closed { think, .. }, None) => think,
            (Pace::Open { .. }, _) if session.task == Task::Free => return None,
            (_, pause) => pause.unwrap_or(0),
        };
        let pause = pause.max(least);
        session.due = now + pause;
        Some(pause)
    }

    /// Whether `client`, which was woken, has something to ask for now.
    #[inline(always)]
    pub fn goes_on(&mut self, client: ClientId, now: Micros) -> bool {
        let session = &mut self.sessions[usize::from(client.0)];
        if session.waiting.is_some() || self.quiet || session.task != Task::Free && now < session.due {
            return false;
        }
        if !matches!(session.task, Task::Free | Task::Dead) {
            return true;
        }
        session.task = Task::Free;
        let group = session.group;
        matches!(self.groups[usize::from(group)].pace, Pace::Closed { .. }) && self.may_begin(group, now)
    }

    /// Whether `group` may begin another command now.
    pub fn may_begin(&self, group: u16, now: Micros) -> bool {
        let g = &self.groups[usize::from(group)];
        !self.quiet && now < g.stop && self.begun[usize::from(group)] < g.limit
    }

    /// Holds back all new commands, or lets them come again; then tells who is to be woken, and when at the earliest.
    pub fn quiesce(&mut self, quiet: bool) -> Vec<(ClientId, Micros)> {
        if std::mem::replace(&mut self.quiet, quiet) == quiet || quiet {
            return Vec::new();
        }
        let sessions = (0..).map(ClientId).zip(&self.sessions);
        let still = sessions.filter(|(_, session)| {
            let closed = matches!(self.groups[usize::from(session.group)].pace, Pace::Closed { .. });
            session.waiting.is_none() && (closed || session.task != Task::Free)
        });
        still.map(|(client, session)| (client, if session.task == Task::Free { 0 } else { session.due })).collect()
    }
}
