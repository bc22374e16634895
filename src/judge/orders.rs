//! Outcomes of operators' orders: what came of every leadership transfer and every change of the members, and when.

use crate::core::{Micros, NodeId, Order};
use crate::sim::World;
use crate::sim::world::GivenOrder;

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Carried out: the target leads, or the members are those ordered, by a committed configuration.
    Done,
    /// Given up by its leader, which leads on.
    GivenUp,
    /// Replaced by a later order to the same leader.
    Replaced,
    /// Never taken up by its leader.
    NotTaken,
    /// Lost with its leader: another node leads, and the order was not carried out.
    Lost(NodeId),
}

impl Ended {
    /// In a word or two, for reports.
    pub fn text(self) -> &'static str {
        match self {
            Ended::Done => "done",
            Ended::GivenUp => "given up",
            Ended::Replaced => "replaced",
            Ended::NotTaken => "not taken up",
            Ended::Lost(_) => "lost with its leader",
        }
    }

    /// Why, where the word does not say it.
    pub fn why(self, order: Order) -> Option<String> {
        let (transfer, why) = (matches!(order, Order::HandOver(_)), self);
        match (why, transfer) {
            (Ended::Done, _) => None,
            (Ended::GivenUp, true) => Some("its target did not take over in time".to_owned()),
            (Ended::GivenUp, false) => Some("the new members did not catch up in time".to_owned()),
            (Ended::Replaced, _) => Some("by a later order".to_owned()),
            (Ended::NotTaken, _) => Some("another order was under way, or its target is no member".to_owned()),
            (Ended::Lost(successor), _) => Some(format!("node {} leads since", successor.0 + 1)),
        }
    }
}

/// An order and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderOutcome {
    /// The order.
    pub given: GivenOrder,
    /// How it ended, and when, µs; `None`: it is under way, or nobody has led since its leader went down.
    pub ended: Option<(Micros, Ended)>,
}

/// Follows the orders of one world; [`Orders::observe`] is to be called after every step and action.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// What follows them; `None` in a cluster to which nothing can be done yet.
    follow: Option<fn(&mut Orders, &World)>,
    outcomes: Vec<OrderOutcome>,
    /// Number of orders that have not ended.
    open: usize,
}

impl Orders {
    /// Begins to follow orders. A function of its own, since the page's initial chunk has none to follow.
    pub fn begin(&mut self) {
        self.follow = Some(Orders::follow);
    }

    /// Takes in the world's present state.
    #[inline]
    pub fn observe(&mut self, world: &World) {
        if (self.open > 0 || world.orders().len() > self.outcomes.len())
            && let Some(follow) = self.follow
        {
            follow(self, world);
        }
    }

    /// All orders so far, in the order in which they were given.
    pub fn outcomes(&self) -> &[OrderOutcome] {
        &self.outcomes
    }

    #[cold]
    fn follow(&mut self, world: &World) {
        let known = self.outcomes.len();
        let new = world.orders()[known..].iter();
        self.outcomes.extend(new.map(|given| OrderOutcome { given: *given, ended: None }));
        for index in 0..self.outcomes.len() {
            let OrderOutcome { given, ended: None } = self.outcomes[index] else { continue };
            let later = self.outcomes[index + 1..].iter();
            let later = later.filter(|later| later.ended.is_none_or(|(_, ended)| ended != Ended::NotTaken));
            let replaced = later
                .map(|later| later.given)
                .filter(|later| (later.leader, later.epoch) == (given.leader, given.epoch))
                .any(|later| matches!(later.order, Order::HandOver(_)) == matches!(given.order, Order::HandOver(_)));
            let ended = ending(world, given).map(|ended| match ended {
                Ended::GivenUp if replaced => Ended::Replaced,
                Ended::GivenUp if index >= known => Ended::NotTaken,
                other => other,
            });
            self.outcomes[index].ended = ended.map(|ended| (world.time(), ended));
        }
        self.open = self.outcomes.iter().filter(|outcome| outcome.ended.is_none()).count();
    }
}

/// How an order has ended by now, if it has.
fn ending(world: &World, GivenOrder { order, leader, epoch, .. }: GivenOrder) -> Option<Ended> {
    let replicas = world.replicas();
    let leading = (0..world.nodes()).map(NodeId).filter_map(|node| Some((replicas.leads(node)?, node)));
    let successor = leading.filter(|(later, _)| *later > epoch).max().map(|(_, node)| node);
    let has_members = |node: NodeId, members| replicas.status(node).is_some_and(|status| status.members == members);
    // A later leader knows what became of earlier entries once one of its own is committed.
    let is_settled = |node: NodeId| {
        let committed = replicas.status(node).and_then(|status| replicas.entry(node, status.log.committed));
        committed.is_some_and(|entry| replicas.leads(node) == Some(entry.epoch))
    };
    match (order, successor) {
        (Order::HandOver(to), Some(successor)) if to == successor => Some(Ended::Done),
        (Order::HandOver(_), Some(successor)) => Some(Ended::Lost(successor)),
        (Order::Reconfigure(members), Some(successor)) if is_settled(successor) => {
            match (replicas.is_pending(successor, order), has_members(successor, members)) {
                (true, _) => None,
                (false, true) => Some(Ended::Done),
                (false, false) => Some(Ended::Lost(successor)),
            }
        }
        (Order::Reconfigure(_), Some(_)) => None,
        (_, None) if replicas.leads(leader) != Some(epoch) || replicas.is_pending(leader, order) => None,
        (Order::Reconfigure(members), None) if has_members(leader, members) => Some(Ended::Done),
        (_, None) => Some(Ended::GivenUp),
    }
}
