//! Client sessions and workloads: closed-loop and open-loop groups, one outstanding command per session, leader discovery by redirects,
//! retry after a timeout.

mod keys;
mod service;

use super::rng::Rng;
use crate::core::{ClientId, Command, Micros, NodeId, Op, Outcome};
use keys::Keys;
use service::{CommandGenerator, Seen, Task};

pub use keys::Skew;
pub use service::{Holding, Service};

/// Arrival process of a client group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Closed loop: each session issues its next command `think` µs after the reply to the last.
    Closed {
        /// Number of concurrent sessions.
        sessions: u16,
        /// Think time, µs.
        think: Micros,
    },
    /// Open loop: commands arrive in a Poisson process, regardless of replies.
    Open {
        /// Mean interarrival time (exponential), µs.
        gap: Micros,
    },
}

/// Clients at one site with one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientGroup {
    /// Index of their site.
    pub site: u8,
    /// Arrival process.
    pub pace: Pace,
    /// Workload: the service that they use.
    pub service: Service,
    /// Percentage of reads; the rest are writes.
    pub read_percent: u8,
    /// Number of keys (or locks, or queues).
    pub keys: u16,
    /// The first key.
    pub first_key: u16,
    /// Distribution of commands over the keys.
    pub skew: Skew,
    /// When they issue their first command, µs.
    pub start: Micros,
    /// When they stop issuing commands, µs; `Micros::MAX` for never.
    pub stop: Micros,
    /// Total number of commands; `u32::MAX` for no limit.
    pub limit: u32,
    /// Retry timeout, µs: after it a session sends its command to another replica.
    pub retry: Micros,
}

impl Default for ClientGroup {
    /// One closed-loop session at the first site that writes one key without end.
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

/// Invocation or response of a client: a record of the history for the linearizability checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryRecord {
    /// When, µs since the start.
    pub at: Micros,
    /// The client.
    pub client: ClientId,
    /// The event.
    pub event: HistoryEvent,
}

/// Start or end of a client operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryEvent {
    /// Invocation: the operation is requested for the first time.
    Asked(Op),
    /// Response: the final outcome.
    Told(Outcome),
}

/// Maximum number of sessions of an open-loop group; further arrivals are dropped and counted ([`Counts::turned_away`](super::Counts)).
pub const OPEN_SESSIONS: u16 = 256;

/// One client session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub group: u16,
    pub site: u8,
    /// The replica to which it sends its next request.
    pub target: NodeId,
    /// Where reads go elsewhere: the replica to which it sends other commands while the command under way is a read, or the other way round.
    pub other_target: NodeId,
    /// Whether `target` is the one for reads.
    pub reads: bool,
    pub seq: u32,
    pub waiting: Option<Waiting>,
    /// Whether a retry timeout of it is in the event queue.
    pub timeout_queued: bool,
    /// Backoff from the nearest replica after it did not answer: remaining commands, and the length of the next backoff, commands.
    pub backoff: (u16, u16),
    /// Replies to the outstanding command, where more than one equal reply is needed.
    pub answers: Vec<(NodeId, Outcome)>,
    /// State of its plan.
    task: Task,
    /// When it issues its next command by itself, µs. A [`Wake`](super::queue::event::Event::Wake) at any other time is stale; one that came while
    /// clients were quiesced is overdue.
    pub wake: Option<Micros>,
    /// What it does was asked for by hand: afterwards it goes on as if nothing had been.
    by_hand: bool,
    /// Meanwhile: when it would have issued its next command by itself, µs.
    interrupted: Option<Micros>,
    seen: Option<Seen>,
}

impl Session {
    /// Exchanges the targets of reads and of other commands, if need be.
    pub fn turn_to(&mut self, reads: bool) {
        if self.reads != reads {
            self.reads = reads;
            std::mem::swap(&mut self.target, &mut self.other_target);
        }
    }
}

/// An outstanding command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub command: Command,
    pub since: Micros,
    /// When it was last sent or redirected, µs.
    pub asked: Micros,
    /// Number of requests sent for this command; identifies stale [`Event::Resend`](super::queue::event::Event::Resend) events.
    pub attempt: u16,
}

