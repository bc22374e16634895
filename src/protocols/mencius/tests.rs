//! Orders of events that random runs rarely reach, delivered one by one. Nodes are numbered from 0, instances from 1: of three servers, 0 owns 1, 4,
//! 7, and so on.

use super::*;
use crate::core::{Op, RuleId, SettingId};
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<Mencius>;

fn network(n: u8, settings: &[(SettingId, u64)], without: Option<RuleId>) -> Network {
    Network::new(n, settings, without)
}

fn server(network: &Network, id: usize) -> &Server {
    network.nodes[id].as_ref().expect("it runs")
}

fn learned(network: &Network, id: usize) -> Vec<Option<Command>> {
    let disk = &server(network, id).disk;
    (1..=disk.records.last()).map(|slot| disk.learned(slot)).collect()
}

fn answered(network: &Network, client: u16) -> bool {
    network.answers.iter().any(|(to, answer)| to.0 == client && matches!(answer, Answer::Done(_)))
}

const NOOP: Option<Command> = Some(Command::NOOP);

#[test]
fn instances_belong_to_servers_in_turn() {
    for n in 1..=9 {
        let network = network(n, &[], None);
        let server = server(&network, 0);
        for slot in 1..50 {
            assert_eq!(server.owner(slot), NodeId(((slot - 1) % u32::from(n)) as u8));
            for owner in (0..n).map(NodeId) {
                let next = (slot + 1..).find(|next| server.owner(*next) == owner).expect("there is one");
                assert_eq!(server.next_of(owner, slot), next, "n = {n}");
            }
        }
    }
}

/// The first instances of 0 and 1 are skipped with their Accept, and need no majority.
#[test]
fn a_suggestion_waits_for_the_skips_of_all_earlier_owners() {
    let mut network = network(3, &[], None);
    network.ask(2, write(7));
    network.round("Suggest", "Accept", 2, &[1]);
    assert_eq!(learned(&network, 2), [None, NOOP, Some(write(7))], "a majority, and the skip of 1");
    assert!(!answered(&network, 7), "0 may still suggest something in instance 1");
    network.round("Suggest", "Accept", 2, &[0]);
    assert_eq!(learned(&network, 2), [NOOP, NOOP, Some(write(7))]);
    assert!(answered(&network, 7));
    assert_eq!((server(&network, 0).index(), server(&network, 1).index()), (4, 5));
}

#[test]
fn skips_that_were_lost_are_told_again() {
    let mut network = network(3, &[], None);
    network.ask(2, write(7));
    network.deliver("Suggest", 2, 0);
    network.deliver("Suggest", 2, 1);
    network.lose_all();
    network.time_out(2, Timer::Repair);
    network.settle(&[0, 1, 2]);
    assert!(answered(&network, 7));
    // 1 knows the no-op of 0 only by a skip that went to 2: the next heartbeat tells.
    assert_eq!(learned(&network, 1), [None, NOOP, Some(write(7))]);
    network.time_out(0, Timer::Skip);
    network.deliver("Skip", 0, 1);
    assert_eq!(learned(&network, 1), [NOOP, NOOP, Some(write(7))]);
}

/// α and τ: a skip alone is sent when too many are waiting, or when the timer runs out.
#[test]
fn more_skips_than_alpha_are_announced_at_once() {
    let skips = |network: &Network| network.in_flight.iter().filter(|m| matches!(m.2, Msg::Skip { .. })).count();
    let mut network = network(3, &[(ALPHA, 2)], None);
    for client in 1..=3 {
        network.ask(2, write(client));
        assert_eq!(skips(&network), 0);
        network.round("Suggest", "Accept", 2, &[0]);
    }
    assert_eq!(skips(&network), 1, "three are waiting at 0 for 1");
    network.deliver("Skip", 0, 1);
    assert_eq!(learned(&network, 1)[..7], [NOOP, None, None, NOOP, None, None, NOOP]);
}

/// Server 0 has suggested and its command is accepted by 1, a majority with itself; then it falls silent. Its later instances become no-ops.
#[test]
fn a_revocation_keeps_what_may_be_chosen_and_fills_the_rest_with_no_ops() {
    let mut network = network(3, &[(BETA, 3)], None);
    network.ask(0, write(7));
    network.round("Suggest", "Accept", 0, &[1]);
    assert!(answered(&network, 7));
    network.lose_all();
    network.time_out(1, Timer::Suspicion(0));
    assert_eq!(server(&network, 1).status().role, "revoking");
    network.settle(&[1, 2]);
    // I = 2 at server 1, so up to 8.
    assert_eq!(learned(&network, 2)[0], Some(write(7)));
    assert_eq!([3, 6].map(|at| learned(&network, 2)[at]), [NOOP; 2]);
    assert!(!network.disagree());
}

#[test]
fn without_adopting_a_learned_command_is_lost() {
    let mut network = network(3, &[(BETA, 3)], Some(ADOPT));
    network.ask(0, write(7));
    network.round("Suggest", "Accept", 0, &[1]);
    network.lose_all();
    network.time_out(1, Timer::Suspicion(0));
    network.settle(&[1, 2]);
    assert!(network.disagree());
}

