//! Every sort of trouble: a line in the table, and what one blow of it does.

use super::draw::{SIZES, pick};
use super::storm::Storm;
use crate::core::{Card, Faults, KindId, NodeId, NodeSet};
use crate::lab::check::liars_borne;
use crate::sim::action::{ALL, Blow, DiskFault, Grip, Lie, MOST_DRIFT, Nuisance, Which};
use crate::sim::{Action, DomainId};

/// What decides which troubles make sense, and which leave the protocol correct.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    pub card: &'static Card,
    /// If safety counts on clocks: how much faster one may run than another, in millionths.
    pub clocks: Option<u32>,
    /// Messages cost processors something.
    pub costs: bool,
    /// How many nodes may lie.
    pub liars: usize,
    /// Seeds may do what the protocol does not promise to survive.
    pub beyond_model: bool,
}

impl Ground {
    fn recovers(&self) -> bool {
        self.card.faults != Faults::CrashStop
    }

    /// Clocks may do anything.
    fn any_clock(&self) -> bool {
        self.clocks.is_none() || self.beyond_model
    }

    /// Whether the protocol promises nothing any more once this has been done; `liars` are those who have lied by then.
    pub fn is_left_by(&self, action: Action, liars: NodeSet) -> bool {
        match action {
            Action::Drift { ppm, .. } => {
                self.clocks.is_some_and(|most| !(0..=i64::from(most)).contains(&i64::from(ppm)))
            }
            Action::Jump { .. } | Action::Pause { clock_stops: true, .. } => self.clocks.is_some(),
            Action::Lie { node, how } if how != Lie::Nothing => usize::from(liars.with(node).len()) > self.liars,
            action => action.breaks().is_some(),
        }
    }
}

/// One sort of trouble.
pub(super) struct Trouble {
    pub name: &'static str,
    /// Whether it makes sense, and leaves the protocol correct.
    pub fits: fn(&Ground) -> bool,
    /// One blow. It looks at the world and asks for actions.
    pub strike: fn(&mut Storm),
}

fn always(_: &Ground) -> bool {
    true
}

fn beyond(ground: &Ground) -> bool {
    ground.beyond_model
}

/// Every sort of trouble. To add one: a line here, and if [`Storm::heal`] does not undo it yet, one there.
pub(super) const TROUBLES: &[Trouble] = &[
    Trouble {
        name: "crash",
        fits: always,
        strike: |storm| storm.victim().into_iter().for_each(|node| storm.act(Action::Crash(node))),
    },
    Trouble { name: "restart", fits: Ground::recovers, strike: Storm::restart_any },
    Trouble { name: "bounce", fits: Ground::recovers, strike: Storm::bounce },
    Trouble { name: "place", fits: always, strike: Storm::strike_place },
    Trouble { name: "cut", fits: always, strike: Storm::cut_link },
    Trouble { name: "isolate", fits: always, strike: Storm::isolate },
    Trouble { name: "split", fits: always, strike: Storm::split },
    Trouble { name: "star", fits: always, strike: Storm::star },
    Trouble { name: "heal", fits: always, strike: |storm| storm.act(Action::HealAll) },
    Trouble { name: "loss", fits: always, strike: Storm::lose },
    Trouble { name: "move", fits: always, strike: Storm::relocate },
    Trouble { name: "hand-over", fits: |ground| ground.card.transfer, strike: Storm::hand_over },
    Trouble { name: "members", fits: |ground| ground.card.membership, strike: Storm::change_members },
    Trouble {
        name: "request",
        fits: always,
        strike: |storm| {
            let site = storm.any_site();
            storm.act(Action::Request { site })
        },
    },
    Trouble { name: "lull", fits: always, strike: Storm::lull },
    Trouble { name: "pause", fits: always, strike: Storm::pause },
    Trouble { name: "suspend", fits: Ground::any_clock, strike: Storm::suspend },
    Trouble { name: "drift", fits: always, strike: Storm::drift },
    Trouble { name: "jump", fits: Ground::any_clock, strike: Storm::jump },
    Trouble { name: "slow-processor", fits: |ground| ground.costs, strike: Storm::throttle },
    Trouble { name: "slow-link", fits: always, strike: |storm| storm.disturb(SLOW) },
    Trouble { name: "narrow-link", fits: always, strike: |storm| storm.disturb(NARROW) },
    Trouble { name: "narrow-uplink", fits: always, strike: Storm::limit },
    Trouble {
        name: "lossy-link",
        fits: always,
        strike: |storm| storm.disturb(&[Nuisance::Lose(200), Nuisance::Lose(0)]),
    },
    Trouble { name: "duplicates", fits: always, strike: |storm| storm.disturb(TWICE) },
    Trouble { name: "reordering", fits: always, strike: |storm| storm.disturb(REORDERED) },
    Trouble { name: "hold", fits: always, strike: Storm::hold },
    Trouble {
        name: "message",
        fits: always,
        strike: |storm| storm.catch(&[Grip::Deliver, Grip::Drop, Grip::Duplicate]),
    },
    Trouble {
        name: "slow-disk",
        fits: always,
        strike: |storm| storm.disk(&[DiskFault::Slow(10_000), DiskFault::Mend]),
    },
    Trouble {
        name: "full-disk",
        fits: Ground::recovers,
        strike: |storm| storm.disk(&[DiskFault::Fill, DiskFault::Mend]),
    },
    Trouble { name: "corrupt-disk", fits: Ground::recovers, strike: Storm::corrupt },
    // What follows takes away what protocols count on.
    Trouble { name: "lost-writes", fits: beyond, strike: |storm| storm.disk(&[DiskFault::Forget, DiskFault::Tear]) },
    Trouble { name: "wiped-disk", fits: beyond, strike: Storm::wipe },
    Trouble { name: "lie", fits: |ground| ground.liars > 0 || ground.beyond_model, strike: Storm::lie },
];

