//! Reads that do not go through the log, in the simulator: what they cost a client in time, what is promised, and which settings fit.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::lab::atlas::matrix;
use quorumscope::lab::run::{Report, Run};
use quorumscope::lab::{Clients, Fault, Scenario, Site, Value, text};

fn scenario(toml: &str) -> Scenario {
    text::document(toml::from_str(toml).expect("TOML")).expect("a good scenario").scenario
}

fn report(scenario: Scenario) -> Report {
    Run::to_end(&scenario.into()).unwrap_or_else(|wrong| panic!("{wrong}"))
}

const SITES: [&str; 5] = ["JP", "CA", "OR", "VA", "IRL"];

/// Round trips on the table of the quorum leases paper, by site.
fn round_trip(a: &str, b: &str) -> u64 {
    let pql = matrix("pql").expect("built in");
    let row = |site: &str| pql.region(site).expect("in the table").0;
    let measured = |a: &str, b: &str| pql.round_trips()[row(a) * pql.regions.len() + row(b)];
    (measured(a, b) + measured(b, a)) / 2
}

/// The round trip from a site to the farthest member of its nearest majority of the five.
fn to_majority(from: &str) -> u64 {
    let mut others: Vec<u64> = SITES.iter().filter(|site| **site != from).map(|site| round_trip(from, site)).collect();
    others.sort_unstable();
    others[1]
}

/// A replica and a client that only reads at each of five sites; node 2, in California, leads. Returns each site with what a read takes there.
fn read_latencies(variant: &str, settings: &[(&str, &str)]) -> Vec<(String, u64)> {
    let client = |site: &&str| Clients {
        site: (*site).to_owned(),
        think: Some("50ms".into()),
        reads: Some("100%".into()),
        ..Clients::default()
    };
    let hand_over = Fault { at: "3s".into(), action: "hand-over".into(), node: Some(2.into()), ..Fault::default() };
    let report = report(Scenario {
        variant: variant.to_owned(),
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), Value::Text((*value).to_owned()))).collect(),
        matrix: Some("pql".to_owned()),
        sites: SITES.iter().map(|site| Site::named(site)).collect(),
        replicas: SITES.iter().map(|site| (*site).to_owned()).collect(),
        clients: SITES.iter().map(client).collect(),
        script: vec![hand_over],
        duration: Some("30s".into()),
        warmup: Some("15s".into()),
        ..Scenario::default()
    });
    assert_eq!((report.history, report.violations.len()), (Some("linearizable"), 0));
    let latencies = report.latency_us.iter().map(|client| {
        assert_eq!((client.p50, client.max), (client.mean, client.mean), "{variant} {settings:?}, {}", client.site);
        assert!(client.count > 10, "{variant}, {}: only {} answers", client.site, client.count);
        (client.site.clone(), client.mean)
    });
    latencies.collect()
}

fn expect(variant: &str, settings: &[(&str, &str)], expected: impl Fn(&str) -> u64) {
    let found = read_latencies(variant, settings);
    let expected: Vec<_> = SITES.iter().map(|site| ((*site).to_owned(), expected(site))).collect();
    assert_eq!(found, expected, "{variant} {settings:?}");
}

#[test]
fn read_at_any_replica_takes_the_round_trip_within_the_site() {
    for variant in ["raft", "multi-paxos"] {
        expect(variant, &[("reads", "any-replica")], |site| round_trip(site, site));
    }
}

#[test]
fn read_at_the_leader_takes_the_round_trip_to_it() {
    expect("raft", &[("reads", "lease")], |site| round_trip(site, "CA"));
    expect("raft", &[("reads", "leader-unchecked")], |site| round_trip(site, "CA"));
    expect("raft", &[("reads", "leaseguard"), ("lease_duration", "1h")], |site| round_trip(site, "CA"));
    expect("multi-paxos", &[("reads", "leader-unchecked")], |site| round_trip(site, "CA"));
}

#[test]
fn quorum_read_takes_the_round_trip_to_the_nearest_majority_wherever_the_leader_is() {
    expect("multi-paxos", &[("reads", "quorum-reads")], |site| round_trip(site, site) + to_majority(site));
}

#[test]
fn holder_of_a_quorum_lease_reads_within_its_site() {
    // The first three are in Japan, California and Oregon; five are all.
    let found = read_latencies_of_holders();
    for (site, latency) in &found[..3] {
        assert_eq!(*latency, round_trip(site, site), "{site}");
    }
    let to_log = |site: &str| round_trip(site, "CA");
    for (site, latency) in &found[3..] {
        assert_eq!(*latency, to_log(site), "{site}: the leader holds a lease itself");
    }
}

