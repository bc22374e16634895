//! Invariants of Fast Paxos, checked after every event, beyond those of every protocol (agreement, order of execution). Each examines the server
//! that changed, and there only the slots that may have changed.

use super::message::Vote;
use super::picking::order;
use super::rounds::Round;
use super::{Config, Server};
use crate::core::hash::Digest;
use crate::core::history::{Acceptance, Choice};
use crate::core::node::{Breach, HistoryInvariant, Invariant, Step};
use crate::core::{Epoch, HistoryVariables, NodeId, NodeSet, Slot};

pub(super) const INVARIANTS: &[Invariant<Server>] = &[
    Invariant { name: ONE_VALUE.0, says: ONE_VALUE.1, holds: one_value },
    Invariant { name: CHOSEN.0, says: CHOSEN.1, holds: chosen_stays_chosen },
];

pub(super) const HISTORY: &[HistoryInvariant<Server>] =
    &[HistoryInvariant { name: CHOSEN.0, says: CHOSEN.1, holds: ever_chosen_stays_chosen }];

const ONE_VALUE: (&str, &str) =
    ("One value a classic round", "In one slot, all votes in one classic round are for one command.");
const CHOSEN: (&str, &str) = (
    "Chosen stays chosen (CP)",
    "In one slot, if a quorum of a round has voted for a command in it, so are all votes in higher rounds.",
);

/// Compares the votes of the changed server, in the open slots that may have changed, with those of the others.
fn each_pair(
    nodes: &[Option<Server>],
    step: Step,
    holds: impl Fn(&Server, Slot, Vote, Vote) -> bool,
) -> Result<(), Breach> {
    let (Some(Some(own)), Some(from)) = (nodes.get(usize::from(step.changed.0)), step.log_from) else { return Ok(()) };
    for slot in from.max(own.committed + 1)..=own.disk.log.last() {
        let Some(&vote) = own.vote(slot) else { continue };
        for (id, node) in (0..).map(NodeId).zip(nodes) {
            let Some(&its) = node.as_ref().and_then(|node| node.vote(slot)) else { continue };
            // Round 0 is no vote: the command was learned.
            let (lower, higher) = if vote.round <= its.round { (vote, its) } else { (its, vote) };
            if lower.round > 0 && lower.command != higher.command && !holds(own, slot, lower, higher) {
                return Err(Breach { other: Some(id), slot: Some(slot) });
            }
        }
    }
    Ok(())
}

fn one_value(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    each_pair(nodes, step, |server, _, one, other| one.round != other.round || server.config.rounds.is_fast(one.round))
}

fn chosen_stays_chosen(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    each_pair(nodes, step, |server, slot, lower, higher| {
        let voted = |node: &Option<Server>| node.as_ref().and_then(|node| node.vote(slot)) == Some(&lower);
        let voters = (0..).map(NodeId).zip(nodes).filter(|(_, node)| voted(node)).map(|(id, _)| id).collect();
        lower.round == higher.round || !server.config.quorum(lower.round).is_quorum(voters)
    })
}

/// As seen by the history of votes, which knows one value in each epoch: so an epoch there is a round and what identifies the command.
fn epoch(vote: Vote) -> Option<Epoch> {
    let round = u16::try_from(vote.round).ok().filter(|round| *round > 0)?;
    let command = order(&vote.command);
    Some(Epoch { number: u32::from(round) << 16 | (command >> 32) as u32, owner: Some(NodeId(command as u8)) })
}

fn round(epoch: Epoch) -> Round {
    epoch.number >> 16
}

impl Choice for &Config {
    fn is_quorum(&self, voters: NodeSet) -> bool {
        self.fast.is_quorum(voters)
    }

    fn is_quorum_in(&self, epoch: Epoch, voters: NodeSet) -> bool {
        self.quorum(round(epoch)).is_quorum(voters)
    }

    fn follows(&self, lower: &Acceptance, higher: &Acceptance) -> bool {
        lower.value == higher.value || round(lower.epoch) == round(higher.epoch)
    }
}

/// Counts every vote that was ever on a disk, whatever its acceptor has voted for or lost since.
fn ever_chosen_stays_chosen(
    history: &mut HistoryVariables,
    nodes: &[Option<Server>],
    step: Step,
) -> Result<(), Breach> {
    let (server, mut result) = history.count_after(nodes, step.changed, |server| &server.config);
    let (Some(server), Some(from)) = (server, step.log_from) else { return result };
    for (slot, vote) in server.disk.log.iter_from(from) {
        if let Some(vote) = *vote
            && let Some(epoch) = epoch(vote)
        {
            let value = (epoch, Digest::of(&vote.command), 0);
            result = result.and(history.vote(slot, value, step.changed, &&server.config));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::manual_network::write;

    #[test]
    fn epoch_of_a_vote_tells_its_round() {
        for number in [1, 2, 700, u32::from(u16::MAX)] {
            let vote = Vote { round: number, command: write(7) };
            assert_eq!(epoch(vote).map(round), Some(number));
        }
        assert_eq!(epoch(Vote { round: 0, command: write(7) }), None);
    }
}
