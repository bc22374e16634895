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
    /// Nodes beside the cluster, for an order to take in. They boot at the start, and have nothing to do until then.
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

    /// How often it may happen.
    pub(super) fn most(&self, of: Of) -> Times {
        match of {
            Of::Timers => self.timers,
            Of::Losses => self.losses,
            Of::Duplicates => self.duplicates,
            Of::Crashes => self.crashes,
            Of::Restarts => self.restarts,
            Of::Request(_) | Of::Order(_) => Times::Most(1),
        }
    }

    /// A different write for each of `writes` and a read for each of `reads`, all of one key, each by a client of its own, which may ask any
    /// node there.
    pub fn requests(writes: &[NodeSet], reads: &[NodeSet]) -> Vec<Request> {
        let write = |(index, &at): (u32, &NodeSet)| (Op::Write { key: 0, value: index + 1 }, at);
        let read = |&at: &NodeSet| (Op::Read { key: 0 }, at);
        let all = (0..).zip(writes).map(write).chain(reads.iter().map(read));
        let request = |(index, (op, at))| Request { command: Command { client: ClientId(index), seq: 1, op }, at };
        (0..u16::from(Bounds::REQUESTS)).zip(all).map(request).collect()
    }
}

/// What was counted against the bounds so far, the requests and orders that were made, and the stage of the search; part of a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Spent {
    /// Of all that comes more than once.
    counts: [u16; 5],
    /// A bit for each request.
    asked: u16,
    /// A bit for each order.
    ordered: u16,
    /// How many goals were reached.
    stage: u8,
}

/// What something is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Timers,
    Losses,
    Duplicates,
    Crashes,
    Restarts,
    /// The request with this number.
    Request(u8),
    /// The order with this number.
    Order(u8),
}

impl Of {
    /// How many there are.
    pub const ALL: usize = 5 + 2 * Bounds::REQUESTS as usize;

    /// Its place among them.
    pub fn place(self) -> usize {
        let requests = usize::from(Bounds::REQUESTS);
        match self {
            Of::Timers => 0,
            Of::Losses => 1,
            Of::Duplicates => 2,
            Of::Crashes => 3,
            Of::Restarts => 4,
            Of::Request(number) => 5 + usize::from(number),
            Of::Order(number) => 5 + requests + usize::from(number),
        }
    }

    /// The bound that keeps it from step outcome once more, if what is not looked at then can matter.
    pub fn cut(self) -> Option<Cut> {
        match self {
            Of::Timers => Some(Cut::Timers),
            Of::Duplicates => Some(Cut::Duplicates),
            Of::Crashes => Some(Cut::Crashes),
            Of::Restarts => Some(Cut::Restarts),
            Of::Losses | Of::Request(_) | Of::Order(_) => None,
        }
    }
}

impl Spent {
    /// One more of it, unless the bound is reached. What may happen any number of times is not counted: states stay the same.
    pub fn one_more(mut self, of: Of, bounds: &Bounds) -> Option<Spent> {
        match (of, bounds.most(of)) {
            (Of::Request(number), _) => {
                let bit = 1 << number;
                let first = self.asked & bit == 0;
                self.asked |= bit;
                first.then_some(self)
            }
            (Of::Order(number), _) => {
                let bit = 1 << number;
                let first = self.ordered & bit == 0;
                self.ordered |= bit;
                first.then_some(self)
            }
            (_, Times::Any) => Some(self),
            (_, Times::Most(most)) => {
                let count = &mut self.counts[of.place()];
                *count += 1;
                (*count <= u16::from(most)).then_some(self)
            }
        }
    }

    /// How many goals were reached.
    pub fn stage(self) -> usize {
        usize::from(self.stage)
    }

    /// In the next stage, in which everything counts anew but requests and orders.
    pub fn next_stage(self) -> Spent {
        Spent { counts: [0; 5], stage: self.stage + 1, ..self }
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

    /// Adds them.
    pub(super) fn add_all(&mut self, cuts: impl IntoIterator<Item = Cut>) {
        cuts.into_iter().for_each(|cut| self.add(cut));
    }

    /// Those in either.
    pub(super) fn or(self, other: Cuts) -> Cuts {
        Cuts(self.0 | other.0)
    }

    /// Without this one.
    pub(super) fn without(self, cut: Cut) -> Cuts {
        Cuts(self.0 & !(1 << cut as u16))
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..).zip(Cuts::NAMES).filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name)
    }
}
