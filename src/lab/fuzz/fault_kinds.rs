//! Kinds of faults: the table of all kinds, and how one fault of each kind is generated.

use super::fault_phase::FaultPhase;
use super::generate::pick;
use crate::core::{Card, Faults, KindId, Micros, NodeId, NodeSet};
use crate::sim::action::{ALL, Behaviour, DiskFault, DomainFault, Intercept, LinkFault, MOST_DRIFT, Which};
use crate::sim::{Action, DomainId};

/// Properties of the protocol and the cluster that decide which faults are possible, and which are within the protocol's model.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunContext {
    pub card: &'static Card,
    /// If safety counts on clocks: how much faster one may run than another, in millionths.
    pub clocks: Option<u32>,
    /// If it compares the readings of clocks: by how much two may differ, µs. Each clock is kept ahead of true time by that much at most.
    pub clock_error: Micros,
    /// Messages have a processing cost.
    pub costs: bool,
    /// How many nodes may be Byzantine.
    pub byzantine: usize,
    /// Faults outside the protocol's model are allowed.
    pub beyond_model: bool,
}

impl RunContext {
    /// Whether a node that has crashed may start again: not where it cannot catch up with rounds that go by the clock, either.
    pub fn recovers(&self) -> bool {
        self.card.faults != Faults::CrashStop && !self.card.needs_synchrony()
    }

    /// Clock faults are unrestricted.
    fn any_clock(&self) -> bool {
        self.clocks.is_none() || self.beyond_model
    }

    /// Whether the action is outside the protocol's model; `byzantine` are the nodes that have been Byzantine before.
    /// Before, the node's clock had been made to jump by `jumped` µs in all.
    pub fn exceeds_model(&self, action: Action, byzantine: NodeSet, jumped: i64) -> bool {
        match action {
            Action::Drift { ppm, .. } => {
                self.clocks.is_some_and(|most| !(0..=i64::from(most)).contains(&i64::from(ppm)))
            }
            Action::Jump { by, .. } => {
                self.clocks.is_some() && !(0..=self.clock_error as i64).contains(&(jumped + i64::from(by)))
            }
            Action::Pause { clock_stops: true, .. } => self.clocks.is_some(),
            action if self.card.needs_synchrony() && action.delays_or_loses() => true,
            Action::Restart(_) if !self.recovers() => true,
            Action::Behaviour { node, how } if how != Behaviour::Honest => {
                usize::from(byzantine.with(node).len()) > self.byzantine
            }
            action => action.breaks().is_some(),
        }
    }
}

/// One kind of fault.
pub(super) struct FaultKind {
    pub name: &'static str,
    /// Whether it is possible and allowed.
    pub fits: fn(&RunContext) -> bool,
    /// Generates one fault from the state of the simulation.
    pub inject: fn(&mut FaultPhase),
}

fn always(_: &RunContext) -> bool {
    true
}

/// Whether messages may be late or lost, or clocks run differently: not where all goes by synchronous rounds.
fn may_be_late(context: &RunContext) -> bool {
    context.beyond_model || !context.card.needs_synchrony()
}

fn is_synchronous(context: &RunContext) -> bool {
    context.card.needs_synchrony()
}

fn beyond(context: &RunContext) -> bool {
    context.beyond_model
}

