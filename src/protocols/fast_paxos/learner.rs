//! The learner: counting votes, noticing collisions, executing what is chosen in order, and catching up (§2.2.1, §3.2). Every server learns
//! by itself, from the votes of the acceptors.
//!
//! Invariant: slots up to `committed` are chosen and executed; `open[i]` is what is known of slot `committed + 1 + i`.

use super::acceptor::WINDOW;
use super::message::{Msg, Vote};
use super::picking::{Allowed, allowed, in_turn};
use super::rounds::Round;
use super::rules::*;
use super::{Role, Server};
use crate::core::{Answer, Command, NodeId, NodeSet, Out, Slot};
use crate::facts;
use std::sync::Arc;

/// Most commands in one CatchUp.
const MOST: usize = 1_024;

/// What is known of a slot beyond the committed prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Open {
    /// Votes heard of, by acceptor and round: of each acceptor those of one series of rounds.
    pub votes: Vec<(NodeId, Vote)>,
    /// What is known to be chosen.
    pub chosen: Option<Command>,
    /// At a coordinator: what it asked for in phase 2a of one of its own rounds. There is one value a round, so it never changes within one.
    pub asked: Option<Vote>,
}

impl Open {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Open::default()
    }

    /// Who has voted in `round`, as far as known.
    pub fn voters(&self, round: Round) -> NodeSet {
        self.votes.iter().filter(|(_, vote)| vote.round == round).map(|(node, _)| *node).collect()
    }

    /// Who has voted so.
    pub fn voters_for(&self, this: Vote) -> NodeSet {
        self.votes.iter().filter(|(_, vote)| *vote == this).map(|(node, _)| *node).collect()
    }
}

impl Server {
    /// The place of `slot` in `open`.
    pub(super) fn place(&self, slot: Slot) -> Option<usize> {
        (slot > self.committed).then(|| (slot - self.committed - 1) as usize)
    }

    /// What is known of a slot that is not committed.
    pub(super) fn open(&mut self, slot: Slot) -> Option<&mut Open> {
        let place = self.place(slot)?;
        if self.open.len() <= place {
            self.open.resize(place + 1, Open::default());
        }
        self.open.get_mut(place)
    }

    /// Forgets the last slots as long as nothing is known of them.
    pub(super) fn forget_empty(&mut self) {
        while self.open.back().is_some_and(Open::is_empty) {
            self.open.pop_back();
        }
    }

    /// A vote.
    pub(super) fn on_accepted(&mut self, from: NodeId, slot: Slot, vote: Vote, out: &mut Out<Server>) {
        let (rounds, Vote { round, command }) = (self.config.rounds, vote);
        self.seen = self.seen.max(round);
        let stale = round < self.any.round && slot >= self.any.from;
        if slot <= self.committed || slot > self.committed + WINDOW || stale || round == 0 {
            return;
        }
        if rounds.first(round) > self.disk.round && !matches!(self.role, Role::Acceptor { .. }) {
            self.follow(round, None, out);
        }
        let Some(open) = self.open(slot) else { return };
        let first = rounds.first(round);
        let outdated =
            |&(node, held): &(NodeId, Vote)| node == from && (held.round == round || rounds.first(held.round) > first);
        if open.votes.iter().any(outdated) {
            return;
        }
        open.votes.retain(|(node, held)| *node != from || rounds.first(held.round) == first);
        let place = open.votes.partition_point(|(node, held)| (*node, held.round) < (from, round));
        open.votes.insert(place, (from, vote));
        if open.chosen.is_some() {
            return;
        }
        let voters = open.voters_for(vote);
        if self.config.quorum(round).is_quorum(voters) {
            out.because(CHOOSES, facts![command, slot, voters, round]);
            self.choose(slot, command, out);
        } else {
            out.tell(COUNTS_VOTES, facts![voters, command, slot, round]);
            self.look_for_collision(slot, round, out);
        }
        self.propose_waiting(out);
    }

    /// Whether no value can be chosen any more in fast round `round`, whatever those vote for that have not voted yet (§3.2).
    fn collides(&self, slot: Slot, round: Round) -> bool {
        let Some(open) = self.place(slot).and_then(|place| self.open.get(place)) else { return false };
        let voters = open.voters(round);
        let rounds = self.config.rounds;
        let same = rounds.first(self.any.round) == rounds.first(round);
        let members = if same { self.any.members } else { self.config.all() };
        let left = members.minus(voters).len();
        let most = open.votes.iter().filter(|(_, vote)| vote.round == round);
        let most = most.map(|(_, vote)| open.voters_for(*vote).len()).max();
        most.is_some_and(|most| most + left < self.config.fast.need())
    }

