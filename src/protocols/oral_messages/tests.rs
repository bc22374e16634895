//! OM(m) round by round. Nodes are numbered from 0, and node 0 is the commander.

use super::*;
use crate::core::node::Message;
use crate::core::{RuleId, RuleSet, SettingId, Settings};
use crate::protocols::manual_network::{ManualNetwork, write};
use std::cmp::Ordering;

type Network = ManualNetwork<OralMessages>;

fn end_round(run: &mut Network) {
    (0..run.nodes.len() as u8).for_each(|node| run.time_out(node, Timer::Round));
}

/// All rounds; `lies` says what a node sends in place of a message to another one.
fn run_with(n: u8, m: u64, without: Option<RuleId>, lies: impl Fn(u8, u8, &Msg) -> Option<Msg>) -> Network {
    let mut run = Network::new(n, &[(TRAITORS, m)], without);
    run.ask(0, write(7));
    for _ in 0..=m + 1 {
        end_round(&mut run);
        for (from, to, message) in &mut run.in_flight {
            if let Some(lie) = lies(*from, *to, message) {
                *message = lie;
            }
        }
        run.deliver_if(|_, _, _| true);
    }
    run
}

fn decisions(run: &Network) -> Vec<Command> {
    run.nodes.iter().flatten().filter_map(|general| general.decision).collect()
}

#[test]
fn order_of_a_loyal_commander_is_obeyed_and_takes_the_published_messages() {
    for (n, m) in [(3, 0), (4, 1), (5, 1), (7, 2), (10, 3)] {
        let sent = std::cell::Cell::new(0);
        let run = run_with(n, m, None, |_, _, _| {
            sent.set(sent.get() + 1);
            None
        });
        assert_eq!(decisions(&run), vec![write(7); usize::from(n)], "{n}");
        let mut settings = Settings::defaults(SETTINGS);
        settings.set(TRAITORS, m);
        let formula = OralMessages::CARD.formulas[0].count;
        assert_eq!(Some(sent.get()), formula(n.into(), &settings), "{n}");
    }
}

/// A commander that tells some lieutenants something else: all still act alike, on what most were told or, if there is no most, on the default.
#[test]
fn lieutenants_of_a_lying_commander_act_alike() {
    for (n, told_otherwise) in [4, 5].into_iter().flat_map(|n| (0..1_u8 << (n - 1)).map(move |told| (n, told))) {
        let run = run_with(n, 1, None, |from, to, message| {
            (from == 0 && told_otherwise >> (to - 1) & 1 == 1).then(|| message.tampered()).flatten()
        });
        let expected = match (2 * told_otherwise.count_ones()).cmp(&u32::from(n - 1)) {
            Ordering::Less => write(7),
            Ordering::Equal => RETREAT,
            Ordering::Greater => another(write(7)),
        };
        assert_eq!(decisions(&run)[1..], vec![expected; usize::from(n - 1)], "{n}, {told_otherwise:b}");
    }
}

/// Figures 1 and 2 of the paper: of three generals, the third says that the commander said something else.
#[test]
fn loyal_lieutenant_of_three_cannot_tell_who_lies() {
    let byzantine = |from: u8, _: u8, message: &Msg| if from == 2 { message.tampered() } else { None };
    let three = run_with(3, 1, Some(THREE_M_PLUS_ONE), byzantine);
    assert_eq!(decisions(&three)[..2], [write(7), RETREAT]);
    assert!(commander_is_obeyed(&three.nodes, step(1)).is_err());
    let four = run_with(4, 1, None, byzantine);
    assert_eq!([0, 1, 3].map(|node| decisions(&four)[node]), [write(7); 3]);
    assert!((0..4).all(|node| commander_is_obeyed(&four.nodes, step(node)).is_ok()));
}

fn step(changed: u8) -> Step {
    Step { changed: NodeId(changed), log_from: Some(1), unaware: NodeSet::EMPTY }
}

