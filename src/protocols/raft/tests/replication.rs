//! Log replication, reads and snapshots (paper §5.3, §5.4.2, §7; dissertation §6.4).

use super::*;

/// Figure 7 of the paper: the leader of term 8 and six ways in which a log can differ from its own.
#[test]
fn figure_7_followers_end_with_the_leaders_log_after_one_refusal_a_term() {
    let leader = &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let followers: [(&str, &[u32], usize); 6] = [
        ("a", &[1, 1, 1, 4, 4, 5, 5, 6, 6], 1),
        ("b", &[1, 1, 1, 4], 1),
        ("c", &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], 0),
        ("d", &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], 0),
        ("e", &[1, 1, 1, 4, 4, 4, 4], 2),
        ("f", &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], 2),
    ];
    let mut disks = vec![disk(7, leader)];
    disks.extend(followers.iter().map(|(_, terms, _)| disk(7, terms)));
    let mut group = Group::new(disks, &[], &[]);
    // Elected by (a), (b), (e) and (f), with its own vote: the others' logs are further than its own.
    group.let_minimum_timeouts_pass();
    group.timer(S1, Timer::ElectionTimeout);
    let mut refusals = BTreeMap::new();
    while !group.mail.is_empty() {
        let (from, to, message) = group.mail.remove(0);
        if matches!(message, Message::AppendEntriesReply { conflict: Some(_), .. }) {
            *refusals.entry(from).or_insert(0) += 1;
        }
        group.hand(from, to, message);
    }
    assert!(group.leads(S1));
    let all: Vec<u32> = leader.iter().copied().chain([8]).collect();
    let expected = group.servers[&S1].disk.log.clone();
    for (id, (name, _, refused)) in (1..).zip(followers) {
        assert_eq!(terms(&group.servers[&id]), all, "({name})");
        assert_eq!(group.servers[&id].disk.log, expected, "({name})");
        // One refusal for each term to skip, not one for each entry.
        assert_eq!(refusals.get(&id).copied().unwrap_or(0), refused, "({name})");
    }
    assert_eq!(group.commit(S1), 11);
}

/// Figure 8 of the paper, up to (c): an entry of an earlier term is on a majority, and yet not committed.
#[test]
fn figure_8_entry_of_an_earlier_term_on_a_majority_is_not_committed() {
    for (ablated, commits) in [(&[][..], false), (&[COMMIT_OWN_TERM], true)] {
        let disks = vec![disk(3, &[1, 2]), disk(3, &[1, 2]), disk(3, &[1]), disk(3, &[1]), disk(3, &[1, 3])];
        let mut group = Group::new(disks, &[(SETTING_PRE_VOTE, 0)], ablated);
        group.elect(S1, &[S1, S2, S3]);
        // The entry of term 2 gets to S3, but not yet the leader's own of term 4.
        for id in [S2, S3] {
            group.hand(id, S1, Message::AppendEntriesReply { term: 4, slot: 2, conflict: None });
        }
        assert_eq!(group.commit(S1) >= 2, commits);
        // So S5 can still be elected, in term 5, and overwrite it (d).
        group.timer(S5, Timer::ElectionTimeout);
        group.lose();
        group.elect(S5, &[S3, S4, S5]);
    }
}

#[test]
fn late_append_entries_deletes_no_acknowledged_entry() {
    for (ablated, kept) in [(&[][..], 3), (&[DELETE_CONFLICTS_ONLY], 1)] {
        let mut group = Group::of(3, ablated);
        group.elect(S1, &[S1, S2]);
        let late = group.mail.iter().find(|(_, to, _)| *to == S2).cloned().expect("the no-op for S2");
        (1..=2).for_each(|seq| group.request(S1, write(seq)));
        group.deliver(&[S1, S2]);
        assert_eq!(group.servers[&S2].disk.log.last(), 3);
        group.hand(late.0, late.1, late.2);
        assert_eq!(group.servers[&S2].disk.log.last(), kept);
    }
}

/// Entries beyond those that the leader has just vouched for may be another leader's.
#[test]
fn leader_commit_beyond_the_checked_prefix_is_not_applied() {
    let mut group = Group::new(vec![disk(3, &[1, 1, 2, 2]), disk(3, &[]), disk(3, &[])], &[], &[]);
    let heartbeat = Heartbeat { term: 3, prev_slot: 1, prev_term: 1, commit: 9, round: 1 };
    group.hand(S2, S1, Message::Heartbeat(heartbeat));
    assert_eq!(group.commit(S1), 1);
    let entry = *group.servers[&S1].disk.log.get(2).expect("it holds four");
    let append = Append { term: 3, prev_slot: 1, prev_term: 1, commit: 9, entries: Entries::One(entry) };
    group.hand(S2, S1, Message::AppendEntries(append));
    assert_eq!((group.commit(S1), group.servers[&S1].disk.log.last()), (2, 4));
}

