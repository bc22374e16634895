//! The search itself: breadth first over all states, with sleep sets, in stages if there are goals.

use super::bounds::{Bounds, Cost, Cut, Cuts, Ledger, Spent, Times};
use super::history::{HistoryVariable, Violation};
use super::intern::Memo;
use super::local_states::{Action, Event, LocalStates, Transition};
use super::lock_step::Turn;
use super::model::{Exercised, Model, Stimulus};
use super::outcomes::{Outcomes, Remembered};
use super::protocol_model::ModelOf;
use super::query::{Goal, Query, Verdict, counts};
use super::states::States;
use super::symmetry::Symmetry;
use crate::core::node::{Protocol, SettingError, Step};
use crate::core::{NodeId, NodeSet, RuleSet};
use serde::{Deserialize, Serialize};
use std::any::Any;

/// A state that reaches the goal of its stage: its row, and how it was reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reached {
    pub row: Vec<u32>,
    pub parent: Parent,
}

/// The state before, or [`NONE`], and the event in it.
pub(super) type Parent = (u32, Event);

/// An exploration in progress: an explicit-state model checker for one small cluster.
#[derive(Debug)]
pub struct Explorer {
    pub(super) bounds: Bounds,
    /// The property to look for.
    property: Option<String>,
    pub(super) via: Vec<Goal>,
    /// Columns of a row before that of the history and that of what was spent: one for each node.
    pub(super) hosts: usize,
    pub(super) outcomes: Outcomes,
    pub(super) locals: LocalStates,
    /// The history that follows on a history and an outcome, unless that violates something.
    pub(super) histories: Memo,
    pub(super) spent: Ledger,
    pub(super) states: States,
    pub(super) symmetry: Option<Symmetry>,
    /// How each state was first reached.
    pub(super) parents: Vec<Parent>,
    /// The next state to expand.
    pub(super) next: u32,
    /// The first state that is one event farther from where its stage began.
    pub(super) level_end: u32,
    /// The states of this level, up to there, and those of the next that were found so far.
    pub(super) level: Vec<Pending>,
    pub(super) next_level: Vec<Pending>,
    pub(super) depth: u32,
    /// Goals reached so far.
    pub(super) stage: usize,
    /// States of this level that reach the next one.
    pub(super) reached: Vec<Reached>,
    pub(super) cuts: Cuts,
    pub(super) verdict: Option<Verdict>,
    /// The last event of the violating trace, and the state in which it happens.
    pub(super) last: Option<Parent>,
    /// Whether the protocol has invariants that count in this stage.
    invariants: bool,
    /// The hosts of the state whose invariants were checked last, that state's parent, and the place in which the two differ.
    checked: Vec<u32>,
    checked_from: (u32, usize),
    /// The rows of a batch, each followed by those it leads to in which more than one column changes.
    pub(super) rows: Vec<u32>,
    successors: Vec<Successor>,
    violations: Vec<Violation>,
}

/// What is to be known of a state until it was expanded.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    hash: u64,
    /// The sleep set: nodes (a bit each) whose silent transitions lead nowhere that is not found anyway; see [`Explorer::sleep_set`].
    sleep: u64,
}

/// What a transition leads to from one state.
#[derive(Clone, Copy, Debug)]
struct Successor {
    hash: u64,
    from: u32,
    /// Where its row begins, or one like it but for the node's local state; [`NONE`] if it leads to nothing new.
    to: u32,
    /// The node's local state afterwards.
    after: u32,
    /// The place of the transition.
    place: u32,
    /// What it violates, counted from 1 among those of the batch; 0 for nothing.
    violation: u32,
    /// The column of the node.
    index: u8,
    /// Whether only the node's local state changes.
    silent: bool,
}

/// No state, no row.
pub(super) const NONE: u32 = u32::MAX;

/// States expanded together.
const BATCH: u32 = 32;

/// How many columns a row has beside those of the nodes: the history, and what was spent.
const EXTRA: usize = 2;

impl Explorer {
    /// Boots a cluster of `P`, with the history variable `H`. The error names a setting and what would do.
    pub fn new<P: Protocol, H: HistoryVariable<P>>(query: &Query) -> Result<Explorer, SettingError> {
        let mut bounds = query.bounds.clone();
        bounds.requests.truncate(usize::from(Bounds::REQUESTS));
        bounds.orders.truncate(usize::from(Bounds::REQUESTS));
        let model = ModelOf::<P, H>::new(&query.setup, &bounds)?;
        Ok(Explorer::start(query, bounds, Box::new(model)))
    }

