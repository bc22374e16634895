//! The commit protocol (figure 2): the command leader proposes a command with the interfering ones that it knows; if a fast-path quorum
//! knows no others, one round trip commits it; otherwise the union of what they know goes through a Paxos-Accept phase.

use super::message::Msg;
use super::record::{Phase, Record, Value, owner};
use super::rules::*;
use super::{Server, Stage, number};
use crate::core::{Ballot, ClientId, Command, Instance, NodeId, NodeSet, Out};
use crate::facts;
use std::sync::Arc;

/// So many of `all`: `me`, then those of each group in turn, then any.
fn choose(number: u8, me: NodeId, groups: [NodeSet; 2], all: NodeSet) -> NodeSet {
    let mut chosen = NodeSet::just(me);
    for node in groups.iter().chain([&all]).flat_map(|group| group.iter()) {
        if chosen.len() < number {
            chosen.add(node);
        }
    }
    chosen
}

impl Server {
    /// Phase 1 at the command leader: a new instance for `command`.
    pub(super) fn propose(&mut self, command: Command, out: &mut Out<Server>) {
        let config = self.config;
        let lane = u16::from(self.me.0) + 1;
        let at = Instance { lane, slot: self.disk.last(usize::from(self.me.0)) + 1 };
        let mut value = Value { command, seq: 1, deps: vec![0; usize::from(config.replicas)] };
        self.interference.add_to(&mut value, None);
        out.because(GIVES_ATTRIBUTES, facts![command, lane, at.slot, value.seq]);
        let value = Arc::new(value);
        self.interference.note(at, &value);
        let record = Record {
            phase: Phase::PreAccepted,
            value: Some(Arc::clone(&value)),
            initial: Some(Arc::clone(&value)),
            ..Record::default()
        };
        *self.disk.record(at, config.replicas) = record;
        out.save_entries(number(at));
        let to = if config.thrifty { self.quorum } else { self.all() };
        out.broadcast(to.without(self.me), Msg::PreAccept { at, value: Arc::clone(&value) });
        let stage = Stage::PreAccepting { replies: NodeSet::just(self.me), unchanged: true, merged: value };
        self.begin(at, Ballot::ZERO, stage, out);
        self.count_replies(at, false, out);
    }

    pub(super) fn on_pre_accept(&mut self, from: NodeId, at: Instance, value: &Arc<Value>, out: &mut Out<Server>) {
        if self.tell_committed(from, at, out) {
            return;
        }
        let record = self.disk.record(at, self.config.replicas);
        if record.promised.is_real() && out.rule(REFUSES, facts![at.lane, at.slot, record.promised]) {
            return out.send(from, Msg::Nack { at, promised: record.promised });
        }
        match (record.phase, &record.value) {
            (Phase::Initial, _) => {}
            // It comes again: the first reply may have been lost.
            (Phase::PreAccepted, Some(value)) => {
                return out.send(from, Msg::PreAcceptReply { at, value: Arc::clone(value) });
            }
            _ => return,
        }
        let mut own = Value::clone(value);
        self.interference.add_to(&mut own, Some(at));
        let own = if own.same_attributes(value) || !out.rule(ADDS, facts![at.lane, at.slot, own.seq]) {
            out.tell(ADDS_NOTHING, facts![at.lane, at.slot]);
            Arc::clone(value)
        } else {
            Arc::new(own)
        };
        self.interference.note(at, &own);
        let record = self.disk.record(at, self.config.replicas);
        record.phase = Phase::PreAccepted;
        (record.value, record.initial) = (Some(Arc::clone(&own)), Some(Arc::clone(value)));
        out.save_entries(number(at));
        out.send(from, Msg::PreAcceptReply { at, value: own });
        self.expect(at, out);
    }

