//! Exhaustive exploration: every run of a small cluster within given bounds.
//!
//! A state is a row of numbers: one for each host (its node, its disk, its timers), one for the set of messages under way, one for what
//! the judges remember ([`ghost`]), and two for what was spent of the [`Bounds`]. Whatever a number stands for is kept once
//! ([`intern`]), and what an event does to a host is computed once, however many states the two meet in ([`steps`]).
//!
//! States are visited breadth first, so the first violation found is one with the fewest events. Events are the deliveries, timers,
//! requests, losses, crashes and restarts; what a node sends while it handles one belongs to that event.
//!
//! Two things are left out because they add nothing. An event that changes no node and sends nothing new is not taken: without it
//! the same message, timer or request is still there, and everything that could happen after it can happen anyway. A message need
//! not get lost: it can stay under way for ever.

mod bounds;
mod ghost;
mod intern;
mod steps;
mod trace;

pub use bounds::{Bounds, Cut, Cuts, Request, Times};
pub use trace::{Happened, Moment};

use super::watch::{AGREEMENT, ORDER};
use crate::core::node::{Breach, Invariant, Protocol, Setup, Step, Unfit};
use crate::core::{Effect, NodeId, NodeSet, RuleSet, Slot};
use bounds::{Of, Spent};
use ghost::{Broken, Ghost};
use intern::{Interner, Lists};
use steps::{N, Steps, Stimulus};

/// What to explore.
#[derive(Clone, Debug)]
pub struct Question {
    /// The cluster.
    pub setup: Setup,
    /// How far to go.
    pub bounds: Bounds,
    /// Look for violations of this property only; `None`: of any.
    pub property: Option<String>,
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
}

/// Something that can happen in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// A message arrives.
    Deliver(u32),
    /// A message arrives and stays under way.
    Duplicate(u32),
    /// A message gets lost.
    Lose(u32),
    /// A timer of a node fires.
    Fire(NodeId, u32),
    /// A client asks a node.
    Ask(NodeId, u8),
    /// A node crashes.
    Crash(NodeId),
    /// A node restarts.
    Restart(NodeId),
}

/// A way to go on from a state.
#[derive(Clone, Copy, Debug)]
struct Branch {
    event: Event,
    node: NodeId,
    /// The number of the outcome; `None` if no node takes part.
    outcome: Option<u32>,
    spent: Spent,
}

/// An exploration under way.
#[derive(Debug)]
pub struct Explorer<P: Protocol> {
    bounds: Bounds,
    property: Option<String>,
    replicas: usize,
    steps: Steps<P>,
    /// Sets of messages under way, sorted.
    nets: Lists,
    ghosts: Interner<Ghost>,
    /// Hosts, net, ghost, spent.
    states: Lists,
    /// How each state was first reached.
    parents: Vec<(u32, Event)>,
    /// The next state to go on from.
    next: u32,
    /// The first state that is one event farther from the start.
    level_end: u32,
    depth: u32,
    cuts: Cuts,
    verdict: Option<Verdict>,
    /// The last event of the violating trace, and the state in which it happens.
    last: Option<(u32, Event)>,
    /// The nodes of one state, lent by their hosts while invariants look at them.
    nodes: Vec<Option<N<P>>>,
    branches: Vec<Branch>,
    net: Vec<u32>,
}

/// How many numbers a state has beside those of its hosts: net, ghost, and what was spent in two halves.
const BESIDE: usize = 4;

