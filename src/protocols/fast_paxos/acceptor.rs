//! The acceptor: promising, voting for what a coordinator asks for and, in a fast round, for what clients propose, and its durable state
//! (§2.2.1, §3.1).

use super::message::{Msg, Report, Vote};
use super::rounds::Round;
use super::rules::*;
use super::{Role, Server};
use crate::core::{Answer, Command, Log, NodeId, NodeSet, Out, Slot};
use crate::facts;
use std::sync::Arc;

/// Durable state: all that survives a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// `rnd`: the highest round promised. In a slot with a vote in a higher round, that one counts instead.
    pub round: Round,
    /// For each slot the last vote; up to `committed`, what is chosen there.
    pub log: Log<Option<Vote>>,
    /// Commands in slots up to this one are chosen. May lag behind what the server knows: it is written along with other things.
    pub committed: Slot,
}

/// An Any message in force: this server may vote for clients' proposals, in `round` and from slot `from` on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AnyMessage {
    /// The round; 0 for none.
    pub round: Round,
    /// The first slot.
    pub from: Slot,
    /// Who may.
    pub members: NodeSet,
}

/// A client's command that is not executed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proposal {
    /// The command.
    pub command: Command,
    /// Where this server has voted for it, or as coordinator asked for votes; 0 if nowhere, or something else was chosen there.
    pub slot: Slot,
    /// After which slot it may be voted for again. One that has lost a slot may be picked for one of those that were open then.
    pub after: Slot,
}

/// Slots beyond the commit index that an acceptor votes in: what lies further on is ignored, as if lost, until it has caught up.
pub(super) const WINDOW: Slot = 16_384;

impl Server {
    /// Writes all durable state, of which no slot below `slot` has changed; whatever is sent after this waits until it is on the disk.
    pub(super) fn save(&mut self, slot: Slot, out: &mut Out<Server>) {
        out.because(SAVES, facts![]);
        self.disk.committed = self.committed;
        out.save_entries(slot);
    }

    /// Raises the promise to the round of a message that is not refused.
    pub(super) fn raise(&mut self, from: NodeId, round: Round, out: &mut Out<Server>) {
        if round > self.disk.round {
            self.disk.round = round;
            self.save(self.disk.log.last() + 1, out);
            self.follow(round, Some(from), out);
        } else if let Role::Acceptor { coordinator, .. } = &mut self.role
            && self.config.rounds.first(round) == self.config.rounds.first(self.disk.round)
        {
            *coordinator = Some(from);
        }
    }

    /// Phase 1b.
    pub(super) fn on_prepare(&mut self, from: NodeId, round: Round, first: Slot, out: &mut Out<Server>) {
        if round < self.disk.round {
            out.because(REFUSES_TO_PROMISE, facts![round, self.disk.round]);
            return out.send(from, Msg::Nack { promised: self.disk.round });
        }
        match round > self.disk.round {
            true => out.because(PROMISES, facts![round, self.disk.round]),
            false => out.because(PROMISES_AGAIN, facts![round]),
        }
        self.raise(from, round, out);
        out.send(from, Msg::Promise { round, report: Arc::new(self.report(first)) });
    }

    pub(super) fn report(&self, first: Slot) -> Report {
        let votes = self.disk.log.iter_from(first).map(|(_, vote)| *vote).collect();
        Report { committed: self.committed, first, votes }
    }

    /// The last vote in a slot; in none, round 0.
    fn voted(&self, slot: Slot) -> Round {
        self.vote(slot).map_or(0, |vote| vote.round)
    }

    pub(super) fn vote(&self, slot: Slot) -> Option<&Vote> {
        self.disk.log.get(slot)?.as_ref()
    }

    /// Phase 2b, for a value that the coordinator sends.
    pub(super) fn on_accept(&mut self, from: NodeId, slot: Slot, vote: Vote, out: &mut Out<Server>) {
        let Vote { round, command } = vote;
        if slot > self.committed + WINDOW {
            return;
        }
        if slot <= self.committed {
            // Chosen already; the log keeps that, and no vote is needed any more.
            return self.send_chosen(from, slot, out);
        }
        if round < self.disk.round && out.rule(REFUSES_LOWER, facts![slot, round, self.disk.round]) {
            return out.send(from, Msg::Nack { promised: self.disk.round });
        }
        if let Some(&held) = self.vote(slot)
            && held.round >= round
        {
            // The vote may have been lost on its way.
            out.because(VOTED_ALREADY, facts![slot, held.round]);
            return out.send(from, Msg::Accepted { round: held.round, slot, command: held.command });
        }
        self.raise(from, self.config.rounds.first(round).max(self.disk.round), out);
        out.tell(VOTES, facts![command, slot, round]);
        self.cast(slot, vote, out);
        self.propose_waiting(out);
    }

