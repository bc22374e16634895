//! The Synod step by step: rare interleavings, message by message. Nodes are numbered from 0.

use super::*;
use crate::core::RuleId;
use crate::protocols::manual_network::{ManualNetwork, write};

/// The proposer at node 0 restarts after it proposed, and is asked for another value; its first proposal is still under way.
fn a_proposer_that_restarts(without: Option<RuleId>) -> bool {
    let mut run = ManualNetwork::<Synod>::new(3, &[], without);
    run.ask(0, write(10));
    run.round("Prepare", "Promise", 0, &[1]);
    // Its own acceptance never reached the disk.
    run.act(0, |node, _| node.disk.accepted = None);
    run.restart(0);
    run.ask(0, write(20));
    run.deliver_if(|_, to, message| to == 1 && matches!(message, Msg::Prepare { .. }));
    run.deliver("Promise", 1, 0);
    // What it proposed first reaches both others now: chosen, though nobody has counted yet.
    run.deliver_if(|_, to, message| to > 0 && matches!(message, Msg::Accept { value, .. } if *value == write(10)));
    run.deliver_if(|_, to, _| to == 0);
    // Whoever asks next finds it.
    run.ask(2, write(30));
    run.round("Prepare", "Promise", 2, &[1]);
    run.round("Accept", "Accepted", 2, &[1]);
    run.disagree()
}

#[test]
fn ballot_used_again_after_a_restart_chooses_two_values() {
    assert!(a_proposer_that_restarts(Some(DURABLE_ROUND)));
    assert!(!a_proposer_that_restarts(None));
}

/// Two ballots of round 1 at five nodes: an acceptor that accepts the higher has not promised it, and hears of the lower only later.
fn a_late_lower_ballot(without: Option<RuleId>) -> bool {
    let mut run = ManualNetwork::<Synod>::new(5, &[], without);
    // Node 1 asks first, and is told by 0 and 3 that nothing was accepted. Its proposal is slow.
    run.ask(1, write(20));
    run.round("Prepare", "Promise", 1, &[0, 3]);
    // Node 2 gets promises from 3 and 4, and its value is accepted by 0 and 4: chosen.
    run.ask(2, write(30));
    run.round("Prepare", "Promise", 2, &[3, 4]);
    run.round("Accept", "Accepted", 2, &[0, 4]);
    // Only now does node 1's proposal reach node 0.
    run.deliver("Accept", 1, 0);
    // Node 3 hears from 0 and 1.
    run.ask(3, write(50));
    run.round("Prepare", "Promise", 3, &[0, 1]);
    run.round("Accept", "Accepted", 3, &[0, 1]);
    run.disagree()
}

#[test]
fn acceptance_without_promise_lets_a_lower_ballot_replace_a_chosen_value() {
    assert!(a_late_lower_ballot(Some(ACCEPT_RAISES_PROMISE)));
    assert!(!a_late_lower_ballot(None));
}

#[test]
fn duplicate_promise_counts_once() {
    let mut run = ManualNetwork::<Synod>::new(5, &[], None);
    run.ask(0, write(1));
    for _ in 0..2 {
        run.act(0, |node, out| node.on_message(NodeId(1), &Msg::Promise { ballot: node.ballot, accepted: None }, out));
    }
    assert!(matches!(run.nodes[0].as_ref().map(|node| node.stage), Some(Stage::Preparing { .. })));
    run.settle(&[0, 1, 2]);
    assert_eq!(run.chosen.get(&(0, 1)), Some(&write(1)));
}

#[test]
fn promise_for_an_earlier_ballot_does_not_count() {
    let mut run = ManualNetwork::<Synod>::new(3, &[], None);
    run.ask(0, write(1));
    run.deliver("Prepare", 0, 1);
    run.ask(2, write(2));
    run.deliver("Prepare", 2, 0);
    run.time_out(0, Timer::Retry);
    run.deliver("Promise", 1, 0);
    assert!(matches!(run.nodes[0].as_ref().map(|node| node.stage), Some(Stage::Preparing { .. })));
    run.settle(&[0, 1]);
    assert_eq!(run.chosen.get(&(0, 1)), Some(&write(1)));
}

#[test]
fn message_fits_in_48_bytes() {
    assert!(size_of::<Msg>() <= 48);
}

#[test]
fn names_are_exchanged_unless_they_make_a_difference() {
    let alike = |replicas: u8, settings: &[(crate::core::SettingId, u64)]| {
        let mut setup = Setup {
            replicas,
            rtt_max: 1_000,
            settings: crate::core::Settings::defaults(SETTINGS),
            ablated: crate::core::RuleSet::EMPTY,
        };
        settings.iter().for_each(|(setting, value)| setup.settings.set(*setting, *value));
        (Synod::exchange().expect("it says how").alike)(&setup, NodeSet::just(NodeId(1)))
    };
    assert_eq!(alike(4, &[]), NodeSet::first(4).without(NodeId(1)));
    assert_eq!(alike(4, &[(ASK_THRIFTILY, 1)]), NodeSet::EMPTY, "who is asked depends on its name");
    assert_eq!(alike(4, &[(SHAPE, 1)]), NodeSet::EMPTY, "so does its place in a grid");
}

#[test]
fn value_accepted_above_a_chosen_other_one_breaks_p2_and_above_one_that_is_not_chosen_does_not() {
    let accepted = |round, value| Some(Proposal { ballot: Ballot { round, node: NodeId(0) }, value: write(value) });
    for (by, chosen) in [(&[0, 1][..], true), (&[0][..], false)] {
        let mut run = ManualNetwork::<Synod>::new(3, &[], None);
        for node in by {
            run.act(*node, |server, _| server.disk.accepted = accepted(1, 10));
        }
        run.act(2, |server, _| server.disk.accepted = accepted(2, 20));
        let step = Step { changed: NodeId(2), log_from: Some(1), unaware: NodeSet::EMPTY };
        assert_eq!(chosen_stays_chosen(&run.nodes, step).is_err(), chosen);
    }
}
