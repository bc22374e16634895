//! Symmetry reduction: of several states that differ in nothing but the names of nodes that are alike, one is enough (Clarke, Jha, Enders and
//! Filkorn, *Exploiting Symmetry in Temporal Logic Model Checking*, 1996).
//!
//! Sound only where names are compared for nothing but equality: what may be exchanged is the protocol's to say
//! ([`Protocol::exchange`](crate::core::Protocol::exchange)), and nodes that the bounds or the goals name keep their names. It is unsound, and so not on
//! offer, where a name decides: where it makes ballots unique and orders them (proposers of the Synod and of Multi-Paxos), where it is a rank (the
//! notes' algorithm), where it chooses whom to ask (thrifty quorums), and where a node may crash in the middle of sending, because messages leave
//! in the order of names. The representative of states that are alike is the least row of all.

use super::bounds::{Bounds, Times};
use super::intern::Memo;
use super::local_states::{Action, Computed, Event, LocalStates};
use super::model::Model;
use super::outcomes::{Outcomes, Remembered};
use super::query::Goal;
use crate::core::{Names, NodeId, NodeSet, Setup};

/// More nodes than this are not exchanged: there are 720 ways to order six.
const MOST: usize = 6;

/// The permutations of names under which states are alike.
#[derive(Debug)]
pub(super) struct Symmetry {
    permutations: Vec<Permutation>,
}

/// One permutation, and what it makes of things.
#[derive(Debug)]
struct Permutation {
    /// Its place among them.
    place: u16,
    names: Names,
    back: Names,
    /// Local states and histories by number.
    locals: Memo,
    histories: Memo,
}

impl Symmetry {
    /// Bytes, by count.
    pub fn bytes(&self) -> u64 {
        self.permutations.iter().map(|one| one.locals.bytes() + one.histories.bytes()).sum()
    }

    /// The symmetry of a query, if there is any.
    pub fn of(model: &dyn Model, setup: &Setup, bounds: &Bounds, via: &[Goal]) -> Option<Symmetry> {
        let all = NodeSet::first(setup.replicas);
        if !bounds.orders.is_empty() || bounds.partial != Times::Most(0) || !bounds.byzantine.is_empty() {
            return None;
        }
        let asked = bounds.requests.iter().fold(NodeSet::EMPTY, |asked, request| asked.or(request.at));
        let told_apart = bounds.requests.iter().map(|request| request.at).filter(|&at| at.and(all) != all);
        let named = via.iter().filter_map(|goal| match goal {
            Goal::Leader(node, _) | Goal::Crashed(node) | Goal::Held { owner: node, .. } => *node,
            Goal::Epoch(_) | Goal::Chosen(_) | Goal::Violated(_) => None,
        });
        let fixed = told_apart.fold(named.collect::<NodeSet>(), NodeSet::or);
        let alike: Vec<NodeId> = model.interchangeable(setup, asked)?.minus(fixed).iter().take(MOST).collect();
        let mut permutations = Vec::new();
        permute(&mut alike.clone(), 0, &mut |order| {
            let renamed = |from: &[NodeId], to: &[NodeId]| {
                let mut names: Vec<NodeId> = all.iter().collect();
                from.iter().zip(to).for_each(|(from, to)| names[usize::from(from.0)] = *to);
                Names::new(names)
            };
            let (names, back) = (renamed(&alike, order), renamed(order, &alike));
            let place = permutations.len() as u16;
            let (locals, histories) = (Memo::default(), Memo::default());
            permutations.push(Permutation { place, names, back, locals, histories });
        });
        (alike.len() > 1).then_some(Symmetry { permutations })
    }

    /// Computes again what was computed of a local state; `false` if there is no such permutation.
    pub fn rename_local(&mut self, place: u16, local: u32, locals: &mut LocalStates, outcomes: &mut Outcomes) -> bool {
        let permutation = self.permutations.get_mut(usize::from(place));
        permutation.map(|permutation| permutation.rename_local(local, locals, outcomes)).is_some()
    }

    /// Computes again what was computed of a history; `None` if there is no such permutation.
    pub fn rename_history(&mut self, place: u16, history: u32, outcomes: &mut Outcomes) -> Option<u32> {
        Some(self.permutations.get_mut(usize::from(place))?.rename_history(history, outcomes))
    }

    /// Puts in place of a row the least of all rows that are like it.
    pub fn canonicalize(&mut self, row: &mut [u32], locals: &mut LocalStates, outcomes: &mut Outcomes) {
        let renamed = |permutation: &mut Permutation| permutation.rename(row, locals, outcomes);
        let least = self.permutations[1..].iter_mut().map(renamed).min();
        if let Some(least) = least.filter(|least| least.as_slice() < &*row) {
            row.copy_from_slice(&least);
        }
    }

    /// An event of the state `representative`, under the names of the state that it represents, `row`.
    pub fn rename_back(
        &mut self,
        event: Event,
        representative: &[u32],
        row: &[u32],
        locals: &mut LocalStates,
        outcomes: &mut Outcomes,
    ) -> Event {
        let mut permutations = self.permutations.iter_mut();
        let Some(permutation) =
            permutations.find_map(|found| (found.rename(row, locals, outcomes) == representative).then_some(found))
        else {
            return event;
        };
        let back = &permutation.back;
        let number = match event.action {
            Action::Deliver | Action::Duplicate | Action::Lose => outcomes.rename_message(event.number, back),
            _ => event.number,
        };
        Event { node: back.of(event.node), number, ..event }
    }
}

impl Permutation {
    /// The row of the same state under other names.
    fn rename(&mut self, row: &[u32], locals: &mut LocalStates, outcomes: &mut Outcomes) -> Vec<u32> {
        let hosts = outcomes.model.replicas();
        let mut renamed = row.to_vec();
        for (index, &local) in row[..hosts].iter().enumerate() {
            renamed[usize::from(self.names.of(NodeId(index as u8)).0)] = self.rename_local(local, locals, outcomes);
        }
        renamed[hosts] = self.rename_history(row[hosts], outcomes);
        renamed
    }

    fn rename_local(&mut self, local: u32, locals: &mut LocalStates, outcomes: &mut Outcomes) -> u32 {
        if let Some(known) = self.locals.get(u64::from(local)) {
            return known;
        }
        locals.computed.push(Computed::Renamed(self.place, local));
        let host = outcomes.rename_host(locals.host(local), &self.names);
        let inbox = locals.inbox(local).iter().map(|&message| outcomes.rename_message(message, &self.names));
        let mut inbox: Vec<u32> = inbox.collect();
        inbox.sort_unstable();
        let after = locals.put(host, &inbox);
        self.locals.set(u64::from(local), after);
        after
    }

    fn rename_history(&mut self, history: u32, outcomes: &mut Outcomes) -> u32 {
        if let Some(known) = self.histories.get(u64::from(history)) {
            return known;
        }
        outcomes.remembered.push(Remembered::Renamed(self.place, history));
        let after = outcomes.model.rename_history(history, &self.names);
        self.histories.set(u64::from(history), after);
        after
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
