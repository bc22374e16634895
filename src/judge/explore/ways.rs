//! All that can happen in a state.

use super::bounds::{Bounds, Cut, Of, Times};
use super::past::Memory;
use super::steps::Stimulus;
use super::{Explorer, Protocol};
use crate::core::NodeId;

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

/// A way to go on from a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub event: Event,
    pub node: NodeId,
    /// The number of the outcome; `None` if no node takes part.
    pub outcome: Option<u32>,
    /// The number of what is spent then.
    pub spent: u32,
}

impl<P: Protocol, M: Memory<P>> Explorer<P, M> {
    /// All that can happen in a state. Outcomes are computed here, while every host has its node.
    pub(super) fn find_ways(&mut self, row: &[u32]) {
        self.ways.clear();
        let n = self.hosts;
        self.find_deliveries(row);
        for (node, &host) in (0..).map(NodeId).zip(&row[..n]) {
            if !self.steps.facts[host as usize].up {
                match self.one_more(row, Of::Restarts) {
                    Some(spent) => self.may(Event::Restart(node), node, host, Stimulus::Boot, spent),
                    None => self.cuts.add(Cut::Restarts),
                }
                continue;
            }
            let timers = self.steps.hosts.get(host).timers.len();
            if timers > 0 {
                match self.one_more(row, Of::Timers) {
                    Some(spent) => (0..timers).for_each(|place| {
                        let timer = self.steps.hosts.get(host).timers[place];
                        self.may(Event::Fire(node, timer), node, host, Stimulus::Timer(timer), spent);
                    }),
                    None => self.cuts.add(Cut::Timers),
                }
            }
            self.find_requests(row, node, host);
            match self.one_more(row, Of::Crashes) {
                Some(spent) => self.may(Event::Crash(node), node, host, Stimulus::Crash, spent),
                None => self.cuts.add(Cut::Crashes),
            }
        }
    }

    fn find_deliveries(&mut self, row: &[u32]) {
        let (n, for_ever) = (self.hosts, self.bounds.duplicates == Times::Any);
        let again = if for_ever { None } else { self.one_more(row, Of::Duplicates) };
        let lost = if for_ever { None } else { self.one_more(row, Of::Losses) };
        let mut before = None;
        for place in 0..self.nets.get(row[n]).len() {
            let message = self.nets.get(row[n])[place];
            // Of several equal messages any will do.
            if before.replace(message) == Some(message) {
                continue;
            }
            let (from, to) = self.steps.ends(message);
            let host = row[usize::from(to.0)];
            let to_other = from != to;
            if self.steps.facts[host as usize].up {
                let spent = row[n + 2];
                let event = if for_ever && to_other { Event::Duplicate(message) } else { Event::Deliver(message) };
                self.may(event, to, host, Stimulus::Message(message), spent);
                if to_other && !for_ever {
                    match again {
                        Some(spent) => self.may(Event::Duplicate(message), to, host, Stimulus::Message(message), spent),
                        None => self.cuts.add(Cut::Duplicates),
                    }
                }
            }
            if let Some(spent) = lost
                && to_other
            {
                self.ways.push(Way { event: Event::Lose(message), node: to, outcome: None, spent });
            }
        }
    }

    /// What clients and the operator may ask a node for.
    fn find_requests(&mut self, row: &[u32], node: NodeId, host: u32) {
        let spent = *self.spent.get(row[self.hosts + 2]);
        for index in 0..self.bounds.requests.len() as u8 {
            if let Some(spent) = spent.ask(index)
                && self.bounds.requests[usize::from(index)].at.has(node)
            {
                let spent = self.spent.put(spent);
                self.may(Event::Ask(node, index), node, host, Stimulus::Request(u32::from(index)), spent);
            }
        }
        if self.steps.facts[host as usize].leads.is_none() {
            return;
        }
        for index in 0..self.bounds.orders.len() as u8 {
            if let Some(spent) = spent.order(index) {
                let spent = self.spent.put(spent);
                self.may(Event::Order(node, index), node, host, Stimulus::Order(u32::from(index)), spent);
            }
        }
    }

    /// Something may happen to a node; there is no need to look if it would change nothing.
    #[inline]
    fn may(&mut self, event: Event, node: NodeId, host: u32, stimulus: Stimulus, spent: u32) {
        let outcome = self.steps.step(host, stimulus);
        if !self.steps.outcome(outcome).idle {
            self.ways.push(Way { event, node, outcome: Some(outcome), spent });
        }
    }

    /// The number of what is spent after one more of it, if the bounds allow.
    #[inline]
    fn one_more(&mut self, row: &[u32], of: Of) -> Option<u32> {
        let now = row[self.hosts + 2];
        match of.most(&self.bounds) {
            Times::Any => Some(now),
            Times::Most(0) => None,
            most => {
                let after = self.spent.get(now).one_more(of, most)?;
                Some(self.spent.put(after))
            }
        }
    }
}

impl Of {
    fn most(self, bounds: &Bounds) -> Times {
        match self {
            Of::Timers => bounds.timers,
            Of::Losses => bounds.losses,
            Of::Duplicates => bounds.duplicates,
            Of::Crashes => bounds.crashes,
            Of::Restarts => bounds.restarts,
        }
    }
}
