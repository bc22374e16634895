//! What clients asked and were told, and whether that fits one order of their operations.

use super::bounds::Request;
use super::past::Broken;
use crate::core::node::Reply;
use crate::core::{Answer, Command, NodeId, NodeSet, Outcome};
use crate::judge::safety::LINEARIZABLE;
use crate::services::Machine;

/// The operations of clients, in the order of the [bounds](super::Bounds::requests). A request is made when it reaches a node, and answered when a node
/// answers it: whatever time messages of clients take, they could take none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct History {
    operations: Vec<Operation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Operation {
    command: Command,
    asked: bool,
    /// Those that had been answered when it was asked, a bit for each.
    after: u16,
    answer: Option<Outcome>,
}

impl History {
    /// Nothing has been asked for yet.
    pub fn new(requests: &[Request]) -> History {
        let operation =
            |request: &Request| Operation { command: request.command, asked: false, after: 0, answer: None };
        History { operations: requests.iter().map(operation).collect() }
    }

    /// A client asks.
    pub fn ask(&mut self, index: usize) {
        let answered = (0..).zip(&self.operations).filter(|(_, operation)| operation.answer.is_some());
        let after = answered.fold(0, |set, (bit, _)| set | 1 << bit);
        let operation = &mut self.operations[index];
        (operation.asked, operation.after) = (true, after);
    }

    /// A node answers; tells whether what clients were told still fits.
    pub fn answer(&mut self, node: NodeId, replies: &[Reply]) -> Option<Broken> {
        let mut update = false;
        for reply in replies {
            let Answer::Done(outcome) = reply.answer else { continue };
            let of = |operation: &&mut Operation| {
                (operation.command.client, operation.command.seq) == (reply.client, reply.seq)
            };
            if let Some(operation) = self.operations.iter_mut().find(of)
                && operation.asked
                && operation.answer.is_none()
            {
                operation.answer = Some(outcome);
                update = true;
            }
        }
        let fits = !update || self.fits(0, &Machine::default());
        (!fits).then(|| Broken::new(LINEARIZABLE, NodeSet::just(node), None))
    }

    /// Whether all that was answered can be put in order behind `done`, which led to `machine`. What was not answered may have taken
    /// effect, or not.
    fn fits(&self, done: u16, machine: &Machine) -> bool {
        let open = || (0u16..).zip(&self.operations).filter(move |(bit, _)| done >> bit & 1 == 0);
        if open().all(|(_, operation)| operation.answer.is_none()) {
            return true;
        }
        open().any(|(bit, operation)| {
            let mut machine = machine.clone();
            operation.asked
                && operation.after & !done == 0
                && operation.answer.is_none_or(|answer| answer == machine.apply(operation.command, NodeId(0)))
                && {
                    machine.apply(operation.command, NodeId(0));
                    self.fits(done | 1 << bit, &machine)
                }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{ClientId, Op};

    const WRITE: Op = Op::Write { key: 0, value: 1 };
    const READ: Op = Op::Read { key: 0 };

    fn history(ops: &[Op]) -> History {
        let request = |(index, &op): (u16, &Op)| Request {
            command: Command { client: ClientId(index), seq: 1, op },
            at: NodeSet::first(1),
        };
        History::new(&(0..).zip(ops).map(request).collect::<Vec<_>>())
    }

    fn tell(history: &mut History, client: u16, outcome: Outcome) -> bool {
        let reply = Reply { client: ClientId(client), seq: 1, answer: Answer::Done(outcome) };
        history.answer(NodeId(0), &[reply]).is_none()
    }

    #[test]
    fn a_read_after_a_write_must_see_it() {
        let mut all = history(&[WRITE, READ]);
        all.ask(0);
        assert!(tell(&mut all, 0, Outcome::Done));
        all.ask(1);
        assert!(tell(&mut all.clone(), 1, Outcome::Value(Some(1))));
        assert!(!tell(&mut all, 1, Outcome::Value(None)));
    }

    #[test]
    fn a_read_beside_a_write_may_see_it_or_not_and_then_others_must_agree() {
        let mut all = history(&[WRITE, READ, READ]);
        all.ask(0);
        all.ask(1);
        assert!(tell(&mut all.clone(), 1, Outcome::Value(None)));
        assert!(tell(&mut all, 1, Outcome::Value(Some(1))));
        all.ask(2);
        assert!(!tell(&mut all, 2, Outcome::Value(None)));
    }

    #[test]
    fn a_value_that_nobody_asked_to_write_fits_nowhere() {
        let mut all = history(&[WRITE, READ]);
        all.ask(1);
        assert!(!tell(&mut all, 1, Outcome::Value(Some(1))));
    }
}
