//! Counterexample traces: how a violation comes about, event by event.

use super::bounds::Times;
use super::explorer::{Explorer, NONE};
use super::history::Violation;
use super::local_states::{Action, Event};
use super::model::{Choices, MessageText, TextEffect, TimerText};
use super::query::Verdict;
use crate::core::{Command, Effect, NodeId, NodeStatus, Order, RuleSet, TimerId};
use crate::judge::safety::AGREEMENT;

/// One event of a trace, and what the node did.
#[derive(Debug)]
pub struct TraceStep {
    /// The node that it happened to.
    pub node: NodeId,
    /// What happened.
    pub event: TraceEvent,
    /// The coins the node drew, in order; heads is `true`.
    pub coins: Vec<bool>,
    /// If the node crashed in the middle of sending: to whom it had sent, message by message.
    pub crashed_sending: Vec<NodeId>,
    /// What the node asked for, in order.
    pub effects: Vec<TextEffect>,
    /// The rules it applied.
    pub rules: RuleSet,
    /// What could be seen of it before; `None` if it was down.
    pub before: Option<NodeStatus>,
    /// What can be seen of it now.
    pub after: Option<NodeStatus>,
    /// The goal that this reaches, by its place in [`Query::via`](super::query::Query::via).
    pub goal: Option<usize>,
}

/// What happened to a node.
#[derive(Debug)]
pub enum TraceEvent {
    /// A message arrived.
    Delivered {
        /// From whom.
        from: NodeId,
        /// What it says.
        message: MessageText,
        /// Whether it arrived for the second time or may yet.
        again: bool,
    },
    /// A message to it got lost.
    Lost {
        /// From whom.
        from: NodeId,
        /// What it says.
        message: MessageText,
    },
    /// A timer fired.
    TimerFired(TimerId, TimerText),
    /// A client asked.
    Requested(Command),
    /// The operator gave an order.
    Ordered(Order),
    /// It crashed.
    Crashed,
    /// It booted from its disk.
    Restarted,
}

impl Explorer {
    /// How the violation comes about, in as few events as possible; empty if there is none, or if it is there from the start.
    pub fn trace(&mut self) -> Vec<TraceStep> {
        let mut path: Vec<(u32, Event)> = self.last.into_iter().collect();
        while let Some(&(state, _)) = path.last()
            && self.parents[state as usize].0 != NONE
        {
            path.push(self.parents[state as usize]);
        }
        path.reverse();
        self.retell(&path)
    }

    /// The violation, if one was found, with all nodes it takes: a violated agreement takes those who decided otherwise before.
    pub fn violation(&mut self) -> Option<Violation> {
        let Some(&Verdict::Violated(violation)) = self.verdict() else { return None };
        let Some(slot) = violation.slot.filter(|_| violation.property == AGREEMENT.0) else { return Some(violation) };
        let decides = |effect: &TextEffect| match effect {
            Effect::Chosen(of, _) | Effect::Applied(of, _) => of.number() == slot,
            _ => false,
        };
        let deciders = self.trace().into_iter().filter(|step| step.effects.iter().any(decides));
        Some(Violation { nodes: deciders.fold(violation.nodes, |nodes, step| nodes.with(step.node)), ..violation })
    }

    /// Goes along a path of states and events again, telling what each event does.
    fn retell(&mut self, path: &[(u32, Event)]) -> Vec<TraceStep> {
        let Some(&(start, _)) = path.first() else { return Vec::new() };
        let mut row = self.states.row(start).to_vec();
        let mut steps = Vec::new();
        for (place, &(state, event)) in path.iter().enumerate() {
            // With symmetry, this state represents others, the one at hand among them; the event must get its names.
            let event = match &mut self.symmetry {
                Some(symmetry) => {
                    let representative = self.states.row(state);
                    symmetry.rename_back(event, representative, &row, &mut self.locals, &mut self.outcomes)
                }
                None => event,
            };
            let mut step = self.trace_step(&row, event);
            if let Some(&(next, _)) = path.get(place + 1) {
                let stages = [state, next].map(|state| self.stage_of(state));
                step.goal = (stages[0] < stages[1]).then_some(stages[0]);
                row = self.row_after(&row, event);
                row[self.hosts + 1] = self.states.row(next)[self.hosts + 1];
            }
            steps.push(step);
        }
        steps
    }

    /// The row after an event.
    fn row_after(&mut self, row: &[u32], event: Event) -> Vec<u32> {
        let index = usize::from(event.node.0);
        let span = self.locals.transitions(row[index], &self.bounds, &mut self.outcomes);
        let transition = self.locals.all(span).map(|(_, transition)| *transition).find(|found| found.event == event);
        let Some(transition) = transition else { return row.to_vec() };
        self.rows.clear();
        self.rows.extend_from_slice(row);
        self.rows.extend_from_slice(row);
        self.apply(0, row.len(), index, 0, transition);
        self.rows.split_off(row.len())
    }

    fn stage_of(&self, state: u32) -> usize {
        self.spent.get(self.states.row(state)[self.hosts + 1]).stage()
    }

    /// What an event does in a state.
    fn trace_step(&mut self, row: &[u32], event: Event) -> TraceStep {
        let Event { action, node, branch, number } = event;
        let host = self.locals.host(row[usize::from(node.0)]);
        let (mut after, mut choices, mut sent_to) = (host, Choices::default(), Vec::new());
        let (mut effects, mut rules) = (Vec::new(), RuleSet::EMPTY);
        if let Some(stimulus) = event.stimulus() {
            let number = self.outcomes.of(host, stimulus).start + u32::from(branch);
            let outcome = self.outcomes.get(number);
            (after, choices) = (outcome.host, outcome.choices);
            sent_to.extend(outcome.sent.iter().map(|&message| self.outcomes.endpoints(message).1));
            (effects, rules) = self.outcomes.model.replay(host, stimulus, choices);
        }
        let model = &self.outcomes.model;
        let event = match action {
            Action::Deliver | Action::Duplicate => TraceEvent::Delivered {
                from: model.endpoints(number).0,
                message: model.message_text(number),
                again: action == Action::Duplicate && self.bounds.duplicates != Times::Any,
            },
            Action::Lose => TraceEvent::Lost { from: model.endpoints(number).0, message: model.message_text(number) },
            Action::Fire => TraceEvent::TimerFired(model.timer_id(number), model.timer_text(number)),
            Action::Ask => TraceEvent::Requested(self.bounds.requests[number as usize].command),
            Action::Order => TraceEvent::Ordered(self.bounds.orders[number as usize]),
            Action::Crash => TraceEvent::Crashed,
            Action::Restart => TraceEvent::Restarted,
        };
        TraceStep {
            node,
            event,
            coins: (0..choices.decided).map(|coin| choices.coins >> coin & 1 == 1).collect(),
            crashed_sending: if choices.crash_after > 0 { sent_to } else { Vec::new() },
            effects,
            rules,
            before: model.status(host),
            after: model.status(after),
            goal: None,
        }
    }
}
