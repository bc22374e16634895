//! Reductions of a scenario. Each gives all candidates one step away, the largest steps first. Invariant: no reduction undoes another.

mod clients;
mod left_out;
mod script;
mod world;

use crate::core::Micros;
use crate::lab::Quantity;
use crate::lab::document::scenario::Scenario;

type Reduction = fn(&Scenario) -> Vec<Scenario>;

/// All reductions, in the order in which they enable each other.
pub(super) const ALL: &[Reduction] = &[
    shorter,
    clients::fewer,
    world::fewer_replicas,
    clients::plain_service,
    left_out::any_field,
    script::nodes_for_places,
    world::plainer_places,
    world::even_distances,
    world::fewer_sites,
    clients::at_one_site,
    clients::plainer,
    script::narrower,
    script::earlier,
    rounder,
    world::rounder_distances,
    script::milder,
    world::milder,
    smaller_seed,
];

/// The reductions that keep everything a liveness bound is derived from.
pub(super) const KEEPING_RECOVERY_BOUND: &[Reduction] =
    &[clients::fewer, left_out::anything_but_recovery_basis, clients::plainer, world::plainer_places, smaller_seed];

/// A changed copy.
fn with(scenario: &Scenario, change: impl FnOnce(&mut Scenario)) -> Scenario {
    let mut changed = scenario.clone();
    change(&mut changed);
    changed
}

/// A time, µs; 0 if none is given.
pub(super) fn micros(time: &Option<Quantity>) -> Micros {
    time.as_ref().and_then(|time| time.micros().ok()).unwrap_or(0)
}

fn time(micros: Micros) -> Option<Quantity> {
    (micros > 0).then(|| Quantity::from_micros(micros))
}

/// Half of a share or of a time.
fn half(quantity: &Option<Quantity>) -> Option<Quantity> {
    let quantity = quantity.as_ref()?;
    match (quantity.permille(), quantity.micros()) {
        (Ok(share), _) if share > 1 => Some(Quantity::from_permille(share / 2)),
        (_, Ok(time)) if time > 1 => Some(Quantity::from_micros(time / 2)),
        _ => None,
    }
}

/// A shorter run; the property must be violated sooner.
fn shorter(scenario: &Scenario) -> Vec<Scenario> {
    let duration = micros(&scenario.duration);
    let shares = [4, 8, 12, 14].map(|sixteenths| duration * sixteenths / 16);
    let possible = shares.into_iter().filter(|_| scenario.recovery.is_none() && duration > 2_000);
    possible.map(|less| with(scenario, |s| s.duration = time(less.div_ceil(1_000) * 1_000))).collect()
}

/// Rounder times.
fn rounder(scenario: &Scenario) -> Vec<Scenario> {
    [script::rounder(scenario), clients::rounder(scenario)].concat()
}

/// A time rounded down to multiples of 100 ms, 10 ms, 1 ms and 0.1 ms, where it is no multiple; the coarsest first.
fn rounded(time: Micros) -> impl Iterator<Item = Micros> {
    let units = [100_000, 10_000, 1_000, 100].into_iter();
    units.filter(move |unit| !time.is_multiple_of(*unit)).map(move |unit| time / unit * unit)
}

fn smaller_seed(scenario: &Scenario) -> Vec<Scenario> {
    let seed = scenario.seed.unwrap_or(1);
    let smaller = (2..seed.min(4)).map(|smaller| with(scenario, |s| s.seed = Some(smaller)));
    let default = scenario.seed.is_some().then(|| with(scenario, |s| s.seed = None));
    default.into_iter().chain(smaller).collect()
}
