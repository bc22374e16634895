//! Liveness within a bound: once faults are over, clients are answered and replicas catch up.
//!
//! That something good happens at last is nothing a run can show to be broken. That it happens within a [bound](crate::sim::world::Recovery)
//! is, and the bound is part of the scenario.

use super::SafetyChecker;
use crate::core::card::Shots;
use crate::core::{Micros, NodeSet, Slot};
use crate::sim::World;
use crate::sim::world::Recovery;

/// The names of the properties that are about a time without faults.
pub const PROPERTIES: [&str; 2] = [PROGRESS.0, CATCH_UP.0];

/// Nobody waits for ever.
const PROGRESS: (&str, &str) = ("Progress", "Once faults are over, whoever asks is answered within the stated time.");
/// Nobody stays behind for ever.
const CATCH_UP: (&str, &str) =
    ("Catching up", "Once faults are over, every member executes within the stated time what was chosen before.");
/// What is executed makes the state.
const SAME_STATE: (&str, &str) = ("Same state", "Nodes that have executed the same commands are in the same state.");

/// Watches one world whose scenario states a bound. Have it look after every step.
#[derive(Clone, Debug)]
pub struct LivenessChecker {
    bound: Recovery,
    /// When there is something to see next, µs.
    next: Micros,
    /// What was chosen when faults were over; `None` before that, and once everybody was found to have executed it.
    aim: Option<Slot>,
    begun: bool,
}

impl LivenessChecker {
    /// Holds a world to this bound.
    pub fn new(bound: Recovery) -> LivenessChecker {
        LivenessChecker { bound, next: bound.from, aim: None, begun: false }
    }

    /// Looks at the world as it is now.
    #[inline]
    pub fn observe(&mut self, world: &World, safety: &mut SafetyChecker) {
        if world.time() >= self.next {
            self.look(world, safety);
        }
    }

    fn look(&mut self, world: &World, safety: &mut SafetyChecker) {
        let Recovery { from, within } = self.bound;
        let now = world.time();
        if !self.begun {
            self.begun = true;
            self.aim = Some(safety.last_slot());
        }
        if now >= from.saturating_add(within)
            && let Some(aim) = self.aim.take()
            && world.replicas().card().shots == Shots::Log
        {
            caught_up(world, safety, aim);
        }
        // Nobody can have waited too long before this.
        let since = world.waiting_since().map_or(now, |since| since.max(from));
        self.next = since.saturating_add(within);
        if self.next <= now {
            safety.violated(world, PROGRESS, NodeSet::EMPTY, None);
            self.next = now.saturating_add(within);
        }
        if self.aim.is_some() {
            self.next = self.next.min(from.saturating_add(within));
        }
    }
}

/// Whether every member that runs and is in touch with the leader has executed everything up to `aim`, to the same state as the leader.
fn caught_up(world: &World, safety: &mut SafetyChecker, aim: Slot) {
    let replicas = world.replicas();
    let Some(leader) = world.leader() else { return };
    let Some(leading) = replicas.status(leader) else { return };
    for member in leading.members.iter() {
        if replicas.status(member).is_none() || world.cut_from(leader).has(member) || world.cut_from(member).has(leader)
        {
            continue;
        }
        let executed = safety.executed(member);
        if executed < aim {
            safety.violated(world, CATCH_UP, NodeSet::just(member), Some(aim));
        } else if executed == safety.executed(leader)
            && replicas.machine_digest(member) != replicas.machine_digest(leader)
        {
            safety.violated(world, SAME_STATE, NodeSet::just(leader).with(member), Some(executed));
        }
    }
}
