//! What holds after every event: the lemma behind theorem 1 of the paper (appendix A), as far as accepted states show it.

use super::{Acceptor, Change, Server, State};
use crate::core::history::{Acceptance, Choice};
use crate::core::node::{Breach, HistoryInvariant, Invariant, Step};
use crate::core::{ClientId, Command, Epoch, HistoryVariables, NodeId, NodeSet, Op, Slot};

pub(super) const INVARIANTS: &[Invariant<Server>] = &[
    Invariant { name: ONE_STATE.0, says: ONE_STATE.1, holds: one_state_a_ballot },
    Invariant { name: CHANGES_STAY.0, says: CHANGES_STAY.1, holds: acknowledged_changes_stay },
];

pub(super) const HISTORY: &[HistoryInvariant<Server>] = &[
    HistoryInvariant { name: ONE_STATE.0, says: ONE_STATE.1, holds: ever_one_state_a_ballot },
    HistoryInvariant { name: CHANGES_STAY.0, says: CHANGES_STAY.1, holds: ever_acknowledged_changes_stay },
];

const ONE_STATE: (&str, &str) =
    ("One state a ballot", "All states accepted for a register in one ballot are the same.");
const CHANGES_STAY: (&str, &str) = (
    "Acknowledged changes stay",
    "If a quorum has accepted a state, every state accepted in a higher ballot is a descendant of it: it has the same change in it, and no lower version.",
);

/// Checks all pairs of the changed node's accepted states and those of others.
fn each_pair(
    nodes: &[Option<Server>],
    step: Step,
    mut holds: impl FnMut(usize, &Acceptor, &Acceptor) -> bool,
) -> Result<(), Breach> {
    let (Some(Some(own)), Some(from)) = (nodes.get(usize::from(step.changed.0)), step.log_from) else { return Ok(()) };
    for (register, its) in own.disk.registers.iter().enumerate().skip(from.saturating_sub(1) as usize) {
        for (id, node) in (0..).zip(nodes) {
            let Some(other) = node.as_ref().and_then(|node| node.disk.registers.get(register)) else { continue };
            if its.accepted.is_real() && other.accepted.is_real() && !holds(register, its, other) {
                return Err(Breach { other: Some(NodeId(id)), slot: Some(register as Slot + 1) });
            }
        }
    }
    Ok(())
}

fn one_state_a_ballot(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    each_pair(nodes, step, |_, one, other| one.accepted != other.accepted || one.state == other.state)
}

fn acknowledged_changes_stay(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    each_pair(nodes, step, |register, one, other| {
        let (lower, higher) = if one.accepted < other.accepted { (one, other) } else { (other, one) };
        let accepted = |node: &Server| node.disk.registers.get(register).is_some_and(|a| a.accepted == lower.accepted);
        let holders = (0..).map(NodeId).zip(nodes).filter(|(_, node)| node.as_ref().is_some_and(accepted));
        let holders = holders.map(|(id, _)| id).collect();
        let quorum = nodes.iter().flatten().next().is_some_and(|node| node.config.quorums.phase2.is_quorum(holders));
        let descends = || {
            let has = |change: Change| higher.state.outcome(change.command).is_some();
            higher.state.version >= lower.state.version && lower.state.last().is_none_or(has)
        };
        !quorum || descends()
    })
}

/// A state that a node has just accepted, beside those accepted before.
struct New<'a> {
    server: &'a Server,
    state: Option<(Epoch, &'a State)>,
}

impl Choice for New<'_> {
    fn is_quorum(&self, voters: NodeSet) -> bool {
        self.server.config.quorums.phase2.is_quorum(voters)
    }

    /// Of an earlier state only the change that led to it is known.
    fn follows(&self, lower: &Acceptance, higher: &Acceptance) -> bool {
        match self.state {
            Some((epoch, state)) if epoch == higher.epoch => {
                change_of(lower.note).is_none_or(|change| state.outcome(change).is_some())
            }
            _ => true,
        }
    }
}

/// The client and number of the change that led to a state, as one word; 0 for none.
fn note_of(state: &State) -> u64 {
    state.last().map_or(0, |change| 1 << 48 | u64::from(change.command.client.0) << 32 | u64::from(change.command.seq))
}

fn change_of(note: u64) -> Option<Command> {
    (note > 0).then_some(Command { client: ClientId((note >> 32) as u16), seq: note as u32, op: Op::Noop })
}

/// The registers that a step may have changed, each with its slot, and what is kept of the state accepted there.
fn accepted(server: &Server, step: Step) -> impl Iterator<Item = (Slot, (Epoch, u64, u64), &State)> {
    let first = step.log_from.map_or(usize::MAX, |from| from.saturating_sub(1) as usize);
    let registers = (1..).zip(&server.disk.registers).skip(first);
    registers.filter(|(_, register)| register.accepted.is_real()).map(|(slot, Acceptor { accepted, state, .. })| {
        (slot, (accepted.epoch(), state.machine.digest(), note_of(state)), &**state)
    })
}

fn ever_one_state_a_ballot(history: &mut HistoryVariables, nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(Some(server)) = nodes.get(usize::from(step.changed.0)) else { return Ok(()) };
    accepted(server, step).try_for_each(|(slot, value, _)| history.accept(slot, value, step.changed).map(|_| ()))
}

/// Beside what nodes hold now, counts every acceptance that was ever on a disk.
fn ever_acknowledged_changes_stay(
    history: &mut HistoryVariables,
    nodes: &[Option<Server>],
    step: Step,
) -> Result<(), Breach> {
    let (server, mut result) = history.count_after(nodes, step.changed, |server| New { server, state: None });
    let Some(server) = server else { return result };
    result = result.and(acknowledged_changes_stay(nodes, step));
    for (slot, value, state) in accepted(server, step) {
        // Two states in one ballot are the other invariant's matter.
        if history.accept(slot, value, step.changed).is_ok() {
            let new = New { server, state: Some((value.0, state)) };
            result = result.and(history.vote(slot, value, step.changed, &new));
            history.forget_superseded(slot);
        }
    }
    result
}
