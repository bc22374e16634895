//! Revocation: all three phases of Paxos, in a higher round, for instances of a server that is suspected to have failed (Rule 3, Optimization 3).
//! An owner takes up its own instances the same way where others have promised a higher round.

use super::message::{Msg, Range, Report, Values};
use super::rules::*;
use super::{DOUBLINGS, DOUBTS, Server, Timer, WINDOW};
use crate::core::{Ballot, Command, NodeId, NodeSet, Out, Slot};
use crate::facts;
use std::sync::Arc;

/// A revocation under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Revocation {
    pub ballot: Ballot,
    pub range: Range,
    /// Who has answered in this phase.
    pub answers: NodeSet,
    pub phase: Phase,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Phase 1, with the best report of each instance so far.
    Prepare(Vec<Report>),
    /// Phase 2.
    Propose(Values),
}

impl Server {
    /// Sets the timer after which `node` is suspected, if nothing is heard of it.
    pub(super) fn expect(&mut self, node: NodeId, out: &mut Out<Server>) {
        let time = self.config.suspicion << self.doubts[usize::from(node.0)];
        out.set_timer(Timer::Suspicion(u32::from(node.0)), time, time);
    }

    pub(super) fn suspect(&mut self, node: NodeId, out: &mut Out<Server>) {
        out.because(SUSPECTS, facts![node]);
        self.suspected.add(node);
    }

    /// The suspicion was false: the next one takes twice as long.
    pub(super) fn trust(&mut self, node: NodeId, out: &mut Out<Server>) {
        out.because(TRUSTS, facts![node]);
        self.suspected.remove(node);
        let doubts = &mut self.doubts[usize::from(node.0)];
        *doubts = (*doubts + 1).min(DOUBTS);
        // Perhaps a partition is over.
        (self.tries, self.preempted) = (0, 0);
        self.expect(node, out);
        if let Some(Revocation { range, phase: Phase::Prepare(_), .. }) = &self.revocation
            && range.owner == node
        {
            self.revocation = None;
        }
    }

    /// The paper's C: the first instance of `owner` that is not learned here.
    pub(super) fn first_unlearned(&mut self, owner: NodeId) -> Slot {
        let place = usize::from(owner.0);
        let mut slot = self.learned_before[place].max(self.next_of(owner, self.executed));
        while self.disk.is_learned(slot) {
            slot += Slot::from(self.config.replicas);
        }
        self.learned_before[place] = slot;
        slot
    }

    /// Optimization 3: revokes what a suspected server owns up to I+2β, if less than β are revoked. The first server after it that is not
    /// suspected does so at once, the others when their turn comes.
    pub(super) fn revoke_if_due(&mut self, turn: bool, out: &mut Out<Server>) {
        if self.revocation.is_some() {
            return;
        }
        for owner in self.suspected.iter() {
            let (first, index, beta) = (self.first_unlearned(owner), self.index(), self.config.beta);
            if first >= index + beta {
                continue;
            }
            let n = self.config.replicas;
            let between = (1..n).map(|step| NodeId((owner.0 + step) % n)).take_while(|node| *node != self.me);
            let rank = between.filter(|node| !self.suspected.has(*node)).count() as u64;
            if rank == 0 || turn {
                // The last instance of the owner up to there.
                let last = self.next_of(owner, index + 2 * beta) - Slot::from(n);
                return self.revoke(Range { owner, first, last }, out);
            }
            if !self.revocation_waits {
                self.revocation_waits = true;
                out.tell(WAITS_FOR_TURN, facts![owner]);
                out.set_timer(Timer::Revocation, rank * self.config.resend, rank * self.config.resend);
            }
        }
    }

    /// The own instances for which others have promised a higher round: begins one itself.
    pub(super) fn take_up_contested(&mut self, out: &mut Out<Server>) {
        let mut contested = self.own_open().filter(|open| open.contested).map(|open| open.slot);
        let Some(first) = contested.next() else { return };
        let last = contested.last().unwrap_or(first);
        if self.revocation.is_none() {
            self.revoke(Range { owner: self.me, first, last }, out);
        }
    }

    /// Phase 1, in a round above all that were heard of.
    fn revoke(&mut self, range: Range, out: &mut Out<Server>) {
        let Range { owner, first, last } = range;
        let ballot = self.seen.next(self.me);
        match owner == self.me {
            true => out.because(TAKES_UP, facts![first, last, ballot]),
            false => out.because(REVOKES, facts![first, last, owner, ballot]),
        }
        self.seen = ballot;
        let reports = self.promise(ballot, range, out);
        self.revocation =
            Some(Revocation { ballot, range, answers: NodeSet::EMPTY, phase: Phase::Prepare(Vec::new()) });
        out.broadcast(self.others(), Msg::Prepare { ballot, range });
        out.send(self.me, Msg::Ack { ballot, range, reports });
        self.revocation_waits = true;
        self.set_revocation_timer(out);
    }

