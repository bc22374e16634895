//! Message counts of Raft against its formulas: commands, elections, reads, leadership transfer.

use super::*;
use quorumscope::core::node::Protocol;

/// The sizes every count is checked for.
const SIZES: [u8; 4] = [3, 5, 7, 9];

fn others(n: u8) -> u64 {
    u64::from(n) - 1
}

/// Elects a leader, lets `group` ask for a while, and waits for the last answer.
fn after_load(blueprint: &Blueprint, group: ClientGroup) -> Lab {
    let mut lab = Lab::new(&Blueprint { clients: vec![group], ..blueprint.clone() });
    lab.settle();
    lab.run_for(300_000);
    lab.clear_counts();
    assert_eq!(lab.world.waiting(), 0, "clients begin later");
    lab.run_for(2_000_000);
    assert!(lab.act(Action::Quiesce));
    lab.run_till(1_000_000, |lab| lab.world.is_quiet());
    assert!(lab.world.counts().answered > 20);
    assert_eq!(lab.world.counts().answered, lab.world.counts().asked);
    lab
}

#[test]
fn command_costs_two_messages_per_peer() {
    for n in SIZES {
        for pace in [
            Pace::Closed { sessions: 1, think: 0 },
            Pace::Closed { sessions: 50, think: 1_000 },
            Pace::Open { gap: 2_000 },
            Pace::Open { gap: 20_000 },
        ] {
            let lab = after_load(&quiet(n, 3), clients(pace, 0, 1_000_000));
            let answered = lab.world.counts().answered;
            assert_eq!(lab.sent_besides_heartbeats(), 2 * others(n) * answered, "n = {n}, {pace:?}");
            assert_eq!(lab.sent("AppendEntries"), others(n) * answered);
            assert_eq!(lab.sent("AppendEntriesReply"), others(n) * answered);
            let formula = Raft::CARD.formulas[0].count;
            assert_eq!(formula(u32::from(n), &Settings::defaults(raft::SETTINGS)), Some(2 * others(n) as u32));
        }
    }
}

/// With reordering, slow disks and processing time the count stays the same.
#[test]
fn command_costs_no_more_under_reordering_and_slow_disks() {
    for n in SIZES {
        let mut blueprint = quiet(n, 4);
        blueprint.topology.jitter_permille = 300;
        blueprint.topology.disk = 500;
        blueprint.topology.processing = 20;
        let lab = after_load(&blueprint, clients(Pace::Open { gap: 1_500 }, 0, 1_000_000));
        assert!(lab.world.rules_used().has(raft::IN_ORDER), "messages did overtake each other");
        assert_eq!(lab.sent_besides_heartbeats(), 2 * others(n) * lab.world.counts().answered, "n = {n}");
    }
}

/// A wide range of election timeouts, so that there is one candidate only.
fn one_candidate(n: u8, pre_vote: u64) -> Blueprint {
    let settings = [
        (raft::SETTING_PRE_VOTE, pre_vote),
        (raft::SETTING_ELECTION_MIN, 200_000),
        (raft::SETTING_ELECTION_MAX, 60_000_000),
    ];
    with(quiet(n, 9), &settings)
}

#[test]
fn election_costs_two_messages_per_peer_and_pre_vote_as_many_again() {
    for n in SIZES {
        for pre_vote in [0, 1] {
            let mut lab = Lab::new(&one_candidate(n, pre_vote));
            lab.settle();
            lab.run_for(100_000);
            let election = lab.sent("RequestVote") + lab.sent("RequestVoteReply");
            let asking_first = lab.sent("PreVote") + lab.sent("PreVoteReply");
            assert_eq!(election, 2 * others(n), "n = {n}");
            assert_eq!(asking_first, 2 * others(n) * pre_vote, "n = {n}");
            assert_eq!(lab.sent_in(&[Phase::Refuse]), 0);
            // The no-op is an entry like any other.
            assert_eq!(lab.sent_besides_heartbeats(), election + asking_first + 2 * others(n));
            assert_eq!(lab.watch.leadership_intervals().count(), 1);
        }
    }
}

#[test]
fn read_through_the_log_costs_as_much_as_a_write() {
    for n in SIZES {
        let lab = after_load(&quiet(n, 5), clients(Pace::Open { gap: 5_000 }, 100, 1_000_000));
        assert_eq!(lab.sent_besides_heartbeats(), 2 * others(n) * lab.world.counts().answered);
    }
}

#[test]
fn read_index_round_costs_two_messages_per_peer() {
    for n in SIZES {
        let blueprint = with(quiet(n, 6), &[(raft::SETTING_READS, 1)]);
        let one = after_load(&blueprint, clients(Pace::Closed { sessions: 1, think: 0 }, 100, 1_000_000));
        assert_eq!(one.sent_besides_heartbeats(), 2 * others(n) * one.world.counts().answered, "a round for each read");
        // Fifty sessions that ask at once, again and again: one round serves them all.
        let many = after_load(&blueprint, clients(Pace::Closed { sessions: 50, think: 0 }, 100, 1_000_000));
        // The first of a batch starts a round at once, and the others share the next one.
        let per_round = 2 * others(n);
        let rounds = many.sent_besides_heartbeats() / per_round;
        assert_eq!(many.sent_besides_heartbeats(), rounds * per_round);
        assert!(rounds * 10 < many.world.counts().answered, "{rounds} rounds, {} reads", many.world.counts().answered);
        assert_eq!(many.sent_in(&[Phase::Read]), rounds * per_round);
    }
}

#[test]
fn lease_read_costs_no_message() {
    for n in SIZES {
        let blueprint = with(quiet(n, 7), &[(raft::SETTING_READS, 2)]);
        let lab = after_load(&blueprint, clients(Pace::Open { gap: 1_000 }, 100, 1_000_000));
        assert_eq!(lab.sent_besides_heartbeats(), 0, "n = {n}");
        assert!(lab.history.reads > 100);
    }
}

#[test]
fn transfer_costs_one_message_and_an_election() {
    for n in SIZES {
        // A heartbeat of the old leader that meets the new term would be refused, and count: keep them far apart.
        let mut lab = Lab::new(&with(quiet(n, 8), &[(raft::SETTING_HEARTBEAT, 400_000)]));
        let leader = lab.settle();
        lab.run_for(430_000);
        lab.clear_counts();
        let successor = lab.others(leader)[0];
        assert!(lab.act(Action::HandOver(successor)));
        lab.run_till(1_000_000, |lab| lab.leader() == Some(successor));
        lab.run_for(5_000);
        assert_eq!(lab.sent("TimeoutNow"), 1);
        assert_eq!(lab.sent("RequestVote") + lab.sent("RequestVoteReply"), 2 * others(n));
        assert_eq!(lab.sent("PreVote"), 0);
        assert_eq!(lab.sent_in(&[Phase::Refuse]), 0);
    }
}
