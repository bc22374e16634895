//! Safety checker: after every event checks agreement, execution order, one leader an epoch, equal states, one holder of a lock, and the
//! protocol's own invariants.
//!
//! Properties that a protocol does not promise ([`Card::promises`](crate::core::Card::promises)) are checked as well, but their violations are
//! kept apart. Properties that a run never exercised are reported as such: see [`SafetyChecker::findings`].

use super::graph_order::{ExecutionOrder, MakeOrder};
use crate::core::node::{Breach, Step};
use crate::core::{
    Card, ClientId, Command, Epoch, HistoryVariables, Instance, LeaderModel, Log, Micros, NodeId, NodeSet, Op,
    Promises, Shots, Slot,
};
use crate::sim::world::{Mark, Size};
use crate::sim::{StepOutcome, World};
use std::collections::BTreeMap;

/// Violation of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the property: `Agreement`, `Log Matching`.
    pub property: &'static str,
    /// Statement of the property.
    pub says: &'static str,
    /// The nodes involved; none if it is about clients.
    pub nodes: NodeSet,
    /// The slot concerned, if any.
    pub slot: Option<Slot>,
    /// The lane of that slot; 0 in the one log.
    pub lane: u16,
    /// Number of the event after which it was detected.
    pub event: u64,
    /// When, µs since the start.
    pub at: Micros,
}

impl Violation {
    /// What it is about in terms of what the protocol agrees on: a slot, a register, a transaction; `None` if it is about none of these.
    pub fn place(&self, agrees_on: Shots) -> Option<String> {
        let slot = self.slot?;
        let by_version = [AGREEMENT.0, ORDER.0].contains(&self.property);
        Some(match agrees_on {
            Shots::Registers if by_version => format!("version {slot} of register {}", self.lane),
            // Protocols' own invariants number registers as nodes' entries: from 1.
            Shots::Registers => format!("register {}", slot - 1),
            Shots::Transactions => format!("transaction {slot}"),
            _ => format!("slot {slot}"),
        })
    }
}

/// Leadership interval: a period during which a node led one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeadershipInterval {
    /// Begin, µs since the start.
    pub since: Micros,
    /// End, µs since the start: it stepped down, led another epoch, or crashed. `None`: it still leads.
    pub until: Option<Micros>,
    /// The leader.
    pub node: NodeId,
    /// Its term or ballot.
    pub epoch: Epoch,
}

/// Result of checking a property in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Exercised, and never violated.
    Held,
    /// Violated.
    Violated,
    /// The run contained nothing that could have violated it.
    NeverExercised,
    /// Meaningless for this protocol.
    NotApplicable,
    /// Violated, but not promised by the protocol.
    NotPromised,
}

/// A property with its finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PropertyFinding {
    /// Its name.
    pub property: &'static str,
    /// Statement.
    pub says: &'static str,
    /// Result.
    pub finding: Finding,
}

/// Command decided in an instance, and the first node to learn it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decision {
    command: Command,
    by: NodeId,
    /// First node observed at exactly this executed prefix, and the digest of its state machine then.
    state: Option<(NodeId, u64)>,
}

/// Decisions and execution progress of one lane.
#[derive(Clone, Debug, Default)]
struct Lane {
    decided: Log<Option<Decision>>,
    /// By node: last slot executed.
    applied: Vec<Slot>,
    /// Of a register: each client's last command decided, and where. There a decision is an execution, so none may be decided twice.
    last: BTreeMap<ClientId, (u32, Slot)>,
}

impl Lane {
    fn applied_by(&mut self, node: NodeId) -> &mut Slot {
        let index = usize::from(node.0);
        if self.applied.len() <= index {
            self.applied.resize(index + 1, 0);
        }
        &mut self.applied[index]
    }
}

