//! Orders of events that random runs rarely reach, delivered one by one. Nodes are numbered from 0.

use super::*;
use crate::core::{ClientId, Message, Op, RuleId, SettingId};
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<CasPaxos>;

fn network(settings: &[(SettingId, u64)], without: Option<RuleId>) -> Network {
    Network::new(3, settings, without)
}

/// A whole change by node `by`, with the help of `other`.
fn change(network: &mut Network, by: u8, other: u8, command: Command) {
    network.ask(by, command);
    network.round("Prepare", "Promise", by, &[other]);
    network.round("Accept", "Accepted", by, &[other]);
    network.lose_all();
}

/// What node 1 finds in the register, with the help of node 0: the version that its read makes, and the value.
fn read(network: &mut Network) -> (Slot, Option<u32>) {
    let command = Command { client: ClientId(99), seq: 1, op: Op::Read { key: 0 } };
    change(network, 1, 0, command);
    let state = &network.nodes[1].as_ref().expect("it runs").disk.registers[0].state;
    match state.outcome(command) {
        Some(Outcome::Value(value)) => (state.version, value),
        other => panic!("{other:?}"),
    }
}

fn stage(network: &Network, id: usize) -> &Stage {
    &network.nodes[id].as_ref().expect("it runs").proposers[0].stage
}

#[test]
fn a_change_that_only_a_minority_accepted_is_adopted_and_reported_by_whoever_finds_it() {
    let mut network = network(&[], None);
    network.ask(0, write(10));
    network.round("Prepare", "Promise", 0, &[1]);
    // Its own acceptor has accepted it; nobody else will.
    network.lose_all();
    change(&mut network, 1, 0, write(20));
    assert_eq!(network.chosen.get(&(1, 1)), Some(&write(10)));
    assert_eq!(network.chosen.get(&(1, 2)), Some(&write(20)));
    assert_eq!(read(&mut network), (3, Some(20)));
}

#[test]
fn a_change_that_no_quorum_of_promises_tells_of_never_happened() {
    let mut network = network(&[], None);
    network.ask(0, write(10));
    network.round("Prepare", "Promise", 0, &[1]);
    network.lose_all();
    change(&mut network, 1, 2, write(20));
    assert_eq!(network.chosen.get(&(1, 1)), Some(&write(20)));
    // Its proposer asks again, finds another version 1, and goes on from there.
    network.time_out(0, Timer::Retry(0));
    network.settle(&[0, 1]);
    network.time_out(0, Timer::Retry(0));
    network.settle(&[0, 1]);
    assert_eq!(network.chosen.get(&(0, 2)), Some(&write(10)));
    assert!(!network.disagree());
}

/// Node 0's change is accepted by node 1, but node 0 hears of a higher ballot instead; node 1 then makes a change of its own.
fn a_proposer_that_does_not_know(without: Option<RuleId>) -> (Slot, Option<u32>) {
    let mut network = network(&[], without);
    network.ask(0, write(10));
    network.round("Prepare", "Promise", 0, &[1]);
    network.deliver("Accept", 0, 1);
    network.lose_all();
    network.ask(1, write(20));
    network.round("Prepare", "Promise", 1, &[0]);
    assert_eq!(*stage(&network, 0), Stage::Pausing);
    network.round("Accept", "Accepted", 1, &[0]);
    network.lose_all();
    // After its pause node 0 begins again, with its change in the state that it finds.
    network.time_out(0, Timer::Retry(0));
    network.settle(&[0, 1]);
    assert!(network.answers.contains(&(ClientId(10), Answer::Done(Outcome::Done))));
    read(&mut network)
}

#[test]
fn a_change_found_in_the_state_is_not_made_again() {
    assert_eq!(a_proposer_that_does_not_know(None), (3, Some(20)));
    assert_eq!(a_proposer_that_does_not_know(Some(AT_MOST_ONCE)), (4, Some(10)));
}

#[test]
fn a_client_that_asks_twice_is_told_the_same_and_changes_once() {
    let swap = Command { client: ClientId(7), seq: 1, op: Op::CompareAndSet { key: 0, expect: None, value: 5 } };
    for (without, second) in [(None, Outcome::Done), (Some(AT_MOST_ONCE), Outcome::Differs(Some(5)))] {
        let mut network = network(&[], without);
        change(&mut network, 0, 1, swap);
        change(&mut network, 1, 2, swap);
        let told: Vec<_> = network.answers.iter().map(|(_, answer)| *answer).collect();
        assert_eq!(told, [Answer::Done(Outcome::Done), Answer::Done(second)]);
    }
}

/// Node 0 changes the register twice, the second time in one round trip; then node 1 does; then node 0 again.
fn somebody_comes_between(without: Option<RuleId>) -> Option<u32> {
    let mut network = network(&[(ONE_ROUND, 1)], without);
    change(&mut network, 0, 1, write(10));
    network.ask(0, write(11));
    assert!(network.in_flight.iter().all(|(_, _, message)| matches!(message, Msg::Accept { .. })));
    network.round("Accept", "Accepted", 0, &[1]);
    network.lose_all();
    let add = Command { client: ClientId(20), seq: 1, op: Op::Enqueue { queue: 0, item: 20 } };
    network.ask(1, add);
    network.settle(&[0, 1, 2]);
    network.ask(0, write(12));
    network.settle(&[0, 1, 2]);
    // What node 1 put into the queue is there still.
    let take = Command { client: ClientId(30), seq: 1, op: Op::Take { queue: 0, lease: 1_000, at: 0 } };
    network.ask(2, take);
    network.settle(&[0, 1, 2]);
    match network.answers.last() {
        Some((_, Answer::Done(Outcome::Took { item, .. }))) => Some(*item),
        _ => None,
    }
}

