//! Orders of events that random runs rarely reach, delivered one by one. Servers are numbered from 0; of ballots with one number that of the
//! highest server is the highest.

use super::*;
use crate::core::node::Message;
use crate::core::{Answer, RuleId, SettingId};
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<OmniPaxos>;

fn server(network: &Network, id: u8) -> &Server {
    network.nodes[usize::from(id)].as_ref().expect("it runs")
}

fn role(network: &Network, id: u8) -> &'static str {
    server(network, id).status().role
}

fn ballot(network: &Network, id: u8) -> (u32, u8) {
    let Ballot { n, pid, .. } = server(network, id).disk.promised;
    (n, pid.0)
}

fn log(network: &Network, id: u8) -> Vec<Command> {
    server(network, id).disk.log.iter().map(|(_, command)| *command).collect()
}

fn answered(network: &Network, client: u16) -> bool {
    network.answers.iter().any(|(to, answer)| to.0 == client && matches!(answer, Answer::Done(_)))
}

fn kind(message: &Msg) -> &'static str {
    Msg::KINDS[usize::from(message.kind().0)].name
}

fn is_heartbeat(message: &Msg) -> bool {
    matches!(message, Msg::HBRequest { .. } | Msg::HBReply { .. })
}

fn under_way(network: &Network, name: &str) -> usize {
    network.in_flight.iter().filter(|(_, _, message)| kind(message) == name).count()
}

type Links<'a> = &'a dyn Fn(u8, u8) -> bool;

/// Delivers everything over `links`, and loses the rest; returns how many messages there were, heartbeats aside.
fn settle(network: &mut Network, links: Links) -> usize {
    let mut all = 0;
    loop {
        all += network.in_flight.iter().filter(|(_, _, message)| !is_heartbeat(message)).count();
        network.in_flight.retain(|(from, to, _)| links(*from, *to));
        if network.deliver_if(|_, _, _| true) == 0 {
            return all;
        }
    }
}

/// A heartbeat round of everybody in `servers` at the same time; returns how many messages other than heartbeats followed on it.
fn heartbeat_round(network: &mut Network, servers: &[u8], links: Links) -> usize {
    settle(network, links);
    servers.iter().for_each(|id| network.time_out(*id, Timer::Round));
    settle(network, links)
}

const ALL: Links = &|_, _| true;

/// A cluster in which the highest server leads; returns how many messages that took, heartbeats aside.
fn led(n: u8, settings: &[(SettingId, u64)], without: Option<RuleId>) -> (Network, usize) {
    let mut network = Network::new(n, settings, without);
    let servers: Vec<u8> = (0..n).collect();
    let messages = heartbeat_round(&mut network, &servers, ALL);
    (network, messages)
}

#[test]
fn election_takes_4n_minus_4_messages_and_4n_minus_7_with_the_old_leader_dead() {
    for n in [3, 5, 7, 9] {
        let (mut network, messages) = led(n, &[], None);
        assert_eq!((role(&network, n - 1), messages), ("leader", usize::from(4 * (n - 1))), "n = {n}");
        let alive: Vec<u8> = (0..n - 1).collect();
        let links = |from: u8, to: u8| from != n - 1 && to != n - 1;
        // One round in which it is missed, one in which ballots are raised, one in which the highest of those is elected.
        let messages: Vec<usize> = (0..3).map(|_| heartbeat_round(&mut network, &alive, &links)).collect();
        assert_eq!(messages, [0, 0, usize::from(4 * n - 7)], "n = {n}");
        assert_eq!((role(&network, n - 2), ballot(&network, 0)), ("leader", (2, n - 2)), "n = {n}");
    }
}

#[test]
fn command_takes_2n_minus_2_messages_and_is_decided_by_a_majority() {
    for (n, others) in [(2, 1), (3, 1), (4, 2), (5, 2), (7, 3), (9, 4)] {
        let (mut network, _) = led(n, &[], None);
        network.lose_all();
        network.ask(n - 1, write(7));
        assert_eq!(under_way(&network, "AcceptDecide"), usize::from(n - 1));
        for follower in 0..others {
            assert!(!answered(&network, 7), "n = {n}: {follower} of {others}");
            network.round("AcceptDecide", "Accepted", n - 1, &[follower]);
        }
        assert!(answered(&network, 7), "n = {n}");
        assert_eq!(
            settle(&mut network, ALL),
            usize::from(2 * (n - 1 - others)),
            "n = {n}: nobody is told before the next command"
        );
    }
}

