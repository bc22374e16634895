//! How far an exploration goes.

use crate::core::NodeSet;
use crate::core::command::{Command, Op};
use crate::core::ids::{ClientId, NodeId};

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// At most so often in one run.
    Most(u8),
    /// Again and again.
    Any,
}

/// A command that a client may ask for once, at any of several nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub command: Command,
    /// Whom.
    pub at: NodeSet,
}

/// The bounds within which every run is looked at.
///
/// Everything is asynchronous: any message under way may be the next to arrive, any timer that is set may be the next to fire. A
/// message that never arrives is as good as lost, so `losses` are needed only to make room when `messages` is small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Most events in a row.
    pub depth: u32,
    /// Most states; with more, the exploration stays undecided.
    pub states: u32,
    /// Most messages under way at once. A step that would send more is not taken.
    pub messages: u16,
    /// Most equal messages under way at once; more of them get lost.
    pub copies: u8,
    /// Timers that fire.
    pub timers: Times,
    /// Messages lost.
    pub losses: Times,
    /// Messages that arrive and stay under way, to arrive again. [`Times::Any`]: what was sent once may arrive again for ever.
    pub duplicates: Times,
    /// Crashes.
    pub crashes: Times,
    /// Restarts of crashed nodes, from their disks.
    pub restarts: Times,
    /// Highest term or ballot. A step that takes a node higher is not taken.
    pub epoch: u32,
    /// Whether messages to oneself go through the network as well, and may be late. Otherwise they arrive within the same event.
    pub late_to_self: bool,
    /// Kinds of messages that always get lost, a bit for each, by their places in the protocol's list. What they would bring about is
    /// not looked at; there are far fewer states.
    pub lost_kinds: u64,
    /// What clients may ask for, each once; at most 16.
    pub requests: Vec<Request>,
}

impl Default for Bounds {
    /// Delays and losses only; no crash, no timer, no request.
    fn default() -> Bounds {
        Bounds {
            depth: u32::MAX,
            states: 1_000_000,
            messages: 64,
            copies: 1,
            timers: Times::Most(0),
            losses: Times::Most(0),
            duplicates: Times::Most(0),
            crashes: Times::Most(0),
            restarts: Times::Most(0),
            epoch: u32::MAX,
            late_to_self: false,
            lost_kinds: 0,
            requests: Vec::new(),
        }
    }
}

impl Bounds {
    /// Most requests.
    pub const REQUESTS: u8 = 16;

    /// `count` different commands, each a write by a client of its own. Each may be asked at its own node (the first at node 1, and so
    /// on, round and round), or at any of `replicas`.
    pub fn requests(count: u8, replicas: u8, anywhere: bool) -> Vec<Request> {
        let request = |index: u8| {
            let op = Op::Write { key: 0, value: u32::from(index) + 1 };
            let own = NodeSet::just(NodeId(index % replicas.max(1)));
            Request {
                command: Command { client: ClientId(u16::from(index)), seq: 1, op },
                at: if anywhere { NodeSet::first(replicas) } else { own },
            }
        };
        (0..count.min(Bounds::REQUESTS)).map(request).collect()
    }
}

/// What was counted against the bounds so far, and the requests that were made; part of a state, packed into one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent(pub u64);

/// What a count is for: its place in the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Timers,
    Losses,
    Duplicates,
    Crashes,
    Restarts,
}

impl Spent {
    /// Above the five counts.
    const REQUESTS: u32 = 40;

    /// One more of it, unless the bound is reached. What may happen any number of times is not counted: states stay the same.
    pub fn one_more(self, of: Of, most: Times) -> Option<Spent> {
        let Times::Most(most) = most else { return Some(self) };
        let shift = 8 * of as u32;
        let so_far = self.0 >> shift & 0xff;
        (so_far < u64::from(most)).then(|| Spent(self.0 + (1 << shift)))
    }

    /// With this request made, unless it was made before.
    pub fn ask(self, request: u8) -> Option<Spent> {
        let bit = 1 << (Spent::REQUESTS + u32::from(request));
        (self.0 & bit == 0).then_some(Spent(self.0 | bit))
    }
}

/// The bounds that kept the exploration from going further, by their names in [`Bounds`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuts(u16);

/// One bound that can cut something off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The names of the bounds.
pub enum Cut {
    Depth,
    Messages,
    Copies,
    Timers,
    Losses,
    Duplicates,
    Crashes,
    Restarts,
    Epoch,
}

impl Cuts {
    const NAMES: [&str; 9] =
        ["depth", "messages", "copies", "timers", "losses", "duplicates", "crashes", "restarts", "epoch"];

    pub(super) fn add(&mut self, cut: Cut) {
        self.0 |= 1 << cut as u16;
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..).zip(Cuts::NAMES).filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name)
    }
}
