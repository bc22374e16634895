//! Exhaustive exploration: every run of a small cluster within given bounds.
//!
//! A state is a row of numbers: one for each node (its disk, its timers, and the messages on their way to it: [`locals`]), one for what
//! the judges remember ([`past`]), and one for what was spent of the [`Bounds`]. Whatever a number stands for is kept once ([`intern`]),
//! and what an event does to a node or to the memory is computed once, however many states they meet in ([`steps`]). So most of the
//! work is to tell whether a row is known already ([`states`]).
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
mod locals;
mod past;
mod states;
mod steps;
mod symmetry;
mod table;
mod trace;

pub use bounds::{Bounds, Cut, Cuts, Request, Times};
pub use goal::Goal;
pub use past::{Broken, Memory, Past, Seen};
pub use trace::{Happened, Moment};

use crate::core::node::{Breach, Invariant, Protocol, Setup, Step, Unfit};
use crate::core::{NodeId, NodeSet, Slot};
use bounds::{Of, Spent};
use intern::Interner;
use locals::{Event, Locals, Way};
use states::States;
use steps::{N, Steps, Stimulus};
use symmetry::Symmetry;
use table::Memo;

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
    /// Numbers of a row before those of the memory and of what was spent: one for each node.
    hosts: usize,
    steps: Steps<P>,
    locals: Locals,
    pasts: Interner<M>,
    /// The memory that follows on a memory and an outcome, unless that breaks something.
    past_memo: Memo,
    spent: Interner<Spent>,
    /// What is spent after one more of everything, by what was spent before; see [`Of::place`].
    spent_next: Vec<[Option<Option<u32>>; Of::ALL]>,
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
    /// The first state of this stage that was found within it.
    stage_start: u32,
    /// States of this level that reach the next one.
    reached: Vec<Reached>,
    cuts: Cuts,
    verdict: Option<Verdict>,
    /// The last event of the violating trace, and the state in which it happens.
    last: Option<(u32, Event)>,
    /// The nodes of one state, lent by their hosts while invariants look at them.
    nodes: Vec<Option<N<P>>>,
    /// The rows at hand, each followed by those it leads to.
    rows: Vec<u32>,
    found: Vec<Found>,
    broken: Vec<Broken>,
}

/// What a way leads to.
#[derive(Clone, Copy, Debug)]
struct Found {
    hash: u64,
    from: u32,
    /// Where its row begins.
    to: u32,
    /// The place of the way.
    place: u32,
    /// What breaks, counted from 1 among those of the batch; 0 for nothing.
    broken: u32,
}

/// States gone on from together.
const TOGETHER: u32 = 32;

