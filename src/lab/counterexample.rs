//! Counterexamples of the model checker as ordinary runs: a scenario in which everything is held, and whose script lets the events of the trace
//! happen, one after the other.
//!
//! The run is made beside the trace, event by event, so that every message has its name in the script. A model checker knows no time, and one
//! step of it is one event; where a run cannot do the same, this is told and there is no scenario.

use super::consistency::{Consistency, judge_clients};
use super::document::recorded_run::MomentText;
use super::explore::Exploration;
use super::fault::Names;
use super::{Clients, Document, Fault, Quantity, Scenario, Site};
use crate::core::{Micros, NodeId, NodeSet, Order};
use crate::judge::explore::{TextEffect, Times, TraceEvent, TraceStep};
use crate::judge::safety::LINEARIZABLE;
use crate::sim::action::{FlightId, Intercept, Timed};
use crate::sim::{Action, InFlight};
use crate::universe::search::ViolatedProperty;
use crate::universe::{End, Universe};

/// Time between two events of the trace, µs: longer than any message takes.
const STEP: Micros = 100_000;
/// Round trip between two nodes, µs. All messages of an event have arrived, and are held, before the next.
const ROUND_TRIP: u32 = 80_000;
/// Round trip between a client and its node, µs.
const NEAR: u32 = 2_000;
/// How long the run goes on after the last event, µs.
const AFTER: Micros = 1_000_000;

/// A violation as a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterexample {
    /// The run, at the moment of the violation.
    pub document: Document,
    /// When the property is violated, µs.
    pub at: Micros,
    /// The number of the event that violates it.
    pub event: u64,
}

/// Makes a run of a trace. Error: why there is none that does the same.
pub fn reproduce(
    exploration: &Exploration,
    trace: &[TraceStep],
    violation: &ViolatedProperty,
) -> Result<Counterexample, String> {
    if exploration.query.bounds.late_to_self {
        return Err(
            "messages of a node to itself come late in it (own=late), and in a run they come at once".to_owned()
        );
    }
    if !exploration.query.bounds.byzantine.is_empty() {
        return Err("nodes are Byzantine in it message by message, and in a run towards whom they choose".to_owned());
    }
    let clients = ClientSites::of(exploration, trace);
    let mut scenario = scenario(exploration, &clients);
    scenario.title = format!("{} is violated", violation.property);
    scenario.about = format!(
        "{} Found by a search through all runs within bounds; the script lets one thing happen after the other.",
        violation.says
    );
    let hold = Timed::new(0, Action::HoldAll);
    scenario.script.push(Fault::new(hold.at, hold.action, Names::default()));
    let checked = scenario.check().map_err(|problems| problems.to_string())?;
    let universe = checked.boot().map_err(|problem| problem.to_string())?;
    let mut run = Replayer { universe, trace, exploration, clients, under_way: Vec::new(), script: vec![hold] };
    for (place, step) in trace.iter().enumerate() {
        run.step(place, step).map_err(|why| format!("event {} of {}: {why}", place + 1, trace.len()))?;
    }
    let last = run.universe.time();
    let sites = checked.sites();
    let names = checked.names(&sites);
    scenario.script = run.script.iter().map(|timed| Fault::new(timed.at, timed.action, names)).collect();
    scenario.duration = Some(Quantity::from_micros((last + AFTER).next_multiple_of(AFTER)));
    moment(scenario, violation.property, last)
}

/// Runs the scenario up to the last event of the trace, and finds the moment at which the property is violated.
fn moment(scenario: Scenario, property: &str, last: Micros) -> Result<Counterexample, String> {
    let checked = scenario.check().map_err(|problems| problems.to_string())?;
    let mut universe = checked.boot().map_err(|problem| problem.to_string())?;
    universe.record_history();
    universe.run_until(last);
    let mut found = universe.violations().iter().chain(universe.not_promised());
    let (at, event) = match found.find(|found| found.property == property) {
        Some(found) => (found.at, found.event),
        // What clients saw is judged as a whole.
        None if property == LINEARIZABLE.0 => match judge_clients(&*universe) {
            Some(Consistency::Violated(_) | Consistency::NotPromised(_)) => (last, universe.events()),
            _ => return Err(NOT_VIOLATED.to_owned()),
        },
        None => return Err(NOT_VIOLATED.to_owned()),
    };
    let moment = MomentText { event, interventions: 0, at: Quantity::from_micros(at) };
    Ok(Counterexample { document: Document { scenario, moment: Some(moment), ..Document::default() }, at, event })
}

