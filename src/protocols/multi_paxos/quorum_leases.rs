//! Quorum leases (Moraru, Andersen and Kaminsky, "Paxos Quorum Leases: Fast Reads Without Sacrificing Writes", SoCC 2014): some replicas, the
//! *holders*, answer reads at once from their own state, wherever the leader is.
//!
//! Every server is a *grantor*. It promises each holder that, for the time of the lease, nothing it accepts is taken for chosen before the
//! holder has it: it names the holders with its votes, and a leader counts a vote only when those have accepted as well. A holder
//! answers a read if its leases are from servers that share one with every quorum of phase 2 (it counts itself), and if it has executed all
//! that it has accepted of what is read. So a write that is chosen is known to every holder, and one that is not known cannot be chosen.
//!
//! **Granting** needs no common time. The grantor sends a Guard; the holder answers with its clock. The Promise comes back with that
//! time, and is good only within the *guard* since: so the grantor knows, whatever gets lost, that the lease is over one guard
//! and one lease after it sent the Promise. The holder counts from when the Promise arrives. A **renewal** is another Promise; it is good
//! only while the last one is, so it needs no guard, and the grantor counts on from the end of the last one, or from the answer once it
//! has that. The grantor's times are longer by as much as one clock may be faster than another.
//!
//! A new lease comes with the last slot that its grantor has accepted: the holder must have executed that much, because what was
//! accepted before the lease names no holder. A server that restarts remembers no promises, and acts as if it had made the longest ones.
//!
//! **When a holder fails**, or the leader cannot reach it, writes wait until its leases are over. With its heartbeats the leader names holders
//! that do not answer, and those get no further leases; a leader whose proposal is stuck on a holder has all servers vote again.
//!
//! Source: the paper's lease protocol and the authors' implementation (efficient/qlease). There each object can have its own holders, who are
//! chosen by what is read where, and a lease is a command in the log; here holders are fixed by a setting, and hold leases on everything.
//! The holder's clock in the Guard's answer is not in the paper: it takes the place of the holder's memory of guards, which a crash would take away.

use super::message::Msg;
use super::rules::*;
use super::{Reads, Server, Timer};
use crate::core::{Command, Micros, NodeId, NodeSet, Out, Slot};
use crate::facts;

/// Renewals in the time of a lease.
const RENEWALS: Micros = 4;

/// What a grantor knows of the lease that it grants to one holder. Times are by its own clock, µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Grant {
    /// By then the lease is over, whatever of its promises has arrived.
    until: Micros,
    /// The same for the first promise alone.
    first_until: Micros,
    /// The holder's clock when it answered the guard. Names the lease.
    guarded: Micros,
    /// The number of the last promise; 0 for the first.
    round: u32,
    /// Whether a promise was sent since the last guard.
    promised: bool,
    /// Whether the holder has answered the last promise.
    answered: bool,
}

/// What a holder knows of its lease from one grantor. Times are by its own clock, µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    until: Micros,
    guarded: Micros,
    round: u32,
    /// The slot up to which it must have executed before it reads.
    from: Slot,
}

impl Server {
    /// Begins to grant leases; the server may have promised before it crashed.
    pub(super) fn start_leases(&mut self, restarts: bool, out: &mut Out<Server>) {
        if self.config.reads != Reads::QuorumLeases {
            return;
        }
        let longest = self.longer(self.config.guard + 2 * self.config.lease);
        let mut grant = Grant::default();
        if !restarts || out.rule(ASSUMES_PROMISES, facts![longest]) {
            grant.until = out.local_clock() + longest;
        }
        let n = usize::from(self.config.quorums.replicas);
        (self.reads.grants, self.reads.leases) = (vec![grant; n], vec![Lease::default(); n]);
        self.renew_leases(out);
    }

    /// A time by the holder's clock, as long as it can be by this server's.
    fn longer(&self, time: Micros) -> Micros {
        time + (time * Micros::from(self.config.drift_permille)).div_ceil(1000)
    }

    /// Renews the leases whose last promise was answered, and begins others anew.
    pub(super) fn renew_leases(&mut self, out: &mut Out<Server>) {
        let (now, lease, slot) = (out.local_clock(), self.longer(self.config.lease), self.disk.accepted.last());
        // The leader names them with every heartbeat, for as long as they are silent.
        let silent = std::mem::take(&mut self.reads.silent);
        for holder in self.config.holders.without(self.me).minus(silent).iter() {
            let Some(grant) = self.reads.grants.get_mut(usize::from(holder.0)) else { continue };
            if !grant.promised || now > grant.until {
                (grant.promised, grant.round) = (false, 0);
                out.because(SENDS_GUARD, facts![holder]);
                out.send(holder, Msg::Guard {});
                continue;
            }
            if grant.answered {
                (grant.round, grant.answered) = (grant.round + 1, false);
                grant.until += lease;
            }
            out.because(RENEWS_LEASE, facts![holder, lease]);
            out.send(holder, Msg::LeasePromise { guarded: grant.guarded, round: grant.round, slot });
        }
        let pause = (self.config.lease / RENEWALS).max(1);
        out.set_timer(Timer::Renew, pause, pause);
    }

