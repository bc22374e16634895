//! The fault phase of a run: fault injection, and healing of the core at its end.

use super::FuzzRequest;
use super::fault_kinds::{FAULT_KINDS, FaultKind, LAST_MESSAGES, RunContext};
use super::generate::{Draft, pick};
use crate::core::status::RECOVERING;
use crate::core::{Micros, NodeId, NodeSet, Phase};
use crate::lab::Checked;
use crate::lab::document::fault::ScriptCheck;
use crate::lab::run::session::{Stopped, Watch};
use crate::sim::action::{Behaviour, DiskFault, Timed};
use crate::sim::rng::Rng;
use crate::sim::{Action, Cost};
use crate::universe::Universe;

/// Most actions of one run.
const ACTIONS: usize = 600;

/// Most events of one run, apart from those of heartbeats. Typical runs take some thousand; one that reaches this livelocks.
const MOST_EVENTS: u64 = 1_000_000;

/// Most events that one heartbeat takes: its timer, its arrival, and the timers that it starts anew.
const OF_A_HEARTBEAT: u64 = 4;

/// Whether a run has taken more events than it can without a livelock. Where round trips take microseconds, heartbeats alone are a million in seconds.
pub(super) fn is_endless(universe: &dyn Universe) -> bool {
    let events = universe.events();
    if events < MOST_EVENTS {
        return false;
    }
    let kinds = universe.variant().kinds.iter().zip(universe.counts().by_kind());
    let heartbeats: u64 = kinds.filter(|(kind, _)| kind.phase == Phase::Heartbeat).map(|(_, sent)| sent).sum();
    events >= MOST_EVENTS + OF_A_HEARTBEAT * heartbeats
}

/// Fault injection into a running simulation.
pub(super) struct FaultPhase {
    pub universe: Box<dyn Universe>,
    /// The actions so far, in order.
    pub script: Vec<Timed>,
    /// Faults injected, by kind.
    pub injections: Vec<u64>,
    /// An action outside the protocol's model was taken.
    pub beyond: bool,
    pub(super) rng: Rng,
    pub(super) context: RunContext,
    pub(super) sites: u8,
    pub(super) domains: u16,
    /// The longest round trip, µs.
    pub(super) round_trip: Micros,
    /// The size of the healthy core; `None`: no number of healthy replicas must make progress.
    pub(super) core: Option<u8>,
    /// How many nodes may be failed at a time, where the protocol has no stable storage or a crashed node is gone.
    most_failed: Option<u8>,
    /// The crashes so far there, with the time of each, µs: who is in a place can change later.
    crashes: Vec<(Micros, NodeSet)>,
    /// The network loses and delays nothing beyond its bound, and refuses what would.
    synchronous: bool,
    /// Rejects actions that contradict the script so far.
    script_check: ScriptCheck,
    /// Probability of each kind of fault at each opportunity, in parts of a thousand.
    rates: Vec<u16>,
    /// Earliest time of the next action, µs.
    at: Micros,
    /// Looks at the memory of the run.
    watch: Watch,
    /// It took too much.
    pub too_large: bool,
}

/// A property was violated, or the run took too much memory, so it ends.
pub(super) struct PropertyViolated;