#[test]
fn reordered_append_entries_get_one_answer_each() {
    let mut group = Group::of(3, &[]);
    group.elect(S1, &[S1, S2]);
    group.deliver(&[S1, S2]);
    (1..=4).for_each(|seq| group.request(S1, write(seq)));
    let mut mail: Vec<_> = group.mail.drain(..).filter(|(_, to, _)| *to == S2).collect();
    assert_eq!(mail.len(), 4);
    mail.reverse();
    mail.into_iter().for_each(|(from, to, message)| group.hand(from, to, message));
    let slots: Vec<Slot> = group.mail.iter().map(|(.., message)| message.slot()).collect();
    assert_eq!(slots, [2, 3, 4, 5]);
    group.deliver(&[S1, S2]);
    assert_eq!(group.commit(S1), 5);
}

#[test]
fn leaders_own_copy_counts_once_it_is_written() {
    let mut group = Group::of(3, &[]);
    group.elect(S1, &[S1, S2]);
    group.deliver(&[S1, S2]);
    let leader = group.servers.get_mut(&S1).unwrap();
    leader.on_request(write(1), &mut group.out);
    let effects = group.out.drain();
    let at = |wanted: &dyn Fn(&Effect<Message, Timer>) -> bool| effects.iter().position(wanted).expect("an effect");
    let sent = at(&|effect| matches!(effect, Effect::Broadcast(_, Message::AppendEntries(_))));
    let saved = at(&|effect| matches!(effect, Effect::Save));
    let written = at(&|effect| matches!(effect, Effect::Send(NodeId(S1), Message::Written { .. })));
    assert!(sent < saved && saved < written, "to the followers first, and to itself once it is on the disk");
    // One follower of two is no majority until then.
    group.hand(S2, S1, Message::AppendEntriesReply { term: 1, slot: 2, conflict: None });
    assert_eq!(group.commit(S1), 1);
    group.hand(S1, S1, Message::Written { term: 1, slot: 2 });
    assert_eq!(group.commit(S1), 2);
}

#[test]
fn restart_without_durable_log_loses_all_entries() {
    for (ablated, left) in [(&[][..], 2), (&[LOG_IS_DURABLE], 0)] {
        let mut group = Group::new(vec![disk(1, &[1, 1])], &[], ablated);
        group.restart(S1);
        assert_eq!(group.servers[&S1].disk.log.last(), left);
    }
}

#[test]
fn repeated_command_is_neither_appended_nor_executed_again() {
    let mut group = Group::of(3, &[]);
    group.elect(S1, &[S1, S2]);
    group.request(S1, write(1));
    group.request(S1, write(1));
    assert_eq!(group.servers[&S1].disk.log.last(), 2);
    group.deliver(&[S1, S2]);
    assert_eq!(group.replies, [(ClientId(1), Answer::Done(Outcome::Done))]);
    group.request(S1, write(1));
    assert_eq!(group.servers[&S1].disk.log.last(), 2);
    assert_eq!(group.replies.len(), 2);
}

#[test]
fn read_index_answers_no_read_that_arrived_after_its_round() {
    let read = |client, seq| Command { client: ClientId(client), seq, op: Op::Read { key: 1 } };
    let mut group = Group::new(vec![Disk::default(); 3], &[(SETTING_PRE_VOTE, 0), (SETTING_READS, 1)], &[]);
    group.elect(S1, &[S1, S2, S3]);
    group.deliver(&[S1, S2, S3]);
    group.request(S1, read(1, 1));
    // S2 still follows S1 when it answers the round, but the answer takes its time.
    let (from, to, heartbeat) = group.mail.remove(group.mail.iter().position(|(_, to, _)| *to == S2).expect("a round"));
    group.hand(from, to, heartbeat);
    let late = group.mail.pop().expect("its answer");
    // S3 takes over and commits a write, and only then S1 gets another read.
    group.lose();
    group.elect(S3, &[S2, S3]);
    group.request(S3, write(1));
    group.deliver(&[S2, S3]);
    group.request(S1, read(2, 1));
    group.replies.clear();
    group.hand(late.0, late.1, late.2);
    // The first read began before the write, and may be answered; the second may not.
    assert_eq!(group.replies, [(ClientId(1), Answer::Done(Outcome::Value(None)))]);
}

fn snapshot(last: Slot, term: u32) -> Arc<Snapshot> {
    let configuration = Configuration::simple(NodeSet::first(3));
    Arc::new(Snapshot { last, term, created: 0, configuration, machine: crate::services::Machine::default() })
}

