//! What can be asked of an exploration.

use super::bounds::{Cut, Cuts, Times};
use super::locals::Event;
use super::past::Memory;
use super::steps::{Envelope, N, Steps, Stimulus};
use super::trace::{Happened, Moment};
use super::{Explorer, Protocol, Verdict};
use crate::core::{Effect, RuleSet};
use crate::judge::safety::AGREEMENT;

impl<P: Protocol, M: Memory<P>> Explorer<P, M> {
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

    /// Events from the start of the stage to the states that were visited last.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Goals reached so far.
    pub fn stage(&self) -> usize {
        self.stage
    }

    /// Different states of a single node found so far.
    pub fn node_states(&self) -> u32 {
        self.steps.hosts.len() as u32
    }

    /// The bounds that kept it from going further.
    pub fn cuts(&self) -> Cuts {
        let mut cuts = self.cuts.or(self.locals.cuts);
        cuts.add_all(self.steps.told_itself.then_some(Cut::Own));
        cuts.add_all(self.steps.lost_some.then_some(Cut::Lost));
        match self.bounds.duplicates {
            // What arrives again for ever need not be there twice.
            Times::Any => cuts.without(Cut::Copies),
            Times::Most(_) => cuts,
        }
    }

    /// The rules applied at least once.
    pub fn rules_used(&self) -> RuleSet {
        self.steps.used
    }

    /// The nodes of a state found so far; a crashed one is `None`. States are numbered from 0, the start.
    pub fn nodes(&self, state: u32) -> Vec<Option<&N<P>>> {
        let node = |&local: &u32| self.steps.hosts.get(self.locals.host(local)).node.as_ref();
        self.states.row(state)[..self.hosts].iter().map(node).collect()
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
        self.retell(&path)
    }

    /// A broken agreement takes two: adds those who decided otherwise before.
    pub(super) fn name_deciders(&mut self) {
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

    /// What happened event by event, under the names that the nodes have at the start.
    fn retell(&mut self, path: &[(u32, Event)]) -> Vec<Moment<P>> {
        let Some(&(start, _)) = path.first() else { return Vec::new() };
        let mut row = self.states.row(start).to_vec();
        let mut moments = Vec::new();
        for (place, &(state, event)) in path.iter().enumerate() {
            // With symmetry, this state stands for others, the one at hand among them; the event must get its names.
            let event = self.under_names_of(&row, state, event);
            let mut moment = self.moment(&row, event);
            if let Some(&(next, _)) = path.get(place + 1) {
                let stages = [state, next].map(|state| self.stage_of(state));
                moment.goal = (stages[0] < stages[1]).then_some(stages[0]);
                row = self.after(&row, event);
                row[self.hosts + 1] = self.states.row(next)[self.hosts + 1];
            }
            moments.push(moment);
        }
        moments
    }

    /// The row after an event.
    fn after(&mut self, row: &[u32], event: Event) -> Vec<u32> {
        let index = usize::from(event.node(&self.steps).0);
        let ways = self.locals.ways(row[index], &self.bounds, &mut self.steps);
        let way = self.locals.all(ways).map(|(_, way)| *way).find(|way| way.event == event);
        let Some(way) = way else { return row.to_vec() };
        self.rows.clear();
        self.rows.extend_from_slice(row);
        self.rows.extend_from_slice(row);
        self.take(0, row.len(), index, 0, way);
        self.rows.split_off(row.len())
    }

    fn stage_of(&self, state: u32) -> usize {
        self.spent.get(self.states.row(state)[self.hosts + 1]).stage()
    }

    /// What an event does in a state.
    fn moment(&mut self, row: &[u32], event: Event) -> Moment<P> {
        let message = |message: u32, steps: &Steps<P>| -> Envelope<P> { steps.messages.get(message).clone() };
        let (node, happened, stimulus) = match event {
            Event::Deliver(number) | Event::Duplicate(number) => {
                let (from, to, message) = message(number, &self.steps);
                let again = matches!(event, Event::Duplicate(_)) && self.bounds.duplicates != Times::Any;
                (to, Happened::Arrived { from, message, again }, Some(Stimulus::Message(number)))
            }
            Event::Lose(number) => {
                let (from, to, message) = message(number, &self.steps);
                (to, Happened::Lost { from, message }, None)
            }
            Event::Fire(node, number) => {
                (node, Happened::Fired(self.steps.timer(number)), Some(Stimulus::Timer(number)))
            }
            Event::Ask(node, index) => {
                let command = self.bounds.requests[usize::from(index)].command;
                (node, Happened::Asked(command), Some(Stimulus::Request(u32::from(index))))
            }
            Event::Order(node, index) => {
                let order = self.bounds.orders[usize::from(index)];
                (node, Happened::Ordered(order), Some(Stimulus::Order(u32::from(index))))
            }
            Event::Crash(node) => (node, Happened::Crashed, Some(Stimulus::Crash)),
            Event::Restart(node) => (node, Happened::Restarted, Some(Stimulus::Boot)),
        };
        let host = self.locals.host(row[usize::from(node.0)]);
        let after = stimulus.map_or(host, |stimulus| {
            let outcome = self.steps.step(host, stimulus);
            self.steps.outcome(outcome).host
        });
        let (said, rules) = stimulus.map_or_else(Default::default, |stimulus| self.steps.listen(host, stimulus));
        let status = |host| self.steps.hosts.get(host).node.as_ref().map(crate::core::Node::status);
        Moment { node, event: happened, said, rules, before: status(host), after: status(after), goal: None }
    }
}
