//! The coordinator of the own instances, and the acceptor in round 0: Suggest, Accept, Learn and Skip (Rules 1, 2 and 4; Optimizations 1 and 2,
//! Accelerator 1).

use super::message::Msg;
use super::record::Record;
use super::rules::*;
use super::{Server, Timer, WINDOW};
use crate::core::{Ballot, Command, NodeId, NodeSet, Out, Slot};
use crate::facts;

/// An instance under way: suggested here or, where everybody counts, elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Open {
    pub slot: Slot,
    /// Who has accepted it in round 0.
    pub votes: NodeSet,
    /// What was suggested; `None` until that is known.
    pub command: Option<Command>,
    /// The owner's last suggestion before this one: it has skipped what lies between.
    pub after: Slot,
    /// Whether somebody has promised a higher round for it.
    pub contested: bool,
}

/// So many suggestions are sent again at a time.
const AGAIN: usize = 32;

impl Server {
    /// The entry of an instance under way.
    pub(super) fn open(&mut self, slot: Slot) -> &mut Open {
        let place = self.open.binary_search_by_key(&slot, |open| open.slot);
        let new = || Open { slot, votes: NodeSet::EMPTY, command: None, after: slot, contested: false };
        let place = place.unwrap_or_else(|place| {
            self.open.insert(place, new());
            place
        });
        &mut self.open[place]
    }

    /// The own instances under way.
    pub(super) fn own_open(&self) -> impl Iterator<Item = &Open> {
        self.open.iter().filter(|open| self.owner(open.slot) == self.me)
    }

    /// Whether this command is suggested here, and not learned yet.
    pub(super) fn is_under_way(&self, command: Command) -> bool {
        let same = |other: Command| (other.client, other.seq) == (command.client, command.seq);
        self.own_open().any(|open| open.command.is_some_and(same))
            || self
                .of(self.me, self.executed, self.disk.suggested + 1)
                .any(|slot| self.disk.learned(slot).is_some_and(same))
    }

    /// Rule 1: suggests a command in the next own instance.
    pub(super) fn suggest(&mut self, command: Command, out: &mut Out<Server>) {
        let (me, slot, after) = (self.me, self.index(), self.disk.suggested);
        if slot > self.executed + WINDOW / 2 {
            return out.tell(HOLDS_BACK, facts![command, slot, self.executed]);
        }
        let Some(record) = self.disk.record(slot) else { return };
        out.because(SUGGESTS, facts![command, slot]);
        (record.accepted, record.value) = (Ballot::ZERO, Some(command));
        self.disk.suggested = slot;
        self.disk.index = self.next_of(me, slot);
        out.save_entries(slot);
        let open = self.open(slot);
        (open.command, open.after) = (Some(command), after);
        self.top = self.top.max(slot);
        // Optimization 2: this says what was skipped before.
        let (others, index) = (self.others(), self.disk.index);
        self.told.fill(index);
        out.broadcast(others, Msg::Suggest { slot, command, after });
        // The own acceptance counts as soon as it is on the disk, as does the own skip.
        let accept = Msg::Accept { slot, after, upto: slot };
        match self.config.broadcast {
            true => out.broadcast(others.with(me), accept),
            false => out.send(me, accept),
        }
    }

    pub(super) fn on_suggest(
        &mut self,
        from: NodeId,
        slot: Slot,
        command: Command,
        after: Slot,
        out: &mut Out<Server>,
    ) {
        if slot > self.executed + WINDOW {
            return;
        }
        self.take_skips(from, after, slot, out);
        self.top = self.top.max(slot);
        if self.disk.is_learned(slot) {
            // It comes again, or was revoked: its owner may not know that. It should go behind all that was.
            if let Some(command) = self.disk.learned(slot) {
                if command == Command::NOOP {
                    let (promised, upto) = (Ballot::ZERO, self.last_taken(slot));
                    out.because(IS_REVOKED, facts![slot, upto]);
                    out.send(from, Msg::Nack { ballot: Ballot::ZERO, slot, promised, upto });
                }
                out.send(from, Msg::Learn { slot, command });
            }
            return;
        }
        if self.config.broadcast {
            self.open(slot).command = Some(command);
        }
        let Some(record) = self.disk.record(slot) else { return };
        if record.promised.is_real() && out.rule(REFUSES, facts![slot, record.promised]) {
            let promised = record.promised;
            let upto = self.last_taken(slot);
            out.send(from, Msg::Nack { ballot: Ballot::ZERO, slot, promised, upto });
            self.skip_before(slot, out);
            return self.count(slot, out);
        }
        out.because(ACCEPTS, facts![slot, from]);
        (record.accepted, record.value) = (Ballot::ZERO, Some(command));
        out.save_entries(slot);
        let promise = self.skip_before(slot, out);
        let accept = Msg::Accept { slot, after: self.disk.suggested, upto: promise };
        self.told[usize::from(from.0)] = promise;
        match self.config.broadcast {
            true => {
                self.told.fill(promise);
                out.broadcast(self.others().with(self.me), accept);
            }
            false => out.send(from, accept),
        }
        self.defer_skips(out);
        self.count(slot, out);
    }

