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

mod borrow;
mod bounds;
mod goal;
mod history;
mod intern;
mod locals;
mod past;
mod states;
mod steps;
mod successors;
mod symmetry;
mod table;
mod trace;

pub use bounds::{Bounds, Cut, Cuts, Request, Times};
pub use goal::Goal;
pub use past::{Broken, Memory, Past, Seen};
pub use trace::{Happened, Moment};

use crate::core::node::{Invariant, Protocol, SettingError, Setup, Step};
use crate::core::{NodeId, NodeSet, Slot};
use borrow::NOBODY;
use bounds::{Of, Spent};
use intern::Interner;
use locals::{Event, Locals, Way};
use states::States;
use steps::{N, Steps, Stimulus};
use symmetry::Symmetry;
use table::Memo;

/// What to explore.
#[derive(Clone, Debug)]
pub struct Query {
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
    /// Within the bounds, no state reaches the goal with this place in [`Query::via`].
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
    /// The property to look for, and the invariants that count in this stage.
    property: Option<String>,
    looked_at: Vec<&'static Invariant<N<P>>>,
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
    /// The states of this level, up to there, and those of the next that were found so far.
    level: Vec<Ahead>,
    ahead: Vec<Ahead>,
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
    /// The hosts that lent them, or [`NOBODY`].
    lenders: Vec<u32>,
    /// The state whose nodes these are, but for the one in this place.
    borrowed: (u32, usize),
    /// The rows at hand, each followed by those it leads to in which more changes than one number.
    rows: Vec<u32>,
    successors: Vec<Successor>,
    broken: Vec<Broken>,
}

/// What is to be known of a state until it was gone on from.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    hash: u64,
    /// Nodes (a bit each) whose silent steps lead nowhere that is not found anyway; see [`Explorer::asleep`].
    asleep: u64,
}

/// What a way leads to.
#[derive(Clone, Copy, Debug)]
struct Successor {
    hash: u64,
    from: u32,
    /// Where its row begins, or one like it but for what lies with the node; [`NOWHERE`] if it leads to nothing new.
    to: u32,
    /// What lies with the node afterwards.
    after: u32,
    /// The place of the way.
    place: u32,
    /// What breaks, counted from 1 among those of the batch; 0 for nothing.
    broken: u32,
    /// Which node.
    index: u8,
    /// Whether nothing changes but what lies with that node.
    silent: bool,
}

/// No row.
const NOWHERE: u32 = u32::MAX;

/// States gone on from together.
const TOGETHER: u32 = 32;

/// How many numbers a state has beside those of its nodes: memory, and what was spent.
const BESIDE: usize = 2;

impl<P: Protocol, M: Memory<P>> Explorer<P, M> {
    /// Boots the cluster. The error names a setting and what would do.
    pub fn new(query: &Query) -> Result<Explorer<P, M>, SettingError> {
        let Query { setup, bounds, property, via } = query;
        let mut configs = P::cluster(setup)?;
        let members = configs.len() as u8;
        configs.extend((0..bounds.newcomers).filter_map(|number| P::newcomer(setup, NodeId(members + number))));
        let hosts = configs.len();
        let mut bounds = bounds.clone();
        bounds.requests.truncate(usize::from(Bounds::REQUESTS));
        bounds.orders.truncate(usize::from(Bounds::REQUESTS));
        let symmetry = bounds.symmetry.then(|| Symmetry::of(setup, &bounds, via)).flatten();
        let mut explorer = Explorer {
            property: property.clone(),
            looked_at: Vec::new(),
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
            level: Vec::new(),
            ahead: Vec::new(),
            depth: 0,
            stage: 0,
            reached: Vec::new(),
            cuts: Cuts::default(),
            verdict: None,
            last: None,
            nodes: vec![None; hosts],
            lenders: vec![NOBODY; hosts],
            borrowed: (NOBODY, 0),
            rows: Vec::new(),
            successors: Vec::new(),
            broken: Vec::new(),
            bounds,
        };
        explorer.look_at();
        explorer.start();
        Ok(explorer)
    }

