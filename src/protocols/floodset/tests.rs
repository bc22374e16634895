//! FloodSet round by round. Nodes are numbered from 0.

use super::*;
use crate::core::{RuleId, RuleSet, Settings};
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<FloodSet>;

/// Each of these nodes ends its round, or begins the first.
fn end_round(run: &mut Network, nodes: &[u8]) {
    nodes.iter().for_each(|&node| run.time_out(node, Timer::Round));
}

fn w(run: &Network, node: u8) -> &[Command] {
    &run.nodes[usize::from(node)].as_ref().expect("it runs").w
}

/// All rounds with nobody crashing, f = 1; the values decided.
fn decided(inputs: &[(u8, u16)], settings: &[(crate::core::SettingId, u64)], without: Option<RuleId>) -> Vec<Command> {
    let mut run = Network::new(3, settings, without);
    inputs.iter().for_each(|&(node, value)| run.ask(node, write(value)));
    for _ in 0..3 {
        end_round(&mut run, &[0, 1, 2]);
        run.settle(&[0, 1, 2]);
    }
    run.chosen.values().copied().collect()
}

#[test]
fn equal_inputs_are_decided_whatever_the_decision_rule() {
    for rule in [0, 1] {
        assert_eq!(decided(&[(0, 7), (1, 7), (2, 7)], &[(DECISION, rule)], None), [write(7); 3]);
        assert_eq!(decided(&[(1, 7)], &[(DECISION, rule)], None), [write(7); 3], "one input only");
        assert_eq!(decided(&[], &[(DECISION, rule)], None), [Command::NOOP; 3], "no input");
    }
}

#[test]
fn different_inputs_make_all_decide_the_smallest_or_the_default() {
    let inputs = [(0, 9), (1, 5), (2, 7)];
    assert_eq!(decided(&inputs, &[(DECISION, 0)], None), [write(5); 3]);
    assert_eq!(decided(&inputs, &[(DECISION, 1)], None), [Command::NOOP; 3]);
}

#[test]
fn decision_without_a_common_rule_is_everybodys_own_input() {
    let inputs = [(0, 9), (1, 5), (2, 7)];
    assert_eq!(decided(&inputs, &[], Some(ONE_DECISION)), [write(9), write(5), write(7)]);
}

/// A node crashes in each of the first rounds, and what it sends in that round reaches the next node only. Then all go on to the end.
fn a_crash_in_each_round(f: u8, without: Option<RuleId>) -> bool {
    let n = f + 2;
    let mut run = Network::new(n, &[(CRASHES, f.into())], without);
    run.ask(0, write(1));
    (1..n).for_each(|node| run.ask(node, write(9)));
    for crashing in 0..f {
        let alive: Vec<u8> = (crashing..n).collect();
        end_round(&mut run, &alive);
        run.deliver_if(|from, to, _| from > crashing || to == crashing + 1);
        run.lose_all();
    }
    let alive: Vec<u8> = (f..n).collect();
    for _ in 0..2 {
        end_round(&mut run, &alive);
        run.settle(&alive);
    }
    assert_eq!(run.chosen.len(), 2, "the two that are left have decided");
    run.disagree()
}

#[test]
fn crash_in_the_middle_of_each_of_f_rounds_needs_one_round_more() {
    for f in 1..=4 {
        assert!(a_crash_in_each_round(f, Some(ONE_ROUND_MORE)), "{f}");
        assert!(!a_crash_in_each_round(f, None), "{f}");
    }
}

#[test]
fn value_that_is_not_passed_on_stays_with_one_process() {
    assert!(a_crash_in_each_round(1, Some(FLOOD)));
}

#[test]
fn w_is_the_same_everywhere_after_a_round_without_a_crash() {
    let mut run = Network::new(3, &[], None);
    (0..3).for_each(|node| run.ask(node, write(u16::from(node))));
    end_round(&mut run, &[0, 1, 2]);
    run.settle(&[0, 1, 2]);
    assert_eq!(w(&run, 0), [write(0), write(1), write(2)]);
    assert!((1..3).all(|node| w(&run, node) == w(&run, 0)));
}

/// A client asks node 1 in the last round.
fn a_late_input(without: Option<RuleId>) -> bool {
    let mut run = Network::new(3, &[], without);
    run.ask(0, write(5));
    for _ in 0..2 {
        end_round(&mut run, &[0, 1, 2]);
        run.settle(&[0, 1, 2]);
    }
    run.ask(1, write(3));
    end_round(&mut run, &[0, 1, 2]);
    run.disagree()
}

#[test]
fn input_that_comes_after_the_first_round_began_does_not_count() {
    assert!(a_late_input(Some(INPUT_FIRST)));
    assert!(!a_late_input(None));
}

#[test]
fn second_request_at_a_node_is_no_input_but_is_answered() {
    let mut run = Network::new(2, &[], None);
    run.ask(0, write(5));
    run.ask(0, write(3));
    run.ask(0, write(3));
    assert_eq!(w(&run, 0), [write(5)]);
    for _ in 0..3 {
        end_round(&mut run, &[0, 1]);
        run.settle(&[0, 1]);
    }
    let answer = Answer::Done(Outcome::Chosen(write(5).op));
    assert_eq!(run.answers, [(ClientId(5), answer), (ClientId(3), answer)]);
    run.ask(1, write(8));
    assert_eq!(run.answers.last(), Some(&(ClientId(8), answer)), "after the decision at once");
}

/// After the decision W is what was decided from.
#[test]
fn values_that_come_after_the_decision_change_nothing() {
    let mut run = Network::new(2, &[], None);
    run.ask(0, write(5));
    for _ in 0..3 {
        end_round(&mut run, &[0]);
    }
    end_round(&mut run, &[1]);
    run.ask(1, write(3));
    run.act(0, |node, out| node.on_message(NodeId(1), &Msg::Values { w: vec![write(3)] }, out));
    assert_eq!((w(&run, 0), run.chosen[&(0, 1)]), (&[write(5)][..], write(5)));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refused = |n, set: &[(crate::core::SettingId, u64)], ablated| {
        let mut settings = Settings::defaults(SETTINGS);
        set.iter().for_each(|(id, value)| settings.set(*id, *value));
        FloodSet::cluster(&Setup { replicas: n, rtt_max: 100, settings, ablated }).err().map(|(key, _)| key)
    };
    assert_eq!(refused(3, &[(CRASHES, 2)], RuleSet::EMPTY), None);
    assert_eq!(refused(3, &[(CRASHES, 3)], RuleSet::EMPTY), Some("f"));
    assert_eq!(refused(3, &[(ROUND, 51)], RuleSet::EMPTY), None);
    assert_eq!(refused(3, &[(ROUND, 50)], RuleSet::EMPTY), Some("round"));
    assert_eq!(refused(3, &[(ROUND, 50)], RuleSet::just(LOCK_STEP)), None);
}
