//! Liveness checker: bounded liveness once faults are over. Clients are answered and replicas catch up within a stated time, and leadership
//! settles.
//!
//! A finite run cannot violate unbounded liveness (Alpern and Schneider, Defining Liveness, 1985), but it can violate a
//! [bound](crate::sim::world::Recovery), which is part of the scenario. Leadership settles if from some time on nobody else leads (the
//! eventual leader Ω of Chandra, Hadzilacos, Toueg, The Weakest Failure Detector for Solving Consensus, 1996); here, from a
//! [stated time](crate::sim::world::Stability) on.

use super::{Finding, PropertyFinding, SafetyChecker, Violation};
use crate::core::card::Shots;
use crate::core::{Micros, NodeId, NodeSet, Slot};
use crate::sim::World;
use crate::sim::world::{Recovery, Stability};

/// Names of the liveness properties.
pub const PROPERTIES: [&str; 3] = [PROGRESS.0, CATCH_UP.0, STABLE.0];

/// Bounded waiting of clients.
const PROGRESS: (&str, &str) = ("Progress", "Once faults are over, whoever asks is answered within the stated time.");
/// Bounded catch-up of members.
const CATCH_UP: (&str, &str) =
    ("Catching up", "Once faults are over, every member executes within the stated time what was chosen before.");
/// Bounded number of leaders.
const STABLE: (&str, &str) =
    ("Stable leader", "From the stated time on, no more nodes come to lead, or lead already, than stated.");
/// State-machine safety, compared after catch-up.
const SAME_STATE: (&str, &str) = ("Same state", "Nodes that have executed the same commands are in the same state.");

/// Liveness checker of one world; [`LivenessChecker::observe`] is to be called after every step.
#[derive(Clone, Debug)]
pub struct LivenessChecker {
    recovery: Option<RecoveryChecker>,
    stability: Option<StabilityChecker>,
}

/// Checker of progress and catch-up.
#[derive(Clone, Debug)]
struct RecoveryChecker {
    bound: Recovery,
    /// Next time at which a check is due, µs.
    next: Micros,
    /// Last slot chosen when faults were over; `None` before that, and after catch-up was checked.
    target_slot: Option<Slot>,
    begun: bool,
    /// Whether any command was outstanding since faults were over.
    waited: bool,
    /// Number of members compared for catch-up; `None` before the bound has passed.
    compared: Option<u32>,
}

/// Checker of the number of leaders.
#[derive(Clone, Debug)]
struct StabilityChecker {
    bound: Stability,
    /// Number of leadership intervals that began before the bound holds and ended by then; `None` until then.
    over: Option<u32>,
    /// Number of leaders since then.
    leaders: u32,
}

impl LivenessChecker {
    /// A checker of these bounds.
    pub fn new(recovery: Option<Recovery>, stability: Option<Stability>) -> LivenessChecker {
        let recovery = recovery.map(|bound| RecoveryChecker {
            bound,
            next: bound.from,
            target_slot: None,
            begun: false,
            waited: false,
            compared: None,
        });
        let stability = stability.map(|bound| StabilityChecker { bound, over: None, leaders: 0 });
        LivenessChecker { recovery, stability }
    }

    /// Checks the world in its current state, if a check is due.
    #[inline]
    pub fn observe(&mut self, world: &World, safety: &mut SafetyChecker) {
        if let Some(recovery) = &mut self.recovery
            && world.time() >= recovery.next
        {
            recovery.check(world, safety);
        }
        if let Some(stability) = &mut self.stability
            && world.time() >= stability.bound.from
        {
            stability.check(world, safety);
        }
    }

    /// Findings for the properties that have a bound.
    pub fn findings(&self, violations: &[Violation]) -> Vec<PropertyFinding> {
        let mut findings = Vec::new();
        let mut add = |(property, says): (&'static str, &'static str), exercised: bool| {
            let violated = violations.iter().any(|violation| violation.property == property);
            let finding = match exercised {
                _ if violated => Finding::Violated,
                true => Finding::Held,
                false => Finding::NeverExercised,
            };
            findings.push(PropertyFinding { property, says, finding });
        };
        if let Some(recovery) = &self.recovery {
            add(PROGRESS, recovery.waited);
            add(CATCH_UP, recovery.compared.is_some_and(|compared| compared > 0));
        }
        if let Some(stability) = &self.stability {
            add(STABLE, stability.leaders > 0);
        }
        findings
    }
}

impl StabilityChecker {
    #[inline]
    fn check(&mut self, world: &World, safety: &mut SafetyChecker) {
        let over = *self.over.get_or_insert_with(|| {
            let ended = safety
                .leadership_intervals()
                .filter(|interval| interval.until.is_some_and(|until| until < self.bound.from));
            ended.count() as u32
        });
        let leaders = safety.led() - over;
        if leaders > self.leaders {
            let reported = self.leaders > self.bound.leaders;
            self.leaders = leaders;
            if leaders > self.bound.leaders && !reported {
                safety.report_violation(world, STABLE, world.leader().into_iter().collect(), None);
            }
        }
    }
}

impl RecoveryChecker {
    fn check(&mut self, world: &World, safety: &mut SafetyChecker) {
        let Recovery { from, within } = self.bound;
        let now = world.time();
        self.waited |= world.waiting() > 0;
        if !self.begun {
            self.begun = true;
            self.target_slot = Some(safety.last_slot());
        }
        if now >= from.saturating_add(within)
            && let Some(target_slot) = self.target_slot.take()
            && world.replicas().card().agrees_on == Shots::Log
        {
            self.compared = Some(caught_up(world, safety, target_slot));
        }
        // No command can exceed the bound before this time.
        let since = world.waiting_since().map_or(now, |since| since.max(from));
        self.next = since.saturating_add(within);
        if self.next <= now {
            safety.report_violation(world, PROGRESS, NodeSet::EMPTY, None);
            self.next = now.saturating_add(within);
        }
        if self.target_slot.is_some() {
            self.next = self.next.min(from.saturating_add(within));
        }
    }
}

/// Checks that every member that is up and connected to the reference node has executed everything up to `target_slot`, with the same state.
/// The reference is the leader or, without one, the node that has executed most. Returns the number of members compared with it.
fn caught_up(world: &World, safety: &mut SafetyChecker, target_slot: Slot) -> u32 {
    let replicas = world.replicas();
    let running = (0..world.nodes()).map(NodeId).filter(|id| replicas.status(*id).is_some());
    let farthest = || running.max_by_key(|id| (safety.executed(*id), std::cmp::Reverse(*id)));
    let Some(first) = world.leader().or_else(farthest) else { return 0 };
    let Some(status) = replicas.status(first) else { return 0 };
    let mut compared = 0;
    for member in status.members.without(first).iter() {
        if replicas.status(member).is_none() || world.cut_from(first).has(member) || world.cut_from(member).has(first) {
            continue;
        }
        compared += 1;
        let executed = safety.executed(member);
        if executed < target_slot {
            safety.report_violation(world, CATCH_UP, NodeSet::just(member), Some(target_slot));
        } else if executed == safety.executed(first)
            && replicas.machine_digest(member) != replicas.machine_digest(first)
        {
            safety.report_violation(world, SAME_STATE, NodeSet::just(first).with(member), Some(executed));
        }
    }
    if safety.executed(first) < target_slot {
        safety.report_violation(world, CATCH_UP, NodeSet::just(first), Some(target_slot));
    }
    compared
}
