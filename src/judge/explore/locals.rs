//! What lies with one node: its host, and the messages on their way to it. All that can happen next happens to one of these, so it is
//! found once for each, however many states it is part of.

use super::bounds::{Bounds, Cut, Cuts, Of, Times};
use super::intern::Lists;
use super::states::States;
use super::steps::{Steps, Stimulus};
use super::table::Memo;
use crate::core::NodeId;
use crate::core::node::Protocol;

/// Something that can happen in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A message arrives.
    Deliver(u32),
    /// A message arrives and stays under way.
    Duplicate(u32),
    /// A message gets lost.
    Lose(u32),
    /// A timer of a node fires.
    Fire(NodeId, u32),
    /// A client asks a node.
    Ask(NodeId, u8),
    /// An operator gives a node an order.
    Order(NodeId, u8),
    /// A node crashes.
    Crash(NodeId),
    /// A node restarts.
    Restart(NodeId),
}

impl Event {
    /// Whom it happens to.
    pub fn node<P: Protocol>(self, steps: &Steps<P>) -> NodeId {
        match self {
            Event::Deliver(message) | Event::Duplicate(message) | Event::Lose(message) => steps.ends(message).1,
            Event::Fire(node, _) | Event::Ask(node, _) | Event::Order(node, _) => node,
            Event::Crash(node) | Event::Restart(node) => node,
        }
    }
}

/// A way to go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub event: Event,
    /// The number of the outcome; `None` if no node takes part.
    pub outcome: Option<u32>,
    /// What lies with the node afterwards, apart from what it sends.
    pub after: u32,
    /// What that adds to the hash of a state.
    pub hash: u64,
    /// Whether its host is another one then.
    pub moved: bool,
    /// Whether there is more to it: something is sent or to be remembered.
    pub tells: bool,
    /// What it is counted as, unless it may happen any number of times.
    pub cost: Option<Of>,
}

impl Way {
    /// Whether nothing changes but what lies with one node.
    #[inline]
    pub fn is_silent(&self) -> bool {
        !self.tells && self.cost.is_none()
    }
}

/// Where the ways on from something stand; see [`Locals::all`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Ways {
    first: u32,
    end: u32,
    pub all_silent: bool,
}

impl Ways {
    const UNKNOWN: Ways = Ways { first: u32::MAX, end: 0, all_silent: false };
}

/// Everything that ever lay with a node.
#[derive(Debug)]
pub(super) struct Locals {
    /// Host and messages, by number.
    held: Vec<(u32, u32)>,
    numbers: Memo,
    /// How many messages, by number.
    pub messages: Vec<u16>,
    /// Sorted lists of messages, in which equal ones can stand several times.
    inboxes: Lists,
    /// What lies there after one more message.
    more: Memo,
    /// Where in `ways` those of each stand, once they were asked for.
    spans: Vec<Ways>,
    ways: Vec<Way>,
    /// Most equal messages.
    copies: usize,
    /// Two lists of messages, kept for their space.
    inbox_at_hand: Vec<u32>,
    inbox_to_be: Vec<u32>,
    /// The bounds that keep something from step outcome.
    pub cuts: Cuts,
}

impl Locals {
    pub fn new(bounds: &Bounds) -> Locals {
        Locals {
            held: Vec::new(),
            numbers: Memo::default(),
            messages: Vec::new(),
            inboxes: Lists::default(),
            more: Memo::default(),
            spans: Vec::new(),
            ways: Vec::new(),
            copies: usize::from(bounds.copies.max(1)),
            inbox_at_hand: Vec::new(),
            inbox_to_be: Vec::new(),
            cuts: Cuts::default(),
        }
    }

    /// The number of a host with these messages, which are sorted, on their way to it.
    pub fn put(&mut self, host: u32, messages: &[u32]) -> u32 {
        let (inbox, _) = self.inboxes.put(messages);
        self.put_inbox(host, inbox)
    }

