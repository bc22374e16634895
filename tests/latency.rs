//! Client latency on measured round-trip matrices: without jitter and processing time it is the client's round trip to the leader plus the
//! leader's to the farthest member of its nearest majority, exact to the microsecond, at every site and for every leader.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::core::{Faults, LeaderModel, Shots};
use quorumscope::lab::atlas::{Matrix, matrix};
use quorumscope::lab::presets::preset;
use quorumscope::lab::run::Run;
use quorumscope::lab::{Clients, Fault, Scenario, Site, Value, text};
use quorumscope::universe;

/// One replica and one client at each site; node `leader`, counted from 1, takes the leadership after three seconds.
fn scenario(variant: &str, matrix: &Matrix, sites: &[&str], leader: usize) -> Scenario {
    let client = |site: &&str| Clients { site: (*site).to_owned(), think: Some("50ms".into()), ..Clients::default() };
    let hand_over =
        Fault { at: "3s".into(), action: "hand-over".into(), node: Some((leader as u32).into()), ..Fault::default() };
    Scenario {
        variant: variant.to_owned(),
        matrix: Some(matrix.key.to_owned()),
        sites: sites.iter().map(|site| Site::named(site)).collect(),
        replicas: sites.iter().map(|site| (*site).to_owned()).collect(),
        clients: sites.iter().map(client).collect(),
        script: vec![hand_over],
        duration: Some("20s".into()),
        warmup: Some("10s".into()),
        ..Scenario::default()
    }
}

fn check_all_leaders(key: &str, sites: &[&str]) {
    let matrix = matrix(key).expect("built in");
    let round_trip = |a: &str, b: &str| round_trip_of(matrix, a, b);
    let variants = universe::variants().iter().filter(|v| v.card.agrees_on == Shots::Log && v.card.transfer);
    for variant in variants {
        for (leader, place) in (1..).zip(sites) {
            let scenario = scenario(variant.card.key, matrix, sites, leader);
            let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
            let mut others: Vec<u64> =
                sites.iter().filter(|site| *site != place).map(|site| round_trip(place, site)).collect();
            others.sort_unstable();
            let to_quorum = others[sites.len() / 2 - 1];
            assert_eq!(report.latency_us.len(), sites.len());
            for client in &report.latency_us {
                let expected = round_trip(&client.site, place) + to_quorum;
                let found = (client.mean, client.p50, client.p99, client.max);
                let what = format!("{}, leader {place}, client {}", variant.card.key, client.site);
                assert_eq!(found, (expected, expected, expected, expected), "{what}");
                assert!(client.count > 10, "{what}: only {} answers", client.count);
            }
        }
    }
}

/// Atomic commitment takes everybody, so what a client waits for is the coordinator's round trip to the farthest of all.
#[test]
fn latency_of_a_transaction_is_the_round_trip_to_the_farthest_participant() {
    let matrix = matrix("pql").expect("built in");
    let fixed = |variant: &&universe::Variant| variant.card.leader == LeaderModel::Fixed;
    let variants = universe::variants().iter().filter(fixed).filter(|v| v.card.agrees_on == Shots::Transactions);
    let mut looked_at = 0;
    for variant in variants {
        for first in 0..PQL.len() {
            // Node 1 coordinates: each place has it once. No two clients ask for the same key, so that nobody waits for a lock.
            let mut places = PQL;
            places.rotate_left(first);
            let coordinator = places[0];
            let mut scenario = scenario(variant.card.key, matrix, &places, 1);
            scenario.script.clear();
            scenario.clients.iter_mut().for_each(|group| group.keys = Some(60_000));
            let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
            let farthest = PQL.iter().filter(|site| **site != coordinator).map(|site| round_trip(coordinator, site));
            let farthest = farthest.max().expect("five places");
            assert_eq!(report.latency_us.len(), PQL.len());
            for client in &report.latency_us {
                let expected = round_trip(&client.site, coordinator) + farthest;
                let found = (client.mean, client.p50, client.p99, client.max);
                let what = format!("{}, coordinator {coordinator}, client {}", variant.card.key, client.site);
                assert_eq!(found, (expected, expected, expected, expected), "{what}");
                assert!(client.count > 10, "{what}: only {} answers", client.count);
                looked_at += 1;
            }
        }
    }
    assert!(looked_at >= 25, "{looked_at}");
}

