//! Lists and leaders, message by message.

use super::*;
use crate::core::{ClientId, Outcome};
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<GossipLeader>;

/// Rounds of these nodes, whose messages reach only each other.
fn rounds(network: &mut Network, among: &[u8], rounds: u32) {
    for _ in 0..rounds {
        for node in among {
            network.time_out(*node, Timer::Round);
        }
        network.settle(among);
        network.lose_all();
    }
}

fn leaders(network: &Network) -> Vec<u8> {
    let nodes = network.nodes.iter().flatten();
    nodes.filter(|server| server.leads).map(|server| server.me.0).collect()
}

fn network() -> Network {
    let mut network = Network::new(5, &[], None);
    rounds(&mut network, &[0, 1, 2, 3, 4], 12);
    network
}

#[test]
fn write_is_answered_when_all_of_the_list_have_it() {
    let mut run = network();
    run.ask(0, write(7));
    run.round("Write", "Ack", 0, &[1, 2, 3]);
    assert!(run.answers.is_empty());
    run.round("Write", "Ack", 0, &[4]);
    assert_eq!(run.answers, [(ClientId(7), Answer::Done(Outcome::Done))]);
}

#[test]
fn each_side_of_a_cut_has_a_leader_and_answers_writes() {
    let mut run = network();
    rounds(&mut run, &[0, 1], 24);
    rounds(&mut run, &[2, 3, 4], 24);
    assert_eq!(leaders(&run), [0, 2]);
    run.ask(0, write(7));
    run.ask(2, write(8));
    run.settle(&[0, 1]);
    run.settle(&[2, 3, 4]);
    assert_eq!(run.answers.len(), 2);
    assert!(run.disagree());
}

#[test]
fn healed_cut_drops_what_the_higher_leader_has_answered() {
    let mut run = network();
    rounds(&mut run, &[0, 1], 24);
    rounds(&mut run, &[2, 3, 4], 24);
    run.ask(2, write(8));
    run.settle(&[2, 3, 4]);
    run.ask(0, write(7));
    run.settle(&[0, 1]);
    rounds(&mut run, &[0, 1, 2, 3, 4], 24);
    assert_eq!(leaders(&run), [0]);
    for node in 0..5 {
        assert_eq!(run.chosen[&(node, 1)], write(7), "node {node}");
        assert_eq!(run.nodes[usize::from(node)].as_ref().map(|server| server.last()), Some(1));
    }
}

#[test]
fn silent_node_is_taken_off_the_list_and_its_successor_leads() {
    let mut run = network();
    rounds(&mut run, &[1, 2, 3, 4], 9);
    assert_eq!(leaders(&run), [0]);
    rounds(&mut run, &[1, 2, 3, 4], 15);
    assert_eq!(leaders(&run), [0, 1]);
}

#[test]
fn restarted_node_is_heard_under_a_new_incarnation() {
    let mut run = network();
    run.restart(4);
    rounds(&mut run, &[0, 1, 2, 3, 4], 12);
    assert_eq!(run.nodes[0].as_ref().map(|server| (server.list, server.counters[4].0)), Some((NodeSet::first(5), 2)));
}

#[test]
fn timeout_shorter_than_one_turn_around_is_refused() {
    use crate::core::{RuleSet, Settings};
    let mut settings = Settings::defaults(SETTINGS);
    settings.set(SETTING_GOSSIP, 1_000);
    settings.set(SETTING_TIMEOUT, 4_000);
    let setup = Setup { replicas: 5, rtt_max: 100, settings, ablated: RuleSet::EMPTY };
    assert_eq!(GossipLeader::cluster(&setup).map(|_| ()).map_err(|(key, _)| key), Err("timeout"));
}
