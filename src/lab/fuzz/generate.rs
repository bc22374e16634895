//! Generation of a scenario from a seed: cluster, sites, settings, clients, and the times of the fault phase.

use super::{Fuzzer, workload};
use crate::core::node::Setup;
use crate::core::settings::EDITION;
use crate::core::{Faults, Micros, SettingKind, Shots};
use crate::lab::document::atlas::MATRICES;
use crate::lab::document::scenario::{Cost, Network, Recovery, Scenario, Site, Stability, Timing, Value};
use crate::lab::{Checked, Quantity};
use crate::sim::rng::Rng;

/// Cluster sizes, as often as they are generated.
pub(super) const SIZES: &[u8] = &[3, 3, 3, 5, 5, 5, 4, 7, 2, 1];

/// A generated scenario without its script, and the times of its fault phase.
pub(super) struct Draft {
    pub scenario: Scenario,
    /// Earliest fault, µs.
    pub begins: Micros,
    /// End of the fault phase, µs.
    pub ends: Micros,
    /// Mean time between opportunities for faults, µs.
    pub gap: Micros,
    /// The longest round trip, µs.
    pub round_trip: Micros,
    /// The size of the healthy core; `None`: no number of healthy replicas must make progress.
    pub core: Option<u8>,
    /// How many nodes may be failed at a time, where the protocol has no stable storage or a crashed node is gone.
    pub most_failed: Option<u8>,
    /// How many nodes may be Byzantine.
    pub byzantine: usize,
    /// If safety counts on clocks: how much faster one may run than another, in millionths.
    pub clocks: Option<u32>,
    /// If it compares the readings of clocks: by how much two may differ, µs.
    pub clock_error: Micros,
}

/// One of `from`, all equally likely.
pub(super) fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.between(0, from.len() as u64 - 1) as usize]
}

/// Generates everything but the script.
pub(super) fn generate(fuzzer: &Fuzzer, seed: u64, rng: &mut Rng) -> Draft {
    let card = fuzzer.variant.card;
    let mut scenario = Scenario {
        title: format!("{}, generated from seed {seed}", card.title),
        variant: card.key.to_owned(),
        without: fuzzer.request.without.clone(),
        seed: Some(seed),
        beyond_model: fuzzer.request.beyond_model,
        ..Scenario::default()
    };
    place(&mut scenario, rng);
    for _ in 0..pick(rng, SIZES).max(card.min_replicas) {
        scenario.replicas.push(any_place(&scenario, rng));
    }
    network(&mut scenario, rng);
    cost(&mut scenario, rng);
    scenario.disk = time(pick(rng, &[0, 0, 300, 5_000]));
    if card.needs_synchrony() {
        synchronous(&mut scenario, fuzzer.request.beyond_model, rng);
    }
    settings(fuzzer, &mut scenario, rng);
    let checked = keep_promises(fuzzer, &mut scenario);

    let round_trip = checked.blueprint.topology.round_trip_max();
    // A single decision is over in a few round trips; a log goes on, and elections take their time.
    let paces: &[Micros] = if card.agrees_on == Shots::Single { &[1, 4] } else { &[1, 4, 16, 64] };
    let gap = (pick(rng, paces) * round_trip / 4).clamp(2, 2_000_000);
    let begins = pick(rng, &[0, 0, 15]) * round_trip;
    let ends = begins + gap * rng.between(8, 60);
    let setup = setup(&checked);
    let core = core(fuzzer, &setup, rng);
    let most_failed = match card.faults {
        Faults::CrashForget | Faults::CrashStop => least(fuzzer, &setup).map(|least| setup.replicas - least),
        Faults::Byzantine if card.needs_synchrony() => least(fuzzer, &setup).map(|least| setup.replicas - least),
        Faults::CrashRecover | Faults::Byzantine => None,
    };
    let byzantine = usize::from((fuzzer.variant.byzantine)(&setup));
    let (clocks, clock_error) = ((fuzzer.variant.clocks)(&setup), (fuzzer.variant.clock_error)(&setup));
    workload::during(&mut scenario, card, ends, round_trip, rng);
    if core.is_some() {
        let within = bound(&scenario, round_trip);
        scenario.recovery = Some(Recovery { from: Quantity::from_micros(ends), within: Quantity::from_micros(within) });
        scenario.duration = time(ends + within);
        workload::afterwards(&mut scenario, ends, within, round_trip, rng);
        // A stream of its own: seeds of variants that promise no stability are none the different.
        let chosen = Rng::stream(seed, "stability", 0).chance(500);
        if chosen && (fuzzer.variant.stable)(&setup) && is_timely(&scenario) {
            scenario.stability = Some(Stability { from: Quantity::from_micros(ends + within / 2), leaders: 1 });
        }
    } else {
        scenario.duration = time(ends + 20 * round_trip);
    }
    Draft { scenario, begins, ends, gap, round_trip, core, most_failed, byzantine, clocks, clock_error }
}

/// The liveness bound: how long a healthy core may take to answer a client, or to bring a member up to date, µs.
///
/// The unit is the longest wait of the protocol: the longest round trip, or a longer time that a setting names. The bound is 100 units for
/// an election, one more for each command (they may go one at a time), and two client timeouts for each replica.
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

