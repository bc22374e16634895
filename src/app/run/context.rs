//! Run context: what does not change during a run. Scenario, variant, sites and their round trips.

use quorumscope::core::Micros;
pub use quorumscope::lab::run::description::describe;
use quorumscope::lab::{Checked, Place, Scenario, Session};
use quorumscope::sim::{Action, DomainId};
use quorumscope::universe::Variant;
use std::rc::Rc;
use yew::AttrValue;

/// The context of a run.
#[derive(Debug)]
pub struct RunContext {
    /// The scenario.
    pub scenario: Rc<Scenario>,
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

/// What the script does at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptedFault {
    /// When, µs.
    pub at: Micros,
    /// What, in words; at least one.
    pub texts: Vec<String>,
}

impl ScriptedFault {
    /// All of it.
    pub fn text(&self) -> String {
        self.texts.join("; ")
    }

    /// The first of it, and how many more there are.
    pub fn label(&self) -> String {
        match self.texts.as_slice() {
            [first, second] => format!("{first}; {second}"),
            [first, .., _] => format!("{first}, and {} more", self.texts.len() - 1),
            texts => texts.concat(),
        }
    }
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
            scenario: session.shared_scenario(),
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

/// The faults of the script; those of one time are one.
pub fn scripted_faults(checked: &Checked) -> Vec<ScriptedFault> {
    let mut script: Vec<(Micros, Action)> =
        checked.blueprint.script.iter().map(|timed| (timed.at, timed.action)).collect();
    script.sort_by_key(|(at, _)| *at);
    let mut faults: Vec<ScriptedFault> = Vec::new();
    for (at, action) in script {
        let text = describe(checked, action);
        match faults.last_mut().filter(|last| last.at == at) {
            Some(last) => last.texts.push(text),
            None => faults.push(ScriptedFault { at, texts: vec![text] }),
        }
    }
    faults
}