    /// A guard: answers with the time.
    pub(super) fn on_guard(&self, from: NodeId, out: &mut Out<Server>) {
        out.send(from, Msg::GuardAck { clock: out.local_clock() });
    }

    /// The holder is guarded: promises.
    pub(super) fn on_guard_ack(&mut self, from: NodeId, clock: Micros, out: &mut Out<Server>) {
        let (guard, lease) = (self.config.guard, self.config.lease);
        let (until, slot) = (out.local_clock() + self.longer(guard + lease), self.disk.accepted.last());
        let Some(grant) = self.reads.grants.get_mut(usize::from(from.0)).filter(|grant| !grant.promised) else {
            return;
        };
        let until = grant.until.max(until);
        *grant = Grant { until, first_until: until, guarded: clock, round: 0, promised: true, answered: false };
        out.because(GRANTS_LEASE, facts![from, lease, guard, slot]);
        out.send(from, Msg::LeasePromise { guarded: clock, round: 0, slot });
    }

    /// A promise: a lease, if it comes in time.
    pub(super) fn on_lease_promise(
        &mut self,
        from: NodeId,
        (guarded, round): (Micros, u32),
        slot: Slot,
        out: &mut Out<Server>,
    ) {
        let now = out.local_clock();
        let Some(held) = self.reads.leases.get_mut(usize::from(from.0)) else { return };
        let same = held.guarded == guarded && held.until > 0;
        let in_time = match round {
            0 => now <= guarded + self.config.guard,
            _ => same && round == held.round + 1 && now <= held.until,
        };
        if in_time {
            let from = if round == 0 { slot.max(held.from) } else { held.from };
            *held = Lease { until: now + self.config.lease, guarded, round, from };
        } else if !same || round != held.round {
            return out.because(PROMISE_IS_LATE, facts![from]);
        }
        out.send(from, Msg::LeasePromiseAck { guarded, round });
    }

    /// The holder has the promise: the lease is over one lease from now.
    pub(super) fn on_lease_promise_ack(&mut self, from: NodeId, (guarded, round): (Micros, u32), out: &Out<Server>) {
        let until = out.local_clock() + self.longer(self.config.lease);
        let Some(grant) = self.reads.grants.get_mut(usize::from(from.0)) else { return };
        if grant.promised && !grant.answered && (grant.guarded, grant.round) == (guarded, round) {
            (grant.answered, grant.until) = (true, until.max(grant.first_until));
        }
    }

    /// The holders that this server has promised not to pass over, to be named with a vote.
    #[inline]
    pub(super) fn promised_holders(&self, out: &Out<Server>) -> NodeSet {
        if self.reads.grants.is_empty() {
            return NodeSet::EMPTY;
        }
        let grants = self.config.holders.without(self.me);
        let now = out.local_clock();
        grants.iter().filter(|holder| self.reads.grants[usize::from(holder.0)].until >= now).collect()
    }

    /// Whether a slot's votes suffice as far as holders are concerned: each that a vote names has accepted, too.
    #[inline]
    pub(super) fn holders_have_accepted(slot: Slot, named: NodeSet, votes: NodeSet, out: &mut Out<Server>) -> bool {
        let missing = named.minus(votes);
        missing.is_empty() || !out.rule(WAITS_FOR_HOLDERS, facts![slot, missing])
    }

    /// Whether the leases of this server cover every quorum: nothing is chosen without its knowing.
    fn holds_quorum_lease(&self, out: &mut Out<Server>) -> bool {
        let (quorums, now) = (self.config.quorums, out.local_clock());
        let is_valid = |lease: &Lease, out: &mut Out<Server>| {
            let over = now > lease.until;
            lease.until > 0
                && !(over && out.rule(LEASE_IS_OVER, facts![now - lease.until]))
                && !(self.committed < lease.from && out.rule(CATCHES_UP_FIRST, facts![lease.from, self.committed]))
        };
        let leases = (0..).map(NodeId).zip(&self.reads.leases);
        let grantors: NodeSet = leases.filter(|(_, lease)| is_valid(lease, out)).map(|(id, _)| id).collect();
        let without = NodeSet::first(quorums.replicas).minus(grantors.with(self.me));
        !quorums.phase2.is_quorum(without)
    }

    /// A client's read. False: this server holds no lease, so it has to go through the log.
    pub(super) fn read_under_leases(&mut self, command: Command, out: &mut Out<Server>) -> bool {
        if !self.config.holders.has(self.me) || !self.holds_quorum_lease(out) {
            return false;
        }
        let write = self.last_write(command.op);
        if write > 0 {
            out.because(READ_WAITS_FOR_WRITE, facts![command, write]);
            self.reads.waiting.retain(|waiting| waiting.client != command.client);
            self.reads.waiting.push(command);
        } else {
            out.because(READS_UNDER_LEASES, facts![command, self.committed]);
            self.answer_read(command, out);
        }
        true
    }
}
