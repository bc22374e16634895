//! Processor cost of messages: saturation of the leader, throttling, crashes with queued messages.

use super::{scenario, world};
use quorumscope::core::NodeId;
use quorumscope::lab::Scenario;
use quorumscope::sim::Action;

fn saturated(variant: &str, n: usize, sessions: u32, cost: &str) -> Scenario {
    let replicas = vec!["\"x\""; n].join(", ");
    scenario(&format!(
        r#"
variant = "{variant}"
sites = ["x"]
rtt_ms = [[8]]
replicas = [{replicas}]
cost = {cost}
settings = {{ election_timeout_min = "500ms", election_timeout_max = "1s", heartbeat = "50ms" }}
clients = [{{ site = "x", sessions = {sessions} }}]
seed = 3
"#
    ))
}

/// Commands answered in one second, after an election.
fn throughput(scenario: &Scenario) -> u64 {
    let mut world = world(scenario);
    world.run_until(2_000_000);
    let before = world.counts().answered;
    world.run_until(3_000_000);
    assert_eq!(world.violations(), []);
    world.counts().answered - before
}

const TWENTY: &str = r#"{ receive = "20us", send = "20us" }"#;

#[test]
fn leader_throughput_saturates_at_processor_cost_of_its_messages() {
    // Raft with n = 5, without batching: for one command the leader receives a request and 4 replies, and sends 4 messages and a reply.
    let most = 1_000_000 / (10 * 20);
    let few = throughput(&saturated("raft", 5, 2, TWENTY));
    let many = throughput(&saturated("raft", 5, 200, TWENTY));
    let more = throughput(&saturated("raft", 5, 400, TWENTY));
    assert!(few < many, "{few} and {many}");
    assert!(more < many + many / 5, "{many} and {more}: twice the clients get no more");
    assert!(many <= 2 * most, "{many} of {most}");
    assert!(throughput(&saturated("raft", 3, 200, TWENTY)) > many, "fewer replicas, less to do for each command");
}

#[test]
fn per_byte_cost_reduces_throughput_of_large_values() {
    let per_kb = r#"{ receive_kb = "200us", send_kb = "200us" }"#;
    let small = saturated("multi-paxos", 3, 20, per_kb);
    let large = Scenario { value_bytes: Some(4_000.into()), ..small.clone() };
    assert!(throughput(&large) * 3 < throughput(&small), "{} and {}", throughput(&large), throughput(&small));
}

#[test]
fn slow_processor_of_leader_reduces_throughput_more_than_that_of_follower() {
    let run = |slow: u8| {
        let mut world = world(&saturated("multi-paxos", 5, 4, r#"{ receive = "100us", send = "100us" }"#));
        world.run_until(1_000_000);
        world.act(Action::HandOver(NodeId(0))).unwrap_or(());
        world.run_until(2_000_000);
        world.act(Action::Throttle { node: NodeId(slow), percent: 1_000 }).expect("messages cost something");
        let before = world.counts().answered;
        world.run_until(3_000_000);
        world.counts().answered - before
    };
    let (leader, follower) = (run(0), run(4));
    assert!(leader * 2 < follower, "{leader} and {follower}");
}

#[test]
fn crash_with_messages_queued_at_processor_keeps_safety_and_progress() {
    let mut world = world(&saturated("raft", 3, 60, TWENTY));
    for round in 1..8 {
        world.run_until(round * 500_000);
        let node = NodeId((round % 3) as u8);
        world.act(Action::Crash(node)).expect("it runs");
        world.run_until(round * 500_000 + 200_000);
        world.act(Action::Restart(node)).expect("it is down");
    }
    world.run_until(6_000_000);
    assert!(world.chosen() > 1_000, "{}", world.chosen());
    assert_eq!(world.violations(), []);
}

#[test]
fn throttle_without_message_cost_is_refused() {
    let mut free = saturated("raft", 3, 1, TWENTY);
    free.cost = Default::default();
    let mut world = world(&free);
    assert!(world.act(Action::Throttle { node: NodeId(0), percent: 500 }).is_err());
}
