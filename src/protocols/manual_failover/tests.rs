//! Failover and repair, message by message.

use super::*;
use crate::core::{ClientId, Outcome};
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<ManualFailover>;

const ONE: u8 = 0;
const TWO: u8 = 1;
/// The operator's console is here.
const THREE: u8 = 2;

fn network(copies: u64) -> Network {
    let mut network = Network::new(3, &[(SETTING_COPIES, copies)], None);
    network.settle(&[ONE, TWO, THREE]);
    network
}

fn primaries(network: &Network) -> Vec<u8> {
    let nodes = network.nodes.iter().flatten();
    nodes.filter(|server| server.serving).map(|server| server.me.0).collect()
}

/// These nodes send heartbeats to each other, and then the console looks whom it has heard.
fn look(network: &mut Network, among: &[u8]) {
    for node in among {
        network.time_out(*node, Timer::Heartbeat);
    }
    network.settle(among);
    network.lose_all();
    for node in among {
        network.time_out(*node, Timer::Alarm);
    }
}

/// The operator is paged and comes.
fn operate(network: &mut Network, among: &[u8]) {
    look(network, among);
    look(network, among);
    assert!(network.nodes[usize::from(THREE)].as_ref().is_some_and(|server| server.paged));
    network.time_out(THREE, Timer::Operator);
    if network.nodes[usize::from(THREE)].as_ref().is_some_and(|server| server.plan.is_some()) {
        network.time_out(THREE, Timer::Off);
    }
    network.settle(among);
}

#[test]
fn synchronous_write_is_answered_when_every_copy_has_it() {
    let mut run = network(0);
    run.ask(ONE, write(7));
    run.round("Mirror", "Ack", ONE, &[TWO]);
    assert!(run.answers.is_empty());
    run.round("Mirror", "Ack", ONE, &[THREE]);
    assert_eq!(run.answers, [(ClientId(7), Answer::Done(Outcome::Done))]);
}

#[test]
fn entry_shown_is_the_one_in_the_log_and_chosen_once_executed() {
    let mut run = network(0);
    run.ask(ONE, write(7));
    let entry = |run: &Network| run.nodes[usize::from(ONE)].as_ref().and_then(|server| server.entry(1));
    let shown = entry(&run).expect("it is in the log");
    assert_eq!((shown.command, shown.chosen), (Some(write(7)), false));
    run.settle(&[ONE, TWO, THREE]);
    assert!(entry(&run).is_some_and(|shown| shown.chosen));
}

#[test]
fn asynchronous_write_is_answered_at_once_and_lost_with_the_primary() {
    let mut run = network(1);
    run.ask(ONE, write(7));
    assert_eq!(run.answers, [(ClientId(7), Answer::Done(Outcome::Done))]);
    run.lose_all();
    operate(&mut run, &[TWO, THREE]);
    run.ask(TWO, write(8));
    run.settle(&[TWO, THREE]);
    look(&mut run, &[TWO, THREE]);
    assert_eq!(run.chosen[&(TWO, 1)], write(8));
    // It was never settled, so no two nodes have executed different writes.
    assert!(!run.disagree());
}

#[test]
fn nobody_takes_over_without_the_operator() {
    let mut run = network(0);
    run.nodes[usize::from(ONE)].as_mut().expect("it runs").serving = false;
    for _ in 0..20 {
        look(&mut run, &[TWO, THREE]);
    }
    assert_eq!(primaries(&run), [0; 0]);
    assert!(run.nodes[usize::from(TWO)].as_ref().is_some_and(|server| server.status().blocked.is_some()));
}

#[test]
fn operator_has_the_old_primary_turned_off_and_appoints_a_complete_copy() {
    let mut run = network(0);
    run.ask(ONE, write(7));
    run.round("Mirror", "Ack", ONE, &[TWO, THREE]);
    look(&mut run, &[TWO, THREE]);
    look(&mut run, &[TWO, THREE]);
    run.time_out(THREE, Timer::Operator);
    // Nobody is appointed before that one is off.
    assert_eq!(run.nodes[2].as_ref().map(|server| (server.number(), server.plan.is_some())), Some((1, true)));
    run.time_out(THREE, Timer::Off);
    run.settle(&[TWO, THREE]);
    look(&mut run, &[TWO, THREE]);
    assert!(primaries(&run).contains(&TWO));
    assert_eq!(run.chosen[&(TWO, 1)], write(7));
}

#[test]
fn restarted_primary_is_backup_and_drops_what_was_never_settled() {
    let mut run = network(0);
    run.ask(ONE, write(7));
    run.lose_all();
    operate(&mut run, &[TWO, THREE]);
    run.restart(ONE);
    assert_eq!(primaries(&run), [TWO]);
    run.ask(TWO, write(8));
    run.settle(&[TWO, THREE]);
    for _ in 0..4 {
        look(&mut run, &[ONE, TWO, THREE]);
    }
    assert_eq!(run.chosen[&(ONE, 1)], write(8));
}

#[test]
fn copy_that_comes_back_is_complete_once_the_primary_says_so() {
    let mut run = network(0);
    operate(&mut run, &[ONE, THREE]);
    run.ask(ONE, write(7));
    run.settle(&[ONE, THREE]);
    assert_eq!(run.answers.len(), 1, "node 2 is not waited for");
    let book = |run: &Network| run.nodes[usize::from(THREE)].as_ref().expect("it runs").disk.appointment;
    for node in [ONE, TWO, THREE] {
        run.time_out(node, Timer::Heartbeat);
    }
    run.deliver_if(|_, to, _| to == THREE);
    run.lose_all();
    run.time_out(THREE, Timer::Alarm);
    run.time_out(THREE, Timer::Operator);
    run.settle(&[ONE, THREE]);
    assert!(book(&run).copies.has(NodeId(TWO)) && !book(&run).complete.has(NodeId(TWO)));
    run.lose_all();
    for _ in 0..3 {
        look(&mut run, &[ONE, TWO, THREE]);
        run.settle(&[ONE, TWO, THREE]);
    }
    assert!(book(&run).complete.has(NodeId(TWO)));
}

#[test]
fn alarm_that_rings_before_a_heartbeat_can_come_is_refused() {
    use crate::core::{RuleSet, Settings};
    let mut settings = Settings::defaults(SETTINGS);
    settings.set(SETTING_HEARTBEAT, 1_000);
    settings.set(SETTING_ALARM, 1_000);
    let setup = Setup { replicas: 3, rtt_max: 100, settings, ablated: RuleSet::EMPTY };
    assert_eq!(ManualFailover::cluster(&setup).map(|_| ()).map_err(|(key, _)| key), Err("alarm"));
}
