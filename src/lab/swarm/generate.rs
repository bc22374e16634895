//! What a seed draws before anything happens: cluster, places, settings, clients.

use super::{Swarm, workload};
use crate::core::node::Setup;
use crate::core::{Micros, SettingKind, Shots};
use crate::lab::atlas::MATRICES;
use crate::lab::scenario::{Cost, Network, Recovery, Scenario, Site, Value};
use crate::lab::{Checked, Quantity};
use crate::sim::rng::Rng;

/// Cluster sizes, as often as they are drawn.
pub(super) const SIZES: &[u8] = &[3, 3, 3, 5, 5, 5, 4, 7, 2, 1];

/// A cluster in its world, and when it storms.
pub(super) struct Draft {
    pub scenario: Scenario,
    /// When the first trouble may come, µs.
    pub begins: Micros,
    /// When the storm is over, µs.
    pub ends: Micros,
    /// How far apart troubles are on the average, µs.
    pub gap: Micros,
    /// The longest round trip, µs.
    pub round_trip: Micros,
    /// How many replicas the storm must leave healthy, if any number of them must make progress.
    pub core: Option<u8>,
    /// If safety counts on clocks: how much faster one may run than another, in millionths.
    pub clocks: Option<u32>,
}

/// One of these.
pub(super) fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.between(0, from.len() as u64 - 1) as usize]
}

/// Draws all that is there from the start.
pub(super) fn generate(swarm: &Swarm, seed: u64, rng: &mut Rng) -> Draft {
    let card = swarm.variant.card;
    let mut scenario = Scenario {
        title: format!("{}, as drawn from seed {seed}", card.title),
        variant: card.key.to_owned(),
        without: swarm.request.without.clone(),
        seed: Some(seed),
        beyond_model: swarm.request.beyond_model,
        ..Scenario::default()
    };
    place(&mut scenario, rng);
    for _ in 0..pick(rng, SIZES).max(card.min_replicas) {
        scenario.replicas.push(any_place(&scenario, rng));
    }
    network(&mut scenario, rng);
    cost(&mut scenario, rng);
    scenario.disk = time(pick(rng, &[0, 0, 300, 5_000]));
    settings(swarm, &mut scenario, rng);
    let checked = fit(swarm, &mut scenario);

    let round_trip = checked.blueprint.topology.round_trip_max();
    // A single decision is over in a few round trips; a log goes on, and elections take their time.
    let paces: &[Micros] = if card.shots == Shots::Single { &[1, 4] } else { &[1, 4, 16, 64] };
    let gap = (pick(rng, paces) * round_trip / 4).clamp(2, 2_000_000);
    let begins = pick(rng, &[0, 0, 15]) * round_trip;
    let ends = begins + gap * rng.between(8, 60);
    let setup = setup(&checked);
    let core = core(swarm, &setup, rng);
    let clocks = (swarm.variant.clocks)(&setup);
    workload::during(&mut scenario, card.shots, ends, round_trip, rng);
    if core.is_some() {
        let within = bound(&scenario, round_trip);
        scenario.recovery = Some(Recovery { from: Quantity::from_micros(ends), within: Quantity::from_micros(within) });
        scenario.duration = time(ends + within);
        workload::afterwards(&mut scenario, ends, within, round_trip, rng);
    } else {
        scenario.duration = time(ends + 20 * round_trip);
    }
    Draft { scenario, begins, ends, gap, round_trip, core, clocks }
}

/// How long a healthy core may take to answer somebody, or to bring a member up to date, µs. The unit is the longest that the protocol may
/// have to wait for anything: the longest round trip, or a longer time that a setting names. It gets 100 of them to find a leader, one
/// more for each command that may have been asked for (they may have to go one at a time), and clients ask every replica twice.
pub fn bound(scenario: &Scenario, round_trip: Micros) -> Micros {
    let named = scenario.settings.values().filter_map(|value| match value {
        Value::Text(text) => Quantity::from(text.as_str()).micros().ok(),
        _ => None,
    });
    let unit = named.fold(round_trip.max(10_000), Micros::max);
    let commands: u32 = scenario.clients.iter().filter_map(|group| group.commands).sum();
    let retries = scenario.clients.iter().filter_map(|group| group.retry.as_ref()?.micros().ok());
    let rounds = 2 * (scenario.replicas.len() as Micros + 1);
    (100 + Micros::from(commands)) * unit + rounds * retries.max().unwrap_or(0).max(8 * round_trip)
}

pub(super) fn time(micros: Micros) -> Option<Quantity> {
    (micros > 0).then(|| Quantity::from_micros(micros))
}

pub(super) fn share(permille: u64) -> Option<Quantity> {
    (permille > 0).then(|| Quantity::from_permille(permille))
}

