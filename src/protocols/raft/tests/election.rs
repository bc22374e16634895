//! Elections: votes, PreVote, leader stickiness (paper §5.2, §5.4.1; dissertation §4.2.3, §9.6).

use super::*;

#[test]
fn restarted_server_does_not_vote_again_in_its_term() {
    for (ablated, votes_twice) in [(&[][..], false), (&[VOTE_IS_DURABLE], true)] {
        let mut group = Group::of(3, ablated);
        group.let_minimum_timeouts_pass();
        group.hand(S2, S1, Message::RequestVote { term: 1, last_slot: 0, last_term: 0, transfer: false });
        group.restart(S1);
        group.let_minimum_timeouts_pass();
        group.hand(S3, S1, Message::RequestVote { term: 1, last_slot: 0, last_term: 0, transfer: false });
        assert_eq!(group.mail[0], (S1, S2, Message::RequestVoteReply { term: 1, granted: true }));
        assert_eq!(group.mail[1], (S1, S3, Message::RequestVoteReply { term: 1, granted: votes_twice }));
    }
}

#[test]
fn second_candidate_of_a_term_is_refused() {
    for (ablated, votes_twice) in [(&[][..], false), (&[ONE_VOTE], true)] {
        let mut group = Group::of(3, ablated);
        group.let_minimum_timeouts_pass();
        for candidate in [S2, S3] {
            group.hand(candidate, S1, Message::RequestVote { term: 1, last_slot: 0, last_term: 0, transfer: false });
        }
        assert_eq!(group.mail[1], (S1, S3, Message::RequestVoteReply { term: 1, granted: votes_twice }));
    }
}

#[test]
fn candidate_with_an_older_log_is_refused() {
    // The later last term wins; with equal terms the longer log does.
    for (candidate, granted) in [((2, 9), false), ((3, 3), false), ((3, 4), true), ((3, 5), true), ((4, 1), true)] {
        for (ablated, in_force) in [(&[][..], true), (&[UP_TO_DATE], false)] {
            let mut group = Group::new(vec![disk(3, &[1, 2, 3, 3]), disk(3, &[])], &[], ablated);
            group.let_minimum_timeouts_pass();
            let (last_term, last_slot) = candidate;
            group.hand(S2, S1, Message::RequestVote { term: 5, last_slot, last_term, transfer: false });
            let granted = granted || !in_force;
            assert_eq!(group.mail, [(S1, S2, Message::RequestVoteReply { term: 5, granted })], "{candidate:?}");
        }
    }
}

#[test]
fn server_that_hears_a_leader_refuses_votes_except_for_a_transfer() {
    let ask = |transfer| Message::RequestVote { term: 7, last_slot: 9, last_term: 6, transfer };
    let answer = |term, granted| Some((S1, S2, Message::RequestVoteReply { term, granted }));
    let heartbeat = Heartbeat { term: 5, prev_slot: 0, prev_term: 0, commit: 0, round: 1 };
    for (ablated, hears_leader) in [(&[][..], true), (&[LEADER_STICKINESS], false)] {
        let mut group = Group::of(3, ablated);
        group.hand(S3, S1, Message::Heartbeat(heartbeat));
        group.lose();
        group.hand(S2, S1, ask(false));
        assert_eq!(group.mail.pop(), if hears_leader { answer(5, false) } else { answer(7, true) });
        group.hand(S2, S1, ask(true));
        assert_eq!(group.mail.pop(), answer(7, true));
    }
}

#[test]
fn restarted_server_refuses_votes_for_the_minimum_timeout_if_leases_are_in_use() {
    for (reads, granted) in [(0, true), (1, true), (2, false)] {
        let mut group = Group::new(vec![Disk::default(); 3], &[(SETTING_READS, reads)], &[]);
        group.hand(S2, S1, Message::RequestVote { term: 1, last_slot: 0, last_term: 0, transfer: false });
        let term = u32::from(granted);
        assert_eq!(group.mail, [(S1, S2, Message::RequestVoteReply { term, granted })]);
    }
}

#[test]
fn pre_vote_leaves_the_voters_disk_unchanged() {
    let mut group = Group::new(vec![disk(3, &[1, 3]); 3], &[], &[]);
    group.let_minimum_timeouts_pass();
    let before = group.servers[&S1].disk.clone();
    group.hand(S2, S1, Message::PreVote { term: 9, last_slot: 2, last_term: 3 });
    assert_eq!(group.mail.pop(), Some((S1, S2, Message::PreVoteReply { term: 9, granted: true, ahead: false })));
    group.hand(S3, S1, Message::PreVote { term: 9, last_slot: 1, last_term: 1 });
    assert_eq!(group.mail.pop(), Some((S1, S3, Message::PreVoteReply { term: 3, granted: false, ahead: true })));
    assert_eq!(group.servers[&S1].disk, before);
}

#[test]
fn pre_candidate_raises_its_term_after_a_majority_of_pre_votes() {
    let mut group = Group::new(vec![Disk::default(); 3], &[], &[]);
    group.time_out(S1);
    assert!(matches!(group.servers[&S1].role, Role::PreCandidate { .. }));
    assert_eq!(group.servers[&S1].disk.term, 0);
    group.let_minimum_timeouts_pass();
    group.deliver(&[S1, S2]);
    assert!(group.leads(S1));
    assert_eq!(group.servers[&S1].disk.term, 1);
}

#[test]
fn refused_pre_candidate_adopts_the_higher_term() {
    let mut group = Group::new(vec![disk(2, &[]), disk(6, &[]), disk(6, &[])], &[], &[]);
    group.let_minimum_timeouts_pass();
    group.timer(S1, Timer::ElectionTimeout);
    group.deliver(&[S1, S2, S3]);
    assert_eq!(group.servers[&S1].disk.term, 6);
    assert!(matches!(group.servers[&S1].role, Role::Follower));
    // Next time it asks for a term that can be had.
    group.timer(S1, Timer::ElectionTimeout);
    group.deliver(&[S1, S2, S3]);
    assert!(group.leads(S1));
}