/// Whether messages arrive in the time that timeouts are derived from: then no leader that is up falls silent.
fn is_timely(scenario: &Scenario) -> bool {
    scenario.network == Network::default() && scenario.cost == Cost::default() && scenario.disk.is_none()
}

pub(super) fn time(micros: Micros) -> Option<Quantity> {
    (micros > 0).then(|| Quantity::from_micros(micros))
}

pub(super) fn share(permille: u64) -> Option<Quantity> {
    (permille > 0).then(|| Quantity::from_permille(permille))
}

/// Sites from a built-in matrix, or with generated round trips.
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

/// A site, one of its two racks, or one of two machines in a rack.
fn any_place(scenario: &Scenario, rng: &mut Rng) -> String {
    let within = pick(rng, &["", "", "/r1", "/r2", "/r1/m1", "/r1/m2"]);
    any_site(scenario, rng) + within
}

fn network(scenario: &mut Scenario, rng: &mut Rng) {
    scenario.network = Network {
        jitter: share(pick(rng, &[0, 0, 100, 1_000])),
        loss: share(pick(rng, &[0, 0, 0, 10])),
        // Kept far below a round trip: replicas that are busy with messages only elect leaders.
        processing: time(pick(rng, &[0, 0, 0, 1, 10])),
    }
}

/// Processing cost by kind of work, in place of one time for all; small for the same reason.
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

/// A network in which no message is lost or takes longer than a bound Δ, and nothing else takes time; beyond the model, faults can break that bound,
/// and nothing else does.
fn synchronous(scenario: &mut Scenario, beyond_model: bool, rng: &mut Rng) {
    (scenario.network.loss, scenario.network.processing) = (None, None);
    (scenario.cost, scenario.disk) = (Cost::default(), None);
    let Ok(checked) = scenario.check() else { return };
    let percent = pick(rng, &[50, 50, 75, 200]);
    // Half of the longest round trip is what one message takes, jitter included; less than that cuts the jitter.
    let topology = &checked.blueprint.topology;
    let farthest = topology.one_way.iter().chain(&topology.local_back).copied().max().unwrap_or(0);
    let delta = (topology.round_trip_max() * percent / 100).max(Micros::from(farthest)) + 1;
    if !beyond_model {
        let model = "synchronous".to_owned();
        scenario.timing = Some(Timing { model, delta: Some(Quantity::from_micros(delta)), ..Timing::default() });
    }
}

/// Each setting keeps its default or takes a random value. Times stay derived, because their bounds depend on each other.
fn settings(fuzzer: &Fuzzer, scenario: &mut Scenario, rng: &mut Rng) {
    // An edition is chosen by whoever asks: it may do without a rule.
    for setting in fuzzer.variant.settings.iter().filter(|setting| setting.key != EDITION) {
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
    scenario.settings.extend(fuzzer.request.settings.clone());
}

/// Removes generated settings that contradict each other; changes the cluster size if the requested settings need another.
fn fit(fuzzer: &Fuzzer, scenario: &mut Scenario) -> Checked {
    let mut sizes = SIZES.iter().cycle();
    loop {
        let problems = match scenario.check() {
            Ok(checked) => return checked,
            Err(problems) => problems,
        };
        let drawn = |key: &&str| scenario.settings.contains_key(*key) && !fuzzer.request.settings.contains_key(*key);
        let named = problems.0.iter().filter_map(|problem| problem.field.strip_prefix("settings."));
        let any = scenario.settings.keys().rev().map(String::as_str);
        // No setting helps a protocol that needs another number of replicas.
        let size_alone = problems.0.iter().all(|problem| problem.field == "replicas");
        let removable = if size_alone { None } else { named.chain(any).find(drawn).map(str::to_owned) };
        if let Some(key) = removable {
            scenario.settings.remove(&key);
        } else if let Some(size) = sizes.next() {
            let site = scenario.replicas[0].clone();
            scenario.replicas.resize(usize::from(*size), site);
        }
    }
}

/// Removes generated settings under which less is promised than by the card: a run without a promise finds nothing.
fn keep_promises(fuzzer: &Fuzzer, scenario: &mut Scenario) -> Checked {
    let checked = fit(fuzzer, scenario);
    let kept = |checked: &Checked| (fuzzer.variant.promises)(&setup(checked)).has(fuzzer.variant.card.promises);
    if kept(&checked) {
        return checked;
    }
    let drawn: Vec<String> = scenario.settings.keys().cloned().collect();
    for key in drawn.iter().filter(|key| !fuzzer.request.settings.contains_key(*key)) {
        let mut without = scenario.clone();
        without.settings.remove(key);
        if let Some(checked) = without.check().ok().filter(kept) {
            *scenario = without;
            return checked;
        }
    }
    checked
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

/// The size of the healthy core: any that must make progress.
fn core(fuzzer: &Fuzzer, setup: &Setup, rng: &mut Rng) -> Option<u8> {
    let least = least(fuzzer, setup)?;
    let between = rng.between(u64::from(least), u64::from(setup.replicas)) as u8;
    Some(pick(rng, &[least, between, setup.replicas]))
}

/// The smallest number of healthy replicas that must make progress.
fn least(fuzzer: &Fuzzer, setup: &Setup) -> Option<u8> {
    (1..=setup.replicas).find(|healthy| (fuzzer.variant.live)(setup, *healthy))
}
