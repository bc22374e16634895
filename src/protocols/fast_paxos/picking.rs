//! Picking a value: the coordinator's rule for phase 2a (§2.2.2; Figure 2 in §3.1), which acceptors use as well in uncoordinated
//! recovery (§3.2).

use super::message::Vote;
use super::rules::*;
use super::{Config, Server};
use crate::core::{Command, NodeId, NodeSet, Out, Slot};
use crate::facts;

/// Which values the votes of a quorum allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// This one only: it may have been chosen.
    Only(Command),
    /// Any proposed value. These have votes, in the order of their clients.
    Any(Vec<Command>),
}

/// Applies Figure 2 to the votes in `slot` that the acceptors in `q`, a quorum of the round to come, have reported.
pub(super) fn allowed(
    config: &Config,
    slot: Slot,
    q: NodeSet,
    votes: &[(NodeId, Vote)],
    out: &mut Out<Server>,
) -> Allowed {
    let votes = || votes.iter().filter(|(node, _)| q.has(*node)).map(|(_, vote)| *vote);
    // k: the highest round in which any of them has voted; V: what they voted for in it.
    let Some(k) = votes().map(|vote| vote.round).max() else { return Allowed::Any(Vec::new()) };
    let mut values: Vec<Command> = votes().filter(|vote| vote.round == k).map(|vote| vote.command).collect();
    values.sort_unstable_by_key(order);
    values.dedup();
    if let [only] = values[..] {
        return match out.rule(ADOPTS, facts![only, slot, k]) {
            true => Allowed::Only(only),
            false => Allowed::Any(values),
        };
    }
    // O4(v): there is a k-quorum all of whose members in Q have voted for v. So v may have been chosen, with the votes of those outside of Q.
    let unknown = config.rounds.replicas - q.len();
    let may_be_chosen = |value: &&Command| {
        let count = votes().filter(|vote| (vote.round, vote.command) == (k, **value)).count() as u8;
        count + unknown >= config.fast.need()
    };
    match values.iter().find(may_be_chosen) {
        Some(&value) if out.rule(PICKS_BY_O4, facts![value, slot, k]) => Allowed::Only(value),
        _ => {
            out.tell(NONE_BY_O4, facts![slot, k]);
            Allowed::Any(values)
        }
    }
}

/// Where any value will do: one of those that collided, another one in each slot in turn, so that two commands that collide in two slots get
/// one each, and all who pick pick the same.
pub(super) fn in_turn(slot: Slot, values: &[Command]) -> Option<Command> {
    values.get(slot as usize % values.len().max(1)).copied()
}

/// What identifies a command, as a number.
pub(super) fn order(command: &Command) -> u64 {
    u64::from(command.client.0) << 32 | u64::from(command.seq)
}