    pub(super) fn on_pre_accept_reply(
        &mut self,
        from: NodeId,
        at: Instance,
        value: &Arc<Value>,
        out: &mut Out<Server>,
    ) {
        let Some(initial) = self.disk.get(at).and_then(|record| record.initial.clone()) else { return };
        let Some((_, Stage::PreAccepting { replies, unchanged, merged })) = self.stage(at) else { return };
        if !replies.add(from) {
            return;
        }
        if !value.same_attributes(&initial) {
            *unchanged = false;
            if out.rule(MERGES, facts![at.lane, at.slot, from]) {
                Arc::make_mut(merged).merge(value);
            }
        }
        self.count_replies(at, false, out);
    }

    /// Commits on the fast path, or goes over to the slow path; `late`: does not wait for more than a majority any longer.
    pub(super) fn count_replies(&mut self, at: Instance, late: bool, out: &mut Out<Server>) {
        let config = self.config;
        let Some((Ballot::ZERO, Stage::PreAccepting { replies, unchanged, merged })) = self.stage(at) else { return };
        let (replies, mut unchanged, merged) = (*replies, *unchanged, Arc::clone(merged));
        let (fast, slow) = (config.fast.is_quorum(replies), config.slow.is_quorum(replies));
        if late && !self.quorum.minus(replies).is_empty() {
            let all = self.all();
            self.quorum = choose(config.fast.need(), self.me, [replies, all.minus(self.quorum)], all);
        }
        if fast && !unchanged && config.fast_path && !out.rule(ATTRIBUTES_DIFFER, facts![at.lane, at.slot]) {
            unchanged = true;
        }
        if fast && unchanged && config.fast_path {
            out.because(TAKES_FAST_PATH, facts![at.lane, at.slot, replies]);
            let Some(value) = self.disk.get(at).and_then(|record| record.initial.clone()) else { return };
            self.commit(at, &value, out);
        } else if slow && (!unchanged || !config.fast_path || late) {
            self.accept(at, &merged, replies, out);
        } else {
            out.tell(COUNTS_REPLIES, facts![at.lane, at.slot, replies]);
        }
    }

    /// Phase 2, in the ballot under way: asks a majority, those who are known to answer first, this replica among them.
    pub(super) fn accept(&mut self, at: Instance, value: &Arc<Value>, answered: NodeSet, out: &mut Out<Server>) {
        let (me, all, need) = (self.me, self.all(), self.config.slow.need());
        let Some((ballot, stage)) = self.stage(at) else { return };
        out.because(TAKES_SLOW_PATH, facts![at.lane, at.slot, value.seq]);
        *stage = Stage::Accepting { acks: NodeSet::EMPTY, value: Arc::clone(value) };
        let to = choose(need, me, [answered, NodeSet::EMPTY], all);
        out.broadcast(to, Msg::Accept { at, ballot, value: Arc::clone(value) });
        self.set_timer(at, out);
    }

    pub(super) fn on_accept(
        &mut self,
        from: NodeId,
        at: Instance,
        ballot: Ballot,
        value: &Arc<Value>,
        out: &mut Out<Server>,
    ) {
        if self.tell_committed(from, at, out) {
            return;
        }
        let record = self.disk.record(at, self.config.replicas);
        if ballot < record.promised && out.rule(REFUSES, facts![at.lane, at.slot, record.promised]) {
            return out.send(from, Msg::Nack { at, promised: record.promised });
        }
        match ballot.is_real() {
            true => out.because(ACCEPTS, facts![at.lane, at.slot, ballot]),
            false => out.because(ACCEPTS_FROM_OWNER, facts![at.lane, at.slot]),
        }
        record.promised = record.promised.max(ballot);
        (record.accepted, record.phase, record.value) = (ballot, Phase::Accepted, Some(Arc::clone(value)));
        self.interference.note(at, value);
        out.save_entries(number(at));
        out.send(from, Msg::AcceptReply { at, ballot });
        self.give_way(at, ballot, out);
    }

