//! The storm: how a run is hit by troubles, and how all is well again afterwards.

use super::FuzzRequest;
use super::fault_kinds::{FAULT_KINDS, FaultKind, RunContext};
use super::generate::{Draft, pick};
use crate::core::{Faults, Micros, NodeId, NodeSet};
use crate::lab::Checked;
use crate::lab::check::byzantine_tolerated;
use crate::lab::fault::ScriptCheck;
use crate::sim::action::{Behaviour, DiskFault, Timed};
use crate::sim::rng::Rng;
use crate::sim::{Action, Cost};
use crate::universe::Universe;

/// Most actions of one run.
const ACTIONS: usize = 600;

/// Most events of one run. They take some ten thousand: one that takes more goes round in circles.
pub(super) const MOST_EVENTS: u64 = 3_000_000;

/// A storm in a running world.
pub(super) struct FaultPhase {
    pub universe: Box<dyn Universe>,
    /// What has been done, in order.
    pub script: Vec<Timed>,
    /// How often each sort of trouble struck.
    pub injections: Vec<u64>,
    /// Something was done that the protocol does not promise to survive.
    pub beyond: bool,
    pub(super) rng: Rng,
    pub(super) context: RunContext,
    pub(super) sites: u8,
    pub(super) domains: u16,
    /// The longest round trip, µs.
    pub(super) round_trip: Micros,
    /// How many replicas must be healthy in the end, if any number of them must make progress.
    pub(super) core: Option<u8>,
    /// What the script alone tells, so that nothing gets into it that makes no sense.
    script_check: ScriptCheck,
    /// How likely each sort of trouble is whenever there may be some, in a thousand.
    rates: Vec<u16>,
    /// When the next action happens, µs.
    at: Micros,
}

/// Something is broken: there is nothing more to see.
pub(super) struct Broken;

impl FaultPhase {
    /// Draws the mix: which sorts of trouble there are, and how often. In some runs there are few, in others many.
    pub fn new(
        universe: Box<dyn Universe>,
        checked: &Checked,
        draft: &Draft,
        request: &FuzzRequest,
        mut rng: Rng,
    ) -> FaultPhase {
        let (card, blueprint) = (universe.variant().card, &checked.blueprint);
        let context = RunContext {
            card,
            clocks: draft.clocks,
            costs: blueprint.topology.cost != Cost::default(),
            byzantine: byzantine_tolerated(card, blueprint.placement.len()),
            beyond_model: request.beyond_model,
        };
        let density = pick(&mut rng, &[150, 300, 500]);
        let mut rate = |fault_kind: &FaultKind| {
            let rate = pick(&mut rng, &[30, 100, 300]);
            let asked_for = request.only.iter().any(|name| name == fault_kind.name);
            let there = if request.only.is_empty() { rng.chance(density) } else { asked_for };
            if there && (fault_kind.fits)(&context) { rate } else { 0 }
        };
        let rates = FAULT_KINDS.iter().map(&mut rate).collect();
        FaultPhase {
            universe,
            script: Vec::new(),
            injections: vec![0; FAULT_KINDS.len()],
            beyond: false,
            rng,
            context,
            sites: blueprint.topology.sites,
            domains: blueprint.domains.len() as u16,
            round_trip: draft.round_trip,
            core: draft.core,
            script_check: ScriptCheck::new(card, blueprint),
            rates,
            at: 0,
        }
    }

    /// Lets it storm.
    pub fn fault(&mut self, draft: &Draft) -> Result<(), Broken> {
        self.run_until(draft.begins)?;
        let mut next = draft.begins;
        let mut leadership_intervals = 0;
        loop {
            next += self.rng.between(1, 2 * draft.gap);
            // The first moments of a leadership interval are the most delicate ones, so that some more trouble comes then.
            while self.run_until_leadership(next.min(draft.ends - 2), &mut leadership_intervals)? {
                let delicate = self.universe.time() + self.rng.between(1, 2 * draft.round_trip);
                self.run_until(delicate.min(draft.ends - 2))?;
                self.at = self.universe.time() + 1;
                for _ in 0..self.rng.between(0, 2) {
                    let there: Vec<usize> =
                        (0..FAULT_KINDS.len()).filter(|fault_kind| self.rates[*fault_kind] > 0).collect();
                    if !there.is_empty() {
                        let fault_kind = pick(&mut self.rng, &there);
                        self.inject(fault_kind);
                    }
                }
            }
            if next >= draft.ends - 2 {
                return self.run_until(draft.ends - 1);
            }
            self.at = self.universe.time() + 1;
            for fault_kind in 0..FAULT_KINDS.len() {
                if self.rng.chance(self.rates[fault_kind]) {
                    self.inject(fault_kind);
                }
            }
        }
    }

