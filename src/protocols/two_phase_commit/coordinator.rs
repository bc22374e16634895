//! The coordinator: counts votes, decides, and keeps a decision until everybody has it.

use super::*;
use crate::facts;

/// A transaction whose votes are being counted, or whose commit record is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Open {
    pub at: Slot,
    pub command: Command,
    /// Who has voted yes; the coordinator itself is always among them.
    pub yes: NodeSet,
    /// How often votes were waited for in vain.
    tries: u8,
    /// The commit record is on its way to the disk.
    pub decided: bool,
}

/// A decision that not everybody has acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ending {
    pub at: Slot,
    /// Whose acknowledgement is missing.
    pub missing: NodeSet,
    /// What was committed; `None` if it was aborted.
    command: Option<Command>,
    /// How often acknowledgements were waited for in vain.
    tries: u8,
}

impl Ending {
    fn decision(&self) -> Msg {
        match self.command {
            Some(_) => Msg::Commit { at: self.at },
            None => Msg::Abort { at: self.at },
        }
    }
}

impl Server {
    pub(super) fn on_command(&mut self, command: Command, out: &mut Out<Server>) {
        let same = |other: &Command| (other.client, other.seq) == (command.client, command.seq);
        if self.open.iter().any(|open| same(&open.command)) || self.waiting.iter().any(same) {
            return;
        }
        if let Some(outcome) = self.disk.data.recall(command) {
            return out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        self.begin(command, out);
    }

    /// Whether a transaction under way has a lock that `command` needs, or one waits for it: first come, first served, or those that read could
    /// keep one that writes waiting for ever. A committed transaction has its lock until everybody is known to have let go of it: whoever is still
    /// in doubt would vote no.
    fn is_locked(&self, command: &Command) -> bool {
        let open = self.open.iter().map(|open| &open.command);
        let ending = self.ending.iter().filter_map(|ending| ending.command.as_ref());
        open.chain(ending).chain(&self.waiting).any(|other| conflict(other, command))
    }

    /// Phase 1.
    fn begin(&mut self, command: Command, out: &mut Out<Server>) {
        if self.is_locked(&command) && out.rule(LETS_WAIT, facts![command]) {
            return self.waiting.push(command);
        }
        if self.refuses(out) {
            // Before it has asked anybody: there is nobody to tell but the client.
            out.because(GIVES_UP, facts![command]);
            return self.ask_again(command, out);
        }
        self.last += 1;
        let at = self.last;
        if at > self.disk.reserved {
            self.disk.reserved = at + BLOCK - 1;
            out.because(RESERVES, facts![at, self.disk.reserved]);
            out.save_entries(at);
        }
        if self.config.presume != Presume::Abort {
            out.because(WRITES_START, facts![at]);
            self.force(at, Record::Started(command), out);
        }
        self.open.push(Open { at, command, yes: NodeSet::just(self.me), tries: 0, decided: false });
        out.broadcast(self.others(), Msg::Prepare { at, command });
        out.set_timer(Timer::Votes(at), self.config.timeout, self.config.timeout);
    }

    /// Tells a client that its transaction came to nothing; asked again, there will be a new one.
    fn ask_again(&self, command: Command, out: &mut Out<Server>) {
        out.reply(command.client, command.seq, Answer::Redirect(Some(self.me)));
    }

    pub(super) fn on_yes(&mut self, from: NodeId, at: Slot, out: &mut Out<Server>) {
        let Some(open) = self.open.iter_mut().find(|open| open.at == at && !open.decided) else { return };
        if !open.yes.add(from) {
            return;
        }
        let enough = open.yes.len() > self.config.nodes / 2;
        if open.yes != self.config.all() && (!enough || out.rule(WAITS_FOR_ALL, facts![at, open.yes])) {
            if !enough {
                out.tell(COUNTS_VOTES, facts![at, open.yes]);
            }
            return;
        }
        out.because(COMMITS, facts![at, open.yes]);
        out.because(WRITES_COMMIT, facts![at]);
        open.decided = true;
        let command = open.command;
        out.cancel(Timer::Votes(at));
        // The next numbers, while it writes.
        self.disk.reserved = self.disk.reserved.max(self.last + BLOCK);
        self.force(at, Record::Committed { command, ended: !self.config.acknowledged(true) }, out);
        // It hears of that when the commit record is on the disk.
        out.send(self.me, Msg::Commit { at });
    }

    /// Phase 2: the commit record is on the disk.
    pub(super) fn announce(&mut self, at: Slot, out: &mut Out<Server>) {
        let Some(place) = self.open.iter().position(|open| open.at == at && open.decided) else { return };
        let Open { command, .. } = self.open.remove(place);
        out.applied(at, command);
        out.broadcast(self.others(), Msg::Commit { at });
        if let Some(outcome) = self.disk.data.recall(command) {
            out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        self.remember(at, Some(command), out);
        self.go_on(out);
    }

    pub(super) fn on_no(&mut self, from: NodeId, at: Slot, out: &mut Out<Server>) {
        if self.open.iter().any(|open| open.at == at && !open.decided) {
            out.tell(ABORTS_ON_NO, facts![at, from]);
            self.abort(at, NodeSet::just(from), out);
        }
    }

    /// Phase 2: aborts; those in `know` have aborted already.
    fn abort(&mut self, at: Slot, know: NodeSet, out: &mut Out<Server>) {
        let Some(place) = self.open.iter().position(|open| open.at == at) else { return };
        let Open { command, .. } = self.open.remove(place);
        out.cancel(Timer::Votes(at));
        // Remembered first: a log is cut off only before what is not settled.
        self.remember(at, None, out);
        let acknowledged = self.config.acknowledged(false);
        self.aborted(at, !acknowledged, acknowledged, out);
        let to = if acknowledged { self.others() } else { self.others().minus(know) };
        out.broadcast(to, Msg::Abort { at });
        self.ask_again(command, out);
        self.go_on(out);
    }

    /// Keeps a decision until all have acknowledged it, unless it would be presumed anyway.
    fn remember(&mut self, at: Slot, command: Option<Command>, out: &mut Out<Server>) {
        if self.config.acknowledged(command.is_some())
            && !self.others().is_empty()
            && out.rule(KEEPS_DECISION, facts![at, self.others()])
        {
            self.ending.push(Ending { at, missing: self.others(), command, tries: 0 });
            out.set_timer(Timer::Acks(at), self.config.timeout, self.config.timeout);
        }
    }

    /// Begins what waited for a lock, as far as it can.
    fn go_on(&mut self, out: &mut Out<Server>) {
        for command in std::mem::take(&mut self.waiting) {
            self.begin(command, out);
        }
    }

    pub(super) fn on_ack(&mut self, from: NodeId, at: Slot, out: &mut Out<Server>) {
        let Some(place) = self.ending.iter().position(|ending| ending.at == at) else { return };
        self.ending[place].missing.remove(from);
        if !self.ending[place].missing.is_empty() {
            return;
        }
        // The end record: it is forgotten. That need not be forced; after a crash all are told, and acknowledge, once more.
        out.because(FORGETS_DECISION, facts![at]);
        let Ending { command, .. } = self.ending.remove(place);
        out.cancel(Timer::Acks(at));
        self.note(
            at,
            match command {
                Some(command) => Record::Committed { command, ended: true },
                None => Record::Aborted { ended: true },
            },
        );
        self.go_on(out);
    }

    /// Answers a participant in doubt.
    pub(super) fn tell_decision(&mut self, from: NodeId, at: Slot, out: &mut Out<Server>) {
        if self.open.iter().any(|open| open.at == at) {
            // Not decided, or not on the disk: it will hear.
            return;
        }
        if let Some(ending) = self.ending.iter().find(|ending| ending.at == at) {
            out.because(TELLS_DECISION, facts![from, at]);
            return out.send(from, ending.decision());
        }
        match self.config.presume {
            Presume::Commit => out.because(PRESUMES_COMMIT, facts![from, at]),
            _ => out.because(PRESUMES_ABORT, facts![from, at]),
        }
        out.send(from, if self.config.presume == Presume::Commit { Msg::Commit { at } } else { Msg::Abort { at } });
    }

    pub(super) fn votes_missing(&mut self, at: Slot, out: &mut Out<Server>) {
        let Some(open) = self.open.iter_mut().find(|open| open.at == at && !open.decided) else { return };
        open.tries += 1;
        if open.tries >= self.config.tries {
            out.because(ABORTS_ON_TIMEOUT, facts![at, self.config.all().minus(open.yes)]);
            return self.abort(at, NodeSet::EMPTY, out);
        }
        let (missing, command) = (self.config.all().minus(open.yes), open.command);
        out.because(ASKS_AGAIN_FOR_VOTES, facts![at, missing]);
        out.broadcast(missing, Msg::Prepare { at, command });
        out.set_timer(Timer::Votes(at), self.config.timeout, self.config.timeout);
    }

    pub(super) fn acks_missing(&mut self, at: Slot, out: &mut Out<Server>) {
        let Some(ending) = self.ending.iter_mut().find(|ending| ending.at == at) else { return };
        out.because(TELLS_MISSING, facts![at, ending.missing]);
        ending.tries = ending.tries.saturating_add(1);
        let patience = self.config.patience(ending.tries);
        out.broadcast(ending.missing, ending.decision());
        out.set_timer(Timer::Acks(at), patience, patience);
    }

    /// Starts from the log: what is decided is told again to all, what is not decided is aborted.
    pub(super) fn recover_coordinator(&mut self, out: &mut Out<Server>) {
        let (mut decided, mut undecided) = (Vec::new(), Vec::new());
        let first = self.disk.log.first();
        for (at, record) in self.disk.log.iter_from(first) {
            match *record {
                Record::Started(_) => undecided.push(at),
                Record::Committed { command, ended } => decided.push((at, Some(command), ended)),
                Record::Aborted { ended: false } => decided.push((at, None, false)),
                Record::Unknown | Record::Prepared(_) | Record::Aborted { ended: true } => {}
            }
        }
        let committed = |(at, command, _): &(Slot, Option<Command>, bool)| command.map(|_| *at);
        if decided.iter().any(|one| committed(one).is_some()) && !out.rule(FINDS_COMMITS, facts![]) {
            decided.iter().filter_map(committed).for_each(|at| self.disk.log.get_mut(at).into_iter().for_each(forget));
            decided.retain(|one| committed(one).is_none());
        }
        if undecided.first().is_some_and(|at| !out.rule(FINDS_START, facts![*at])) {
            undecided.drain(..).for_each(|at| self.disk.log.get_mut(at).into_iter().for_each(forget));
        }
        self.last = self.disk.log.last();
        if self.disk.reserved > self.last && out.rule(GOES_ON_ABOVE, facts![self.disk.reserved]) {
            self.last = self.disk.reserved;
        }
        decided.retain(|(.., ended)| !ended);
        decided.extend(undecided.iter().map(|at| (*at, None, false)));
        // Remembered first: a log is cut off only before what is not settled.
        for &(at, command, _) in &decided {
            out.because(TELLS_AGAIN, facts![at, if command.is_some() { "commit" } else { "abort" }]);
            self.remember(at, command, out);
        }
        for at in undecided {
            self.aborted(at, false, true, out);
        }
        for (at, command, _) in decided {
            let message = if command.is_some() { Msg::Commit { at } } else { Msg::Abort { at } };
            out.broadcast(self.others(), message);
        }
    }
}

/// What a rule would have kept.
pub(super) fn forget(record: &mut Record) {
    *record = Record::Unknown;
}