    fn set_revocation_timer(&mut self, out: &mut Out<Server>) {
        let time = self.config.resend << self.preempted;
        out.set_timer(Timer::Revocation, time, 2 * time);
    }

    pub(super) fn on_revocation_timer(&mut self, out: &mut Out<Server>) {
        self.revocation_waits = false;
        // If the range's first instances are decided, others may have forgotten them and cannot answer.
        if self.revocation.as_ref().is_some_and(|of| self.disk.is_learned(of.range.first)) {
            self.revocation = None;
        }
        let Some(Revocation { ballot, range, answers, phase }) = self.revocation.clone() else {
            return self.revoke_if_due(true, out);
        };
        let rest = self.others().minus(answers);
        out.because(REVOKES_AGAIN, facts![range.first, range.last, ballot]);
        match phase {
            Phase::Prepare(_) => out.broadcast(rest, Msg::Prepare { ballot, range }),
            Phase::Propose(values) => out.broadcast(rest, Msg::Propose { ballot, range, values }),
        }
        self.preempted = (self.preempted + 1).min(DOUBLINGS);
        self.revocation_waits = true;
        self.set_revocation_timer(out);
    }

    fn slots(&self, range: Range) -> impl Iterator<Item = Slot> + use<> {
        (range.first..=range.last).step_by(usize::from(self.config.replicas))
    }

    /// The highest round promised for any of these instances.
    fn promised(&self, range: Range) -> Ballot {
        let held = self.slots(range).filter_map(|slot| self.disk.records.get(slot));
        held.map(|record| record.promised).max().unwrap_or_default()
    }

    /// Promises a round for instances, and reports what is accepted and learned in them.
    fn promise(&mut self, ballot: Ballot, range: Range, out: &mut Out<Server>) -> Arc<Vec<Report>> {
        let mut reports = Vec::new();
        out.save_entries(range.first);
        if range.owner == self.me {
            self.move_index(self.next_of(self.me, range.last), out);
        }
        for slot in self.slots(range) {
            // What the owner never suggested, and never will, is a no-op.
            let skipped = range.owner == self.me && slot < self.index();
            let Some(record) = self.disk.record(slot) else { continue };
            record.promised = record.promised.max(ballot);
            match record.value {
                Some(command) => {
                    reports.push(Report { slot, accepted: record.accepted, learned: record.learned, command });
                }
                None if skipped => {
                    reports.push(Report { slot, accepted: Ballot::ZERO, learned: true, command: Command::NOOP });
                }
                None => {}
            }
        }
        Arc::new(reports)
    }

    pub(super) fn on_prepare(&mut self, from: NodeId, ballot: Ballot, range: Range, out: &mut Out<Server>) {
        self.seen = self.seen.max(ballot);
        if range.last > self.executed + WINDOW {
            return;
        }
        if range.first < self.disk.records.first() {
            return out.send(from, Msg::Snapshot { snapshot: Arc::clone(&self.disk.snapshot) });
        }
        let promised = self.promised(range);
        if ballot < promised && out.rule(REFUSES, facts![range.first, promised]) {
            return out.send(from, Msg::Nack { ballot, slot: range.first, promised, upto: range.last });
        }
        out.because(PROMISES, facts![ballot, range.first, range.last, range.owner]);
        let reports = self.promise(ballot, range, out);
        out.send(from, Msg::Ack { ballot, range, reports });
    }

    pub(super) fn on_ack(&mut self, from: NodeId, ballot: Ballot, reports: &[Report], out: &mut Out<Server>) {
        let quorum = self.config.quorum;
        let Some(Revocation { ballot: own, range, answers, phase: Phase::Prepare(best) }) = &mut self.revocation else {
            return;
        };
        if *own != ballot || !answers.add(from) {
            return;
        }
        let rank = |report: &Report| (report.learned, report.accepted);
        for report in reports {
            match best.iter_mut().find(|other| other.slot == report.slot) {
                Some(other) if rank(other) < rank(report) => *other = *report,
                Some(_) => {}
                None => best.push(*report),
            }
        }
        let (range, answers) = (*range, *answers);
        if !quorum.is_quorum(answers) {
            return out.tell(COUNTS_ACKS, facts![range.first, range.last, answers]);
        }
        let best = std::mem::take(best);
        let values = Arc::new(self.choose_values(range, &best, out));
        self.preempted = 0;
        self.revocation =
            Some(Revocation { ballot, range, answers: NodeSet::EMPTY, phase: Phase::Propose(Arc::clone(&values)) });
        out.broadcast(self.others().with(self.me), Msg::Propose { ballot, range, values });
        self.set_revocation_timer(out);
    }

