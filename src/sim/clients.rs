//! Clients: they live at sites, ask one command at a time per session, find the leader by asking, and ask again when no
//! answer comes.

use super::rng::Rng;
use crate::core::{ClientId, Command, Micros, NodeId, Op, Outcome};

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
    /// Reads in a hundred commands; the others write.
    pub read_percent: u8,
    /// Keys they use, from 0.
    pub keys: u16,
    /// When they begin, µs.
    pub start: Micros,
    /// When they begin no more commands, µs; `Micros::MAX` for never.
    pub stop: Micros,
    /// How many commands they begin in all; `u32::MAX` for no end.
    pub limit: u32,
    /// How long a session waits for an answer before it asks another replica, µs.
    pub retry: Micros,
}

/// What a client said or was told: its part of a history, for the judge of linearizability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When, µs.
    pub at: Micros,
    /// Who.
    pub client: ClientId,
    /// What.
    pub spoke: Spoke,
}

/// An end of a client's operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoke {
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
    /// Whether new commands are held back.
    pub quiet: bool,
}

impl Clients {
    pub fn new(groups: Vec<ClientGroup>, seed: u64) -> Clients {
        let rng = (0..groups.len()).map(|i| Rng::stream(seed, "clients", i as u64)).collect();
        Clients { begun: vec![0; groups.len()], sessions: Vec::new(), rng, groups, quiet: false }
    }

    /// Opens a session of `group` that asks `target` first.
    pub fn open(&mut self, group: u16, target: NodeId) -> ClientId {
        let site = self.groups[usize::from(group)].site;
        self.sessions.push(Session { group, site, target, seq: 0, waiting: None, watched: false });
        ClientId(self.sessions.len() as u16 - 1)
    }

    /// A session of `group` with nothing outstanding.
    pub fn idle(&self, group: u16) -> Option<ClientId> {
        let idle = |session: &Session| session.group == group && session.waiting.is_none();
        self.sessions.iter().position(idle).map(|i| ClientId(i as u16))
    }

    /// How many sessions `group` has opened.
    pub fn opened(&self, group: u16) -> u16 {
        self.sessions.iter().filter(|session| session.group == group).count() as u16
    }

    /// The next command of `client`, now waiting for its answer.
    pub fn begin(&mut self, client: ClientId, now: Micros) -> Command {
        let session = &mut self.sessions[usize::from(client.0)];
        let group = &self.groups[usize::from(session.group)];
        let rng = &mut self.rng[usize::from(session.group)];
        self.begun[usize::from(session.group)] += 1;
        session.seq += 1;
        let key = rng.between(0, u64::from(group.keys.max(1)) - 1) as u16;
        let read = rng.chance(u16::from(group.read_percent) * 10);
        // A value no other write has, so that what a read returns tells which write it saw.
        let value = u32::from(client.0) << 20 | session.seq & 0xf_ffff;
        let op = if read { Op::Read { key } } else { Op::Write { key, value } };
        let command = Command { client, seq: session.seq, op };
        session.waiting = Some(Waiting { command, since: now, asked: now, attempt: 0 });
        command
    }

    /// Whether `group` may begin another command now.
    pub fn may_begin(&self, group: u16, now: Micros) -> bool {
        let g = &self.groups[usize::from(group)];
        !self.quiet && now < g.stop && self.begun[usize::from(group)] < g.limit
    }
}