impl<P: Protocol> Explorer<P> {
    /// Boots the cluster. The error names a setting and what would do.
    pub fn new(question: &Question) -> Result<Explorer<P>, Unfit> {
        let Question { setup, bounds, property } = question;
        let configs = P::cluster(setup)?;
        let replicas = configs.len();
        let mut bounds = bounds.clone();
        bounds.requests.truncate(usize::from(Bounds::REQUESTS));
        let steps = Steps::new(configs, &bounds, setup.ablated);
        let mut explorer = Explorer {
            bounds,
            property: property.clone(),
            replicas,
            steps,
            nets: Lists::default(),
            ghosts: Interner::default(),
            states: Lists::default(),
            parents: Vec::new(),
            next: 0,
            level_end: 1,
            depth: 0,
            cuts: Cuts::default(),
            verdict: None,
            last: None,
            nodes: vec![None; replicas],
            branches: Vec::new(),
            net: Vec::new(),
        };
        explorer.start();
        Ok(explorer)
    }

    /// The first state: all nodes booted, one after the other.
    fn start(&mut self) {
        let mut row = Vec::new();
        let mut ghost = Ghost::default();
        let mut broken = None;
        self.net.clear();
        for me in (0..self.replicas as u8).map(NodeId) {
            let machine = self.steps.new_machine(me);
            let boot = self.steps.step(machine, Stimulus::Boot);
            let outcome = self.steps.outcome(boot);
            row.push(outcome.host);
            for &message in &outcome.sent {
                add(&mut self.net, message, self.bounds.copies);
            }
            broken = broken.or(self.remember(me, boot, &mut ghost));
        }
        row.push(self.nets.put(&self.net).0);
        row.push(self.ghosts.put(ghost));
        row.extend([0, 0]);
        self.states.put(&row);
        self.parents.push((0, Event::Lose(0)));
        self.lend(&row);
        for me in (0..self.replicas as u8).map(NodeId) {
            broken = broken.or(self.look(Step { changed: me, log_from: Some(1) }));
        }
        self.lend(&row);
        if let Some(broken) = broken {
            self.violated(broken);
        }
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
        if self.next == self.level_end && self.level_end < self.states.len() as u32 {
            self.level_end = self.states.len() as u32;
            self.depth += 1;
        }
        if self.next as usize == self.states.len() {
            self.verdict = Some(Verdict::Safe);
            return;
        }
        let from = self.next;
        self.next += 1;
        let row = self.states.get(from).to_vec();
        self.branch(&row);
        if self.depth >= self.bounds.depth {
            if !self.branches.is_empty() {
                self.cuts.add(Cut::Depth);
            }
            return;
        }
        let branches = std::mem::take(&mut self.branches);
        self.lend(&row);
        for &branch in &branches {
            if self.verdict.is_none() {
                self.take(from, &row, branch);
            }
        }
        self.lend(&row);
        self.branches = branches;
        self.name_deciders();
    }

    /// A broken agreement takes two: adds those who decided otherwise before.
    fn name_deciders(&mut self) {
        let Some(Verdict::Violated { property, nodes, slot: Some(slot), .. }) = self.verdict.clone() else { return };
        if property != AGREEMENT.0 {
            return;
        }
        let decides = |effect: &Effect<_, _>| match effect {
            Effect::Chosen(of, _) | Effect::Applied(of, _) => *of == slot,
            _ => false,
        };
        let deciders = self.trace().into_iter().filter(|moment| moment.said.iter().any(decides));
        let all = deciders.fold(nodes, |nodes, moment| nodes.with(moment.node));
        if let Some(Verdict::Violated { nodes, .. }) = &mut self.verdict {
            *nodes = all;
        }
    }

