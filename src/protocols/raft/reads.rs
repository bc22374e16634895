//! Reads that do not go through the log: ReadIndex and leases (dissertation §6.4).

use super::Reads;
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use crate::core::{Answer, Command, NodeId};

/// Reads a leader has not answered yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PendingReads {
    /// Those for which a round of heartbeats is under way, and which.
    asking: Vec<Command>,
    round: u32,
    /// Those that came after that round was sent, for the next one; or before this leader has committed anything in its term.
    waiting: Vec<Command>,
}

impl PendingReads {
    /// All of them, oldest first.
    pub fn into_commands(self) -> impl Iterator<Item = Command> {
        self.asking.into_iter().chain(self.waiting)
    }
}

/// Two leases that take turns, so that one is in force while the next is being obtained.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The round of heartbeats that has yet to be confirmed, and the lease it is for.
    pending: Option<(u32, u8)>,
    held: [bool; 2],
    turn: u8,
    /// TimeoutNow has left in this term: its target may be elected whenever that arrives, so there is no lease any more.
    pub forfeited: bool,
}

impl Lease {
    /// Whether no other leader can have been elected.
    pub fn is_held(&self) -> bool {
        !self.forfeited && (self.held[0] || self.held[1])
    }

    fn end(&mut self, which: u8, out: &mut Out) {
        let held = &mut self.held[usize::from(which)];
        *held = *held && !out.rule(LEASE_ENDS);
    }
}

impl Server {
    /// A client's read, on a leader. What it has applied by now includes everything committed before the read came, once an entry of
    /// its own term is committed; so all that is to be made sure is that it still leads.
    pub(super) fn on_read(&mut self, command: Command, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        if self.commit < lead.term_start && out.rule(READ_AFTER_OWN_COMMIT) {
            return lead.reads.waiting.push(command);
        }
        if self.config.reads == Reads::Lease && lead.lease.is_held() {
            out.because(LEASE_READ);
            return self.answer_read(command, out);
        }
        if !out.rule(READ_INDEX) {
            return self.answer_read(command, out);
        }
        lead.reads.waiting.push(command);
        self.read_on(out);
    }

    fn answer_read(&self, command: Command, out: &mut Out) {
        out.reply(command.client, command.seq, Answer::Done(self.machine.look(command.op)));
    }

    /// Starts a round of heartbeats for the reads that wait, unless one is under way.
    pub(super) fn read_on(&mut self, out: &mut Out) {
        let (_, configuration) = self.configuration();
        let Role::Leader(lead) = &mut self.role else { return };
        if lead.reads.waiting.is_empty() || !lead.reads.asking.is_empty() {
            return;
        }
        if self.commit < lead.term_start && out.rule(READ_AFTER_OWN_COMMIT) {
            return;
        }
        lead.reads.asking = std::mem::take(&mut lead.reads.waiting);
        self.beat(configuration.all().without(self.me), true, out);
        let Role::Leader(lead) = &mut self.role else { return };
        lead.reads.round = lead.round;
        self.answer_confirmed(out);
    }

    /// A follower answered a round of heartbeats: it took this server for the leader after the round was sent.
    pub(super) fn on_confirmed(&mut self, from: NodeId, term: u32, round: u32, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        if term != self.disk.term {
            return;
        }
        let Some(progress) = lead.of(from) else { return };
        progress.confirmed = progress.confirmed.max(round);
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

    /// Answers the reads whose round a quorum has confirmed.
    pub(super) fn answer_confirmed(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &self.role else { return };
        if lead.reads.asking.is_empty() || !self.is_confirmed(lead.reads.round) {
            return;
        }
        out.because(READ_INDEX);
        let Role::Leader(lead) = &mut self.role else { return };
        for command in std::mem::take(&mut lead.reads.asking) {
            self.answer_read(command, out);
        }
        self.read_on(out);
    }

    /// Begins to obtain the next lease with the round of heartbeats just sent. Its time runs from now: whoever answers will be loyal
    /// for at least the minimum election timeout from a later moment on.
    pub(super) fn extend_lease(&mut self, out: &mut Out) {
        if self.config.reads != Reads::Lease {
            return;
        }
        let Role::Leader(lead) = &mut self.role else { return };
        if lead.lease.pending.is_some() || lead.lease.forfeited {
            return;
        }
        let which = lead.lease.turn;
        lead.lease.turn = 1 - which;
        // The older lease under this name ends a little early: its timer is needed.
        lead.lease.end(which, out);
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
        lead.lease.end(which, out);
    }

    /// Whether this server answers reads at once, sure that nobody else leads.
    pub(super) fn holds_lease(&self) -> bool {
        matches!(&self.role, Role::Leader(lead) if lead.lease.is_held())
    }
}
