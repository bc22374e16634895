//! The learner: which commands are chosen, executing them in order, catching up, and snapshots (Simple §2.3, §3; Moderately Complex,
//! Replica).
//!
//! Invariant: slots up to `committed` are chosen and executed; `open[i]` is the record of slot `committed + 1 + i`: whether it is chosen
//! (commits may come out of order) and, at the leader, who has accepted it.

use super::acceptor::WINDOW;
use super::message::{Msg, Proposal, Snapshot};
use super::rules::*;
use super::{Role, Server};
use crate::core::{Answer, Ballot, Command, Log, NodeId, NodeSet, Out, Slot};
use crate::facts;
use std::sync::Arc;

/// Snapshots' worth of slots that are kept at most for servers to which a snapshot is under way.
const KEPT: u32 = 16;

/// What is known of a slot beyond the committed prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Open {
    /// Who has accepted the leader's proposal; counted by the leader only.
    pub votes: NodeSet,
    /// The holders of leases that those votes name.
    pub named: NodeSet,
    /// Whether its command is known to be chosen.
    pub chosen: bool,
}

impl Server {
    /// The place of `slot` in `open`.
    pub(super) fn place(&self, slot: Slot) -> Option<usize> {
        (slot > self.committed).then(|| (slot - self.committed - 1) as usize)
    }

    /// The proposal accepted or learned in `slot`, if it is still held.
    pub(super) fn proposal(&self, slot: Slot) -> Option<&Proposal> {
        self.disk.accepted.get(slot)?.as_ref()
    }

    /// `command`, which `slot` holds, is chosen: records it, and executes it if all before it are executed.
    #[inline(always)]
    pub(super) fn choose(&mut self, slot: Slot, command: Command, out: &mut Out<Server>) {
        match self.place(slot) {
            None => {}
            Some(0) => self.execute(command, out),
            Some(place) => self.choose_out_of_order(place, slot, command, out),
        }
    }

    /// Records that `slot` is chosen before the slots below it are.
    #[inline(never)]
    fn choose_out_of_order(&mut self, place: usize, slot: Slot, command: Command, out: &mut Out<Server>) {
        if self.open.len() <= place {
            self.open.resize(place + 1, Open::default());
        }
        if !std::mem::replace(&mut self.open[place].chosen, true) {
            out.chosen(slot, command);
        }
    }

    /// Executes the command of the first open slot, which is chosen, and of those after it up to the first that is not known to be chosen.
    #[inline(never)]
    fn execute(&mut self, mut command: Command, out: &mut Out<Server>) {
        loop {
            self.open.pop_front();
            self.committed += 1;
            out.because(EXECUTES, facts![self.committed]);
            let again = || out.rule(EXECUTES_ONCE, facts![command]);
            let outcome = self.machine.apply_once(command, self.me, again);
            out.applied(self.committed, command);
            if let Role::Leader(_) = self.role {
                out.reply(command.client, command.seq, Answer::Done(outcome));
            }
            let Some(next) = self.next_chosen() else { break };
            command = next;
        }
        let every = self.config.snapshot_every;
        if every > 0 && self.committed >= self.disk.snapshot.slot + every {
            self.compact(out);
        }
        self.answer_reads(out);
    }

    /// The command of the first open slot, if it is known to be chosen.
    #[inline(always)]
    fn next_chosen(&self) -> Option<Command> {
        let open = self.open.front()?;
        if !open.chosen {
            return None;
        }
        Some(self.proposal(self.committed + 1)?.command)
    }

    /// A commit index: the leader of `ballot` knows all slots up to `upto` to be chosen, in its ballot, or earlier and then proposed again
    /// in its ballot. So what this server accepted in that ballot is chosen; what it accepted in another need not be.
    #[inline(always)]
    pub(super) fn learn_committed(&mut self, ballot: Ballot, upto: Slot, out: &mut Out<Server>) {
        while self.committed < upto {
            let next = self.committed + 1;
            let Some(&held) = self.proposal(next) else { return };
            if held.ballot != ballot && doubts(next, held.ballot, ballot, out) {
                return;
            }
            self.choose(next, held.command, out);
        }
    }

