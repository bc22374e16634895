//! The execution algorithm: committed instances and their dependencies are a graph, the same at all replicas. Its strongly connected
//! components are executed after all that they depend on, and within one in the order of sequence numbers.
//!
//! The search is Tarjan's (*Depth-first search and linear graph algorithms*, 1972), without recursion: chains of dependencies get long.

use super::record::{Phase, Value, owner_place};
use super::rules::*;
use super::{Server, Stage};
use crate::core::{Answer, Command, Instance, Out, Outcome, Slot};
use crate::facts;
use crate::services::Machine;
use std::sync::Arc;

/// Which instances of one owner are executed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Executed {
    /// All up to this one.
    pub upto: Slot,
    /// Beyond that, these, in order.
    ahead: Vec<Slot>,
}

impl Executed {
    fn has(&self, slot: Slot) -> bool {
        slot <= self.upto || self.ahead.binary_search(&slot).is_ok()
    }

    fn add(&mut self, slot: Slot) {
        if let Err(place) = self.ahead.binary_search(&slot) {
            self.ahead.insert(place, slot);
        }
        let next = (self.upto + 1..).zip(&self.ahead).take_while(|(next, slot)| next == *slot).count();
        self.ahead.drain(..next);
        self.upto += next as Slot;
    }
}

/// An instance on the way of the search, and the next of its dependencies to look at.
struct Visit {
    at: Instance,
    /// Its number in the order of discovery, and the smallest of any that it reaches.
    number: u32,
    low: u32,
    next: Instance,
}

impl Server {
    /// Whether an instance is known to be committed, here or by what somebody else has on disk.
    pub(super) fn is_learned(&self, at: Instance) -> bool {
        self.disk.get(at).is_some_and(|record| record.phase == Phase::Committed)
            && !self.place(at).is_ok_and(|place| self.open[place].1.stage == Stage::Committing)
    }

    fn is_executed(&self, at: Instance) -> bool {
        self.executed[owner_place(at)].has(at.slot)
    }

    /// The outcome of a command that is executed.
    pub(super) fn outcome(&self, command: Command) -> Option<Outcome> {
        self.machines.get(usize::from(command.op.object()?))?.recall(command)
    }

    /// Whether an own instance has this command, and is not executed yet.
    pub(super) fn is_under_way(&self, command: Command) -> bool {
        let place = usize::from(self.me.0);
        let Some(lane) = self.disk.lanes.get(place) else { return false };
        let same = |value: &Value| (value.command.client, value.command.seq) == (command.client, command.seq);
        lane.iter_from(self.executed[place].upto + 1).any(|(slot, record)| {
            let value = if record.phase == Phase::Committed { &record.value } else { &record.initial };
            !self.executed[place].has(slot) && value.as_deref().is_some_and(same)
        })
    }

    /// An instance is committed: executes it, and what waited for it, as far as that is possible.
    pub(super) fn learn(&mut self, at: Instance, out: &mut Out<Server>) {
        self.execute_with_dependencies(at, out);
        let waited: Vec<Instance> =
            self.blocked.extract_if(.., |(_, on)| *on == at).map(|(waiting, _)| waiting).collect();
        for waiting in waited {
            if self.waits_for(waiting).is_none() {
                self.execute_with_dependencies(waiting, out);
            }
        }
        if !self.is_executed(at)
            && let Some(value) = self.disk.get(at).and_then(|record| record.committed())
        {
            out.chosen(at, value.command);
        }
    }