    fn start(query: &Query, bounds: Bounds, model: Box<dyn Model>) -> Explorer {
        let Query { setup, property, via, .. } = query;
        let hosts = model.replicas();
        let symmetry = bounds.symmetry.then(|| Symmetry::of(model.as_ref(), setup, &bounds, via)).flatten();
        let mut explorer = Explorer {
            property: property.clone(),
            via: via.clone(),
            hosts,
            outcomes: Outcomes::new(model, &bounds),
            locals: LocalStates::new(&bounds),
            histories: Memo::default(),
            spent: Ledger::default(),
            states: States::new(hosts + EXTRA),
            symmetry,
            parents: Vec::new(),
            next: 0,
            level_end: 0,
            level: Vec::new(),
            next_level: Vec::new(),
            depth: 0,
            stage: 0,
            reached: Vec::new(),
            cuts: Cuts::default(),
            verdict: None,
            last: None,
            invariants: false,
            checked: vec![NONE; hosts],
            checked_from: (NONE, 0),
            rows: Vec::new(),
            successors: Vec::new(),
            violations: Vec::new(),
            bounds,
        };
        explorer.select_invariants();
        explorer.boot(0, &mut Vec::new());
        explorer.level_end = explorer.states.len() as u32;
        explorer
    }

    /// Selects the invariants that count in this stage.
    pub(super) fn select_invariants(&mut self) {
        let Explorer { outcomes, property, via, stage, .. } = self;
        self.invariants = outcomes.model.select_invariants(&|name| counts(property.as_deref(), via, *stage, name));
    }

    /// Puts in the first state: all nodes booted, one after the other. If they draw coins, there are several.
    fn boot(&mut self, me: u8, boots: &mut Vec<u32>) {
        if usize::from(me) == self.hosts {
            return self.put_booted(boots);
        }
        let host = self.outcomes.empty_host(NodeId(me));
        for boot in self.outcomes.of(host, Stimulus::Boot) {
            if !self.outcomes.get(boot).crashes() && self.verdict.is_none() {
                boots.push(boot);
                self.boot(me + 1, boots);
                boots.pop();
            }
        }
    }

    fn put_booted(&mut self, boots: &[u32]) {
        let mut history = self.outcomes.model.empty_history();
        let mut violation = None;
        let mut row = vec![0; self.width()];
        for (index, &boot) in boots.iter().enumerate() {
            row[index] = self.locals.put(self.outcomes.get(boot).host, &[]);
            if self.outcomes.get(boot).observed {
                let (after, violates) = self.observe(history, boot);
                history = after;
                violation = violation.or(violates);
            }
        }
        for message in boots.iter().flat_map(|&boot| &self.outcomes.get(boot).sent) {
            let to = usize::from(self.outcomes.endpoints(*message).1.0);
            row[to] = self.locals.after_send(row[to], *message);
        }
        let spent = self.spent.put(Spent::default());
        row[self.hosts..].copy_from_slice(&[history, spent]);
        let hosts: Vec<u32> = row[..self.hosts].iter().map(|&local| self.locals.host(local)).collect();
        for changed in (0..self.hosts as u8).map(NodeId) {
            let step = Step { changed, log_from: Some(1), unaware: NodeSet::EMPTY };
            violation = violation.or_else(|| self.outcomes.model.check(&hosts, step));
        }
        let booted = Event { action: Action::Restart, node: NodeId(0), branch: 0, number: 0 };
        if self.put_first(&row, (NONE, booted)) {
            self.check_goal();
        }
        if let Some(violation) = violation {
            self.verdict = Some(Verdict::Violated(violation));
        }
        self.limit_states();
    }

    /// Puts in a state with which a stage begins; tells whether it is new.
    fn put_first(&mut self, row: &[u32], parent: Parent) -> bool {
        let hash = States::hash(row);
        let new = self.states.put(hash, row);
        if new {
            self.parents.push(parent);
            self.level.push(Pending { hash, sleep: 0 });
        }
        new
    }

    pub(super) fn width(&self) -> usize {
        self.hosts + EXTRA
    }

    /// Expands up to `states` states; tells whether the exploration is over.
    pub fn advance(&mut self, states: u32) -> bool {
        let mut left = states;
        while left > 0 && self.verdict.is_none() {
            left -= self.expand(left.min(BATCH));
        }
        self.verdict.is_some()
    }