    /// Finds out which invariants count in this stage.
    fn look_at(&mut self) {
        let invariants = P::invariants().iter();
        self.looked_at = invariants.filter(|invariant| self.asked_for(invariant.name)).collect();
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
        (0..self.hosts).for_each(|index| self.borrow(index, self.locals.host(row[index])));
        for me in (0..self.hosts as u8).map(NodeId) {
            broken = broken.or(self.look(Step { changed: me, log_from: Some(1), unaware: NodeSet::EMPTY }));
        }
        self.take_back();
        self.put_first(&row, (0, Event::Lose(0)));
        self.level_end = 1;
        self.reach();
        if let Some(broken) = broken {
            self.violated(broken);
        }
    }

    /// Puts in a state from which a stage begins; tells whether it is new.
    fn put_first(&mut self, row: &[u32], parent: (u32, Event)) -> bool {
        let hash = States::hash(row);
        let new = self.states.put(hash, row);
        if new {
            self.parents.push(parent);
            self.level.push(Ahead { hash, asleep: 0 });
        }
        new
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
        let level_start = self.level_end - self.level.len() as u32;
        self.next += many;
        self.successors.clear();
        self.rows.clear();
        self.broken.clear();
        for from in first..first + many {
            let start = self.rows.len();
            self.rows.extend_from_slice(self.states.row(from));
            self.find(from, start, self.level[(from - level_start) as usize]);
        }
        let successors = std::mem::take(&mut self.successors);
        self.states.expect(successors.iter().map(|successors| successors.hash));
        for successors in &successors {
            self.arrive(successors);
            if self.verdict.is_some() {
                break;
            }
        }
        self.take_back();
        self.successors = successors;
        self.name_deciders();
        many
    }

    /// Finds the ways on from a state, whose row begins at `start` of `self.rows`.
    fn find(&mut self, from: u32, start: usize, Ahead { hash, asleep }: Ahead) {
        let Explorer { rows, locals, steps, bounds, successors, .. } = self;
        let first = successors.len();
        for (index, &local) in (0..).zip(&rows[start..][..self.hosts]) {
            let left_to_others = asleep >> index & 1 == 1;
            let ways = locals.ways(local, bounds, steps);
            if left_to_others && ways.all_silent {
                continue;
            }
            for (place, way) in locals.all(ways) {
                let silent = way.is_silent();
                if !(left_to_others && silent) {
                    let hash = hash.wrapping_add(way.hash);
                    successors.push(Successor {
                        hash,
                        from,
                        to: start as u32,
                        after: way.after,
                        place,
                        broken: 0,
                        index,
                        silent,
                    });
                }
            }
            if self.depth >= bounds.depth && successors.len() > first {
                successors.truncate(first);
                return self.cuts.add(Cut::Depth);
            }
        }
        for place in first..self.successors.len() {
            if !self.successors[place].silent || self.symmetry.is_some() {
                self.successors[place] = self.find_row(self.successors[place], start, hash);
            }
        }
    }

    /// Appends the row that a way leads to, if it leads somewhere new.
    fn find_row(&mut self, successors: Successor, start: usize, hash: u64) -> Successor {
        let (to, index) = (self.rows.len(), usize::from(successors.index));
        self.rows.extend_from_within(start..start + self.width());
        let Some((mut hash, breaks)) = self.take(start, to, index, hash, *self.locals.way(successors.place)) else {
            self.rows.truncate(to);
            return Successor { to: NOWHERE, ..successors };
        };
        if self.symmetry.is_some() {
            hash = self.canonical(to);
        }
        self.broken.extend(breaks);
        let broken = if breaks.is_some() { self.broken.len() as u32 } else { 0 };
        Successor { hash, to: to as u32, after: self.rows[to + index], broken, ..successors }
    }

    /// Nodes (a bit each) whose silent steps from the state found last lead nowhere that is not found anyway, if the steps tell nobody, are
    /// not remembered and cost nothing.
    ///
    /// Let `b` be such a step of node `j`, and `a` the step of node `i` by which the state was found first, from a state `p`. If `a` left
    /// alone what lies with `j`, then `b` could come first: from `p`, `b` and then `a` lead to the same state in as many steps. So of the two
    /// orders one will do, here the one in which the higher node comes last. (Should `a`, after `b`, be left out as well, that is for the sake of a step of a node higher
    /// than `i`, and so on: there is a highest.) These are the sleep sets of Godefroid, *Partial-Order Methods for the Verification of
    /// Concurrent Systems* (1996), chapter 5, cut down to what costs nothing to keep. They leave out steps, never states.
    #[inline]
    fn asleep(&self, from: u32, index: usize, silent: bool) -> u64 {
        if self.symmetry.is_some() {
            return 0;
        }
        let lower = (1 << index) - 1;
        if silent {
            return lower;
        }
        let (before, now) = (self.states.row(from), self.states.row(self.states.len() as u32 - 1));
        let differ = |(set, bit), (before, now): (&u32, &u32)| (set | u64::from(before != now) << bit, bit + 1);
        let (changed, _) = before[..index].iter().zip(now).fold((0, 0), differ);
        lower & !changed
    }