#[test]
fn follower_accepts_a_command_only_when_it_has_those_before_it() {
    let (mut network, _) = led(3, &[], None);
    (1..=3).for_each(|client| network.ask(2, write(client)));
    for slot in [3, 2] {
        network.deliver_if(|_, to, message| to == 1 && message.slot() == slot);
        assert_eq!(under_way(&network, "Accepted"), 0, "{slot}");
    }
    network.deliver("AcceptDecide", 2, 1);
    assert!(matches!(network.in_flight.last(), Some((1, 2, Msg::Accepted { slot: 3, .. }))));
    assert_eq!(log(&network, 1), [1, 2, 3].map(write));
}

#[test]
fn command_that_comes_again_is_not_proposed_again_and_then_answered_from_memory() {
    let (mut network, _) = led(3, &[], None);
    network.lose_all();
    network.ask(2, write(7));
    network.ask(2, write(7));
    assert_eq!(under_way(&network, "AcceptDecide"), 2);
    settle(&mut network, ALL);
    network.ask(2, write(7));
    assert_eq!((under_way(&network, "AcceptDecide"), network.answers.len()), (0, 2));
}

#[test]
fn server_with_priority_is_elected_among_equal_ballots() {
    let (network, _) = led(5, &[(PRIORITY, 2)], None);
    assert_eq!((role(&network, 1), role(&network, 4)), ("leader", "follower"));
}

/// Server 0 lacks what the others have decided; it leads all the same, and gets it with the promises.
#[test]
fn elected_server_whose_log_is_behind_adopts_the_log_of_a_promise() {
    let (mut network, _) = led(3, &[(PRIORITY, 3)], None);
    let cut = |from: u8, to: u8| from != 0 && to != 0;
    settle(&mut network, ALL);
    (1..=3).for_each(|client| network.ask(2, write(client)));
    settle(&mut network, &cut);
    assert_eq!((log(&network, 0).len(), log(&network, 1).len()), (0, 3));
    // Now the leader is gone, and server 1 does not begin another round before server 0 is elected.
    let links = |from: u8, to: u8| from != 2 && to != 2;
    for _ in 0..3 {
        heartbeat_round(&mut network, &[0], &links);
    }
    assert_eq!(role(&network, 0), "leader");
    assert_eq!((log(&network, 0), log(&network, 1)), ([1, 2, 3].map(write).to_vec(), [1, 2, 3].map(write).to_vec()));
    assert!(server(&network, 0).decided >= 2, "as far as server 1 knew");
}

/// Of five servers, 4 gets a command to itself only, and 3 gets another one decided later in a shorter log.
fn shorter_log_of_a_higher_round(without: Option<RuleId>) -> Network {
    let (mut network, _) = led(5, &[], without);
    let only_old = |from: u8, to: u8| from == 4 && to == 4;
    (1..=2).for_each(|client| network.ask(4, write(client)));
    settle(&mut network, &only_old);
    assert_eq!(log(&network, 4).len(), 2);
    let others = |from: u8, to: u8| from != 4 && to != 4;
    (0..3).for_each(|_| {
        heartbeat_round(&mut network, &[0, 1, 2, 3], &others);
    });
    assert_eq!(role(&network, 3), "leader");
    network.ask(3, write(9));
    settle(&mut network, &others);
    assert!(answered(&network, 9));
    // Server 3 is gone; server 4, which still has its two commands, is elected.
    let without_3 = |from: u8, to: u8| from != 3 && to != 3;
    network.act(4, |server, out| server.prepare(Ballot { n: 3, priority: 0, pid: NodeId(4) }, out));
    settle(&mut network, &without_3);
    assert_eq!(role(&network, 4), "leader");
    network.ask(4, write(10));
    settle(&mut network, &without_3);
    network
}

