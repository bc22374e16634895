//! Ben-Or's protocol, message by message.

use super::*;
use crate::core::RuleId;
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<BenOr>;

/// Commands of clients that want 1 and 0.
const ONE: u16 = 0;
const ZERO: u16 = 1;

/// Nodes with these inputs; all echo1 of round 1 are under way.
fn begun(inputs: &[bool], settings: &[(crate::core::SettingId, u64)], without: Option<RuleId>) -> Network {
    let mut network = Network::new(inputs.len() as u8, settings, without);
    for (id, input) in (0..).zip(inputs) {
        network.ask(id, write(if *input { ONE } else { ZERO }));
    }
    network
}

fn node(network: &Network, id: u8) -> &Server {
    network.nodes[usize::from(id)].as_ref().expect("it runs")
}

fn echo1(round: u32) -> impl Fn(&Msg) -> bool {
    move |message| matches!(message, Msg::Echo1 { round: its, .. } if *its == round)
}

fn echo2(round: u32) -> impl Fn(&Msg) -> bool {
    move |message| matches!(message, Msg::Echo2 { round: its, .. } if *its == round)
}

/// Delivers what one node sent another, if it is of that sort.
fn hand(network: &mut Network, from: u8, to: u8, wanted: impl Fn(&Msg) -> bool) {
    let handed = network.deliver_if(|f, t, message| (f, t) == (from, to) && wanted(message));
    assert_eq!(handed, 1, "from {from} to {to}");
}

fn coins(network: &mut Network, id: u8, seed: u64) {
    network.act(id, |_, out| out.draws().seed(seed));
}

#[test]
fn equal_inputs_are_decided_in_round_1_after_three_messages_to_everybody() {
    for n in [1_u8, 2, 3, 4, 5, 7, 9] {
        for input in [false, true] {
            let mut network = begun(&vec![input; usize::from(n)], &[], None);
            let mut counts = [0; 3];
            while !network.in_flight.is_empty() {
                // One step of everybody at a time, as where all distances are the same.
                let kinds = network.in_flight.iter().map(|(.., message)| crate::core::Message::kind(message).0);
                kinds.for_each(|kind| counts[usize::from(kind)] += 1);
                for (from, to, message) in std::mem::take(&mut network.in_flight) {
                    network.act(to, |server, out| server.on_message(NodeId(from), &message, out));
                }
            }
            let each = usize::from(n) * usize::from(n - 1);
            assert_eq!(counts, [each; 3], "{n} nodes");
            for id in 0..n {
                assert_eq!(node(&network, id).decided().map(|(value, _)| value), Some(input));
                assert_eq!(node(&network, id).round(), 1);
                assert_eq!(network.chosen.get(&(id, 1)), Some(&decision(input)));
            }
            assert_eq!(network.answers.len(), usize::from(n));
        }
    }
}

#[test]
fn echo2_has_a_value_only_if_all_echo1_waited_for_have_it() {
    let mut network = begun(&[true, false, true], &[], None);
    hand(&mut network, 1, 0, echo1(1));
    hand(&mut network, 0, 2, echo1(1));
    assert_eq!(node(&network, 0).disk.rounds, [Sent { echo1: true, echo2: Some(None) }]);
    assert_eq!(node(&network, 2).disk.rounds, [Sent { echo1: true, echo2: Some(Some(true)) }]);
    // A third echo1 changes nothing any more.
    hand(&mut network, 2, 0, echo1(1));
    assert_eq!(node(&network, 0).disk.rounds, [Sent { echo1: true, echo2: Some(None) }]);
}

/// Node 3 sends echo2 of 1, the others echo2 of ⊥.
fn one_echo2_of_a_value(without: Option<RuleId>) -> Network {
    let mut network = begun(&[true, false, true], &[], without);
    for (from, to) in [(1, 0), (0, 1), (0, 2)] {
        hand(&mut network, from, to, echo1(1));
    }
    network
}