/// Number of times that each property was exercised.
#[derive(Clone, Copy, Debug, Default)]
struct Exercised {
    /// A further node learned the decision of an instance.
    agreement: u64,
    /// A node executed an instance.
    order: u64,
    /// The states of two nodes were compared at the same prefix.
    states: u64,
    /// A write to a lock's guarded store that does not check tokens.
    holders: u64,
    /// The protocol's own invariants were checked.
    invariants: u64,
}

/// Maximum number of violations kept; later ones are usually consequences of the first.
const KEEP: usize = 16;

/// What an entry of an ordered map takes with its share of the map's own, bytes.
const NODE: usize = 48;

/// Decisions of this many last slots are kept in any case, and no more than the second of slots that some node has not executed. What differs
/// further back is seen in the nodes' states.
const KEEP_SLOTS: [Slot; 2] = [4_096, 65_536];

/// Violations found so far.
#[derive(Clone, Debug, Default)]
struct Violations {
    promised: Vec<Violation>,
    /// Of properties that the protocol does not promise.
    not_promised: Vec<Violation>,
}

impl Violations {
    /// Records a violation, unless an equal one is recorded; slot 0 stands for none.
    #[cold]
    fn report(&mut self, world: &World, (property, says): (&'static str, &'static str), nodes: NodeSet, at: Instance) {
        // Properties hold for honest nodes only.
        if nodes.iter().any(|node| world.is_byzantine(node)) {
            return;
        }
        let (slot, lane) = ((at.slot > 0).then_some(at.slot), at.lane);
        let kept =
            if is_promised(world.replicas().card(), property) { &mut self.promised } else { &mut self.not_promised };
        let same = |earlier: &Violation| {
            earlier.property == property && earlier.nodes == nodes && (earlier.slot, earlier.lane) == (slot, lane)
        };
        if kept.len() < KEEP && !kept.iter().any(same) {
            let (event, at) = (world.events(), world.time());
            kept.push(Violation { property, says, nodes, slot, lane, event, at });
        }
    }
}

/// Safety checker of one world; [`SafetyChecker::observe`] is to be called after every step and action.
#[derive(Clone, Debug, Default)]
pub struct SafetyChecker {
    /// The one log, or lane 0.
    log: Lane,
    /// The other lanes.
    lanes: BTreeMap<u16, Lane>,
    /// Where a graph is agreed on: in which order it is executed.
    graph: Option<Graph>,
    leads: Vec<Option<Epoch>>,
    leaders: BTreeMap<Epoch, NodeId>,
    intervals: Log<LeadershipInterval>,
    violations: Violations,
    exercised: Exercised,
    /// Number of client commands known to be chosen.
    chosen: u64,
    /// Nodes whose state differs from the others'. Reported once, since diverged states stay different.
    diverged: NodeSet,
    /// The last slot of the log that any node has executed.
    executed: Slot,
    /// By lock: largest fencing token of a write so far.
    tokens: BTreeMap<u16, u32>,
    /// By the logarithm of slots 1, 2, 4, 8 and so on: the first node to have executed that prefix, and the digest of its state. Kept for good.
    milestones: [Option<(NodeId, u64)>; 32],
    /// For the protocol's own invariants.
    history: HistoryVariables,
}

/// The checker of the order of execution.
#[derive(Debug)]
struct Graph(Box<dyn ExecutionOrder>);

impl Clone for Graph {
    fn clone(&self) -> Graph {
        Graph(self.0.copy())
    }
}

impl Default for LeadershipInterval {
    fn default() -> LeadershipInterval {
        LeadershipInterval { since: 0, until: None, node: NodeId(0), epoch: Epoch::default() }
    }
}

pub(super) const AGREEMENT: (&str, &str) = ("Agreement", "No two nodes decide differently on one slot.");
pub(super) const ORDER: (&str, &str) =
    ("Applied prefix", "Every node executes the chosen commands in order, without gaps and each once.");
pub(super) const ONE_LEADER: (&str, &str) =
    ("One leader an epoch", "At most one node leads in any one term or ballot.");