    /// What may have been chosen in the instances of a range, by the reports of a majority; elsewhere nothing, which stands for a no-op. Only
    /// the owner may propose a command of its own.
    fn choose_values(&self, range: Range, best: &[Report], out: &mut Out<Server>) -> Vec<(Slot, Command)> {
        let mut values = Vec::new();
        let suggested = |slot| self.own_open().find(|open| open.slot == slot).and_then(|open| open.command);
        // For the ablation: some command of its own.
        let other = self.own_open().find_map(|open| open.command);
        let mut told = false;
        for slot in self.slots(range) {
            let report = best.iter().find(|report| report.slot == slot);
            if let Some(Report { accepted, command, .. }) = report
                && out.rule(ADOPTS, facts![slot, *command, *accepted])
            {
                if *command != Command::NOOP {
                    values.push((slot, *command));
                }
            } else if range.owner == self.me {
                values.extend(suggested(slot).map(|command| (slot, command)));
            } else if !told && !out.rule(PROPOSES_NOOPS, facts![range.first, range.last, range.owner]) {
                values.extend(other.map(|command| (slot, command)));
            } else {
                told = true;
            }
        }
        values
    }

    pub(super) fn on_propose(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        range: Range,
        values: &Values,
        out: &mut Out<Server>,
    ) {
        self.seen = self.seen.max(ballot);
        if range.last > self.executed + WINDOW {
            return;
        }
        // What it promised for instances that it has forgotten, it has forgotten, too. They are chosen.
        if range.first < self.disk.records.first() {
            return out.send(from, Msg::Snapshot { snapshot: Arc::clone(&self.disk.snapshot) });
        }
        let promised = self.promised(range);
        if ballot < promised && out.rule(REFUSES, facts![range.first, promised]) {
            return out.send(from, Msg::Nack { ballot, slot: range.first, promised, upto: range.last });
        }
        out.because(ACCEPTS_RANGE, facts![range.first, range.last, ballot]);
        for slot in self.slots(range) {
            let Some(record) = self.disk.record(slot).filter(|record| !record.learned) else { continue };
            record.promised = record.promised.max(ballot);
            (record.accepted, record.value) = (ballot, Some(value(values, slot)));
        }
        out.save_entries(range.first);
        if range.owner == self.me {
            self.move_index(self.next_of(self.me, range.last), out);
        }
        out.send(from, Msg::AcceptProposal { ballot, range });
    }

    pub(super) fn on_accept_proposal(&mut self, from: NodeId, ballot: Ballot, out: &mut Out<Server>) {
        let quorum = self.config.quorum;
        let Some(Revocation { ballot: own, range, answers, phase: Phase::Propose(values) }) = &mut self.revocation
        else {
            return;
        };
        if *own != ballot || !answers.add(from) || !quorum.is_quorum(*answers) {
            return;
        }
        let (range, values) = (*range, Arc::clone(values));
        out.because(LEARNS_RANGE, facts![range.first, range.last, *answers]);
        self.revocation = None;
        self.revocation_waits = false;
        out.cancel(Timer::Revocation);
        out.broadcast(self.others(), Msg::LearnRange { range, values: Arc::clone(&values) });
        self.learn_range(range, &values, out);
    }

    pub(super) fn learn_range(&mut self, range: Range, values: &Values, out: &mut Out<Server>) {
        self.slots(range).for_each(|slot| self.learn(slot, value(values, slot), out));
    }

    /// A higher round is promised: gives way to it. An own suggestion waits for its outcome; new ones go behind all that is promised.
    pub(super) fn on_nack(&mut self, ballot: Ballot, slot: Slot, promised: Ballot, upto: Slot, out: &mut Out<Server>) {
        self.seen = self.seen.max(promised);
        if ballot.is_real() {
            if self.revocation.as_ref().is_some_and(|revocation| revocation.ballot == ballot) {
                out.because(GIVES_WAY, facts![ballot, promised]);
                self.revocation = None;
                self.preempted = (self.preempted + 1).min(DOUBLINGS);
                self.revocation_waits = true;
                self.set_revocation_timer(out);
            }
            return;
        }
        if promised.is_real()
            && let Ok(place) = self.open.binary_search_by_key(&slot, |open| open.slot)
        {
            out.because(IS_CONTESTED, facts![slot, promised]);
            self.open[place].contested = true;
        }
        if upto <= self.executed + WINDOW {
            self.move_index(self.next_of(self.me, upto), out);
        }
    }
}

fn value(values: &Values, slot: Slot) -> Command {
    values.binary_search_by_key(&slot, |(slot, _)| *slot).map_or(Command::NOOP, |place| values[place].1)
}
