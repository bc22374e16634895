//! The storm: every sort of trouble, one line each, and how a run is hit by them.

use super::draw::{Draft, pick};
use crate::core::{Card, Faults, KindId, Micros, NodeId, NodeSet};
use crate::sim::Action;
use crate::sim::action::{ALL, DiskFault, Grip, Nuisance, Timed, Which};
use crate::sim::rng::Rng;
use crate::universe::Universe;

/// One sort of trouble.
struct Trouble {
    name: &'static str,
    /// Which protocols it makes sense for, and leaves correct.
    fits: fn(&Card) -> bool,
    /// One blow. It looks at the world and asks for actions.
    strike: fn(&mut Storm),
}

fn always(_: &Card) -> bool {
    true
}

/// Every sort of trouble. To add one: a line here, and if [`Storm::heal`] does not undo it yet, one there.
const TROUBLES: &[Trouble] = &[
    Trouble {
        name: "crash",
        fits: always,
        strike: |storm| storm.victim().into_iter().for_each(|node| storm.act(Action::Crash(node))),
    },
    Trouble { name: "restart", fits: recovers, strike: Storm::restart_any },
    Trouble { name: "bounce", fits: recovers, strike: Storm::bounce },
    Trouble { name: "cut", fits: always, strike: Storm::cut_link },
    Trouble { name: "isolate", fits: always, strike: Storm::isolate },
    Trouble { name: "split", fits: always, strike: Storm::split },
    Trouble { name: "star", fits: always, strike: Storm::star },
    Trouble { name: "heal", fits: always, strike: |storm| storm.act(Action::HealAll) },
    Trouble { name: "loss", fits: always, strike: Storm::lose },
    Trouble { name: "move", fits: always, strike: Storm::relocate },
    Trouble { name: "hand-over", fits: |card| card.transfer, strike: Storm::hand_over },
    Trouble { name: "members", fits: |card| card.membership, strike: Storm::change_members },
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
    Trouble { name: "slow-link", fits: always, strike: |storm| storm.disturb(SLOW) },
    Trouble {
        name: "lossy-link",
        fits: always,
        strike: |storm| storm.disturb(&[Nuisance::Lose(200), Nuisance::Lose(0)]),
    },
    Trouble { name: "duplicates", fits: always, strike: |storm| storm.disturb(TWICE) },
    Trouble { name: "reordering", fits: always, strike: |storm| storm.disturb(REORDERED) },
    Trouble { name: "hold", fits: always, strike: Storm::hold },
    Trouble {
        name: "slow-disk",
        fits: always,
        strike: |storm| storm.disk(&[DiskFault::Slow(10_000), DiskFault::Mend]),
    },
    Trouble { name: "full-disk", fits: recovers, strike: |storm| storm.disk(&[DiskFault::Fill, DiskFault::Mend]) },
];

const SLOW: &[Nuisance] = &[
    Nuisance::Slow { extra: 1_000, jitter: 1_000 },
    Nuisance::Slow { extra: 50_000, jitter: 20_000 },
    Nuisance::Slow { extra: 0, jitter: 0 },
];
const TWICE: &[Nuisance] = &[Nuisance::Duplicate(100), Nuisance::Duplicate(500), Nuisance::Duplicate(0)];
const REORDERED: &[Nuisance] = &[
    Nuisance::Reorder { permille: 100, by: 5_000 },
    Nuisance::Reorder { permille: 500, by: 50_000 },
    Nuisance::Reorder { permille: 0, by: 0 },
];

fn recovers(card: &Card) -> bool {
    card.faults != Faults::CrashStop
}

/// The names of all sorts of trouble.
pub fn troubles() -> impl Iterator<Item = &'static str> {
    TROUBLES.iter().map(|trouble| trouble.name)
}

/// Most actions of one run.
const ACTIONS: usize = 600;

/// Most events of one run. They take some ten thousand: one that takes more goes round in circles.
pub(super) const MOST_EVENTS: u64 = 3_000_000;