#[test]
fn log_of_the_highest_round_is_adopted_however_short() {
    let network = shorter_log_of_a_higher_round(None);
    assert!(!network.disagree());
    assert_eq!(log(&network, 4), [9, 10].map(write));
    assert!(shorter_log_of_a_higher_round(Some(ADOPT)).disagree());
}

/// As above, but server 2 leads in the end, and server 4 has to give up what it has accepted.
#[test]
fn follower_keeps_nothing_undecided_of_another_round() {
    for (without, log_of_4) in [(None, vec![9, 10]), (Some(SYNC_INDEX), vec![1, 2])] {
        let (mut network, _) = led(5, &[], without);
        (1..=2).for_each(|client| network.ask(4, write(client)));
        settle(&mut network, &|_, _| false);
        let others = |from: u8, to: u8| from != 4 && to != 4;
        (0..3).for_each(|_| {
            heartbeat_round(&mut network, &[0, 1, 2, 3], &others);
        });
        (9..=10).for_each(|client| network.ask(3, write(client)));
        settle(&mut network, &others);
        // Server 4 is back, and hears of the leader.
        (0..3).for_each(|_| {
            heartbeat_round(&mut network, &[0, 1, 2, 3, 4], ALL);
        });
        assert_eq!(role(&network, 3), "leader");
        assert_eq!(log(&network, 4), log_of_4.into_iter().map(write).collect::<Vec<_>>());
    }
}

#[test]
fn nothing_of_a_lower_round_than_the_promised_one_is_accepted() {
    for (without, accepted) in [(None, false), (Some(PROMISED_ROUND), true)] {
        let (mut network, _) = led(3, &[], without);
        network.lose_all();
        network.ask(2, write(7));
        // Servers 0 and 1 do not hear server 2 any more, and go on in a higher round.
        let held: Vec<_> = std::mem::take(&mut network.in_flight);
        let links = |from: u8, to: u8| from != 2 && to != 2;
        (0..3).for_each(|_| {
            heartbeat_round(&mut network, &[0, 1], &links);
        });
        assert_eq!((role(&network, 1), ballot(&network, 0)), ("leader", (2, 1)));
        network.in_flight = held;
        network.deliver("AcceptDecide", 2, 0);
        assert_eq!(under_way(&network, "Accepted") == 1, accepted, "{without:?}");
    }
}

/// Server 1 has a command of round 1, and has promised round 2, whose leader does not know of it; AcceptSync is lost on the way to it.
#[test]
fn follower_that_is_not_synchronized_accepts_and_executes_nothing() {
    for without in [None, Some(ACCEPT_SYNC), Some(DECIDE_SYNCED)] {
        let (mut network, _) = led(5, &[], without);
        network.lose_all();
        network.ask(4, write(7));
        network.deliver("AcceptDecide", 4, 1);
        network.lose_all();
        network.act(0, |server, out| server.prepare(Ballot { n: 2, priority: 0, pid: NodeId(0) }, out));
        network.round("Prepare", "Promise", 0, &[2, 3, 1]);
        assert_eq!((role(&network, 0), log(&network, 0).len()), ("leader", 0));
        network.in_flight.retain(|(_, to, message)| *to != 1 || kind(message) != "AcceptSync");
        network.round("AcceptSync", "Accepted", 0, &[2, 3]);
        network.ask(0, write(8));
        network.round("AcceptDecide", "Accepted", 0, &[2, 3]);
        network.ask(0, write(9));
        assert!(answered(&network, 8));
        network.deliver("AcceptDecide", 0, 1);
        let accepted = network.in_flight.iter().any(|(from, _, message)| *from == 1 && kind(message) == "Accepted");
        assert_eq!(accepted, without == Some(ACCEPT_SYNC));
        (0..2).for_each(|_| network.time_out(0, Timer::Round));
        network.deliver("Decide", 0, 1);
        assert_eq!(network.disagree(), without == Some(DECIDE_SYNCED));
        // The leader finds that AcceptSync is lost.
        network.lose_all();
        (0..2).for_each(|_| {
            heartbeat_round(&mut network, &[0], ALL);
        });
        let synchronized = without.is_none();
        assert_eq!(log(&network, 1) == [8, 9].map(write), synchronized || without == Some(ACCEPT_SYNC));
    }
}

