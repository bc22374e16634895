//! The coordinator: phase 1 of a new round, phase 2a with values or with Any, recovery from collisions, and going back to classic rounds
//! while no fast quorum answers (§2.2.1, §3.1, §3.2, §3.3).

use super::acceptor::AnyMessage;
use super::message::{Msg, Report, Vote};
use super::picking::{Allowed, allowed, in_turn};
use super::rounds::Round;
use super::rules::*;
use super::{Role, Server, Timer};
use crate::core::{Command, NodeId, NodeSet, Out, Slot};
use crate::facts;

/// How often time-outs double at most.
const DOUBLINGS: u8 = 4;
/// Repairs of one slot without success after which a coordinator begins a new round.
const REPAIRS: u8 = 3;

/// Phase 1 of a round under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Phase1 {
    /// Who has promised: the set Q of Figure 2, once it is a quorum.
    pub promises: NodeSet,
    /// Votes that they reported.
    votes: Vec<(Slot, NodeId, Vote)>,
}

/// A coordinator's volatile state in phase 2; new with every round that it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Coordination {
    /// Whom phase 2 goes to: all or, if thrifty, one quorum.
    members: NodeSet,
    /// The first slot of its Any message; 0 in a classic round.
    any_from: Slot,
    /// Who has answered heartbeats since that was last looked at.
    heard: NodeSet,
    /// Whether to look at the next heartbeat: every other time, so that there is time to answer.
    look: bool,
    /// In a classic round: times in a row that a fast quorum answered.
    reachable: u8,
    /// The first open slot at the last heartbeat; 0 if none was open.
    oldest: Slot,
    /// The last open slot then.
    newest: Slot,
    /// Heartbeats since `oldest` was first seen.
    waited: u8,
    /// Repairs since then.
    repairs: u8,
}

impl Server {
    /// Whether it coordinates the series that `round` is in, and is in phase 2.
    pub(super) fn coordinates(&self, round: Round) -> bool {
        let rounds = self.config.rounds;
        matches!(self.role, Role::Coordinator(_)) && rounds.first(round) == rounds.first(self.disk.round)
    }

    /// Phase 1a of a new round, once for all slots.
    pub(super) fn begin(&mut self, fast: bool, out: &mut Out<Server>) {
        let rounds = self.config.rounds;
        let after = self.seen.max(self.disk.round);
        let kind = if fast { "fast" } else { "classic" };
        let number = |node| if fast { rounds.next(after, node) } else { rounds.last(rounds.next(after, node)) };
        let owner = if out.rule(BEGINS_ROUND, facts![kind, number(self.me)]) { self.me } else { NodeId(0) };
        let round = number(owner);
        self.seen = round;
        // Its own acceptor promises first. The saved promise also keeps a restarted coordinator from using this round again.
        self.disk.round = round;
        self.save(self.disk.log.last() + 1, out);
        if let Role::Coordinator(_) = self.role {
            out.cancel(Timer::Heartbeat);
        }
        self.role = Role::Preparing(Phase1::default());
        self.open.iter_mut().for_each(|open| open.asked = None);
        let from = self.committed + 1;
        out.broadcast(self.config.all().without(self.me), Msg::Prepare { round, from });
        out.send(self.me, Msg::Promise { round, report: self.report(from).into() });
        self.reset_election_timeout(out);
    }

    /// Phase 1b arrives.
    pub(super) fn on_promise(&mut self, from: NodeId, round: Round, report: &Report, out: &mut Out<Server>) {
        if round != self.disk.round || !matches!(self.role, Role::Preparing(_)) {
            return;
        }
        let known = (report.committed + 1).saturating_sub(report.first) as usize;
        let chosen = report.votes.iter().take(known).map_while(|vote| Some(vote.as_ref()?.command));
        self.learn(report.first, chosen, out);
        let Role::Preparing(phase1) = &mut self.role else { return };
        if !phase1.promises.add(from) {
            return;
        }
        let open = (report.first..).zip(&report.votes).skip(known);
        phase1.votes.extend(open.filter_map(|(slot, vote)| Some((slot, from, (*vote)?))));
        let promises = phase1.promises;
        out.tell(COUNTS_PROMISES, facts![promises, round]);
        if self.config.quorum(round).is_quorum(promises) {
            self.open_round(out);
        } else if self.config.classic.is_quorum(promises) {
            // Enough for a classic round: the others get the time of a round trip.
            out.set_timer(Timer::Election, self.config.heartbeat, self.config.heartbeat);
        }
    }