impl FaultPhase {
    /// Generates the mix: which kinds of faults occur, and how often.
    pub fn new(
        universe: Box<dyn Universe>,
        checked: &Checked,
        draft: &Draft,
        request: &FuzzRequest,
        memory: u64,
        mut rng: Rng,
    ) -> FaultPhase {
        let (card, blueprint) = (universe.variant().card, &checked.blueprint);
        let context = RunContext {
            card,
            clocks: draft.clocks,
            clock_error: draft.clock_error,
            costs: blueprint.topology.cost != Cost::default(),
            byzantine: draft.byzantine,
            beyond_model: request.beyond_model,
        };
        let synchronous = card.needs_synchrony() && !request.beyond_model;
        let density = pick(&mut rng, &[150, 300, 500]);
        let mut rate = |fault_kind: &FaultKind| {
            let rate = pick(&mut rng, &[30, 100, 300]);
            let asked_for = request.only.iter().any(|name| name == fault_kind.name);
            let there = if request.only.is_empty() { rng.chance(density) } else { asked_for };
            if there && (fault_kind.fits)(&context) { rate } else { 0 }
        };
        let drawn = |fault_kind: &FaultKind| fault_kind.name != LAST_MESSAGES || (fault_kind.fits)(&context);
        let rates = FAULT_KINDS.iter().map(|fault_kind| if drawn(fault_kind) { rate(fault_kind) } else { 0 }).collect();
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
            most_failed: draft.most_failed,
            crashes: Vec::new(),
            synchronous,
            script_check: ScriptCheck::new(card, blueprint),
            rates,
            at: 0,
            watch: Watch::new(memory),
            too_large: false,
        }
    }

    /// Runs the fault phase. Errors: a property was violated.
    pub fn run_faults(&mut self, draft: &Draft) -> Result<(), PropertyViolated> {
        self.run_until(draft.begins)?;
        let mut next = draft.begins;
        let mut leadership_intervals = 0;
        loop {
            next += self.rng.between(1, 2 * draft.gap);
            // Extra faults at the beginning of each leadership interval, where recovery code runs.
            while self.run_until_leadership(next.min(draft.ends - 2), &mut leadership_intervals)? {
                let early = self.universe.time() + self.rng.between(1, 2 * draft.round_trip);
                self.run_until(early.min(draft.ends - 2))?;
                self.at = self.universe.time() + 1;
                for _ in 0..self.rng.between(0, 2) {
                    let present: Vec<usize> =
                        (0..FAULT_KINDS.len()).filter(|fault_kind| self.rates[*fault_kind] > 0).collect();
                    if !present.is_empty() {
                        let fault_kind = pick(&mut self.rng, &present);
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

    /// Ends all faults of a healthy core; the other nodes are down or partitioned from then on. Where leadership is to settle all the same, some
    /// of them still reach a part of the others.
    pub fn heal(&mut self, draft: &Draft) {
        self.at = draft.ends;
        let nodes = NodeSet::first(self.universe.nodes());
        // After membership changes the members are not known here, so all nodes must be healthy.
        let core = self.core.filter(|_| !self.members_changed()).unwrap_or(nodes.len());
        let gone = if self.stops() { self.crashed() } else { NodeSet::EMPTY };
        let mut healthy: Vec<NodeId> = nodes.minus(self.corrupted_disks()).minus(gone).iter().collect();
        while healthy.len() > usize::from(core) {
            let mut one = self.rng.between(0, healthy.len() as u64 - 1) as usize;
            let left: NodeSet = healthy.iter().copied().collect();
            let failed = self.failed().or(nodes.minus(left));
            if self.exceeds_failed(failed.with(healthy[one])) {
                // Those that have failed already do not make them more.
                let Some(other) = healthy.iter().position(|node| failed.has(*node)) else { break };
                one = other;
            }
            healthy.swap_remove(one);
        }
        self.act(Action::Stabilise);
        self.act(Action::ClearLinkFaults);
        self.act(Action::Resume);
        for node in &healthy {
            self.act(Action::Disk { node: *node, fault: DiskFault::Repair });
        }
        let mut bridges = draft.scenario.stability.is_some().then(|| Rng::stream(draft.ends, "bridges", 0));
        let recovers = !self.stops();
        for node in nodes.iter() {
            match healthy.contains(&node) {
                // A node with a full disk may have stopped by then. Nodes that are up for certain are not restarted.
                true if recovers => self.act(Action::Restart(node)),
                true => {}
                false if self.rng.chance(500) => self.act(Action::Crash(node)),
                false => match &mut bridges {
                    Some(rng) => self.isolate_in_part(node, rng),
                    None => self.isolate_node(node),
                },
            }
        }
        for node in healthy {
            for action in self.repairs(node) {
                self.act(action);
            }
        }
    }

    /// Cuts some of the links of a node.
    fn isolate_in_part(&mut self, node: NodeId, rng: &mut Rng) {
        for to in NodeSet::first(self.universe.nodes()).without(node).iter() {
            if rng.chance(500) {
                self.act(Action::Cut { from: node, to, both: true, replicas_only: true });
            }
        }
    }

    /// The actions that end drift, throttling and Byzantine behaviour of a node.
    fn repairs(&self, node: NodeId) -> Vec<Action> {
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

    /// By how much a node's clock has jumped in all, µs.
    pub(super) fn jumped(&self, node: NodeId) -> i64 {
        let by = |timed: &Timed| match timed.action {
            Action::Jump { node: whose, by } if whose == node => Some(i64::from(by)),
            _ => None,
        };
        self.script.iter().filter_map(by).sum()
    }

    /// Whether the action is outside the protocol's model.
    pub(super) fn exceeds_model(&self, action: Action) -> bool {
        let jumped = if let Action::Jump { node, .. } = action { self.jumped(node) } else { 0 };
        self.context.exceeds_model(action, self.byzantine(), jumped)
    }

    /// Whether a node that crashes is gone for good.
    fn stops(&self) -> bool {
        !self.context.recovers()
    }

    /// All nodes that have crashed, are about to, or will once they have sent so many messages; where that is for good, those that have lied, too.
    fn crashed(&self) -> NodeSet {
        self.crashes.iter().fold(NodeSet::EMPTY, |set, (_, crashed)| set.or(*crashed))
    }

    /// The nodes that are down or recovering, are about to crash, or will not start again.
    fn failed(&self) -> NodeSet {
        if self.stops() {
            return self.crashed();
        }
        let is_failed = |node: &NodeId| self.universe.node(*node).status.is_none_or(|status| status.role == RECOVERING);
        let failed: NodeSet = NodeSet::first(self.universe.nodes()).iter().filter(is_failed).collect();
        let now = self.universe.time();
        let planned = self.crashes.iter().rev().take_while(|(at, _)| *at >= now);
        let about_to = planned.fold(NodeSet::EMPTY, |set, (_, crashed)| set.or(*crashed));
        failed.or(about_to).or(self.corrupted_disks())
    }

    /// Whether these are more failed nodes than the protocol survives.
    fn exceeds_failed(&self, failed: NodeSet) -> bool {
        self.most_failed.is_some_and(|most| failed.len() > most)
    }

    /// The nodes with a corrupted record on their disk.
    pub(super) fn corrupted_disks(&self) -> NodeSet {
        self.script.iter().fold(NodeSet::EMPTY, |corrupted_disks, timed| match timed.action {
            Action::Disk { node, fault: DiskFault::Rot } => corrupted_disks.with(node),
            Action::Disk { node, fault: DiskFault::Wipe } => corrupted_disks.without(node),
            _ => corrupted_disks,
        })
    }

    /// The nodes that have been Byzantine.
    pub(super) fn byzantine(&self) -> NodeSet {
        let byzantine = |timed: &Timed| match timed.action {
            Action::Behaviour { node, how } if how != Behaviour::Honest => Some(node),
            _ => None,
        };
        self.script.iter().filter_map(byzantine).collect()
    }

    /// Whether the members may have changed.
    pub(super) fn members_changed(&self) -> bool {
        self.script.iter().any(|timed| matches!(timed.action, Action::Add { .. } | Action::Remove(_)))
    }

    /// Runs until `limit`, µs. Errors: a property was violated.
    pub fn run_until(&mut self, limit: Micros) -> Result<(), PropertyViolated> {
        while self.step_until(limit)? {}
        Ok(())
    }

    /// Runs until a leadership interval begins; returns whether one did by `limit`.
    fn run_until_leadership(
        &mut self,
        limit: Micros,
        leadership_intervals: &mut u32,
    ) -> Result<bool, PropertyViolated> {
        while self.step_until(limit)? {
            if self.universe.led() > *leadership_intervals {
                *leadership_intervals = self.universe.led();
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn step_until(&mut self, limit: Micros) -> Result<bool, PropertyViolated> {
        let happened = self.universe.step_until(limit);
        self.too_large = matches!(self.watch.look(&*self.universe), Some(Stopped::TooLarge { .. }));
        let good = self.universe.violations().is_empty() && !is_endless(&*self.universe) && !self.too_large;
        if good { Ok(happened) } else { Err(PropertyViolated) }
    }

    fn inject(&mut self, fault_kind: usize) {
        if self.script.len() < ACTIONS {
            let before = self.script.len();
            (FAULT_KINDS[fault_kind].inject)(self);
            self.injections[fault_kind] += u64::from(self.script.len() > before);
        }
    }

    /// Appends an action to the script, at the first microsecond in which nothing else is due; drops it if it contradicts the script.
    pub(super) fn act(&mut self, action: Action) {
        if self.script_check.objection(action).is_some() || self.synchronous && action.delays_or_loses() {
            return;
        }
        let mut crashed = self.script_check.crashed_by(action);
        if let Action::Behaviour { node, how } = action
            && how != Behaviour::Honest
            && self.stops()
        {
            crashed.add(node);
        }
        if self.most_failed.is_some() && !crashed.is_empty() && self.exceeds_failed(self.failed().or(crashed)) {
            if !self.context.beyond_model {
                return;
            }
            self.beyond = true;
        }
        self.script_check.apply(action);
        self.beyond |= self.exceeds_model(action);
        self.at = self.script.last().map_or(0, |last| last.at).max(self.at);
        self.at = self.universe.first_free(self.at);
        let planned = self.universe.plan(Timed::new(self.at, action));
        debug_assert!(planned, "the microsecond is free");
        self.script.push(Timed::new(self.at, action));
        if self.most_failed.is_some() && !crashed.is_empty() {
            self.crashes.push((self.at, crashed));
        }
    }
}
