//! Orders of events that chance hardly finds, brought about by hand.

use super::*;
use crate::core::RuleId;
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<TwoPhaseCommit>;

const PRESUMES_COMMIT: (crate::core::SettingId, u64) = (PRESUME, 2);

fn record(network: &Network, node: u8, at: Slot) -> Record {
    network.nodes[usize::from(node)].as_ref().map_or(Record::Unknown, |server| server.record(at))
}

fn decisions(network: &Network, at: Slot) -> Vec<Option<bool>> {
    (0..network.nodes.len() as u8).map(|node| record(network, node, at).decision()).collect()
}

#[test]
fn all_yes_commits_everywhere_and_is_forgotten_when_all_have_acknowledged() {
    let mut run = Network::new(3, &[], None);
    run.ask(0, write(1));
    run.settle(&[0, 1, 2]);
    assert_eq!(decisions(&run, 1), [Some(true); 3]);
    let coordinator = run.nodes[0].as_ref().expect("it runs");
    assert!(coordinator.open.is_empty() && coordinator.ending.is_empty());
    assert_eq!(run.answers, [(write(1).client, Answer::Done(crate::core::Outcome::Done))]);
}

#[test]
fn participant_sends_clients_to_the_coordinator() {
    let mut run = Network::new(3, &[], None);
    run.ask(2, write(1));
    assert_eq!(run.answers, [(write(1).client, Answer::Redirect(Some(COORDINATOR)))]);
}

#[test]
fn commit_record_on_disk_before_anybody_hears_of_it_and_told_again_after_a_restart() {
    let mut run = Network::new(3, &[], None);
    run.ask(0, write(1));
    run.round("Prepare", "VoteYes", 0, &[1, 2]);
    run.lose_all();
    run.restart(0);
    run.settle(&[0, 1, 2]);
    assert_eq!(decisions(&run, 1), [Some(true); 3]);
}

#[test]
fn coordinator_that_restarts_undecided_knows_nothing_and_that_means_abort() {
    let mut run = Network::new(3, &[], None);
    run.ask(0, write(1));
    run.deliver("Prepare", 0, 1);
    run.lose_all();
    run.restart(0);
    run.time_out(1, Timer::Doubt(1));
    run.deliver("DecisionReq", 1, 0);
    run.deliver("Abort", 0, 1);
    assert_eq!(record(&run, 1, 1), Record::Aborted { ended: true });
}

#[test]
fn start_record_has_a_coordinator_abort_that_presumes_commit() {
    let mut run = Network::new(3, &[PRESUMES_COMMIT], None);
    run.ask(0, write(1));
    run.deliver("Prepare", 0, 1);
    run.lose_all();
    run.restart(0);
    run.settle(&[0, 1, 2]);
    assert_eq!(decisions(&run, 1), [Some(false); 3]);
    // All have acknowledged: it is forgotten, and whoever asked now would hear the presumption.
    assert!(run.nodes[0].as_ref().expect("it runs").ending.is_empty());
}

#[test]
fn unvoted_participant_that_is_asked_aborts_and_never_votes_yes() {
    let mut run = Network::new(3, &[], None);
    run.ask(0, write(1));
    run.deliver("Prepare", 0, 1);
    run.time_out(1, Timer::Doubt(1));
    run.deliver("DecisionReq", 1, 2);
    run.restart(2);
    run.deliver("Prepare", 0, 2);
    run.settle(&[0, 1, 2]);
    assert_eq!(decisions(&run, 1), [Some(false); 3]);
}

#[test]
fn all_in_doubt_are_blocked_on_the_coordinator_alone() {
    let mut run = Network::new(3, &[], None);
    run.ask(0, write(1));
    run.deliver("Prepare", 0, 1);
    run.deliver("Prepare", 0, 2);
    for (node, other) in [(1, 2), (2, 1)] {
        run.time_out(node, Timer::Doubt(1));
        run.deliver("DecisionReq", node, other);
        run.deliver("Uncertain", other, node);
    }
    for node in 1..3 {
        let blocked = run.nodes[node].as_ref().expect("it runs").status().blocked.expect("it is blocked");
        assert_eq!((blocked.on, blocked.at), (NodeSet::just(COORDINATOR), 1));
    }
}

#[test]
fn locked_key_gets_a_no_and_another_key_a_yes() {
    let mut run = Network::new(3, &[], None);
    run.ask(0, write(1));
    run.deliver("Prepare", 0, 1);
    run.lose_all();
    // The coordinator knows nothing of it any more; node 1 is in doubt, and keeps the key locked.
    run.restart(0);
    run.ask(0, write(2));
    let other_key = Command { op: Op::Write { key: 9, value: 3 }, ..write(3) };
    run.ask(0, other_key);
    let (locked, free) = (BLOCK + 1, BLOCK + 2);
    run.settle(&[0, 1, 2]);
    assert_eq!(decisions(&run, locked), [Some(false); 3]);
    assert_eq!(decisions(&run, free), [Some(true); 3]);
}

