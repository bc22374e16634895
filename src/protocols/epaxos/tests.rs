//! Orders of events that random runs rarely reach, delivered one by one. Nodes are numbered from 0, lanes from 1.

use super::record::owner;
use super::*;
use crate::core::{ClientId, Op, RuleId, SettingId};
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<EPaxos>;

const FIRST_OF_0: Instance = Instance { lane: 1, slot: 1 };
const FIRST_OF_1: Instance = Instance { lane: 2, slot: 1 };

fn network(n: u8, settings: &[(SettingId, u64)], without: Option<RuleId>) -> Network {
    Network::new(n, settings, without)
}

fn server(network: &Network, id: usize) -> &Server {
    network.nodes[id].as_ref().expect("it runs")
}

/// What a node knows to be committed.
fn committed(network: &Network, id: usize, at: Instance) -> Option<Value> {
    server(network, id).disk.get(at).and_then(Record::committed).map(|value| Value::clone(value))
}

fn stage(network: &Network, id: usize, at: Instance) -> Option<&Stage> {
    let server = server(network, id);
    server.place(at).ok().map(|place| &server.open[place].1.stage)
}

/// What the object 0 holds at each node, as it is executed there.
fn values(network: &Network) -> Vec<Outcome> {
    let held = |server: &Server| server.machines.first().cloned().unwrap_or_default().look(Op::Read { key: 0 });
    network.nodes.iter().flatten().map(held).collect()
}

fn answered(network: &Network, client: u16) -> bool {
    network.answers.iter().any(|(to, answer)| to.0 == client && matches!(answer, Answer::Done(_)))
}