#[test]
fn install_snapshot_keeps_later_entries_only_of_a_matching_log() {
    for (terms, last) in [(&[1, 1, 2, 2, 2][..], 5), (&[1, 1, 1, 1, 1], 3), (&[1], 3)] {
        let mut group = Group::new(vec![disk(3, terms); 3], &[], &[]);
        group.hand(S2, S1, Message::InstallSnapshot { term: 3, snapshot: snapshot(3, 2) });
        let server = &group.servers[&S1];
        assert_eq!((server.disk.log.first(), server.disk.log.last(), server.commit), (4, last, 3), "{terms:?}");
        assert_eq!(server.disk.log.term_at(3), Some(2));
        assert_eq!(group.mail, [(S1, S2, Message::InstallSnapshotReply { term: 3, slot: 3 })]);
    }
    // Entries that it has acknowledged are lost.
    let mut group = Group::new(vec![disk(3, &[1, 1, 2, 2, 2]); 3], &[], &[SNAPSHOT_KEEPS_REST]);
    group.hand(S2, S1, Message::InstallSnapshot { term: 3, snapshot: snapshot(3, 2) });
    assert_eq!(group.servers[&S1].disk.log.last(), 3);
}

#[test]
fn late_install_snapshot_changes_nothing() {
    let mut group = Group::new(vec![disk(3, &[1, 2, 2, 3]); 3], &[], &[]);
    group.hand(S2, S1, Message::InstallSnapshot { term: 3, snapshot: snapshot(3, 2) });
    let before = group.servers[&S1].disk.clone();
    group.hand(S2, S1, Message::InstallSnapshot { term: 3, snapshot: snapshot(2, 2) });
    assert_eq!(group.servers[&S1].disk, before);
}

#[test]
fn append_entries_skips_entries_that_the_snapshot_covers() {
    let mut group = Group::new(vec![disk(3, &[]); 3], &[], &[]);
    group.hand(S2, S1, Message::InstallSnapshot { term: 3, snapshot: snapshot(3, 2) });
    let entry = |term| Entry { term, ..Entry::default() };
    let entries = Entries::Many(Arc::new([entry(1), entry(2), entry(3), entry(3)]));
    group.hand(S2, S1, Message::AppendEntries(Append { term: 3, prev_slot: 1, prev_term: 1, commit: 0, entries }));
    let log = &group.servers[&S1].disk.log;
    assert_eq!((log.first(), log.last(), log.term_at(4)), (4, 5, Some(3)));
}

#[test]
fn follower_that_has_installed_a_snapshot_is_sent_what_follows_at_once() {
    let mut ahead = disk(1, &[1, 1, 1]);
    ahead.log.compact_to(3);
    ahead.snapshot = Some(snapshot(3, 1));
    let mut group = Group::new(vec![ahead.clone(), ahead, disk(1, &[])], &[(SETTING_PRE_VOTE, 0)], &[]);
    group.elect(S1, &[S1, S2]);
    // No heartbeat is due meanwhile.
    group.deliver(&[S1, S2, S3]);
    assert_eq!(group.servers[&S3].disk.log.last(), 4);
}

#[test]
fn late_append_entries_that_begins_before_the_snapshot_adds_nothing() {
    let mut compacted = disk(2, &[1; 5]);
    compacted.log.compact_to(3);
    compacted.snapshot = Some(snapshot(3, 1));
    let mut group = Group::new(vec![compacted, disk(2, &[]), disk(2, &[])], &[], &[]);
    let entries = disk(2, &[1; 5]).log.entries(2, 8);
    let late = Append { term: 2, prev_slot: 1, prev_term: 1, commit: 3, entries };
    group.hand(S2, S1, Message::AppendEntries(late));
    assert_eq!(group.servers[&S1].disk.log.last(), 5);
    assert_eq!(terms(&group.servers[&S1]), [1, 1]);
}

#[test]
fn acknowledgements_shown_are_of_those_that_have_the_next_slot() {
    let mut group = Group::of(5, &[]);
    group.elect(S1, &[S1, S2, S3]);
    group.deliver(&[S1, S2]);
    let tally = group.servers[&S1].status().tally.expect("one entry is not committed");
    let held: NodeSet = [NodeId(S1), NodeId(S2)].into_iter().collect();
    assert_eq!((tally.slot, tally.from, tally.need), (1, held, 3));
}

#[test]
fn digest_tells_states_apart() {
    let mut group = Group::of(3, &[]);
    group.elect(S1, &[S1, S2]);
    let before = group.servers[&S1].machine_digest();
    group.request(S1, write(1));
    group.deliver(&[S1, S2]);
    assert!(before.is_some() && group.servers[&S1].machine_digest() != before);
}

#[test]
fn inherited_lease_serves_no_read_of_what_an_uncommitted_entry_may_change() {
    let lease_guard = [(SETTING_READS, Reads::LeaseGuard as u64), (SETTING_PRE_VOTE, 0)];
    let mut group = Group::new(vec![disk(1, &[1, 1]); 3], &lease_guard, &[]);
    group.elect(S1, &[S1, S2]);
    // The first entry is known to be committed; the second, a write of key 1, is in limbo.
    group.servers.get_mut(&S1).expect("it runs").commit = 1;
    let read = |client: u16, key| Command { client: ClientId(client), seq: 1, op: Op::Read { key } };
    group.request(S1, read(7, 1));
    assert_eq!(group.replies, []);
    group.request(S1, read(8, 2));
    assert_eq!(group.replies, [(ClientId(8), Answer::Done(Outcome::Value(None)))]);
}
