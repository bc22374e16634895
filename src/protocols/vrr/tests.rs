//! Orders of events that random runs rarely reach, delivered one by one. Replicas are numbered from 0; the primary of view v is v mod n.

use super::*;
use crate::core::node::Message;
use crate::core::{Answer, RuleId, SettingId};
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<Vrr>;

fn network(n: u8, settings: &[(SettingId, u64)], without: Option<RuleId>) -> Network {
    Network::new(n, settings, without)
}

fn replica(network: &Network, id: usize) -> &Replica {
    network.nodes[id].as_ref().expect("it runs")
}

fn role(network: &Network, id: usize) -> &'static str {
    replica(network, id).status().role
}

fn log(network: &Network, id: usize) -> Vec<Command> {
    replica(network, id).log.iter().map(|(_, entry)| entry.command).collect()
}

fn answered(network: &Network, client: u16) -> bool {
    network.answers.iter().any(|(to, answer)| to.0 == client && matches!(answer, Answer::Done(_)))
}

fn kind(message: &Msg) -> &'static str {
    Msg::KINDS[usize::from(message.kind().0)].name
}

fn under_way(network: &Network, name: &str) -> usize {
    network.in_flight.iter().filter(|(_, _, message)| kind(message) == name).count()
}

/// Delivers everything among `among`; returns how many messages there were in all, those that reach nobody included.
fn settle_counting(network: &mut Network, among: &[u8]) -> usize {
    let mut all = 0;
    loop {
        let lost = network.in_flight.extract_if(.., |(_, to, _)| !among.contains(to)).count();
        let delivered = network.deliver_if(|_, to, _| among.contains(&to));
        all += lost + delivered;
        if delivered == 0 {
            return all;
        }
    }
}

/// `id` gives up on the primary and the view changes among `among`.
fn change_view(network: &mut Network, id: u8, among: &[u8]) {
    network.time_out(id, Timer::ViewChange);
    network.settle(among);
}

/// Restarts a replica and lets the others bring it back.
fn recover(network: &mut Network, id: u8, others: &[u8]) {
    network.restart(id);
    assert_eq!(role(network, usize::from(id)), "recovering");
    network.round("Recovery", "RecoveryResponse", id, others);
    assert_eq!(role(network, usize::from(id)), "backup");
}

#[test]
fn a_request_is_committed_once_f_backups_have_acknowledged_it() {
    for (n, f) in [(3, 1), (4, 2), (5, 2), (7, 3), (9, 4)] {
        let mut network = network(n, &[], None);
        network.ask(0, write(7));
        assert_eq!(under_way(&network, "Prepare"), usize::from(n - 1));
        for backup in 1..=f {
            assert!(!answered(&network, 7), "n = {n}: {backup} of {f}");
            network.round("Prepare", "PrepareOk", 0, &[backup]);
        }
        assert!(answered(&network, 7), "n = {n}");
    }
}

#[test]
fn a_backup_acknowledges_a_request_only_when_it_has_those_before_it() {
    let mut network = network(3, &[], None);
    (1..=3).for_each(|client| network.ask(0, write(client)));
    for op in [3, 2] {
        network.deliver_if(|_, to, message| to == 1 && message.slot() == op);
        assert_eq!(under_way(&network, "PrepareOk"), 0, "{op}");
    }
    network.deliver("Prepare", 0, 1);
    assert_eq!(under_way(&network, "PrepareOk"), 3);
    assert_eq!(log(&network, 1), [1, 2, 3].map(write));
}

#[test]
fn a_request_that_comes_again_is_dropped_and_then_answered_from_memory() {
    let mut network = network(3, &[], None);
    network.ask(0, write(7));
    network.ask(0, write(7));
    assert_eq!(under_way(&network, "Prepare"), 2);
    network.settle(&[0, 1, 2]);
    network.ask(0, write(7));
    assert_eq!((under_way(&network, "Prepare"), network.answers.len()), (0, 2));
    // The next primary knows it, too: executed, or from its log.
    network.ask(0, write(8));
    network.deliver("Prepare", 0, 1);
    network.lose_all();
    change_view(&mut network, 1, &[1, 2]);
    network.ask(1, write(7));
    network.ask(1, write(8));
    assert_eq!((under_way(&network, "Prepare"), log(&network, 1)), (0, [7, 8].map(write).to_vec()));
}