#[test]
fn command_that_needs_a_lock_waits_at_the_coordinator_and_then_begins() {
    let mut run = Network::new(3, &[], None);
    run.ask(0, write(1));
    run.ask(0, write(2));
    assert_eq!(run.nodes[0].as_ref().expect("it runs").waiting, [write(2)]);
    run.settle(&[0, 1, 2]);
    assert_eq!(decisions(&run, 2), [Some(true); 3]);
}

#[test]
fn reads_that_come_after_a_waiting_write_wait_behind_it() {
    let mut run = Network::new(3, &[], None);
    let read = |client| Command { op: Op::Read { key: 0 }, ..write(client) };
    run.ask(0, read(1));
    run.ask(0, read(2));
    run.ask(0, write(3));
    run.ask(0, read(4));
    let coordinator = run.nodes[0].as_ref().expect("it runs");
    assert_eq!((coordinator.open.len(), coordinator.waiting.as_slice()), (2, &[write(3), read(4)][..]));
}

/// The coordinator restarts while node 1 is in doubt about its first transaction, and begins another.
fn a_number_given_twice(without: Option<RuleId>) -> bool {
    let mut run = Network::new(3, &[], without);
    run.ask(0, write(1));
    run.deliver("Prepare", 0, 1);
    run.lose_all();
    run.restart(0);
    run.ask(0, Command { op: Op::Write { key: 9, value: 3 }, ..write(3) });
    run.settle(&[0, 1, 2]);
    run.disagree()
}

#[test]
fn number_given_twice_makes_a_vote_count_for_another_transaction() {
    assert!(a_number_given_twice(Some(UNIQUE_NUMBERS)));
    assert!(!a_number_given_twice(None));
}

/// Node 1 asks, and its question arrives when all have acknowledged the commit and the coordinator has forgotten it.
fn a_late_answer(without: Option<RuleId>) -> bool {
    let mut run = Network::new(3, &[], without);
    run.ask(0, write(1));
    run.deliver("Prepare", 0, 1);
    run.time_out(1, Timer::Doubt(1));
    let late = run
        .in_flight
        .extract_if(.., |(from, to, message)| (*from, *to) == (1, 0) && matches!(message, Msg::DecisionReq { .. }));
    let late: Vec<_> = late.collect();
    run.in_flight.retain(|(.., message)| !matches!(message, Msg::DecisionReq { .. }));
    run.settle(&[0, 1, 2]);
    run.in_flight.extend(late);
    run.settle(&[0, 1, 2]);
    decisions(&run, 1) != [Some(true); 3]
}

#[test]
fn late_answer_by_presumption_undoes_nothing() {
    assert!(a_late_answer(Some(DECIDE_ONCE)));
    assert!(!a_late_answer(None));
}

#[test]
fn log_is_cut_off_behind_what_is_settled() {
    let mut run = Network::new(2, &[], None);
    for client in 0..4 * KEEP as u16 {
        run.ask(0, write(client));
        run.settle(&[0, 1]);
    }
    for node in 0..2 {
        let log = &run.nodes[node].as_ref().expect("it runs").disk.log;
        assert!(log.last() >= 4 * KEEP - 1 && log.first() > KEEP, "{}..={}", log.first(), log.last());
    }
    assert_eq!(run.nodes[0].as_ref().map(|node| node.disk.data.clone()).map(|data| data.values()), Some(1));
}

/// Recovery forces the aborts of what was not decided; that must not cut off what is decided and not acknowledged.
#[test]
fn restarts_keep_every_decision_that_is_not_acknowledged() {
    let mut run = Network::new(2, &[PRESUMES_COMMIT, (TRIES, 1)], None);
    for client in 1..3 * KEEP as u16 {
        run.ask(0, write(client));
        run.time_out(0, Timer::Votes(u32::from(client)));
        run.lose_all();
    }
    run.ask(0, write(1_000));
    run.restart(0);
    run.lose_all();
    run.restart(0);
    assert!((1..=3 * KEEP).all(|at| record(&run, 0, at) == Record::Aborted { ended: false }));
}

#[test]
fn messages_are_small() {
    assert!(size_of::<Msg>() <= 48);
}

#[test]
fn the_latest_settled_transactions_stay_in_the_log_for_those_who_ask_late() {
    let mut run = Network::new(2, &[], None);
    for number in 1..=3 * KEEP + 5 {
        run.ask(0, write(number as u16));
        run.settle(&[0, 1]);
        for log in run.nodes.iter().flatten().map(|server| &server.disk.log) {
            assert_eq!(log.last(), number);
            let held = log.last() + 1 - log.first();
            assert!((number.min(KEEP)..=2 * KEEP).contains(&held), "{held} of {number}");
        }
    }
}

#[test]
fn acknowledgements_are_counted_from_all_others() {
    let mut run = Network::new(3, &[], None);
    run.ask(0, write(1));
    run.round("Prepare", "VoteYes", 0, &[1, 2]);
    let mut tallies = Vec::new();
    run.nodes[0].as_ref().expect("it runs").tallies(&mut |tally| tallies.push((tally.of, tally.need)));
    assert_eq!(tallies, [("acknowledgements", 2)]);
}