/// A follower crashes, and what it misses comes with AcceptSync after its PrepareReq.
#[test]
fn restarted_server_asks_to_be_prepared_and_is_synchronized() {
    for (without, kept) in [(None, 1), (Some(PERSISTENT), 0)] {
        let (mut network, _) = led(3, &[], without);
        network.ask(2, write(7));
        settle(&mut network, ALL);
        network.ask(2, write(8));
        network.deliver_if(|_, to, _| to == 0);
        network.lose_all();
        network.restart(1);
        assert_eq!(log(&network, 1).len(), kept, "{without:?}");
        if without.is_none() {
            assert_eq!((role(&network, 1), under_way(&network, "PrepareReq")), ("recover", 2));
            assert_eq!(
                settle(&mut network, ALL),
                2 + 4,
                "PrepareReq to two, and Prepare, Promise, AcceptSync, Accepted"
            );
            assert_eq!((role(&network, 1), log(&network, 1)), ("follower", [7, 8].map(write).to_vec()));
        }
    }
}

#[test]
fn restarted_leader_raises_its_ballot_and_leads_again() {
    let (mut network, _) = led(3, &[], None);
    network.ask(2, write(7));
    settle(&mut network, ALL);
    network.restart(2);
    (0..3).for_each(|_| {
        heartbeat_round(&mut network, &[2], ALL);
    });
    assert_eq!((role(&network, 2), ballot(&network, 0)), ("leader", (2, 2)));
    assert_eq!(log(&network, 0), [write(7)]);
}

/// What is lost on the way is found by heartbeats: a command by the second Decide that tells of it, the messages of the Prepare phase by the
/// answer to a heartbeat that was sent a round later.
#[test]
fn lost_message_of_any_kind_is_made_up_for() {
    for lost in ["Prepare", "Promise", "AcceptSync", "AcceptDecide", "Accepted", "PrepareReq"] {
        let mut network = Network::new(3, &[], None);
        let lose = |network: &mut Network, rounds: usize| {
            let mut lost_one = false;
            for _ in 0..rounds {
                for id in 0..3 {
                    network.time_out(id, Timer::Round);
                }
                loop {
                    let at = network
                        .in_flight
                        .iter()
                        .position(|(from, to, message)| !lost_one && kind(message) == lost && (*from == 1 || *to == 1));
                    if let Some(at) = at {
                        lost_one = true;
                        network.in_flight.remove(at);
                    }
                    if network.deliver_if(|_, _, _| true) == 0 {
                        break;
                    }
                }
            }
            lost_one
        };
        settle(&mut network, ALL);
        let early = lose(&mut network, 1);
        network.ask(2, write(7));
        if lost == "PrepareReq" {
            network.lose_all();
        }
        let late = lose(&mut network, 5);
        assert!(early || late, "no {lost} was lost");
        assert_eq!((log(&network, 1), server(&network, 1).decided), (vec![write(7)], 1), "{lost}");
        assert!(answered(&network, 7), "{lost}");
        assert_eq!(role(&network, 2), "leader", "{lost}: nobody else is elected");
    }
}

#[test]
fn lost_acceptances_are_told_again_after_the_second_decide() {
    let (mut network, _) = led(3, &[], None);
    network.ask(2, write(7));
    network.deliver_if(|_, _, message| kind(message) == "AcceptDecide");
    network.lose_all();
    for round in 0..3 {
        assert!(!answered(&network, 7), "round {round}");
        heartbeat_round(&mut network, &[2], ALL);
    }
    assert!(answered(&network, 7));
}

/// The network delivers Prepare twice, and a server asks twice: the log is sent once.
#[test]
fn log_that_is_under_way_is_not_sent_again() {
    let (mut network, _) = led(3, &[], None);
    network.lose_all();
    network.restart(1);
    network.restart(1);
    network.deliver_if(|_, to, _| to == 2);
    assert_eq!(under_way(&network, "Prepare"), 1);
    let copy = network.in_flight.iter().find(|(_, _, message)| kind(message) == "Prepare").cloned().expect("sent");
    network.in_flight.push(copy);
    network.deliver("Prepare", 2, 1);
    assert_eq!(under_way(&network, "Promise"), 2);
    network.deliver("Promise", 1, 2);
    assert_eq!(under_way(&network, "AcceptSync"), 1);
}