    /// Ends the storm for as many nodes as must be healthy; the others are down or cut off from then on.
    pub fn heal(&mut self, draft: &Draft) {
        self.at = draft.ends;
        let nodes = NodeSet::first(self.universe.nodes());
        // Who is a member by now is not for the storm to know: then everybody must be healthy.
        let core = self.core.filter(|_| !self.members_changed()).unwrap_or(nodes.len());
        let mut healthy: Vec<NodeId> = nodes.minus(self.rotten()).iter().collect();
        while healthy.len() > usize::from(core) {
            let one = self.rng.between(0, healthy.len() as u64 - 1) as usize;
            healthy.swap_remove(one);
        }
        self.act(Action::Stabilise);
        self.act(Action::ClearLinkFaults);
        self.act(Action::Resume);
        for node in &healthy {
            self.act(Action::Disk { node: *node, fault: DiskFault::Repair });
        }
        let recovers = self.context.card.faults != Faults::CrashStop;
        for node in nodes.iter() {
            match healthy.contains(&node) {
                // Who has a full disk may stop at any moment, even this one. Who is up for certain need not start.
                true if recovers => self.act(Action::Restart(node)),
                true => {}
                false if self.rng.chance(500) => self.act(Action::Crash(node)),
                false => self.partitioned(node),
            }
        }
        for node in healthy {
            for action in self.undoing(node) {
                self.act(action);
            }
        }
    }

    /// What has a node go on as if nothing had ever happened to it.
    fn undoing(&self, node: NodeId) -> Vec<Action> {
        let done = |same: fn(Action, NodeId) -> bool| self.script.iter().any(|timed| same(timed.action, node));
        let [drifted, throttled, byzantine] = [
            done(|action, node| matches!(action, Action::Drift { node: whose, .. } if whose == node)),
            done(|action, node| matches!(action, Action::Throttle { node: whose, .. } if whose == node)),
            done(|action, node| matches!(action, Action::Behaviour { node: who, .. } if who == node)),
        ];
        let drift = drifted.then_some(Action::Drift { node, ppm: 0 });
        let throttle = throttled.then_some(Action::Throttle { node, percent: 100 });
        let behave = byzantine.then_some(Action::Behaviour { node, how: Behaviour::Honest });
        [drift, throttle, behave].into_iter().flatten().collect()
    }

    /// Who has a corrupted record on its disk.
    pub(super) fn rotten(&self) -> NodeSet {
        self.script.iter().fold(NodeSet::EMPTY, |rotten, timed| match timed.action {
            Action::Disk { node, fault: DiskFault::Rot } => rotten.with(node),
            Action::Disk { node, fault: DiskFault::Wipe } => rotten.without(node),
            _ => rotten,
        })
    }

    /// Who has lied.
    pub(super) fn byzantine(&self) -> NodeSet {
        let byzantine = |timed: &Timed| match timed.action {
            Action::Behaviour { node, how } if how != Behaviour::Honest => Some(node),
            _ => None,
        };
        self.script.iter().filter_map(byzantine).collect()
    }

    /// Whether the cluster may have other members than at the start.
    pub(super) fn members_changed(&self) -> bool {
        self.script.iter().any(|timed| matches!(timed.action, Action::Add { .. } | Action::Remove(_)))
    }

    /// Runs on.
    pub fn run_until(&mut self, limit: Micros) -> Result<(), Broken> {
        while self.step_until(limit)? {}
        Ok(())
    }

    /// Runs on until somebody begins to lead; tells whether that happened before `limit`.
    fn run_until_leadership(&mut self, limit: Micros, leadership_intervals: &mut u32) -> Result<bool, Broken> {
        while self.step_until(limit)? {
            if self.universe.led() > *leadership_intervals {
                *leadership_intervals = self.universe.led();
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn step_until(&mut self, limit: Micros) -> Result<bool, Broken> {
        let happened = self.universe.step_until(limit);
        let good = self.universe.violations().is_empty() && self.universe.events() < MOST_EVENTS;
        if good { Ok(happened) } else { Err(Broken) }
    }

    fn inject(&mut self, fault_kind: usize) {
        if self.script.len() < ACTIONS {
            let before = self.script.len();
            (FAULT_KINDS[fault_kind].inject)(self);
            self.injections[fault_kind] += u64::from(self.script.len() > before);
        }
    }

    /// Writes an action into the script, for the first free moment after those before it; not if it makes no sense then.
    pub(super) fn act(&mut self, action: Action) {
        if self.script_check.objection(action).is_some() {
            return;
        }
        self.script_check.take(action);
        self.beyond |= self.context.is_left_by(action, self.byzantine());
        self.at = self.script.last().map_or(0, |last| last.at).max(self.at);
        while !self.universe.plan(Timed { at: self.at, action }) {
            self.at += 1;
        }
        self.script.push(Timed { at: self.at, action });
    }
}