    /// The number of a host with the messages that this number stands for.
    fn put_inbox(&mut self, host: u32, inbox: u32) -> u32 {
        let key = u64::from(host) << 32 | u64::from(inbox);
        if let Some(number) = self.numbers.get(key) {
            return number;
        }
        let number = self.held.len() as u32;
        self.held.push((host, inbox));
        self.messages.push(self.inboxes.get(inbox).len() as u16);
        self.spans.push(Ways::UNKNOWN);
        self.numbers.set(key, number);
        number
    }

    /// The host.
    #[inline]
    pub fn host(&self, local: u32) -> u32 {
        self.held[local as usize].0
    }

    /// The messages on their way to it, sorted.
    pub fn inbox(&self, local: u32) -> &[u32] {
        self.inboxes.get(self.held[local as usize].1)
    }

    /// After one more message was sent to it; the same, if there are as many equal ones already as may be.
    #[inline]
    pub fn with(&mut self, local: u32, message: u32) -> u32 {
        let key = u64::from(local) << 32 | u64::from(message);
        match self.more.get(key) {
            Some(after) => after,
            None => self.with_new(key, local, message),
        }
    }

    #[inline(never)]
    fn with_new(&mut self, key: u64, local: u32, message: u32) -> u32 {
        let mut messages = std::mem::take(&mut self.inbox_to_be);
        messages.clear();
        messages.extend_from_slice(self.inbox(local));
        let place = messages.partition_point(|&other| other < message);
        let equal = messages[place..].iter().take_while(|&&other| other == message).count();
        let after = if equal < self.copies {
            messages.insert(place, message);
            self.put(self.host(local), &messages)
        } else {
            self.cuts.add(Cut::Copies);
            local
        };
        self.inbox_to_be = messages;
        self.more.set(key, after);
        after
    }

    /// Where the ways on from here stand.
    #[inline]
    pub fn ways<P: Protocol>(&mut self, local: u32, bounds: &Bounds, steps: &mut Steps<P>) -> Ways {
        let known = self.spans[local as usize];
        if known.first != u32::MAX { known } else { self.find_ways(local, bounds, steps) }
    }

    #[inline(never)]
    fn find_ways<P: Protocol>(&mut self, local: u32, bounds: &Bounds, steps: &mut Steps<P>) -> Ways {
        let first = self.ways.len() as u32;
        Finder { locals: self, bounds, steps, local }.find();
        let all_silent = self.ways[first as usize..].iter().all(Way::is_silent);
        let successors = Ways { first, end: self.ways.len() as u32, all_silent };
        self.spans[local as usize] = successors;
        successors
    }

    /// All of them, with their places.
    #[inline]
    pub fn all(&self, ways: Ways) -> impl Iterator<Item = (u32, &Way)> {
        (ways.first..).zip(&self.ways[ways.first as usize..ways.end as usize])
    }

    /// The one in this place.
    #[inline]
    pub fn way(&self, place: u32) -> &Way {
        &self.ways[place as usize]
    }
}

/// Finds all that can happen to one node.
struct Finder<'a, P: Protocol> {
    locals: &'a mut Locals,
    bounds: &'a Bounds,
    steps: &'a mut Steps<P>,
    local: u32,
}