const NOT_VIOLATED: &str = "the run does the same, but the property is not violated in it";

/// The sites of clients: that of the node asked, or one of its own near it if there is another client there already.
struct ClientSites {
    /// For each client of the search: its node, the place of its site, and whether it reads.
    of: Vec<Option<(NodeId, u8, bool)>>,
    /// The nodes near the sites that are clients' own.
    own: Vec<NodeId>,
    nodes: u8,
}

impl ClientSites {
    fn of(exploration: &Exploration, trace: &[TraceStep]) -> ClientSites {
        let bounds = &exploration.query.bounds;
        let nodes = exploration.query.setup.replicas + bounds.newcomers;
        let mut sites = ClientSites { of: Vec::new(), own: Vec::new(), nodes };
        let mut taken = NodeSet::EMPTY;
        for step in trace {
            let TraceEvent::Requested(command) = &step.event else { continue };
            let client = usize::from(command.client.0);
            sites.of.resize(sites.of.len().max(client + 1), None);
            if sites.of[client].is_some() {
                continue;
            }
            let site = match taken.has(step.node) {
                false => step.node.0,
                true => {
                    sites.own.push(step.node);
                    nodes + sites.own.len() as u8 - 1
                }
            };
            taken.add(step.node);
            sites.of[client] = Some((step.node, site, command.op.is_read()));
        }
        sites
    }

    fn site(&self, client: usize) -> Option<u8> {
        self.of.get(client).copied().flatten().map(|(_, site, _)| site)
    }
}

/// The scenario without its script.
fn scenario(exploration: &Exploration, clients: &ClientSites) -> Scenario {
    let nodes = usize::from(clients.nodes);
    let all = nodes + clients.own.len();
    // The node at or near each site.
    let near = |site: usize| if site < nodes { site } else { usize::from(clients.own[site - nodes].0) };
    let name = |site: usize| if site < nodes { format!("n{}", site + 1) } else { format!("c{}", site - nodes + 1) };
    let title = |site: usize| match site < nodes {
        true => format!("Site {}", site + 1),
        false => format!("Client near {}", near(site) + 1),
    };
    let millis = |micros: u32| f64::from(micros) / 1_000.0;
    let rtt = |a: usize, b: usize| if near(a) == near(b) { millis(NEAR) } else { millis(ROUND_TRIP) };
    let site = |site: usize| Site { id: name(site), name: Some(title(site)), ..Site::default() };
    let groups = clients.of.iter().flatten().map(|&(_, site, reads)| Clients {
        site: name(usize::from(site)),
        keys: exploration.variant.card.agrees_on.executes().then_some(1),
        reads: reads.then(|| Quantity::from_permille(1_000)),
        commands: Some(0),
        retry: Some(Quantity::from_micros(600_000_000)),
        ..Clients::default()
    });
    Scenario {
        variant: exploration.variant.card.key.to_owned(),
        settings: exploration.settings.clone(),
        without: exploration.without.clone(),
        sites: (0..all).map(site).collect(),
        rtt_ms: (0..all).map(|a| (0..all).map(|b| rtt(a, b)).collect()).collect(),
        replicas: (0..usize::from(exploration.query.setup.replicas)).map(name).collect(),
        clients: groups.collect(),
        ..Scenario::default()
    }
}

/// A message of the search, and where it is in the run.
struct UnderWay {
    from: NodeId,
    to: NodeId,
    text: String,
    flight: FlightId,
}

/// The run that is made beside a trace.
struct Replayer<'a> {
    universe: Box<dyn Universe>,
    trace: &'a [TraceStep],
    exploration: &'a Exploration,
    clients: ClientSites,
    under_way: Vec<UnderWay>,
    script: Vec<Timed>,
}

