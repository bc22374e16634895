//! Order of execution where replicas agree on a graph: every node executes commands that do not commute in the same order, and each once.
//!
//! Two commands commute unless they are about the same object and one of them changes it. So what matters of each command is how many
//! changes of its object were executed before it: the same number everywhere.

use crate::core::{Command, Instance, Log, NodeId, Shots, Slot};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Checks the order in which nodes execute what no log orders.
pub trait ExecutionOrder: Debug {
    /// A node executes a command; tells whether that is in order. Where two nodes differ, the first one stays.
    fn execute(&mut self, node: NodeId, at: Instance, command: Command) -> bool;

    /// A node has lost its state, and executes again from the beginning.
    fn restart(&mut self, node: NodeId);

    /// Forgets of each object what all of so many nodes have executed, beyond the last `least` changes; and, whoever has executed it, what is
    /// further back than `most`.
    fn prune(&mut self, nodes: usize, bounds: [Slot; 2]);

    /// How many instances it holds, and the bytes of what copies share.
    fn size(&self) -> (usize, u64);

    /// A copy.
    fn copy(&self) -> Box<dyn ExecutionOrder>;
}

/// What makes a checker of the order of execution.
pub type MakeOrder = fn() -> Box<dyn ExecutionOrder>;

/// What checks the order of execution where this is agreed on; `None` where slots are the order. In the page it comes with the variants that need it.
pub const fn order_of(agrees_on: Shots) -> Option<MakeOrder> {
    match agrees_on {
        Shots::Graph => Some(|| Box::new(GraphOrder::default())),
        _ => None,
    }
}

/// The orders of all objects.
#[derive(Clone, Debug, Default)]
struct GraphOrder {
    objects: BTreeMap<u16, ObjectOrder>,
}

/// The order of commands about one object.
#[derive(Clone, Debug, Default)]
struct ObjectOrder {
    /// Changes in their order: the nth is in slot n.
    changes: Log<Instance>,
    /// How many changes were executed before each command.
    before: BTreeMap<Instance, Slot>,
    /// By node: how many changes it has executed since it booted.
    executed: Vec<Slot>,
}

impl ExecutionOrder for GraphOrder {
    fn execute(&mut self, node: NodeId, at: Instance, command: Command) -> bool {
        let Some(object) = command.op.object() else { return true };
        let order = self.objects.entry(object).or_default();
        let place = usize::from(node.0);
        if order.executed.len() <= place {
            order.executed.resize(place + 1, 0);
        }
        let done = order.executed[place];
        let change = !command.op.is_read();
        order.executed[place] += Slot::from(change);
        // What all others have executed long ago is forgotten.
        if done + 1 < order.changes.first() {
            return true;
        }
        let same_place = *order.before.entry(at).or_insert(done) == done;
        if !change {
            return same_place;
        }
        if order.changes.last() == done {
            order.changes.push(at);
        }
        same_place && order.changes.get(done + 1) == Some(&at)
    }

    fn restart(&mut self, node: NodeId) {
        for order in self.objects.values_mut() {
            if let Some(executed) = order.executed.get_mut(usize::from(node.0)) {
                *executed = 0;
            }
        }
    }

    fn prune(&mut self, nodes: usize, [least, most]: [Slot; 2]) {
        for order in self.objects.values_mut() {
            let last = order.changes.last();
            let executed = (0..nodes).map(|node| order.executed.get(node).copied().unwrap_or(0)).min().unwrap_or(0);
            let upto = executed.min(last.saturating_sub(least)).max(last.saturating_sub(most));
            if upto >= order.changes.first() {
                order.changes.compact_to(upto);
                order.before.retain(|_, before| *before >= upto);
            }
        }
    }

    fn size(&self) -> (usize, u64) {
        let held = self.objects.values().map(|order| order.before.len() + 1).sum();
        (held, self.objects.values().map(|order| order.changes.bytes()).sum())
    }

    fn copy(&self) -> Box<dyn ExecutionOrder> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{ClientId, Op};

    const READ: Op = Op::Read { key: 1 };
    const WRITE: Op = Op::Write { key: 1, value: 5 };

    /// Executes these at a node, each given by the slot of its instance; tells which were in order.
    fn execute(order: &mut GraphOrder, node: u8, commands: &[(Slot, Op)]) -> Vec<bool> {
        let command = |op| Command { client: ClientId(1), seq: 1, op };
        let all = commands.iter();
        all.map(|(slot, op)| order.execute(NodeId(node), Instance { lane: 1, slot: *slot }, command(*op))).collect()
    }

    #[test]
    fn reads_may_be_exchanged_with_each_other_but_not_with_a_write() {
        let mut order = GraphOrder::default();
        assert_eq!(execute(&mut order, 0, &[(1, READ), (2, READ), (3, WRITE), (4, READ)]), [true; 4]);
        assert_eq!(execute(&mut order, 1, &[(2, READ), (1, READ), (3, WRITE), (4, READ)]), [true; 4]);
        assert_eq!(execute(&mut order, 2, &[(1, READ), (3, WRITE), (2, READ)]), [true, true, false]);
    }

    #[test]
    fn writes_of_one_object_are_in_one_order_and_those_of_two_in_none() {
        let other = Op::Write { key: 2, value: 5 };
        let mut order = GraphOrder::default();
        assert_eq!(execute(&mut order, 0, &[(1, WRITE), (2, other), (3, WRITE)]), [true; 3]);
        assert_eq!(execute(&mut order, 1, &[(2, other), (1, WRITE), (3, WRITE)]), [true; 3]);
        assert_eq!(execute(&mut order, 2, &[(3, WRITE), (1, WRITE), (2, other)]), [false, false, true]);
        // One that the others do not have, in the place of one that they have.
        assert_eq!(execute(&mut order, 3, &[(1, WRITE), (4, WRITE)]), [true, false]);
    }

    #[test]
    fn a_command_is_executed_once_unless_its_node_restarts() {
        let mut order = GraphOrder::default();
        assert_eq!(execute(&mut order, 0, &[(1, WRITE), (1, WRITE)]), [true, false]);
        order.restart(NodeId(0));
        assert_eq!(execute(&mut order, 0, &[(1, WRITE)]), [true]);
    }

    #[test]
    fn what_is_forgotten_is_not_held_against_a_node_that_executes_it_again() {
        let mut order = GraphOrder::default();
        let writes: Vec<(Slot, Op)> = (1..=10).map(|slot| (slot, WRITE)).collect();
        assert_eq!(execute(&mut order, 0, &writes), [true; 10]);
        order.prune(1, [4, 8]);
        assert_eq!(order.size().0, 5);
        order.restart(NodeId(0));
        assert_eq!(execute(&mut order, 0, &writes), [true; 10]);
        order.restart(NodeId(0));
        let (eighth, ninth) = (writes[7], writes[8]);
        assert_eq!(execute(&mut order, 0, &writes[..7]), [true; 7]);
        assert_eq!(execute(&mut order, 0, &[ninth, eighth]), [false, false]);
    }
}