/// The places of the table of Paxos Quorum Leases.
const PQL: [&str; 5] = ["JP", "CA", "OR", "VA", "IRL"];

/// The round trip between two places, µs: the mean of its two measurements.
fn round_trip_of(matrix: &Matrix, a: &str, b: &str) -> u64 {
    let row = |site: &str| matrix.region(site).expect("in the table").0;
    let measured = |a: &str, b: &str| matrix.round_trips()[row(a) * matrix.regions.len() + row(b)];
    (measured(a, b) + measured(b, a)) / 2
}

/// The same between two of those.
fn round_trip(a: &str, b: &str) -> u64 {
    round_trip_of(matrix("pql").expect("built in"), a, b)
}

/// Runs this, and holds each client's latencies, all of them, against its way to the leader and back and what the leader then waits for.
fn hold_against(scenario: Scenario, leader: &str, waits: u64) {
    let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(report.latency_us.len(), PQL.len());
    for client in &report.latency_us {
        let expected = round_trip(&client.site, leader) + waits;
        let found = (client.mean, client.p50, client.p99, client.max);
        assert_eq!(found, (expected, expected, expected, expected), "leader {leader}, client {}", client.site);
        assert!(client.count > 10, "leader {leader}, client {}: {}", client.site, client.count);
    }
}

/// The second nearest of the others: with itself the leader then has three of five.
fn second_nearest(leader: &str) -> u64 {
    let mut others: Vec<u64> =
        PQL.iter().filter(|site| **site != leader).map(|site| round_trip(leader, site)).collect();
    others.sort_unstable();
    others[1]
}

/// In synchronous rounds nobody is answered before the last one is over, and that is at the same time everywhere: after the time for inputs and f + 1
/// rounds, here two round trips to the farthest and two rounds of one.
#[test]
fn latency_of_synchronous_rounds_is_the_time_of_all_rounds_at_every_site() {
    let matrix = matrix("pql").expect("built in");
    let farthest = PQL.iter().flat_map(|a| PQL.iter().map(|b| round_trip(a, b))).max().expect("five places");
    for variant in universe::variants().iter().filter(|v| v.card.agrees_on == Shots::Single && v.card.needs_synchrony())
    {
        let mut scenario = scenario(variant.card.key, matrix, &PQL, 1);
        (scenario.script, scenario.warmup) = (Vec::new(), None);
        scenario.clients.iter_mut().for_each(|group| group.commands = Some(1));
        let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(report.latency_us.len(), PQL.len());
        for client in &report.latency_us {
            // Where nodes may lie, one answer is not enough.
            let mut back: Vec<u64> = PQL.iter().map(|site| round_trip(&client.site, site).div_ceil(2)).collect();
            back.sort_unstable();
            let answers = usize::from(variant.card.faults == Faults::Byzantine);
            let expected = 2 * farthest + 2 * (farthest + 1) + back[answers];
            assert_eq!((client.count, client.mean), (1, expected), "{}, client {}", variant.card.key, client.site);
        }
    }
}

/// In Viewstamped Replication the first primary is node 1, and leadership cannot be handed over: each place has node 1 once. A disk takes its time,
/// and nobody waits for it.
#[test]
fn latency_of_viewstamped_replication_is_quorum_arithmetic_without_the_disk() {
    let matrix = matrix("pql").expect("built in");
    for first in 0..PQL.len() {
        let mut places = PQL;
        places.rotate_left(first);
        let primary = places[0];
        let mut scenario = scenario("vrr", matrix, &places, 1);
        scenario.script.clear();
        scenario.disk = Some("50ms".into());
        hold_against(scenario, primary, second_nearest(primary));
    }
}