/// Server 0 suggests, nobody hears of it, and the others revoke its instances. Rule 4: it learns a no-op and suggests again, behind what is revoked.
#[test]
fn who_was_suspected_wrongly_suggests_its_command_again() {
    let mut network = network(3, &[(BETA, 3)], None);
    network.ask(0, write(7));
    network.lose_all();
    network.time_out(1, Timer::Suspicion(0));
    network.settle(&[1, 2]);
    network.settle(&[0, 1, 2]);
    assert!(answered(&network, 7));
    assert_eq!(learned(&network, 0)[0], NOOP);
    let place = learned(&network, 0).iter().position(|command| *command == Some(write(7))).expect("in some instance");
    assert!(place > 3 && place % 3 == 0, "an own one: {place}");
    // It was heard of again.
    assert!(server(&network, 1).suspected.is_empty());
    assert_eq!(server(&network, 1).doubts[0], 1);
}

/// Servers 1 and 2 have promised a round for an instance of 0, and who began it goes no further. 0 decides it itself, with its own command.
#[test]
fn an_owner_takes_up_its_instance_when_a_revocation_is_left_unfinished() {
    let mut network = network(3, &[(BETA, 3)], None);
    network.time_out(1, Timer::Suspicion(0));
    network.deliver("Prepare", 1, 2);
    network.lose_all();
    network.ask(0, write(7));
    network.deliver("Suggest", 0, 2);
    network.deliver("Nack", 2, 0);
    network.lose_all();
    assert!(server(&network, 0).index() > 4, "new suggestions go behind what is promised");
    network.time_out(0, Timer::Repair);
    assert_eq!(server(&network, 0).status().role, "coordinator");
    network.settle(&[0, 2]);
    assert_eq!(learned(&network, 2)[0], Some(write(7)));
    assert!(answered(&network, 7));
}

#[test]
fn a_server_that_restarts_skips_what_it_had_skipped_and_takes_up_what_it_had_suggested() {
    let mut network = network(3, &[], None);
    network.ask(2, write(7));
    network.deliver("Suggest", 2, 0);
    network.ask(0, write(8));
    network.lose_all();
    network.restart(0);
    let restarted = server(&network, 0);
    assert_eq!((restarted.index(), restarted.disk.suggested), (7, 4));
    assert_eq!(restarted.disk.learned(1), NOOP, "skipped before the crash");
    assert_eq!(restarted.own_open().map(|open| (open.slot, open.command)).collect::<Vec<_>>(), [(4, Some(write(8)))]);
    network.time_out(0, Timer::Repair);
    network.time_out(2, Timer::Repair);
    network.settle(&[0, 1, 2]);
    for id in 0..3 {
        assert_eq!(learned(&network, id)[2..4], [Some(write(7)), Some(write(8))]);
    }
}

#[test]
fn a_server_far_behind_gets_a_snapshot() {
    let mut network = network(3, &[(SNAPSHOT_EVERY, 3), (BETA, 1)], None);
    for client in 1..=6 {
        network.ask(0, write(client));
        network.settle(&[0, 1]);
        network.time_out(1, Timer::Skip);
        network.settle(&[0, 1]);
        network.lose_all();
        network.time_out(0, Timer::Suspicion(2));
        network.settle(&[0, 1]);
        network.lose_all();
    }
    assert!(server(&network, 0).disk.records.first() > 3, "{:?}", server(&network, 0).executed);
    network.time_out(0, Timer::Heartbeat);
    network.deliver("Heartbeat", 0, 2);
    network.time_out(2, Timer::Repair);
    network.settle(&[0, 1, 2]);
    assert_eq!(server(&network, 2).machine.digest(), server(&network, 0).machine.digest());
    assert!(server(&network, 2).index() > server(&network, 2).executed);
    let read = Op::Read { key: 0 };
    assert_eq!(server(&network, 2).machine.look(read), server(&network, 0).machine.look(read));
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let mut settings = Settings::defaults(SETTINGS);
    settings.set(HEARTBEAT, 1_000);
    settings.set(SUSPICION, 1_000);
    let setup = Setup { replicas: 3, rtt_max: 100, settings, ablated: Default::default() };
    assert_eq!(Mencius::cluster(&setup).expect_err("refused").0, "suspicion");
}

#[test]
fn different_values_accepted_in_one_round_break_one_value_a_round() {
    use crate::core::node::Step;
    let mut network = network(3, &[], None);
    let accept = |network: &mut Network, id: u8, value: Command| {
        network.act(id, |server, _| {
            let record = server.disk.record(1).expect("it is held");
            (record.accepted, record.value) = (record.promised, Some(value));
        });
    };
    let broken = |network: &Network| {
        let step = Step { changed: NodeId(0), log_from: Some(1), unaware: NodeSet::EMPTY };
        (invariants::INVARIANTS[0].holds)(&network.nodes, step).is_err()
    };
    accept(&mut network, 0, write(1));
    accept(&mut network, 1, write(1));
    assert!(!broken(&network));
    accept(&mut network, 1, Command::NOOP);
    assert!(broken(&network));
}