const SAME_STATE: (&str, &str) =
    ("Same prefix, same state", "Nodes that have executed the same commands are in the same state.");
const ONE_HOLDER: (&str, &str) =
    ("One holder at a time", "Nobody writes to what a lock guards after a later holder of the lock has.");
/// Property of explorations in which clients read; histories of whole runs are checked by `judge::linearizability`.
pub const LINEARIZABLE: (&str, &str) = (
    "Linearizable",
    "What clients were told fits one order of their operations, each between its request and its answer.",
);

/// Properties of every protocol: name and statement.
pub const PROPERTIES: [(&str, &str); 3] = [AGREEMENT, ORDER, ONE_LEADER];

/// Whether a protocol with this card promises a property. Of its own invariants it does.
pub fn is_promised(card: &Card, property: &str) -> bool {
    promise(property).is_none_or(|promise| card.promises.has(promise))
}

/// Whether a property of every protocol means anything for one with this card.
pub fn is_applicable(card: &Card, property: &str) -> bool {
    match property {
        name if name == AGREEMENT.0 => card.agrees_on != Shots::Nothing,
        name if name == ORDER.0 => card.agrees_on.executes() && card.agrees_on != Shots::Transactions,
        name if name == ONE_LEADER.0 => card.leader != LeaderModel::None,
        name if name == LINEARIZABLE.0 => card.agrees_on.executes(),
        name if name == SAME_STATE.0 || name == ONE_HOLDER.0 => card.agrees_on == Shots::Log,
        _ => true,
    }
}

/// The promise that covers a property; `None`: every protocol promises it.
pub(super) fn promise(property: &str) -> Option<Promises> {
    match property {
        name if name == AGREEMENT.0 => Some(Promises::AGREEMENT),
        name if name == ORDER.0 || name == SAME_STATE.0 => Some(Promises::ORDER),
        name if name == ONE_LEADER.0 => Some(Promises::ONE_LEADER),
        name if name == LINEARIZABLE.0 => Some(Promises::LINEARIZABLE),
        _ => None,
    }
}

impl SafetyChecker {
    /// A checker; where slots are not the order of execution, with what checks that.
    pub fn new(order: Option<MakeOrder>) -> SafetyChecker {
        SafetyChecker { graph: order.map(|make| Graph(make())), ..SafetyChecker::default() }
    }

    /// Bytes that it holds, by count: decisions, which copies share, and what every copy has for itself.
    pub fn size(&self) -> Size {
        let lanes = || self.lanes.values().chain([&self.log]);
        let last: usize = lanes().map(|lane| lane.last.len()).sum();
        let (executed, order) = self.graph.as_ref().map_or((0, 0), |Graph(order)| order.size());
        let shared = lanes().map(|lane| lane.decided.bytes()).sum::<u64>() + self.intervals.bytes() + order;
        Size { own: ((last + executed + self.leaders.len() + self.lanes.len()) * NODE) as u64, shared }
    }

    /// Checks the last step or action. `outcome` is `None` after an action: then every node may have changed.
    pub fn observe(&mut self, world: &World, outcome: Option<StepOutcome>) {
        let mut executed = None;
        for mark in world.marks() {
            self.observe_mark(world, *mark);
            match *mark {
                Mark::Applied(node, Instance { lane: 0, slot }, _) | Mark::Restored(node, slot) => {
                    executed = Some((node, slot));
                }
                _ => {}
            }
        }
        if let Some((node, slot)) = executed.filter(|(node, _)| !world.is_byzantine(*node)) {
            self.compare_states(world, node, slot);
        }
        match outcome {
            Some(outcome) if outcome.what() == crate::sim::What::Acted => self.check_all_nodes(world),
            Some(outcome) if outcome.is_handled() => {
                self.check_node(
                    world,
                    Step { changed: outcome.node(), log_from: outcome.log_from(), unaware: world.unaware() },
                );
            }
            Some(_) => {}
            None => self.check_all_nodes(world),
        }
    }