#[test]
fn one_echo2_of_a_value_is_adopted_and_not_decided() {
    let mut network = one_echo2_of_a_value(None);
    hand(&mut network, 2, 1, echo2(1));
    assert_eq!((node(&network, 1).decided(), node(&network, 1).round()), (None, 2));
    assert_eq!(node(&network, 1).value(), Some(true), "its own value was 0");
}

#[test]
fn without_adoption_a_coin_is_tossed_though_a_value_was_echoed() {
    let values = [1, 2, 3, 4, 5, 6, 7, 8].map(|seed| {
        let mut network = one_echo2_of_a_value(Some(ADOPT));
        coins(&mut network, 1, seed);
        hand(&mut network, 2, 1, echo2(1));
        node(&network, 1).value()
    });
    assert!(values.contains(&Some(false)) && values.contains(&Some(true)), "{values:?}");
}

#[test]
fn without_unanimity_one_echo2_of_a_value_is_decided() {
    let mut network = one_echo2_of_a_value(Some(DECIDE));
    hand(&mut network, 2, 1, echo2(1));
    assert_eq!(node(&network, 1).decided(), Some((true, 1)));
}

#[test]
fn coin_is_tossed_only_if_all_echo2_are_bottom_and_falls_both_ways() {
    let mut fallen = [0; 2];
    for seed in 1..=64 {
        let mut network = one_echo2_of_a_value(None);
        coins(&mut network, 1, seed);
        hand(&mut network, 0, 1, echo2(1));
        fallen[usize::from(node(&network, 1).value() == Some(true))] += 1;
        assert_eq!((node(&network, 1).decided(), node(&network, 1).round()), (None, 2));
    }
    assert!(fallen.iter().all(|times| (20..=44).contains(times)), "{fallen:?}");
}

#[test]
fn without_the_coin_a_node_keeps_its_value() {
    for seed in 1..=16 {
        let mut network = one_echo2_of_a_value(Some(COIN));
        coins(&mut network, 1, seed);
        hand(&mut network, 0, 1, echo2(1));
        assert_eq!((node(&network, 1).value(), node(&network, 1).round()), (Some(false), 2));
    }
}

#[test]
fn echo_of_a_later_round_waits_and_one_of_an_earlier_round_is_ignored() {
    let mut network = one_echo2_of_a_value(None);
    // Node 3 is told in round 2 before it has ended round 1.
    hand(&mut network, 0, 1, echo2(1));
    hand(&mut network, 1, 0, echo2(1));
    hand(&mut network, 1, 2, echo1(2));
    assert_eq!((node(&network, 2).round(), node(&network, 2).disk.rounds[0].echo2), (1, Some(Some(true))));
    hand(&mut network, 1, 2, echo2(1));
    assert_eq!(node(&network, 2).round(), 2);
    let ends_half = node(&network, 2).disk.rounds[1].echo2;
    assert!(ends_half.is_some(), "the echo1 that came early counts");
    hand(&mut network, 0, 2, echo2(1));
    assert_eq!((node(&network, 2).round(), node(&network, 2).disk.rounds[1].echo2), (2, ends_half));
}

#[test]
fn waiting_for_f_only_lets_each_decide_its_own_input() {
    let network = begun(&[true, false, true], &[], Some(WAIT));
    assert_eq!([0, 1].map(|id| node(&network, id).decided()), [Some((true, 1)), Some((false, 1))]);
    assert!(network.disagree());
}

#[test]
fn node_without_a_client_takes_the_value_of_the_first_echo1() {
    let mut network = Network::new(3, &[], None);
    network.ask(0, write(ZERO));
    assert_eq!(node(&network, 1).status().role, "without input");
    hand(&mut network, 0, 1, echo1(1));
    assert_eq!(node(&network, 1).value(), Some(false));
    // A client that comes later is answered, and changes nothing.
    network.ask(1, write(ONE));
    assert!(!node(&network, 1).disk.rounds[0].echo1);
}