/// Most replicas of one run, those that joined later included.
const REPLICAS: u8 = 9;

/// A storm in a running world.
pub(super) struct Storm {
    pub universe: Box<dyn Universe>,
    /// What has been done, in order.
    pub script: Vec<Timed>,
    /// How often each sort of trouble struck.
    pub strikes: Vec<u64>,
    rng: Rng,
    sites: u8,
    /// How likely each sort of trouble is whenever there may be some, in a thousand.
    rates: Vec<u16>,
    /// When the next action happens, µs.
    at: Micros,
}

/// Something is broken: there is nothing more to see.
pub(super) struct Broken;

impl Storm {
    /// Draws the mix. Without `only`, each sort of trouble is there or not by the toss of a coin.
    pub fn new(universe: Box<dyn Universe>, sites: u8, only: &[String], rng: Rng) -> Storm {
        let (card, mut rng) = (universe.variant().card, rng);
        let mut rate = |trouble: &Trouble| {
            let rate = pick(&mut rng, &[30, 100, 300]);
            let asked_for = only.iter().any(|name| name == trouble.name);
            let there = if only.is_empty() { rng.chance(500) } else { asked_for };
            if there && (trouble.fits)(card) { rate } else { 0 }
        };
        let rates = TROUBLES.iter().map(&mut rate).collect();
        let strikes = vec![0; TROUBLES.len()];
        Storm { universe, script: Vec::new(), strikes, rng, sites, rates, at: 0 }
    }

    /// Lets it storm.
    pub fn blow(&mut self, draft: &Draft) -> Result<(), Broken> {
        self.run_until(draft.begins)?;
        let mut next = draft.begins;
        let mut reigns = 0;
        loop {
            next += self.rng.between(1, 2 * draft.gap);
            // The first moments of a reign are the most delicate ones, so that some more trouble comes then.
            while self.run_until_reign(next.min(draft.ends - 2), &mut reigns)? {
                let delicate = self.universe.time() + self.rng.between(1, 2 * draft.round_trip);
                self.run_until(delicate.min(draft.ends - 2))?;
                self.at = self.universe.time() + 1;
                for _ in 0..self.rng.between(0, 2) {
                    let there: Vec<usize> = (0..TROUBLES.len()).filter(|trouble| self.rates[*trouble] > 0).collect();
                    if !there.is_empty() {
                        let trouble = pick(&mut self.rng, &there);
                        self.strike(trouble);
                    }
                }
            }
            if next >= draft.ends - 2 {
                return self.run_until(draft.ends - 1);
            }
            self.at = self.universe.time() + 1;
            for trouble in 0..TROUBLES.len() {
                if self.rng.chance(self.rates[trouble]) {
                    self.strike(trouble);
                }
            }
        }
    }

    /// Ends the storm for as many nodes as must be healthy; the others are down or cut off from then on.
    pub fn heal(&mut self, draft: &Draft) {
        self.at = draft.ends;
        let nodes: Vec<NodeId> = (0..self.universe.nodes()).map(NodeId).collect();
        // Who is a member by now is not for the storm to know: then everybody must be healthy.
        let members_changed =
            self.script.iter().any(|timed| matches!(timed.action, Action::Add { .. } | Action::Remove(_)));
        let core = draft.core.filter(|_| !members_changed).map_or(nodes.len(), usize::from);
        let mut healthy = nodes.clone();
        while healthy.len() > core {
            let one = self.rng.between(0, healthy.len() as u64 - 1) as usize;
            healthy.swap_remove(one);
        }
        self.act(Action::Stabilise);
        self.act(Action::Calm);
        self.act(Action::Resume);
        for node in &healthy {
            self.act(Action::Disk { node: *node, fault: DiskFault::Mend });
        }
        let may_restart = recovers(self.universe.variant().card);
        for node in nodes {
            // Who has a full disk may stop at any moment, even this one.
            let up = self.up(node) && !self.universe.node(node).disk.full;
            match healthy.contains(&node) {
                true if !up && may_restart => self.act(Action::Restart(node)),
                true => {}
                false if up && self.rng.chance(500) => self.act(Action::Crash(node)),
                false => self.cut_off(node),
            }
        }
    }