    /// Moves on to the states that are one event farther away, or to the next stage; or, without any, it is over.
    fn next_level(&mut self) -> bool {
        if !self.reached.is_empty() {
            self.next_stage();
        } else if self.level_end < self.states.len() as u32 {
            self.level_end = self.states.len() as u32;
            std::mem::swap(&mut self.level, &mut self.ahead);
            self.ahead.clear();
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
        self.look_at();
        self.depth = 0;
        self.next = self.states.len() as u32;
        self.level.clear();
        self.ahead.clear();
        for Reached { mut row, parent } in std::mem::take(&mut self.reached) {
            let spent = &mut row[self.hosts + 1];
            let next = self.spent.get(*spent).next_stage();
            *spent = self.spent.put(next);
            if self.put_first(&row, parent) {
                self.reach();
            }
        }
        self.level_end = self.states.len() as u32;
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
            let mut update = way.moved;
            for place in 0..self.steps.outcome(number).sent.len() {
                let message = self.steps.outcome(number).sent[place];
                let receiver = usize::from(self.steps.ends(message).1.0);
                let after = self.locals.with(self.rows[to + receiver], message);
                update |= self.change(to, receiver, after, &mut hash);
            }
            if self.steps.outcome(number).noted {
                let (after, breaks) = self.remember(self.rows[to + self.hosts], number);
                broken = breaks;
                update |= self.change(to, self.hosts, after, &mut hash) || broken.is_some();
            }
            if !update {
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
    fn arrive(&mut self, successors: &Successor) {
        let &Successor { hash, from, to, after, place, broken, index, silent } = successors;
        if to == NOWHERE {
            return;
        }
        let mut broken = broken.checked_sub(1).map(|place| self.broken[place as usize]);
        if let Some(broken) = broken
            && !self.is_goal(&broken)
        {
            self.last = Some((from, self.locals.way(place).event));
            return self.violated(broken);
        }
        let row = &mut self.rows[to as usize..][..self.hosts + BESIDE];
        let before = std::mem::replace(&mut row[usize::from(index)], after);
        let new = self.states.put(hash, row);
        row[usize::from(index)] = before;
        if !new {
            return;
        }
        let &Way { event, outcome, moved, .. } = self.locals.way(place);
        self.parents.push((from, event));
        self.ahead.push(Ahead { hash, asleep: self.asleep(from, usize::from(index), silent) });
        if let Some(number) = outcome
            && moved
            && !self.looked_at.is_empty()
        {
            let outcome = self.steps.outcome(number);
            let (host, log_from) = (outcome.host, outcome.log_from);
            self.borrow_after(from, usize::from(index), host);
            broken = broken.or(self.look(Step { changed: NodeId(index), log_from, unaware: NodeSet::EMPTY }));
        }
        match broken {
            Some(broken) if self.is_goal(&broken) => {
                let row = self.states.row(self.states.len() as u32 - 1).to_vec();
                self.reached.push(Reached { row, parent: (from, event) });
            }
            Some(broken) => {
                self.last = Some((from, event));
                return self.violated(broken);
            }
            None => self.reach(),
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

    /// Whether violations of this property count. One that was a goal has been reached, and will be again and again.
    fn asked_for(&self, property: &str) -> bool {
        let was_goal = |goal: &Goal| matches!(goal, Goal::Violated(goal) if goal == property);
        let wanted = self.property.as_ref().is_none_or(|wanted| wanted == property);
        match self.via.get(self.stage) {
            Some(goal) if was_goal(goal) => true,
            _ => wanted && !self.via[..self.stage].iter().any(was_goal),
        }
    }

    fn violated(&mut self, Broken { property, says, nodes, slot }: Broken) {
        self.verdict = Some(Verdict::Violated { property, says, nodes, slot });
    }
}