/// The old primary is dead: (n−1)² StartViewChanges, n−2 DoViewChanges, n−1 StartViews. With all alive n(n−1) and 2(n−1).
#[test]
fn a_view_change_takes_n_squared_minus_2_messages_or_n_times_n_minus_1_and_2n_minus_2() {
    for n in [3, 5, 7, 9] {
        let mut without_old = network(n, &[], None);
        let alive: Vec<u8> = (1..n).collect();
        without_old.time_out(2, Timer::ViewChange);
        assert_eq!(settle_counting(&mut without_old, &alive), usize::from(n * n - 2), "n = {n}");
        assert!(alive.iter().all(|id| replica(&without_old, usize::from(*id)).view == 1), "n = {n}");
        let mut with_all = network(n, &[], None);
        let all: Vec<u8> = (0..n).collect();
        with_all.time_out(2, Timer::ViewChange);
        assert_eq!(settle_counting(&mut with_all, &all), usize::from(n * (n - 1) + 2 * (n - 1)), "n = {n}");
        assert_eq!((role(&with_all, 0), role(&with_all, 1)), ("backup", "primary"));
    }
}

#[test]
fn logs_are_sent_after_f_view_changes_of_others_and_the_view_begins_with_f_plus_1_reports() {
    let mut network = network(5, &[], None);
    network.time_out(2, Timer::ViewChange);
    for id in [1, 3, 4] {
        network.deliver("StartViewChange", 2, id);
    }
    network.deliver("StartViewChange", 3, 2);
    assert_eq!(under_way(&network, "DoViewChange"), 0, "one of two");
    network.deliver("StartViewChange", 4, 2);
    assert_eq!(under_way(&network, "DoViewChange"), 1);
    network.deliver("DoViewChange", 2, 1);
    network.deliver("StartViewChange", 4, 3);
    network.deliver("StartViewChange", 1, 3);
    network.deliver("DoViewChange", 3, 1);
    assert_eq!(role(&network, 1), "view change", "its own is missing, because it has one StartViewChange");
    network.deliver("StartViewChange", 3, 1);
    assert_eq!(role(&network, 1), "primary");
}

#[test]
fn a_committed_request_survives_the_view_change_and_the_new_primary_answers() {
    let mut network = network(3, &[], None);
    network.ask(0, write(7));
    network.deliver("Prepare", 0, 2);
    network.lose_all();
    change_view(&mut network, 1, &[1, 2]);
    assert_eq!((log(&network, 1), answered(&network, 7)), (vec![write(7)], true));
    // The old primary hears of it by the next Commit, and fetches what it lacks.
    network.time_out(1, Timer::Commit);
    network.settle(&[0, 1, 2]);
    assert_eq!((role(&network, 0), replica(&network, 0).commit), ("backup", 1));
}

/// View 1 commits a request; replica 0 has a longer log of view 0 that nobody else has.
#[test]
fn the_log_of_the_latest_normal_view_wins_over_a_longer_one() {
    let lost = |without| {
        let mut network = network(3, &[], without);
        network.ask(0, write(1));
        network.ask(0, write(2));
        network.lose_all();
        change_view(&mut network, 1, &[1, 2]);
        network.ask(1, write(3));
        network.settle(&[1, 2]);
        network.lose_all();
        // View 2 belongs to replica 2, which has the committed request; replica 0 has the longer log.
        change_view(&mut network, 2, &[0, 2]);
        assert_eq!(role(&network, 2), "primary");
        network.ask(2, write(4));
        network.settle(&[0, 2]);
        network.disagree()
    };
    assert!(!lost(None));
    assert!(lost(Some(LATEST_NORMAL_VIEW)));
}

#[test]
fn an_old_primary_gets_nothing_committed_once_f_plus_1_change_the_view() {
    let lost = |without| {
        let mut network = network(3, &[], without);
        network.time_out(1, Timer::ViewChange);
        network.round("StartViewChange", "StartViewChange", 1, &[2]);
        network.ask(0, write(1));
        network.deliver("Prepare", 0, 2);
        network.deliver_if(|from, to, message| (from, to) == (2, 0) && kind(message) == "PrepareOk");
        let answered = answered(&network, 1);
        network.deliver("DoViewChange", 2, 1);
        assert_eq!((role(&network, 1), log(&network, 1)), ("primary", Vec::new()));
        answered
    };
    assert!(!lost(None));
    assert!(lost(Some(SAME_VIEW)));
}

