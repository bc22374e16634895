//! Cluster membership changes: joint consensus, and single-server changes as the alternative (paper §6; dissertation chapter 4).

use super::Membership;
use super::configuration::Configuration;
use super::message::{Heartbeat, Message};
use super::progress::{Progress, ProgressState};
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use super::storage::Payload;
use crate::core::{NodeId, NodeSet, Slot};

/// Minimum election timeouts after which a change is aborted because its new servers have not caught up (dissertation §4.2.1).
const CATCH_UP_TIMEOUTS: u8 = 10;

/// A membership change under way at the leader.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The new members.
    pub target: NodeSet,
    /// The round in which new servers catch up before the configuration changes, if there are such.
    catching_up: Option<CatchUp>,
}

/// A round of catching up: replicating to new servers, non-voting until then, all entries that were in the log when it began (dissertation
/// §4.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CatchUp {
    /// The new servers.
    learners: NodeSet,
    /// The last slot of the log when the round began.
    goal: Slot,
    /// Whether the round has taken longer than a minimum election timeout, so that another will follow.
    late: bool,
    /// Minimum election timeouts left before the change is aborted.
    timeouts_left: u8,
}

impl Server {
    /// An operator's order to change the members. It replaces an earlier one that is not completed.
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
        self.update_peers();
        if !learners.is_empty() {
            if out.rule(CATCH_UP_FIRST) {
                self.start_catch_up_round(learners, CATCH_UP_TIMEOUTS, out);
            }
            self.send_heartbeats(learners, false, out);
        }
        self.advance_change(out);
    }

    fn start_catch_up_round(&mut self, learners: NodeSet, timeouts_left: u8, out: &mut Out) {
        let goal = self.disk.log.last();
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(change) = &mut lead.change else { return };
        out.because(CATCH_UP_FIRST);
        change.catching_up = Some(CatchUp { learners, goal, late: false, timeouts_left });
        out.set_timer(Timer::CatchUp, self.config.election_min, self.config.election_min);
    }

    /// Updates whom the leader replicates to, after a change of configuration or target.
    fn update_peers(&mut self) {
        let (_, configuration) = self.configuration();
        let Role::Leader(lead) = &mut self.role else { return };
        let target = lead.change.as_ref().map_or(NodeSet::EMPTY, |change| change.target);
        lead.leaving = lead.leaving.minus(configuration.all().or(target));
        lead.peers = configuration.all().or(target).or(lead.leaving).without(self.me);
    }

    /// Ends the round once all new servers have reached its goal. If it took no longer than a minimum election timeout, it was the last.
    pub(super) fn check_catch_up(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(Change { catching_up: Some(round), .. }) = &lead.change else { return };
        if round.learners.iter().any(|learner| lead.matched(learner) < round.goal) {
            return;
        }
        let (learners, late, timeouts_left) = (round.learners, round.late, round.timeouts_left);
        if late {
            return self.start_catch_up_round(learners, timeouts_left, out);
        }
        out.cancel(Timer::CatchUp);
        if let Some(change) = &mut lead.change {
            change.catching_up = None;
        }
        self.advance_change(out);
    }

    pub(super) fn on_catch_up_timeout(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(Change { catching_up: Some(round), .. }) = &mut lead.change else { return };
        out.because(CATCH_UP_FIRST);
        round.late = true;
        round.timeouts_left -= 1;
        if round.timeouts_left == 0 {
            lead.change = None;
            return self.update_peers();
        }
        out.set_timer(Timer::CatchUp, self.config.election_min, self.config.election_min);
    }

    /// Appends the next configuration on the way to the target, if the one before it is committed.
    pub(super) fn advance_change(&mut self, out: &mut Out) {
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
        self.update_peers();
        self.append(Payload::Configuration(next), out);
    }

    /// If the configuration in force is committed and this leader is not in it, hands over to the member with the highest matchIndex, and steps
    /// down (dissertation §4.2.2, §3.10).
    pub(super) fn configuration_committed(&mut self, out: &mut Out) {
        let (slot, now) = self.configuration();
        let Role::Leader(lead) = &self.role else { return };
        if slot > self.commit || now.is_joint() || now.voters.has(self.me) {
            return;
        }
        out.because(LEADER_LEAVES);
        let successor = now.voters.iter().max_by_key(|&server| (lead.matched(server), std::cmp::Reverse(server)));
        if let Some(successor) = successor {
            out.send(successor, Message::TimeoutNow { term: self.disk.term });
        }
        self.become_follower(out);
    }

    /// Tells a removed server whose log holds the configuration without it that this is committed, and stops replicating to it.
    pub(super) fn notify_removed(&mut self, server: NodeId, out: &mut Out) {
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
        out.send(server, Message::Heartbeat(Heartbeat { term, prev_slot: matched, prev_term, commit, round }));
    }
}

/// The next single-server change: adds the first server that is missing or, if none is, removes the first that is too many.
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
