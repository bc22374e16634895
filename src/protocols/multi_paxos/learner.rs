//! The learner: what is chosen, executing it in order, and catching up.
//!
//! Slots up to `committed` are chosen and executed. Beyond that, `open` has one record a slot: whether it is chosen (commits may come out
//! of order) and, at the leader, who has accepted it.

use super::acceptor::REACH;
use super::message::{Msg, Proposal, Snapshot};
use super::rules::*;
use super::{Role, Server};
use crate::core::{Answer, Ballot, Command, Log, NodeId, NodeSet, Out, Slot};
use std::sync::Arc;

/// What is known of a slot beyond the committed prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Open {
    /// Who has accepted the leader's proposal; counted by the leader only.
    pub votes: NodeSet,
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

    /// `command`, which `slot` holds, is chosen: takes note, and executes what can be executed.
    #[inline(always)] // Mostly it is its turn, and the compiler sees that where it is called.
    pub(super) fn choose(&mut self, slot: Slot, command: Command, out: &mut Out<Server>) {
        match self.place(slot) {
            None => {}
            Some(0) => self.execute(command, out),
            Some(place) => self.choose_out_of_order(place, slot, command, out),
        }
    }

    /// It is not the turn of `slot` yet.
    #[inline(never)]
    fn choose_out_of_order(&mut self, place: usize, slot: Slot, command: Command, out: &mut Out<Server>) {
        if self.open.len() <= place {
            self.open.resize(place + 1, Open::default());
        }
        if !std::mem::replace(&mut self.open[place].chosen, true) {
            out.chosen(slot, command);
        }
    }

    /// Executes the command of the first open slot, which is chosen, and those after it that were known to be chosen before their turn
    /// came.
    #[inline(never)]
    fn execute(&mut self, mut command: Command, out: &mut Out<Server>) {
        loop {
            self.open.pop_front();
            self.committed += 1;
            out.because(EXECUTE_IN_ORDER);
            let outcome = self.machine.apply(command, self.me);
            out.applied(self.committed, command);
            if let Role::Leader(_) = self.role {
                out.reply(command.client, command.seq, Answer::Done(outcome));
            }
            let Some(next) = self.known() else { break };
            command = next;
        }
        let every = self.config.snapshot_every;
        if every > 0 && self.committed >= self.disk.snapshot.slot + every {
            self.compact(out);
        }
    }

    /// The command of the first open slot, if it is known to be chosen.
    #[inline(always)]
    fn known(&self) -> Option<Command> {
        let open = self.open.front()?;
        if !open.chosen {
            return None;
        }
        Some(self.proposal(self.committed + 1)?.command)
    }

    /// The leader of `ballot` says that all slots up to `upto` are chosen: in its ballot, or earlier and then proposed again in its
    /// ballot. So what this server accepted in that ballot is chosen; what it accepted in another need not be.
    #[inline(always)]
    pub(super) fn learn_up_to(&mut self, ballot: Ballot, upto: Slot, out: &mut Out<Server>) {
        while self.committed < upto {
            let next = self.committed + 1;
            let Some(&held) = self.proposal(next) else { return };
            if held.ballot != ballot && out.rule(COMMIT_SAME_BALLOT) {
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
    pub(super) fn on_commit(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        slot: Slot,
        command: Command,
        out: &mut Out<Server>,
    ) {
        if slot > self.committed + REACH || !self.heeds(from, ballot, out) {
            return;
        }
        if self.learn(slot, std::iter::once(Proposal { ballot, command }), out) {
            self.save(out);
        }
    }

    /// A heartbeat in any of its forms: tells the leader what is missing here.
    pub(super) fn on_heartbeat(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        beat: u32,
        committed: Slot,
        out: &mut Out<Server>,
    ) {
        self.learn_up_to(ballot, committed, out);
        let Role::Acceptor { recorded, .. } = &mut self.role else { return };
        // What was chosen by the last heartbeat but is unknown here by this one is missing; what is newer may be on its way.
        let missing = *recorded > self.committed;
        // A leader that gets on with what there is to do leaves no reason for long time-outs.
        if beat > 1 && (committed > *recorded || self.disk.accepted.last() <= committed) {
            self.preempted = self.preempted.saturating_sub(1);
        }
        *recorded = committed;
        let missing_from = if missing { self.committed + 1 } else { 0 };
        out.because(STABLE_LEADER);
        self.await_leader(out);
        out.send(from, Msg::HeartbeatReply { ballot, beat, missing_from });
    }

    /// Jumps to a state further ahead. Tells whether it was.
    pub(super) fn install(&mut self, snapshot: &Arc<Snapshot>, out: &mut Out<Server>) -> bool {
        if snapshot.slot <= self.committed {
            return false;
        }
        out.because(SNAPSHOT);
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
        if let Some(command) = self.known() {
            self.execute(command, out);
        }
        true
    }

    /// Takes a snapshot, and forgets the slots before the last one, so that a server a little behind can still be given commands instead
    /// of the whole state.
    #[inline(never)]
    fn compact(&mut self, out: &mut Out<Server>) {
        out.because(SNAPSHOT);
        self.disk.accepted.compact_to(self.disk.snapshot.slot);
        self.disk.snapshot = Arc::new(Snapshot { slot: self.committed, machine: self.machine.clone() });
        self.save(out);
    }
}
