//! Recovery: explicit prepare (figure 3) as EPaxos* has corrected it (Ryabinin, Gotsman, Sutra, OPODIS 2025).
//!
//! Whoever misses a commit takes the instance over in a higher ballot. A majority Q reports. What is accepted in the highest ballot is
//! adopted. If the owner is in Q, it has not taken the fast path and never will, so a no-op is safe. Otherwise the owner may have taken the
//! fast path, if all but e of Q have pre-accepted its own attributes. Then Q looks for interfering instances that contradict this, where
//! neither depends on the other. If such a one is undecided, either could have taken the fast path, so the recovery waits for it;
//! unless it shows by numbers alone that this instance has not.

use super::message::{Msg, Report};
use super::record::{Phase, Record, Value, interfere, owner};
use super::rules::*;
use super::{Server, Stage, Validation, number};
use crate::core::{Ballot, Instance, NodeId, NodeSet, Out};
use crate::facts;
use std::sync::Arc;

impl Server {
    /// Begins a ballot of its own, above all that it has heard of.
    pub(super) fn recover(&mut self, at: Instance, out: &mut Out<Server>) {
        let (me, others, replicas) = (self.me, self.all().without(self.me), self.config.replicas);
        let seen = self.place(at).map_or(Ballot::ZERO, |place| self.open[place].1.seen);
        let record = self.disk.record(at, replicas);
        let ballot = record.promised.max(seen).next(me);
        out.because(TAKES_OVER, facts![at.lane, at.slot, ballot]);
        let report = promise(record, at, ballot, out);
        out.save_entries(number(at));
        out.broadcast(others, Msg::Prepare { at, ballot });
        out.send(me, Msg::PrepareReply { at, ballot, report });
        self.begin(at, ballot, Stage::Preparing { reports: Vec::new() }, out);
    }

    pub(super) fn on_prepare(&mut self, from: NodeId, at: Instance, ballot: Ballot, out: &mut Out<Server>) {
        if self.tell_committed(from, at, out) {
            return;
        }
        let record = self.disk.record(at, self.config.replicas);
        if ballot <= record.promised && out.rule(REFUSES, facts![at.lane, at.slot, record.promised]) {
            return out.send(from, Msg::Nack { at, promised: record.promised });
        }
        out.because(PROMISES, facts![ballot, at.lane, at.slot]);
        let report = promise(record, at, ballot, out);
        out.save_entries(number(at));
        out.send(from, Msg::PrepareReply { at, ballot, report });
        self.give_way(at, ballot, out);
    }