/// With `ring` the k-th replica has a request after k hops, and acknowledges it to the primary itself; the second acknowledgement commits it.
#[test]
fn latency_of_viewstamped_replication_with_ring_is_that_of_the_hops_so_far_and_the_way_back() {
    let matrix = matrix("pql").expect("built in");
    for first in 0..PQL.len() {
        let mut places = PQL;
        places.rotate_left(first);
        let mut scenario = scenario("vrr", matrix, &places, 1);
        scenario.script.clear();
        scenario.settings.insert("ring".to_owned(), quorumscope::lab::Value::Flag(true));
        let mut hops = 0;
        let mut back: Vec<u64> = (1..places.len())
            .map(|k| {
                // Of an odd number of microseconds the way to the place that comes first in the scenario is the longer half.
                hops += round_trip(places[k - 1], places[k]) / 2;
                hops + round_trip(places[k], places[0]).div_ceil(2)
            })
            .collect();
        back.sort_unstable();
        hold_against(scenario, places[0], back[1]);
    }
}

/// In Omni-Paxos leadership cannot be handed over: each place has the server with priority once.
#[test]
fn latency_of_omni_paxos_is_quorum_arithmetic() {
    let matrix = matrix("pql").expect("built in");
    for (leader, number) in PQL.into_iter().zip(1..) {
        let mut scenario = scenario("omni-paxos", matrix, &PQL, 1);
        scenario.script.clear();
        scenario.settings.insert("priority".to_owned(), quorumscope::lab::Value::Number(number));
        hold_against(scenario, leader, second_nearest(leader));
    }
}

/// In Zab the first leader is the node with the highest number, and leadership cannot be handed over: each place has that one once.
#[test]
fn latency_of_zab_is_quorum_arithmetic() {
    let matrix = matrix("pql").expect("built in");
    for first in 0..PQL.len() {
        let mut places = PQL;
        places.rotate_left(first);
        let leader = places[4];
        let mut scenario = scenario("zab", matrix, &places, 1);
        scenario.script.clear();
        hold_against(scenario, leader, second_nearest(leader));
    }
}

/// In Ben-Or's protocol a client asks all nodes, and with one client all begin with the same value. A node begins when it hears of that, goes on with the
/// (n−f)-th echo1, and decides with the (n−f)-th echo2, or when it is told.
#[test]
fn latency_of_ben_or_is_that_of_two_echoes_to_a_majority_at_each_place() {
    let sites = ["JP", "CA", "OR", "VA", "IRL"];
    let matrix = matrix("pql").expect("built in");
    let all = [0_u8, 1, 2, 3, 4];
    for client in all {
        let mut scenario = scenario("ben-or", matrix, &sites, 1);
        scenario.script.clear();
        scenario.clients = vec![scenario.clients[usize::from(client)].clone()];
        scenario.clients[0].commands = Some(1);
        scenario.clients[0].retry = Some("10s".into());
        scenario.warmup = None;
        let checked = scenario.check().unwrap_or_else(|wrong| panic!("{wrong}"));
        let topology = &checked.blueprint.topology;
        let way = |from: u8, to: u8| if from == to { 0 } else { topology.one_way(from, to, false) };
        let asked = |node: u8| topology.one_way(client, node, false);
        // When each has the n−f = 3rd of what all send at these times.
        let third = |sent: [u64; 5]| {
            all.map(|to| {
                let mut arrivals = all.map(|from| sent[usize::from(from)] + way(from, to));
                arrivals.sort_unstable();
                arrivals[2]
            })
        };
        let first = |sent: [u64; 5]| {
            all.map(|to| all.map(|from| sent[usize::from(from)] + way(from, to)).into_iter().min().expect("five"))
        };
        let begins = first(all.map(asked));
        let decides = first(third(third(begins)));
        let answered = all.map(|node| decides[usize::from(node)] + topology.one_way(node, client, true));
        let expected = answered.into_iter().min().expect("five");
        let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
        let [found] = &report.latency_us[..] else { panic!("one client") };
        assert_eq!((found.count, found.mean), (1, expected), "client {}", found.site);
    }
}