    /// All that can happen in a state. Outcomes are computed here, while every host has its node.
    fn branch(&mut self, row: &[u32]) {
        let mut branches = std::mem::take(&mut self.branches);
        branches.clear();
        let n = self.replicas;
        let spent = Spent(u64::from(row[n + 2]) << 32 | u64::from(row[n + 3]));
        let for_ever = self.bounds.duplicates == Times::Any;
        let plain = Branch { event: Event::Lose(0), node: NodeId(0), outcome: None, spent };
        let mut before = None;
        for &message in self.nets.get(row[n]) {
            // Of several equal messages any will do.
            if before.replace(message) == Some(message) {
                continue;
            }
            let (from, to, _) = *self.steps.letters.get(message);
            let host = row[usize::from(to.0)];
            if self.steps.hosts.get(host).node.is_some() {
                let outcome = Some(self.steps.step(host, Stimulus::Message(message)));
                let stays = for_ever && from != to;
                let event = if stays { Event::Duplicate(message) } else { Event::Deliver(message) };
                branches.push(Branch { event, node: to, outcome, ..plain });
                if !for_ever && from != to {
                    match spent.one_more(Of::Duplicates, self.bounds.duplicates) {
                        Some(spent) => {
                            let event = Event::Duplicate(message);
                            branches.push(Branch { event, node: to, outcome, spent });
                        }
                        None => self.cuts.add(Cut::Duplicates),
                    }
                }
            }
            if !for_ever && from != to {
                let spent = spent.one_more(Of::Losses, self.bounds.losses);
                branches.extend(spent.map(|spent| Branch { event: Event::Lose(message), node: to, spent, ..plain }));
            }
        }
        for (node, &host) in (0..).map(NodeId).zip(&row[..n]) {
            if self.steps.hosts.get(host).node.is_none() {
                match spent.one_more(Of::Restarts, self.bounds.restarts) {
                    Some(spent) => {
                        let outcome = Some(self.steps.step(host, Stimulus::Boot));
                        branches.push(Branch { event: Event::Restart(node), node, outcome, spent });
                    }
                    None => self.cuts.add(Cut::Restarts),
                }
                continue;
            }
            for place in 0..self.steps.hosts.get(host).timers.len() {
                let timer = self.steps.hosts.get(host).timers[place];
                match spent.one_more(Of::Timers, self.bounds.timers) {
                    Some(spent) => {
                        let outcome = Some(self.steps.step(host, Stimulus::Timer(timer)));
                        branches.push(Branch { event: Event::Fire(node, timer), node, outcome, spent });
                    }
                    None => self.cuts.add(Cut::Timers),
                }
            }
            for index in 0..self.bounds.requests.len() as u8 {
                let here = self.bounds.requests[usize::from(index)].at.has(node);
                if let Some(spent) = spent.ask(index).filter(|_| here) {
                    let outcome = Some(self.steps.step(host, Stimulus::Request(u32::from(index))));
                    branches.push(Branch { event: Event::Ask(node, index), node, outcome, spent });
                }
            }
            match spent.one_more(Of::Crashes, self.bounds.crashes) {
                Some(spent) => {
                    let outcome = Some(self.steps.step(host, Stimulus::Crash));
                    branches.push(Branch { event: Event::Crash(node), node, outcome, spent });
                }
                None => self.cuts.add(Cut::Crashes),
            }
        }
        self.branches = branches;
    }