#[test]
fn a_copy_of_start_view_that_comes_late_changes_nothing() {
    let mut network = network(3, &[], None);
    network.time_out(1, Timer::ViewChange);
    network.settle(&[1, 2]);
    network.lose_all();
    let copy = Msg::StartView { view: 1, state: Arc::new(replica(&network, 1).whole_state()) };
    network.ask(1, write(7));
    network.settle(&[1, 2]);
    network.in_flight.push((1, 2, copy));
    network.settle(&[1, 2]);
    assert_eq!(log(&network, 2), [write(7)]);
}

#[test]
fn a_replica_that_forgot_everything_recovers_from_f_plus_1_others_with_the_primary() {
    let mut network = network(5, &[], None);
    (1..=3).for_each(|client| network.ask(0, write(client)));
    network.settle(&[0, 1, 2, 3, 4]);
    network.restart(4);
    assert_eq!((role(&network, 4), log(&network, 4).len()), ("recovering", 0));
    for other in [1, 2, 3] {
        network.round("Recovery", "RecoveryResponse", 4, &[other]);
        assert_eq!(role(&network, 4), "recovering", "f + 1 have answered, but not the primary");
    }
    network.round("Recovery", "RecoveryResponse", 4, &[0]);
    assert_eq!((role(&network, 4), log(&network, 4)), ("backup", [1, 2, 3].map(write).to_vec()));
    // Its vote counts again.
    network.lose_all();
    network.ask(0, write(4));
    network.round("Prepare", "PrepareOk", 0, &[3, 4]);
    assert!(answered(&network, 4));
}

#[test]
fn a_primary_that_forgot_everything_comes_back_after_the_view_has_changed() {
    let mut network = network(3, &[], None);
    network.ask(0, write(7));
    network.settle(&[0, 1, 2]);
    network.restart(0);
    network.round("Recovery", "RecoveryResponse", 0, &[1, 2]);
    assert_eq!(role(&network, 0), "recovering", "it would be the primary itself");
    change_view(&mut network, 2, &[1, 2]);
    network.lose_all();
    network.time_out(0, Timer::Recovery);
    network.settle(&[0, 1, 2]);
    assert_eq!((role(&network, 0), log(&network, 0)), ("backup", vec![write(7)]));
}

#[test]
fn nobody_answers_a_recovery_while_views_change_or_while_it_recovers_itself() {
    let mut network = network(3, &[], None);
    network.time_out(1, Timer::ViewChange);
    network.lose_all();
    network.restart(2);
    network.deliver("Recovery", 2, 1);
    network.restart(0);
    network.deliver("Recovery", 2, 0);
    assert_eq!(under_way(&network, "RecoveryResponse"), 0);
}

/// More than f have crashed: outside the model, and nobody comes back.
#[test]
fn when_more_than_f_forget_at_once_nobody_recovers() {
    let mut network = network(3, &[], None);
    network.restart(1);
    network.restart(2);
    for _ in 0..5 {
        [1, 2].into_iter().for_each(|id| network.time_out(id, Timer::Recovery));
        network.settle(&[0, 1, 2]);
    }
    assert_eq!((role(&network, 1), role(&network, 2)), ("recovering", "recovering"));
}

/// Replica 2 acknowledges a request, crashes, and is then answered with what it was told in an earlier recovery.
#[test]
fn an_answer_to_an_earlier_recovery_does_not_count() {
    let lost = |without| {
        let mut network = network(3, &[], without);
        network.restart(2);
        network.time_out(2, Timer::Recovery);
        [0, 1].into_iter().for_each(|other| network.deliver("Recovery", 2, other));
        // One answer of each arrives, and one of each is late.
        let mut seen = Vec::new();
        let late: Vec<_> = network
            .in_flight
            .extract_if(.., |(from, _, _)| {
                let again = seen.contains(from);
                seen.push(*from);
                again
            })
            .collect();
        network.settle(&[0, 1, 2]);
        assert_eq!(role(&network, 2), "backup");
        network.ask(0, write(1));
        network.round("Prepare", "PrepareOk", 0, &[2]);
        assert!(answered(&network, 1));
        network.restart(2);
        network.lose_all();
        network.in_flight = late;
        network.deliver_if(|_, to, _| to == 2);
        let forgets = role(&network, 2) == "backup";
        if forgets {
            change_view(&mut network, 1, &[1, 2]);
            network.ask(1, write(2));
            network.settle(&[1, 2]);
        }
        network.disagree()
    };
    assert!(!lost(None));
    assert!(lost(Some(NONCE)));
}