/// Real places, or places of its own.
fn place(scenario: &mut Scenario, rng: &mut Rng) {
    let sites = rng.between(1, 4) as usize;
    if rng.chance(250) {
        let matrix = pick(rng, &MATRICES.iter().collect::<Vec<_>>());
        scenario.matrix = Some(matrix.key.to_owned());
        let mut regions: Vec<&str> = matrix.regions.iter().map(|region| region.id).collect();
        for _ in 0..sites.min(regions.len()) {
            let one = rng.between(0, regions.len() as u64 - 1) as usize;
            scenario.sites.push(Site::named(regions.swap_remove(one)));
        }
        return;
    }
    scenario.sites = (1..=sites).map(|site| Site::named(&format!("s{site}"))).collect();
    if rng.chance(300) {
        for (site, region) in scenario.sites.iter_mut().zip(["east", "east", "west", "west"]) {
            site.region = Some(region.to_owned());
        }
    }
    let mut trip = |near: bool| {
        let micros = if near { rng.between(100, 2_000) } else { rng.between(500, 60_000) };
        micros as f64 / 1_000.0
    };
    scenario.rtt_ms = (0..sites).map(|a| (0..sites).map(|b| trip(a == b)).collect()).collect();
}

pub(super) fn any_site(scenario: &Scenario, rng: &mut Rng) -> String {
    scenario.sites[rng.between(0, scenario.sites.len() as u64 - 1) as usize].id.clone()
}

/// A site, one of two racks there, or one of two machines in a rack.
fn any_place(scenario: &Scenario, rng: &mut Rng) -> String {
    let within = pick(rng, &["", "", "/r1", "/r2", "/r1/m1", "/r1/m2"]);
    any_site(scenario, rng) + within
}

fn network(scenario: &mut Scenario, rng: &mut Rng) {
    scenario.network = Network {
        jitter: share(pick(rng, &[0, 0, 100, 1_000])),
        loss: share(pick(rng, &[0, 0, 0, 10])),
        // A replica that needs more for a message than a small part of a round trip can do nothing but elect leaders.
        processing: time(pick(rng, &[0, 0, 0, 1, 10])),
    }
}

/// What messages cost processors, in place of one time for all. Little: see above.
fn cost(scenario: &mut Scenario, rng: &mut Rng) {
    if scenario.network.processing.is_none() && rng.chance(300) {
        scenario.cost = Cost {
            receive: time(pick(rng, &[1, 3])),
            receive_kb: time(pick(rng, &[0, 1])),
            send: time(pick(rng, &[0, 1])),
            send_kb: time(pick(rng, &[0, 1])),
        };
    }
}

/// Each setting stays as it is, or takes any of its values. Times stay derived: what they may be depends on each other.
fn settings(swarm: &Swarm, scenario: &mut Scenario, rng: &mut Rng) {
    for setting in swarm.variant.settings {
        let value = match &setting.kind {
            SettingKind::Duration { .. } => continue,
            SettingKind::Flag { .. } => Value::Flag(rng.chance(500)),
            SettingKind::Choice { options, .. } => Value::Text(pick(rng, options).to_owned()),
            SettingKind::Count { min, max, .. } => {
                let small = pick(rng, &[*min, 1, 2, 3, 4, 8, 50]).clamp(*min, *max);
                Value::Number(i64::from(small))
            }
        };
        if rng.chance(500) {
            scenario.settings.insert(setting.key.to_owned(), value);
        }
    }
    scenario.settings.extend(swarm.request.settings.clone());
}

/// Takes back what does not go together: settings first, and if those asked for need another cluster size, the size.
fn fit(swarm: &Swarm, scenario: &mut Scenario) -> Checked {
    let mut sizes = SIZES.iter().cycle();
    loop {
        let problems = match scenario.check() {
            Ok(checked) => return checked,
            Err(problems) => problems,
        };
        let drawn = |key: &&str| scenario.settings.contains_key(*key) && !swarm.request.settings.contains_key(*key);
        let named = problems.0.iter().filter_map(|problem| problem.field.strip_prefix("settings."));
        let any = scenario.settings.keys().rev().map(String::as_str);
        if let Some(key) = named.chain(any).find(drawn).map(str::to_owned) {
            scenario.settings.remove(&key);
        } else if let Some(size) = sizes.next() {
            let site = scenario.replicas[0].clone();
            scenario.replicas.resize(usize::from(*size), site);
        }
    }
}

fn setup(checked: &Checked) -> Setup {
    let blueprint = &checked.blueprint;
    Setup {
        replicas: blueprint.placement.len() as u8,
        rtt_max: blueprint.topology.round_trip_max(),
        settings: blueprint.settings.clone(),
        ablated: blueprint.ablated,
    }
}

/// The size of the core that the storm leaves healthy: any that must make progress.
fn core(swarm: &Swarm, setup: &Setup, rng: &mut Rng) -> Option<u8> {
    let least = (1..=setup.replicas).find(|healthy| (swarm.variant.live)(setup, *healthy))?;
    let between = rng.between(u64::from(least), u64::from(setup.replicas)) as u8;
    Some(pick(rng, &[least, between, setup.replicas]))
}