    pub(super) fn on_accept_reply(&mut self, from: NodeId, at: Instance, ballot: Ballot, out: &mut Out<Server>) {
        let slow = self.config.slow;
        let Some((own, Stage::Accepting { acks, value })) = self.stage(at) else { return };
        if own != ballot || !acks.add(from) {
            return;
        }
        if !slow.is_quorum(*acks) {
            return out.tell(COUNTS_ACKS, facts![at.lane, at.slot, *acks]);
        }
        let (acks, value) = (*acks, Arc::clone(value));
        out.because(COMMITS, facts![at.lane, at.slot, acks]);
        self.commit(at, &value, out);
    }

    /// It is committed. Nobody is told before that is on the disk: on the fast path, this replica alone knows.
    fn commit(&mut self, at: Instance, value: &Arc<Value>, out: &mut Out<Server>) {
        self.save_committed(at, value, out);
        if let Some((_, stage)) = self.stage(at) {
            *stage = Stage::Committing;
        }
        out.send(self.me, Msg::Commit { at, value: Arc::clone(value) });
    }

    fn save_committed(&mut self, at: Instance, value: &Arc<Value>, out: &mut Out<Server>) {
        self.interference.note(at, value);
        let record = self.disk.record(at, self.config.replicas);
        (record.phase, record.value) = (Phase::Committed, Some(Arc::clone(value)));
        out.save_entries(number(at));
    }

    pub(super) fn on_commit(&mut self, from: NodeId, at: Instance, value: &Arc<Value>, out: &mut Out<Server>) {
        if from == self.me {
            out.because(COMMITS_WHEN_SAVED, facts![at.lane, at.slot]);
            out.broadcast(self.all().without(self.me), Msg::Commit { at, value: Arc::clone(value) });
        }
        if self.disk.get(at).is_none_or(|record| record.phase != Phase::Committed) {
            self.save_committed(at, value, out);
        } else if self.place(at).is_err() {
            return;
        }
        let missed = self.end(at, out);
        self.learn(at, out);
        if missed && from != self.me {
            self.ask_for_missed(at, from, out);
        }
        if owner(at) == self.me && value.command == Command::NOOP {
            self.propose_again(at, out);
        }
        self.look_again(out);
    }

    /// It had to go after an instance, so whatever else that depends on it may have missed as well. Who knew of the commit is asked for that at
    /// once: unlike a recovery, to ask disturbs nobody who still leads such an instance.
    fn ask_for_missed(&mut self, at: Instance, from: NodeId, out: &mut Out<Server>) {
        let missing = self.missing(at);
        if !missing.is_empty() {
            out.because(ASKS_FOR_MISSED, facts![at.lane, at.slot, from]);
        }
        for at in missing {
            if let Ok(place) = self.place(at)
                && self.open[place].1.tries == 0
                && self.open[place].1.stage == Stage::Awaiting
            {
                self.open[place].1.tries = 1;
                out.send(from, Msg::Ask { at });
            }
        }
    }

    /// A no-op in an own instance: its command needs another one, unless it was executed.
    fn propose_again(&mut self, at: Instance, out: &mut Out<Server>) {
        let Some(initial) = self.disk.get(at).and_then(|record| record.initial.clone()) else { return };
        let command = initial.command;
        if command.client != ClientId::NOBODY && self.outcome(command).is_none() && !self.is_under_way(command) {
            out.because(PROPOSES_AGAIN, facts![command]);
            self.propose(command, out);
            // Two instances have changed.
            out.save();
        }
    }

    /// Answers whatever comes about a committed instance with its value; tells whether it is.
    pub(super) fn tell_committed(&self, to: NodeId, at: Instance, out: &mut Out<Server>) -> bool {
        let value = self.disk.get(at).and_then(|record| record.committed());
        let Some(value) = value else { return false };
        if to != self.me && self.is_learned(at) {
            out.send(to, Msg::Commit { at, value: Arc::clone(value) });
        }
        true
    }
}