impl<P: Protocol> Finder<'_, P> {
    fn find(&mut self) {
        let host = self.locals.host(self.local);
        let me = self.steps.hosts.get(host).me;
        let mut inbox = std::mem::take(&mut self.locals.inbox_at_hand);
        inbox.clear();
        inbox.extend_from_slice(self.locals.inbox(self.local));
        self.find_all(host, me, &inbox);
        self.locals.inbox_at_hand = inbox;
    }

    fn find_all(&mut self, host: u32, me: NodeId, inbox: &[u32]) {
        self.losses(host, inbox);
        if !self.steps.facts[host as usize].up {
            return self.may(Event::Restart(me), Stimulus::Boot, inbox, Some(Of::Restarts));
        }
        self.deliveries(me, inbox);
        for place in 0..self.steps.hosts.get(host).timers.len() {
            let timer = self.steps.hosts.get(host).timers[place];
            self.may(Event::Fire(me, timer), Stimulus::Timer(timer), inbox, Some(Of::Timers));
        }
        for (number, request) in (0..).zip(&self.bounds.requests) {
            if request.at.has(me) {
                let stimulus = Stimulus::Request(u32::from(number));
                self.may(Event::Ask(me, number), stimulus, inbox, Some(Of::Request(number)));
            }
        }
        if self.steps.facts[host as usize].leads.is_some() {
            for number in 0..self.bounds.orders.len() as u8 {
                let stimulus = Stimulus::Order(u32::from(number));
                self.may(Event::Order(me, number), stimulus, inbox, Some(Of::Order(number)));
            }
        }
        if self.bounds.crashes == Times::Most(0) {
            return self.locals.cuts.add(Cut::Crashes);
        }
        // What it meant to tell itself goes with it.
        let others: Vec<u32> = inbox.iter().copied().filter(|&message| self.steps.ends(message).0 != me).collect();
        self.may(Event::Crash(me), Stimulus::Crash, &others, Some(Of::Crashes));
    }

    fn deliveries(&mut self, me: NodeId, inbox: &[u32]) {
        let for_ever = self.bounds.duplicates == Times::Any;
        for (place, &message) in inbox.iter().enumerate() {
            // Of several equal messages any will do.
            if place > 0 && inbox[place - 1] == message {
                continue;
            }
            let stimulus = Stimulus::Message(message);
            let to_itself = self.steps.ends(message).0 == me;
            if for_ever && !to_itself {
                self.may(Event::Duplicate(message), stimulus, inbox, None);
                continue;
            }
            let mut rest = inbox.to_vec();
            rest.remove(place);
            self.may(Event::Deliver(message), stimulus, &rest, None);
            if !to_itself {
                self.may(Event::Duplicate(message), stimulus, inbox, Some(Of::Duplicates));
            }
        }
    }

    fn losses(&mut self, host: u32, inbox: &[u32]) {
        if self.bounds.losses == Times::Most(0) || self.bounds.duplicates == Times::Any {
            return;
        }
        for (place, &message) in inbox.iter().enumerate() {
            let (from, to) = self.steps.ends(message);
            if from == to || place > 0 && inbox[place - 1] == message {
                continue;
            }
            let mut rest = inbox.to_vec();
            rest.remove(place);
            let after = self.locals.put(host, &rest);
            let hash = self.hash(to, after);
            let (event, cost) = (Event::Lose(message), (self.bounds.losses != Times::Any).then_some(Of::Losses));
            self.locals.ways.push(Way { event, outcome: None, after, hash, moved: false, tells: false, cost });
        }
    }

    /// Something may happen, after which these messages are still under way. There is no need to look if it changes nothing.
    fn may(&mut self, event: Event, stimulus: Stimulus, inbox: &[u32], cost: Option<Of>) {
        let host = self.locals.host(self.local);
        let outcome = self.steps.step(host, stimulus);
        let then = self.steps.outcome(outcome);
        if then.idle {
            return;
        }
        let (moved, tells) = (then.host != host, !then.sent.is_empty() || then.noted);
        if self.steps.facts[then.host as usize].epoch > self.bounds.epoch {
            return self.locals.cuts.add(Cut::Epoch);
        }
        let cost = match cost.map(|of| (of, self.bounds.most(of))) {
            Some((of, Times::Most(0))) => return self.locals.cuts.add_all(of.cut()),
            Some((_, Times::Any)) | None => None,
            Some((of, Times::Most(_))) => Some(of),
        };
        let after = self.locals.put(then.host, inbox);
        let hash = self.hash(self.steps.hosts.get(host).me, after);
        self.locals.ways.push(Way { event, outcome: Some(outcome), after, hash, moved, tells, cost });
    }

    /// What it adds to the hash of a state if something else lies with a node.
    fn hash(&self, node: NodeId, after: u32) -> u64 {
        States::rehash(0, usize::from(node.0), self.local, after)
    }
}
