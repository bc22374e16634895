//! EPaxos in the simulator: latency at every site, and how many commands take the slow path.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod common;

use common::*;
use quorumscope::core::{NodeId, SettingId};
use quorumscope::lab::atlas::matrix;
use quorumscope::lab::run::Run;
use quorumscope::lab::{Clients, Scenario, Site, Value};
use quorumscope::protocols::epaxos::{self, EPaxos};
use quorumscope::sim::{Action, ClientGroup, Pace, Skew};
use quorumscope::universe::{Cluster, Universe};

const THRIFTY: &[(SettingId, u64)] = &[(epaxos::SEND_THRIFTY, 1)];

/// Replicas 10 ms apart, with one client at each.
fn replicas(n: u8, settings: &[(SettingId, u64)], keys: u16, skew: Skew, seed: u64) -> Cluster {
    let mut blueprint = with(blueprint::<EPaxos>(even_topology(n, 10_000, 100), seed), settings);
    let client = |site| ClientGroup {
        keys,
        skew,
        first_key: if keys == 1 && skew == Skew::Even { u16::from(site) } else { 0 },
        read_percent: 0,
        pace: Pace::Closed { sessions: 1, think: 5_000 },
        ..closed(site, 1)
    };
    blueprint.clients = (0..n).map(client).collect();
    Cluster::of::<EPaxos>(&blueprint).expect("settings fit")
}

/// How many commands took the slow path, and how many there were, with so many in a thousand about one hot key, and the others about many.
fn slow_paths(hot: u16, seed: u64) -> (u64, u64) {
    let mut cluster = replicas(5, &[], 60_000, Skew::Hot { permille: hot }, seed);
    cluster.run_until(5_000_000);
    assert_safe(&cluster);
    // An Accept goes to ⌊n/2⌋ others.
    (count(&cluster, "Accept") / 2, cluster.counts().answered)
}

/// At 2 %, a command is slow only if it is about the hot key, another one about it is under way at one of the four other sites, and that site
/// is among the first two to answer: less than 2 % of 8 %.
#[test]
fn commands_take_the_slow_path_as_often_as_they_meet_others_that_interfere() {
    let few = (1..=3).map(|seed| slow_paths(20, seed));
    let (slow, commands) = few.fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
    assert!(slow * 1_000 < commands * 2, "2 % about one key: {slow} of {commands} are slow");
    let (slow, commands) = slow_paths(1_000, 1);
    assert!(slow.abs_diff(commands) <= 5, "all about one key: {slow} of {commands} are slow");
    let mut apart = replicas(5, &[], 1, Skew::Even, 1);
    apart.run_until(5_000_000);
    assert_safe(&apart);
    assert_eq!((count(&apart, "Accept"), apart.counts().answered > 1_000), (0, true));
}

/// The round trip between two sites of a matrix, taken both ways.
fn round_trip(key: &str, a: &str, b: &str) -> u64 {
    let matrix = matrix(key).expect("built in");
    let row = |site: &str| matrix.region(site).expect("in the table").0;
    let measured = |a: &str, b: &str| matrix.round_trips()[row(a) * matrix.regions.len() + row(b)];
    (measured(a, b) + measured(b, a)) / 2
}

/// A client at each site, each with a key of its own, waits for its replica and for so many others: the nearest or, if thrifty, the next ones
/// in the list.
fn check_latency(key: &str, sites: &[&str], others: usize, thrifty: bool) {
    let client = |(own, site): (u32, &&str)| Clients {
        site: (*site).to_owned(),
        think: Some("50ms".into()),
        keys: Some(1),
        first_key: Some(own),
        ..Clients::default()
    };
    let scenario = Scenario {
        variant: "epaxos".to_owned(),
        settings: [("thrifty".to_owned(), Value::Flag(thrifty))].into_iter().collect(),
        matrix: Some(key.to_owned()),
        sites: sites.iter().map(|site| Site::named(site)).collect(),
        replicas: sites.iter().map(|site| (*site).to_owned()).collect(),
        clients: (0..).zip(sites).map(client).collect(),
        duration: Some("20s".into()),
        ..Scenario::default()
    };
    let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!((report.latency_us.len(), report.history), (sites.len(), Some("linearizable")));
    for client in &report.latency_us {
        let place = sites.iter().position(|site| *site == client.site).expect("one of them");
        let mut all: Vec<u64> =
            (1..sites.len()).map(|next| round_trip(key, sites[place], sites[(place + next) % sites.len()])).collect();
        if !thrifty {
            all.sort_unstable();
        }
        let farthest = all[..others].iter().max().expect("there are others");
        let expected = round_trip(key, sites[place], sites[place]) + farthest;
        let found = (client.mean, client.p50, client.p99, client.max);
        assert_eq!(found, (expected, expected, expected, expected), "{key}, thrifty: {thrifty}, {}", client.site);
        assert!(client.count > 10);
    }
}

#[test]
fn every_site_waits_for_the_farthest_member_of_its_fast_path_quorum() {
    let seven =
        ["us-central1", "us-east4", "us-west1", "europe-west1", "asia-east1", "southamerica-east1", "asia-south1"];
    for thrifty in [false, true] {
        check_latency("pql", &["JP", "CA", "OR", "VA", "IRL"], 2, thrifty);
        check_latency("aws", &["us-east-1", "us-west-2", "eu-west-1"], 1, thrifty);
        // Here the fast-path quorum is larger than a majority: 5 of 7.
        check_latency("gcp", &seven, 4, thrifty);
    }
}

#[test]
fn thrifty_command_leader_replaces_a_member_of_its_quorum_that_does_not_answer() {
    for n in [3, 5, 7] {
        let mut cluster = replicas(n, THRIFTY, 1, Skew::Even, 1);
        cluster.run_until(1_000_000);
        cluster.act(Action::Crash(NodeId(1))).expect("it runs");
        cluster.run_until(2_000_000);
        cluster.world_mut().clear_counts();
        cluster.run_until(3_000_000);
        assert_safe(&cluster);
        let (answered, asked) = (cluster.counts().answered, count(&cluster, "PreAccept"));
        let fast = [2, 3, 5][usize::from(n) / 2 - 1];
        // Each site's client, but for the one whose replica is down, gets as many answers as before; nobody is asked in vain.
        assert!(answered >= u64::from(n - 1) * 60, "n = {n}: {answered} answers");
        assert!(asked.abs_diff((fast - 1) * answered) <= (fast - 1) * u64::from(n), "n = {n}: {asked} for {answered}");
    }
}