#[test]
fn quorum_sizes_are_those_of_the_papers() {
    let sizes = |n: u32| (n - crashes(n).1, n - crashes(n).0);
    // F+⌊(F+1)/2⌋ and F+1 for n = 2F+1.
    assert_eq!([3, 5, 7, 9, 11].map(sizes), [(2, 2), (3, 3), (5, 4), (6, 5), (8, 6)]);
    assert_eq!([1, 2, 4, 6, 8].map(sizes), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    for n in 1..=64 {
        let (f, e) = crashes(n);
        assert!(n + 1 >= 2 * e + f && n > 2 * f && e <= f, "n = {n}");
    }
}

#[test]
fn a_command_that_interferes_with_nothing_is_committed_in_one_round_trip() {
    let mut network = network(5, &[], None);
    network.ask(0, write(7));
    network.round("PreAccept", "PreAcceptReply", 0, &[3]);
    assert!(!answered(&network, 7), "two of a fast-path quorum of three");
    network.round("PreAccept", "PreAcceptReply", 0, &[4]);
    assert!(answered(&network, 7));
    let value = committed(&network, 0, FIRST_OF_0).expect("it is committed");
    assert_eq!((value.command, value.seq, value.deps), (write(7), 1, vec![0; 5]));
}

#[test]
fn a_command_that_meets_another_takes_the_slow_path_with_the_union_of_dependencies() {
    let mut network = network(3, &[], None);
    network.ask(0, write(7));
    network.ask(1, write(8));
    network.round("PreAccept", "PreAcceptReply", 0, &[1]);
    assert!(!answered(&network, 7), "node 1 added its own command");
    network.round("Accept", "AcceptReply", 0, &[1]);
    let value = committed(&network, 0, FIRST_OF_0).expect("it is committed");
    assert_eq!((value.seq, value.deps), (2, vec![0, 1, 0]));
    assert!(!answered(&network, 7), "what it depends on is not committed yet");
    network.settle(&[0, 1, 2]);
    assert!(answered(&network, 7) && answered(&network, 8));
    // Node 1 has sequence number 1 without node 0's command, or more with it: either way the same order everywhere.
    let values = values(&network);
    assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
}

#[test]
fn reads_do_not_interfere_with_each_other() {
    let mut network = network(3, &[], None);
    let read = |client| Command { client: ClientId(client), seq: 1, op: Op::Read { key: 0 } };
    network.ask(0, read(7));
    network.ask(1, read(8));
    network.round("PreAccept", "PreAcceptReply", 0, &[1]);
    network.round("PreAccept", "PreAcceptReply", 1, &[0]);
    assert!(answered(&network, 7) && answered(&network, 8));
}

/// Two commands that depend on each other; nodes hear of the commits in different orders.
fn a_circle(without: Option<RuleId>) -> Vec<Outcome> {
    let mut network = network(3, &[], without);
    network.ask(0, write(7));
    network.ask(1, write(8));
    network.deliver("PreAccept", 0, 1);
    network.deliver("PreAccept", 1, 0);
    network.deliver("PreAcceptReply", 1, 0);
    network.deliver("PreAcceptReply", 0, 1);
    network.deliver_if(|_, to, message| to < 2 && matches!(message, Msg::Accept { .. }));
    network.deliver_if(|_, to, message| to < 2 && matches!(message, Msg::AcceptReply { .. }));
    for at in [FIRST_OF_0, FIRST_OF_1] {
        let other = if at == FIRST_OF_0 { FIRST_OF_1 } else { FIRST_OF_0 };
        let owner = usize::from(owner(at).0);
        assert!(committed(&network, owner, at).is_some_and(|value| value.depends_on(other)));
    }
    network.deliver("Commit", 0, 2);
    network.settle(&[0, 1, 2]);
    values(&network)
}

#[test]
fn commands_that_depend_on_each_other_are_executed_in_one_order() {
    let same = |values: Vec<Outcome>| values.iter().all(|value| *value == values[0]);
    assert!(same(a_circle(None)));
    assert!(!same(a_circle(Some(SEQ_ORDER))));
    assert!(!same(a_circle(Some(DEPENDENCIES_FIRST))));
}

/// Node 0 has committed on the fast path, and crashes before anybody hears of that.
fn the_owner_crashes(without: Option<RuleId>) -> Network {
    let mut network = network(3, &[], without);
    network.ask(0, write(7));
    network.round("PreAccept", "PreAcceptReply", 0, &[1]);
    assert!(answered(&network, 7));
    network.lose_all();
    network.time_out(1, timer(FIRST_OF_0));
    network.settle(&[1, 2]);
    network
}

#[test]
fn a_command_that_took_the_fast_path_is_found_by_whoever_recovers_it() {
    let network = the_owner_crashes(None);
    assert_eq!(committed(&network, 2, FIRST_OF_0), committed(&network, 0, FIRST_OF_0));
    let network = the_owner_crashes(Some(MAY_BE_COMMITTED));
    assert_eq!(committed(&network, 2, FIRST_OF_0).map(|value| value.command), Some(Command::NOOP));
}

#[test]
fn a_recovery_that_hears_from_the_owner_fills_in_a_no_op_and_the_owner_proposes_again() {
    let mut network = network(3, &[], None);
    network.ask(0, write(7));
    network.deliver("PreAccept", 0, 1);
    network.lose_all();
    network.time_out(1, timer(FIRST_OF_0));
    network.settle(&[0, 1]);
    assert_eq!(committed(&network, 0, FIRST_OF_0).map(|value| value.command), Some(Command::NOOP));
    let again = Instance { lane: 1, slot: 2 };
    assert_eq!(committed(&network, 0, again).map(|value| value.command), Some(write(7)));
    assert!(answered(&network, 7));
}

/// Node 0's command may have taken the fast path with node 1. Node 2 has an interfering one, undecided and known to it alone.
fn an_interfering_command_is_undecided(without: Option<RuleId>) -> Network {
    let mut network = network(3, &[], without);
    network.ask(0, write(7));
    network.round("PreAccept", "PreAcceptReply", 0, &[1]);
    network.lose_all();
    network.ask(2, write(9));
    network.time_out(1, timer(FIRST_OF_0));
    network.deliver_if(|from, to, message| (from, to) == (1, 2) && matches!(message, Msg::Prepare { .. }));
    network.deliver("PrepareReply", 2, 1);
    network
}

#[test]
fn a_recovery_waits_for_an_interfering_command_that_may_still_depend_on_it_or_not() {
    let mut network = an_interfering_command_is_undecided(None);
    network.deliver("Validate", 1, 2);
    network.deliver("ValidateReply", 2, 1);
    assert!(matches!(stage(&network, 1, FIRST_OF_0), Some(Stage::Waiting(_))));
    network.settle(&[1, 2]);
    assert_eq!(committed(&network, 2, FIRST_OF_0), committed(&network, 0, FIRST_OF_0));
    let other = committed(&network, 1, Instance { lane: 3, slot: 1 }).expect("it is committed");
    assert!(other.depends_on(FIRST_OF_0));
    let mut network = an_interfering_command_is_undecided(Some(WAIT));
    network.settle(&[1, 2]);
    assert_ne!(committed(&network, 2, FIRST_OF_0), committed(&network, 0, FIRST_OF_0));
}

/// Sutra's order of events. Node 0 alone has accepted its command in ballot 0; node 2, with node 1, has a no-op committed in ballot 1.3; node 0
/// then promises two ballots of its own, and only node 1 hears of the second.
fn an_old_value_and_a_new_promise(without: Option<RuleId>) -> (Option<Value>, Option<Value>) {
    let mut network = network(3, &[], without);
    network.ask(1, write(8));
    network.deliver("PreAccept", 1, 2);
    network.ask(0, write(7));
    network.deliver("PreAccept", 0, 1);
    network.deliver("PreAccept", 0, 2);
    network.deliver("PreAcceptReply", 1, 0);
    assert!(matches!(stage(&network, 0, FIRST_OF_0), Some(Stage::Accepting { .. })));
    network.time_out(2, timer(FIRST_OF_0));
    network.round("Prepare", "PrepareReply", 2, &[1]);
    network.deliver("Accept", 0, 1);
    network.deliver("Nack", 1, 0);
    network.round("Accept", "AcceptReply", 2, &[1]);
    network.lose_all();
    network.time_out(0, timer(FIRST_OF_0));
    network.lose_all();
    network.time_out(0, timer(FIRST_OF_0));
    network.settle(&[0, 1]);
    (committed(&network, 2, FIRST_OF_0), committed(&network, 0, FIRST_OF_0))
}

#[test]
fn a_promise_does_not_pass_for_an_acceptance() {
    let (first, second) = an_old_value_and_a_new_promise(None);
    assert!(first.is_some() && first == second, "{first:?}, then {second:?}");
    let (first, second) = an_old_value_and_a_new_promise(Some(TWO_BALLOTS));
    assert!(first.is_some() && second.is_some() && first != second, "{first:?}, then {second:?}");
}

#[test]
fn a_command_asked_for_at_two_replicas_takes_effect_once() {
    let add = Command { client: ClientId(5), seq: 1, op: Op::Enqueue { queue: 0, item: 3 } };
    for (without, length) in [(None, 1), (Some(AT_MOST_ONCE), 2)] {
        let mut network = network(3, &[], without);
        network.ask(0, add);
        network.ask(1, add);
        network.settle(&[0, 1, 2]);
        assert_eq!(server(&network, 2).machines[0].values(), length);
    }
}

#[test]
fn a_replica_that_restarts_executes_again_what_is_committed_and_goes_on_in_a_new_instance() {
    for (without, held) in [(None, Outcome::Value(Some(7))), (Some(DURABLE), Outcome::Value(None))] {
        let mut network = network(3, &[], without);
        network.ask(0, write(7));
        network.settle(&[0, 1, 2]);
        network.restart(0);
        assert_eq!(values(&network)[0], held);
        if without.is_none() {
            network.ask(0, write(8));
            network.settle(&[0, 1, 2]);
            assert_eq!(committed(&network, 2, Instance { lane: 1, slot: 2 }).map(|value| value.seq), Some(2));
        }
    }
}

#[test]
fn a_replica_takes_over_what_it_has_to_execute_and_has_never_heard_of() {
    let mut network = network(3, &[], None);
    network.ask(0, write(7));
    network.round("PreAccept", "PreAcceptReply", 0, &[1]);
    network.lose_all();
    // Node 2 hears of the second command only, which depends on the first.
    network.ask(1, write(8));
    network.settle(&[1, 2]);
    assert!(!answered(&network, 8));
    assert!(matches!(stage(&network, 2, FIRST_OF_0), Some(Stage::Awaiting)));
    network.time_out(2, timer(FIRST_OF_0));
    network.settle(&[0, 2]);
    assert_eq!(values(&network), [Some(7), None, Some(8)].map(Outcome::Value));
    network.time_out(1, timer(FIRST_OF_0));
    network.settle(&[0, 1, 2]);
    assert!(answered(&network, 8));
    assert_eq!(values(&network), [Outcome::Value(Some(8)); 3]);
}

#[test]
fn instances_are_told_apart_by_their_numbers() {
    for (lane, slot) in [(1, 1), (64, 1), (1, 33_000_000), (64, 33_000_000)] {
        let at = Instance { lane, slot };
        assert_eq!(instance(number(at)), at);
        assert!(number(at) > 1);
    }
}

#[test]
fn messages_are_small() {
    assert!(size_of::<Msg>() <= 48, "{}", size_of::<Msg>());
}