/// All client groups and sessions, and their random streams.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    pub groups: Vec<ClientGroup>,
    pub begun: Vec<u32>,
    pub sessions: Vec<Session>,
    pub rng: Vec<Rng>,
    keys: Vec<Keys>,
    seed: u64,
    /// Quiesced: no new commands are issued.
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

    /// Adds a group; returns its index.
    pub fn add(&mut self, group: ClientGroup) -> u16 {
        let number = self.groups.len();
        self.begun.push(0);
        self.rng.push(Rng::stream(self.seed, "clients", number as u64));
        self.keys.push(Keys::new(group.keys, group.skew, self.keys.iter()));
        self.groups.push(group);
        number as u16
    }

    /// Opens a session of `group` whose first request goes to `target`.
    pub fn open(&mut self, group: u16, target: NodeId) -> ClientId {
        let site = self.groups[usize::from(group)].site;
        let session = Session {
            group,
            site,
            target,
            other_target: target,
            reads: false,
            seq: 0,
            waiting: None,
            timeout_queued: false,
            backoff: (0, 1),
            answers: Vec::new(),
            task: Task::Idle,
            wake: None,
            by_hand: false,
            interrupted: None,
            seen: None,
        };
        self.sessions.push(session);
        ClientId(self.sessions.len() as u16 - 1)
    }

    /// An idle session of `group`, if there is one.
    pub fn idle(&self, group: u16) -> Option<ClientId> {
        let idle =
            |session: &Session| session.group == group && session.waiting.is_none() && session.task == Task::Idle;
        self.sessions.iter().position(idle).map(|i| ClientId(i as u16))
    }

    /// Has an idle session do something by hand.
    pub fn interrupt(&mut self, client: ClientId) {
        let session = &mut self.sessions[usize::from(client.0)];
        (session.by_hand, session.interrupted) = (true, session.wake.take());
    }

    /// Number of sessions of `group`.
    pub fn opened(&self, group: u16) -> u16 {
        self.sessions.iter().filter(|session| session.group == group).count() as u16
    }

    /// The command generator of `client`.
    fn generator(&mut self, client: ClientId) -> CommandGenerator<'_> {
        let Session { group, task, seen, .. } = &mut self.sessions[usize::from(client.0)];
        let group = usize::from(*group);
        CommandGenerator { group: &self.groups[group], keys: &self.keys[group], task, seen, rng: &mut self.rng[group] }
    }

    /// Generates the next command of `client`, which is then outstanding.
    #[inline(always)]
    pub fn begin(&mut self, client: ClientId, now: Micros) -> Command {
        let session = &mut self.sessions[usize::from(client.0)];
        self.begun[usize::from(session.group)] += u32::from(!session.by_hand);
        session.seq += 1;
        let seq = session.seq;
        let op = self.generator(client).next(now, Command::value_of(client, seq));
        let command = Command { client, seq, op };
        let waiting = Waiting { command, since: now, asked: now, attempt: 0 };
        self.sessions[usize::from(client.0)].waiting = Some(waiting);
        command
    }

    /// Completes the outstanding command of `client`. Returns the pause until its next [`Event::Wake`](super::queue::event::Event::Wake), µs, if
    /// it is to be woken; at least `least`.
    #[inline(always)]
    pub fn complete(
        &mut self,
        client: ClientId,
        op: Op,
        outcome: Outcome,
        now: Micros,
        least: Micros,
    ) -> Option<Micros> {
        let pause = self.generator(client).complete(op, outcome);
        let session = &mut self.sessions[usize::from(client.0)];
        session.waiting = None;
        if session.by_hand && session.task == Task::Idle {
            session.by_hand = false;
            let wake = session.interrupted.take()?;
            return Some(wake.saturating_sub(now).max(least));
        }
        let pause = match (self.groups[usize::from(session.group)].pace, pause) {
            (Pace::Closed { think, .. }, Some(pause)) if session.task == Task::Idle => pause.max(think),
            (Pace::Closed { think, .. }, None) => think,
            (Pace::Open { .. }, _) if session.task == Task::Idle => return None,
            (_, pause) => pause.unwrap_or(0),
        };
        Some(pause.max(least))
    }

    /// Whether `client`, just woken, may issue a command now.
    #[inline(always)]
    pub fn is_ready(&mut self, client: ClientId, now: Micros) -> bool {
        let session = &mut self.sessions[usize::from(client.0)];
        if self.quiet || session.wake != Some(now) {
            return false;
        }
        session.wake = None;
        if !matches!(session.task, Task::Idle | Task::Crashed) {
            return true;
        }
        session.task = Task::Idle;
        let group = session.group;
        !session.by_hand
            && matches!(self.groups[usize::from(group)].pace, Pace::Closed { .. })
            && self.may_begin(group, now)
    }

    /// Whether `group` may issue another command now.
    pub fn may_begin(&self, group: u16, now: Micros) -> bool {
        let g = &self.groups[usize::from(group)];
        !self.quiet && now < g.stop && self.begun[usize::from(group)] < g.limit
    }

    /// Sets or clears quiescence. When cleared, returns the sessions whose time came meanwhile.
    pub fn quiesce(&mut self, quiet: bool, now: Micros) -> Vec<ClientId> {
        if std::mem::replace(&mut self.quiet, quiet) == quiet || quiet {
            return Vec::new();
        }
        let sessions = (0..).map(ClientId).zip(&self.sessions);
        sessions.filter(|(_, session)| session.wake.is_some_and(|wake| wake <= now)).map(|(client, _)| client).collect()
    }
}