#[test]
fn latency_equals_quorum_arithmetic_on_the_quorum_leases_table() {
    check_all_leaders("pql", &["JP", "CA", "OR", "VA", "IRL"]);
}

#[test]
fn latency_equals_quorum_arithmetic_in_three_aws_regions() {
    check_all_leaders("aws", &["us-east-1", "us-west-2", "eu-west-1"]);
}

#[test]
fn latency_equals_quorum_arithmetic_in_seven_gcp_regions() {
    let sites =
        ["us-central1", "us-east4", "us-west1", "europe-west1", "asia-east1", "southamerica-east1", "asia-south1"];
    check_all_leaders("gcp", &sites);
}

/// Which sets are quorums of phase 2 in a grid of so many rows: all columns; all rows with all columns; or majorities of majorities.
fn phase_2_quorums(shape: &str, rows: usize, columns: usize) -> Vec<Vec<usize>> {
    let row = |row: usize| (0..columns).map(move |column| row * columns + column);
    let column = |column: usize| (0..rows).map(move |row| row * columns + column);
    let all = 0..1_u32 << (rows * columns);
    let majority = |some: usize, all: usize| 2 * some > all;
    match shape {
        "grid" => (0..columns).map(|c| column(c).collect()).collect(),
        "row-and-column" => {
            let with = |r: usize| (0..columns).map(move |c| row(r).chain(column(c)).collect());
            (0..rows).flat_map(with).collect()
        }
        _ => all
            .map(|set| (0..rows * columns).filter(|node| set >> node & 1 == 1).collect())
            .filter(|set: &Vec<usize>| {
                let full = |r: &usize| majority(row(*r).filter(|node| set.contains(node)).count(), columns);
                majority((0..rows).filter(full).count(), rows)
            })
            .collect(),
    }
}

#[test]
fn latency_with_grids_and_groups_is_the_round_trip_to_the_farthest_member_of_the_nearest_quorum() {
    let sites = ["us-central1", "us-east4", "us-west1", "europe-west1", "asia-east1", "southamerica-east1"];
    let matrix = matrix("gcp").expect("built in");
    let row = |site: &str| matrix.region(site).expect("in the table").0;
    let measured = |a: &str, b: &str| matrix.round_trips()[row(a) * matrix.regions.len() + row(b)];
    let round_trip = |a: &str, b: &str| if a == b { 0 } else { (measured(a, b) + measured(b, a)) / 2 };
    let mut different = std::collections::BTreeSet::new();
    for (shape, rows) in [("grid", 2), ("grid", 3), ("row-and-column", 2), ("hierarchical", 2), ("hierarchical", 3)] {
        let quorums = phase_2_quorums(shape, rows, 6 / rows);
        for (leader, place) in (1..).zip(sites).step_by(2) {
            let mut scenario = scenario("multi-paxos", matrix, &sites, leader);
            scenario.settings.insert("quorums".to_owned(), Value::Text(shape.to_owned()));
            scenario.settings.insert("rows".to_owned(), Value::Number(rows as i64));
            let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
            let farthest = |quorum: &Vec<usize>| quorum.iter().map(|node| round_trip(place, sites[*node])).max();
            let to_quorum = quorums.iter().filter_map(farthest).min().expect("there are quorums");
            different.insert((place, to_quorum));
            for client in &report.latency_us {
                // Within a site a message takes its time, too.
                let expected =
                    if client.site == place { measured(place, place) } else { round_trip(&client.site, place) };
                let what = format!("{shape} of {rows} rows, leader {place}, client {}", client.site);
                let found = (client.mean, client.p50, client.p99, client.max);
                assert_eq!(
                    found,
                    (expected + to_quorum, expected + to_quorum, expected + to_quorum, expected + to_quorum),
                    "{what}"
                );
                assert!(client.count > 10, "{what}: only {} answers", client.count);
            }
        }
    }
    assert!(different.len() > 6, "quorums differ: {different:?}");
}

