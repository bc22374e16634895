//! Exhaustive exploration: every run of a small cluster within given bounds.
//!
//! A state is a row of numbers: one for each host (its node, its disk, its timers), one for the set of messages under way ([`nets`]), one
//! for what the judges remember ([`past`]), and one for what was spent of the [`Bounds`]. Whatever a number stands for is kept once
//! ([`intern`]), what an event does to a host is computed once, however many states the two meet in ([`steps`]), and so is what it does to
//! the messages under way and to the memory. So most of the work is to tell whether a row is known already ([`states`]).
//!
//! States are visited breadth first, so the first violation found is one with the fewest events. Events are the deliveries, timers,
//! requests, orders, losses, crashes and restarts; what a node sends while it handles one belongs to that event.
//!
//! Two things are left out because they add nothing. An event that changes no node and sends nothing new is not taken: without it
//! the same message, timer or request is still there, and everything that could happen after it can happen anyway. A message need
//! not get lost: it can stay under way for ever.

mod bounds;
mod found;
mod goal;
mod history;
mod intern;
mod nets;
mod past;
mod states;
mod steps;
mod symmetry;
mod table;
mod trace;
mod ways;

pub use bounds::{Bounds, Cut, Cuts, Request, Times};
pub use goal::Goal;
pub use past::{Broken, Memory, Past, Seen};
pub use trace::{Happened, Moment};

use crate::core::node::{Breach, Invariant, Protocol, Setup, Step, Unfit};
use crate::core::{NodeId, NodeSet, Slot};
use bounds::Spent;
use intern::Interner;
use nets::Nets;
use states::States;
use std::marker::PhantomData;
use steps::{N, Steps, Stimulus};
use symmetry::Symmetry;
use table::Memo;
use ways::{Event, Way};

/// What to explore.
#[derive(Clone, Debug)]
pub struct Question {
    /// The cluster.
    pub setup: Setup,
    /// How far to go.
    pub bounds: Bounds,
    /// Look for violations of this property only; `None`: of any.
    pub property: Option<String>,
    /// Goals to reach one after the other. The bounds hold for each stage of the search anew.
    pub via: Vec<Goal>,
}

/// What an exploration found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every state within the bounds was visited, and nothing was wrong.
    Safe,
    /// A property can be violated.
    Violated {
        /// Its name.
        property: &'static str,
        /// What it says.
        says: &'static str,
        /// The nodes it takes to see it.
        nodes: NodeSet,
        /// The slot, if it is about one.
        slot: Option<Slot>,
    },
    /// There are more states than the bounds allow for.
    Undecided,
    /// Within the bounds, no state reaches the goal with this place in [`Question::via`].
    Unreached(usize),
}

/// A state that reaches the goal of its stage: its row, and how it was reached.
#[derive(Clone, Debug)]
struct Reached {
    row: Vec<u32>,
    parent: (u32, Event),
}

/// An exploration under way. `M` is what it remembers of the past.
#[derive(Debug)]
pub struct Explorer<P: Protocol, M: Memory<P> = Past> {
    bounds: Bounds,
    /// The invariants to look at, and what else to look for.
    invariants: Vec<&'static Invariant<N<P>>>,
    property: Option<String>,
    via: Vec<Goal>,
    /// Numbers of a row before those of the net, the memory and what was spent: one for each host.
    hosts: usize,
    steps: Steps<P>,
    nets: Nets,
    pasts: Interner<M>,
    /// The memory that follows on a memory and an outcome, unless that breaks something.
    past_memo: Memo,
    spent: Interner<Spent>,
    states: States,
    symmetry: Option<Symmetry<P>>,
    /// How each state was first reached.
    parents: Vec<(u32, Event)>,
    /// The next state to go on from.
    next: u32,
    /// The first state that is one event farther from where its stage began.
    level_end: u32,
    depth: u32,
    /// Goals reached so far.
    stage: usize,
    /// States of this level that reach the next one.
    reached: Vec<Reached>,
    cuts: Cuts,
    verdict: Option<Verdict>,
    /// The last event of the violating trace, and the state in which it happens.
    last: Option<(u32, Event)>,
    /// The nodes of one state, lent by their hosts while invariants look at them.
    nodes: Vec<Option<N<P>>>,
    ways: Vec<Way>,
    /// The row at hand with the pairs above it, and the one it leads to.
    from: Vec<u32>,
    to: Vec<u32>,
    memory: PhantomData<M>,
}

