//! Invariants of Raft, checked after every event (paper, figure 3), beyond those of every protocol: one leader a term (Election Safety), and
//! agreement and order of what is applied (State Machine Safety).

use super::server::{Role, Server};
use crate::core::hash::Digest;
use crate::core::history::{Commitment, Election};
use crate::core::{Breach, Epoch, HistoryInvariant, HistoryVariables, Invariant, NodeId, Slot, Step};
use std::hash::{Hash, Hasher};

/// Those that see what servers hold now.
pub const INVARIANTS: &[Invariant<Server>] = &[
    Invariant { name: LOG_MATCHING.0, says: LOG_MATCHING.1, holds: log_matching },
    Invariant { name: LEADER_COMPLETENESS.0, says: LEADER_COMPLETENESS.1, holds: leader_completeness },
    Invariant {
        name: "Committed entries are held",
        says: "A server holds, in its log or its snapshot, every entry it knows to be committed.",
        holds: committed_is_held,
    },
    Invariant {
        name: "Lease",
        says: "While a leader holds a lease, no server leads a later term.",
        holds: lease_excludes,
    },
];

/// Those that remember.
pub const HISTORY: &[HistoryInvariant<Server>] = &[
    HistoryInvariant { name: LOG_MATCHING.0, says: LOG_MATCHING.1, holds: entries_ever_match },
    HistoryInvariant {
        name: "State Machine Safety",
        says: "No two servers know different entries, by their terms, to be committed at the same index.",
        holds: commitments_agree,
    },
    HistoryInvariant { name: LEADER_COMPLETENESS.0, says: LEADER_COMPLETENESS.1, holds: leaders_hold_commitments },
];

const LOG_MATCHING: (&str, &str) =
    ("Log Matching", "If two logs hold an entry with the same index and term, they are equal up to that entry.");
const LEADER_COMPLETENESS: (&str, &str) =
    ("Leader Completeness", "The leader's log holds every entry committed in its term or an earlier one.");

fn others(nodes: &[Option<Server>], changed: NodeId) -> Option<(&Server, impl Iterator<Item = (NodeId, &Server)>)> {
    let server = nodes.get(usize::from(changed.0))?.as_ref()?;
    let others = (0..).map(NodeId).zip(nodes).filter(move |(id, _)| *id != changed);
    Some((server, others.filter_map(|(id, node)| Some((id, node.as_ref()?)))))
}

const fn breach(other: NodeId, slot: Option<Slot>) -> Result<(), Breach> {
    Err(Breach { other: Some(other), slot })
}

/// Compares only the slots that the step can have changed.
fn log_matching(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(from) = step.log_from else { return Ok(()) };
    let Some((server, others)) = others(nodes, step.changed) else { return Ok(()) };
    let mine = &server.disk.log;
    for (id, other) in others {
        let log = &other.disk.log;
        if log.last() < from {
            continue;
        }
        // One slot more: entries from `from` on may match although the ones before them never did.
        let lowest = (from - 1).max(mine.first()).max(log.first());
        let mut matched = false;
        for slot in (lowest..=mine.last().min(log.last())).rev() {
            let (Some(a), Some(b)) = (mine.get(slot), log.get(slot)) else { break };
            matched |= a.term == b.term;
            if matched && a != b {
                return breach(id, Some(slot));
            }
        }
    }
    Ok(())
}

fn leader_completeness(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some((server, others)) = others(nodes, step.changed) else { return Ok(()) };
    for (id, other) in others {
        for (leader, follower) in [(server, other), (other, server)] {
            let slot = follower.commit;
            let leads = slot > leader.commit && matches!(leader.role, Role::Leader(_));
            if !leads || leader.disk.term < follower.disk.term {
                continue;
            }
            let here = leader.disk.log.term_at(slot);
            if here.is_none() || follower.disk.log.term_at(slot).is_some_and(|there| here != Some(there)) {
                return breach(id, Some(slot));
            }
        }
    }
    Ok(())
}

fn committed_is_held(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    match nodes.get(usize::from(step.changed.0)) {
        Some(Some(server)) if server.disk.log.last() < server.commit => {
            Err(Breach { other: None, slot: Some(server.commit) })
        }
        _ => Ok(()),
    }
}

