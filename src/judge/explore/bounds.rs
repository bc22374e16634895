//! Bounds of an exploration: how often each kind of event may happen, and which bounds were reached.

use super::intern::Interner;
use crate::core::command::{Command, Op};
use crate::core::ids::ClientId;
use crate::core::{NodeSet, Order};
use serde::{Deserialize, Serialize};

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
    /// The nodes that may be asked.
    pub at: NodeSet,
}

/// The bounds within which every run is looked at.
///
/// Everything is asynchronous, unless `lock_step` says otherwise: any message in flight may be the next to arrive, any timer that is set may be the next
/// to fire. A message that never arrives is as good as lost, so `losses` are needed only to make room when `messages` is small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Most events in a row.
    pub depth: u32,
    /// Most states; with more, the exploration stays undecided.
    pub states: u32,
    /// Most messages in flight at once. A step that would send more is not taken.
    pub messages: u16,
    /// Most equal messages in flight at once; more of them get lost.
    pub copies: u8,
    /// Timers that fire.
    pub timers: Times,
    /// Messages lost.
    pub losses: Times,
    /// Messages that arrive and stay in flight, to arrive again. [`Times::Any`]: what was sent once may arrive again for ever.
    pub duplicates: Times,
    /// Crashes.
    pub crashes: Times,
    /// Crashes in the middle of sending: a node handles an event and crashes when only the first few of several messages to others have left, for
    /// each such number of them. What it asked for after that (a save, an answer) does not take place. Each counts as one of the `crashes`, too.
    pub partial: Times,
    /// Restarts of crashed nodes, from their disks.
    pub restarts: Times,
    /// Highest term or ballot. A step that takes a node higher is not taken.
    pub epoch: u32,
    /// Whether messages to oneself go through the network as well, and may be late. Otherwise they arrive within the same event.
    pub late_to_self: bool,
    /// Kinds of messages that always get lost, a bit for each, by their places in the protocol's list. What they would bring about is
    /// not looked at; there are far fewer states.
    pub lost_kinds: u64,
    /// Byzantine nodes: each of their messages to others may arrive as it is, arrive with another command
    /// ([`Message::tampered`](crate::core::Message::tampered)), or not at all. What they decide is not looked at.
    pub byzantine: NodeSet,
    /// What clients may ask for, each once; at most 16.
    pub requests: Vec<Request>,
    /// What an operator may order whoever leads to do, each once; at most 16.
    pub orders: Vec<Order>,
    /// Nodes beside the cluster, for an order to take in. They boot at the start, and have nothing to do until then.
    pub newcomers: u8,
    /// Whether to look at only one of several states that differ in nothing but the names of nodes, where names do not matter.
    pub symmetry: bool,
    /// Synchronous rounds (Lynch, *Distributed Algorithms*, §2.1): all nodes set their timers for the same time, and no message takes longer than that.
    /// First each node's timer fires, in any order, and then all that was sent arrives, in any order; only then may a timer fire again. Crashes and requests
    /// come at any time. For protocols in which a node has one timer at a time, of the same length at all nodes.
    pub lock_step: bool,
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
            partial: Times::Most(0),
            restarts: Times::Most(0),
            epoch: u32::MAX,
            late_to_self: false,
            lost_kinds: 0,
            byzantine: NodeSet::EMPTY,
            requests: Vec::new(),
            orders: Vec::new(),
            newcomers: 0,
            symmetry: false,
            lock_step: false,
        }
    }
}

impl Bounds {
    /// Most requests, and most orders.
    pub const REQUESTS: u8 = 16;