/// All kinds of faults. To add one: a line here and, if [`FaultPhase::heal`] does not undo it, a line there.
pub(super) const FAULT_KINDS: &[FaultKind] = &[
    FaultKind {
        name: "crash",
        fits: always,
        inject: |fault_phase| fault_phase.victim().into_iter().for_each(|node| fault_phase.act(Action::Crash(node))),
    },
    FaultKind { name: "restart", fits: RunContext::recovers, inject: FaultPhase::restart_any },
    FaultKind { name: "bounce", fits: RunContext::recovers, inject: FaultPhase::bounce },
    FaultKind { name: "place", fits: always, inject: FaultPhase::inject_at_place },
    FaultKind { name: "cut", fits: may_be_late, inject: FaultPhase::cut_link },
    FaultKind { name: "isolate", fits: may_be_late, inject: FaultPhase::isolate },
    FaultKind { name: "split", fits: may_be_late, inject: FaultPhase::split },
    FaultKind { name: "star", fits: may_be_late, inject: FaultPhase::star },
    FaultKind { name: "heal", fits: always, inject: |fault_phase| fault_phase.act(Action::HealAll) },
    FaultKind { name: "loss", fits: may_be_late, inject: FaultPhase::lose },
    FaultKind { name: "move", fits: always, inject: FaultPhase::relocate },
    FaultKind { name: "hand-over", fits: |context| context.card.transfer, inject: FaultPhase::hand_over },
    FaultKind { name: "members", fits: |context| context.card.membership, inject: FaultPhase::change_members },
    FaultKind {
        name: "request",
        fits: always,
        inject: |fault_phase| {
            let site = fault_phase.any_site();
            fault_phase.act(Action::Request { site })
        },
    },
    FaultKind { name: "lull", fits: always, inject: FaultPhase::lull },
    FaultKind { name: "pause", fits: may_be_late, inject: FaultPhase::pause },
    FaultKind {
        name: "suspend",
        fits: |context| may_be_late(context) && context.any_clock(),
        inject: FaultPhase::suspend,
    },
    FaultKind { name: "drift", fits: may_be_late, inject: FaultPhase::drift },
    FaultKind {
        name: "jump",
        fits: |context| may_be_late(context) && (context.any_clock() || context.clock_error > 0),
        inject: FaultPhase::jump,
    },
    FaultKind {
        name: "slow-processor",
        fits: |context| may_be_late(context) && context.costs,
        inject: FaultPhase::throttle,
    },
    FaultKind { name: "slow-link", fits: may_be_late, inject: |fault_phase| fault_phase.disturb(SLOW) },
    FaultKind { name: "narrow-link", fits: may_be_late, inject: |fault_phase| fault_phase.disturb(NARROW) },
    FaultKind { name: "narrow-uplink", fits: may_be_late, inject: FaultPhase::limit },
    FaultKind {
        name: "lossy-link",
        fits: may_be_late,
        inject: |fault_phase| fault_phase.disturb(&[LinkFault::Lose(200), LinkFault::Lose(0)]),
    },
    FaultKind { name: "duplicates", fits: always, inject: |fault_phase| fault_phase.disturb(TWICE) },
    FaultKind { name: "reordering", fits: may_be_late, inject: |fault_phase| fault_phase.disturb(REORDERED) },
    FaultKind { name: "hold", fits: may_be_late, inject: FaultPhase::hold },
    FaultKind {
        name: "message",
        fits: always,
        inject: |fault_phase| fault_phase.catch(&[Intercept::Deliver, Intercept::Drop, Intercept::Duplicate]),
    },
    FaultKind {
        name: "slow-disk",
        fits: may_be_late,
        inject: |fault_phase| fault_phase.disk(&[DiskFault::Slow(10_000), DiskFault::Repair]),
    },
    FaultKind {
        name: "full-disk",
        fits: RunContext::recovers,
        inject: |fault_phase| fault_phase.disk(&[DiskFault::Fill, DiskFault::Repair]),
    },
    FaultKind { name: "corrupt-disk", fits: RunContext::recovers, inject: FaultPhase::corrupt },
    // The following are outside the model of most protocols.
    FaultKind {
        name: "lost-writes",
        fits: beyond,
        inject: |fault_phase| fault_phase.disk(&[DiskFault::Forget, DiskFault::Tear]),
    },
    FaultKind { name: "wiped-disk", fits: beyond, inject: FaultPhase::wipe },
    FaultKind {
        name: "byzantine",
        fits: |context| context.byzantine > 0 || context.beyond_model,
        inject: FaultPhase::behave,
    },
    FaultKind { name: LAST_MESSAGES, fits: is_synchronous, inject: FaultPhase::crash_while_sending },
];

/// The kind that came last. It is drawn only where it fits: so the seeds of all other variants are what they were.
pub(super) const LAST_MESSAGES: &str = "crash-while-sending";