#[test]
fn inputs_by_node_are_those_of_its_number() {
    let mut network = Network::new(4, &[(INPUTS, 1)], None);
    (0..4).for_each(|id| network.ask(id, write(ZERO)));
    assert_eq!([0, 1, 2, 3].map(|id| node(&network, id).value()), [Some(true), Some(false), Some(true), Some(false)]);
}

#[test]
fn who_is_told_decides_tells_all_and_stops() {
    let mut network = begun(&[true, true, false], &[], None);
    hand(&mut network, 1, 0, echo1(1));
    hand(&mut network, 0, 1, echo1(1));
    hand(&mut network, 1, 0, echo2(1));
    assert_eq!(node(&network, 0).decided(), Some((true, 1)));
    network.deliver("Decide", 0, 2);
    assert_eq!(node(&network, 2).decided(), Some((true, 0)));
    let told =
        network.in_flight.iter().filter(|(from, _, message)| *from == 2 && matches!(message, Msg::Decide { .. }));
    assert_eq!(told.count(), 2);
    network.in_flight.retain(|(.., message)| matches!(message, Msg::Decide { .. }));
    network.settle(&[0, 1, 2]);
    assert!(network.in_flight.is_empty());
    network.time_out(2, Timer::Repeat);
    assert!(network.in_flight.is_empty(), "it has stopped");
    network.ask(2, write(7));
    assert_eq!(network.answers.last().map(|(client, _)| *client), Some(ClientId(7)));
}

#[test]
fn without_the_gadget_rounds_go_on_and_cost_2n_times_n_minus_1_each() {
    for n in [3_u8, 4, 5] {
        let mut network = begun(&vec![true; usize::from(n)], &[(STOPS, 0)], None);
        for round in 1..=4 {
            let first = network.deliver_if(|_, _, message| echo1(round)(message));
            let second = network.deliver_if(|_, _, message| echo2(round)(message));
            assert_eq!(first + second, 2 * usize::from(n) * usize::from(n - 1));
        }
        for id in 0..n {
            assert_eq!((node(&network, id).decided(), node(&network, id).round()), (Some((true, 1)), 5));
        }
    }
}

#[test]
fn single_node_must_stop() {
    let mut settings = crate::core::Settings::defaults(SETTINGS);
    let setup = |replicas, settings: &crate::core::Settings| Setup {
        replicas,
        rtt_max: 100,
        settings: settings.clone(),
        ablated: crate::core::RuleSet::EMPTY,
    };
    assert!(BenOr::cluster(&setup(1, &settings)).is_ok());
    settings.set(STOPS, 0);
    assert_eq!(BenOr::cluster(&setup(1, &settings)).map_err(|(key, _)| key).err(), Some("termination_gadget"));
    assert!(BenOr::cluster(&setup(2, &settings)).is_ok());
}

#[test]
fn node_that_was_left_behind_asks_and_is_told_round_after_round_or_the_decision() {
    for (stops, decided) in [(0, None), (1, Some((true, 0)))] {
        let mut network = begun(&[true, true, true], &[(STOPS, stops)], None);
        network.in_flight.retain(|(from, to, _)| *from != 2 && *to != 2);
        for _ in 0..6 {
            network.deliver_if(|from, to, _| from != 2 && to != 2);
        }
        network.lose_all();
        assert_eq!((node(&network, 2).round(), node(&network, 2).decided()), (1, None));
        network.time_out(2, Timer::Repeat);
        network.deliver_if(|from, _, _| from == 2);
        let told = network.deliver_if(|_, to, _| to == 2);
        match decided {
            Some(_) => assert_eq!(node(&network, 2).decided(), decided),
            None => {
                assert_eq!(told, 4, "two echoes of each");
                assert_eq!((node(&network, 2).decided(), node(&network, 2).round()), (Some((true, 1)), 2));
            }
        }
    }
}

