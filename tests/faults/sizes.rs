//! Value sizes: exact byte counts, and transmission times under bandwidth limits.

use super::{THREE, scenario, world};
use quorumscope::core::{ClientId, Command, NodeId};
use quorumscope::lab::{Scenario, ValueBytes};
use quorumscope::sim::{Action, Sizes};

const SIZES: Sizes = Sizes { least: 16, most: 4_096 };

fn sized(scenario: &Scenario, bytes: impl Into<ValueBytes>) -> Scenario {
    Scenario { value_bytes: Some(bytes.into()), ..scenario.clone() }
}

fn bytes(scenario: &Scenario) -> (u64, u64) {
    let mut world = world(scenario);
    world.run_until(5_000_000);
    (world.counts().bytes(), world.fingerprint())
}

/// One client that issues `commands` commands.
fn one_client(variant: &str, commands: u32) -> Scenario {
    let mut one_client = scenario(&THREE.replace("raft", variant));
    one_client.clients.truncate(1);
    one_client.clients[0].commands = Some(commands);
    one_client
}

#[test]
fn bytes_of_a_single_value_are_counted_exactly() {
    let once = one_client("synod", 1);
    let ((none, run), (one, _)) = (bytes(&sized(&once, 0)), bytes(&sized(&once, 1)));
    let (all, same_run) = bytes(&sized(&once, (SIZES.least, SIZES.most)));
    let size = u64::from(SIZES.of(1, Command::value_of(ClientId(0), 1)));
    assert!((16..=4_096).contains(&size) && one > none);
    assert_eq!(all - none, (one - none) * size, "{} messages carry it", one - none);
    assert_eq!(run, same_run, "how large values are changes nothing where nothing depends on it");
}

#[test]
fn bytes_of_log_entries_are_counted_exactly() {
    // Each command is sent once to each of two others; the first entry of a new leader has a value of its own.
    for variant in ["raft", "multi-paxos"] {
        let (many, more) = (one_client(variant, 40), one_client(variant, 41));
        let [few_bytes, many_bytes] = [&many, &more].map(|scenario| {
            let none = bytes(&sized(scenario, 0)).0;
            bytes(&sized(scenario, (SIZES.least, SIZES.most))).0 - none
        });
        let last = u64::from(SIZES.of(1, Command::value_of(ClientId(0), 41)));
        let copies = (many_bytes - few_bytes) / last;
        assert_eq!(many_bytes - few_bytes, copies * last, "{variant}: {last} bytes in each copy");
        assert!((2..=4).contains(&copies), "{variant}: {copies}");
    }
}

#[test]
fn large_values_take_longer_over_limited_uplink() {
    let mut scenario = sized(&one_client("multi-paxos", 1_000), (SIZES.least, SIZES.most));
    scenario.clients[0].reads = None;
    let mut world = world(&scenario);
    world.run_until(2_000_000);
    let leader = world.leader().expect("elected by now");
    world.act(Action::Uplink { node: leader, bytes_per_s: 1_000_000 }).expect("it is there");
    world.run_until(2_500_000);
    let before = world.counts().answered;
    world.run_until(6_000_000);
    let answered = world.samples().iter().flat_map(|log| log.iter()).map(|(_, sample)| *sample);
    // Closed loop with one session: the n-th reply answers the n-th command.
    let mut timed: Vec<(u32, u64)> = (1..)
        .zip(answered)
        .filter(|(seq, _)| u64::from(*seq) > before)
        .map(|(seq, sample)| (SIZES.of(1, Command::value_of(ClientId(0), seq)), sample.latency))
        .collect();
    assert!(timed.len() > 50, "{}", timed.len());
    timed.sort_unstable();
    let third = timed.len() / 3;
    let mean = |some: &[(u32, u64)]| some.iter().map(|(_, latency)| latency).sum::<u64>() / some.len() as u64;
    let (small, large) = (mean(&timed[..third]), mean(&timed[2 * third..]));
    assert!(large > small + 1_000, "{small} and {large} µs; 4 kB take 4 ms");
    assert_eq!(world.violations(), []);
    assert!(world.node(NodeId(0)).status.is_some());
}

#[test]
fn value_size_range_reads_back_and_invalid_range_is_refused() {
    let read = |text: &str| quorumscope::lab::text::from_toml(&format!("{THREE}\nvalue_bytes = {text}"));
    let told = |text: &str| match read(text) {
        Err(wrong) => wrong.to_string(),
        Ok(document) => document.scenario.check().map(|_| ()).expect_err(text).to_string(),
    };
    let good = read("{ from = 64, to = 64 }").expect("it makes sense").scenario;
    assert!(quorumscope::lab::text::to_toml(&good).contains("value_bytes = 64\n"));
    let sizes = read("{ from = 16, to = 4096 }").expect("good").scenario.check().expect("good").blueprint.topology;
    assert_eq!(sizes.value_bytes, SIZES);
    assert_eq!(told("{ from = 2, to = 1 }"), "value_bytes.to: 1: is less than \"from\"; 2 or more would do");
    assert_eq!(told("{ from = 2, to = 16777217 }"), "value_bytes.to: 16777217: 0 to 16777216 would do");
    assert_eq!(told("16777217"), "value_bytes: 16777217: 0 to 16777216 would do");
    assert!(told("{ from = 2 }").contains("value_bytes"), "{}", told("{ from = 2 }"));
    assert!(told("\"64\"").contains("a number of bytes, or { from = 16, to = 4096 }"), "{}", told("\"64\""));
    assert!(told("-1").contains("value_bytes"), "{}", told("-1"));
}
