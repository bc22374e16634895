//! Normal operation: requests, Prepare, PrepareOk, Commit, execution in order, checkpoints (§4.1, §5.1).

use super::message::{Checkpoint, Entry, Msg};
use super::rules::*;
use super::{Replica, Timer};
use crate::core::{Answer, Command, NodeId, NodeSet, Out, Slot};
use crate::facts;
use crate::protocols::log_copy;
use std::sync::Arc;

/// Prepares that came before earlier ones are kept up to this far ahead.
const WINDOW: Slot = 1024;

impl Replica {
    /// A client's request (step 2).
    pub(super) fn on_client_request(&mut self, command: Command, out: &mut Out<Replica>) {
        if !self.is_primary() {
            out.because(REDIRECTS, facts![self.view]);
            let primary = self.is_normal().then(|| self.config.primary(self.view));
            return out.reply(command.client, command.seq, Answer::Redirect(primary));
        }
        if let Some(outcome) = self.machine.recall(command)
            && out.rule(ANSWERS_AGAIN, facts![command])
        {
            return out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        if !self.is_new(command) && out.rule(DROPS_REQUEST, facts![command]) {
            return;
        }
        let (view, commit) = (self.view, self.commit);
        let op = self.log.push(Entry { view, command });
        self.prepared = true;
        let to = if self.config.ring { NodeSet::just(self.next()) } else { self.peers() };
        out.because(PREPARES_REQUEST, facts![command, op, view, to]);
        out.broadcast(to, Msg::Prepare { view, op, command, commit });
    }

    /// The replica to which this one forwards.
    const fn next(&self) -> NodeId {
        NodeId((self.me.0 + 1) % self.config.replicas)
    }

    /// A Prepare that it did not have goes on to the next replica, until all but the primary have had it.
    fn forward(&self, op: Slot, prepare: Msg, out: &mut Out<Replica>) {
        let next = self.next();
        if self.config.ring && next != self.config.primary(self.view) {
            out.because(FORWARDS, facts![op, next]);
            out.send(next, prepare);
        }
    }

    /// Enters a request into the client table; tells whether it is later than the client's last one there.
    fn is_new(&mut self, command: Command) -> bool {
        log_copy::is_new(&mut self.latest, command)
    }

    /// A new primary enters the requests that are in its log and not executed. The machine knows the others.
    pub(super) fn rebuild_client_table(&mut self) {
        self.latest.clear();
        let open: Vec<Command> = self.log.iter_from(self.commit + 1).map(|(_, entry)| entry.command).collect();
        for command in open {
            self.is_new(command);
        }
    }

    /// Step 4.
    #[inline(always)]
    pub(super) fn on_prepare(
        &mut self,
        from: NodeId,
        view: u32,
        (op, command): (Slot, Command),
        commit: Slot,
        out: &mut Out<Replica>,
    ) {
        let primary = self.config.primary(view);
        if view != self.view || !self.is_normal() {
            if self.is_later(view) {
                return self.transfer_state(from, view, out);
            }
            let refused = out.rule(REFUSES_EARLIER_VIEW, facts![op, view, self.view]);
            if refused || op != self.log.last() + 1 {
                return;
            }
            self.log.push(Entry { view, command });
            return out.send(primary, Msg::PrepareOk { view, op });
        }
        self.hear_primary(out);
        let last = self.log.last();
        if op > last && !self.early.contains_key(&op) {
            self.forward(op, Msg::Prepare { view, op, command, commit }, out);
        }
        if op == last + 1 {
            self.append(op, command, primary, out);
            while let Some(next) = self.early.remove(&(self.log.last() + 1)) {
                self.append(self.log.last() + 1, next, primary, out);
            }
        } else if op > last {
            out.because(WAITS_FOR_EARLIER, facts![op, last]);
            if op <= last + WINDOW {
                self.early.insert(op, command);
            }
        } else {
            // Once more: the network has copied it.
            out.send(primary, Msg::PrepareOk { view, op });
        }
        self.execute_to(commit, out);
    }

    #[inline(always)]
    fn append(&mut self, op: Slot, command: Command, primary: NodeId, out: &mut Out<Replica>) {
        let view = self.view;
        self.log.push(Entry { view, command });
        out.because(ACKNOWLEDGES, facts![op, view]);
        out.send(primary, Msg::PrepareOk { view, op });
    }

    fn hear_primary(&self, out: &mut Out<Replica>) {
        out.because(HEARS_PRIMARY, facts![self.view]);
        self.reset_view_timeout(out);
    }

    /// Who holds `op` and all before it, as far as the primary knows.
    pub(super) fn holders(&self, op: Slot) -> NodeSet {
        let known = (0..).zip(&self.acknowledged).filter(|(_, last)| **last >= op);
        known.map(|(id, _)| NodeId(id)).collect::<NodeSet>().with(self.me)
    }

    /// Step 5.
    #[inline(always)]
    pub(super) fn on_prepare_ok(&mut self, from: NodeId, view: u32, op: Slot, out: &mut Out<Replica>) {
        if view != self.view || !self.is_primary() {
            return;
        }
        let last = self.log.last();
        let known = &mut self.acknowledged[usize::from(from.0)];
        *known = (*known).max(op.min(last));
        let mut committed = self.commit;
        while committed < last {
            let holders = self.holders(committed + 1);
            if holders.len() < self.config.commit_quorum() {
                break;
            }
            committed += 1;
            out.because(COMMITS_OP, facts![committed, holders]);
        }
        self.execute_to(committed, out);
    }

    /// Executes what is committed, as far as the log goes (steps 5 and 7).
    #[inline(always)]
    pub(super) fn execute_to(&mut self, committed: Slot, out: &mut Out<Replica>) {
        if committed > self.commit {
            self.execute(committed, out);
        }
    }

    #[inline(never)]
    fn execute(&mut self, committed: Slot, out: &mut Out<Replica>) {
        let answers = self.is_primary();
        while self.commit < committed {
            let next = self.commit + 1;
            let Some(&Entry { command, .. }) = self.log.get(next) else { break };
            self.commit = next;
            out.because(EXECUTES, facts![next]);
            let once = || out.rule(EXECUTES_ONCE, facts![command]);
            let outcome = self.machine.apply_once(command, self.me, once);
            out.applied(next, command);
            if answers {
                out.reply(command.client, command.seq, Answer::Done(outcome));
            }
        }
        let every = self.config.checkpoint_every;
        if every > 0 && self.commit >= self.checkpoint.slot + every {
            out.because(TAKES_CHECKPOINT, facts![self.commit]);
            self.patience.progress();
            self.log.compact_to(self.checkpoint.slot);
            self.checkpoint = Arc::new(Checkpoint { slot: self.commit, machine: self.machine.clone() });
        }
    }

    /// The primary looks whether a Commit is due (step 6): to everybody if it has prepared nothing since its last look, or else to those
    /// that have not acknowledged what it had prepared by then.
    pub(super) fn on_commit_timer(&mut self, out: &mut Out<Replica>) {
        if !self.is_primary() {
            return;
        }
        let (view, commit, op) = (self.view, self.commit, self.log.last());
        let behind = |peer: &NodeId| self.acknowledged[usize::from(peer.0)] < self.told;
        let to = if self.prepared { self.peers().iter().filter(behind).collect() } else { self.peers() };
        self.round += 1;
        if !to.is_empty() {
            out.because(SENDS_COMMIT, facts![commit]);
            out.broadcast(to, Msg::Commit { view, round: self.round, commit, op });
        }
        (self.prepared, self.told) = (false, op);
        out.set_timer(Timer::Commit, self.config.heartbeat, self.config.heartbeat);
    }

    /// A Commit: executes, and sees whether something was lost that an earlier Commit told of.
    pub(super) fn on_commit(
        &mut self,
        from: NodeId,
        (view, round): (u32, u32),
        commit: Slot,
        op: Slot,
        out: &mut Out<Replica>,
    ) {
        if view != self.view || !self.is_normal() {
            if self.is_later(view) {
                self.transfer_state(from, view, out);
            }
            return;
        }
        self.patience.hear(view, round);
        self.hear_primary(out);
        self.execute_to(commit, out);
        let (last, told) = (self.log.last(), std::mem::replace(&mut self.told, op));
        if last < told {
            self.transfer_state(from, view, out);
        } else if commit < told {
            out.because(ACKNOWLEDGES_AGAIN, facts![last, commit]);
            out.send(from, Msg::PrepareOk { view, op: last });
        }
    }
}
