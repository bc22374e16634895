//! Reads that do not go through the log, apart from those of `quorum_leases` and `quorum_reads`: at any replica, and at a leader that does
//! not check whether it still is one. What such a read returns may be old, and the variant does not promise more.

use super::quorum_leases::{Grant, Lease};
use super::quorum_reads::QuorumRead;
use super::rules::*;
use super::{Role, Server};
use crate::core::{Answer, Command, NodeSet, Op, Out, Slot};
use crate::facts;

/// How reads are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reads {
    /// Like writes.
    Log,
    /// By any replica, at once.
    AnyReplica,
    /// By whoever leads, or takes itself for the leader, at once.
    LeaderUnchecked,
    /// By the holders of leases, at once; by others like writes.
    QuorumLeases,
    /// By any replica, after it has asked a quorum.
    QuorumReads,
}

/// What a server needs for reads besides the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReadState {
    /// Reads that wait until what may change them is executed (quorum leases).
    pub waiting: Vec<Command>,
    /// Reads under way (quorum reads).
    pub asked: Vec<QuorumRead>,
    /// Those that answered first when all were asked: the next reads ask them alone.
    pub nearest: NodeSet,
    /// What this server has promised to each holder, by id.
    pub grants: Vec<Grant>,
    /// The leases that it has from each server, by id.
    pub leases: Vec<Lease>,
    /// Holders that do not answer the leader: they get no leases.
    pub silent: NodeSet,
}

impl Server {
    /// A client's read. False: it has to go through the log, or to the leader.
    pub(super) fn read(&mut self, command: Command, out: &mut Out<Server>) -> bool {
        match (self.config.reads, &self.role) {
            (Reads::Log, _) => return false,
            (Reads::AnyReplica, _) => out.because(READS_ANYWHERE, facts![command, self.committed]),
            (Reads::LeaderUnchecked, Role::Leader(leadership)) if self.committed >= leadership.adopted => {
                out.because(READS_UNCHECKED, facts![command]);
            }
            (Reads::LeaderUnchecked, _) => return false,
            (Reads::QuorumLeases, _) => return self.read_under_leases(command, out),
            (Reads::QuorumReads, _) => {
                self.begin_quorum_read(command, out);
                return true;
            }
        }
        self.answer_read(command, out);
        true
    }

    /// Answers a read from the state executed here.
    pub(super) fn answer_read(&self, command: Command, out: &mut Out<Server>) {
        out.reply(command.client, command.seq, Answer::Done(self.machine.look(command.op)));
    }

    /// The last slot beyond the executed ones in which this server holds a command that may change what a read returns; 0 if there is none.
    pub(super) fn last_write(&self, read: Op) -> Slot {
        let mut held = self.disk.accepted.iter_from(self.committed + 1).rev();
        let writes =
            |proposal: &Option<super::Proposal>| proposal.is_some_and(|held| may_change(held.command.op, read));
        held.find(|(_, proposal)| writes(proposal)).map_or(0, |(slot, _)| slot)
    }

    /// Something was executed, or a heartbeat came: answers the reads that waited for it.
    #[inline]
    pub(super) fn answer_reads(&mut self, out: &mut Out<Server>) {
        if !self.reads.waiting.is_empty() || !self.reads.asked.is_empty() {
            self.answer_waiting_reads(out);
        }
    }

    #[inline(never)]
    fn answer_waiting_reads(&mut self, out: &mut Out<Server>) {
        for command in std::mem::take(&mut self.reads.waiting) {
            self.on_command(command, out);
        }
        self.finish_quorum_reads(out);
    }
}

/// Whether a command may change what a read returns.
fn may_change(op: Op, read: Op) -> bool {
    op != Op::Noop && !op.is_read() && (op.object().is_none() || op.object() == read.object())
}
