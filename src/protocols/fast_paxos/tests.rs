//! Fast Paxos step by step: rare interleavings, message by message. Nodes are numbered from 0.

use super::*;
use crate::core::node::Message;
use crate::core::{Answer, Outcome, RuleId, SettingId};
use crate::protocols::manual_network::{ManualNetwork, write};

type Run = ManualNetwork<FastPaxos>;

fn server(run: &Run, id: u8) -> &Server {
    run.nodes[usize::from(id)].as_ref().expect("it runs")
}

/// Servers among which node 0 coordinates fast round 1.
fn fast(n: u8, settings: &[(SettingId, u64)], without: Option<RuleId>) -> Run {
    let mut run = Run::new(n, settings, without);
    coordinate(&mut run, 0, &(0..n).collect::<Vec<_>>());
    run
}

/// Makes a node coordinate a round, with the promises of `among`.
fn coordinate(run: &mut Run, node: u8, among: &[u8]) {
    run.time_out(node, Timer::Election);
    run.settle(among);
    if !matches!(server(run, node).role, Role::Coordinator(_)) {
        // No fast quorum.
        run.time_out(node, Timer::Election);
        run.settle(among);
    }
    assert!(matches!(server(run, node).role, Role::Coordinator(_)));
}

/// Commands 1 and 2 reach nodes: the first `ones` get the one, the others the other.
fn collide(run: &mut Run, n: u8, ones: u8) {
    for node in 0..n {
        run.ask(node, write(if node < ones { 1 } else { 2 }));
    }
}

/// Delivers everything, and counts the messages about slot 1 between nodes.
fn settle_and_count(run: &mut Run) -> usize {
    let mut count = 0;
    while !run.in_flight.is_empty() {
        count += run.in_flight.iter().filter(|(_, _, message)| message.slot() == 1).count();
        // Only what is under way now.
        let now = std::mem::take(&mut run.in_flight);
        let mut later = Vec::new();
        for arriving in now {
            run.in_flight = vec![arriving];
            run.deliver_if(|_, _, _| true);
            later.append(&mut run.in_flight);
        }
        run.in_flight = later;
    }
    count
}

#[test]
fn command_is_chosen_by_votes_that_no_coordinator_asked_for() {
    let mut run = fast(3, &[], None);
    (0..3).for_each(|node| run.ask(node, write(1)));
    assert_eq!(settle_and_count(&mut run), 6);
    assert!((0..3).all(|node| server(&run, node).committed == 1));
    assert_eq!(run.answers.len(), 3, "each of those asked answers");
}

/// Lamport counts N(⌊2N/3⌋+1) for the proposal and its votes, with the proposal; and after a collision as much again with the coordinator's phase 2a
/// to a quorum, its own copy among them; without a coordinator (N−1)(⌊2N/3⌋+1).
#[test]
fn recovery_costs_what_the_paper_says() {
    for n in [3, 4, 5, 6, 7] {
        let thrifty = [(QUORUMS, 1), (SEND_THRIFTY, 1)];
        let q = usize::from(2 * n / 3 + 1);
        let to_others = usize::from(n) - 1;
        for (recovery, more) in [(0, q * usize::from(n) - 1), (1, to_others * q)] {
            let mut run = fast(n, &[&thrifty[..], &[(RECOVERY, recovery)]].concat(), None);
            let members = server(&run, 0).any.members;
            assert_eq!(usize::from(members.len()), q);
            // All members but one vote for one command.
            for (place, node) in members.iter().enumerate() {
                run.ask(node.0, write(if place == 0 { 1 } else { 2 }));
            }
            assert_eq!(settle_and_count(&mut run), to_others * q + more, "{n} nodes, recovery {recovery}");
            assert!((0..n).all(|node| run.chosen.contains_key(&(node, 1))) && !run.disagree());
        }
        let everybody = usize::from(n) * to_others;
        for (recovery, more) in [(0, to_others + everybody), (1, everybody)] {
            let mut run = fast(n, &[(RECOVERY, recovery)], None);
            let quorum = server(&run, 0).config.fast.need();
            collide(&mut run, n, n - quorum + 1);
            assert_eq!(settle_and_count(&mut run), everybody + more, "{n} nodes, recovery {recovery}");
            assert!((0..n).all(|node| run.chosen.contains_key(&(node, 1))) && !run.disagree());
        }
    }
}

#[test]
fn both_commands_of_a_collision_are_chosen_in_the_end() {
    for recovery in [0, 1] {
        let mut run = fast(5, &[(RECOVERY, recovery)], None);
        collide(&mut run, 5, 2);
        // The clients' other messages come later.
        for node in 0..5 {
            run.ask(node, write(if node < 2 { 2 } else { 1 }));
        }
        settle_and_count(&mut run);
        for command in [write(1), write(2)] {
            assert!((0..5).all(|node| run.chosen.iter().any(|((at, _), held)| *at == node && *held == command)));
        }
    }
}