    /// Phase 2a: a quorum has promised. Asks for votes where somebody may have voted, and sends Any for all slots after those.
    fn open_round(&mut self, out: &mut Out<Server>) {
        let role = std::mem::replace(&mut self.role, Role::Coordinator(Coordination::default()));
        let Role::Preparing(Phase1 { promises, mut votes }) = role else { return };
        let round = self.disk.round;
        out.because(COORDINATES, facts![round, promises]);
        if self.config.requirement_holds() {
            out.because(HEARS_OF_ALL_CHOSEN, facts![promises]);
        }
        let members = if self.config.thrifty { promises } else { self.config.all() };
        votes.retain(|(slot, ..)| *slot > self.committed);
        let reported = votes.iter().map(|(slot, ..)| *slot).max().unwrap_or(0);
        let mut last = reported.max(self.committed + self.open.len() as Slot);
        let fast = self.config.rounds.is_fast(round);
        if fast && last > self.committed && !out.rule(ANY_AFTER, facts![last, round]) {
            last = self.committed;
        }
        if let Role::Coordinator(coordination) = &mut self.role {
            *coordination = Coordination { members, any_from: if fast { last + 1 } else { 0 }, ..Default::default() };
        }
        for slot in self.committed + 1..=last {
            if self.open(slot).is_none_or(|open| open.chosen.is_some()) {
                continue;
            }
            let there = votes.iter().filter(|(at, ..)| *at == slot);
            let there: Vec<_> = there.map(|(_, node, vote)| (*node, *vote)).collect();
            let command = self.pick(slot, promises, &there, out);
            self.ask(slot, Vote { round, command }, out);
        }
        self.waiting.iter_mut().filter(|held| held.slot > last).for_each(|held| held.slot = 0);
        if fast {
            out.because(SENDS_ANY, facts![round, last + 1]);
            out.broadcast(members, Msg::Any { round, from: last + 1, members });
        }
        out.cancel(Timer::Election);
        self.beat(out);
        self.propose_waiting(out);
    }

    /// The value to ask for in a slot, after the votes that the quorum `q` has reported.
    fn pick(&mut self, slot: Slot, q: NodeSet, votes: &[(NodeId, Vote)], out: &mut Out<Server>) -> Command {
        let values = match allowed(&self.config, slot, q, votes, out) {
            Allowed::Only(command) => return command,
            Allowed::Any(values) => values,
        };
        // A command that gets another slot needs no second one.
        let placed = |command: &Command| {
            let elsewhere = |(at, open): (Slot, &super::learner::Open)| {
                at != slot && (open.chosen == Some(*command) || open.asked.is_some_and(|vote| vote.command == *command))
            };
            self.machine.recall(*command).is_some() || (self.committed + 1..).zip(&self.open).any(elsewhere)
        };
        let new: Vec<Command> = values.iter().copied().filter(|command| !placed(command)).collect();
        in_turn(slot, &new).unwrap_or_else(|| {
            out.tell(FILLS_GAP, facts![slot]);
            Command::NOOP
        })
    }

    /// Phase 2a for one slot.
    pub(super) fn ask(&mut self, slot: Slot, vote: Vote, out: &mut Out<Server>) {
        let Role::Coordinator(Coordination { members, .. }) = self.role else { return };
        let Some(open) = self.open(slot) else { return };
        open.asked = Some(vote);
        // Votes have all the time there is from now on.
        if let Role::Coordinator(state) = &mut self.role {
            state.oldest = 0;
        }
        out.broadcast(members, Msg::Accept { round: vote.round, slot, command: vote.command });
    }