    /// Votes, and tells all learners, itself among them, when the vote is on the disk.
    pub(super) fn cast(&mut self, slot: Slot, vote: Vote, out: &mut Out<Server>) {
        let Vote { round, command } = vote;
        self.write(slot, vote);
        for proposal in &mut self.waiting {
            if proposal.command == command {
                proposal.slot = slot;
            } else if proposal.slot == slot {
                proposal.slot = 0;
            }
        }
        self.save(slot, out);
        out.broadcast(self.config.all(), Msg::Accepted { round, slot, command });
    }

    pub(super) fn write(&mut self, slot: Slot, vote: Vote) {
        let log = &mut self.disk.log;
        while log.last() + 1 < slot {
            log.push(None);
        }
        if log.last() < slot {
            log.push(Some(vote));
        } else if let Some(held) = log.get_mut(slot) {
            *held = Some(vote);
        }
    }

    /// The coordinator's Any message: from now on clients' proposals count as its phase 2a.
    pub(super) fn on_any(&mut self, from: NodeId, any: AnyMessage, out: &mut Out<Server>) {
        if any.round < self.disk.round {
            return out.send(from, Msg::Nack { promised: self.disk.round });
        }
        self.raise(from, any.round, out);
        if any.round <= self.any.round {
            return;
        }
        self.any = any;
        // Nothing was chosen there in a lower round, and nothing will be: votes that are left there say nothing any more.
        for open in self.open.iter_mut().skip(any.from.saturating_sub(self.committed + 1) as usize) {
            open.votes.retain(|(_, vote)| vote.round >= any.round);
        }
        self.forget_empty();
        for place in 0..self.waiting.len() {
            let slot = self.waiting[place].slot;
            if slot >= any.from && self.voted(slot) < any.round {
                self.waiting[place].slot = 0;
            }
        }
        self.propose_waiting(out);
    }

    /// A client's command. Clients send theirs to all servers.
    pub(super) fn on_command(&mut self, command: Command, out: &mut Out<Server>) {
        if let Some(outcome) = self.machine.recall(command)
            && out.rule(ANSWERS_AGAIN, facts![command])
        {
            return out.reply(command.client, command.seq, Answer::Done(outcome));
        }
        let known = |held: &Proposal| held.command.client == command.client && held.command.seq >= command.seq;
        if self.waiting.iter().any(known) {
            return out.because(WAITS_FOR_FIRST, facts![command]);
        }
        self.waiting.push(Proposal { command, slot: 0, after: 0 });
        self.propose_waiting(out);
    }

    /// Votes in a fast round for the commands that wait or, as coordinator of a classic one, asks for votes for them.
    pub(super) fn propose_waiting(&mut self, out: &mut Out<Server>) {
        for place in 0..self.waiting.len() {
            let Proposal { command, slot, after } = self.waiting[place];
            if slot > 0 || self.committed < after || self.open.iter().any(|open| open.chosen == Some(command)) {
                continue;
            }
            match self.role {
                Role::Coordinator(_) if !self.config.rounds.is_fast(self.disk.round) => {
                    let slot = self.committed + self.open.len() as Slot + 1;
                    self.waiting[place].slot = slot;
                    out.because(PROPOSES, facts![command, slot, self.disk.round]);
                    self.ask(slot, Vote { round: self.disk.round, command }, out);
                }
                _ if self.may_vote_fast() => self.vote_fast(command, out),
                _ => return,
            }
        }
    }

    /// Whether an Any message for this server is in force.
    pub(super) fn may_vote_fast(&self) -> bool {
        self.any.round > 0 && self.any.round == self.disk.round && self.any.members.has(self.me)
    }

    /// Phase 2b in a fast round: this server may treat a client's proposal as if it were the coordinator's phase 2a, for any slot in which it
    /// has not voted in this round. It takes the slot in which others have voted for the command or, if there is none, the first in which
    /// nobody has voted as far as it knows.
    fn vote_fast(&mut self, command: Command, out: &mut Out<Server>) {
        let AnyMessage { round, from, .. } = self.any;
        let mut joined = false;
        for (slot, open) in (self.committed + 1..).zip(&self.open) {
            if slot >= from && open.votes.iter().any(|(_, vote)| *vote == Vote { round, command }) {
                if self.voted(slot) < round && open.chosen.is_none() {
                    out.because(JOINS, facts![command, slot, round]);
                    return self.cast(slot, Vote { round, command }, out);
                }
                joined = true;
            }
        }
        if !joined {
            let mut slot = from.max(self.committed + self.open.len() as Slot + 1);
            while self.voted(slot) >= round {
                slot += 1;
            }
            if slot <= self.committed + WINDOW {
                out.because(VOTES_FAST, facts![command, slot, round]);
                self.cast(slot, Vote { round, command }, out);
            }
        }
    }
}
