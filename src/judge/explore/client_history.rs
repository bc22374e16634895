//! What clients asked and were told, and whether it is linearizable: whether it fits one order of their operations.

use super::bounds::Request;
use crate::core::node::Reply;
use crate::core::{Answer, Command, NodeId, Outcome};
use crate::services::Machine;

/// The operations of clients, in the order of the [bounds](super::Bounds::requests). An operation is invoked when its request reaches a node, and
/// responded to when a node answers: whatever time messages of clients take, they could take none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClientHistory {
    operations: Vec<Operation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Operation {
    command: Command,
    invoked: bool,
    /// Those that had been answered when it was invoked, a bit for each.
    after: u16,
    answer: Option<Outcome>,
}

impl ClientHistory {
    /// Nothing has been invoked yet.
    pub fn new(requests: &[Request]) -> ClientHistory {
        let operation =
            |request: &Request| Operation { command: request.command, invoked: false, after: 0, answer: None };
        ClientHistory { operations: requests.iter().map(operation).collect() }
    }

    /// A client asks. One that asks several nodes has a request for each: the first of them counts.
    pub fn invoke(&mut self, index: usize) {
        let command = self.operations[index].command;
        let first = self.operations.iter().position(|operation| operation.command == command);
        let Some(index) = first.filter(|index| !self.operations[*index].invoked) else { return };
        let answered = (0..).zip(&self.operations).filter(|(_, operation)| operation.answer.is_some());
        let after = answered.fold(0, |set, (bit, _)| set | 1 << bit);
        let operation = &mut self.operations[index];
        (operation.invoked, operation.after) = (true, after);
    }

    /// A node answers; tells whether what clients were told is still linearizable.
    pub fn respond(&mut self, replies: &[Reply]) -> bool {
        let mut update = false;
        for reply in replies {
            let Answer::Done(outcome) = reply.answer else { continue };
            let of = |operation: &&mut Operation| {
                (operation.command.client, operation.command.seq) == (reply.client, reply.seq)
            };
            if let Some(operation) = self.operations.iter_mut().find(of)
                && operation.invoked
                && operation.answer.is_none()
            {
                operation.answer = Some(outcome);
                update = true;
            }
        }
        !update || self.fits(0, &Machine::default())
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
            operation.invoked
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
    use crate::core::{ClientId, NodeSet, Op};

    const WRITE: Op = Op::Write { key: 0, value: 1 };
    const READ: Op = Op::Read { key: 0 };

    fn history(ops: &[Op]) -> ClientHistory {
        let request = |(index, &op): (u16, &Op)| Request {
            command: Command { client: ClientId(index), seq: 1, op },
            at: NodeSet::first(1),
        };
        ClientHistory::new(&(0..).zip(ops).map(request).collect::<Vec<_>>())
    }

    fn respond(history: &mut ClientHistory, client: u16, outcome: Outcome) -> bool {
        let reply = Reply { client: ClientId(client), seq: 1, answer: Answer::Done(outcome) };
        history.respond(&[reply])
    }

    #[test]
    fn read_after_a_write_must_see_it() {
        let mut all = history(&[WRITE, READ]);
        all.invoke(0);
        assert!(respond(&mut all, 0, Outcome::Done));
        all.invoke(1);
        assert!(respond(&mut all.clone(), 1, Outcome::Value(Some(1))));
        assert!(!respond(&mut all, 1, Outcome::Value(None)));
    }

    #[test]
    fn read_concurrent_with_a_write_may_see_it_and_later_reads_must_agree() {
        let mut all = history(&[WRITE, READ, READ]);
        all.invoke(0);
        all.invoke(1);
        assert!(respond(&mut all.clone(), 1, Outcome::Value(None)));
        assert!(respond(&mut all, 1, Outcome::Value(Some(1))));
        all.invoke(2);
        assert!(!respond(&mut all, 2, Outcome::Value(None)));
    }

    #[test]
    fn read_of_a_value_never_written_is_not_linearizable() {
        let mut all = history(&[WRITE, READ]);
        all.invoke(1);
        assert!(!respond(&mut all, 1, Outcome::Value(Some(1))));
    }
}