#[test]
fn new_leader_does_not_propose_again_what_is_in_the_log_it_adopted() {
    let (mut network, _) = led(3, &[], None);
    network.ask(2, write(7));
    network.deliver("AcceptDecide", 2, 1);
    network.lose_all();
    let links = |from: u8, to: u8| from != 2 && to != 2;
    (0..2).for_each(|_| {
        heartbeat_round(&mut network, &[0, 1], &links);
    });
    network.act(1, |server, out| server.prepare(Ballot { n: 2, priority: 0, pid: NodeId(1) }, out));
    // Before a majority has promised it is kept.
    network.ask(1, write(8));
    assert_eq!(role(&network, 1), "prepare");
    network.round("Prepare", "Promise", 1, &[0]);
    network.ask(1, write(7));
    settle(&mut network, &links);
    assert_eq!(log(&network, 1), [7, 8].map(write));
    assert!(answered(&network, 7) && answered(&network, 8));
}

#[test]
fn command_of_a_lower_round_that_came_early_is_forgotten_with_the_next_promise() {
    let (mut network, _) = led(3, &[], None);
    (1..=2).for_each(|client| network.ask(2, write(client)));
    network.deliver_if(|_, to, message| to == 1 && message.slot() == 2);
    network.lose_all();
    network.act(0, |server, out| server.prepare(Ballot { n: 2, priority: 0, pid: NodeId(0) }, out));
    let links = |from: u8, to: u8| from != 2 && to != 2;
    settle(&mut network, &links);
    network.ask(0, write(9));
    settle(&mut network, &links);
    assert_eq!(log(&network, 1), [write(9)]);
}

/// Server 0 hears nobody any more; server 1 and then the client must not be sent in circles between it and the leader that is gone.
#[test]
fn client_is_sent_to_a_leader_only_as_long_as_that_one_is_heard() {
    let (mut network, _) = led(3, &[], None);
    network.ask(0, write(7));
    assert_eq!(network.answers.pop().map(|(_, answer)| answer), Some(Answer::Redirect(Some(NodeId(2)))));
    settle(&mut network, ALL);
    (0..2).for_each(|_| {
        heartbeat_round(&mut network, &[0], &|_, _| false);
    });
    network.ask(0, write(7));
    assert_eq!(network.answers.pop().map(|(_, answer)| answer), Some(Answer::Redirect(None)));
}

#[test]
fn half_a_round_asks_those_again_that_have_not_answered() {
    let mut network = Network::new(3, &[], None);
    network.round("HBRequest", "HBReply", 0, &[1]);
    network.lose_all();
    network.time_out(0, Timer::HalfRound);
    assert!(matches!(network.in_flight[..], [(0, 2, Msg::HBRequest { round: 1 })]));
}

#[test]
fn heartbeat_rounds_grow_if_the_answer_of_the_leader_is_late_and_not_if_another_is() {
    for (late, in_time, times) in [(2, 1, 2), (1, 2, 1)] {
        let (mut network, _) = led(3, &[], None);
        network.lose_all();
        network.time_out(0, Timer::Round);
        network.deliver("HBRequest", 0, late);
        network.round("HBRequest", "HBReply", 0, &[in_time]);
        network.time_out(0, Timer::Round);
        network.deliver("HBReply", late, 0);
        assert_eq!(server(&network, 0).patience.stretch(1), times, "the answer of server {late}");
    }
}

/// In one round logs only grow: an AcceptSync that the network delivers again takes nothing away.
#[test]
fn late_copy_of_accept_sync_takes_nothing_away() {
    let (mut network, _) = led(3, &[], None);
    network.lose_all();
    network.restart(1);
    network.deliver("PrepareReq", 1, 2);
    network.round("Prepare", "Promise", 2, &[1]);
    let copy = network.in_flight.iter().find(|(_, _, message)| kind(message) == "AcceptSync").cloned().expect("sent");
    settle(&mut network, ALL);
    (1..=3).for_each(|client| network.ask(2, write(client)));
    settle(&mut network, ALL);
    network.in_flight.push(copy);
    settle(&mut network, ALL);
    assert_eq!(log(&network, 1), [1, 2, 3].map(write));
}

