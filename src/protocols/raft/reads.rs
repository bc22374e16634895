//! Linearizable reads without the log: ReadIndex and leader leases (dissertation §6.4).

use super::Reads;
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use crate::core::{Answer, Command, Micros, NodeId};
use crate::facts;

/// Reads that a leader has not answered yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PendingReads {
    /// Those that wait for `round` to be confirmed.
    pub(super) confirming: Vec<Command>,
    /// The round of heartbeats sent for them; where the log is the lease, the slot of the no-op.
    pub(super) round: u32,
    /// Those that arrived after that round was sent, for the next one; or before this leader has committed an entry of its term.
    pub(super) waiting: Vec<Command>,
}

impl PendingReads {
    /// All of them, oldest first.
    pub fn into_commands(self) -> impl Iterator<Item = Command> {
        self.confirming.into_iter().chain(self.waiting)
    }
}

/// The lease of a leader (dissertation §6.4.1): two that alternate, so that one is in force while the next is confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The round of heartbeats that is to be confirmed, and the lease it is for.
    pending: Option<(u32, u8)>,
    /// Which of the two are in force.
    held: [bool; 2],
    /// Which is to be obtained next.
    turn: u8,
    /// TimeoutNow was sent in this term: its target may be elected whenever it arrives, so there is no lease for the rest of the term.
    pub revoked: bool,
}

impl Lease {
    /// Whether a lease is in force: no other leader can have been elected.
    pub fn is_held(&self) -> bool {
        !self.revoked && (self.held[0] || self.held[1])
    }

    fn end(&mut self, which: u8, lease: Micros, out: &mut Out) {
        let held = &mut self.held[usize::from(which)];
        *held = *held && !out.rule(LEASE_IS_OVER, facts![lease]);
    }
}

impl Server {
    /// A client's read at a leader. Once an entry of its own term is committed, the state it has applied includes all that was committed
    /// before the read arrived; so it only remains to confirm that it still leads.
    pub(super) fn on_read(&mut self, command: Command, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        if self.config.reads == Reads::LeaseGuard {
            lead.reads.waiting.push(command);
            return self.read_by_the_log(out);
        }
        if self.commit < lead.term_start && out.rule(READ_WAITS, facts![command, lead.term_start]) {
            return lead.reads.waiting.push(command);
        }
        if self.config.reads == Reads::LeaderUnchecked {
            out.because(READS_UNCHECKED, facts![command]);
            return self.answer_read(command, out);
        }
        if self.config.reads == Reads::Lease && lead.lease.is_held() {
            out.because(READS_UNDER_LEASE, facts![command]);
            return self.answer_read(command, out);
        }
        if !out.rule(CONFIRMS_LEADERSHIP, facts![command]) {
            return self.answer_read(command, out);
        }
        lead.reads.waiting.push(command);
        self.start_read_round(out);
    }

    pub(super) fn answer_read(&self, command: Command, out: &mut Out) {
        out.reply(command.client, command.seq, Answer::Done(self.machine.look(command.op)));
    }

    /// Sends a round of ReadIndex for the reads that wait, unless one is under way.
    pub(super) fn start_read_round(&mut self, out: &mut Out) {
        if self.config.reads == Reads::LeaseGuard {
            return self.read_by_the_log(out);
        }
        let (_, configuration) = self.configuration();
        let Role::Leader(lead) = &mut self.role else { return };
        if lead.reads.waiting.is_empty() || !lead.reads.confirming.is_empty() {
            return;
        }
        if self.commit < lead.term_start && out.rule(READS_WAIT, facts![lead.term_start]) {
            return;
        }
        lead.reads.confirming = std::mem::take(&mut lead.reads.waiting);
        self.send_heartbeats(configuration.all().without(self.me), true, out);
        let Role::Leader(lead) = &mut self.role else { return };
        lead.reads.round = lead.round;
        self.answer_confirmed(out);
    }

    /// A follower answered a round of heartbeats: it recognised this leader after the round was sent.
    pub(super) fn on_confirmed(&mut self, from: NodeId, term: u32, round: u32, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        if term != self.disk.term {
            return;
        }
        let Some(progress) = lead.progress_of(from) else { return };
        progress.confirmed = progress.confirmed.max(round);
        self.retry_if_lost(from, round, out);
        self.confirm_lease();
        self.answer_confirmed(out);
    }

    fn is_confirmed(&self, round: u32) -> bool {
        let (_, configuration) = self.configuration();
        match &self.role {
            Role::Leader(lead) => configuration.quorum(lead.confirmed(round).with(self.me)),
            _ => false,
        }
    }

    /// Answers the reads whose round is confirmed by a quorum.
    pub(super) fn answer_confirmed(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &self.role else { return };
        let by_log = self.config.reads == Reads::LeaseGuard;
        let confirmed = if by_log { self.commit >= lead.reads.round } else { self.is_confirmed(lead.reads.round) };
        if lead.reads.confirming.is_empty() || !confirmed {
            return;
        }
        match by_log {
            true => out.because(ANSWERS_BY_NOOP, facts![lead.reads.round]),
            false => out.because(ANSWERS_READS, facts![lead.reads.round]),
        }
        let Role::Leader(lead) = &mut self.role else { return };
        for command in std::mem::take(&mut lead.reads.confirming) {
            self.answer_read(command, out);
        }
        self.start_read_round(out);
    }

    /// Begins to obtain the next lease, by the round of heartbeats just sent. It runs from now on: whoever answers grants no vote for the minimum
    /// election timeout from a later moment on.
    pub(super) fn extend_lease(&mut self, out: &mut Out) {
        if self.config.reads != Reads::Lease {
            return;
        }
        let Role::Leader(lead) = &mut self.role else { return };
        if lead.lease.pending.is_some() || lead.lease.revoked {
            return;
        }
        let which = lead.lease.turn;
        lead.lease.turn = 1 - which;
        // The older lease with this number ends a little early, because its timer is set anew.
        lead.lease.end(which, self.config.lease, out);
        lead.lease.pending = Some((lead.round, which));
        out.set_timer(Timer::Lease(which), self.config.lease, self.config.lease);
        self.confirm_lease();
    }

    fn confirm_lease(&mut self) {
        let Role::Leader(lead) = &self.role else { return };
        let Some((round, which)) = lead.lease.pending else { return };
        if !self.is_confirmed(round) {
            return;
        }
        let Role::Leader(lead) = &mut self.role else { return };
        lead.lease.pending = None;
        lead.lease.held[usize::from(which)] = true;
    }

    pub(super) fn on_lease_end(&mut self, which: u8, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        if lead.lease.pending.is_some_and(|(_, pending)| pending == which) {
            lead.lease.pending = None;
        }
        lead.lease.end(which, self.config.lease, out);
    }

    /// Whether this server leads under a lease, and so answers reads at once.
    pub(super) fn holds_lease(&self) -> bool {
        matches!(&self.role, Role::Leader(lead) if lead.lease.is_held())
    }
}
