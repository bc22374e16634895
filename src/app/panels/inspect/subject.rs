//! The subject of the inspector: the selected node, message or, with nothing selected, the last event; replayed.

use crate::page_action::Selected;
use crate::run::last_event;
use quorumscope::core::{NodeId, Quorums, Setup};
use quorumscope::lab::Session;
use quorumscope::sim::What;
use quorumscope::sim::world::Flight;
use quorumscope::universe::inspect::{Field, Inspector, Replayed};
use quorumscope::universe::{Universe, inspect};

/// What is inspected, at one moment.
#[derive(Default)]
pub struct Subject {
    /// The selected message, while it is on its way, and its content.
    pub flight: Option<(Flight, Vec<Field>)>,
    /// The node whose state is shown.
    pub node: Option<NodeId>,
    /// Its present state.
    pub state: Vec<Field>,
    /// The step that is explained: the last one of the node, that in which the message was sent, or the last of all.
    pub step: Option<Step>,
    /// What it takes to go on; `None` if that is not promised.
    pub quorum: Option<Quorum>,
    /// The messages in flight that arrive first, and the number of all.
    pub in_flight: (Vec<Flight>, usize),
}

/// Most messages listed.
const LISTED: usize = 12;

/// What it takes to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Quorum {
    /// How many members are enough, whichever they are.
    pub need: u8,
    /// How many members there are.
    pub of: u8,
    /// Which sets are quorums, where settings choose them.
    pub systems: Option<Quorums>,
}

/// What it takes to go on; `None` if that is not promised.
pub fn quorum(session: &Session, inspector: &Inspector) -> Option<Quorum> {
    let (universe, blueprint) = (session.universe(), &session.checked().blueprint);
    let replicas = (0..universe.nodes()).filter(|id| universe.node(NodeId(*id)).member).count() as u8;
    let (rtt_max, settings) = (blueprint.topology.round_trip_max(), blueprint.settings.clone());
    let setup = Setup { replicas, rtt_max, settings, ablated: blueprint.ablated };
    let need = (inspector.least)(&setup)?;
    Some(Quorum { need, of: replicas, systems: (inspector.quorums)(&setup) })
}

/// A step, explained.
pub struct Step {
    /// What was recorded.
    pub replayed: Replayed,
    /// What happened, in a sentence.
    pub what: String,
}

impl Subject {
    /// What is selected, in a session with these messages in flight.
    pub fn of(session: &Session, flights: &[Flight], selected: Option<Selected>, inspector: &Inspector) -> Subject {
        let universe = session.universe();
        let quorum = quorum(session, inspector);
        let mut soonest = flights.to_vec();
        soonest.sort_by_key(|flight| flight.arrives);
        soonest.truncate(LISTED);
        let in_flight = (soonest, flights.len());
        let flight = match selected {
            Some(Selected::Message { id, from }) => {
                flights.iter().find(|flight| flight.id == id && flight.from == from)
            }
            _ => None,
        };
        let step = |found: Option<(Replayed, Box<dyn Universe>)>| {
            found.map(|(replayed, after)| Step { what: sentence(&*after, &replayed), replayed })
        };
        if let Some(flight) = flight {
            let sent = session.step_of_sending(flight, inspector);
            let content = inspect::content(universe, inspector, flight.id);
            return Subject {
                flight: Some((*flight, content)),
                step: step(sent),
                quorum,
                in_flight,
                ..Subject::default()
            };
        }
        // A message that has arrived has become what its receiver did with it.
        let node = match selected {
            Some(Selected::Node(node)) => Some(node),
            Some(Selected::Message { id, .. }) => id.receiver(),
            None => None,
        };
        let node = node.filter(|node| node.0 < universe.nodes());
        let found = match node {
            Some(node) => session.last_step_of(node, inspector),
            None => session.last_step(inspector),
        };
        let state = node.map(|node| inspect::state(universe, inspector, node).fields()).unwrap_or_default();
        Subject { flight: None, node, state, step: step(found), quorum, in_flight }
    }
}

/// What happened in a step, in a sentence.
fn sentence(after: &dyn Universe, replayed: &Replayed) -> String {
    let is_consequence = |what: What| matches!(what, What::Chosen | What::Applied);
    let main = replayed.records.iter().find(|record| !is_consequence(record.what));
    let consequences: Vec<_> = replayed.records.iter().filter(|record| is_consequence(record.what)).copied().collect();
    main.map_or_else(String::new, |record| last_event::sentence(after, record, &consequences))
}