fn lease_excludes(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some((server, others)) = others(nodes, step.changed) else { return Ok(()) };
    if !matches!(server.role, Role::Leader(_)) {
        return Ok(());
    }
    for (id, other) in others.filter(|(_, other)| matches!(other.role, Role::Leader(_))) {
        let mine = server.disk.term < other.disk.term;
        let (earlier, later) = if mine { (server, other) } else { (other, server) };
        let paused = step.unaware.has(if mine { step.changed } else { id });
        if earlier.holds_lease() && earlier.disk.term < later.disk.term && !paused {
            return breach(id, None);
        }
    }
    Ok(())
}

fn of(nodes: &[Option<Server>], id: NodeId) -> Option<&Server> {
    nodes.get(usize::from(id.0))?.as_ref()
}

fn term(number: u32) -> Epoch {
    Epoch { number, owner: None }
}

/// Two entries with the same index and term are equal, and so are the terms of those before them; by induction all before them are.
fn entries_ever_match(history: &mut HistoryVariables, nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let (Some(from), Some(server)) = (step.log_from, of(nodes, step.changed)) else { return Ok(()) };
    let log = &server.disk.log;
    let mut result = Ok(());
    for (slot, entry) in log.iter_from(from.max(history.first())) {
        let before = log.term_at(slot - 1).unwrap_or(0);
        let mut value = Digest::default();
        entry.payload.hash(&mut value);
        value.write_u32(before);
        let known = history.accept(slot, (term(entry.term), value.finish(), 0), step.changed);
        result = result.and(known.map(|_| ()));
    }
    result
}

/// State Machine Safety: what is committed once stays, even where all that knew it are down.
fn commitments_agree(history: &mut HistoryVariables, nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    let Some(server) = of(nodes, step.changed) else { return Ok(()) };
    let mut result = Ok(());
    for slot in history.reach(step.changed, server.commit) {
        if let Some(number) = server.disk.log.term_at(slot) {
            let commitment = Commitment { epoch: term(number), within: term(server.disk.term), by: step.changed };
            result = result.and(history.commit(slot, commitment).map(|_| ()));
        }
    }
    result
}