    /// Executes an instance after all that it depends on; or notes for which one it has to wait.
    fn execute_with_dependencies(&mut self, root: Instance, out: &mut Out<Server>) {
        if self.is_executed(root) {
            return;
        }
        // By lane, the number of each instance from the first that is not executed; 0 for those not seen yet.
        let mut numbers: Vec<Vec<u32>> = vec![Vec::new(); self.executed.len()];
        let bases: Vec<Slot> = self.executed.iter().map(|executed| executed.upto).collect();
        let (mut path, mut stack): (Vec<Visit>, Vec<Instance>) = (Vec::new(), Vec::new());
        let (mut count, mut next) = (0, Some(root));
        loop {
            if let Some(at) = next.take() {
                count += 1;
                let row = &mut numbers[owner_place(at)];
                let index = (at.slot - bases[owner_place(at)] - 1) as usize;
                if row.len() <= index {
                    row.resize(index + 1, 0);
                }
                row[index] = count;
                stack.push(at);
                path.push(Visit { at, number: count, low: count, next: Instance { lane: 1, slot: 0 } });
            }
            let Some(visit) = path.last_mut() else { return };
            if let Some(dependency) = self.next_dependency(visit.at, &mut visit.next) {
                if !self.is_learned(dependency) {
                    if out.rule(WAITS_FOR_DEPENDENCY, facts![root.lane, root.slot, dependency.lane, dependency.slot]) {
                        let at = visit.at;
                        self.block(&stack, dependency);
                        // All that the last one misses is expected from now on.
                        return self.missing(at).iter().for_each(|missing| self.expect(*missing, out));
                    }
                    continue;
                }
                // It waits itself, so this one has to wait for the same: what leads from it to there need not be searched again.
                if let Some(on) = self.waits_for(dependency)
                    && out.rule(WAITS_FOR_DEPENDENCY, facts![root.lane, root.slot, on.lane, on.slot])
                {
                    return self.block(&stack, on);
                }
                let index = (dependency.slot - bases[owner_place(dependency)] - 1) as usize;
                match numbers[owner_place(dependency)].get(index) {
                    Some(&number) if number > 0 => visit.low = visit.low.min(number),
                    _ => next = Some(dependency),
                }
                continue;
            }
            let (at, number, low) = (visit.at, visit.number, visit.low);
            path.pop();
            if let Some(before) = path.last_mut() {
                before.low = before.low.min(low);
            }
            if number == low {
                let first = stack.iter().rposition(|member| *member == at).unwrap_or(0);
                let component = stack.split_off(first);
                self.execute_component(component, out);
            }
        }
    }

    /// The next instance after `last` that `at` depends on and that is not executed.
    fn next_dependency(&self, at: Instance, last: &mut Instance) -> Option<Instance> {
        let deps = &self.disk.get(at)?.committed()?.deps;
        while let Some(&upto) = deps.get(owner_place(*last)) {
            let executed = &self.executed[owner_place(*last)];
            last.slot = last.slot.max(executed.upto) + 1;
            if last.slot > upto {
                *last = Instance { lane: last.lane + 1, slot: 0 };
            } else if *last != at && !executed.has(last.slot) {
                return Some(*last);
            }
        }
        None
    }

    /// The instance that one waits for, if it waits for one that is not known to be committed.
    fn waits_for(&self, at: Instance) -> Option<Instance> {
        let (_, on) = *self.blocked.iter().find(|(waiting, _)| *waiting == at)?;
        (!self.is_learned(on)).then_some(on)
    }

    /// All that the search has on its stack depend on `on`, directly or not, and have to wait for it. To note that of the root alone would be enough, but
    /// then, with 100 clients that all write one object, every commit would search all that is not executed many times.
    fn block(&mut self, stack: &[Instance], on: Instance) {
        for at in stack {
            if self.waits_for(*at).is_none() {
                self.blocked.push((*at, on));
            }
        }
    }

    /// What an instance depends on and is not committed here.
    pub(super) fn missing(&self, at: Instance) -> Vec<Instance> {
        let mut next = Instance { lane: 1, slot: 0 };
        let all = std::iter::from_fn(|| self.next_dependency(at, &mut next));
        all.filter(|dependency| !self.is_learned(*dependency)).collect()
    }

    /// Executes instances that depend on each other.
    fn execute_component(&mut self, mut component: Vec<Instance>, out: &mut Out<Server>) {
        if component.len() > 1 && out.rule(SORTS, facts![component.len() as u32]) {
            component.sort_unstable_by_key(|at| {
                let value = self.disk.get(*at).and_then(|record| record.committed());
                (value.map_or(0, |value| value.seq), at.lane, at.slot)
            });
        }
        for at in component {
            let value = self.disk.get(at).and_then(|record| record.committed()).map(Arc::clone);
            if let Some(value) = value {
                self.execute(at, value.command, out);
            }
        }
    }

    fn execute(&mut self, at: Instance, command: Command, out: &mut Out<Server>) {
        out.because(EXECUTES, facts![at.lane, at.slot]);
        self.executed[owner_place(at)].add(at.slot);
        out.applied(at, command);
        let Some(object) = command.op.object() else { return };
        let object = usize::from(object);
        if self.machines.len() <= object {
            self.machines.resize(object + 1, Machine::default());
        }
        let outcome = self.machines[object].apply_once(command, self.me, || out.rule(HAS_EXECUTED, facts![command]));
        if owner_place(at) == usize::from(self.me.0) && !self.restarting {
            out.reply(command.client, command.seq, Answer::Done(outcome));
        }
    }
}