    /// Coordinated recovery: the votes of `round`, a fast one, stand for promises of the next round, whose phase 2a follows at once (§3.2).
    /// Tells whether enough votes are known.
    pub(super) fn recover(&mut self, slot: Slot, round: Round, out: &mut Out<Server>) -> bool {
        let Some(open) = self.place(slot).and_then(|place| self.open.get(place)) else { return false };
        let next = round + 1;
        let voters = open.voters(round);
        if !self.config.quorum(next).is_quorum(voters) || open.asked.is_some_and(|vote| vote.round >= next) {
            return false;
        }
        let votes: Vec<_> = open.votes.iter().filter(|(_, vote)| vote.round == round).copied().collect();
        let command = self.pick(slot, voters, &votes, out);
        out.because(RECOVERS, facts![command, slot, next, voters, round]);
        self.ask(slot, Vote { round: next, command }, out);
        true
    }

    /// The heartbeat interval is over.
    pub(super) fn beat(&mut self, out: &mut Out<Server>) {
        let (round, committed, last) = (self.disk.round, self.committed, self.committed + self.open.len() as Slot);
        let me = self.me;
        let Role::Coordinator(state) = &mut self.role else { return };
        let members = state.members;
        out.because(SENDS_HEARTBEATS, facts![round]);
        let heartbeat = Msg::Heartbeat { round, committed, from: state.any_from, members };
        out.broadcast(self.config.all().without(me), heartbeat);
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
        let before = std::mem::replace(&mut state.newest, last);
        let oldest = if last > committed { committed + 1 } else { 0 };
        if std::mem::replace(&mut state.oldest, oldest) != oldest || oldest == 0 {
            (state.waited, state.repairs) = (0, 0);
            self.backoff = self.backoff.saturating_sub(u8::from(oldest == 0));
        } else {
            state.waited += 1;
        }
        let stalled = state.waited >= 1 << self.backoff;
        if stalled {
            state.waited = 0;
            state.repairs += 1;
        }
        let hopeless = state.repairs > REPAIRS;
        state.look = !state.look;
        if !state.look {
            let active = std::mem::take(&mut state.heard).with(me);
            if self.check_active(active, members, out) {
                return;
            }
        }
        if hopeless {
            self.backoff = (self.backoff + 1).min(DOUBLINGS);
            out.because(GIVES_UP_ROUND, facts![round, oldest]);
            self.begin(false, out);
        } else if stalled {
            self.repair(before, out);
        }
    }

    /// Looks at who answers: whether there still is a quorum, and a fast one. Tells whether the round is over.
    fn check_active(&mut self, active: NodeSet, members: NodeSet, out: &mut Out<Server>) -> bool {
        let round = self.disk.round;
        let (fast, can_be_fast) = (self.config.rounds.is_fast(round), self.config.fast.is_quorum(active));
        if !self.config.classic.is_quorum(active) {
            out.because(RESIGNS, facts![active]);
            self.follow(round, None, out);
            return true;
        }
        if fast && !can_be_fast {
            out.because(FALLS_BACK, facts![active]);
            self.begin(false, out);
            return true;
        }
        if self.config.thrifty && !members.minus(active).is_empty() {
            out.because(TAKES_OTHERS, facts![members, active]);
            self.begin(fast, out);
            return true;
        }
        let backoff = self.backoff;
        let Role::Coordinator(state) = &mut self.role else { return true };
        state.reachable = if fast || !can_be_fast { 0 } else { state.reachable + 1 };
        if state.reachable > 1 << backoff {
            out.because(GOES_FAST, facts![active]);
            self.begin(true, out);
            return true;
        }
        false
    }

    /// Sends again what got lost, in open slots up to `last`: its own phase 2a; in a fast round, the proposals that some acceptors have voted for and
    /// others have not got; and recovers where enough votes are known, though not all.
    fn repair(&mut self, last: Slot, out: &mut Out<Server>) {
        let round = self.disk.round;
        for slot in self.committed + 1..=last {
            let Some(open) = self.open(slot).filter(|open| open.chosen.is_none()) else { continue };
            if let Some(vote) = open.asked {
                let silent = open.voters(vote.round);
                out.because(RESENDS, facts![slot, vote.round]);
                let to = self.config.all().minus(silent);
                out.broadcast(to, Msg::Accept { round: vote.round, slot, command: vote.command });
                continue;
            }
            let here = open.votes.iter().map(|(_, vote)| *vote).filter(|vote| vote.round >= round);
            let vote = here.max_by_key(|vote| vote.round).unwrap_or(Vote { round, command: Command::NOOP });
            let voters = open.voters(vote.round);
            if !self.config.rounds.is_fast(vote.round + 1) && self.recover(slot, vote.round, out) {
                continue;
            }
            let Vote { round, command } = vote;
            out.because(FORWARDS, facts![command, slot, voters]);
            out.broadcast(self.config.all().minus(voters), Msg::Accept { round, slot, command });
        }
    }