    /// Runs on.
    pub fn run_until(&mut self, limit: Micros) -> Result<(), Broken> {
        while self.step_until(limit)? {}
        Ok(())
    }

    /// Runs on until somebody begins to lead; tells whether that happened before `limit`.
    fn run_until_reign(&mut self, limit: Micros, reigns: &mut u32) -> Result<bool, Broken> {
        while self.step_until(limit)? {
            if self.universe.led() > *reigns {
                *reigns = self.universe.led();
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

    fn strike(&mut self, trouble: usize) {
        if self.script.len() < ACTIONS {
            let before = self.script.len();
            (TROUBLES[trouble].strike)(self);
            self.strikes[trouble] += u64::from(self.script.len() > before);
        }
    }

    /// Writes an action into the script, for the first free moment after those before it.
    fn act(&mut self, action: Action) {
        self.at = self.script.last().map_or(0, |last| last.at).max(self.at);
        while !self.universe.plan(Timed { at: self.at, action }) {
            self.at += 1;
        }
        self.script.push(Timed { at: self.at, action });
    }

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

    fn cut_link(&mut self) {
        let (from, to) = (self.any_node(), self.any_node());
        let both = self.rng.chance(500);
        if from != to {
            self.act(Action::Cut { from, to, both });
        }
    }

    fn cut_off(&mut self, from: NodeId) {
        self.others(from).for_each(|to| self.act(Action::Cut { from, to, both: true }));
    }

    fn isolate(&mut self) {
        if let Some(node) = self.victim() {
            self.cut_off(node);
        }
    }

    /// Two groups that cannot reach each other.
    fn split(&mut self) {
        let nodes = self.universe.nodes();
        let side = self.rng.draw();
        let pairs = (0..nodes).flat_map(|from| (from + 1..nodes).map(move |to| (NodeId(from), NodeId(to))));
        for (from, to) in pairs.filter(|(from, to)| side >> from.0 & 1 != side >> to.0 & 1) {
            self.act(Action::Cut { from, to, both: true });
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
            if self.universe.leader().is_none() {
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

    /// One way, all ways out of a node, or all of them.
    fn disturb(&mut self, nuisances: &[Nuisance]) {
        let how = pick(&mut self.rng, nuisances);
        let (from, to) = (self.any_node(), self.any_node());
        let (one, others) = (NodeSet::just(from), self.others(from).collect::<NodeSet>());
        let ways = [(one, NodeSet::just(to)), (one, others), (ALL, ALL)];
        // Loss on all links is a trouble of its own.
        let ways = if matches!(how, Nuisance::Lose(_)) { &ways[..2] } else { &ways[..] };
        let (from, to) = pick(&mut self.rng, ways);
        if from != to && !to.is_empty() || from == ALL {
            self.act(Action::Disturb { from, to, both: false, how });
        }
    }

    /// One message is held until the storm is over, or until all that are held come at once.
    fn hold(&mut self) {
        let kinds = self.universe.variant().kinds.len() as u64;
        let (from, to, kind) = (self.any_node(), self.any_node(), KindId(self.rng.between(0, kinds - 1) as u8));
        if self.rng.chance(300) {
            self.act(Action::Release(None));
        } else if from != to {
            let nth = self.rng.between(1, 5) as u16;
            self.act(Action::Catch { which: Which { from, to, kind }, nth, grip: Grip::Hold });
        }
    }

    fn disk(&mut self, faults: &[DiskFault]) {
        let (node, fault) = (self.any_node(), pick(&mut self.rng, faults));
        self.act(Action::Disk { node, fault });
    }
}