/// How many numbers a state has beside those of its nodes: memory, and what was spent.
const BESIDE: usize = 2;

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
        let symmetry = bounds.symmetry.then(|| Symmetry::of(setup, &bounds, via)).flatten();
        let invariants = P::invariants().iter();
        let is_goal = |name: &str| via.iter().any(|goal| matches!(goal, Goal::Violated(goal) if goal == name));
        let looked_at = |name: &str| property.as_ref().is_none_or(|wanted| wanted == name) || is_goal(name);
        let mut explorer = Explorer {
            invariants: invariants.filter(|invariant| looked_at(invariant.name)).collect(),
            property: property.clone(),
            via: via.clone(),
            hosts,
            steps: Steps::new(configs, &bounds, setup.ablated, M::cares),
            locals: Locals::new(&bounds),
            pasts: Interner::default(),
            past_memo: Memo::default(),
            spent: Interner::default(),
            spent_next: Vec::new(),
            states: States::new(hosts + BESIDE),
            symmetry,
            parents: Vec::new(),
            next: 0,
            level_end: 0,
            depth: 0,
            stage: 0,
            stage_start: 0,
            reached: Vec::new(),
            cuts: Cuts::default(),
            verdict: None,
            last: None,
            nodes: vec![None; hosts],
            rows: Vec::new(),
            found: Vec::new(),
            broken: Vec::new(),
            bounds,
        };
        explorer.start();
        Ok(explorer)
    }

    /// The first state: all nodes booted, one after the other.
    fn start(&mut self) {
        let mut row = vec![0; self.width()];
        let mut past = self.pasts.put(M::new(&self.bounds.requests));
        let spent = self.spent.put(Spent::default());
        let mut broken = None;
        let mut sent = Vec::new();
        for me in (0..self.hosts as u8).map(NodeId) {
            let machine = self.steps.new_machine(me);
            let boot = self.steps.step(machine, Stimulus::Boot);
            let outcome = self.steps.outcome(boot);
            sent.extend_from_slice(&outcome.sent);
            row[usize::from(me.0)] = self.locals.put(outcome.host, &[]);
            if outcome.noted {
                let (after, breaks) = self.remember(past, boot);
                past = after;
                broken = broken.or(breaks);
            }
        }
        for message in sent {
            let to = usize::from(self.steps.ends(message).1.0);
            row[to] = self.locals.with(row[to], message);
        }
        row[self.hosts..].copy_from_slice(&[past, spent]);
        self.lend(&row);
        for me in (0..self.hosts as u8).map(NodeId) {
            broken = broken.or(self.look(Step { changed: me, log_from: Some(1), unaware: NodeSet::EMPTY }));
        }
        self.lend(&row);
        self.states.put(States::hash(&row), &row);
        self.parents.push((0, Event::Lose(0)));
        self.level_end = 1;
        self.reach();
        if let Some(broken) = broken {
            self.violated(broken);
        }
    }

    fn width(&self) -> usize {
        self.hosts + BESIDE
    }

    /// Goes on from as many as `states` states; tells whether it is over.
    pub fn advance(&mut self, states: u32) -> bool {
        let mut left = states;
        while left > 0 && self.verdict.is_none() {
            left -= self.go_on(left.min(TOGETHER));
        }
        self.verdict.is_some()
    }

    /// Goes on from the next states, at most so many and all of one level; tells from how many.
    ///
    /// First all ways on are found, then what they lead to is looked up: so the looks into memory do not have to wait for each other.
    fn go_on(&mut self, most: u32) -> u32 {
        if self.next == self.level_end && !self.next_level() {
            return most;
        }
        let first = self.next;
        let many = most.min(self.level_end - first);
        self.next += many;
        self.found.clear();
        self.rows.clear();
        self.broken.clear();
        for from in first..first + many {
            let start = self.rows.len();
            self.rows.extend_from_slice(self.states.row(from));
            self.find(from, start);
        }
        let found = std::mem::take(&mut self.found);
        self.states.expect(found.iter().map(|found| found.hash));
        let mut lent = None;
        for found in &found {
            self.arrive(found, &mut lent);
            if self.verdict.is_some() {
                break;
            }
        }
        self.take_back(&mut lent);
        self.found = found;
        self.name_deciders();
        many
    }

    /// Finds the ways on from a state, whose row begins at `start` of `self.rows`, and appends the rows that they lead to.
    fn find(&mut self, from: u32, start: usize) {
        let hash = States::hash(&self.rows[start..]);
        let commuting = self.commuting(from);
        for index in 0..self.hosts {
            let left_to_others = commuting >> index & 1 == 1;
            for place in self.locals.ways(self.rows[start + index], &self.bounds, &mut self.steps) {
                let way = self.locals.way(place);
                if left_to_others && !way.tells && way.cost.is_none() {
                    continue;
                }
                if self.depth >= self.bounds.depth {
                    return self.cuts.add(Cut::Depth);
                }
                let to = self.rows.len();
                self.rows.extend_from_within(start..start + self.width());
                match self.take(start, to, index, hash, way) {
                    Some((mut hash, breaks)) => {
                        if self.symmetry.is_some() {
                            hash = self.canonical(to);
                        }
                        self.broken.extend(breaks);
                        let broken = if breaks.is_some() { self.broken.len() as u32 } else { 0 };
                        self.found.push(Found { hash, from, to: to as u32, place, broken });
                    }
                    None => self.rows.truncate(to),
                }
            }
        }
    }

    /// Nodes (a bit each) whose silent steps from a state lead nowhere that is not found anyway, if the steps tell nobody, are not
    /// remembered and cost nothing.
    ///
    /// Let `b` be such a step of node `j`, and `a` the step of node `i` by which the state was found first, from a state `p`. If `a` left
    /// alone what lies with `j`, then `b` could come first: from `p`, `b` and then `a` lead to the same state in as many steps. So of the two
    /// orders one will do, here the one in which the higher node comes last. (Should `a`, after `b`, be left out as well, that is for the sake of a step of a node higher
    /// than `i`, and so on: there is a highest.) These are the sleep sets of Godefroid, *Partial-Order Methods for the Verification of
    /// Concurrent Systems* (1996), chapter 5, cut down to what costs nothing to keep. They leave out steps, never states.
    fn commuting(&self, state: u32) -> u64 {
        let (parent, event) = self.parents[state as usize];
        if state == 0 || state < self.stage_start || self.symmetry.is_some() {
            return 0;
        }
        let node = usize::from(event.node(&self.steps).0);
        let (before, now) = (self.states.row(parent), self.states.row(state));
        (0..node).filter(|&index| before[index] == now[index]).fold(0, |set, index| set | 1 << index)
    }

    /// Moves on to the states that are one event farther away, or to the next stage; or, without any, it is over.
    fn next_level(&mut self) -> bool {
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
            return false;
        }
        true
    }

    /// All states of the level that reach the goal are where the next stage begins.
    fn next_stage(&mut self) {
        self.stage += 1;
        // What counts as broken may be another property now.
        self.past_memo = Memo::default();
        self.depth = 0;
        self.next = self.states.len() as u32;
        for Reached { mut row, parent } in std::mem::take(&mut self.reached) {
            let spent = &mut row[self.hosts + 1];
            let next = self.spent.get(*spent).next_stage();
            *spent = self.spent.put(next);
            if self.states.put(States::hash(&row), &row) {
                self.parents.push(parent);
                self.reach();
            }
        }
        self.level_end = self.states.len() as u32;
        self.stage_start = self.level_end;
    }

    /// Takes one way on, for the node with this index, from the row at `from` of `self.rows` with this hash: changes the row at `to`, a
    /// copy so far. Gives its hash, and what the way breaks; `None` if it leads nowhere new, or beyond the bounds.
    #[inline]
    fn take(&mut self, from: usize, to: usize, index: usize, hash: u64, way: Way) -> Option<(u64, Option<Broken>)> {
        let (mut hash, mut broken) = (hash.wrapping_add(way.hash), None);
        self.rows[to + index] = way.after;
        if let Some(of) = way.cost {
            let after = self.spend(self.rows[from + self.hosts + 1], of)?;
            self.change(to, self.hosts + 1, after, &mut hash);
        }
        if way.tells
            && let Some(number) = way.outcome
        {
            let mut news = way.moved;
            for place in 0..self.steps.outcome(number).sent.len() {
                let message = self.steps.outcome(number).sent[place];
                let receiver = usize::from(self.steps.ends(message).1.0);
                let after = self.locals.with(self.rows[to + receiver], message);
                news |= self.change(to, receiver, after, &mut hash);
            }
            if self.steps.outcome(number).noted {
                let (after, breaks) = self.remember(self.rows[to + self.hosts], number);
                broken = breaks;
                news |= self.change(to, self.hosts, after, &mut hash) || broken.is_some();
            }
            if !news {
                return None;
            }
            if self.bounds.messages < u16::MAX && self.under_way(to) > u32::from(self.bounds.messages) {
                self.cuts.add(Cut::Messages);
                return None;
            }
        }
        Some((hash, broken))
    }

    /// Changes one number of the row at `to`; tells whether it was another one.
    #[inline]
    fn change(&mut self, to: usize, place: usize, after: u32, hash: &mut u64) -> bool {
        let before = std::mem::replace(&mut self.rows[to + place], after);
        if before != after {
            *hash = States::rehash(*hash, place, before, after);
        }
        before != after
    }

    /// Messages under way in the row at `to`.
    #[inline]
    fn under_way(&self, to: usize) -> u32 {
        let row = &self.rows[to..][..self.hosts];
        row.iter().map(|&local| u32::from(self.locals.messages[local as usize])).sum()
    }

    /// What is spent after one more of it, if the bounds allow.
    #[inline]
    fn spend(&mut self, spent: u32, of: Of) -> Option<u32> {
        if self.spent_next.len() <= spent as usize {
            self.spent_next.resize(spent as usize + 1, [None; Of::ALL]);
        }
        let next = match self.spent_next[spent as usize][of.place()] {
            Some(known) => known,
            None => {
                let after = self.spent.get(spent).one_more(of, &self.bounds);
                let after = after.map(|after| self.spent.put(after));
                self.spent_next[spent as usize][of.place()] = Some(after);
                after
            }
        };
        if next.is_none() {
            self.cuts.add_all(of.cut());
        }
        next
    }

    /// Takes in what a way leads to.
    #[inline]
    fn arrive(&mut self, found: &Found, lent: &mut Option<u32>) {
        let &Found { hash, from, to, place, broken } = found;
        let way = self.locals.way(place);
        let broken = broken.checked_sub(1).map(|place| self.broken[place as usize]);
        if let Some(broken) = broken
            && !self.is_goal(&broken)
        {
            self.last = Some((from, way.event));
            return self.violated(broken);
        }
        if !self.states.put(hash, &self.rows[to as usize..][..self.hosts + BESIDE]) {
            return;
        }
        self.parents.push((from, way.event));
        let mut broken = broken;
        if let Some(number) = way.outcome
            && !self.invariants.is_empty()
        {
            let outcome = self.steps.outcome(number);
            let (host, log_from) = (outcome.host, outcome.log_from);
            if way.moved {
                let node = self.steps.hosts.get(host).me;
                self.lend_only(from, lent);
                self.lend_one(usize::from(node.0), host);
                broken = broken.or(self.look(Step { changed: node, log_from, unaware: NodeSet::EMPTY }));
                self.lend_one(usize::from(node.0), host);
            }
        }
        match broken {
            Some(broken) if self.is_goal(&broken) => {
                let row = self.states.row(self.states.len() as u32 - 1).to_vec();
                self.reached.push(Reached { row, parent: (from, way.event) });
            }
            Some(broken) => {
                self.last = Some((from, way.event));
                return self.violated(broken);
            }
            None if self.stage < self.via.len() => {
                self.take_back(lent);
                self.reach();
            }
            None => {}
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
        let mut asked_for = self.invariants.iter().filter(|invariant| self.asked_for(invariant.name));
        asked_for.find_map(|invariant| {
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

    /// Lends the nodes of a state to `self.nodes`, or takes them back.
    fn lend(&mut self, row: &[u32]) {
        for (index, &local) in row[..self.hosts].iter().enumerate() {
            self.lend_one(index, self.locals.host(local));
        }
    }

    /// Lends the nodes of this state, and takes back those of any other.
    fn lend_only(&mut self, state: u32, lent: &mut Option<u32>) {
        if *lent != Some(state) {
            self.take_back(lent);
            self.lend_state(state);
            *lent = Some(state);
        }
    }

    fn take_back(&mut self, lent: &mut Option<u32>) {
        if let Some(state) = lent.take() {
            self.lend_state(state);
        }
    }

    fn lend_state(&mut self, state: u32) {
        for index in 0..self.hosts {
            self.lend_one(index, self.locals.host(self.states.row(state)[index]));
        }
    }

    fn lend_one(&mut self, index: usize, host: u32) {
        std::mem::swap(&mut self.steps.hosts.lend(host).node, &mut self.nodes[index]);
    }

    fn violated(&mut self, Broken { property, says, nodes, slot }: Broken) {
        self.verdict = Some(Verdict::Violated { property, says, nodes, slot });
    }
}