#[test]
fn repeated_echo_counts_once() {
    let mut network = begun(&[true, true, true, true, true], &[], None);
    hand(&mut network, 1, 0, echo1(1));
    network.time_out(1, Timer::Repeat);
    hand(&mut network, 1, 0, echo1(1));
    assert_eq!(node(&network, 0).disk.rounds[0].echo2, None, "two of three");
}

#[test]
fn restarted_node_keeps_its_echoes_and_without_stable_storage_contradicts_them() {
    for (without, second) in [(None, true), (Some(DURABLE), false)] {
        let mut network = Network::new(3, &[], without);
        network.ask(0, write(ONE));
        hand(&mut network, 0, 1, echo1(1));
        network.restart(0);
        network.ask(0, write(ZERO));
        assert_eq!(node(&network, 0).value(), Some(second));
    }
}

#[test]
fn restarted_node_that_has_decided_knows_it() {
    let mut network = begun(&[true, true, true], &[], None);
    network.settle(&[0, 1, 2]);
    network.chosen.clear();
    network.restart(1);
    assert_eq!(network.chosen.get(&(1, 1)), Some(&decision(true)));
    assert_eq!(node(&network, 1).status().role, "decided");
}

#[test]
fn clients_with_odd_numbers_want_1() {
    assert_eq!([0, 1, 2, 3].map(|id| wanted(ClientId(id))), [true, false, true, false]);
    assert_ne!(decision(false).value(), decision(true).value());
}

#[test]
fn invariants_see_two_values_in_a_round_a_value_left_and_a_value_nobody_had() {
    let server = |id: u8, sent: &[(bool, Option<Option<bool>>)], decided| {
        let configs = BenOr::cluster(&Setup {
            replicas: 3,
            rtt_max: 100,
            settings: crate::core::Settings::defaults(SETTINGS),
            ablated: crate::core::RuleSet::EMPTY,
        });
        let rounds = sent.iter().map(|&(echo1, echo2)| Sent { echo1, echo2 }).collect();
        let mut out = Out::new(crate::core::RuleSet::EMPTY);
        let config = configs.expect("settings fit")[0];
        Some(Server::boot(NodeId(id), &config, Disk { rounds, decided }, &mut out))
    };
    let step = Step { changed: NodeId(0), log_from: Some(1), unaware: NodeSet::EMPTY };
    let broken = |nodes: &[Option<Server>]| {
        let invariants = BenOr::invariants().iter();
        invariants.filter(|invariant| (invariant.holds)(nodes, step).is_err()).map(|i| i.name).collect::<Vec<_>>()
    };
    let (one, zero, bottom) = (Some(Some(true)), Some(Some(false)), Some(None));
    let mixed = server(2, &[(false, bottom)], None);
    let good = [server(0, &[(true, one)], None), server(1, &[(true, bottom)], None), mixed.clone()];
    assert_eq!(broken(&good), [""; 0]);
    let two = [server(0, &[(true, one)], None), server(1, &[(true, zero)], None), mixed.clone()];
    assert_eq!(broken(&two), ["One value a round (claim 1)"]);
    let other = server(1, &[(true, bottom), (false, None)], None);
    let left = [server(0, &[(true, one)], Some((true, 1))), other.clone(), mixed.clone()];
    assert_eq!(broken(&left), ["Decided stays decided (claim 2)"]);
    let right = [server(0, &[(true, bottom), (true, None)], None), server(1, &[(true, one)], Some((true, 1))), mixed];
    assert_eq!(broken(&right), [""; 0]);
    let unheard = [server(0, &[(true, bottom), (false, None)], None), server(1, &[(true, bottom)], None), None];
    assert_eq!(broken(&unheard), [""; 0], "the third may have had 0");
    let invented = [unheard[0].clone(), unheard[1].clone(), server(2, &[(true, None)], None)];
    assert_eq!(broken(&invented), ["Validity"]);
}