    /// Takes one way on from a state whose nodes are lent.
    fn take(&mut self, from: u32, row: &[u32], branch: Branch) {
        let n = self.replicas;
        let index = usize::from(branch.node.0);
        self.net.clear();
        self.net.extend_from_slice(self.nets.get(row[n]));
        if let Event::Deliver(message) | Event::Lose(message) = branch.event
            && let Ok(place) = self.net.binary_search(&message)
        {
            self.net.remove(place);
        }
        let mut to: [u32; 64 + BESIDE] = [0; 64 + BESIDE];
        let to = &mut to[..row.len()];
        to.copy_from_slice(row);
        (to[n + 2], to[n + 3]) = ((branch.spent.0 >> 32) as u32, branch.spent.0 as u32);
        let mut log_from = None;
        if let Some(number) = branch.outcome {
            let outcome = self.steps.outcome(number);
            log_from = outcome.log_from;
            let mut news = outcome.host != row[index];
            to[index] = outcome.host;
            for &message in &outcome.sent {
                match add(&mut self.net, message, self.bounds.copies) {
                    true => news = true,
                    // What arrives again for ever need not be there twice.
                    false if self.bounds.duplicates == Times::Any => {}
                    false => self.cuts.add(Cut::Copies),
                }
            }
            let remembers = outcome.learned.is_empty()
                && outcome.disorder.is_none()
                && self.steps.facts[outcome.host as usize].leads == self.steps.facts[row[index] as usize].leads;
            if !remembers {
                let mut ghost = self.ghosts.get(row[n + 1]).clone();
                if let Some(broken) = self.remember(branch.node, number, &mut ghost) {
                    self.last = Some((from, branch.event));
                    return self.violated(broken);
                }
                to[n + 1] = self.ghosts.put(ghost);
                news |= to[n + 1] != row[n + 1];
            }
            if !news {
                return;
            }
            if self.steps.facts[to[index] as usize].epoch > self.bounds.epoch {
                return self.cuts.add(Cut::Epoch);
            }
        }
        if matches!(branch.event, Event::Crash(_)) {
            // What it meant to tell itself is gone.
            let letters = &self.steps.letters;
            let own = |&message: &u32| {
                let (from, to, _) = *letters.get(message);
                from == branch.node && to == branch.node
            };
            self.net.retain(|message| !own(message));
        }
        if self.net.len() > usize::from(self.bounds.messages) {
            return self.cuts.add(Cut::Messages);
        }
        to[n] = self.nets.put(&self.net).0;
        let (_, new) = self.states.put(to);
        if !new {
            return;
        }
        self.parents.push((from, branch.event));
        if branch.outcome.is_some() && to[index] != row[index] {
            self.lend_one(index, to[index]);
            let broken = self.look(Step { changed: branch.node, log_from });
            self.lend_one(index, to[index]);
            if let Some(broken) = broken {
                self.last = Some((from, branch.event));
                return self.violated(broken);
            }
        }
        if self.states.len() > self.bounds.states as usize {
            self.verdict = Some(Verdict::Undecided);
        }
    }

    /// Takes in what a node learned, and whether it leads; tells what that breaks.
    fn remember(&self, node: NodeId, outcome: u32, ghost: &mut Ghost) -> Option<Broken> {
        let outcome = self.steps.outcome(outcome);
        let mut broken = Vec::new();
        for &(slot, command) in &outcome.learned {
            broken.extend(ghost.learn(node, slot, command).err());
        }
        if let Some(slot) = outcome.disorder {
            broken.push(Broken::new(ORDER, NodeSet::just(node), Some(slot)));
        }
        if let Some(epoch) = self.steps.facts[outcome.host as usize].leads {
            broken.extend(ghost.lead(node, epoch).err());
        }
        broken.into_iter().find(|broken| self.asked_for(broken.property))
    }

    /// Looks at the lent nodes with the protocol's own invariants.
    fn look(&self, step: Step) -> Option<Broken> {
        let asked_for = |invariant: &&Invariant<N<P>>| self.asked_for(invariant.name);
        P::invariants().iter().filter(asked_for).find_map(|invariant| {
            let Breach { other, slot } = (invariant.holds)(&self.nodes, step).err()?;
            let nodes = other.into_iter().fold(NodeSet::just(step.changed), NodeSet::with);
            Some(Broken::new((invariant.name, invariant.says), nodes, slot))
        })
    }

    fn asked_for(&self, property: &str) -> bool {
        self.property.as_ref().is_none_or(|wanted| wanted == property)
    }

    /// Lends the nodes of a state to `self.nodes`, or gives them back.
    fn lend(&mut self, row: &[u32]) {
        for (index, &host) in row[..self.replicas].iter().enumerate() {
            self.lend_one(index, host);
        }
    }

    fn lend_one(&mut self, index: usize, host: u32) {
        std::mem::swap(&mut self.steps.hosts.lend(host).node, &mut self.nodes[index]);
    }

    fn violated(&mut self, Broken { property, says, nodes, slot }: Broken) {
        self.verdict = Some(Verdict::Violated { property, says, nodes, slot });
    }