    /// Expands the next states, at most so many and all of one level; tells how many.
    ///
    /// First all transitions are found, then what they lead to is looked up: so the looks into memory do not have to wait for each other.
    fn expand(&mut self, most: u32) -> u32 {
        if self.next == self.level_end && !self.begin_level() {
            return most;
        }
        let first = self.next;
        let many = most.min(self.level_end - first);
        let level_start = self.level_end - self.level.len() as u32;
        self.next += many;
        self.successors.clear();
        self.rows.clear();
        self.violations.clear();
        for from in first..first + many {
            let start = self.rows.len();
            self.rows.extend_from_slice(self.states.row(from));
            self.find_successors(from, start, self.level[(from - level_start) as usize]);
        }
        let successors = std::mem::take(&mut self.successors);
        self.states.expect(successors.iter().map(|successor| successor.hash));
        for successor in &successors {
            self.visit(successor);
            if self.verdict.is_some() {
                // What is left of the batch is looked at if it ever goes on; what was found already is found again, and nothing comes of it.
                self.next = first;
                break;
            }
        }
        self.successors = successors;
        many
    }

    /// Finds the successors of a state, whose row begins at `start` of `self.rows`.
    fn find_successors(&mut self, from: u32, start: usize, Pending { hash, sleep }: Pending) {
        let Explorer { rows, locals, outcomes, bounds, successors, .. } = self;
        let first = successors.len();
        let turn = if bounds.lock_step { Turn::of(&rows[start..][..self.hosts], locals, outcomes) } else { Turn::Any };
        for (index, &local) in (0..).zip(&rows[start..][..self.hosts]) {
            let asleep = sleep >> index & 1 == 1;
            let span = locals.transitions(local, bounds, outcomes);
            if asleep && span.all_silent {
                continue;
            }
            let ticks = outcomes.facts(locals.host(local)).ticks;
            for (place, transition) in locals.all(span) {
                let silent = transition.is_silent();
                if !(asleep && silent) && turn.allows(transition.event.action, ticks) {
                    successors.push(Successor {
                        hash: hash.wrapping_add(transition.hash),
                        from,
                        to: start as u32,
                        after: transition.after,
                        place,
                        violation: 0,
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
                self.successors[place] = self.append_row(self.successors[place], start, hash);
            }
        }
    }

    /// Appends the row that a transition leads to, if it leads somewhere new.
    fn append_row(&mut self, successor: Successor, start: usize, hash: u64) -> Successor {
        let (to, index) = (self.rows.len(), usize::from(successor.index));
        self.rows.extend_from_within(start..start + self.width());
        let transition = *self.locals.transition(successor.place);
        let Some((mut hash, violation)) = self.apply(start, to, index, hash, transition) else {
            self.rows.truncate(to);
            return Successor { to: NONE, ..successor };
        };
        if let Some(symmetry) = &mut self.symmetry {
            symmetry.canonicalize(&mut self.rows[to..], &mut self.locals, &mut self.outcomes);
            hash = States::hash(&self.rows[to..]);
        }
        self.violations.extend(violation);
        let violation = if violation.is_some() { self.violations.len() as u32 } else { 0 };
        Successor { hash, to: to as u32, after: self.rows[to + index], violation, ..successor }
    }

    /// The sleep set of the state found last: nodes (a bit each) whose silent transitions lead nowhere that is not found anyway. Silent are those that
    /// send nothing, matter to no history and cost nothing.
    ///
    /// Let `b` be such a transition of node `j`, and `a` the one of node `i` by which the state was found first, from a state `p`. If `a` left
    /// `j`'s local state as it was, then `b` could come first: from `p`, `b` and then `a` lead to the same state in as many steps. So of the two
    /// orders one will do, here the one in which the higher node comes last. (Should `a`, after `b`, be left out as well, that is for the sake of a transition of a node
    /// higher than `i`, and so on: there is a highest.) These are the sleep sets of Godefroid, *Partial-Order Methods for the Verification of
    /// Concurrent Systems* (1996), chapter 5, cut down to what costs nothing to keep. They leave out transitions, never states.
    #[inline]
    fn sleep_set(&self, from: u32, index: usize, silent: bool) -> u64 {
        // In lock-step, what one node does can be what another one waits for.
        if self.symmetry.is_some() || self.bounds.lock_step {
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

    /// Begins the level that is one event farther away, or the next stage; or, without any, it is over.
    fn begin_level(&mut self) -> bool {
        if !self.reached.is_empty() {
            self.begin_stage();
        } else if self.level_end < self.states.len() as u32 {
            self.level_end = self.states.len() as u32;
            std::mem::swap(&mut self.level, &mut self.next_level);
            self.next_level.clear();
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
    fn begin_stage(&mut self) {
        self.stage += 1;
        // What counts as a violation may be another property now.
        self.histories = Memo::default();
        self.select_invariants();
        self.depth = 0;
        self.next = self.states.len() as u32;
        self.level.clear();
        self.next_level.clear();
        for Reached { mut row, parent } in std::mem::take(&mut self.reached) {
            let spent = &mut row[self.hosts + 1];
            let next = self.spent.get(*spent).next_stage();
            *spent = self.spent.put(next);
            if self.put_first(&row, parent) {
                self.check_goal();
            }
        }
        self.level_end = self.states.len() as u32;
    }

    /// Applies a transition of the node with this index to the row at `from` of `self.rows` with this hash: changes the row at `to`, a copy so far.
    /// Gives its hash, and what the transition violates; `None` if it leads nowhere new, or beyond the bounds.
    #[inline]
    pub(super) fn apply(
        &mut self,
        from: usize,
        to: usize,
        index: usize,
        hash: u64,
        transition: Transition,
    ) -> Option<(u64, Option<Violation>)> {
        let (mut hash, mut violation) = (hash.wrapping_add(transition.hash), None);
        self.rows[to + index] = transition.after;
        if transition.cost.is_some() || transition.crashes {
            let mut spent = self.rows[from + self.hosts + 1];
            let crash = if transition.crashes { [Some(Cost::Partial), Some(Cost::Crashes)] } else { [None; 2] };
            for cost in transition.cost.into_iter().chain(crash.into_iter().flatten()) {
                let Some(after) = self.spent.spend(spent, cost, &self.bounds) else {
                    self.cuts.add_all(cost.cut());
                    return None;
                };
                spent = after;
            }
            self.change(to, self.hosts + 1, spent, &mut hash);
        }
        if transition.visible && transition.outcome != Transition::NO_OUTCOME {
            let number = transition.outcome;
            let mut changed = transition.moved;
            for place in 0..self.outcomes.get(number).sent.len() {
                let message = self.outcomes.get(number).sent[place];
                let receiver = usize::from(self.outcomes.endpoints(message).1.0);
                let after = self.locals.after_send(self.rows[to + receiver], message);
                changed |= self.change(to, receiver, after, &mut hash);
            }
            if self.outcomes.get(number).observed {
                let (after, violates) = self.observe(self.rows[to + self.hosts], number);
                violation = violates;
                changed |= self.change(to, self.hosts, after, &mut hash) || violation.is_some();
            }
            if !changed {
                return None;
            }
            if self.bounds.messages < u16::MAX && self.in_flight(to) > u32::from(self.bounds.messages) {
                self.cuts.add(Cut::Messages);
                return None;
            }
        }
        Some((hash, violation))
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

    /// Messages in flight in the row at `to`.
    #[inline]
    fn in_flight(&self, to: usize) -> u32 {
        let row = &self.rows[to..][..self.hosts];
        row.iter().map(|&local| u32::from(self.locals.in_flight[local as usize])).sum()
    }

    /// Enters a successor, if it is new, and checks it.
    #[inline]
    fn visit(&mut self, successor: &Successor) {
        let &Successor { hash, from, to, after, place, violation, index, silent } = successor;
        if to == NONE {
            return;
        }
        let mut violation = violation.checked_sub(1).map(|place| self.violations[place as usize]);
        if let Some(violation) = violation
            && !self.is_goal(&violation)
        {
            self.last = Some((from, self.locals.transition(place).event));
            self.verdict = Some(Verdict::Violated(violation));
            return;
        }
        let row = &mut self.rows[to as usize..][..self.hosts + EXTRA];
        let before = std::mem::replace(&mut row[usize::from(index)], after);
        let new = self.states.put(hash, row);
        row[usize::from(index)] = before;
        if !new {
            return;
        }
        let &Transition { event, outcome, moved, .. } = self.locals.transition(place);
        self.parents.push((from, event));
        self.next_level.push(Pending { hash, sleep: self.sleep_set(from, usize::from(index), silent) });
        if moved && self.invariants {
            violation = violation.or(self.check(from, usize::from(index), outcome));
        }
        match violation {
            Some(violation) if self.is_goal(&violation) => {
                let row = self.states.row(self.states.len() as u32 - 1).to_vec();
                self.reached.push(Reached { row, parent: (from, event) });
            }
            Some(violation) => {
                self.last = Some((from, event));
                self.verdict = Some(Verdict::Violated(violation));
                return;
            }
            None => self.check_goal(),
        }
        self.limit_states();
    }

    /// Takes note if the state found last reaches the goal of this stage.
    #[inline]
    fn check_goal(&mut self) {
        if self.stage < self.via.len() {
            self.note_goal();
        }
    }

    fn note_goal(&mut self) {
        let state = self.states.len() - 1;
        let row = self.states.row(state as u32);
        let hosts: Vec<u32> = row[..self.hosts].iter().map(|&local| self.locals.host(local)).collect();
        if self.via[self.stage].is_reached(&hosts, row[self.hosts], &self.outcomes) {
            self.reached.push(Reached { row: row.to_vec(), parent: self.parents[state] });
        }
    }

    pub(super) fn limit_states(&mut self) {
        if self.verdict.is_none() && self.states.len() > self.bounds.states as usize {
            self.verdict = Some(Verdict::Undecided);
        }
    }

    /// Checks the protocol's invariants in what an outcome at the node with this index leads to from a state.
    #[inline]
    fn check(&mut self, from: u32, index: usize, outcome: u32) -> Option<Violation> {
        if self.checked_from != (from, index) {
            let (before, place) = std::mem::replace(&mut self.checked_from, (from, index));
            let others = if before == from { place..place + 1 } else { 0..self.hosts };
            let row = self.states.row(from);
            others.for_each(|other| self.checked[other] = self.locals.host(row[other]));
        }
        let outcome = self.outcomes.get(outcome);
        self.checked[index] = outcome.host;
        let step = Step { changed: NodeId(index as u8), log_from: outcome.log_from, unaware: NodeSet::EMPTY };
        self.outcomes.model.check(&self.checked, step)
    }

    /// Whether this violation is what the stage is to reach.
    fn is_goal(&self, violation: &Violation) -> bool {
        self.via.get(self.stage).is_some_and(|goal| goal.names(violation.property))
    }

    /// The history after an outcome, and what that violates.
    pub(super) fn observe(&mut self, history: u32, outcome: u32) -> (u32, Option<Violation>) {
        let key = u64::from(history) << 32 | u64::from(outcome);
        if let Some(after) = self.histories.get(key) {
            return (after, None);
        }
        let Explorer { outcomes, property, via, stage, .. } = self;
        outcomes.remembered.push(Remembered::Observed(history, outcome));
        let outcome = outcomes.get(outcome).clone();
        let (after, violations) = outcomes.model.observe(history, &outcome);
        // What is not promised is looked for only by name.
        let named = |name| property.is_some() || via.iter().any(|goal| goal.names(name));
        let promised = |name| named(name) || outcomes.model.promises(name);
        let wanted = |name| counts(property.as_deref(), via, *stage, name) && promised(name);
        let violation = violations.into_iter().find(|violation| wanted(violation.property));
        if violation.is_none() {
            self.histories.set(key, after);
        }
        (after, violation)
    }

    /// Whether a property is promised under the settings explored.
    pub fn promises(&self, property: &str) -> bool {
        self.outcomes.model.promises(property)
    }

    /// How it ended, once it is over. A violation is as the last event shows it; see [`violation`](Explorer::violation).
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Different states found so far.
    pub fn states(&self) -> u32 {
        self.states.len() as u32
    }

    /// Events from the start of the stage to the states that were visited last.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Goals reached so far.
    pub fn stage(&self) -> usize {
        self.stage
    }

    /// The bounds that kept it from going further.
    pub fn cuts(&self) -> Cuts {
        let mut cuts = self.cuts.or(self.locals.cuts);
        cuts.add_all(self.outcomes.cuts(&self.bounds));
        match self.bounds.duplicates {
            // What arrives again for ever need not be there twice.
            Times::Any => cuts.without(Cut::Copies),
            Times::Most(_) => cuts,
        }
    }

    /// What the events handled so far gave the properties to look at.
    pub fn exercised(&self) -> Exercised {
        self.outcomes.model.exercised()
    }

    /// The rules applied at least once.
    pub fn rules_used(&self) -> RuleSet {
        self.outcomes.used
    }

    /// The nodes of a state found so far, if they are of type `N`; a crashed one is `None`. States are numbered from 0, the start.
    pub fn nodes<N: Any>(&self, state: u32) -> Vec<Option<&N>> {
        let node = |&local: &u32| self.outcomes.model.node(self.locals.host(local))?.downcast_ref();
        self.states.row(state)[..self.hosts].iter().map(node).collect()
    }
}