    /// A server has answered a heartbeat.
    pub(super) fn on_heartbeat_reply(&mut self, from: NodeId, round: Round, missing: Slot, out: &mut Out<Server>) {
        if let Role::Coordinator(state) = &mut self.role
            && round == self.disk.round
        {
            state.heard.add(from);
            if missing > 0 {
                self.send_chosen(from, missing, out);
            }
        }
    }

    /// A heartbeat: repeats the Any message, and shows which of the two lacks chosen commands. Only what was chosen by the heartbeat before
    /// counts: votes for newer slots may still be under way.
    pub(super) fn on_heartbeat(&mut self, from: NodeId, any: AnyMessage, committed: Slot, out: &mut Out<Server>) {
        if any.round < self.disk.round {
            return out.send(from, Msg::Nack { promised: self.disk.round });
        }
        match any.from {
            0 => self.raise(from, any.round, out),
            _ => self.on_any(from, any, out),
        }
        let Role::Acceptor { heard, .. } = &mut self.role else { return };
        let (theirs, own) = std::mem::replace(heard, (committed, self.committed));
        let first_missing = if theirs > self.committed { self.committed + 1 } else { 0 };
        if own > committed {
            self.send_chosen(from, committed + 1, out);
        }
        // The coordinator makes progress, or there is nothing to do: the time-out shrinks again.
        if committed > theirs || self.open.is_empty() && self.waiting.is_empty() {
            self.backoff = self.backoff.saturating_sub(1);
        }
        out.because(WAITS_FOR_COORDINATOR, facts![any.round]);
        self.reset_election_timeout(out);
        out.send(from, Msg::HeartbeatReply { round: any.round, first_missing });
    }

    /// An acceptor has promised a higher round.
    pub(super) fn on_nack(&mut self, promised: Round, out: &mut Out<Server>) {
        self.seen = self.seen.max(promised);
        if promised > self.disk.round && !matches!(self.role, Role::Acceptor { .. }) {
            self.follow(promised, None, out);
        }
    }

    /// Stops coordinating, if it did, and waits for the coordinator of `round`.
    pub(super) fn follow(&mut self, round: Round, coordinator: Option<NodeId>, out: &mut Out<Server>) {
        self.seen = self.seen.max(round);
        let role = std::mem::replace(&mut self.role, Role::acceptor(coordinator));
        if !matches!(role, Role::Acceptor { .. }) {
            out.because(BACKS_OFF, facts![self.seen]);
            out.cancel(Timer::Heartbeat);
            self.backoff = (self.backoff + 1).min(DOUBLINGS);
            self.open.iter_mut().for_each(|open| open.asked = None);
            // What only this coordinator knew of its own proposals is for others to bring about now.
            for proposal in &mut self.waiting {
                if self.disk.log.get(proposal.slot).copied().flatten().is_none_or(|v| v.command != proposal.command) {
                    proposal.slot = 0;
                }
            }
            self.forget_empty();
        }
        self.reset_election_timeout(out);
    }

    /// The promises of its round did not come in time, or nobody coordinates.
    pub(super) fn on_election_timeout(&mut self, out: &mut Out<Server>) {
        match &self.role {
            Role::Acceptor { .. } => {
                out.because(LOSES_PATIENCE, facts![]);
                self.begin(true, out);
            }
            Role::Preparing(Phase1 { promises, .. }) => {
                out.because(PREPARES_AGAIN, facts![*promises]);
                if !self.config.classic.is_quorum(*promises) {
                    self.backoff = (self.backoff + 1).min(DOUBLINGS);
                }
                self.begin(false, out);
            }
            Role::Coordinator(_) => {}
        }
    }

    /// Sets the election timeout anew: longer after rounds that came to nothing.
    pub(super) fn reset_election_timeout(&self, out: &mut Out<Server>) {
        let (least, most) = (self.config.election_min << self.backoff, self.config.election_max << self.backoff);
        out.set_timer(Timer::Election, least, most);
    }
}