/// How many numbers a state has beside those of its hosts: net, memory, and what was spent.
const BESIDE: usize = 3;

impl<P: Protocol, M: Memory<P>> Explorer<P, M> {
    /// Boots the cluster. The error names a setting and what would do.
    pub fn new(question: &Question) -> Result<Explorer<P, M>, Unfit> {
        let Question { setup, bounds, property, via } = question;
        let mut configs = P::cluster(setup)?;
        let members = configs.len() as u8;
        configs.extend((0..bounds.newcomers).filter_map(|number| P::newcomer(setup, NodeId(members + number))));
        let hosts = configs.len();
        let mut bounds = bounds.clone();
        bounds.requests.truncate(usize::from(Bounds::REQUESTS));
        bounds.orders.truncate(usize::from(Bounds::REQUESTS));
        let symmetry = bounds.symmetry.then(|| Symmetry::of(setup, &bounds)).flatten();
        let width = hosts + BESIDE;
        let invariants = P::invariants().iter();
        let looked_at = |name: &str| property.as_ref().is_none_or(|wanted| wanted == name);
        let mut explorer = Explorer {
            invariants: invariants.filter(|invariant| looked_at(invariant.name)).collect(),
            property: property.clone(),
            via: via.clone(),
            hosts,
            steps: Steps::new(configs, &bounds, setup.ablated, M::cares),
            nets: Nets::new(bounds.copies, bounds.messages),
            pasts: Interner::default(),
            past_memo: Memo::default(),
            spent: Interner::default(),
            states: States::new(width),
            symmetry,
            parents: Vec::new(),
            next: 0,
            level_end: 0,
            depth: 0,
            stage: 0,
            reached: Vec::new(),
            cuts: Cuts::default(),
            verdict: None,
            last: None,
            nodes: vec![None; hosts],
            ways: Vec::new(),
            from: vec![0; 2 * width],
            to: vec![0; 2 * width],
            memory: PhantomData,
            bounds,
        };
        explorer.start();
        Ok(explorer)
    }

    /// The first state: all nodes booted, one after the other.
    fn start(&mut self) {
        let width = self.width();
        let mut past = self.pasts.put(M::new(&self.bounds.requests));
        let mut net = self.nets.put(&[]);
        let spent = self.spent.put(Spent::default());
        let mut broken = None;
        for me in (0..self.hosts as u8).map(NodeId) {
            let machine = self.steps.new_machine(me);
            let boot = self.steps.step(machine, Stimulus::Boot);
            let outcome = self.steps.outcome(boot);
            self.to[width + usize::from(me.0)] = outcome.host;
            let (kept, noted) = (outcome.kept, outcome.noted);
            net = self.nets.after(net, kept, &self.steps.deltas).map_or(net, |(net, _)| net);
            if noted {
                let (after, breaks) = self.remember(past, boot);
                past = after;
                broken = broken.or(breaks);
            }
        }
        self.to[width + self.hosts..].copy_from_slice(&[net, past, spent]);
        let mut row = std::mem::take(&mut self.to);
        self.lend(&row[width..]);
        for me in (0..self.hosts as u8).map(NodeId) {
            broken = broken.or(self.look(Step { changed: me, log_from: Some(1) }));
        }
        self.lend(&row[width..]);
        self.canonical(&mut row);
        let key = self.states.fold(&mut row, (1 << width) - 1);
        self.states.put(key);
        self.parents.push((0, Event::Lose(0)));
        self.to = row;
        self.level_end = 1;
        self.reach(0);
        if let Some(broken) = broken {
            self.violated(broken);
        }
    }

    fn width(&self) -> usize {
        self.hosts + BESIDE
    }

    /// Goes on from as many as `states` states; tells whether it is over.
    pub fn advance(&mut self, states: u32) -> bool {
        for _ in 0..states {
            if self.verdict.is_some() {
                break;
            }
            self.go_on();
        }
        self.verdict.is_some()
    }

