//! Single steps and small scenes, message by message, as the papers draw them.

use super::server::Role;
use super::storage::RaftLog;
use super::*;
use crate::core::{
    Answer, ClientId, Command, Effect, Message as _, Node, Op, Order, Out, Outcome, RuleId, RuleSet, Slot,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Servers without a world: messages lie in `mail` until a test delivers them.
struct Group {
    servers: BTreeMap<u8, Server>,
    configs: BTreeMap<u8, Config>,
    mail: Vec<(u8, u8, Message)>,
    replies: Vec<(ClientId, Answer)>,
    out: Out<Server>,
}

const S1: u8 = 0;
const S2: u8 = 1;
const S3: u8 = 2;
const S4: u8 = 3;
const S5: u8 = 4;

fn settings(choices: &[(crate::core::SettingId, u64)]) -> Settings {
    let mut settings = Settings::defaults(SETTINGS);
    choices.iter().for_each(|&(id, value)| settings.set(id, value));
    settings
}

fn setup(replicas: u8, choices: &[(crate::core::SettingId, u64)]) -> Setup {
    Setup { replicas, rtt_max: 10_000, settings: settings(choices), ablated: RuleSet::EMPTY }
}

fn without(rules: &[RuleId]) -> RuleSet {
    rules.iter().fold(RuleSet::EMPTY, |set, rule| set.or(RuleSet(1 << rule.0)))
}

fn write(seq: u32) -> Command {
    Command { client: ClientId(1), seq, op: Op::Write { key: 1, value: seq } }
}

/// A disk whose log has entries of these terms.
fn disk(term: u32, terms: &[u32]) -> Disk {
    let mut log = RaftLog::default();
    for (&term, seq) in terms.iter().zip(1..) {
        // Which command an entry holds depends on where and when it was written, as it does in life.
        log.push(Entry { term, payload: Payload::Command(write(term * 100 + seq)) });
    }
    Disk { term, log, ..Disk::default() }
}

fn terms(server: &Server) -> Vec<u32> {
    server.disk.log.iter_from(1).map(|(_, entry)| entry.term).collect()
}

impl Group {
    fn new(disks: Vec<Disk>, choices: &[(crate::core::SettingId, u64)], ablated: &[RuleId]) -> Group {
        let configs = Raft::cluster(&setup(disks.len() as u8, choices)).expect("good settings");
        let mut group = Group {
            servers: BTreeMap::new(),
            configs: (0..).zip(configs).collect(),
            mail: Vec::new(),
            replies: Vec::new(),
            out: Out::new(without(ablated)),
        };
        (0..).zip(disks).for_each(|(id, disk)| group.boot(id, disk));
        group
    }

    fn of(n: u8, ablated: &[RuleId]) -> Group {
        Group::new(vec![Disk::default(); usize::from(n)], &[(SETTING_PRE_VOTE, 0)], ablated)
    }

    fn boot(&mut self, id: u8, disk: Disk) {
        let config = self.configs[&id];
        let server = Server::boot(NodeId(id), &config, disk, &mut self.out);
        self.servers.insert(id, server);
        self.collect(id);
    }

    /// Crashes and restarts it.
    fn restart(&mut self, id: u8) {
        let disk = self.servers[&id].disk.clone();
        self.boot(id, disk);
    }

    fn collect(&mut self, from: u8) {
        for effect in self.out.drain() {
            match effect {
                Effect::Send(to, message) => self.mail.push((from, to.0, message)),
                Effect::Broadcast(to, message) => {
                    to.iter().for_each(|to| self.mail.push((from, to.0, message.clone())));
                }
                Effect::Reply(reply) => self.replies.push((reply.client, reply.answer)),
                _ => {}
            }
        }
        // What a server tells itself it hears before anything else.
        while let Some(index) = self.mail.iter().position(|(from, to, _)| from == to) {
            let (_, me, message) = self.mail.remove(index);
            self.hand(me, me, message);
        }
    }

    fn hand(&mut self, from: u8, to: u8, message: Message) {
        let Some(server) = self.servers.get_mut(&to) else { return };
        server.on_message(NodeId(from), &message, &mut self.out);
        self.collect(to);
    }

    fn timer(&mut self, id: u8, timer: Timer) {
        self.servers.get_mut(&id).unwrap().on_timer(timer, &mut self.out);
        self.collect(id);
    }

    /// Its election timeout runs out, both parts.
    fn time_out(&mut self, id: u8) {
        self.timer(id, Timer::MinimumTimeout);
        self.timer(id, Timer::ElectionTimeout);
    }

    fn request(&mut self, id: u8, command: Command) {
        self.servers.get_mut(&id).unwrap().on_request(command, &mut self.out);
        self.collect(id);
    }

    fn order(&mut self, id: u8, members: &[u8]) {
        let members = members.iter().map(|&id| NodeId(id)).collect();
        self.servers.get_mut(&id).unwrap().on_order(Order::Reconfigure(members), &mut self.out);
        self.collect(id);
    }

    /// Delivers, oldest first, all mail between any two of `among`, and what that leads to, until there is none. The rest stays.
    fn deliver(&mut self, among: &[u8]) {
        while let Some(index) = self.mail.iter().position(|(from, to, _)| among.contains(from) && among.contains(to)) {
            let (from, to, message) = self.mail.remove(index);
            self.hand(from, to, message);
        }
    }

    /// Loses all mail.
    fn lose(&mut self) {
        self.mail.clear();
    }

    fn leads(&self, id: u8) -> bool {
        self.servers[&id].leads().is_some()
    }

    /// Everybody forgets having heard from a leader.
    fn nobody_is_loyal(&mut self) {
        self.servers.values_mut().for_each(|server| server.loyal = false);
    }

    /// `id` is elected by `voters`, itself among them, and all other mail is lost.
    fn elect(&mut self, id: u8, voters: &[u8]) {
        self.nobody_is_loyal();
        self.timer(id, Timer::ElectionTimeout);
        while let Some(index) = self
            .mail
            .iter()
            .position(|(from, to, message)| voters.contains(from) && voters.contains(to) && message.kind().0 <= 5)
        {
            let (from, to, message) = self.mail.remove(index);
            self.hand(from, to, message);
        }
        assert!(self.leads(id));
    }

    fn commit(&self, id: u8) -> Slot {
        self.servers[&id].commit
    }
}

// Elections.

#[test]
fn a_server_votes_once_a_term_even_after_a_restart() {
    for (ablated, votes_twice) in [(&[][..], false), (&[VOTE_IS_DURABLE], true)] {
        let mut group = Group::of(3, ablated);
        group.nobody_is_loyal();
        group.hand(S2, S1, Message::RequestVote { term: 1, last_slot: 0, last_term: 0, transfer: false });
        group.restart(S1);
        group.nobody_is_loyal();
        group.hand(S3, S1, Message::RequestVote { term: 1, last_slot: 0, last_term: 0, transfer: false });
        assert_eq!(group.mail[0], (S1, S2, Message::RequestVoteReply { term: 1, granted: true }));
        assert_eq!(group.mail[1], (S1, S3, Message::RequestVoteReply { term: 1, granted: votes_twice }));
    }
}

#[test]
fn one_vote_a_term() {
    for (ablated, votes_twice) in [(&[][..], false), (&[ONE_VOTE], true)] {
        let mut group = Group::of(3, ablated);
        group.nobody_is_loyal();
        for candidate in [S2, S3] {
            group.hand(candidate, S1, Message::RequestVote { term: 1, last_slot: 0, last_term: 0, transfer: false });
        }
        assert_eq!(group.mail[1], (S1, S3, Message::RequestVoteReply { term: 1, granted: votes_twice }));
    }
}

#[test]
fn a_vote_goes_only_to_a_log_that_is_up_to_date() {
    // The later last term wins; with equal terms the longer log does.
    for (candidate, granted) in [((2, 9), false), ((3, 3), false), ((3, 4), true), ((3, 5), true), ((4, 1), true)] {
        for (ablated, in_force) in [(&[][..], true), (&[UP_TO_DATE], false)] {
            let mut group = Group::new(vec![disk(3, &[1, 2, 3, 3]), disk(3, &[])], &[], ablated);
            group.nobody_is_loyal();
            let (last_term, last_slot) = candidate;
            group.hand(S2, S1, Message::RequestVote { term: 5, last_slot, last_term, transfer: false });
            let granted = granted || !in_force;
            assert_eq!(group.mail, [(S1, S2, Message::RequestVoteReply { term: 5, granted })], "{candidate:?}");
        }
    }
}

#[test]
fn a_loyal_server_neither_votes_nor_adopts_the_term_unless_the_leader_asked_for_it() {
    let ask = |transfer| Message::RequestVote { term: 7, last_slot: 9, last_term: 6, transfer };
    let answer = |term, granted| Some((S1, S2, Message::RequestVoteReply { term, granted }));
    let heartbeat = Heartbeat { term: 5, prev_slot: 0, prev_term: 0, commit: 0, round: 1, read: false };
    for (ablated, loyal) in [(&[][..], true), (&[LEADER_STICKINESS], false)] {
        let mut group = Group::of(3, ablated);
        group.hand(S3, S1, Message::Heartbeat(heartbeat));
        group.lose();
        group.hand(S2, S1, ask(false));
        assert_eq!(group.mail.pop(), if loyal { answer(5, false) } else { answer(7, true) });
        group.hand(S2, S1, ask(true));
        assert_eq!(group.mail.pop(), answer(7, true));
    }
}

#[test]
fn with_leases_a_server_is_loyal_after_a_restart() {
    for (reads, granted) in [(0, true), (1, true), (2, false)] {
        let mut group = Group::new(vec![Disk::default(); 3], &[(SETTING_READS, reads)], &[]);
        group.hand(S2, S1, Message::RequestVote { term: 1, last_slot: 0, last_term: 0, transfer: false });
        let term = u32::from(granted);
        assert_eq!(group.mail, [(S1, S2, Message::RequestVoteReply { term, granted })]);
    }
}

#[test]
fn pre_vote_changes_nothing_on_the_voter() {
    let mut group = Group::new(vec![disk(3, &[1, 3]); 3], &[], &[]);
    group.nobody_is_loyal();
    let before = group.servers[&S1].disk.clone();
    group.hand(S2, S1, Message::PreVote { term: 9, last_slot: 2, last_term: 3 });
    assert_eq!(group.mail.pop(), Some((S1, S2, Message::PreVoteReply { term: 9, granted: true })));
    group.hand(S3, S1, Message::PreVote { term: 9, last_slot: 1, last_term: 1 });
    assert_eq!(group.mail.pop(), Some((S1, S3, Message::PreVoteReply { term: 3, granted: false })));
    assert_eq!(group.servers[&S1].disk, before);
}

#[test]
fn a_pre_candidate_raises_its_term_only_with_a_majority() {
    let mut group = Group::new(vec![Disk::default(); 3], &[], &[]);
    group.time_out(S1);
    assert!(matches!(group.servers[&S1].role, Role::PreCandidate { .. }));
    assert_eq!(group.servers[&S1].disk.term, 0);
    group.nobody_is_loyal();
    group.deliver(&[S1, S2]);
    assert!(group.leads(S1));
    assert_eq!(group.servers[&S1].disk.term, 1);
}

#[test]
fn a_server_that_is_refused_learns_the_term() {
    let mut group = Group::new(vec![disk(2, &[]), disk(6, &[]), disk(6, &[])], &[], &[]);
    group.nobody_is_loyal();
    group.timer(S1, Timer::ElectionTimeout);
    group.deliver(&[S1, S2, S3]);
    assert_eq!(group.servers[&S1].disk.term, 6);
    assert!(matches!(group.servers[&S1].role, Role::Follower));
    // Next time it asks for a term that can be had.
    group.timer(S1, Timer::ElectionTimeout);
    group.deliver(&[S1, S2, S3]);
    assert!(group.leads(S1));
}

// The log.

/// Figure 7 of the paper: the leader of term 8 and six ways in which a log can differ from its own.
#[test]
fn figure_7() {
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
    group.nobody_is_loyal();
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
fn figure_8() {
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
fn an_old_message_that_comes_late_deletes_nothing() {
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
fn a_follower_commits_no_further_than_it_agrees_with_its_leader() {
    let mut group = Group::new(vec![disk(3, &[1, 1, 2, 2]), disk(3, &[]), disk(3, &[])], &[], &[]);
    let heartbeat = Heartbeat { term: 3, prev_slot: 1, prev_term: 1, commit: 9, round: 1, read: false };
    group.hand(S2, S1, Message::Heartbeat(heartbeat));
    assert_eq!(group.commit(S1), 1);
    let entry = *group.servers[&S1].disk.log.get(2).expect("it holds four");
    let append = Append { term: 3, prev_slot: 1, prev_term: 1, commit: 9, entries: Entries::One(entry) };
    group.hand(S2, S1, Message::AppendEntries(append));
    assert_eq!((group.commit(S1), group.servers[&S1].disk.log.last()), (2, 4));
}

#[test]
fn messages_that_overtake_each_other_have_one_answer_each() {
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
fn the_leaders_own_copy_counts_when_it_is_written() {
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
fn a_log_that_is_not_durable_is_gone_after_a_restart() {
    for (ablated, left) in [(&[][..], 2), (&[LOG_IS_DURABLE], 0)] {
        let mut group = Group::new(vec![disk(1, &[1, 1])], &[], ablated);
        group.restart(S1);
        assert_eq!(group.servers[&S1].disk.log.last(), left);
    }
}

#[test]
fn a_command_asked_again_is_neither_appended_nor_executed_again() {
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

// Reads.

#[test]
fn a_read_needs_a_round_of_heartbeats_sent_after_it_came() {
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

// Snapshots.

fn snapshot(last: Slot, term: u32) -> Arc<Snapshot> {
    let configuration = Configuration::simple(NodeSet::first(3));
    Arc::new(Snapshot { last, term, configuration, machine: crate::services::Machine::default() })
}

#[test]
fn a_snapshot_replaces_a_log_that_differs_and_keeps_what_follows_on_one_that_agrees() {
    for (terms, last) in [(&[1, 1, 2, 2, 2][..], 5), (&[1, 1, 1, 1, 1], 3), (&[1], 3)] {
        let mut group = Group::new(vec![disk(3, terms); 3], &[], &[]);
        group.hand(S2, S1, Message::InstallSnapshot { term: 3, snapshot: snapshot(3, 2) });
        let server = &group.servers[&S1];
        assert_eq!((server.disk.log.first(), server.disk.log.last(), server.commit), (4, last, 3), "{terms:?}");
        assert_eq!(server.disk.log.term_at(3), Some(2));
        assert_eq!(group.mail, [(S1, S2, Message::InstallSnapshotReply { term: 3, slot: 3 })]);
    }
}

#[test]
fn a_snapshot_that_comes_late_changes_nothing() {
    let mut group = Group::new(vec![disk(3, &[1, 2, 2, 3]); 3], &[], &[]);
    group.hand(S2, S1, Message::InstallSnapshot { term: 3, snapshot: snapshot(3, 2) });
    let before = group.servers[&S1].disk.clone();
    group.hand(S2, S1, Message::InstallSnapshot { term: 3, snapshot: snapshot(2, 2) });
    assert_eq!(group.servers[&S1].disk, before);
}

#[test]
fn entries_that_a_snapshot_covers_are_taken_for_granted() {
    let mut group = Group::new(vec![disk(3, &[]); 3], &[], &[]);
    group.hand(S2, S1, Message::InstallSnapshot { term: 3, snapshot: snapshot(3, 2) });
    let entry = |term| Entry { term, ..Entry::default() };
    let entries = Entries::Many(Arc::new([entry(1), entry(2), entry(3), entry(3)]));
    group.hand(S2, S1, Message::AppendEntries(Append { term: 3, prev_slot: 1, prev_term: 1, commit: 0, entries }));
    let log = &group.servers[&S1].disk.log;
    assert_eq!((log.first(), log.last(), log.term_at(4)), (4, 5, Some(3)));
}

// Membership.

/// The bug in single-server changes that Ongaro reported to raft-dev on 10 July 2015, with four servers and a fifth to be added.
#[test]
fn two_single_server_changes_by_two_leaders() {
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
        group.nobody_is_loyal();
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
fn a_configuration_that_is_overwritten_is_not_in_force() {
    let mut group = Group::of(3, &[]);
    let before = group.servers[&S1].configuration();
    let entry = |term, payload| Entries::One(Entry { term, payload });
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
fn joint_consensus_asks_both_majorities() {
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
fn a_server_that_has_left_and_knows_it_stands_for_nothing() {
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
fn a_leader_that_is_removed_hands_over_and_steps_down() {
    let mut group = Group::of(3, &[]);
    group.elect(S1, &[S1, S2, S3]);
    group.deliver(&[S1, S2, S3]);
    group.order(S1, &[S2, S3]);
    group.deliver(&[S1, S2, S3]);
    assert!(!group.leads(S1));
    assert!(group.leads(S2) || group.leads(S3));
}

// Settings.

#[test]
fn timeouts_are_derived_from_the_longest_round_trip() {
    let config = |rtt_max| Raft::cluster(&Setup { rtt_max, ..setup(1, &[]) }).expect("good settings")[0];
    let wan = config(200_000);
    assert_eq!((wan.heartbeat, wan.election_min, wan.election_max), (200_000, 1_000_000, 2_000_000));
    let lan = config(300);
    assert_eq!((lan.heartbeat, lan.election_min, lan.election_max), (10_000, 50_000, 100_000));
    assert_eq!(lan.retry_ticks, 1);
}

#[test]
fn what_does_not_fit_is_refused_and_what_would_do_is_told() {
    let fails = |choices: &[_]| Raft::cluster(&setup(3, choices)).expect_err("it does not fit").0;
    assert_eq!(fails(&[(SETTING_ELECTION_MIN, 2_000), (SETTING_ELECTION_MAX, 1_000)]), "election_timeout_max");
    assert_eq!(fails(&[(SETTING_ELECTION_MIN, 2_000), (SETTING_HEARTBEAT, 2_000)]), "heartbeat");
    for choices in [
        &[(SETTING_ELECTION_MIN, 1)][..],
        &[(SETTING_ELECTION_MAX, 1)],
        &[(SETTING_ELECTION_MAX, 300_000)],
        &[(SETTING_HEARTBEAT, 3_600_000_000)],
    ] {
        match Raft::cluster(&setup(3, choices)) {
            Ok(configs) => assert!(configs[0].heartbeat < configs[0].election_min),
            Err((key, _)) => assert!(SETTINGS.iter().any(|setting| setting.key == key)),
        }
    }
}