/// Two of seven lie, the commander and a lieutenant, in all ways in which each tells some receivers the opposite.
#[test]
fn two_byzantine_nodes_of_seven_do_not_divide_the_others_and_do_with_one_round_less() {
    let divided = |without, odd: u8| {
        let run = run_with(7, 2, without, |from, to, message| {
            (from < 2 && (to + from + odd).is_multiple_of(2)).then(|| message.tampered()).flatten()
        });
        let decided = decisions(&run);
        decided[2..].iter().any(|decision| *decision != decided[2])
    };
    assert!((0..2).all(|odd| !divided(None, odd)));
    assert!((0..2).any(|odd| divided(Some(ONE_ROUND_MORE), odd)));
}

#[test]
fn general_that_hears_nothing_takes_the_default() {
    let mut run = Network::new(4, &[], None);
    (0..3).for_each(|_| {
        end_round(&mut run);
        run.lose_all();
    });
    assert_eq!(decisions(&run), [RETREAT; 4]);
}

#[test]
fn messages_that_cannot_be_do_not_count() {
    let mut run = Network::new(4, &[], None);
    end_round(&mut run);
    let order = |way: &[u8]| Msg::Order { way: way.iter().map(|node| NodeId(*node)).collect(), order: write(9) };
    let heard = |run: &Network| run.nodes[3].as_ref().expect("it runs").heard.len();
    let mut say = |from: u8, way: &[u8]| {
        run.act(3, |general, out| general.on_message(NodeId(from), &order(way), out));
        heard(&run)
    };
    assert_eq!(say(1, &[0]), 0, "not of its sender");
    assert_eq!(say(1, &[1]), 0, "not of the commander");
    assert_eq!(say(1, &[0, 3, 1]), 0, "through itself");
    assert_eq!(say(1, &[0, 1, 1]), 0, "twice through one");
    assert_eq!(say(0, &[]), 0, "through nobody");
    assert_eq!(say(0, &[0]), 1);
    assert_eq!(say(0, &[0]), 1, "twice");
    assert_eq!(say(1, &[0, 1]), 2, "a moment early");
    end_round(&mut run);
    run.act(3, |general, out| general.on_message(NodeId(0), &order(&[0]), out));
    assert_eq!(run.nodes[3].as_ref().expect("it runs").said(&vec![COMMANDER]), write(9));
    let Some(General { heard, .. }) = &run.nodes[2] else { panic!("it runs") };
    assert!(heard.is_empty());
    run.act(2, |general, out| general.on_message(NodeId(0), &order(&[0]), out));
    assert!(run.nodes[2].as_ref().expect("it runs").heard.is_empty(), "of a round that is over");
}

#[test]
fn first_request_before_round_1_is_the_order_and_everybody_answers() {
    let mut run = Network::new(4, &[], None);
    (0..4).for_each(|node| run.ask(node, write(5)));
    run.ask(0, write(3));
    for _ in 0..3 {
        end_round(&mut run);
        run.deliver_if(|_, _, _| true);
    }
    let answer = Answer::Done(Outcome::Chosen(write(5).op));
    assert_eq!(run.answers.iter().filter(|given| **given == (ClientId(5), answer)).count(), 4);
    assert_eq!(run.answers.iter().filter(|given| **given == (ClientId(3), answer)).count(), 1);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refused = |n, set: &[(SettingId, u64)], ablated| {
        let mut settings = Settings::defaults(SETTINGS);
        set.iter().for_each(|(id, value)| settings.set(*id, *value));
        OralMessages::cluster(&Setup { replicas: n, rtt_max: 100, settings, ablated }).err().map(|(key, _)| key)
    };
    assert_eq!(refused(4, &[], RuleSet::EMPTY), None);
    assert_eq!(refused(3, &[], RuleSet::EMPTY), Some("m"));
    assert_eq!(refused(3, &[], RuleSet::just(THREE_M_PLUS_ONE)), None);
    assert_eq!(refused(4, &[(TRAITORS, 2)], RuleSet::just(THREE_M_PLUS_ONE)), Some("m"));
    assert_eq!(refused(4, &[(ROUND, 50)], RuleSet::EMPTY), Some("round"));
    assert_eq!(refused(4, &[(ROUND, 50)], RuleSet::just(LOCK_STEP)), None);
}