    /// Goes on from the next state.
    fn go_on(&mut self) {
        if self.next == self.level_end {
            if !self.reached.is_empty() {
                self.next_stage();
            } else if self.level_end < self.states.len() as u32 {
                self.level_end = self.states.len() as u32;
                self.depth += 1;
            } else {
                self.verdict = Some(match self.stage < self.via.len() {
                    true => Verdict::Unreached(self.stage),
                    false => Verdict::Safe,
                });
                return;
            }
        }
        let from = self.next;
        self.next += 1;
        let mut tree = std::mem::take(&mut self.from);
        self.states.unfold(from, &mut tree);
        let width = self.width();
        self.find_ways(&tree[width..]);
        if self.depth >= self.bounds.depth {
            if !self.ways.is_empty() {
                self.cuts.add(Cut::Depth);
            }
            self.from = tree;
            return;
        }
        let ways = std::mem::take(&mut self.ways);
        let mut lent = false;
        for &way in &ways {
            self.take(from, &tree, way, &mut lent);
            if self.verdict.is_some() {
                break;
            }
        }
        if lent {
            self.lend(&tree[width..]);
        }
        self.ways = ways;
        self.from = tree;
        self.name_deciders();
    }

    /// All states of the level that reach the goal are where the next stage begins.
    fn next_stage(&mut self) {
        if let Goal::Violated(property) = &self.via[self.stage] {
            self.invariants.retain(|invariant| invariant.name != property);
        }
        self.stage += 1;
        self.depth = 0;
        self.next = self.states.len() as u32;
        let (width, all) = (self.width(), (1 << self.width()) - 1);
        for Reached { row, parent } in std::mem::take(&mut self.reached) {
            let mut tree = vec![0; 2 * width];
            tree[width..].copy_from_slice(&row);
            let spent = self.spent.get(row[self.hosts + 2]).next_stage();
            tree[2 * width - 1] = self.spent.put(spent);
            let key = self.states.fold(&mut tree, all);
            if self.states.put(key) {
                self.parents.push(parent);
                self.to.copy_from_slice(&tree);
                self.reach((self.states.len() - 1) as u32);
            }
        }
        self.level_end = self.states.len() as u32;
    }

    /// Takes note if the state at hand, the last one found, reaches the goal of this stage.
    fn reach(&mut self, state: u32) {
        let Some(goal) = self.via.get(self.stage) else { return };
        let row = &self.to[self.width()..];
        let mut hosts = row[..self.hosts].iter().map(|&host| self.steps.facts[host as usize]).zip((0..).map(NodeId));
        let reached = match *goal {
            Goal::Leader(who, epoch) => hosts.any(|(fact, node)| {
                fact.leads.is_some_and(|leads| leads.number >= epoch) && who.is_none_or(|who| who == node)
            }),
            Goal::Epoch(epoch) => hosts.any(|(fact, _)| fact.up && fact.epoch >= epoch),
            Goal::Chosen(slot) => self.pasts.get(row[self.hosts + 1]).chosen(slot).is_some(),
            Goal::Crashed(who) => hosts.any(|(fact, node)| !fact.up && who.is_none_or(|who| who == node)),
            Goal::Violated(_) => false,
        };
        if reached {
            self.reached.push(Reached { row: row.to_vec(), parent: self.parents[state as usize] });
        }
    }