/// Compares a new leader with what was ever committed, and a new commitment with leaders of later terms.
fn leaders_hold_commitments(
    history: &mut HistoryVariables,
    nodes: &[Option<Server>],
    step: Step,
) -> Result<(), Breach> {
    for slot in history.newly_committed() {
        let Some(Commitment { epoch, within, by }) = history.commitment(slot) else { continue };
        let lacks = |leader: &Server| {
            let later = matches!(leader.role, Role::Leader(_)) && leader.disk.term > within.number;
            later && leader.commit < slot && leader.disk.log.term_at(slot) != Some(epoch.number)
        };
        let running = nodes.iter().flatten().find(|server| lacks(server)).map(|server| server.me);
        let earlier = || history.elections_after(within).find(|election| election.last < slot).map(|held| held.leader);
        if let Some(leader) = running.or_else(earlier) {
            let other = if leader == step.changed { by } else { leader };
            return breach(other, Some(slot));
        }
    }
    let Some(server) = of(nodes, step.changed).filter(|server| matches!(server.role, Role::Leader(_))) else {
        return Ok(());
    };
    let log = &server.disk.log;
    if !history.elect(term(server.disk.term), Election { leader: step.changed, last: log.last() }) {
        return Ok(());
    }
    // Its last entry of those will do, by Log Matching.
    let committed = history.committed().find(|(_, committed)| committed.within.number < server.disk.term);
    match committed {
        Some((slot, committed)) if slot >= log.first() && log.term_at(slot) != Some(committed.epoch.number) => {
            breach(committed.by, Some(slot))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Command, Node, NodeSet, Out, RuleSet, Settings, Setup};
    use crate::protocols::raft::leader::Leadership;
    use crate::protocols::raft::{Disk, Entry, Payload, SETTINGS};

    /// A server whose log holds no-ops of these terms.
    fn server(me: u8, term: u32, terms: &[u32], leads: bool, commit: Slot) -> Option<Server> {
        let settings = Settings::defaults(SETTINGS);
        let setup = Setup { replicas: 3, rtt_max: 10_000, settings, ablated: RuleSet::EMPTY };
        let config = crate::protocols::raft::Config::new(NodeSet::first(3), &setup).expect("settings are fine");
        let mut disk = Disk { term, ..Disk::default() };
        for &term in terms {
            disk.log.push(Entry { term, created: 0, payload: Payload::Command(Command::NOOP) });
        }
        let next = disk.log.last() + 1;
        let mut server = Server::boot(NodeId(me), &config, disk, &mut Out::new(RuleSet::EMPTY));
        let (_, configuration) = server.configuration();
        server.commit = commit;
        if leads {
            server.role = Role::Leader(Box::new(Leadership::new(NodeId(me), configuration, next)));
        }
        Some(server)
    }

    fn step(changed: u8) -> Step {
        Step { changed: NodeId(changed), log_from: Some(1), unaware: NodeSet::EMPTY }
    }

    /// What the invariants of histories and those of present states say of these steps, each with the states after it.
    fn violated(steps: &[(u8, [Option<Server>; 3])]) -> (Vec<&'static str>, Vec<&'static str>) {
        let (mut history, mut remembered, mut present) = (HistoryVariables::default(), Vec::new(), Vec::new());
        for (changed, nodes) in steps {
            let step = step(*changed);
            let held = HISTORY.iter().filter(|one| (one.holds)(&mut history, nodes, step).is_err()).map(|one| one.name);
            remembered.extend(held.collect::<Vec<_>>());
            present.extend(INVARIANTS.iter().filter(|one| (one.holds)(nodes, step).is_err()).map(|one| one.name));
        }
        (remembered, present)
    }

    #[test]
    fn logs_that_agree_in_a_term_and_differ_before_it_break_log_matching() {
        let (one, other) = (server(0, 2, &[1, 1, 2], false, 0), server(1, 2, &[1, 2, 2], false, 0));
        assert_eq!(violated(&[(0, [one, other, None])]).1, ["Log Matching"]);
    }

    #[test]
    fn entry_that_only_a_crashed_server_knew_to_be_committed_is_missed_at_the_next_election() {
        let committed = [server(0, 1, &[1, 1], true, 2), server(1, 1, &[1, 1], false, 0), server(2, 1, &[1], false, 0)];
        let crashed = [None, server(1, 1, &[1, 1], false, 0), server(2, 1, &[1], false, 0)];
        let elected = [None, server(1, 2, &[1, 1], false, 0), server(2, 2, &[1, 2], true, 0)];
        let steps = [(0, committed), (0, crashed), (2, elected)];
        assert_eq!(violated(&steps), (vec!["Leader Completeness"], vec![]));
    }

    #[test]
    fn leader_elected_and_gone_without_an_entry_is_remembered_when_that_is_committed_in_an_earlier_term() {
        let elected = [server(0, 1, &[1, 1], true, 0), server(1, 1, &[1, 1], false, 0), server(2, 2, &[1], true, 0)];
        let gone = [server(0, 1, &[1, 1], true, 0), server(1, 1, &[1, 1], false, 0), None];
        let committed = [server(0, 1, &[1, 1], true, 2), server(1, 1, &[1, 1], false, 0), None];
        let steps = [(2, elected), (2, gone), (0, committed)];
        assert_eq!(violated(&steps), (vec!["Leader Completeness"], vec![]));
    }

    #[test]
    fn no_ops_of_different_terms_committed_at_one_index_are_different_entries() {
        let first = [server(0, 1, &[1], true, 1), server(1, 1, &[1], false, 0), None];
        let second = [None, server(1, 2, &[1], false, 0), server(2, 2, &[2], true, 1)];
        let (remembered, present) = violated(&[(0, first), (0, [None, None, None]), (2, second)]);
        assert_eq!(remembered, ["State Machine Safety", "Leader Completeness"]);
        assert!(present.is_empty(), "{present:?}");
    }

    #[test]
    fn entry_that_was_overwritten_is_remembered_by_its_index_and_term() {
        let first = [server(0, 2, &[1, 2], true, 0), None, None];
        let second = [None, server(1, 2, &[2, 2], false, 0), None];
        assert_eq!(violated(&[(0, first), (1, second)]), (vec!["Log Matching"], vec![]));
    }
}