/// Four of five vote for command 1, and one of them learns that it is chosen; the votes of two are left beside one for command 2.
fn chosen_and_half_forgotten(without: Option<RuleId>) -> Run {
    let mut run = fast(5, &[], without);
    collide(&mut run, 5, 4);
    run.deliver_if(|_, to, _| to == 1);
    assert_eq!(run.chosen.get(&(1, 1)), Some(&write(1)));
    run.lose_all();
    coordinate(&mut run, 4, &[2, 3, 4]);
    run
}

#[test]
fn value_that_a_fast_quorum_may_have_chosen_is_picked_by_o4() {
    let run = chosen_and_half_forgotten(None);
    assert_eq!(run.chosen.get(&(4, 1)), Some(&write(1)));
    let run = chosen_and_half_forgotten(Some(O4));
    assert!(run.disagree(), "{:?}", run.chosen);
}

#[test]
fn with_majorities_as_fast_quorums_the_coordinator_cannot_tell_what_was_chosen() {
    let outcome = |without| {
        let mut run = fast(3, &[], without);
        // One of three votes for command 1, two for command 2; node 2 hears of both its votes, and is gone.
        collide(&mut run, 3, 1);
        run.deliver_if(|from, to, _| from == 1 && to == 2);
        run.lose_all();
        coordinate(&mut run, 1, &[0, 1]);
        (run.chosen.get(&(2, 1)).copied(), run.disagree())
    };
    assert_eq!(outcome(None), (None, false), "two are no fast quorum of three");
    let (chosen, disagree) = outcome(Some(QUORUM_REQUIREMENT));
    assert_eq!(chosen, Some(write(2)));
    assert!(disagree);
}

#[test]
fn without_a_fast_quorum_rounds_are_classic_and_become_fast_again() {
    let mut run = Run::new(3, &[], None);
    coordinate(&mut run, 0, &[0, 1]);
    let classic = server(&run, 0).disk.round;
    assert!(!server(&run, 0).config.rounds.is_fast(classic));
    run.ask(0, write(1));
    run.settle(&[0, 1]);
    assert_eq!(run.chosen.get(&(1, 1)), Some(&write(1)));
    run.lose_all();
    // The third is back, and answers heartbeats.
    for _ in 0..6 {
        run.time_out(0, Timer::Heartbeat);
        run.settle(&[0, 1, 2]);
    }
    let server = server(&run, 0);
    assert!(server.config.rounds.is_fast(server.disk.round) && server.any.round == server.disk.round);
    assert_eq!(run.chosen.get(&(2, 1)), Some(&write(1)), "it has caught up");
}

#[test]
fn coordinator_that_hears_from_no_quorum_resigns() {
    let mut run = fast(5, &[], None);
    run.time_out(0, Timer::Heartbeat);
    run.lose_all();
    for _ in 0..2 {
        run.time_out(0, Timer::Heartbeat);
    }
    assert!(matches!(server(&run, 0).role, Role::Acceptor { .. }));
}

#[test]
fn chosen_command_stays_in_the_log_when_a_late_proposal_for_its_slot_comes() {
    let mut run = fast(3, &[], None);
    (0..3).for_each(|node| run.ask(node, write(1)));
    run.settle(&[0, 1, 2]);
    run.act(1, |node, out| {
        let late = Msg::Accept { round: 1, slot: 1, command: write(2) };
        node.on_message(NodeId(0), &late, out);
    });
    run.restart(1);
    assert_eq!(server(&run, 1).vote(1).map(|vote| vote.command), Some(write(1)));
    assert!(!run.disagree());
}

#[test]
fn acceptor_votes_once_in_a_round_also_after_a_restart() {
    let mut run = fast(3, &[], None);
    run.ask(1, write(1));
    run.restart(1);
    run.act(1, |node, out| {
        let again = Msg::Accept { round: 1, slot: 1, command: write(2) };
        node.on_message(NodeId(0), &again, out);
    });
    assert_eq!(server(&run, 1).vote(1), Some(&Vote { round: 1, command: write(1) }));
}

#[test]
fn proposal_that_reached_one_acceptor_only_is_passed_on() {
    let mut run = fast(3, &[], None);
    run.ask(2, write(1));
    for _ in 0..3 {
        run.settle(&[0, 1, 2]);
        run.time_out(0, Timer::Heartbeat);
    }
    run.settle(&[0, 1, 2]);
    assert!((0..3).all(|node| run.chosen.get(&(node, 1)) == Some(&write(1))));
    assert_eq!(server(&run, 0).disk.round, 1, "in the same round");
    assert!(run.answers.contains(&(write(1).client, Answer::Done(Outcome::Done))));
}

#[test]
fn vote_far_ahead_of_what_is_committed_is_left_out() {
    let mut run = fast(3, &[], None);
    let vote = Vote { round: 1, command: write(1) };
    let far = server(&run, 0).committed + acceptor::WINDOW + 1;
    run.act(0, |server, out| server.on_accepted(NodeId(1), far + 5, vote, out));
    run.act(0, |server, out| server.on_accepted(NodeId(1), far, vote, out));
    assert!(server(&run, 0).open.is_empty());
    run.act(0, |server, out| server.on_accepted(NodeId(1), far - 1, vote, out));
    assert!(!server(&run, 0).open.is_empty());
}