/// Replica 0, the primary, crashes while its Prepares are under way; the backups answer that they are in its view.
#[test]
fn without_the_primarys_answer_one_op_number_is_given_twice() {
    let lost = |without| {
        let mut network = network(3, &[], without);
        network.ask(0, write(1));
        network.restart(0);
        network.round("Recovery", "RecoveryResponse", 0, &[1, 2]);
        if role(&network, 0) != "primary" {
            return false;
        }
        network.ask(0, write(2));
        // Replica 1 gets the first Prepare, and replica 2 the second.
        network.deliver_if(
            |_, to, message| matches!(message, Msg::Prepare { command, .. } if (*command == write(1)) == (to == 1)),
        );
        network.settle(&[0, 2]);
        network.time_out(0, Timer::Commit);
        network.time_out(0, Timer::Commit);
        network.deliver("Commit", 0, 1);
        network.disagree()
    };
    assert!(!lost(None));
    assert!(lost(Some(PRIMARY_RESPONSE)));
}

/// Replicas 1 and 2 each ask for a view change and forget it; their messages come when both have recovered in view 0.
#[test]
fn what_was_sent_before_a_crash_does_not_count_in_a_view_change() {
    let lost = |without| {
        let mut network = network(3, &[], without);
        network.time_out(1, Timer::ViewChange);
        let early: Vec<_> = network.in_flight.extract_if(.., |(from, to, _)| (*from, *to) == (1, 2)).collect();
        network.lose_all();
        recover(&mut network, 1, &[0, 2]);
        network.in_flight.extend(early);
        network.deliver("StartViewChange", 1, 2);
        let held: Vec<_> = network.in_flight.extract_if(.., |(from, to, _)| (*from, *to) == (2, 1)).collect();
        network.lose_all();
        recover(&mut network, 2, &[0, 1]);
        network.ask(0, write(1));
        network.round("Prepare", "PrepareOk", 0, &[2]);
        assert!(answered(&network, 1));
        network.lose_all();
        network.in_flight.extend(held);
        network.settle(&[1, 2]);
        if role(&network, 1) == "primary" {
            network.ask(1, write(2));
            network.settle(&[1, 2]);
        }
        network.disagree()
    };
    assert!(!lost(None));
    assert!(lost(Some(CRASH_CONSISTENT)));
}

/// The request is committed in view 0. Replica 1 takes it over in view 1, hears of view 2, and then leads view 4 with replica 0.
#[test]
fn a_replica_that_hears_of_a_later_view_keeps_its_log_until_it_has_that_views() {
    let lost = |without| {
        let mut network = network(3, &[], without);
        network.ask(0, write(1));
        network.round("Prepare", "PrepareOk", 0, &[2]);
        assert!(answered(&network, 1));
        network.lose_all();
        network.time_out(1, Timer::ViewChange);
        network.round("StartViewChange", "StartViewChange", 1, &[2]);
        network.deliver("DoViewChange", 2, 1);
        assert_eq!((role(&network, 1), log(&network, 1)), ("primary", vec![write(1)]));
        network.lose_all();
        network.time_out(2, Timer::ViewChange);
        network.round("StartViewChange", "StartViewChange", 2, &[0]);
        network.deliver("DoViewChange", 0, 2);
        assert_eq!((role(&network, 2), log(&network, 2)), ("primary", vec![write(1)]));
        // Its StartView is lost.
        network.lose_all();
        network.time_out(2, Timer::Commit);
        network.deliver("Commit", 2, 1);
        assert_eq!(under_way(&network, "GetState"), 1);
        network.lose_all();
        // It led view 1 until now, and has no timer that would end that: somebody else changes the view.
        for _ in 0..2 {
            network.time_out(0, Timer::ViewChange);
        }
        network.settle(&[0, 1]);
        assert_eq!((role(&network, 1), replica(&network, 1).view), ("primary", 4));
        network.ask(1, write(2));
        network.settle(&[0, 1]);
        network.disagree()
    };
    assert!(!lost(None));
    assert!(lost(Some(KEEPS_LOG)));
}