    // What can be asked.

    /// What was found, once it is over.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Different states found so far.
    pub fn states(&self) -> u32 {
        self.states.len() as u32
    }

    /// States from which it has gone on.
    pub fn explored(&self) -> u32 {
        self.next
    }

    /// Events from the start to the states that were visited last.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Different states of a single node found so far.
    pub fn node_states(&self) -> u32 {
        self.steps.hosts.len() as u32
    }

    /// The bounds that kept it from going further.
    pub fn cuts(&self) -> Cuts {
        let mut cuts = self.cuts;
        if self.steps.told_itself {
            cuts.add(Cut::Own);
        }
        if self.steps.lost_some {
            cuts.add(Cut::Lost);
        }
        cuts
    }

    /// The rules applied at least once.
    pub fn rules_used(&self) -> RuleSet {
        self.steps.used
    }

    /// The nodes of a state found so far; a crashed one is `None`. States are numbered from 0, the start.
    pub fn nodes(&self, state: u32) -> Vec<Option<&N<P>>> {
        let row = self.states.get(state);
        row[..self.replicas].iter().map(|&host| self.steps.hosts.get(host).node.as_ref()).collect()
    }

    /// How the violation comes about, in as few events as possible; empty if there is none, or if it is there from the start.
    pub fn trace(&mut self) -> Vec<Moment<P>> {
        let mut path: Vec<(u32, Event)> = self.last.into_iter().collect();
        while let Some(&(state, _)) = path.last()
            && state > 0
        {
            path.push(self.parents[state as usize]);
        }
        path.reverse();
        path.into_iter().map(|(state, event)| self.moment(state, event)).collect()
    }

    fn moment(&mut self, state: u32, event: Event) -> Moment<P> {
        let letter = |message: u32, steps: &Steps<P>| steps.letters.get(message).clone();
        let (node, event, stimulus) = match event {
            Event::Deliver(number) | Event::Duplicate(number) => {
                let (from, to, message) = letter(number, &self.steps);
                let again = matches!(event, Event::Duplicate(_)) && self.bounds.duplicates != Times::Any;
                (to, Happened::Arrived { from, message, again }, Some(Stimulus::Message(number)))
            }
            Event::Lose(number) => {
                let (from, to, message) = letter(number, &self.steps);
                (to, Happened::Lost { from, message }, None)
            }
            Event::Fire(node, number) => {
                (node, Happened::Fired(self.steps.timer(number)), Some(Stimulus::Timer(number)))
            }
            Event::Ask(node, index) => {
                let command = self.bounds.requests[usize::from(index)].command;
                (node, Happened::Asked(command), Some(Stimulus::Request(u32::from(index))))
            }
            Event::Crash(node) => (node, Happened::Crashed, Some(Stimulus::Crash)),
            Event::Restart(node) => (node, Happened::Restarted, Some(Stimulus::Boot)),
        };
        let host = self.states.get(state)[usize::from(node.0)];
        let after = stimulus.map_or(host, |stimulus| {
            let outcome = self.steps.step(host, stimulus);
            self.steps.outcome(outcome).host
        });
        let (said, rules) = stimulus.map_or_else(Default::default, |stimulus| self.steps.listen(host, stimulus));
        let glance = |host| self.steps.hosts.get(host).node.as_ref().map(crate::core::Node::glance);
        Moment { node, event, said, rules, before: glance(host), after: glance(after) }
    }
}

/// Adds a message to those under way, unless there are as many equal ones already; tells whether it did.
fn add(net: &mut Vec<u32>, message: u32, copies: u8) -> bool {
    let place = net.partition_point(|&other| other < message);
    let equal = net[place..].iter().take_while(|&&other| other == message).count();
    let fits = equal < usize::from(copies.max(1));
    if fits {
        net.insert(place, message);
    }
    fits
}
