//! Symmetry: of several states that differ in nothing but the names of nodes that are alike, one will do.
//!
//! Sound only where names are compared for nothing but equality: what may be exchanged is the protocol's to say
//! ([`Protocol::exchange`]), and nodes that the bounds or the goals name keep their names. It is unsound, and so not on offer, where a name decides:
//! where it makes ballots unique and orders them (proposers of the Synod and of Multi-Paxos), where it is a rank (the notes' algorithm), where it
//! chooses whom to ask (thrifty quorums). The representative is the least row of all, so states that are alike have one.

use super::past::Memory;
use super::states::States;
use super::steps::{N, Steps};
use super::table::Memo;
use super::{Bounds, Event, Explorer, Goal, Protocol, Setup};
use crate::core::{Exchange, Names, NodeId, NodeSet};

/// More nodes than this are not exchanged: there are 720 ways to order six.
const MOST: usize = 6;

/// The ways in which names can be exchanged, and what they make of things.
#[derive(Debug)]
pub(super) struct Symmetry<P: Protocol> {
    exchange: Exchange<N<P>>,
    orders: Vec<Order>,
}

#[derive(Debug)]
struct Order {
    names: Names,
    back: Names,
    /// What lies with a node, and memories, by number.
    locals: Memo,
    pasts: Memo,
}

impl<P: Protocol> Symmetry<P> {
    /// The symmetry of a question, if there is any.
    pub fn of(setup: &Setup, bounds: &Bounds, via: &[Goal]) -> Option<Symmetry<P>> {
        let exchange = P::exchange()?;
        let all = NodeSet::first(setup.replicas);
        if !bounds.orders.is_empty() {
            return None;
        }
        let asked = bounds.requests.iter().fold(NodeSet::EMPTY, |asked, request| asked.or(request.at));
        let told_apart = bounds.requests.iter().map(|request| request.at).filter(|&at| at.and(all) != all);
        let named = via.iter().filter_map(|goal| match goal {
            Goal::Leader(node, _) | Goal::Crashed(node) | Goal::Held { owner: node, .. } => *node,
            Goal::Epoch(_) | Goal::Chosen(_) | Goal::Violated(_) => None,
        });
        let fixed = told_apart.fold(named.collect::<NodeSet>(), NodeSet::or);
        let alike: Vec<NodeId> = (exchange.alike)(setup, asked).minus(fixed).iter().take(MOST).collect();
        let mut orders = Vec::new();
        permute(&mut alike.clone(), 0, &mut |order| {
            let renamed = |from: &[NodeId], to: &[NodeId]| {
                let mut names: Vec<NodeId> = all.iter().collect();
                from.iter().zip(to).for_each(|(from, to)| names[usize::from(from.0)] = *to);
                Names::new(names)
            };
            let (names, back) = (renamed(&alike, order), renamed(order, &alike));
            orders.push(Order { names, back, locals: Memo::default(), pasts: Memo::default() });
        });
        (alike.len() > 1).then_some(Symmetry { exchange, orders })
    }
}

/// Every order of `items`, the first of them as it is.
fn permute(items: &mut Vec<NodeId>, from: usize, each: &mut impl FnMut(&[NodeId])) {
    if from + 1 >= items.len() {
        return each(items);
    }
    for place in from..items.len() {
        items.swap(from, place);
        permute(items, from + 1, each);
        items.swap(from, place);
    }
}

impl<P: Protocol, M: Memory<P>> Explorer<P, M> {
    /// Puts the least of all rows that are like it in place of the row at `to` of `self.rows`; gives its hash.
    pub(super) fn canonical(&mut self, to: usize) -> u64 {
        let row = self.rows[to..to + self.width()].to_vec();
        let orders = self.symmetry.as_ref().map_or(0, |symmetry| symmetry.orders.len());
        let least = (1..orders).map(|order| self.renamed(&row, order)).min();
        if let Some(least) = least.filter(|least| *least < row) {
            self.rows[to..].copy_from_slice(&least);
        }
        States::hash(&self.rows[to..])
    }

    /// The row of the same state under other names.
    fn renamed(&mut self, row: &[u32], order: usize) -> Vec<u32> {
        let Explorer { symmetry: Some(symmetry), steps, locals, pasts, .. } = self else { return row.to_vec() };
        let Symmetry { exchange, orders } = symmetry;
        let Order { names, locals: local_memo, pasts: past_memo, .. } = &mut orders[order];
        let hosts = row.len() - super::BESIDE;
        let mut renamed = row.to_vec();
        for (index, &local) in row[..hosts].iter().enumerate() {
            let after = local_memo.get(u64::from(local)).unwrap_or_else(|| {
                let host = steps.exchange_host(locals.host(local), names, exchange);
                let inbox = locals.inbox(local).to_vec();
                let mut inbox: Vec<u32> =
                    inbox.iter().map(|&message| steps.exchange_message(message, names, exchange)).collect();
                inbox.sort_unstable();
                let after = locals.put(host, &inbox);
                local_memo.set(u64::from(local), after);
                after
            });
            renamed[usize::from(names.of(NodeId(index as u8)).0)] = after;
        }
        let past = row[hosts];
        renamed[hosts] = past_memo.get(u64::from(past)).unwrap_or_else(|| {
            let mut memory = pasts.get(past).clone();
            memory.exchange(names);
            let after = pasts.put(memory);
            past_memo.set(u64::from(past), after);
            after
        });
        renamed
    }

    /// An event of the state that stands for the one with this row, under the names of the one with this row.
    pub(super) fn under_names_of(&mut self, row: &[u32], state: u32, event: Event) -> Event {
        let orders = self.symmetry.as_ref().map_or(0, |symmetry| symmetry.orders.len());
        let stands_for = |explorer: &mut Self, order: usize| explorer.renamed(row, order) == explorer.states.row(state);
        let Some(order) = (0..orders).find(|&order| stands_for(self, order)) else { return event };
        let Explorer { symmetry: Some(Symmetry { exchange, orders }), steps, .. } = self else { return event };
        let back = &orders[order].back;
        let exchanged = |message, steps: &mut Steps<P>| steps.exchange_message(message, back, exchange);
        match event {
            Event::Deliver(message) => Event::Deliver(exchanged(message, steps)),
            Event::Duplicate(message) => Event::Duplicate(exchanged(message, steps)),
            Event::Lose(message) => Event::Lose(exchanged(message, steps)),
            Event::Fire(node, timer) => Event::Fire(back.of(node), timer),
            Event::Ask(node, number) => Event::Ask(back.of(node), number),
            Event::Order(node, number) => Event::Order(back.of(node), number),
            Event::Crash(node) => Event::Crash(back.of(node)),
            Event::Restart(node) => Event::Restart(back.of(node)),
        }
    }
}