const SLOW: &[LinkFault] = &[
    LinkFault::Slow { extra: 1_000, jitter: 1_000 },
    LinkFault::Slow { extra: 50_000, jitter: 20_000 },
    LinkFault::Slow { extra: 0, jitter: 0 },
];
const NARROW: &[LinkFault] = &[LinkFault::Narrow(100_000), LinkFault::Narrow(1_000_000), LinkFault::Narrow(0)];
const TWICE: &[LinkFault] = &[LinkFault::Duplicate(100), LinkFault::Duplicate(500), LinkFault::Duplicate(0)];
const REORDERED: &[LinkFault] = &[
    LinkFault::Reorder { permille: 100, by: 5_000 },
    LinkFault::Reorder { permille: 500, by: 50_000 },
    LinkFault::Reorder { permille: 0, by: 0 },
];

/// The names of all kinds of faults.
pub fn fault_kinds() -> impl Iterator<Item = &'static str> {
    FAULT_KINDS.iter().map(|fault_kind| fault_kind.name)
}

/// The names of the kinds that are possible for a protocol in some cluster with some settings.
pub(super) fn possible(card: &'static Card, beyond_model: bool) -> impl Iterator<Item = &'static str> {
    let context = RunContext {
        card,
        clocks: None,
        clock_error: 0,
        costs: true,
        byzantine: usize::from(card.faults == Faults::Byzantine),
        beyond_model,
    };
    FAULT_KINDS.iter().filter(move |fault_kind| (fault_kind.fits)(&context)).map(|fault_kind| fault_kind.name)
}

/// Most replicas of one run, including those that joined later.
const REPLICAS: u8 = 9;

impl FaultPhase {
    fn up(&self, node: NodeId) -> bool {
        self.universe.node(node).status.is_some()
    }

    fn any_site(&mut self) -> u8 {
        self.rng.between(0, u64::from(self.sites) - 1) as u8
    }

    fn any_node(&mut self) -> NodeId {
        NodeId(self.rng.between(0, u64::from(self.universe.nodes()) - 1) as u8)
    }

    fn others(&self, node: NodeId) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.universe.nodes()).map(NodeId).filter(move |other| *other != node)
    }

    /// A random partition of the nodes into two sides.
    fn two_sides(&mut self) -> (NodeSet, NodeSet) {
        let lot = self.rng.draw();
        let all = NodeSet::first(self.universe.nodes());
        let side = all.iter().filter(|node| lot >> node.0 & 1 == 1).collect();
        (side, all.minus(side))
    }

    /// A running node: the leader with probability 1/2, as faults of the leader matter most.
    fn victim(&mut self) -> Option<NodeId> {
        let leader = self.universe.leader().filter(|_| self.rng.chance(500));
        let victim = leader.unwrap_or_else(|| self.any_node());
        self.up(victim).then_some(victim)
    }

    /// A node crashes once it has sent a few messages more, as in the middle of a broadcast.
    fn crash_while_sending(&mut self) {
        if let Some(node) = self.victim() {
            let sends = self.rng.between(0, u64::from(self.universe.nodes()) - 1) as u16;
            self.act(Action::CrashAfter { node, sends });
        }
    }

    fn restart_any(&mut self) {
        let node = self.any_node();
        if !self.up(node) {
            self.act(Action::Restart(node));
        }
    }

    /// Crash and restart at the same time.
    fn bounce(&mut self) {
        if let Some(node) = self.victim() {
            self.act(Action::Crash(node));
            self.act(Action::Restart(node));
        }
    }

    /// A fault of a whole failure domain.
    fn inject_at_place(&mut self) {
        let domain = DomainId(self.rng.between(0, u64::from(self.domains) - 1) as u16);
        let faults = [
            DomainFault::Crash,
            DomainFault::Pause,
            DomainFault::Continue,
            DomainFault::Partition,
            DomainFault::Reconnect,
            DomainFault::Restart,
        ];
        let possible = if self.context.recovers() { &faults[..] } else { &faults[..5] };
        let fault = pick(&mut self.rng, possible);
        self.act(Action::Domain { domain, fault });
    }

    fn cut_link(&mut self) {
        let (from, to) = (self.any_node(), self.any_node());
        let both = self.rng.chance(500);
        if from != to {
            self.act(Action::Cut { from, to, both, replicas_only: true });
        }
    }

    pub(super) fn isolate_node(&mut self, from: NodeId) {
        self.others(from).for_each(|to| self.act(Action::Cut { from, to, both: true, replicas_only: true }));
    }

    fn isolate(&mut self) {
        if let Some(node) = self.victim() {
            self.isolate_node(node);
        }
    }

    /// A partition into two groups, in both directions or in one.
    fn split(&mut self) {
        let (from, to) = self.two_sides();
        let both = self.rng.chance(800);
        if !from.is_empty() && !to.is_empty() {
            self.act(Action::Split { from, to, both, replicas_only: true });
        }
    }

    /// A star: one node has links to some others, and all other links are cut, which fixes who can be elected by whom.
    fn star(&mut self) {
        let centre = self.any_node();
        let reached = self.rng.draw();
        let nodes = self.universe.nodes();
        self.act(Action::HealAll);
        let pairs = (0..nodes).flat_map(|from| (from + 1..nodes).map(move |to| (NodeId(from), NodeId(to))));
        let ray = |a: NodeId, b: NodeId| a == centre && reached >> b.0 & 1 == 1;
        for (from, to) in pairs.filter(|(a, b)| !ray(*a, *b) && !ray(*b, *a)) {
            self.act(Action::Cut { from, to, both: true, replicas_only: true });
        }
    }

    fn lose(&mut self) {
        let permille = pick(&mut self.rng, &[0, 10, 100, 300]);
        self.act(Action::Loss { permille });
    }

    fn relocate(&mut self) {
        let (node, site) = (self.any_node(), self.any_site());
        if self.universe.node(node).site != site {
            self.act(Action::Move { node, site });
        }
    }

    fn hand_over(&mut self) {
        let to = self.any_node();
        if self.universe.leader().is_some_and(|leader| leader != to) && self.up(to) {
            self.act(Action::HandOver(to));
        }
    }

    /// One change, or several at once; or one by a leader that only some of the others hear, so that the next leader may know nothing of it.
    fn change_members(&mut self) {
        let most = match self.universe.leader() {
            Some(leader) if self.rng.chance(600) => {
                let reached = self.rng.between(0, u64::from(self.universe.nodes()) / 2);
                let mut others: Vec<NodeId> = self.others(leader).collect();
                while others.len() as u64 > reached {
                    let out = self.rng.between(0, others.len() as u64 - 1) as usize;
                    others.swap_remove(out);
                }
                let side: NodeSet = others.into_iter().chain([leader]).collect();
                let rest = NodeSet::first(self.universe.nodes()).minus(side);
                self.act(Action::HealAll);
                if !rest.is_empty() {
                    self.act(Action::Split { from: side, to: rest, both: true, replicas_only: true });
                }
                1
            }
            _ => 3,
        };
        for _ in 0..self.rng.between(1, most) {
            // A node that cannot restart cannot catch up, and after a membership change all nodes must.
            if self.universe.leader().is_none() || !self.corrupted_disks().is_empty() {
                return;
            }
            if self.universe.nodes() < REPLICAS && self.rng.chance(500) {
                let site = self.any_site();
                self.act(Action::Add { site });
            } else {
                let node = self.any_node();
                self.act(Action::Remove(node));
            }
        }
    }

    /// Clients stop, or go on.
    fn lull(&mut self) {
        let quiet = self.rng.chance(500);
        self.act(if quiet { Action::Quiesce } else { Action::Resume });
    }

    /// A node is paused (a long garbage collection), or a paused one continues.
    fn pause(&mut self) {
        if let Some(node) = self.victim() {
            let goes_on = self.universe.node(node).paused.is_some();
            self.act(if goes_on { Action::Continue(node) } else { Action::Pause { node, clock_stops: false } });
        }
    }

    /// The same with its clock stopped (a suspended virtual machine).
    fn suspend(&mut self) {
        if let Some(node) = self.victim() {
            let goes_on = self.universe.node(node).paused.is_some();
            self.act(if goes_on { Action::Continue(node) } else { Action::Pause { node, clock_stops: true } });
        }
    }

    /// Clock drift, within what the protocol allows for unless beyond the model.
    fn drift(&mut self) {
        let node = self.any_node();
        let most = match self.context.clocks {
            Some(most) if !self.context.beyond_model => u64::from(most.min(MOST_DRIFT)),
            _ => u64::from(pick(&mut self.rng, &[100, 40_000, MOST_DRIFT])),
        };
        let ppm = self.rng.between(0, most) as i32;
        // The bound is on the difference of two clocks, so with a bound no clock is made slow.
        let slow = self.context.any_clock() && self.rng.chance(500);
        self.act(Action::Drift { node, ppm: if slow { -ppm } else { ppm } });
    }

    /// A clock jump of up to four round trips: a jump cannot be undone, so it must not exceed the liveness bound. Where readings of clocks are
    /// compared, it stays within their greatest difference.
    fn jump(&mut self) {
        let node = self.any_node();
        if !self.context.any_clock() {
            let ahead = self.rng.between(0, self.context.clock_error.min(1_000_000)) as i64;
            let by = (ahead - self.jumped(node)) as i32;
            return self.act(Action::Jump { node, by });
        }
        let by = self.rng.between(1, 4 * self.round_trip.min(1_000_000)) as i32;
        let back = self.rng.chance(500);
        self.act(Action::Jump { node, by: if back { -by } else { by } });
    }

    fn throttle(&mut self) {
        let (node, percent) = (self.any_node(), pick(&mut self.rng, &[100, 300, 1_000]));
        self.act(Action::Throttle { node, percent });
    }

    /// A link fault on one link, on all links of a node, or on all links.
    fn disturb(&mut self, link_faults: &[LinkFault]) {
        let how = pick(&mut self.rng, link_faults);
        let (from, to) = (self.any_node(), self.any_node());
        let (one, others) = (NodeSet::just(from), self.others(from).collect::<NodeSet>());
        let both = self.rng.chance(300);
        let (from, to) = pick(&mut self.rng, &[(one, NodeSet::just(to)), (one, others), (ALL, ALL)]);
        if from != to && !to.is_empty() || from == ALL {
            self.act(Action::Disturb { from, to, both, how });
        }
    }

    fn limit(&mut self) {
        let (node, bytes_per_s) = (self.any_node(), pick(&mut self.rng, &[0, 100_000, 1_000_000]));
        self.act(Action::Uplink { node, bytes_per_s });
    }

    /// A message is held, or all held messages are released.
    fn hold(&mut self) {
        if self.rng.chance(300) {
            self.act(Action::Release(None));
        } else {
            self.catch(&[Intercept::Hold]);
        }
    }

    /// Interception of a message that will be sent.
    fn catch(&mut self, intercepts: &[Intercept]) {
        let kinds = self.universe.variant().kinds.len() as u64;
        let (from, to, kind) = (self.any_node(), self.any_node(), KindId(self.rng.between(0, kinds - 1) as u8));
        let (nth, intercept) = (self.rng.between(1, 5) as u16, pick(&mut self.rng, intercepts));
        if from != to {
            self.act(Action::Catch { which: Which { from, to, kind }, nth, intercept });
        }
    }

    fn disk(&mut self, faults: &[DiskFault]) {
        let (node, fault) = (self.any_node(), pick(&mut self.rng, faults));
        self.act(Action::Disk { node, fault });
    }

    /// A corrupted record: once down, the node does not restart. Only as many nodes as the healthy core does not need.
    fn corrupt(&mut self) {
        let node = self.any_node();
        let left = self.universe.nodes() - self.corrupted_disks().with(node).len();
        if self.core.is_none_or(|core| left >= core) && !self.members_changed() {
            self.act(Action::Disk { node, fault: DiskFault::Rot });
        }
    }

    /// A node restarts with an empty disk.
    fn wipe(&mut self) {
        let node = self.any_node();
        self.act(Action::Crash(node));
        self.act(Action::Disk { node, fault: DiskFault::Wipe });
        self.act(Action::Restart(node));
    }

    /// A node becomes Byzantine or honest; no more nodes than the protocol tolerates, unless beyond the model.
    fn behave(&mut self) {
        let node = self.any_node();
        let to = self.two_sides().0.without(node);
        let honest = Behaviour::Honest;
        let ways = [
            honest,
            Behaviour::Silent(ALL),
            Behaviour::ToAll,
            Behaviour::Tamper(ALL),
            Behaviour::Twin(to),
            Behaviour::Deny(to),
        ];
        let how = pick(&mut self.rng, if to.is_empty() { &ways[..4] } else { &ways[..] });
        let action = Action::Behaviour { node, how };
        if self.context.beyond_model || !self.exceeds_model(action) {
            self.act(action);
        }
    }
}