    fn check_all_nodes(&mut self, world: &World) {
        let unaware = world.unaware();
        for node in 0..world.nodes() {
            self.check_node(world, Step { changed: NodeId(node), log_from: Some(1), unaware });
        }
    }

    fn observe_mark(&mut self, world: &World, mark: Mark) {
        match mark {
            // Observations of Byzantine nodes are ignored.
            Mark::Chosen(node, ..) | Mark::Applied(node, ..) | Mark::Restored(node, _) | Mark::Booted(node)
                if world.is_byzantine(node) => {}
            Mark::Chosen(node, at, command) => self.record_decision(world, node, at, command),
            Mark::Applied(node, at, command) => {
                self.record_decision(world, node, at, command);
                self.exercised.order += 1;
                let applied = self.lane(at.lane).applied_by(node);
                let before = std::mem::replace(applied, at.slot);
                let in_order = match world.replicas().card().agrees_on {
                    Shots::Registers => at.slot > before,
                    Shots::Graph => self.graph.as_mut().is_none_or(|Graph(order)| order.execute(node, at, command)),
                    Shots::Transactions | Shots::Nothing => true,
                    Shots::Log | Shots::Single => at.slot == before + 1,
                };
                if at.slot.is_multiple_of(1_024) {
                    self.prune(world, at.lane);
                }
                if !in_order {
                    self.report_violation_at(world, ORDER, NodeSet::just(node), at);
                }
                if at.lane == 0 && at.slot > self.executed {
                    self.executed = at.slot;
                    if let Op::Guarded { lock, token, fenced: false, .. } = command.op {
                        self.check_lock_holder(world, node, at.slot, lock, token);
                    }
                }
            }
            Mark::Restored(node, slot) => *self.log.applied_by(node) = slot,
            Mark::Booted(node) => {
                *self.log.applied_by(node) = 0;
                self.lanes.values_mut().for_each(|lane| *lane.applied_by(node) = 0);
                self.graph.iter_mut().for_each(|Graph(order)| order.restart(node));
            }
        }
    }

    fn lane(&mut self, lane: u16) -> &mut Lane {
        match lane {
            0 => &mut self.log,
            lane => self.lanes.entry(lane).or_default(),
        }
    }

    /// Checks the fencing token of a write to a guarded store that does not check it: tokens must not decrease.
    fn check_lock_holder(&mut self, world: &World, node: NodeId, slot: Slot, lock: u16, token: u32) {
        self.exercised.holders += 1;
        let largest = self.tokens.entry(lock).or_default();
        if token < *largest {
            self.report_violation(world, ONE_HOLDER, NodeSet::just(node), Some(slot));
        } else {
            *largest = token;
        }
    }

    /// Compares the state of `node`, which has executed everything up to `slot`, with the first one seen at that prefix. The digest covers the
    /// whole prefix, so that an earlier divergence is detected as well.
    fn compare_states(&mut self, world: &World, node: NodeId, slot: Slot) {
        if self.diverged.has(node) {
            return;
        }
        let Some(digest) = world.replicas().machine_digest(node) else { return };
        let milestone = slot.is_power_of_two().then_some(slot.trailing_zeros() as usize);
        let decision = self.log.decided.get(slot).copied().flatten();
        let known = match milestone {
            Some(place) => self.milestones[place].filter(|(first, _)| !world.is_byzantine(*first)),
            None => decision.and_then(|decision| decision.state),
        };
        self.exercised.states += u64::from(known.is_some());
        match known {
            Some((other, state)) if state != digest && self.same_commands() => {
                self.diverged.add(node);
                self.report_violation(world, SAME_STATE, NodeSet::just(other).with(node), Some(slot));
            }
            Some(_) => {}
            None => {
                let first = Some((node, digest));
                if let Some(place) = milestone {
                    self.milestones[place] = first;
                }
                if let Some(Some(decision)) = self.log.decided.get_mut(slot) {
                    decision.state = first;
                }
            }
        }
    }