    /// Takes one way on from a state.
    #[inline]
    fn take(&mut self, from: u32, tree: &[u32], way: Way, lent: &mut bool) {
        let (width, index) = (self.width(), usize::from(way.node.0));
        let (net, past, spent) = (width + self.hosts, width + self.hosts + 1, width + self.hosts + 2);
        self.to.copy_from_slice(tree);
        let mut changed = 0u128;
        let mut broken = None;
        let mut log_from = None;
        let mut moved = false;
        if let Some(number) = way.outcome {
            let outcome = self.steps.outcome(number);
            let (host, noted) = (outcome.host, outcome.noted);
            log_from = outcome.log_from;
            let delta = if matches!(way.event, Event::Deliver(_)) { outcome.used_up } else { outcome.kept };
            let Some((after, mut news)) = self.nets.after(tree[net], delta, &self.steps.deltas) else { return };
            self.to[net] = after;
            moved = host != tree[width + index];
            news |= moved;
            if noted {
                (self.to[past], broken) = self.remember(tree[past], number);
                news |= self.to[past] != tree[past] || broken.is_some();
                changed |= 1 << (self.hosts + 1);
            }
            if !news {
                return;
            }
            if moved {
                if self.steps.facts[host as usize].epoch > self.bounds.epoch {
                    return self.cuts.add(Cut::Epoch);
                }
                self.to[width + index] = host;
                changed |= 1 << index;
            }
            if self.bounds.late_to_self && matches!(way.event, Event::Crash(_)) {
                // What it meant to tell itself is gone.
                let letters = &self.steps.letters;
                let own = |message| {
                    let &(from, to, _) = letters.get(message);
                    from == way.node && to == way.node
                };
                self.to[net] = self.nets.without(self.to[net], own);
            }
        } else if let Event::Lose(message) = way.event {
            self.to[net] = self.nets.without_one(tree[net], message);
        }
        self.to[spent] = way.spent;
        changed |= u128::from(self.to[net] != tree[net]) << self.hosts;
        changed |= u128::from(way.spent != tree[spent]) << (self.hosts + 2);
        if let Some(broken) = broken
            && !self.is_goal(&broken)
        {
            self.last = Some((from, way.event));
            return self.violated(broken);
        }
        let key = match self.symmetry.is_some() {
            false => self.states.fold(&mut self.to, changed),
            true => self.fold_canonical(),
        };
        if !self.states.put(key) {
            return;
        }
        self.parents.push((from, way.event));
        if moved && !self.invariants.is_empty() {
            if !*lent {
                self.lend(&tree[width..]);
                *lent = true;
            }
            // With symmetry, `to` may have other names by now: the outcome tells the host.
            let host = way.outcome.map_or(tree[width + index], |number| self.steps.outcome(number).host);
            self.lend_one(index, host);
            broken = broken.or(self.look(Step { changed: way.node, log_from }));
            self.lend_one(index, host);
        }
        match broken {
            Some(broken) if self.is_goal(&broken) => {
                let row = self.to[width..].to_vec();
                self.reached.push(Reached { row, parent: (from, way.event) });
            }
            Some(broken) => {
                self.last = Some((from, way.event));
                return self.violated(broken);
            }
            None => self.reach((self.states.len() - 1) as u32),
        }
        if self.states.len() > self.bounds.states as usize {
            self.verdict = Some(Verdict::Undecided);
        }
    }

    /// Whether this violation is what the stage is to reach.
    fn is_goal(&self, broken: &Broken) -> bool {
        matches!(self.via.get(self.stage), Some(Goal::Violated(property)) if property == broken.property)
    }

    /// The memory after an outcome, and what that breaks.
    fn remember(&mut self, past: u32, outcome: u32) -> (u32, Option<Broken>) {
        let key = u64::from(past) << 32 | u64::from(outcome);
        if let Some(after) = self.past_memo.get(key) {
            return (after, None);
        }
        let mut memory = self.pasts.get(past).clone();
        let seen = self.steps.seen(self.steps.outcome(outcome));
        let broken = memory.take_in(&seen);
        let broken = broken.into_iter().find(|broken| self.asked_for(broken.property));
        let after = self.pasts.put(memory);
        if broken.is_none() {
            self.past_memo.set(key, after);
        }
        (after, broken)
    }

    /// Looks at the lent nodes with the protocol's own invariants.
    fn look(&self, step: Step) -> Option<Broken> {
        self.invariants.iter().find_map(|invariant| {
            let Breach { other, slot } = (invariant.holds)(&self.nodes, step).err()?;
            let nodes = other.into_iter().fold(NodeSet::just(step.changed), NodeSet::with);
            Some(Broken::new((invariant.name, invariant.says), nodes, slot))
        })
    }

    /// Whether violations of this property count. One that was a goal has been reached, and will be again and again.
    fn asked_for(&self, property: &str) -> bool {
        let was_goal = |goal: &Goal| matches!(goal, Goal::Violated(goal) if goal == property);
        let wanted = self.property.as_ref().is_none_or(|wanted| wanted == property);
        match self.via.get(self.stage) {
            Some(goal) if was_goal(goal) => true,
            _ => wanted && !self.via[..self.stage].iter().any(was_goal),
        }
    }

    /// Lends the nodes of a state to `self.nodes`, or gives them back.
    fn lend(&mut self, row: &[u32]) {
        for (index, &host) in row[..self.hosts].iter().enumerate() {
            self.lend_one(index, host);
        }
    }

    fn lend_one(&mut self, index: usize, host: u32) {
        std::mem::swap(&mut self.steps.hosts.lend(host).node, &mut self.nodes[index]);
    }

    fn violated(&mut self, Broken { property, says, nodes, slot }: Broken) {
        self.verdict = Some(Verdict::Violated { property, says, nodes, slot });
    }
}