    /// Takes over commands that the sender knows to be chosen. Tells whether anything has to be saved.
    ///
    /// Where this server has accepted the same command already it keeps its own ballot: that is the one it voted in. Where it has accepted
    /// another, it never voted for the chosen one, and that vote can count for nothing any more.
    pub(super) fn learn(&mut self, first: Slot, chosen: impl Iterator<Item = Proposal>, out: &mut Out<Server>) -> bool {
        let mut written = false;
        for (slot, proposal) in (first..).zip(chosen) {
            if slot <= self.committed {
                continue;
            }
            if self.proposal(slot).is_none_or(|held| held.command != proposal.command) {
                self.accept(slot, proposal);
                written = true;
            }
            self.choose(slot, proposal.command, out);
        }
        written
    }

    /// An explicit commit.
    #[inline(never)]
    pub(super) fn on_commit(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        slot: Slot,
        command: Command,
        out: &mut Out<Server>,
    ) {
        if slot > self.committed + WINDOW || !self.check_ballot(from, ballot, out) {
            return;
        }
        if self.learn(slot, std::iter::once(Proposal { ballot, command }), out) {
            self.save(out);
        }
    }

    /// A heartbeat, with or without missing commands: applies its commit index, and answers with the first missing slot.
    pub(super) fn on_heartbeat(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        round: u32,
        committed: Slot,
        out: &mut Out<Server>,
    ) {
        self.learn_committed(ballot, committed, out);
        self.patience.hear(ballot.round, round);
        let Role::Acceptor { leader_committed, .. } = &mut self.role else { return };
        // Only what was chosen by the leader's previous heartbeat counts as missing: newer commands may still be under way.
        let missing = *leader_committed > self.committed;
        // The leader makes progress, or has nothing to do: the timeout shrinks again.
        if round > 1 && (committed > *leader_committed || self.disk.accepted.last() <= committed) {
            self.preempted = self.preempted.saturating_sub(1);
        }
        *leader_committed = committed;
        let first_missing = if missing { self.committed + 1 } else { 0 };
        out.because(WAITS_FOR_LEADER, facts![ballot]);
        self.hear_leader(out);
        out.send(from, Msg::HeartbeatReply { ballot, round, first_missing });
        self.answer_reads(out);
    }

    /// Installs a snapshot, if it covers more than is executed here; tells whether it does.
    #[inline(never)]
    pub(super) fn install(&mut self, snapshot: &Arc<Snapshot>, out: &mut Out<Server>) -> bool {
        if snapshot.slot <= self.committed {
            return false;
        }
        out.because(INSTALLS_SNAPSHOT, facts![snapshot.slot, self.committed]);
        self.open.drain(..self.open.len().min((snapshot.slot - self.committed) as usize));
        self.committed = snapshot.slot;
        self.machine = snapshot.machine.clone();
        // Slots beyond the snapshot keep what was accepted in them: those are votes.
        match self.disk.accepted.last() <= snapshot.slot {
            true => self.disk.accepted = Log::after(snapshot.slot),
            false => self.disk.accepted.compact_to(snapshot.slot),
        }
        self.disk.snapshot = Arc::clone(snapshot);
        out.restored(snapshot.slot);
        if let Some(command) = self.next_chosen() {
            self.execute(command, out);
        }
        self.answer_reads(out);
        true
    }

    /// Takes a snapshot, and compacts the log up to the previous one, so that a server slightly behind still gets commands in place of the
    /// whole state; or to the one that is under way to another, which would need a newer one otherwise.
    #[inline(never)]
    fn compact(&mut self, out: &mut Out<Server>) {
        out.because(TAKES_SNAPSHOT, facts![self.committed]);
        self.patience.progress();
        let most = self.config.snapshot_every.saturating_mul(KEPT);
        let kept = self.disk.snapshot.slot.min(self.needed_after()).max(self.committed.saturating_sub(most));
        self.disk.accepted.compact_to(kept);
        self.disk.snapshot = Arc::new(Snapshot { slot: self.committed, machine: self.machine.clone() });
        self.save(out);
    }
}

/// Whether a command accepted in another ballot than the leader's is not taken for the chosen one. Not inlined, for it is rare.
#[inline(never)]
fn doubts(slot: Slot, held: Ballot, ballot: Ballot, out: &mut Out<Server>) -> bool {
    out.rule(DOUBTS, facts![slot, held, ballot])
}
