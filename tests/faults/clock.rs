//! Clock faults: drift and jumps, and their effect on leases and elections.

use super::pause::is_scenario_linearizable;
use super::{THREE, scenario, world};
use quorumscope::core::NodeId;
use quorumscope::lab::Scenario;
use quorumscope::sim::{Action, Record, What};
use quorumscope::universe::Universe;

/// A leader with a lease is partitioned from the others, together with a client. The others elect a new leader and write, while the old one
/// serves reads until its lease expires by its own clock. The lease allows for a relative drift of 10%.
fn lease_scenario(drift: &str) -> Scenario {
    scenario(&format!(
        r#"
variant = "raft"
settings = {{ reads = "lease", election_timeout_min = "400ms", election_timeout_max = "440ms", heartbeat = "50ms" }}
sites = ["a", "b", "c"]
rtt_ms = [[0.2, 10, 10], [10, 0.2, 10], [10, 10, 0.2]]
replicas = ["a", "b", "c"]
clients = [
    {{ site = "b", think = "1ms", retry = "50ms", keys = 1 }},
    {{ site = "a", think = "1ms", retry = "10s", keys = 1, reads = "100%" }},
]
script = [
    {{ at = "1s", do = "hand-over", node = 1 }},
    {drift}
    {{ at = "2s", do = "cut", from = 1, to = [2, 3] }},
    {{ at = "4s", do = "heal-all" }},
]
"#
    ))
}

#[test]
fn lease_reads_are_linearizable_within_allowed_clock_drift_only() {
    assert!(is_scenario_linearizable(&lease_scenario("")));
    assert!(is_scenario_linearizable(&lease_scenario(r#"{ at = "0s", do = "drift", node = 1, ppm = -90000 },"#)));
    let slow = r#"{ at = "0s", do = "drift", node = 1, ppm = -400000 },"#;
    assert!(!is_scenario_linearizable(&lease_scenario(slow)), "the old leader's lease lasts too long");
    let allowed = lease_scenario(slow);
    let mut settings = allowed.settings.clone();
    settings.insert("clock_drift_permille".into(), quorumscope::lab::Value::Number(800));
    assert!(is_scenario_linearizable(&Scenario { settings, ..allowed }), "allowed for, it is safe again");
}

/// The jump is the first fault of the run, so that no clock state exists before.
#[test]
fn clock_jump_ahead_as_first_fault_makes_pending_timers_due_at_once() {
    let mut world = world(&scenario(THREE));
    world.run_until(3_000_000);
    let leader = world.leader().expect("elected by now");
    let follower = (0..3).map(NodeId).find(|id| *id != leader).expect("there are three");
    let timers_at = |world: &dyn Universe, at: u64| {
        let at_once = |record: &Record| (record.what, record.node, record.at) == (What::Timer, follower, at);
        world.trace().records().filter(|(_, record)| at_once(record)).count()
    };
    assert_eq!(timers_at(&*world, 3_000_000), 0);
    world.act(Action::Jump { node: follower, by: 60_000_000 }).expect("it runs");
    world.run_until(3_000_000);
    assert!(timers_at(&*world, 3_000_000) > 0);
    world.run_until(4_000_000);
    assert_eq!(world.violations(), []);
}

#[test]
fn clock_jump_back_as_first_fault_keeps_its_node_from_campaigning() {
    let mut world = world(&scenario(THREE));
    world.run_until(3_000_000);
    let leader = world.leader().expect("elected by now");
    let follower = (0..3).map(NodeId).find(|id| *id != leader).expect("there are three");
    world.act(Action::Jump { node: follower, by: -60_000_000 }).expect("it runs");
    world.act(Action::Crash(leader)).expect("it runs");
    world.run_until(10_000_000);
    let next = world.leader().expect("the two others are a majority");
    assert_ne!(next, follower, "it waits for a minute longer than the other");
}

#[test]
fn fast_clock_times_out_first_and_wins_election() {
    let elected = |drift: i32| {
        let mut world = world(&scenario(THREE));
        for node in [NodeId(0), NodeId(1)] {
            world.act(Action::Drift { node, ppm: -drift }).expect("it runs");
        }
        world.act(Action::Drift { node: NodeId(2), ppm: drift }).expect("it runs");
        world.run_until(2_000_000);
        world.leadership_intervals()[0].node
    };
    assert_eq!(elected(400_000), NodeId(2));
}