/// A variant's key, flags that are set, and round trips a command.
type Leaderless = (&'static str, &'static [(&'static str, bool)], u64);

/// Variants without a leader, the settings they are measured with, and the round trips to the nearest majority that a command then takes when
/// nobody else asks for its key.
const LEADERLESS: [Leaderless; 3] =
    [("caspaxos", &[("one_round", false)], 2), ("caspaxos", &[("one_round", true)], 1), ("epaxos", &[], 1)];

/// The round trip from one of these sites to the farthest member of its nearest majority, by their matrix.
fn to_majority(matrix: &Matrix, sites: &[&str], from: &str) -> u64 {
    let mut others: Vec<u64> =
        sites.iter().filter(|site| **site != from).map(|site| round_trip_of(matrix, from, site)).collect();
    others.sort_unstable();
    others[sites.len() / 2 - 1]
}

fn check_without_leader(key: &str, sites: &[&str]) {
    let matrix = matrix(key).expect("built in");
    for (variant, settings, rounds) in LEADERLESS {
        let mut scenario = scenario(variant, matrix, sites, 1);
        scenario.script.clear();
        scenario.settings = settings.iter().map(|(key, on)| ((*key).to_owned(), Value::Flag(*on))).collect();
        // A key for each client.
        for (key, clients) in (0..).zip(&mut scenario.clients) {
            (clients.keys, clients.first_key, clients.reads) = (Some(1), Some(key), Some("50%".into()));
        }
        let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!((report.latency_us.len(), report.history), (sites.len(), Some("linearizable")));
        for client in &report.latency_us {
            let site = *sites.iter().find(|site| **site == client.site).expect("one of them");
            let within =
                matrix.round_trips()[matrix.region(site).expect("in the table").0 * (matrix.regions.len() + 1)];
            let expected = within + rounds * to_majority(matrix, sites, site);
            let found = (client.mean, client.p50, client.p99, client.max);
            assert_eq!(found, (expected, expected, expected, expected), "{variant} {settings:?}, client {site}");
            assert!(client.count > 10, "{variant}, {site}: only {} answers", client.count);
        }
    }
}

#[test]
fn without_a_leader_every_site_waits_for_its_own_nearest_majority() {
    check_without_leader("pql", &["JP", "CA", "OR", "VA", "IRL"]);
    check_without_leader("aws", &["us-east-1", "us-west-2", "eu-west-1"]);
}

/// Rystsov, CASPaxos, §3.2: milliseconds for a read and a write at West US 2, West Central US and Southeast Asia.
#[test]
fn three_azure_regions_of_the_caspaxos_paper() {
    let cases = [
        ("no-leader", "caspaxos", [43.6, 43.6, 338.0]),
        ("far-leader", "multi-paxos", [676.0, 716.4, 338.0]),
        ("far-leader", "raft", [676.0, 716.4, 338.0]),
    ];
    for (key, variant, expected) in cases {
        let mut scenario = text::from_json(preset(key).expect("built in").json).expect("built in").scenario;
        scenario.variant = variant.to_owned();
        let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
        let iteration = report.latency_us.iter().map(|client| {
            assert_eq!((client.p50, client.max), (client.mean, client.mean), "{key}, {variant}, {}", client.site);
            2 * client.mean
        });
        let expected = expected.map(|milliseconds| (milliseconds * 1_000.0_f64).round() as u64);
        assert_eq!(iteration.collect::<Vec<_>>(), expected, "{key}, {variant}");
        assert!(report.violations.is_empty());
    }
}
