//! What does not change while a scenario runs.

use quorumscope::core::Micros;
use quorumscope::lab::{Place, Scenario, Session};
use quorumscope::sim::DomainId;
use quorumscope::universe::Variant;
use yew::AttrValue;

/// The scenario and what it means.
#[derive(Debug)]
pub struct RunContext {
    /// As written.
    pub scenario: Scenario,
    /// The protocol.
    pub variant: &'static Variant,
    /// The sites.
    pub places: Vec<Place>,
    /// Their names.
    pub names: Vec<AttrValue>,
    /// Whether there are clients at each site.
    pub asks: Vec<bool>,
    /// What each site is among the things that can fail as a whole.
    pub domains: Vec<Option<DomainId>>,
    round_trips: Vec<Micros>,
}

/// Two runs never share a ground, so one ground is another only if it is that other one.
impl PartialEq for RunContext {
    fn eq(&self, other: &RunContext) -> bool {
        std::ptr::eq(self, other)
    }
}

impl RunContext {
    /// Under this run.
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