#[test]
fn the_second_change_takes_one_round_trip_unless_somebody_comes_between() {
    assert_eq!(somebody_comes_between(None), Some(20));
    assert_eq!(somebody_comes_between(Some(CACHE_NEEDS_PROMISES)), None);
}

#[test]
fn an_accept_message_that_comes_again_is_confirmed_though_the_next_ballot_is_promised() {
    let mut network = network(&[(ONE_ROUND, 1)], None);
    network.ask(0, write(10));
    network.round("Prepare", "Promise", 0, &[1]);
    network.deliver("Accept", 0, 1);
    network.lose_all();
    network.time_out(0, Timer::Retry(0));
    network.round("Accept", "Accepted", 0, &[1]);
    assert_eq!(network.chosen.get(&(0, 1)), Some(&write(10)));
}

/// Node 0 restarts after it proposed, and is asked for another change; its first accept message is still under way.
fn a_proposer_that_restarts(without: Option<RuleId>) -> bool {
    let mut network = network(&[], without);
    network.ask(0, write(10));
    network.round("Prepare", "Promise", 0, &[1]);
    network.restart(0);
    network.ask(0, write(20));
    // The prepare messages of both its lives arrive.
    network.deliver_if(|_, to, message| to == 2 && matches!(message, Msg::Prepare { .. }));
    network.deliver("Promise", 2, 0);
    let first = |message: &Msg| matches!(message, Msg::Accept { state, .. } if state.last().map(|c| c.command) == Some(write(10)));
    network.deliver_if(|_, to, message| to > 0 && first(message));
    network.deliver_if(|_, to, _| to == 0);
    network.lose_all();
    change(&mut network, 2, 1, write(30));
    network.disagree()
}

#[test]
fn a_ballot_used_twice_acknowledges_twice() {
    assert!(a_proposer_that_restarts(Some(DURABLE_COUNTER)));
    assert!(!a_proposer_that_restarts(None));
}

#[test]
fn confirmations_that_come_twice_count_once() {
    let mut network = Network::new(5, &[], None);
    network.ask(0, write(1));
    for _ in 0..2 {
        network.act(0, |node, out| {
            let ballot = node.proposers[0].ballot;
            let promise = Msg::Promise { register: 0, ballot, accepted: Ballot::ZERO, state: Arc::default() };
            node.on_message(NodeId(1), &promise, out);
        });
    }
    assert!(matches!(stage(&network, 0), Stage::Preparing { .. }));
    network.settle(&[0, 1, 2]);
    assert_eq!(network.chosen.get(&(0, 1)), Some(&write(1)));
}

#[test]
fn registers_have_nothing_to_do_with_each_other() {
    let mut network = network(&[], None);
    let other = Command { client: ClientId(5), seq: 1, op: Op::Write { key: 3, value: 5 } };
    network.ask(0, write(10));
    network.ask(0, other);
    network.deliver_if(|_, to, message| to == 1 && message.slot() == 4);
    network.deliver_if(|_, to, message| to == 0 && message.slot() == 4);
    network.round("Accept", "Accepted", 0, &[1]);
    assert_eq!(network.answers, [(ClientId(5), Answer::Done(Outcome::Done))]);
    assert!(matches!(stage(&network, 0), Stage::Preparing { .. }));
}

#[test]
fn what_is_about_no_object_is_refused() {
    let mut network = network(&[], None);
    network.ask(0, Command { client: ClientId(1), seq: 1, op: Op::Noop });
    assert_eq!(network.answers, [(ClientId(1), Answer::Done(Outcome::Refused))]);
    assert!(network.in_flight.is_empty());
}

#[test]
fn tampered_state_differs_in_its_last_change_only() {
    let state =
        Arc::<State>::default().changed(write(1), NodeId(0), &mut Out::<Server>::new(crate::core::RuleSet::EMPTY));
    let accept = Msg::Accept { register: 0, ballot: Ballot::ZERO, next: Ballot::ZERO, state: Arc::clone(&state) };
    let Some(Msg::Accept { state: other, .. }) = accept.tampered() else { panic!("it has a command") };
    assert_eq!((other.version, other.last().map(|c| c.command)), (1, Some(write(1).tampered())));
    assert_ne!(other, state);
}

#[test]
fn messages_are_small() {
    assert!(size_of::<Msg>() <= 48);
}

#[test]
fn different_states_accepted_in_one_ballot_break_one_state_a_ballot() {
    use crate::core::node::Step;
    let mut network = network(&[], None);
    change(&mut network, 0, 1, write(10));
    let broken = |network: &Network| -> Vec<&str> {
        let step = Step { changed: NodeId(0), log_from: Some(1), unaware: NodeSet::EMPTY };
        let invariants = invariants::INVARIANTS.iter();
        invariants.filter(|one| (one.holds)(&network.nodes, step).is_err()).map(|one| one.name).collect()
    };
    assert_eq!(broken(&network), [""; 0]);
    network.act(1, |server, _| {
        let mut other = State::clone(&server.disk.registers[0].state);
        other.version += 1;
        server.disk.registers[0].state = other.into();
    });
    assert!(broken(&network).contains(&invariants::INVARIANTS[0].name));
}