    /// Recovers from a collision: the votes of round i say what promises of round i+1 would (§3.2).
    fn look_for_collision(&mut self, slot: Slot, round: Round, out: &mut Out<Server>) {
        let rounds = self.config.rounds;
        if !rounds.is_fast(round) || !self.collides(slot, round) {
            return;
        }
        let next = round + 1;
        if !rounds.is_fast(next) {
            if self.coordinates(round) {
                out.because(COLLIDES, facts![slot, round]);
                self.recover(slot, round, out);
            }
            return;
        }
        let Some(open) = self.place(slot).and_then(|place| self.open.get(place)) else { return };
        let (voters, votes) = (open.voters(round), open.votes.clone());
        let held = self.vote(slot).map_or(0, |vote| vote.round);
        let may_vote = self.may_vote_fast() && self.any.round == round && held <= round;
        if !self.config.fast.is_quorum(voters) || !may_vote {
            return;
        }
        out.because(COLLIDES, facts![slot, round]);
        let votes: Vec<_> = votes.into_iter().filter(|(_, vote)| vote.round == round).collect();
        let command = match allowed(&self.config, slot, voters, &votes, out) {
            Allowed::Only(command) => Some(command),
            Allowed::Any(values) => in_turn(slot, &values),
        };
        if let Some(command) = command {
            out.because(VOTES_ON, facts![command, slot, next]);
            self.cast(slot, Vote { round: next, command }, out);
        }
    }

    /// `command` is chosen in `slot`: records it, and executes it if all before it are executed.
    pub(super) fn choose(&mut self, slot: Slot, command: Command, out: &mut Out<Server>) {
        let next = self.committed + 1;
        let Some(open) = self.open(slot).filter(|open| open.chosen.is_none()) else { return };
        open.chosen = Some(command);
        let last = self.committed + self.open.len() as Slot;
        for proposal in self.waiting.iter_mut().filter(|held| held.slot == slot && held.command != command) {
            (proposal.slot, proposal.after) = (0, last);
        }
        match slot == next {
            true => self.execute(out),
            false => out.chosen(slot, command),
        }
    }

    /// Executes commands up to the first slot that is not known to be chosen.
    fn execute(&mut self, out: &mut Out<Server>) {
        let mut written = None;
        while let Some(Open { chosen: Some(command), .. }) = self.open.front() {
            let command = *command;
            self.open.pop_front();
            self.committed += 1;
            out.because(EXECUTES, facts![self.committed]);
            let again = || out.rule(EXECUTES_ONCE, facts![command]);
            let outcome = self.machine.apply_once(command, self.me, again);
            out.applied(self.committed, command);
            out.reply(command.client, command.seq, Answer::Done(outcome));
            self.waiting.retain(|held| held.command.client != command.client || held.command.seq > command.seq);
            // The log keeps what is chosen: this server voted for something else, or not at all.
            if self.vote(self.committed).is_none_or(|vote| vote.command != command) {
                self.write(self.committed, Vote { round: 0, command });
                written = written.or(Some(self.committed));
            }
        }
        if let Some(slot) = written {
            self.save(slot, out);
        }
    }

    /// Sends what is chosen from `first` on.
    pub(super) fn send_chosen(&self, to: NodeId, first: Slot, out: &mut Out<Server>) {
        let known = self.disk.log.iter_from(first).take_while(|(slot, _)| *slot <= self.committed).take(MOST);
        let chosen: Vec<Command> = known.filter_map(|(_, vote)| Some(vote.as_ref()?.command)).collect();
        if !chosen.is_empty() {
            out.because(SENDS_MISSING, facts![to, first]);
            out.send(to, Msg::CatchUp { first, chosen: Arc::new(chosen) });
        }
    }

    /// Takes over commands that the sender knows to be chosen.
    pub(super) fn learn(&mut self, first: Slot, chosen: impl Iterator<Item = Command>, out: &mut Out<Server>) {
        for (slot, command) in (first..).zip(chosen) {
            if slot > self.committed {
                self.choose(slot, command, out);
            }
        }
    }
}