    /// Forgets decisions that every node has executed, and those far back.
    #[cold]
    fn prune(&mut self, world: &World, lane: u16) {
        let nodes = usize::from(world.nodes());
        let kept = self.lane(lane);
        let last = kept.decided.last();
        let executed = (0..nodes).map(|node| kept.applied.get(node).copied().unwrap_or(0)).min().unwrap_or(0);
        let [least, most] = KEEP_SLOTS;
        let slot = executed.min(last.saturating_sub(least)).max(last.saturating_sub(most));
        kept.decided.compact_to(slot);
        self.graph.iter_mut().for_each(|Graph(order)| order.prune(nodes, KEEP_SLOTS));
        if world.replicas().card().agrees_on == Shots::Log {
            self.history.prune(slot);
        }
    }

    /// Whether agreement and order held so far; otherwise different states are a consequence, not a violation of their own.
    fn same_commands(&self) -> bool {
        let other = |violation: &Violation| [AGREEMENT, ORDER].iter().any(|(name, _)| violation.property == *name);
        !self.violations.promised.iter().any(other)
    }

    fn record_decision(&mut self, world: &World, by: NodeId, at: Instance, command: Command) {
        let decided = &mut self.lane(at.lane).decided;
        while decided.last() < at.slot {
            decided.push(None);
        }
        let Some(place) = decided.get_mut(at.slot) else { return };
        let new = Some(Decision { command, by, state: None });
        match *place {
            Some(earlier) if earlier.command != command && world.is_byzantine(earlier.by) => *place = new,
            Some(earlier) if earlier.command != command => {
                self.report_violation_at(world, AGREEMENT, NodeSet::just(earlier.by).with(by), at);
            }
            Some(earlier) => self.exercised.agreement += u64::from(earlier.by != by),
            None => {
                *place = new;
                self.chosen += u64::from(command.client != ClientId::NOBODY);
                if world.replicas().card().agrees_on == Shots::Registers {
                    self.check_executed_once(world, by, at, command);
                }
            }
        }
    }

    /// Checks that a client's command is decided in at most one version of a register.
    fn check_executed_once(&mut self, world: &World, by: NodeId, at: Instance, command: Command) {
        let last = self.lane(at.lane).last.entry(command.client).or_insert((command.seq, at.slot));
        let twice = last.0 == command.seq && last.1 != at.slot;
        if last.0 < command.seq {
            *last = (command.seq, at.slot);
        }
        if twice && command.client != ClientId::NOBODY {
            self.report_violation_at(world, ORDER, NodeSet::just(by), at);
        }
    }

    fn check_node(&mut self, world: &World, step: Step) {
        let node = step.changed;
        let index = usize::from(node.0);
        if self.leads.len() < usize::from(world.nodes()) {
            self.leads.resize(usize::from(world.nodes()), None);
        }
        let leads = world.replicas().leads(node);
        if leads != self.leads[index] {
            if self.leads[index].is_some() {
                self.end_interval(node, world.time());
            }
            self.leads[index] = leads;
            if let Some(epoch) = leads {
                if !world.is_byzantine(node) {
                    let first = *self.leaders.entry(epoch).or_insert(node);
                    if first != node {
                        self.report_violation(world, ONE_LEADER, NodeSet::just(first).with(node), None);
                    }
                }
                self.intervals.push(LeadershipInterval { since: world.time(), until: None, node, epoch });
            }
        }
        self.exercised.invariants += 1;
        let SafetyChecker { history, violations, .. } = self;
        (history.now, history.saved_at, history.byzantine) = (world.time(), world.saved_at(node), world.byzantine());
        world.replicas().check(step, history, &mut |name, says, Breach { other, slot }| {
            let nodes = other.into_iter().fold(NodeSet::just(node), NodeSet::with);
            violations.report(world, (name, says), nodes, slot.unwrap_or(0).into());
        });
    }