const SLOW: &[Nuisance] = &[
    Nuisance::Slow { extra: 1_000, jitter: 1_000 },
    Nuisance::Slow { extra: 50_000, jitter: 20_000 },
    Nuisance::Slow { extra: 0, jitter: 0 },
];
const NARROW: &[Nuisance] = &[Nuisance::Narrow(100_000), Nuisance::Narrow(1_000_000), Nuisance::Narrow(0)];
const TWICE: &[Nuisance] = &[Nuisance::Duplicate(100), Nuisance::Duplicate(500), Nuisance::Duplicate(0)];
const REORDERED: &[Nuisance] = &[
    Nuisance::Reorder { permille: 100, by: 5_000 },
    Nuisance::Reorder { permille: 500, by: 50_000 },
    Nuisance::Reorder { permille: 0, by: 0 },
];

/// The names of all sorts of trouble.
pub fn troubles() -> impl Iterator<Item = &'static str> {
    TROUBLES.iter().map(|trouble| trouble.name)
}

/// The names of those that can strike a protocol, in some cluster with some settings.
pub(super) fn possible(card: &'static Card, beyond_model: bool) -> impl Iterator<Item = &'static str> {
    let most = SIZES.iter().copied().max().unwrap_or(1);
    let ground = Ground { card, clocks: None, costs: true, liars: liars_borne(card, usize::from(most)), beyond_model };
    TROUBLES.iter().filter(move |trouble| (trouble.fits)(&ground)).map(|trouble| trouble.name)
}

/// Most replicas of one run, those that joined later included.
const REPLICAS: u8 = 9;

impl Storm {
    fn up(&self, node: NodeId) -> bool {
        self.universe.node(node).glance.is_some()
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

    /// Nodes drawn by lot, and the others.
    fn two_sides(&mut self) -> (NodeSet, NodeSet) {
        let lot = self.rng.draw();
        let all = NodeSet::first(self.universe.nodes());
        let side = all.iter().filter(|node| lot >> node.0 & 1 == 1).collect();
        (side, all.minus(side))
    }

    /// A node that runs: the leader half of the time, for that is where it hurts.
    fn victim(&mut self) -> Option<NodeId> {
        let leader = self.universe.leader().filter(|_| self.rng.chance(500));
        let victim = leader.unwrap_or_else(|| self.any_node());
        self.up(victim).then_some(victim)
    }

    fn restart_any(&mut self) {
        let node = self.any_node();
        if !self.up(node) {
            self.act(Action::Restart(node));
        }
    }

    /// Down, and back at once.
    fn bounce(&mut self) {
        if let Some(node) = self.victim() {
            self.act(Action::Crash(node));
            self.act(Action::Restart(node));
        }
    }

    /// A machine, a rack, a site or a region at once.
    fn strike_place(&mut self) {
        let domain = DomainId(self.rng.between(0, u64::from(self.domains) - 1) as u16);
        let blows = [Blow::Crash, Blow::Pause, Blow::Continue, Blow::CutOff, Blow::Reconnect, Blow::Restart];
        let possible = if self.ground.recovers() { &blows[..] } else { &blows[..5] };
        let blow = pick(&mut self.rng, possible);
        self.act(Action::Domain { domain, blow });
    }

    fn cut_link(&mut self) {
        let (from, to) = (self.any_node(), self.any_node());
        let both = self.rng.chance(500);
        if from != to {
            self.act(Action::Cut { from, to, both });
        }
    }

    pub(super) fn cut_off(&mut self, from: NodeId) {
        self.others(from).for_each(|to| self.act(Action::Cut { from, to, both: true }));
    }

    fn isolate(&mut self) {
        if let Some(node) = self.victim() {
            self.cut_off(node);
        }
    }

    /// Two groups that cannot reach each other, or of which one does not hear the other.
    fn split(&mut self) {
        let (from, to) = self.two_sides();
        let both = self.rng.chance(800);
        if !from.is_empty() && !to.is_empty() {
            self.act(Action::Split { from, to, both });
        }
    }

    /// Some nodes reach one in their middle, and nobody reaches anybody else: who can be elected, and by whom, is settled.
    fn star(&mut self) {
        let centre = self.any_node();
        let reached = self.rng.draw();
        let nodes = self.universe.nodes();
        self.act(Action::HealAll);
        let pairs = (0..nodes).flat_map(|from| (from + 1..nodes).map(move |to| (NodeId(from), NodeId(to))));
        let ray = |a: NodeId, b: NodeId| a == centre && reached >> b.0 & 1 == 1;
        for (from, to) in pairs.filter(|(a, b)| !ray(*a, *b) && !ray(*b, *a)) {
            self.act(Action::Cut { from, to, both: true });
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

    /// One change, or several at once.
    fn change_members(&mut self) {
        for _ in 0..self.rng.between(1, 3) {
            // Who can never start again cannot catch up, and everybody must once members have changed.
            if self.universe.leader().is_none() || !self.rotten().is_empty() {
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

    /// Nobody asks for a while, or they ask again.
    fn lull(&mut self) {
        let quiet = self.rng.chance(500);
        self.act(if quiet { Action::Quiesce } else { Action::Resume });
    }

    /// A node stands still as in a long garbage collection, or one that did goes on.
    fn pause(&mut self) {
        if let Some(node) = self.victim() {
            let goes_on = self.universe.node(node).paused.is_some();
            self.act(if goes_on { Action::Continue(node) } else { Action::Pause { node, clock_stops: false } });
        }
    }

    /// The same, and its clock stands still as well.
    fn suspend(&mut self) {
        if let Some(node) = self.victim() {
            let goes_on = self.universe.node(node).paused.is_some();
            self.act(if goes_on { Action::Continue(node) } else { Action::Pause { node, clock_stops: true } });
        }
    }

    /// A clock runs too fast or too slow, as far as the protocol allows for it.
    fn drift(&mut self) {
        let node = self.any_node();
        let most = match self.ground.clocks {
            Some(most) if !self.ground.beyond_model => u64::from(most.min(MOST_DRIFT)),
            _ => u64::from(pick(&mut self.rng, &[100, 40_000, MOST_DRIFT])),
        };
        let ppm = self.rng.between(0, most) as i32;
        // None too slow where it matters how much faster one is than another: then the fastest is not too fast for the slowest.
        let slow = self.ground.any_clock() && self.rng.chance(500);
        self.act(Action::Drift { node, ppm: if slow { -ppm } else { ppm } });
    }

    /// By a time in which something may happen, but no longer: it is too late afterwards to take it back.
    fn jump(&mut self) {
        let node = self.any_node();
        let by = self.rng.between(1, 4 * self.round_trip.min(1_000_000)) as i32;
        let back = self.rng.chance(500);
        self.act(Action::Jump { node, by: if back { -by } else { by } });
    }

    fn throttle(&mut self) {
        let (node, percent) = (self.any_node(), pick(&mut self.rng, &[100, 300, 1_000]));
        self.act(Action::Throttle { node, percent });
    }

    /// One way, all ways out of a node, or all of them.
    fn disturb(&mut self, nuisances: &[Nuisance]) {
        let how = pick(&mut self.rng, nuisances);
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

    /// One message is held until the storm is over, or until all that are held come at once.
    fn hold(&mut self) {
        if self.rng.chance(300) {
            self.act(Action::Release(None));
        } else {
            self.catch(&[Grip::Hold]);
        }
    }

    /// Something happens to one message that is sent soon.
    fn catch(&mut self, grips: &[Grip]) {
        let kinds = self.universe.variant().kinds.len() as u64;
        let (from, to, kind) = (self.any_node(), self.any_node(), KindId(self.rng.between(0, kinds - 1) as u8));
        let (nth, grip) = (self.rng.between(1, 5) as u16, pick(&mut self.rng, grips));
        if from != to {
            self.act(Action::Catch { which: Which { from, to, kind }, nth, grip });
        }
    }

    fn disk(&mut self, faults: &[DiskFault]) {
        let (node, fault) = (self.any_node(), pick(&mut self.rng, faults));
        self.act(Action::Disk { node, fault });
    }

    /// A record rots: once down, the node does not start again. As many as the healthy core can do without.
    fn corrupt(&mut self) {
        let node = self.any_node();
        let left = self.universe.nodes() - self.rotten().with(node).len();
        if self.core.is_none_or(|core| left >= core) && !self.members_changed() {
            self.act(Action::Disk { node, fault: DiskFault::Rot });
        }
    }

    /// A node starts anew with nothing.
    fn wipe(&mut self) {
        let node = self.any_node();
        self.act(Action::Crash(node));
        self.act(Action::Disk { node, fault: DiskFault::Wipe });
        self.act(Action::Restart(node));
    }

    /// A node lies, or is honest again. No more nodes than may, unless anything may happen.
    fn lie(&mut self) {
        let node = self.any_node();
        let to = self.two_sides().0.without(node);
        let honest = Lie::Nothing;
        let ways = [honest, Lie::Silent(ALL), Lie::ToAll, Lie::Forge(ALL), Lie::Twin(to), Lie::Deny(to)];
        let how = pick(&mut self.rng, if to.is_empty() { &ways[..4] } else { &ways[..] });
        let action = Action::Lie { node, how };
        if self.ground.beyond_model || !self.ground.is_left_by(action, self.liars()) {
            self.act(action);
        }
    }
}
