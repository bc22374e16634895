//! Paxos Quorum Reads (Charapko, Ailijiang and Demirbas, "Linearizable Quorum Reads in Paxos", HotStorage 2019).
//!
//! Every command that is chosen has been accepted by a quorum of phase 2. So whoever asks a quorum of phase 1 hears of every write that was
//! chosen before it asked, without the leader. Each server answers with the last slot in which it has accepted a write to what is read, and
//! with what it has executed. If the servers asked have executed every write that they report, the read is answered from the state of
//! the one that has executed most. If not, a write is under way, which may be chosen or not: the *rinse* asks one server after the
//! other until one has executed that slot.
//!
//! In the paper the client asks the replicas, so a read costs 2q messages between it and them. Here a client asks the replica nearest
//! to it, which reads on its behalf: 2(q−1) messages between replicas, and 2 more for each poll of the rinse. It asks the others that
//! answered first when it asked all, and all again when those do not answer.
//!
//! The paper leaves open what becomes of a write that nobody goes on with, for want of a leader or because the next one never heard of
//! it. Here a rinse that has asked everybody twice gives up, and the read goes through the log. The description follows the paper from memory, apart
//! from the counts, and the implementation in josehu07/summerset, which has the read of a quorum without the rinse.

use super::message::Msg;
use super::rules::*;
use super::{Server, Timer};
use crate::core::{Answer, ClientId, Command, NodeId, NodeSet, Out, Outcome, Slot};
use crate::facts;

/// Pauses of the rinse in which a quorum should have answered.
const PATIENCE: u8 = 4;

/// A read under way at the replica that a client has asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuorumRead {
    command: Command,
    /// Who has answered, this server among them.
    answered: NodeSet,
    /// Whether it asked all others.
    asked_all: bool,
    /// The last slot that anybody holds with a write to what is read.
    last_write: Slot,
    /// The last slot executed by whoever has executed most, and what is read there.
    executed: Slot,
    outcome: Outcome,
    /// Polls of the rinse so far; 0 before it.
    polls: u8,
    /// Pauses since it last asked.
    pauses: u8,
}

impl Server {
    /// A client's read: asks the rest of a quorum.
    pub(super) fn begin_quorum_read(&mut self, command: Command, out: &mut Out<Server>) {
        self.reads.asked.retain(|read| read.command.client != command.client);
        let (nearest, peers) = (self.reads.nearest, self.peers());
        let asked_all = !self.config.quorums.phase1.is_quorum(nearest.with(self.me));
        let to = if asked_all { peers } else { nearest };
        out.because(ASKS_QUORUM, facts![command, to]);
        out.broadcast(to, Msg::QuorumRead { command });
        if self.reads.asked.is_empty() {
            self.start_read_timer(out);
        }
        let (last_write, executed) = (self.last_write(command.op), self.committed);
        let (answered, outcome) = (NodeSet::just(self.me), self.machine.look(command.op));
        let read = QuorumRead { command, answered, asked_all, last_write, executed, outcome, polls: 0, pauses: 0 };
        self.reads.asked.push(read);
        self.finish_quorum_reads(out);
    }

    /// Another replica reads, or rinses: answers with what this server has accepted and executed.
    pub(super) fn on_quorum_read(&self, from: NodeId, command: Command, out: &mut Out<Server>) {
        let Command { client, seq, op } = command;
        let (last_write, executed, outcome) = (self.last_write(op), self.committed, self.machine.look(op));
        out.because(TELLS_LAST_WRITE, facts![last_write, executed]);
        out.send(from, Msg::QuorumReadReply { client, seq, last_write, executed, outcome });
    }

    /// An answer to a read, or to a poll of its rinse.
    pub(super) fn on_quorum_read_reply(
        &mut self,
        from: NodeId,
        (client, seq): (ClientId, u32),
        (last_write, executed, outcome): (Slot, Slot, Outcome),
        out: &mut Out<Server>,
    ) {
        let phase1 = self.config.quorums.phase1;
        let ours = |read: &&mut QuorumRead| read.command.client == client && read.command.seq == seq;
        let Some(read) = self.reads.asked.iter_mut().find(ours) else { return };
        if read.polls == 0 {
            read.answered.add(from);
            // In the rinse this would be a later write, which the read need not return.
            read.last_write = read.last_write.max(last_write);
            if read.asked_all
                && let Some(quorum) = phase1.smallest_within(self.me, read.answered, self.config.quorums.replicas)
            {
                self.reads.nearest = quorum.without(self.me);
            }
        }
        if executed > read.executed {
            (read.executed, read.outcome) = (executed, outcome);
        }
        self.finish_quorum_reads(out);
    }

    /// Answers the reads that a quorum has answered and whose last write is executed; the others, once a quorum has answered, are rinsed.
    pub(super) fn finish_quorum_reads(&mut self, out: &mut Out<Server>) {
        let mut asked = std::mem::take(&mut self.reads.asked);
        asked.retain_mut(|read| {
            let QuorumRead { command, answered, last_write, .. } = *read;
            if !self.config.quorums.phase1.is_quorum(answered) {
                return true;
            }
            if self.committed > read.executed {
                (read.executed, read.outcome) = (self.committed, self.machine.look(command.op));
            }
            let executed = read.executed;
            if last_write > executed && out.rule(RINSES, facts![command, last_write, executed]) {
                if read.polls == 0 {
                    self.rinse(read, out);
                }
                return true;
            }
            out.because(ANSWERS_QUORUM_READ, facts![command, answered, executed]);
            out.reply(command.client, command.seq, Answer::Done(read.outcome));
            false
        });
        self.reads.asked = asked;
        if self.reads.asked.is_empty() {
            out.cancel(Timer::Read);
        }
    }

    /// A poll of the rinse: the others in turn.
    fn rinse(&self, read: &mut QuorumRead, out: &mut Out<Server>) {
        let n = self.config.quorums.replicas;
        let next = NodeId((self.me.0 + 1 + read.polls % n.saturating_sub(1).max(1)) % n);
        (read.polls, read.pauses) = (read.polls + 1, 0);
        if next != self.me {
            out.send(next, Msg::Rinse { command: read.command, slot: read.last_write });
        }
    }

    fn start_read_timer(&self, out: &mut Out<Server>) {
        out.set_timer(Timer::Read, self.config.rinse, self.config.rinse);
    }

    /// The pause is over: polls again, asks everybody where no quorum has answered, or gives up.
    pub(super) fn on_read_timer(&mut self, out: &mut Out<Server>) {
        let (most, mut given_up) = (2 * self.config.quorums.replicas, Vec::new());
        let mut asked = std::mem::take(&mut self.reads.asked);
        asked.retain_mut(|read| {
            read.pauses += 1;
            if read.polls >= most {
                given_up.push(read.command);
                return false;
            }
            if read.polls > 0 {
                self.rinse(read, out);
            } else if read.pauses >= PATIENCE {
                (read.pauses, read.asked_all, self.reads.nearest) = (0, true, NodeSet::EMPTY);
                let silent = self.peers().minus(read.answered);
                out.because(ASKS_QUORUM, facts![read.command, silent]);
                out.broadcast(silent, Msg::QuorumRead { command: read.command });
            }
            true
        });
        self.reads.asked = asked;
        for command in given_up {
            out.because(GIVES_RINSE_UP, facts![command, most]);
            self.log_command(command, out);
        }
        if !self.reads.asked.is_empty() {
            self.start_read_timer(out);
        }
    }
}