    /// How often it may happen.
    pub(super) fn most(&self, of: Cost) -> Times {
        match of {
            Cost::Timers => self.timers,
            Cost::Losses => self.losses,
            Cost::Duplicates => self.duplicates,
            Cost::Crashes => self.crashes,
            Cost::Restarts => self.restarts,
            Cost::Partial => self.partial,
            Cost::Request(_) | Cost::Order(_) => Times::Most(1),
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Spent {
    /// Of all that comes more than once.
    counts: [u16; Cost::COUNTED],
    /// A bit for each request.
    asked: u16,
    /// A bit for each order.
    ordered: u16,
    /// How many goals were reached.
    stage: u8,
}

/// What something is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    Timers,
    Losses,
    Duplicates,
    Crashes,
    Restarts,
    /// Crashes in the middle of sending.
    Partial,
    /// The request with this number.
    Request(u8),
    /// The order with this number.
    Order(u8),
}

impl Cost {
    /// How many there are that come more than once.
    const COUNTED: usize = 6;
    /// How many there are.
    pub const ALL: usize = Cost::COUNTED + 2 * Bounds::REQUESTS as usize;

    /// Its place among them.
    pub fn place(self) -> usize {
        let requests = usize::from(Bounds::REQUESTS);
        match self {
            Cost::Timers => 0,
            Cost::Losses => 1,
            Cost::Duplicates => 2,
            Cost::Crashes => 3,
            Cost::Restarts => 4,
            Cost::Partial => 5,
            Cost::Request(number) => Cost::COUNTED + usize::from(number),
            Cost::Order(number) => Cost::COUNTED + requests + usize::from(number),
        }
    }

    /// The bound that keeps it from happening once more, if what is not looked at then can matter.
    pub fn cut(self) -> Option<Cut> {
        match self {
            Cost::Timers => Some(Cut::Timers),
            Cost::Duplicates => Some(Cut::Duplicates),
            Cost::Crashes => Some(Cut::Crashes),
            Cost::Restarts => Some(Cut::Restarts),
            Cost::Partial => Some(Cut::Partial),
            Cost::Losses | Cost::Request(_) | Cost::Order(_) => None,
        }
    }
}

impl Spent {
    /// One more of it, unless the bound is reached. What may happen any number of times is not counted: states stay the same.
    pub fn one_more(mut self, of: Cost, bounds: &Bounds) -> Option<Spent> {
        match (of, bounds.most(of)) {
            (Cost::Request(number), _) => {
                let bit = 1 << number;
                let first = self.asked & bit == 0;
                self.asked |= bit;
                first.then_some(self)
            }
            (Cost::Order(number), _) => {
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
        Spent { counts: [0; Cost::COUNTED], stage: self.stage + 1, ..self }
    }
}

/// All that was ever spent, by number, and what follows on each by one more of something; see [`Cost::place`].
#[derive(Debug, Default)]
pub(super) struct Ledger {
    spent: Interner<Spent>,
    next: Vec<[Option<Option<u32>>; Cost::ALL]>,
}

impl Ledger {
    /// The number of what was spent.
    pub fn put(&mut self, spent: Spent) -> u32 {
        self.spent.put(spent)
    }

    /// What was spent, by number.
    pub fn get(&self, number: u32) -> Spent {
        *self.spent.get(number)
    }

    /// All that was ever spent, in the order of its numbers.
    pub fn all(&self) -> &[Spent] {
        self.spent.all()
    }

    /// What is spent after one more of it, if the bounds allow.
    #[inline]
    pub fn spend(&mut self, spent: u32, cost: Cost, bounds: &Bounds) -> Option<u32> {
        if self.next.len() <= spent as usize {
            self.next.resize(spent as usize + 1, [None; Cost::ALL]);
        }
        let known = self.next[spent as usize][cost.place()];
        known.unwrap_or_else(|| {
            let after = self.spent.get(spent).one_more(cost, bounds).map(|after| self.spent.put(after));
            self.next[spent as usize][cost.place()] = Some(after);
            after
        })
    }
}

/// The bounds that kept the exploration from looking at something. Losses are not among them: a message that never arrives is as good
/// as lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuts(u16);

/// One bound that can cut something off: `Own` by messages to oneself that are never late, `Lost` by kinds that always get lost, `Coins` by
/// events that draw more coins than are explored.
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
    Partial,
    Coins,
}

impl Cuts {
    const NAMES: [&str; 12] = [
        "depth",
        "messages",
        "copies",
        "timers",
        "duplicates",
        "crashes",
        "restarts",
        "epoch",
        "own",
        "lost",
        "partial",
        "coins",
    ];

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