#[test]
fn server_that_is_far_behind_gets_a_snapshot_with_accept_sync_and_an_elected_one_with_a_promise() {
    let (mut network, _) = led(3, &[(SNAPSHOT_EVERY, 4), (PRIORITY, 3)], None);
    let cut = |from: u8, to: u8| from != 0 && to != 0;
    for client in 1..=20 {
        network.ask(2, write(client));
        settle(&mut network, &cut);
    }
    assert!(server(&network, 1).disk.log.first() > 10 && server(&network, 2).disk.log.first() > 10);
    let mut elected = network;
    let mut network = {
        let mut again = led(3, &[(SNAPSHOT_EVERY, 4), (PRIORITY, 3)], None).0;
        for client in 1..=20 {
            again.ask(2, write(client));
            settle(&mut again, &cut);
        }
        again
    };
    network.restart(0);
    settle(&mut network, ALL);
    assert_eq!(server(&network, 0).disk.log.last(), 20);
    assert!(server(&network, 0).disk.log.first() > 10 && server(&network, 0).decided >= 19);
    // Elected while it is behind.
    let links = |from: u8, to: u8| from != 2 && to != 2;
    (0..3).for_each(|_| {
        heartbeat_round(&mut elected, &[0], &links);
    });
    assert_eq!((role(&elected, 0), server(&elected, 0).disk.log.last()), ("leader", 20));
    elected.ask(0, write(21));
    settle(&mut elected, &links);
    assert!(answered(&elected, 21));
    assert!(!elected.disagree() && !network.disagree());
}

/// The three scenarios of partial connectivity, at the level of messages: how many heartbeat rounds until somebody else leads.
fn rounds_until_led(network: &mut Network, n: u8, links: Links, who: u8) -> Option<usize> {
    let servers: Vec<u8> = (0..n).collect();
    (1..=8).find(|_| {
        heartbeat_round(network, &servers, links);
        role(network, who) == "leader"
    })
}

/// Only server 0 reaches a majority. Server 4 leads, and still reaches server 0.
#[test]
fn quorum_loss_is_over_within_four_heartbeat_rounds_and_never_without_the_flag() {
    let links = |from: u8, to: u8| from == 0 || to == 0;
    for (without, rounds) in [(None, Some(4)), (Some(QUORUM_CONNECTED), None)] {
        let (mut network, _) = led(5, &[], without);
        assert_eq!(rounds_until_led(&mut network, 5, &links, 0), rounds, "{without:?}");
    }
}

/// Servers 2 and 0 do not hear each other, server 1 hears both. Once server 0 leads, nobody else does any more.
#[test]
fn chain_has_one_change_of_leader() {
    let (mut network, _) = led(3, &[], None);
    let links = |from: u8, to: u8| from.abs_diff(to) < 2;
    assert_eq!(rounds_until_led(&mut network, 3, &links, 0), Some(3));
    for _ in 0..20 {
        heartbeat_round(&mut network, &[0, 1, 2], &links);
        assert_eq!((ballot(&network, 0), ballot(&network, 1)), ((2, 0), (2, 0)));
    }
    network.ask(0, write(7));
    settle(&mut network, &links);
    assert!(answered(&network, 7));
}

/// A leader dies after everybody has promised its round and before anybody has heard its ballot in a heartbeat.
#[test]
fn promise_of_a_leader_that_died_at_once_does_not_keep_others_from_being_elected() {
    let (mut network, _) = led(3, &[(PRIORITY, 1)], None);
    assert_eq!(role(&network, 0), "leader");
    network.lose_all();
    // Server 2 takes over, and its Prepare reaches the others while no heartbeat of its does.
    network.act(2, |server, out| server.prepare(Ballot { n: 2, priority: 0, pid: NodeId(2) }, out));
    network.deliver("Prepare", 2, 0);
    network.deliver("Prepare", 2, 1);
    let links = |from: u8, to: u8| from != 2 && to != 2;
    (0..4).for_each(|_| {
        heartbeat_round(&mut network, &[0, 1], &links);
    });
    assert_eq!((role(&network, 0), ballot(&network, 1)), ("leader", (3, 0)));
}
