//! Mencius in the simulator: latency at every site, delayed commits, what a failed server costs.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::core::NodeId;
use quorumscope::lab::atlas::matrix;
use quorumscope::lab::run::Run;
use quorumscope::lab::{Clients, Scenario, Session, Site, Value};
use quorumscope::sim::Action;
use quorumscope::universe::Universe;

const SITES: [&str; 5] = ["JP", "CA", "OR", "VA", "IRL"];

/// The round trip between two sites of the Paxos Quorum Leases table, taken both ways, µs.
fn round_trip(a: usize, b: usize) -> u64 {
    let matrix = matrix("pql").expect("built in");
    let row = |site: usize| matrix.region(SITES[site]).expect("in the table").0;
    let measured = |a: usize, b: usize| matrix.round_trips()[row(a) * matrix.regions.len() + row(b)];
    (measured(a, b) + measured(b, a)) / 2
}

/// Round trips from a site to the others, shortest first.
fn round_trips(from: usize) -> Vec<u64> {
    let mut all: Vec<u64> = (0..5).filter(|to| *to != from).map(|to| round_trip(from, to)).collect();
    all.sort_unstable();
    all
}

/// To the second nearest: a majority of five with the server itself.
fn to_majority(from: usize) -> u64 {
    round_trips(from)[1]
}

fn scenario(accepts: &str, clients: Vec<Clients>) -> Scenario {
    Scenario {
        variant: "mencius".to_owned(),
        settings: [("accepts".to_owned(), Value::Text(accepts.to_owned()))].into_iter().collect(),
        matrix: Some("pql".to_owned()),
        sites: SITES.iter().map(|site| Site::named(site)).collect(),
        replicas: SITES.iter().map(|site| (*site).to_owned()).collect(),
        clients,
        duration: Some("60s".into()),
        ..Scenario::default()
    }
}

/// Only one site writes: each command waits for the skips of all others since the one before.
#[test]
fn a_site_that_writes_alone_waits_for_the_farthest_of_all() {
    for accepts in ["owner", "everybody"] {
        for (place, site) in SITES.iter().enumerate() {
            let alone = Clients { site: (*site).to_owned(), think: Some("700ms".into()), ..Clients::default() };
            let mut scenario = scenario(accepts, vec![alone]);
            scenario.warmup = Some("5s".into());
            let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
            assert_eq!(report.history, Some("linearizable"));
            let client = &report.latency_us[0];
            let expected = round_trip(place, place) + round_trips(place)[3];
            let found = (client.mean, client.p50, client.p99, client.max);
            assert_eq!(found, (expected, expected, expected, expected), "{site}, accepts: {accepts}");
            assert!(client.count > 30);
        }
    }
}

/// Latencies of commands that clients at `sites` send at the same time, after one at `before`, µs.
fn latencies(accepts: &str, before: usize, sites: &[usize]) -> Vec<u64> {
    let mut session = Session::new(scenario(accepts, Vec::new())).expect("it runs");
    let mut now = 5_000_000;
    for asked in [&[before][..], sites] {
        session.run_until(now, u64::MAX);
        for site in asked {
            session.act(Action::Request { site: *site as u8 }).expect("it runs");
        }
        now += 5_000_000;
    }
    session.run_until(now, u64::MAX);
    let universe: &dyn Universe = session.universe();
    let last = |site: &usize| {
        let samples = &universe.samples()[*site];
        samples.get(samples.last()).expect("answered").latency - round_trip(*site, *site)
    };
    sites.iter().map(last).collect()
}

/// Sites write in turn, and not at the same time: a command waits for a majority, and for those that own instances between the last one and its own.
#[test]
fn a_command_waits_for_a_majority_and_for_the_owners_of_the_turns_before_it() {
    for accepts in ["owner", "everybody"] {
        for (before, last) in SITES.iter().enumerate() {
            for (site, name) in SITES.iter().enumerate() {
                let between = (1..=5).map(|step| (before + step) % 5).take_while(|owner| *owner != site);
                let skipped = between.map(|owner| round_trip(site, owner)).max().unwrap_or(0);
                let expected = skipped.max(to_majority(site));
                let found = latencies(accepts, before, &[site]);
                assert_eq!(found, [expected], "{name} after {last}, accepts: {accepts}");
            }
        }
    }
}

/// Delayed commit: two sites write at the same time, and the later instance waits for the outcome of the earlier one. Its owner tells after it has
/// a majority; where everybody hears all acceptances, nobody waits for that.
#[test]
fn a_concurrent_earlier_instance_delays_a_command_until_its_outcome_is_known() {
    // Japan's turn comes before that of California. Before them, Ireland's.
    let (japan, california) = (0, 1);
    let way = |a: usize, b: usize| round_trip(a, b) / 2;
    let near = |found: u64, expected: u64| found.abs_diff(expected) <= 2;
    let learn = to_majority(japan) + way(japan, california);
    let found = latencies("owner", 4, &[japan, california]);
    assert!(near(found[0], to_majority(japan)), "{found:?}");
    assert!(near(found[1], learn.max(to_majority(california))), "{found:?}: {learn}");
    let acceptances = |from: usize| {
        let mut all: Vec<u64> =
            (0..5).map(|by| if by == from { 0 } else { way(from, by) } + if by == california { 0 } else { way(by, california) }).collect();
        all.sort_unstable();
        // The suggestion itself must have come.
        all[2].max(way(from, california))
    };
    let found = latencies("everybody", 4, &[japan, california]);
    let expected = acceptances(japan).max(to_majority(california));
    assert!(near(found[1], expected) && expected < learn, "{found:?}: {expected}, and not {learn}");
}

/// Nobody is answered until the instances of the one that is down are revoked; then all go on, and nothing has to be revoked for each command.
#[test]
fn one_server_that_is_down_stops_all_until_it_is_revoked() {
    let clients = [0, 1, 3].map(|site| Clients {
        site: SITES[site].to_owned(),
        think: Some("50ms".into()),
        ..Clients::default()
    });
    let mut session = Session::new(scenario("owner", clients.to_vec())).expect("it runs");
    session.run_until(10_000_000, u64::MAX);
    session.act(Action::Crash(NodeId(4))).expect("it runs");
    session.run_until(60_000_000, u64::MAX);
    let universe = session.universe();
    let mut answers: Vec<u64> =
        universe.samples().iter().flat_map(|log| log.iter().map(|(_, sample)| sample.at)).collect();
    answers.sort_unstable();
    let gaps = answers.windows(2).map(|pair| pair[1] - pair[0]);
    let after_crash = answers.windows(2).filter(|pair| pair[1] > 10_500_000).map(|pair| pair[1] - pair[0]);
    let longest = round_trips(0).into_iter().max().expect("four");
    assert!(gaps.max().expect("many") > 2 * longest, "an outage of a suspicion and a revocation");
    let mut outages: Vec<u64> = after_crash.filter(|gap| *gap > 2 * longest).collect();
    outages.sort_unstable();
    assert_eq!(outages.len(), 1, "{outages:?}");
    let kind = universe.variant().kinds.iter().position(|kind| kind.name == "Prepare").expect("a kind");
    assert!(universe.counts().by_kind()[kind] > 8, "in advance, again and again");
    assert!(universe.violations().is_empty());
}