impl Replayer<'_> {
    /// Has an action happen at a time, µs, or as soon after it as nothing else happens.
    fn plan(&mut self, at: Micros, action: Action, what: &str) -> Result<(), String> {
        let at = self.universe.first_free(at);
        let timed = Timed::new(at, action);
        if !self.universe.plan(timed) {
            return Err(format!("there is no time to {what}"));
        }
        self.script.push(timed);
        self.universe.run_until(at);
        match self.universe.refused().last() {
            Some(refused) => Err(format!("{what}: {}", refused.why)),
            None => Ok(()),
        }
    }

    /// Lets one event of the trace happen.
    fn step(&mut self, place: usize, step: &TraceStep) -> Result<(), String> {
        if !step.coins.is_empty() {
            return Err(format!("node {:?} draws coins there, and a run draws its own", step.node));
        }
        let at = (place as Micros + 2) * STEP;
        let node = step.node;
        if let TraceEvent::Requested(command) = &step.event {
            self.ask(usize::from(command.client.0), place, at)?;
        }
        // All that was sent before has arrived by then.
        self.universe.run_until(at - STEP / 10);
        let before = self.flights();
        if !step.crashed_sending.is_empty() {
            let sends = step.crashed_sending.iter().filter(|to| **to != node).count() as u16;
            self.plan(at - STEP / 20, Action::CrashAfter { node, sends }, "crash while sending")?;
        }
        match &step.event {
            TraceEvent::Delivered { from, message, .. } if *from == node => {
                return Err(format!("{} of node {node:?} to itself comes late", message.kind));
            }
            // Nothing holds it, and it has come already.
            TraceEvent::Delivered { message, .. } if message.kind == FENCE => {}
            TraceEvent::Delivered { from, message, again } => {
                let again = *again || self.comes_again(place, *from, node, &message.text);
                let intercept = if again { Intercept::Duplicate } else { Intercept::Deliver };
                self.intercept((*from, node, &message.text), intercept, at)?;
            }
            TraceEvent::Lost { from, message } => self.intercept((*from, node, &message.text), Intercept::Drop, at)?,
            TraceEvent::TimerFired(timer, _) => {
                self.plan(at, Action::Fire { node, timer: *timer }, "fire a timer")?;
            }
            TraceEvent::Requested(command) => {
                let site = self.clients.site(usize::from(command.client.0)).unwrap_or_default();
                let which = InFlight::Request { site, to: node };
                let intercept = Intercept::Deliver;
                self.plan(at, Action::Sent { which, nth: 1, intercept }, "have a client's request arrive")?;
            }
            TraceEvent::Ordered(order) => self.order(node, *order, at)?,
            TraceEvent::Crashed => self.plan(at, Action::Crash(node), "crash")?,
            TraceEvent::Restarted => self.plan(at, Action::Restart(node), "restart")?,
        }
        if !step.crashed_sending.is_empty() && self.universe.node(node).status.is_some() {
            self.plan(at + 1, Action::Crash(node), "crash after sending")?;
        }
        self.universe.run_until(at + STEP - STEP / 4);
        self.match_sent(step, &before)
    }

    /// Whether a message that stays under way for ever is delivered again later.
    fn comes_again(&self, place: usize, from: NodeId, to: NodeId, text: &str) -> bool {
        self.exploration.query.bounds.duplicates == Times::Any
            && self.trace[place + 1..].iter().any(|step| match &step.event {
                TraceEvent::Delivered { from: sender, message, .. } => {
                    (*sender, step.node) == (from, to) && message.text == text
                }
                _ => false,
            })
    }

    /// Has a client ask, if it has not yet.
    fn ask(&mut self, client: usize, place: usize, at: Micros) -> Result<(), String> {
        let asked = self.trace[..place].iter().any(
            |step| matches!(&step.event, TraceEvent::Requested(command) if usize::from(command.client.0) == client),
        );
        match self.clients.site(client) {
            Some(site) if !asked => self.plan(at - STEP / 5, Action::Request { site }, "have a client ask"),
            _ => Ok(()),
        }
    }

    fn order(&mut self, node: NodeId, order: Order, at: Micros) -> Result<(), String> {
        if self.universe.leader() != Some(node) {
            return Err(format!("node {node:?} is given an order while another leads a later term"));
        }
        let members = self.universe.node(node).status.map_or(NodeSet::EMPTY, |status| status.members);
        let action = match order {
            Order::HandOver(to) => Some(Action::HandOver(to)),
            Order::Reconfigure(wanted) => {
                let (joins, leaves) = (wanted.minus(members), members.minus(wanted));
                let next = NodeId(self.universe.nodes());
                match (joins.lowest(), leaves.lowest()) {
                    (None, Some(gone)) if leaves.len() == 1 => Some(Action::Remove(gone)),
                    (Some(new), None) if joins.len() == 1 && new == next => Some(Action::Add { site: new.0 }),
                    _ => None,
                }
            }
        };
        let action = action.ok_or("the members change by more than one new or one leaving node at a time")?;
        self.plan(at, action, "give an order")
    }

    fn intercept(
        &mut self,
        (from, to, text): (NodeId, NodeId, &str),
        intercept: Intercept,
        at: Micros,
    ) -> Result<(), String> {
        let is = |message: &UnderWay| (message.from, message.to, &*message.text) == (from, to, text);
        if !self.under_way.iter().any(is) {
            self.match_sent_at_start(from, to, text);
        }
        let place = self.under_way.iter().position(is).ok_or_else(|| format!("{text} is not under way"))?;
        let flight = self.under_way[place].flight;
        let (which, nth) =
            self.universe.name_in_flight(flight).ok_or_else(|| format!("{text} is not under way any more"))?;
        if intercept != Intercept::Duplicate {
            self.under_way.remove(place);
        }
        self.plan(at, Action::Sent { which, nth, intercept }, "deliver a message")
    }

    /// Finds a message that its sender sent when it first started, which is no event of the trace: the first of its kind that is none of the others.
    fn match_sent_at_start(&mut self, from: NodeId, to: NodeId, text: &str) {
        let known = |flight: FlightId| self.under_way.iter().any(|message| message.flight == flight);
        let kind = text.split(' ').next();
        let found = self.flights().into_iter().find(|(sender, receiver, name, flight)| {
            (*sender, *receiver, Some(*name)) == (from, to, kind) && !known(*flight)
        });
        if let Some((.., flight)) = found {
            self.under_way.push(UnderWay { from, to, text: text.to_owned(), flight });
        }
    }

    /// Messages between replicas that are under way: sender, receiver, name of the kind and id; those of one sender to one receiver in the order in
    /// which they were sent.
    fn flights(&self) -> Vec<(NodeId, NodeId, &'static str, FlightId)> {
        let mut flights = Vec::new();
        self.universe.flights(&mut flights);
        let kinds = self.universe.variant().kinds;
        let between = flights.iter().filter_map(|flight| match (flight.from, flight.to, flight.kind) {
            (End::Node(from), End::Node(to), Some(kind)) => {
                Some((from, to, kinds[usize::from(kind.0)].name, flight.id))
            }
            _ => None,
        });
        between.collect()
    }

    /// Finds what the node sent in the run for each message that it sent in the search.
    fn match_sent(
        &mut self,
        step: &TraceStep,
        before: &[(NodeId, NodeId, &'static str, FlightId)],
    ) -> Result<(), String> {
        let node = step.node;
        let mut sent: Vec<(NodeId, &str, &str)> = Vec::new();
        for effect in &step.effects {
            let (to, message) = match effect {
                TextEffect::Send(to, message) => (NodeSet::just(*to), message),
                TextEffect::Broadcast(to, message) => (*to, message),
                _ => continue,
            };
            sent.extend(to.iter().filter(|to| *to != node).map(|to| (to, message.kind, &*message.text)));
        }
        if !step.crashed_sending.is_empty() {
            sent.truncate(step.crashed_sending.iter().filter(|to| **to != node).count());
        }
        let nodes = self.universe.nodes();
        sent.retain(|(to, ..)| to.0 < nodes);
        let mut new: Vec<_> = self.flights();
        new.retain(|flight| flight.0 == node && !before.contains(flight));
        for (to, kind, text) in sent {
            let place = new.iter().position(|(_, receiver, of, _)| (*receiver, *of) == (to, kind));
            let place = place.ok_or_else(|| format!("node {node:?} does not send {text} to node {to:?} in the run"))?;
            let (.., flight) = new.remove(place);
            self.under_way.push(UnderWay { from: node, to, text: text.to_owned(), flight });
        }
        match new.first() {
            None => Ok(()),
            Some((_, to, kind, _)) => Err(format!("node {node:?} sends a {kind} to node {to:?} in the run only")),
        }
    }
}

/// The kind of what turns a node off, in a trace.
const FENCE: &str = "Fence";
