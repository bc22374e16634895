//! A participant: votes, obeys, and when in doubt asks.

use super::*;
use crate::facts;

/// A transaction voted for, of which the decision is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Doubt {
    pub at: Slot,
    command: Command,
    /// How often it has asked.
    pub asked: u8,
    /// Who is known to be in doubt as well.
    pub uncertain: NodeSet,
}

impl Server {
    pub(super) fn on_prepare(&mut self, from: NodeId, at: Slot, command: Command, out: &mut Out<Server>) {
        match self.record(at) {
            _ if self.is_forgotten(at) => {}
            Record::Unknown => self.vote(from, at, command, out),
            // The vote may have been lost.
            Record::Prepared(_) => out.send(from, Msg::VoteYes { at }),
            Record::Aborted { .. } => out.send(from, Msg::VoteNo { at }),
            // It was decided, so the votes have arrived.
            Record::Committed { .. } | Record::Started(_) => {}
        }
    }

    fn vote(&mut self, coordinator: NodeId, at: Slot, command: Command, out: &mut Out<Server>) {
        let holder = self.doubts.iter().find(|doubt| conflict(&doubt.command, &command)).map(|doubt| doubt.at);
        let holder = holder.filter(|holder| out.rule(VOTES_NO_FOR_LOCK, facts![at, *holder]));
        if holder.is_some() || self.refuses(out) {
            self.abort_unilaterally(at, out);
            out.send(coordinator, Msg::VoteNo { at });
            // The coordinator is there, and may know what became of the one that has the lock.
            return holder.into_iter().for_each(|at| self.ask(at, out));
        }
        out.because(VOTES_YES, facts![at]);
        // In doubt first: a log is cut off only before what is not settled.
        self.doubts.push(Doubt { at, command, asked: 0, uncertain: NodeSet::EMPTY });
        self.force(at, Record::Prepared(command), out);
        out.send(coordinator, Msg::VoteYes { at });
        out.set_timer(Timer::Doubt(at), self.config.timeout, self.config.timeout);
    }

    /// The decision is known.
    fn settle(&mut self, at: Slot, out: &mut Out<Server>) {
        self.doubts.retain(|doubt| doubt.at != at);
        out.cancel(Timer::Doubt(at));
    }

    /// The decision is to commit, says the coordinator or another participant.
    pub(super) fn on_commit(&mut self, from: NodeId, at: Slot, out: &mut Out<Server>) {
        let acknowledged = self.config.acknowledged(true);
        match self.record(at) {
            Record::Prepared(command) => {
                let record = Record::Committed { command, ended: true };
                if acknowledged {
                    self.force(at, record, out)
                } else {
                    self.note(at, record)
                }
                out.applied(at, command);
                self.settle(at, out);
            }
            Record::Aborted { .. } if !out.rule(STAYS_ABORTED, facts![at]) => return,
            Record::Committed { .. } | Record::Aborted { .. } | Record::Unknown | Record::Started(_) => {}
        }
        if acknowledged && from == COORDINATOR {
            out.send(from, Msg::Ack { at });
        }
    }

    /// The decision is to abort, says the coordinator or another participant.
    pub(super) fn on_abort(&mut self, from: NodeId, at: Slot, out: &mut Out<Server>) {
        let acknowledged = self.config.acknowledged(false);
        match self.record(at) {
            _ if self.is_forgotten(at) => {}
            Record::Aborted { .. } => {}
            Record::Committed { .. } if out.rule(STAYS_COMMITTED, facts![at]) => {}
            // One that comes before the question must be known when that comes.
            Record::Unknown | Record::Prepared(_) | Record::Committed { .. } | Record::Started(_) => {
                self.aborted(at, true, acknowledged, out);
                self.settle(at, out);
            }
        }
        if acknowledged && from == COORDINATOR {
            out.send(from, Msg::Ack { at });
        }
    }

    pub(super) fn decision_missing(&mut self, at: Slot, out: &mut Out<Server>) {
        if !self.doubts.iter().any(|doubt| doubt.at == at) {
            return;
        }
        if !out.rule(STAYS_IN_DOUBT, facts![at]) {
            self.aborted(at, true, true, out);
            return self.settle(at, out);
        }
        self.ask(at, out);
    }

    /// Asks for the decision.
    fn ask(&mut self, at: Slot, out: &mut Out<Server>) {
        let (others, config) = (self.others(), self.config);
        let Some(doubt) = self.doubts.iter_mut().find(|doubt| doubt.at == at) else { return };
        if doubt.asked > 0 {
            out.because(ASKS_AGAIN, facts![at]);
        }
        doubt.asked = doubt.asked.saturating_add(1);
        let patience = config.patience(doubt.asked);
        let to = if config.cooperative { others } else { NodeSet::just(COORDINATOR) };
        if config.cooperative {
            out.because(ASKS_OTHERS, facts![at]);
        }
        out.broadcast(to, Msg::DecisionReq { at });
        out.set_timer(Timer::Doubt(at), patience, patience);
    }

    /// Answers another participant in doubt.
    pub(super) fn help(&mut self, from: NodeId, at: Slot, out: &mut Out<Server>) {
        if self.is_forgotten(at) {
            return;
        }
        match self.record(at) {
            Record::Committed { .. } => {
                out.because(KNOWS_COMMIT, facts![from, at]);
                out.send(from, Msg::Commit { at })
            }
            Record::Aborted { .. } => {
                out.because(KNOWS_ABORT, facts![from, at]);
                out.send(from, Msg::Abort { at })
            }
            Record::Prepared(_) => {
                out.because(IS_IN_DOUBT_TOO, facts![from, at]);
                out.send(from, Msg::Uncertain { at })
            }
            Record::Unknown | Record::Started(_) => {
                out.because(HAS_NOT_VOTED, facts![from, at]);
                // It has not voted, and now it never will: nobody can have committed.
                self.abort_unilaterally(at, out);
                out.send(from, Msg::Abort { at });
            }
        }
    }

    pub(super) fn on_uncertain(&mut self, from: NodeId, at: Slot) {
        if let Some(doubt) = self.doubts.iter_mut().find(|doubt| doubt.at == at) {
            doubt.uncertain.add(from);
        }
    }

    /// Starts from the log: what was voted for and is not decided is in doubt.
    pub(super) fn recover_participant(&mut self, out: &mut Out<Server>) {
        let first = self.disk.log.first();
        let voted = |record: &Record| matches!(record, Record::Prepared(_) | Record::Aborted { .. });
        if self.disk.log.iter_from(first).any(|(_, record)| voted(record)) && !out.rule(REMEMBERS_VOTES, facts![]) {
            for at in first..=self.disk.log.last() {
                self.disk
                    .log
                    .get_mut(at)
                    .into_iter()
                    .filter(|record| voted(record))
                    .for_each(super::coordinator::forget);
            }
        }
        let prepared = |(at, record): (Slot, &Record)| match *record {
            Record::Prepared(command) => Some(Doubt { at, command, asked: 0, uncertain: NodeSet::EMPTY }),
            _ => None,
        };
        self.doubts = self.disk.log.iter_from(first).filter_map(prepared).collect();
        for at in self.doubts.iter().map(|doubt| doubt.at).collect::<Vec<_>>() {
            out.because(FINDS_VOTE, facts![at]);
            self.ask(at, out);
        }
    }
}
