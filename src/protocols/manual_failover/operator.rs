//! The operator: what is seen at the console, what pages, and what the runbook says.

use super::rules::*;
use super::{Appointment, Msg, Server, Timer};
use crate::core::{NodeId, NodeSet, Out};
use crate::facts;

/// What the operator is paged for, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Incident {
    /// Nobody serves.
    NoPrimary,
    /// Writes wait for copies of servers that cannot be heard.
    Missing(NodeSet),
    /// These servers can be heard again, and their copies do not count.
    Back(NodeSet),
}

impl Server {
    /// Whether the operator's console is here.
    pub(super) fn is_console(&self) -> bool {
        self.me == self.config.console
    }

    /// The time in which every heartbeat should have come is over.
    pub(super) fn on_alarm(&mut self, out: &mut Out<Server>) {
        self.silent = !self.serving && !self.primary_heard;
        self.present = self.heard.with(self.me);
        (self.heard, self.primary_heard) = (NodeSet::EMPTY, false);
        out.set_timer(Timer::Alarm, self.config.alarm, self.config.alarm);
        if !self.is_console() || self.plan.is_some() {
            return;
        }
        let (incident, alarm) = (self.incident(), self.config.alarm);
        match incident {
            None if self.paged => {
                out.because(ALL_CLEAR, facts![]);
                out.cancel(Timer::Operator);
                self.paged = false;
            }
            None => {}
            Some(_) if self.paged => {}
            Some(incident) => {
                match incident {
                    Incident::NoPrimary => {
                        out.because(PAGES_NO_PRIMARY, facts![self.disk.appointment.primary, alarm]);
                    }
                    Incident::Missing(missing) => out.because(PAGES_MISSING, facts![missing, alarm]),
                    Incident::Back(back) => out.because(PAGES_BACK, facts![back]),
                }
                self.paged = true;
                out.set_timer(Timer::Operator, self.config.operator, self.config.operator);
            }
        }
    }

    fn incident(&self) -> Option<Incident> {
        let copies = self.disk.appointment.copies;
        let (missing, back) = (copies.minus(self.present), self.present.minus(copies));
        match (self.silent, missing.is_empty(), back.is_empty()) {
            (true, ..) => Some(Incident::NoPrimary),
            (false, false, _) => Some(Incident::Missing(missing)),
            (false, true, false) => Some(Incident::Back(back)),
            (false, true, true) => None,
        }
    }

    /// The operator is at the console, and goes by the runbook.
    pub(super) fn on_operator(&mut self, out: &mut Out<Server>) {
        self.paged = false;
        let now = self.disk.appointment;
        let next = Appointment { number: now.number + 1, off: true, ..now };
        match self.incident() {
            None => {}
            Some(Incident::NoPrimary) => self.fail_over(next, out),
            // Writes before this one have waited for these copies as well.
            Some(Incident::Missing(missing)) => {
                let (copies, complete) = (now.copies.minus(missing), now.complete.minus(missing));
                self.appoint(Appointment { copies, complete, ..next }, out);
            }
            // From now on writes wait for these, too; they are complete once they have what was written before.
            Some(Incident::Back(back)) => self.appoint(Appointment { copies: now.copies.or(back), ..next }, out),
        }
    }

    /// Somebody else becomes primary, or the old one again if it can be heard and is a complete copy.
    fn fail_over(&mut self, next: Appointment, out: &mut Out<Server>) {
        let complete = next.complete.and(self.present);
        let Some(first) = complete.lowest() else {
            return out.because(NOBODY_TO_APPOINT, facts![next.complete]);
        };
        let copies = if out.rule(CHOOSES, facts![first, next.complete]) { complete } else { self.present };
        let (old, new) = (next.primary, copies.lowest().unwrap_or(first));
        let mut next = Appointment { primary: new, copies, complete: copies, ..next };
        // One that is heard and does not serve came back as backup, and serves only when it is appointed again.
        if old == new || old == self.me {
            return self.appoint(next, out);
        }
        next.off = out.rule(SWITCHES_OFF, facts![old, new]);
        if !next.off {
            return self.appoint(next, out);
        }
        out.fence(old);
        self.plan = Some(next);
        // The order leaves when this node's disk is done, and so does this message to itself: the wait begins then.
        out.send(self.me, Msg::Ordered);
    }

    /// The order to turn the old primary off has left.
    pub(super) fn on_ordered(&self, from: NodeId, out: &mut Out<Server>) {
        if from == self.me && self.plan.is_some() {
            out.set_timer(Timer::Off, self.config.off, self.config.off);
        }
    }

    /// The old primary is off.
    pub(super) fn on_off(&mut self, out: &mut Out<Server>) {
        if let Some(next) = self.plan.take() {
            self.appoint(next, out);
        }
    }

    fn appoint(&mut self, next: Appointment, out: &mut Out<Server>) {
        out.because(APPOINTS, facts![next.primary, next.number, next.copies]);
        self.enter(next, out);
        // Nobody acts on it before it is in the book: a number must never be given twice.
        out.broadcast(NodeSet::first(self.config.replicas), Msg::Appoint { appointment: next });
    }

    /// The primary says which of the copies that count have all it had when it was appointed: these are complete.
    pub(super) fn note_complete(&mut self, number: u32, in_sync: NodeSet, out: &mut Out<Server>) {
        let book = &mut self.disk.appointment;
        let complete = book.complete.or(in_sync.and(book.copies));
        if number == book.number && complete != book.complete {
            book.complete = complete;
            out.save_entries(self.disk.log.last() + 1);
        }
    }
}