#[test]
fn a_backup_that_missed_prepares_fetches_them_after_the_second_commit() {
    let mut network = network(3, &[(CHECKPOINT_EVERY, 0)], None);
    (1..=5).for_each(|client| network.ask(0, write(client)));
    network.settle(&[0, 1]);
    network.lose_all();
    // The first look is no Commit: it has prepared something.
    (0..3).for_each(|_| network.time_out(0, Timer::Commit));
    network.deliver("Commit", 0, 2);
    assert_eq!(under_way(&network, "GetState"), 1);
    network.settle(&[0, 2]);
    assert_eq!((log(&network, 2), replica(&network, 2).commit), ([1, 2, 3, 4, 5].map(write).to_vec(), 5));
}

#[test]
fn a_lost_acknowledgement_is_sent_again_after_the_second_commit() {
    let mut network = network(3, &[], None);
    network.ask(0, write(7));
    network.deliver("Prepare", 0, 1);
    network.lose_all();
    (0..3).for_each(|_| network.time_out(0, Timer::Commit));
    network.settle(&[0, 1]);
    assert!(answered(&network, 7));
}

#[test]
fn a_checkpoint_takes_the_place_of_a_log_that_is_dropped() {
    for lagging in [false, true] {
        let mut network = network(3, &[(CHECKPOINT_EVERY, 2)], None);
        for client in 1..=9 {
            network.ask(0, write(client));
            network.settle(&[0, 1]);
        }
        assert!(replica(&network, 0).log.first() > 5);
        network.lose_all();
        if lagging {
            (0..3).for_each(|_| network.time_out(0, Timer::Commit));
        } else {
            network.restart(2);
        }
        network.settle(&[0, 1, 2]);
        assert_eq!((role(&network, 2), replica(&network, 2).commit), ("backup", 9), "lagging: {lagging}");
        assert_eq!(replica(&network, 2).machine, replica(&network, 0).machine);
    }
}

#[test]
fn timeouts_that_contradict_each_other_are_refused_by_name() {
    let refused = |id: SettingId, value| {
        let mut settings = crate::core::Settings::defaults(SETTINGS);
        settings.set(id, value);
        let ablated = crate::core::RuleSet::EMPTY;
        Vrr::cluster(&Setup { replicas: 3, rtt_max: 100, settings, ablated }).err().map(|(key, _)| key)
    };
    assert_eq!(refused(VIEW_TIMEOUT_MIN, 900), Some("view_timeout_min"));
    assert_eq!(refused(VIEW_TIMEOUT_MAX, 2_000), Some("view_timeout_max"));
    assert_eq!(refused(HEARTBEAT, 10_000), None);
}

const IN_RING: &[(SettingId, u64)] = &[(RING, 1)];

#[test]
fn quorums_with_ring_are_those_of_tigerbeetles_table_and_meet() {
    // The table in vsr.md goes to six; its program's formula goes on in the same way.
    for (n, commit, view) in [(3, 2, 2), (4, 2, 3), (5, 3, 3), (6, 3, 4), (7, 3, 5), (9, 3, 7)] {
        let config = replica(&network(n, IN_RING, None), 0).config;
        assert_eq!((config.commit_quorum(), config.view_quorum, config.f()), (commit, view, commit - 1), "n = {n}");
    }
}

