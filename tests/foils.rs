//! Ways that do not work: what each keeps, over many seeds with faults, and what each lacks.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::core::{EntryStatus, NodeId};
use quorumscope::lab::atlas::matrix;
use quorumscope::lab::fuzz::{FuzzRequest, Fuzzer};
use quorumscope::lab::run::Run;
use quorumscope::lab::{Clients, Scenario, Session, Site, Value};
use quorumscope::sim::Action;
use quorumscope::sim::action::DiskFault;

/// Seeds of each question.
const SEEDS: u64 = 100;

fn fuzzer(variant: &str, settings: &[(&str, &str)], only: &[&str]) -> Fuzzer {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), Value::Text((*value).to_owned())));
    let request = FuzzRequest {
        variant: variant.to_owned(),
        settings: settings.collect(),
        only: only.iter().map(|kind| (*kind).to_owned()).collect(),
        ..FuzzRequest::default()
    };
    request.check().unwrap_or_else(|problems| panic!("{problems}"))
}

/// How many seeds end in histories that are linearizable, and in histories that are not.
fn histories(fuzzer: &Fuzzer) -> [u64; 2] {
    let mut found = [0, 0];
    for seed in 0..SEEDS {
        let scenario = fuzzer.run(seed).scenario;
        let report = Run::to_end(&scenario.into()).expect("generated scenarios run");
        found[0] += u64::from(report.history == Some("linearizable"));
        found[1] += u64::from(report.history == Some("not linearizable"));
    }
    found
}

/// All but clocks, which decide how long the operator waits until a server is certainly off.
const NO_CLOCKS: &[&str] = &[
    "crash",
    "restart",
    "bounce",
    "place",
    "cut",
    "isolate",
    "split",
    "star",
    "heal",
    "loss",
    "pause",
    "duplicates",
    "reordering",
    "slow-link",
    "slow-disk",
    "hold",
];

#[test]
fn synchronous_failover_by_hand_loses_nothing_that_was_answered_and_asynchronous_does() {
    let [kept, lost] = histories(&fuzzer("manual-failover", &[("copies", "synchronous")], NO_CLOCKS));
    assert_eq!(lost, 0);
    assert!(kept > SEEDS / 3, "{kept} histories only");
    let [_, lost] = histories(&fuzzer("manual-failover", &[("copies", "asynchronous")], NO_CLOCKS));
    assert!(lost > 0);
}

#[test]
fn leader_by_gossip_and_last_writer_lose_what_was_answered() {
    for variant in ["gossip-leader", "last-writer-wins"] {
        let [_, lost] = histories(&fuzzer(variant, &[], &[]));
        assert!(lost > 5, "{variant}: {lost}");
    }
}

/// What each replica holds in its registers.
fn registers(session: &Session) -> Vec<Vec<Option<EntryStatus>>> {
    let universe = session.universe();
    let all = |node: u8| (1..=16).map(|slot| universe.entry(NodeId(node), slot)).collect();
    (0..universe.nodes()).map(all).collect()
}

/// A session that has come to the end of a scenario, with all its faults healed, and some more time without clients.
fn healed(scenario: &Scenario) -> Option<Session> {
    let mut session = Session::new(scenario.clone()).expect("a good scenario");
    session.run_until(u64::MAX >> 1, 20_000);
    session.act(Action::Quiesce).ok()?;
    session.act(Action::Stabilise).ok()?;
    let nodes = session.universe().nodes();
    for node in (0..nodes).map(NodeId) {
        session.act(Action::Disk { node, fault: DiskFault::Repair }).ok()?;
        if session.universe().node(node).status.is_none() {
            // Where a record on the disk is corrupted, a replica does not come back.
            session.act(Action::Restart(node)).ok()?;
        }
    }
    let round_trip = session.checked().blueprint.topology.round_trip_max().max(1_000);
    let until = session.universe().time() + 40 * round_trip * u64::from(nodes) + 5_000_000;
    session.run_until(until, 400_000);
    Some(session)
}

#[test]
fn replicas_of_the_last_writer_hold_the_same_once_faults_are_over() {
    let fuzzer = fuzzer("last-writer-wins", &[], &[]);
    let (mut looked_at, mut differed) = (0, 0);
    for seed in 0..SEEDS {
        let mut scenario = fuzzer.run(seed).scenario;
        (scenario.recovery, scenario.stability) = (None, None);
        let Some(session) = healed(&scenario) else { continue };
        let held = registers(&session);
        assert!(held.iter().all(|other| *other == held[0]), "seed {seed}: {held:#?}");
        looked_at += 1;
        // What they hold is no empty store, and at some time they did not agree.
        differed += u64::from(held.len() > 1 && !session.universe().not_promised().is_empty());
    }
    assert!(looked_at > SEEDS / 2 && differed > SEEDS / 5, "{looked_at}, {differed}");
}

/// A client waits for its round trip to the primary, and for that of the primary to the farthest copy: no majority is enough.
#[test]
fn latency_of_synchronous_copies_is_the_round_trip_to_the_farthest() {
    let (matrix, sites) = (matrix("pql").expect("built in"), ["JP", "CA", "OR", "VA", "IRL"]);
    let all = matrix.round_trips();
    let row = |site: &str| matrix.region(site).expect("in the table").0;
    let measured = |a: &str, b: &str| all[row(a) * matrix.regions.len() + row(b)];
    let round_trip = |a: &str, b: &str| (measured(a, b) + measured(b, a)) / 2;
    for first in 0..sites.len() {
        let mut places = sites;
        places.rotate_left(first);
        let client =
            |site: &&str| Clients { site: (*site).to_owned(), think: Some("50ms".into()), ..Clients::default() };
        let scenario = Scenario {
            variant: "manual-failover".to_owned(),
            matrix: Some(matrix.key.to_owned()),
            sites: places.iter().map(|site| Site::named(site)).collect(),
            replicas: places.iter().map(|site| (*site).to_owned()).collect(),
            clients: places.iter().map(client).collect(),
            duration: Some("20s".into()),
            warmup: Some("10s".into()),
            ..Scenario::default()
        };
        let report = Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"));
        let farthest = places[1..].iter().map(|site| round_trip(places[0], site)).max().expect("five places");
        assert_eq!(report.latency_us.len(), places.len());
        for client in &report.latency_us {
            let expected = round_trip(&client.site, places[0]) + farthest;
            let found = (client.mean, client.p50, client.p99, client.max);
            assert_eq!(found, (expected, expected, expected, expected), "primary {}, {}", places[0], client.site);
            assert!(client.count > 10, "only {} answers", client.count);
        }
    }
}
