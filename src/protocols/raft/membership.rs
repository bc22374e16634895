//! Cluster membership changes: joint consensus, and single-server changes as the alternative (paper §6; dissertation chapter 4).

use super::Membership;
use super::configuration::Configuration;
use super::leader::{Progress, ProgressState};
use super::message::{Heartbeat, Message};
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use super::storage::Payload;
use crate::core::{NodeId, NodeSet, Slot};

/// How many minimum election timeouts new servers have to catch up before they are given up (dissertation §4.2.1).
const PATIENCE: u8 = 10;

/// A change the leader was asked for and has not completed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The members to be.
    pub target: NodeSet,
    /// New servers that are to catch up first.
    catching_up: Option<CatchUp>,
}

/// One round of catching up: everything in the log when the round began.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CatchUp {
    learners: NodeSet,
    goal: Slot,
    /// The round has taken more than a minimum election timeout already, so there will be another.
    late: bool,
    patience: u8,
}

impl Server {
    /// The operator's order. A newer one replaces an older one that has not completed.
    pub(super) fn reconfigure(&mut self, target: NodeSet, out: &mut Out) {
        let (_, configuration) = self.configuration();
        let last = self.disk.log.last();
        let Role::Leader(lead) = &mut self.role else { return };
        if target.is_empty() {
            return;
        }
        let learners = target.minus(configuration.all());
        for learner in learners.iter() {
            if !lead.peers.has(learner) {
                *lead.track(learner) = Progress { next: last + 1, state: ProgressState::Probe, ..Progress::default() };
            }
        }
        lead.change = Some(Change { target, catching_up: None });
        self.find_peers();
        if !learners.is_empty() {
            self.start_round(learners, PATIENCE, out);
            self.beat(learners, false, out);
        }
        self.change_on(out);
    }

    fn start_round(&mut self, learners: NodeSet, patience: u8, out: &mut Out) {
        let goal = self.disk.log.last();
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(change) = &mut lead.change else { return };
        out.because(CATCH_UP_FIRST);
        change.catching_up = Some(CatchUp { learners, goal, late: false, patience });
        out.set_timer(Timer::CatchUp, self.config.election_min, self.config.election_min);
    }

    /// Whom the leader sends to.
    fn find_peers(&mut self) {
        let (_, configuration) = self.configuration();
        let Role::Leader(lead) = &mut self.role else { return };
        let target = lead.change.as_ref().map_or(NodeSet::EMPTY, |change| change.target);
        lead.leaving = lead.leaving.minus(configuration.all().or(target));
        lead.peers = configuration.all().or(target).or(lead.leaving).without(self.me);
    }

    /// A round that ends in time is the last one.
    pub(super) fn caught_up(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(Change { catching_up: Some(round), .. }) = &lead.change else { return };
        if round.learners.iter().any(|learner| lead.matched(learner) < round.goal) {
            return;
        }
        let (learners, late, patience) = (round.learners, round.late, round.patience);
        if late {
            return self.start_round(learners, patience, out);
        }
        out.cancel(Timer::CatchUp);
        if let Some(change) = &mut lead.change {
            change.catching_up = None;
        }
        self.change_on(out);
    }

    pub(super) fn on_catch_up_timeout(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(Change { catching_up: Some(round), .. }) = &mut lead.change else { return };
        out.because(CATCH_UP_FIRST);
        round.late = true;
        round.patience -= 1;
        if round.patience == 0 {
            lead.change = None;
            return self.find_peers();
        }
        out.set_timer(Timer::CatchUp, self.config.election_min, self.config.election_min);
    }

    /// Takes the next step towards the members asked for, if it is time.
    pub(super) fn change_on(&mut self, out: &mut Out) {
        let (slot, now) = self.configuration();
        let Role::Leader(lead) = &mut self.role else { return };
        if now.is_joint() && slot <= self.commit {
            out.because(THEN_NEW);
            return self.append_configuration(Configuration::simple(now.voters), out);
        }
        let Some(change) = &lead.change else { return };
        if change.catching_up.is_some() || lead.transfer.is_some() {
            return;
        }
        if slot > self.commit {
            return out.because(ONE_CHANGE);
        }
        if now.voters == change.target {
            lead.change = None;
            return;
        }
        if self.commit < lead.term_start && out.rule(CHANGE_AFTER_OWN_COMMIT) {
            return;
        }
        let target = change.target;
        let next = match self.config.membership {
            Membership::SingleServer => one_step(now.voters, target, out),
            Membership::Joint if out.rule(JOINT_CONSENSUS) => Configuration::joint(now.voters, target),
            Membership::Joint => Configuration::simple(target),
        };
        self.append_configuration(next, out);
    }

    fn append_configuration(&mut self, next: Configuration, out: &mut Out) {
        let (_, before) = self.configuration();
        let slot = self.disk.log.last() + 1;
        self.configurations.push((slot, next));
        let Role::Leader(lead) = &mut self.role else { return };
        lead.leaving = lead.leaving.or(before.all().minus(next.all()));
        self.find_peers();
        self.append(Payload::Configuration(next), out);
    }

    /// The latest configuration may have been committed just now: then a leader that is not in it steps down, and hands over to
    /// whoever has come furthest (dissertation §4.2.2, §3.10).
    pub(super) fn configuration_committed(&mut self, out: &mut Out) {
        let (slot, now) = self.configuration();
        let Role::Leader(lead) = &self.role else { return };
        if slot > self.commit || now.is_joint() || now.voters.has(self.me) {
            return;
        }
        out.because(LEADER_LEAVES);
        let heir = now.voters.iter().max_by_key(|&server| (lead.matched(server), std::cmp::Reverse(server)));
        if let Some(heir) = heir {
            out.send(heir, Message::TimeoutNow { term: self.disk.term });
        }
        self.become_follower(out);
    }

    /// Tells a server that has left, and knows it, that this is final; then forgets it.
    pub(super) fn dismiss(&mut self, server: NodeId, out: &mut Out) {
        let (slot, _) = self.configuration();
        let Role::Leader(lead) = &mut self.role else { return };
        let matched = lead.matched(server);
        if slot > self.commit || matched < slot {
            return;
        }
        lead.leaving.remove(server);
        lead.peers.remove(server);
        let (term, commit, round) = (self.disk.term, self.commit, lead.round);
        let prev_term = self.disk.log.term_at(matched).unwrap_or(0);
        out.send(
            server,
            Message::Heartbeat(Heartbeat { term, prev_slot: matched, prev_term, commit, round, read: false }),
        );
    }
}

/// Adds the first server that is missing or, if none is, removes the first that is too many.
fn one_step(now: NodeSet, target: NodeSet, out: &mut Out) -> Configuration {
    out.because(SINGLE_SERVER);
    let missing = target.minus(now).iter().next();
    let surplus = now.minus(target).iter().next();
    Configuration::simple(match (missing, surplus) {
        (Some(server), _) => now.with(server),
        (None, Some(server)) => now.without(server),
        (None, None) => now,
    })
}