    /// The last instance of the same owner, from `slot` on, for which a higher round than 0 is promised, or that is learned.
    fn last_taken(&self, slot: Slot) -> Slot {
        let n = usize::from(self.config.replicas);
        let all = (slot..=self.disk.records.last()).step_by(n);
        let taken = |record: &Record| record.learned || record.promised.is_real();
        all.filter(|slot| self.disk.records.get(*slot).is_some_and(taken)).last().unwrap_or(slot)
    }

    /// Rule 2: moves the index behind `slot`, and skips the own instances before it. Returns what the next Accept promises: nothing will be
    /// suggested before that instance.
    fn skip_before(&mut self, slot: Slot, out: &mut Out<Server>) -> Slot {
        let (index, next) = (self.index(), self.next_of(self.me, slot));
        if next <= index {
            return index;
        }
        if out.rule(SKIPS, facts![index, slot]) {
            self.move_index(next, out);
        }
        next
    }

    /// Skips the own instances up to the next index. They are no-ops to this server, too, once that is on the disk.
    pub(super) fn move_index(&mut self, next: Slot, out: &mut Out<Server>) {
        if next > self.index() {
            self.disk.index = next;
            out.save_entries(self.disk.records.last() + 1);
            out.send(self.me, Msg::Skip { after: self.disk.suggested, upto: next });
        }
    }

    /// How many own instances are skipped and not announced to `node`.
    fn untold(&self, node: NodeId) -> Slot {
        let from = self.told[usize::from(node.0)].max(self.disk.suggested + 1);
        self.disk.index.saturating_sub(from) / Slot::from(self.config.replicas)
    }

    /// Accelerator 1: announces skips only if there are more than α, or after τ.
    pub(super) fn defer_skips(&mut self, out: &mut Out<Server>) {
        let waiting = self.others().iter().map(|node| self.untold(node)).max().unwrap_or(0);
        if waiting > self.config.alpha {
            self.announce_skips(out);
        } else if waiting > 0 && !self.skips_wait {
            self.skips_wait = true;
            out.tell(DEFERS, facts![waiting]);
            out.set_timer(Timer::Skip, self.config.tau, self.config.tau);
        }
    }

    pub(super) fn announce_skips(&mut self, out: &mut Out<Server>) {
        let to: NodeSet = self.others().iter().filter(|node| self.untold(*node) > 0).collect();
        if !to.is_empty() {
            let (after, upto) = (self.disk.suggested, self.disk.index);
            out.because(ANNOUNCES, facts![to, after, upto]);
            self.told.fill(upto);
            out.broadcast(to, Msg::Skip { after, upto });
        }
    }

    /// Learns no-ops: the instances of `from` between `after` and `upto`. Its own word is enough, for nobody else may propose anything but a no-op
    /// there.
    pub(super) fn take_skips(&mut self, from: NodeId, after: Slot, upto: Slot, out: &mut Out<Server>) {
        let (after, upto) = (after.max(self.executed), upto.min(self.executed + WINDOW));
        if self.of(from, after, upto).all(|slot| self.disk.is_learned(slot)) {
            return;
        }
        match out.rule(TAKES_SKIPS, facts![from, after, upto]) {
            true => self.of(from, after, upto).for_each(|slot| self.learn(slot, Command::NOOP, out)),
            false => (after + 1..upto).for_each(|slot| self.learn(slot, Command::NOOP, out)),
        }
    }

    pub(super) fn on_accept(&mut self, from: NodeId, slot: Slot, after: Slot, upto: Slot, out: &mut Out<Server>) {
        self.take_skips(from, after, upto, out);
        let counts = self.owner(slot) == self.me || self.config.broadcast;
        if counts && slot <= self.executed + WINDOW && !self.disk.is_learned(slot) {
            self.open(slot).votes.add(from);
            self.count(slot, out);
        }
    }

    /// Learns what was suggested once a majority has accepted it in round 0.
    pub(super) fn count(&mut self, slot: Slot, out: &mut Out<Server>) {
        let Ok(place) = self.open.binary_search_by_key(&slot, |open| open.slot) else { return };
        let Open { votes, command, .. } = self.open[place];
        match command.filter(|_| self.config.quorum.is_quorum(votes)) {
            Some(command) => {
                out.because(LEARNS, facts![slot, votes]);
                if !self.config.broadcast {
                    out.broadcast(self.others(), Msg::Learn { slot, command });
                }
                self.learn(slot, command, out);
            }
            None if !votes.is_empty() => out.tell(COUNTS, facts![slot, votes]),
            None => {}
        }
    }

    /// Sends suggestions again to those who have not accepted them.
    pub(super) fn suggest_again(&mut self, out: &mut Out<Server>) {
        let all = self.others();
        let own = self.own_open().filter(|open| !open.contested).take(AGAIN).cloned().collect::<Vec<_>>();
        for Open { slot, votes, command, after, .. } in own {
            if let Some(command) = command {
                out.because(RESENDS, facts![slot]);
                out.broadcast(all.minus(votes), Msg::Suggest { slot, command, after });
            }
        }
    }
}
