//! How far an exploration goes.

use crate::core::command::{Command, Op};
use crate::core::ids::ClientId;
use crate::core::{NodeSet, Order};

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
    /// What an operator may order whoever leads to do, each once; at most 16.
    pub orders: Vec<Order>,
    /// Nodes that do not run at first, for an order to take in: the last ones of the cluster. They boot at the start, with nothing to do.
    pub newcomers: u8,
    /// Whether to look at only one of several states that differ in nothing but the names of nodes, where names do not matter.
    pub symmetry: bool,
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
            orders: Vec::new(),
            newcomers: 0,
            symmetry: false,
        }
    }
}

impl Bounds {
    /// Most requests, and most orders.
    pub const REQUESTS: u8 = 16;

    /// A different command for each of `places`: a write by a client of its own, which may be asked of any node there.
    pub fn requests(places: &[NodeSet]) -> Vec<Request> {
        let request = |(index, &at): (u16, &NodeSet)| {
            let op = Op::Write { key: 0, value: u32::from(index) + 1 };
            Request { command: Command { client: ClientId(index), seq: 1, op }, at }
        };
        (0..u16::from(Bounds::REQUESTS)).zip(places).map(request).collect()
    }
}

/// What was counted against the bounds so far, the requests and orders that were made, and the stage of the search; part of a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Spent {
    /// A byte for each [`Of`].
    counts: u64,
    /// A bit for each request.
    asked: u16,
    /// A bit for each order.
    ordered: u16,
    /// How many goals were reached.
    stage: u8,
}

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
    /// One more of it, unless the bound is reached. What may happen any number of times is not counted: states stay the same.
    pub fn one_more(self, of: Of, most: Times) -> Option<Spent> {
        let Times::Most(most) = most else { return Some(self) };
        let shift = 8 * of as u32;
        let so_far = self.counts >> shift & 0xff;
        (so_far < u64::from(most)).then(|| Spent { counts: self.counts + (1 << shift), ..self })
    }

    /// With this request made, unless it was made before.
    pub fn ask(self, request: u8) -> Option<Spent> {
        let bit = 1 << request;
        (self.asked & bit == 0).then_some(Spent { asked: self.asked | bit, ..self })
    }

    /// With this order given, unless it was given before.
    pub fn order(self, order: u8) -> Option<Spent> {
        let bit = 1 << order;
        (self.ordered & bit == 0).then_some(Spent { ordered: self.ordered | bit, ..self })
    }

    /// In the next stage, in which everything counts anew but requests and orders.
    pub fn next_stage(self) -> Spent {
        Spent { counts: 0, stage: self.stage + 1, ..self }
    }
}

/// The bounds that kept the exploration from looking at something. Losses are not among them: a message that never arrives is as good
/// as lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuts(u16);

/// One bound that can cut something off: `Own` by messages to oneself that are never late, `Lost` by kinds that always get lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The names of the bounds.
pub enum Cut {
    Depth,
    Messages,
    Copies,
    Timers,
    Duplicates,
    Crashes,
    Restarts,
    Epoch,
    Own,
    Lost,
}

impl Cuts {
    const NAMES: [&str; 10] =
        ["depth", "messages", "copies", "timers", "duplicates", "crashes", "restarts", "epoch", "own", "lost"];

    pub(super) fn add(&mut self, cut: Cut) {
        self.0 |= 1 << cut as u16;
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..).zip(Cuts::NAMES).filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name)
    }
}
