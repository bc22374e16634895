//! Fast Paxos in simulated worlds: latencies are arithmetic on the matrix, and votes collide exactly where commands reach acceptors in different
//! orders.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod common;

use common::{cluster, micros};
use quorumscope::core::NodeId;
use quorumscope::lab::atlas::matrix;
use quorumscope::lab::run::Run;
use quorumscope::lab::{Clients, Scenario, Site, Value};
use quorumscope::universe::Universe;

/// One replica at each site, and a fast quorum of them.
fn scenario(sites: &[&str], settings: &[(&str, Value)]) -> Scenario {
    Scenario {
        variant: "fast-paxos".to_owned(),
        sites: sites.iter().map(|site| Site::named(site)).collect(),
        replicas: sites.iter().map(|site| (*site).to_owned()).collect(),
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
        duration: Some("20s".into()),
        warmup: Some("3s".into()),
        ..Scenario::default()
    }
}

/// What a client at site `client` waits for, when nobody else asks: until some replica has votes of a fast quorum, each sent when the command
/// reached its acceptor, and the replica's answer. `way` is one way, µs.
fn waits(n: usize, quorum: usize, client: usize, way: impl Fn(usize, usize) -> u64) -> u64 {
    let learns = |learner: usize| {
        let own = |acceptor| if acceptor == learner { 0 } else { way(acceptor, learner) };
        let mut votes: Vec<u64> = (0..n).map(|acceptor| way(client, acceptor) + own(acceptor)).collect();
        votes.sort_unstable();
        votes[quorum - 1]
    };
    (0..n).map(|learner| learns(learner) + way(learner, client)).min().expect("there are replicas")
}

#[test]
fn client_waits_for_the_nearest_replica_that_hears_a_fast_quorum() {
    let word = |word: &str| Value::Text(word.to_owned());
    let cases: [(&str, &[&str], &str, usize); 5] = [
        ("pql", &["JP", "CA", "OR", "VA", "IRL"], "majority", 4),
        ("pql", &["JP", "CA", "OR", "VA"], "majority", 3),
        ("aws", &["us-east-1", "us-west-2", "eu-west-1"], "majority", 3),
        ("gcp", &["us-central1", "us-east4", "us-west1", "europe-west1", "asia-east1", "asia-south1"], "majority", 5),
        ("pql", &["JP", "CA", "OR", "VA", "IRL"], "two-thirds", 4),
    ];
    for (key, sites, quorums, quorum) in cases {
        let matrix = matrix(key).expect("built in");
        let all = matrix.round_trips();
        let row = |site: usize| matrix.region(sites[site]).expect("in the table").0 * matrix.regions.len();
        let column = |site: usize| matrix.region(sites[site]).expect("in the table").0;
        let round_trip = |a: usize, b: usize| (all[row(a) + column(b)] + all[row(b) + column(a)]) / 2;
        for (place, client) in sites.iter().enumerate() {
            let mut scenario = scenario(sites, &[("quorums", word(quorums))]);
            scenario.matrix = Some(key.to_owned());
            scenario.clients =
                vec![Clients { site: (*client).to_owned(), think: Some("50ms".into()), ..Clients::default() }];
            let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
            // Twice the ways, so that halves of microseconds are whole.
            let expected = waits(sites.len(), quorum, place, round_trip) / 2;
            let found = &report.latency_us[0];
            let what = format!("{key}, {quorums}, client {client}");
            assert!(found.count > 10, "{what}: only {} answers", found.count);
            // The two ways of one pair may differ by a microsecond, and a vote takes two of them.
            assert!(found.mean.abs_diff(expected) <= 1 && found.max == found.p50, "{what}: {found:?}, {expected}");
            assert_eq!(report.violations.len(), 0);
        }
    }
}

/// One way between five sites, ms. Any two ways together are longer than any other, so no vote for a command overtakes the command itself.
const WAYS: [[u64; 5]; 5] =
    [[0, 41, 57, 66, 78], [41, 0, 49, 70, 61], [57, 49, 0, 52, 45], [66, 70, 52, 0, 43], [78, 61, 45, 43, 0]];

/// The number of acceptors to which the command of a client at the first site comes first, if one at the last site asks `later` ms later.
fn first_for_one(later: i64) -> usize {
    (0..5).filter(|site| (WAYS[0][*site] as i64) < WAYS[4][*site] as i64 + later).count()
}

/// The share of moments at which two commands collide grows with the distance of their clients, as the arithmetic has it.
#[test]
fn votes_collide_where_neither_command_is_first_at_a_fast_quorum() {
    let mut collisions = 0;
    for later in (-99..100).step_by(6) {
        let mut scenario = scenario(&["a", "b", "c", "d", "e"], &[]);
        scenario.rtt_ms = WAYS.iter().map(|row| row.iter().map(|way| (2 * way) as f64).collect()).collect();
        let one = |site: &str, at: i64| Clients {
            site: site.to_owned(),
            start: micros((5_000 + at) as u64 * 1_000),
            commands: Some(1),
            ..Clients::default()
        };
        scenario.clients = vec![one("a", 0), one("e", later)];
        let mut cluster = cluster(&scenario);
        cluster.run_until(8_000_000);
        let first = first_for_one(later);
        let collides = first < 4 && 5 - first < 4;
        // Votes in an even round are those of a recovery.
        let last = (0..5).filter_map(|node| cluster.entry(NodeId(node), 1)).map(|entry| entry.epoch.number).max();
        let recovers = last.map(|round| round % 2 == 0);
        assert_eq!(recovers, Some(collides), "{later} ms later: {first} acceptors get the one first");
        assert!(cluster.violations().is_empty() && cluster.counts().answered == 2);
        collisions += u32::from(collides);
    }
    // Of the moments within 100 ms: those at which two or three acceptors get the one first.
    assert!((5..20).contains(&collisions), "{collisions}");
}
