//! Membership changes (paper §6; dissertation chapter 4).

use super::*;

/// The bug in single-server changes that Ongaro reported to raft-dev on 10 July 2015, with four servers and a fifth to be added.
#[test]
fn two_leaders_single_server_changes_do_not_both_commit() {
    for (ablated, lost) in [(&[][..], false), (&[CHANGE_AFTER_OWN_COMMIT], true)] {
        let choices = [(SETTING_PRE_VOTE, 0), (SETTING_MEMBERSHIP, 1)];
        let mut group = Group::new(vec![Disk::default(); 4], &choices, ablated);
        let config = Raft::newcomer(&setup(4, &choices), NodeId(S5)).expect("it can join");
        group.configs.insert(S5, config);
        group.boot(S5, Disk::default());
        // S1 leads term 1, everybody has its no-op, and S5 has caught up: S1 adds it. The change reaches S5 only.
        group.elect(S1, &[S1, S2, S3, S4]);
        group.deliver(&[S1, S2, S3, S4]);
        group.order(S1, &[S1, S2, S3, S4, S5]);
        group.deliver(&[S1, S5]);
        assert_eq!(group.servers[&S1].configuration().1.voters.len(), 5);
        assert_eq!(group.servers[&S2].configuration().1.voters.len(), 4);
        group.lose();
        // S2 leads term 2 with the votes of S3 and S4, and is asked to remove S1 at once. Only S3 hears of it.
        group.elect(S2, &[S2, S3, S4]);
        group.order(S2, &[S2, S3, S4]);
        let order = group.servers[&S2].configuration().0;
        assert_eq!(order > 0, lost, "with the rule, the change waits for the no-op");
        group.deliver(&[S2, S3]);
        let committed = lost && group.commit(S2) >= order;
        assert_eq!(committed, lost);
        group.lose();
        // S1 leads term 3 with the votes of S4 and S5: three of the five it knows of.
        group.let_minimum_timeouts_pass();
        group.timer(S1, Timer::ElectionTimeout);
        group.deliver(&[S1, S4, S5]);
        group.timer(S1, Timer::ElectionTimeout);
        group.deliver(&[S1, S4, S5]);
        let overwritten = group.leads(S1) && group.commit(S1) >= order;
        // Without the rule both have committed, each in the same slots and without the other.
        let differs = group.servers[&S1].disk.log.get(2) != group.servers[&S2].disk.log.get(2);
        assert!(group.leads(S1) && differs);
        assert_eq!(committed && overwritten, lost);
    }
}

/// A configuration is in force from the moment it is in the log, and no longer than that.
#[test]
fn overwritten_configuration_is_no_longer_in_force() {
    let mut group = Group::of(3, &[]);
    let before = group.servers[&S1].configuration();
    let entry = |term, payload| Entries::One(Entry { term, created: 0, payload });
    let append =
        |term, entries| Message::AppendEntries(Append { term, prev_slot: 0, prev_term: 0, commit: 0, entries });
    let next = Configuration::simple(NodeSet::first(2));
    group.hand(S2, S1, append(1, entry(1, Payload::Configuration(next))));
    assert_eq!(group.servers[&S1].configuration(), (1, next));
    group.restart(S1);
    assert_eq!(group.servers[&S1].configuration(), (1, next));
    group.hand(S3, S1, append(2, entry(2, Payload::Command(Command::NOOP))));
    assert_eq!(group.servers[&S1].configuration(), before);
}

#[test]
fn joint_configuration_commits_only_with_both_majorities() {
    for (ablated, joint) in [(&[][..], true), (&[JOINT_CONSENSUS], false)] {
        let mut group = Group::of(3, ablated);
        group.elect(S1, &[S1, S2, S3]);
        group.deliver(&[S1, S2, S3]);
        group.order(S1, &[S1]);
        let (_, configuration) = group.servers[&S1].configuration();
        assert_eq!(configuration.is_joint(), joint);
        // Alone it decides nothing, though it is all of C_new, until C_old agrees.
        let before = group.commit(S1);
        assert_eq!(before == 1, joint);
        group.deliver(&[S1, S2]);
        assert_eq!(group.servers[&S1].configuration().1, Configuration::simple(NodeSet::just(NodeId(S1))));
        assert_eq!(group.commit(S1), group.servers[&S1].disk.log.last());
    }
}

#[test]
fn removed_server_that_knows_it_starts_no_election() {
    let mut group = Group::of(3, &[]);
    group.elect(S1, &[S1, S2, S3]);
    group.deliver(&[S1, S2, S3]);
    group.order(S1, &[S1, S2]);
    group.deliver(&[S1, S2, S3]);
    assert!(!group.servers[&S3].may_campaign());
    group.time_out(S3);
    assert!(group.mail.is_empty());
    assert_eq!(group.servers[&S3].status().role, "non-voting");
}

#[test]
fn removed_leader_hands_over_and_steps_down() {
    let mut group = Group::of(3, &[]);
    group.elect(S1, &[S1, S2, S3]);
    group.deliver(&[S1, S2, S3]);
    group.order(S1, &[S2, S3]);
    group.deliver(&[S1, S2, S3]);
    assert!(!group.leads(S1));
    assert!(group.leads(S2) || group.leads(S3));
}

#[test]
fn newcomer_that_has_the_whole_log_is_sent_what_follows_at_once() {
    let choices = [(SETTING_PRE_VOTE, 0)];
    let mut group = Group::new(vec![Disk::default(); 3], &choices, &[]);
    group.elect(S1, &[S1, S2, S3]);
    group.deliver(&[S1, S2, S3]);
    let config = Raft::newcomer(&setup(3, &choices), NodeId(S4)).expect("it can join");
    group.configs.insert(S4, config);
    let log = group.servers[&S1].disk.log.clone();
    group.boot(S4, Disk { term: 1, log, ..Disk::default() });
    group.order(S1, &[S1, S2, S3, S4]);
    // No heartbeat is due meanwhile.
    group.deliver(&[S1, S4]);
    let last = group.servers[&S1].disk.log.last();
    assert_eq!((last, group.servers[&S4].disk.log.last()), (2, 2), "the change of members");
}
