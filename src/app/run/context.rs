//! Run context: what does not change during a run. Scenario, variant, sites and their round trips.

use quorumscope::core::Micros;
use quorumscope::lab::{Place, Scenario, Session};
use quorumscope::sim::DomainId;
use quorumscope::universe::Variant;
use yew::AttrValue;

/// The context of a run.
#[derive(Debug)]
pub struct RunContext {
    /// The scenario.
    pub scenario: Scenario,
    /// The protocol.
    pub variant: &'static Variant,
    /// The sites.
    pub places: Vec<Place>,
    /// Their names.
    pub names: Vec<AttrValue>,
    /// Whether there are clients at each site.
    pub asks: Vec<bool>,
    /// The failure domain of each site.
    pub domains: Vec<Option<DomainId>>,
    round_trips: Vec<Micros>,
}

/// Contexts are equal only if they are the same: two runs never share one.
impl PartialEq for RunContext {
    fn eq(&self, other: &RunContext) -> bool {
        std::ptr::eq(self, other)
    }
}

impl RunContext {
    /// The context of a session.
    pub fn of(session: &Session) -> RunContext {
        let checked = session.checked();
        let topology = &checked.blueprint.topology;
        let pairs = (0..topology.sites).flat_map(|a| (0..topology.sites).map(move |b| (a, b)));
        RunContext {
            scenario: session.scenario().clone(),
            variant: checked.variant,
            names: checked.places.iter().map(|place| place.name.clone().into()).collect(),
            places: checked.places.clone(),
            asks: (0..topology.sites)
                .map(|site| checked.blueprint.clients.iter().any(|group| group.site == site))
                .collect(),
            domains: (0..topology.sites).map(|site| checked.blueprint.domains.of_site(site)).collect(),
            round_trips: pairs.map(|(a, b)| topology.round_trip(a, b)).collect(),
        }
    }

    /// The round trip between two sites, µs, without jitter.
    pub fn round_trip(&self, a: usize, b: usize) -> Micros {
        self.round_trips[a * self.places.len() + b]
    }
}