/// The k-th replica after k hops; each acknowledges to the primary itself. 2(n−1) messages, of which the primary sends one.
#[test]
fn prepare_goes_from_replica_to_replica_and_each_acknowledges_to_the_primary() {
    for n in [3, 5, 7, 9] {
        let mut network = network(n, IN_RING, None);
        change_view(&mut network, 1, &(0..n).collect::<Vec<_>>());
        network.lose_all();
        network.ask(1, write(7));
        for hop in 1..n {
            let prepares: Vec<_> =
                network.in_flight.iter().filter(|(_, _, message)| kind(message) == "Prepare").collect();
            let [(from, to, _)] = prepares[..] else { panic!("n = {n}: {prepares:?}") };
            assert_eq!((*from, *to), (hop % n, (hop + 1) % n), "n = {n}");
            network.deliver("Prepare", hop % n, (hop + 1) % n);
            assert_eq!(under_way(&network, "PrepareOk"), usize::from(hop), "n = {n}");
        }
        assert_eq!(network.in_flight.len(), usize::from(n - 1), "n = {n}: the last one sends nothing on");
        assert!(network.in_flight.iter().all(|(_, to, _)| *to == 1), "n = {n}");
        let enough = replica(&network, 1).config.commit_quorum() - 1;
        for hop in 1..=enough {
            assert!(!answered(&network, 7), "n = {n}: {hop}");
            network.deliver("PrepareOk", (hop + 1) % n, 1);
        }
        assert!(answered(&network, 7), "n = {n}");
    }
}

#[test]
fn a_prepare_that_comes_twice_or_out_of_order_is_sent_on_once() {
    let mut network = network(4, IN_RING, None);
    network.ask(0, write(1));
    network.ask(0, write(2));
    let copies = network.in_flight.clone();
    for op in [2, 2, 1, 1] {
        network.in_flight.extend(copies.iter().filter(|(_, _, message)| message.slot() == op).cloned());
        network.deliver_if(|_, to, message| to == 1 && message.slot() == op);
    }
    assert_eq!(network.in_flight.iter().filter(|(from, to, _)| (*from, *to) == (1, 2)).count(), 2);
    network.settle(&[0, 1, 2, 3]);
    assert_eq!(log(&network, 3), [1, 2].map(write));
}

/// Replica 1 is dead, so no Prepare passes: the others fetch the request when Commit tells of it.
#[test]
fn a_ring_with_a_dead_replica_commits_by_state_transfer() {
    let mut network = network(5, IN_RING, None);
    network.ask(0, write(7));
    let alive = [0, 2, 3, 4];
    network.settle(&alive);
    assert!(!answered(&network, 7));
    for _ in 0..3 {
        network.time_out(0, Timer::Commit);
        network.settle(&alive);
    }
    assert!(answered(&network, 7));
    assert_eq!(log(&network, 4), [write(7)]);
}

/// The old primary is dead: (n−1)² StartViewChanges, (n−1)² DoViewChanges to all, n−1 StartViews.
#[test]
fn a_view_change_with_ring_takes_n_minus_1_times_2n_minus_1_messages() {
    for n in [3, 5, 7, 9] {
        let mut network = network(n, IN_RING, None);
        let alive: Vec<u8> = (1..n).collect();
        network.time_out(2, Timer::ViewChange);
        assert_eq!(settle_counting(&mut network, &alive), usize::from((n - 1) * (2 * n - 1)), "n = {n}");
        assert!(alive.iter().all(|id| replica(&network, usize::from(*id)).view == 1), "n = {n}");
    }
}

#[test]
fn with_ring_whoever_hears_of_a_reported_log_changes_to_that_view() {
    let mut network = network(5, IN_RING, None);
    network.time_out(2, Timer::ViewChange);
    [3, 4].into_iter().for_each(|id| {
        network.deliver("StartViewChange", 2, id);
        network.deliver("StartViewChange", id, 2);
    });
    network.deliver("DoViewChange", 2, 0);
    assert_eq!((role(&network, 0), replica(&network, 0).view), ("view change", 1));
}

/// Four replicas: 0 and 1 commit a request, 2 and 3 begin view 2 without them.
#[test]
fn half_of_four_replicas_may_commit_but_not_change_the_view() {
    let lost = |without| {
        let mut network = network(4, IN_RING, without);
        network.ask(0, write(1));
        network.round("Prepare", "PrepareOk", 0, &[1]);
        assert!(answered(&network, 1));
        network.lose_all();
        // View 1 belongs to replica 1, which does not answer.
        network.time_out(2, Timer::ViewChange);
        change_view(&mut network, 2, &[2, 3]);
        if role(&network, 2) != "primary" {
            return false;
        }
        network.ask(2, write(2));
        network.settle(&[2, 3]);
        network.disagree()
    };
    assert!(!lost(None));
    assert!(lost(Some(QUORUMS_MEET)));
}