/// Medians: a client without a holder beside it tries its nearest replica again now and then.
fn read_latencies_of_holders() -> Vec<(String, u64)> {
    let mut text = String::from(
        "variant = \"multi-paxos\"\nmatrix = \"pql\"\nduration = \"30s\"\nwarmup = \"15s\"\nsettings = { reads = \"quorum-leases\", lease_holders = 3 }\n",
    );
    text += &format!("sites = {SITES:?}\nreplicas = {SITES:?}\n");
    text += "script = [{ at = \"3s\", do = \"hand-over\", node = 2 }]\n";
    for site in SITES {
        text += &format!("[[clients]]\nsite = {site:?}\nthink = \"50ms\"\nreads = \"100%\"\n");
    }
    let report = report(scenario(&text));
    assert_eq!(report.history, Some("linearizable"));
    report.latency_us.iter().map(|client| (client.site.clone(), client.p50)).collect()
}

/// Both grantors of node 1, which is cut off, crash and restart within its lease, and a write is asked for.
const RESTARTED_GRANTORS: &str = r#"
variant = "multi-paxos"
seed = 4
sites = ["a", "b", "c"]
rtt_ms = [[0, 10, 10], [10, 0, 10], [10, 10, 0]]
replicas = ["a", "b", "c"]
duration = "6s"
clients = [
  { site = "a", think = "100ms", reads = "100%", start = "500ms", commands = 40 },
  { site = "b", think = "100ms", start = "600ms", commands = 30 },
]
script = [
  { at = "300ms", do = "hand-over", node = 2 },
  { at = "1s", do = "cut", from = [1], to = [2, 3], replicas_only = true },
  { at = "1.05s", do = "crash", node = 2 },
  { at = "1.06s", do = "crash", node = 3 },
  { at = "1.07s", do = "restart", node = 2 },
  { at = "1.08s", do = "restart", node = 3 },
]
settings = { reads = "quorum-leases", lease_holders = 1, lease_duration = "2s" }
"#;

#[test]
fn grantors_that_restart_keep_the_promises_that_they_cannot_remember() {
    let kept = report(scenario(RESTARTED_GRANTORS));
    assert_eq!((kept.history, kept.violations.len()), (Some("linearizable"), 0));
    let mut forgetful = scenario(RESTARTED_GRANTORS);
    forgetful.without = vec!["promises-outlive-crashes".to_owned()];
    assert_eq!(report(forgetful).history, Some("not linearizable"));
}

#[test]
fn old_values_are_no_violation_where_only_these_reads_promise_less() {
    // Node 1 is cut off with the client beside it; nobody has leases.
    for (way, history) in
        [("any-replica", "not linearizable"), ("log", "linearizable"), ("quorum-reads", "linearizable")]
    {
        let mut stale = scenario(RESTARTED_GRANTORS);
        stale.settings = [("reads".to_owned(), Value::Text(way.to_owned()))].into();
        let report = report(stale);
        assert_eq!((report.history, report.violations.len()), (Some(history), 0), "{way}");
        assert_eq!(report.not_promised.len(), usize::from(way == "any-replica"), "{way}");
    }
}

#[test]
fn settings_of_reads_that_contradict_each_other_are_refused_by_key() {
    let refused = |variant: &str, settings: &[(&str, &str)]| {
        let mut bad = scenario(RESTARTED_GRANTORS);
        bad.variant = variant.to_owned();
        bad.settings =
            settings.iter().map(|(key, value)| ((*key).to_owned(), Value::Text((*value).to_owned()))).collect();
        bad.check().expect_err("they do not fit").to_string()
    };
    let short = refused("multi-paxos", &[("reads", "quorum-leases"), ("lease_duration", "30ms")]);
    assert!(short.contains("settings.lease_duration"), "{short}");
    let guard = refused("multi-paxos", &[("reads", "quorum-leases"), ("guard", "5ms")]);
    assert!(guard.contains("settings.guard"), "{guard}");
    let young = refused("raft", &[("reads", "leaseguard"), ("lease_duration", "5ms")]);
    assert!(young.contains("settings.lease_duration"), "{young}");
    let apart = refused("raft", &[("reads", "leaseguard"), ("lease_duration", "1s"), ("clock_error", "1s")]);
    assert!(apart.contains("settings.clock_error"), "{apart}");
    let mut many = scenario(RESTARTED_GRANTORS);
    many.settings.insert("lease_holders".to_owned(), Value::Number(4));
    let many = many.check().expect_err("there are three").to_string();
    assert!(many.contains("settings.lease_holders"), "{many}");
}