    /// Closes the open leadership interval of `node`.
    fn end_interval(&mut self, node: NodeId, now: Micros) {
        let open = |interval: &LeadershipInterval| interval.node == node && interval.until.is_none();
        for place in (1..=self.intervals.last()).rev() {
            if let Some(interval) = self.intervals.get_mut(place)
                && open(interval)
            {
                interval.until = Some(now);
                return;
            }
        }
    }

    /// Records a violation on the log, or on no slot.
    pub(super) fn report_violation(
        &mut self,
        world: &World,
        property: (&'static str, &'static str),
        nodes: NodeSet,
        slot: Option<Slot>,
    ) {
        self.report_violation_at(world, property, nodes, slot.unwrap_or(0).into());
    }

    fn report_violation_at(
        &mut self,
        world: &World,
        property: (&'static str, &'static str),
        nodes: NodeSet,
        at: Instance,
    ) {
        self.violations.report(world, property, nodes, at);
    }

    /// Violations of properties that the protocol does not promise, oldest first; at most 16.
    pub fn not_promised(&self) -> &[Violation] {
        &self.violations.not_promised
    }

    /// Findings for every property of a protocol with this card and these invariants.
    pub fn findings(&self, card: &Card, invariants: &[(&'static str, &'static str)]) -> Vec<PropertyFinding> {
        let general = [
            (AGREEMENT, self.exercised.agreement),
            (ORDER, self.exercised.order),
            (ONE_LEADER, u64::from(self.intervals.last())),
            (SAME_STATE, self.exercised.states),
            (ONE_HOLDER, self.exercised.holders),
        ];
        let general = general.into_iter().map(|(property, exercised)| {
            let applicable = is_applicable(card, property.0);
            (property, applicable.then_some(exercised))
        });
        let own = invariants.iter().map(|&invariant| (invariant, Some(self.exercised.invariants)));
        let finding = |((property, says), exercised): ((&'static str, &'static str), Option<u64>)| {
            let named = |violation: &Violation| violation.property == property;
            let finding = match exercised {
                _ if self.violations.promised.iter().any(named) => Finding::Violated,
                _ if self.violations.not_promised.iter().any(named) => Finding::NotPromised,
                None => Finding::NotApplicable,
                Some(0) => Finding::NeverExercised,
                Some(_) => Finding::Held,
            };
            PropertyFinding { property, says, finding }
        };
        general.chain(own).map(finding).collect()
    }

    /// Violations, oldest first; at most 16.
    pub fn violations(&self) -> &[Violation] {
        &self.violations.promised
    }

    /// Leadership intervals, in order of their begin.
    pub fn leadership_intervals(&self) -> impl DoubleEndedIterator<Item = &LeadershipInterval> {
        self.intervals.iter().map(|(_, leadership)| leadership)
    }

    /// Number of leadership intervals.
    pub fn led(&self) -> u32 {
        self.intervals.last()
    }

    /// The last slot that a node has executed.
    pub fn executed(&self, node: NodeId) -> Slot {
        self.log.applied.get(usize::from(node.0)).copied().unwrap_or(0)
    }

    /// Number of client commands that at least one node knows to be chosen.
    pub fn chosen(&self) -> u64 {
        self.chosen
    }

    /// The command chosen in `slot`, if any node knows it.
    pub fn decision(&self, slot: Slot) -> Option<Command> {
        self.log.decided.get(slot).and_then(|decision| decision.map(|decision| decision.command))
    }

    /// Whether any node has ever known a command to be chosen in this slot of the log.
    pub fn is_chosen(&self, slot: Slot) -> bool {
        self.log.decided.get(slot).is_some_and(Option::is_some)
    }

    /// The last slot in which any node knows a command to be chosen; 0 if none.
    pub fn last_slot(&self) -> Slot {
        self.log.decided.last()
    }
}