    pub(super) fn on_prepare_reply(
        &mut self,
        from: NodeId,
        (at, ballot): (Instance, Ballot),
        report: &Report,
        out: &mut Out<Server>,
    ) {
        let slow = self.config.slow;
        let Some((own, stage)) = self.stage(at) else { return };
        if own != ballot {
            return;
        }
        match stage {
            Stage::Preparing { reports } => {
                if reports.iter().any(|(node, _)| *node == from) {
                    return;
                }
                reports.push((from, report.clone()));
                if reports.len() < usize::from(slow.need()) {
                    let from: NodeSet = reports.iter().map(|(node, _)| *node).collect();
                    return out.tell(COUNTS_REPORTS, facts![at.lane, at.slot, from]);
                }
                let reports = std::mem::take(reports);
                self.decide(at, &reports, out);
            }
            // Late, from outside of the quorum: it may make waiting unnecessary.
            Stage::Waiting(validation) if !validation.quorum.has(from) => match &report.value {
                Some(value) if report.phase == Phase::Accepted && adopts(at, report.accepted, out) => {
                    self.accept(at, &Arc::clone(value), NodeSet::just(from), out);
                }
                _ if from == owner(at) => {
                    out.because(OWNER_GAVE_UP, facts![at.lane, at.slot, from]);
                    self.accept(at, &Value::noop(), NodeSet::just(from), out);
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// A majority has reported: what may be accepted in the own ballot?
    fn decide(&mut self, at: Instance, reports: &[(NodeId, Report)], out: &mut Out<Server>) {
        let quorum: NodeSet = reports.iter().map(|(node, _)| *node).collect();
        let accepted = reports.iter().filter(|(_, report)| report.phase == Phase::Accepted);
        if let Some((_, Report { accepted, value: Some(value), .. })) =
            accepted.max_by_key(|(_, report)| report.accepted)
            && adopts(at, *accepted, out)
        {
            return self.accept(at, value, quorum, out);
        }
        if quorum.has(owner(at)) {
            out.because(OWNER_GAVE_UP, facts![at.lane, at.slot, owner(at)]);
            return self.accept(at, &Value::noop(), quorum, out);
        }
        let unchanged = || reports.iter().filter(|(_, report)| report.phase == Phase::PreAccepted && report.unchanged);
        let support = unchanged().map(|(node, _)| *node).collect::<NodeSet>();
        let owners = unchanged().find_map(|(_, report)| report.value.as_ref());
        let enough = support.len() + self.config.errors >= quorum.len();
        let Some(value) = owners.filter(|_| enough && out.rule(MAY_BE, facts![at.lane, at.slot, support])) else {
            out.because(CANNOT_BE, facts![at.lane, at.slot, support]);
            return self.accept(at, &Value::noop(), quorum, out);
        };
        if !out.rule(ASKS_TO_VALIDATE, facts![at.lane, at.slot, quorum]) {
            return self.accept(at, value, quorum, out);
        }
        let Some((ballot, stage)) = self.stage(at) else { return };
        *stage = Stage::Validating {
            validation: Validation { quorum, support: support.len(), value: Arc::clone(value), against: Vec::new() },
            replies: NodeSet::EMPTY,
            committed: false,
        };
        out.broadcast(quorum, Msg::Validate { at, ballot, value: Arc::clone(value) });
    }

    pub(super) fn on_validate(
        &mut self,
        from: NodeId,
        (at, ballot): (Instance, Ballot),
        value: &Arc<Value>,
        out: &mut Out<Server>,
    ) {
        if self.tell_committed(from, at, out) {
            return;
        }
        let record = self.disk.record(at, self.config.replicas);
        if ballot != record.promised {
            return out.send(from, Msg::Nack { at, promised: record.promised });
        }
        // Whoever validates an interfering instance later has to find this one.
        record.initial = Some(Arc::clone(value));
        self.interference.note(at, value);
        out.save_entries(number(at));
        let (against, committed) = self.against(at, value);
        match against.len() as u32 {
            0 => out.tell(KNOWS_NOTHING_AGAINST, facts![at.lane, at.slot]),
            count => out.because(FINDS_AGAINST, facts![at.lane, at.slot, count]),
        }
        out.send(from, Msg::ValidateReply { at, ballot, against, committed });
    }

    /// The interfering instances that do not depend on `at`, nor `value` on them; and whether one of them is committed.
    fn against(&self, at: Instance, value: &Value) -> (Vec<Instance>, bool) {
        let (mut against, mut committed) = (Vec::new(), false);
        for (place, lane) in self.disk.lanes.iter().enumerate() {
            if self.interference.last(value, place) <= value.deps[place] {
                continue;
            }
            for (slot, record) in lane.iter_from(value.deps[place] + 1) {
                let other = Instance { lane: place as u16 + 1, slot };
                let its = if record.phase == Phase::Committed { &record.value } else { &record.initial };
                let Some(its) = its else { continue };
                if other != at && interfere(its.command, value.command) && !its.depends_on(at) {
                    against.push(other);
                    committed |= record.phase == Phase::Committed;
                }
            }
        }
        (against, committed)
    }

    pub(super) fn on_validate_reply(
        &mut self,
        from: NodeId,
        (at, ballot): (Instance, Ballot),
        (against, committed): (&[Instance], bool),
        out: &mut Out<Server>,
    ) {
        let config = self.config;
        let Some((own, Stage::Validating { validation, replies, committed: any })) = self.stage(at) else { return };
        if own != ballot || !replies.add(from) {
            return;
        }
        *any |= committed;
        for other in against {
            if !validation.against.contains(other) {
                validation.against.push(*other);
            }
        }
        if !validation.quorum.minus(*replies).is_empty() {
            return;
        }
        let (contradicted, validation) = (*any, validation.clone());
        let Validation { quorum, support, ref value, ref against } = validation;
        if against.is_empty() {
            out.because(NOTHING_AGAINST, facts![at.lane, at.slot]);
            return self.accept(at, value, quorum, out);
        }
        // With no more support than this, everybody outside of the quorum must have been in the fast-path quorum; also the owner of the other
        // instance, which then would have known of this one when it proposed that.
        let all_others = support + config.errors == quorum.len();
        if contradicted || all_others && against.iter().any(|other| !quorum.has(owner(*other))) {
            out.because(CONTRADICTED, facts![at.lane, at.slot]);
            return self.accept(at, &Value::noop(), quorum, out);
        }
        if !out.rule(WAITS, facts![at.lane, at.slot]) {
            return self.accept(at, &Value::noop(), quorum, out);
        }
        out.broadcast(self.all().without(self.me), Msg::Waiting { at, support });
        let against = against.clone();
        if let Some((_, stage)) = self.stage(at) {
            *stage = Stage::Waiting(validation);
        }
        against.iter().for_each(|other| self.expect(*other, out));
        self.look_again(out);
    }

    /// Looks at all recoveries that wait: what they wait for may be committed by now.
    pub(super) fn look_again(&mut self, out: &mut Out<Server>) {
        let waiting = |(at, open): &(Instance, super::Open)| match &open.stage {
            Stage::Waiting(validation) => Some((*at, validation.clone())),
            _ => None,
        };
        let all: Vec<(Instance, Validation)> = self.open.iter().filter_map(waiting).collect();
        if all.len() > 1 {
            // Several instances are going to change.
            out.save();
        }
        for (at, Validation { quorum, value, against, .. }) in all {
            let its = |other: &Instance| self.disk.get(*other).and_then(Record::committed);
            let contradicts = |its: &Arc<Value>| interfere(its.command, value.command) && !its.depends_on(at);
            if against.iter().filter_map(its).any(contradicts) {
                out.because(CONTRADICTED, facts![at.lane, at.slot]);
                self.accept(at, &Value::noop(), quorum, out);
            } else if against.iter().all(|other| its(other).is_some()) {
                out.because(NOTHING_AGAINST, facts![at.lane, at.slot]);
                self.accept(at, &value, quorum, out);
            }
        }
    }

    /// Another recovery waits as well. If so many replicas have pre-accepted its instance, which does not depend on those that wait for it here,
    /// then too few are left for these to have taken the fast path.
    pub(super) fn on_waiting(&mut self, other: Instance, support: u8, out: &mut Out<Server>) {
        if support + self.config.errors <= self.config.slow.need() {
            return;
        }
        let waits_for = |(at, open): &(Instance, super::Open)| match &open.stage {
            Stage::Waiting(validation) if validation.against.contains(&other) => Some((*at, validation.quorum)),
            _ => None,
        };
        let all: Vec<(Instance, NodeSet)> = self.open.iter().filter_map(waits_for).collect();
        if all.len() > 1 {
            out.save();
        }
        for (at, quorum) in all {
            out.because(CONTRADICTED, facts![at.lane, at.slot]);
            self.accept(at, &Value::noop(), quorum, out);
        }
    }

    pub(super) fn on_nack(&mut self, at: Instance, promised: Ballot) {
        if let Ok(place) = self.place(at) {
            let seen = &mut self.open[place].1.seen;
            *seen = promised.max(*seen);
        }
    }

    /// Somebody uses this ballot: leaves the instance to them, for a while.
    pub(super) fn give_way(&mut self, at: Instance, ballot: Ballot, out: &mut Out<Server>) {
        match self.place(at) {
            Ok(place) if self.open[place].1.ballot < ballot => {
                self.begin(at, Ballot::ZERO, Stage::Awaiting, out);
            }
            Ok(_) => {}
            Err(_) => self.expect(at, out),
        }
    }
}

/// Promises a ballot; returns the report of what was accepted before.
fn promise(record: &mut Record, at: Instance, ballot: Ballot, out: &mut Out<Server>) -> Report {
    let mut accepted = record.accepted;
    // With one ballot for both, what was promised last passes for the ballot of what was accepted.
    if record.promised != accepted
        && record.phase == Phase::Accepted
        && !out.rule(REPORTS_ACCEPTED_BALLOT, facts![at.lane, at.slot, accepted, record.promised])
    {
        accepted = record.promised;
    }
    record.promised = ballot;
    let unchanged = record.phase == Phase::PreAccepted && record.is_unchanged();
    Report { accepted, phase: record.phase, unchanged, value: record.value.clone() }
}

/// Whether a value reported to be accepted in this ballot, the highest, is adopted.
fn adopts(at: Instance, accepted: Ballot, out: &mut Out<Server>) -> bool {
    match accepted.is_real() {
        true => out.rule(ADOPTS, facts![at.lane, at.slot, accepted]),
        false => out.rule(ADOPTS_FROM_OWNER, facts![at.lane, at.slot]),
    }
}
