//! Pauses: deferred events, clocks that run or stop meanwhile, and the effect on leases.

use super::{THREE, scenario, world};
use quorumscope::core::NodeId;
use quorumscope::judge::linearizability::{Limits, Model, Verdict, judge};
use quorumscope::lab::Scenario;
use quorumscope::sim::{Action, What};
use quorumscope::universe::Universe;

#[test]
fn paused_node_defers_all_events_until_continued() {
    let mut world = world(&scenario(THREE));
    world.run_until(2_000_000);
    let leader = world.leader().expect("elected by now");
    world.act(Action::Pause { node: leader, clock_stops: false }).expect("it runs");
    assert!(world.act(Action::Pause { node: leader, clock_stops: false }).is_err());
    assert!(world.act(Action::Restart(leader)).is_err(), "it is running");
    world.run_until(4_000_000);
    let handled = |world: &dyn Universe| {
        let mine = |record: &quorumscope::sim::Record| {
            record.node == leader && matches!(record.what, What::Delivered | What::Timer | What::Request)
        };
        world.trace().records().map(|(_, record)| record).filter(mine).map(|record| record.at).next_back()
    };
    assert!(handled(&*world).is_none_or(|at| at <= 2_000_000));
    let waiting = world.node(leader).paused.expect("it is paused");
    assert!(waiting > 10, "{waiting}");
    assert_ne!(world.leader(), Some(leader), "the others went on without it");
    world.act(Action::Continue(leader)).expect("it is paused");
    world.run_until(4_000_000);
    assert_eq!(handled(&*world), Some(4_000_000), "all at once");
    assert_eq!(world.node(leader).paused, None);
    world.run_until(6_000_000);
    let committed = |id: NodeId| world.node(id).status.expect("it runs").log.committed;
    assert!(committed(leader) + 10 > (0..3).map(|id| committed(NodeId(id))).max().unwrap_or(0));
    assert_eq!(world.violations(), []);
}

#[test]
fn crash_of_paused_node_loses_deferred_messages() {
    let mut world = world(&scenario(THREE));
    world.run_until(2_000_000);
    world.act(Action::Pause { node: NodeId(1), clock_stops: false }).expect("it runs");
    world.run_until(3_000_000);
    let (lost, waiting) = (world.counts().lost, world.node(NodeId(1)).paused.expect("it is paused"));
    world.act(Action::Crash(NodeId(1))).expect("a paused node can crash");
    assert!(world.counts().lost > lost && world.counts().lost <= lost + waiting as u64);
    assert!(world.act(Action::Continue(NodeId(1))).is_err());
    world.act(Action::Restart(NodeId(1))).expect("it is down");
    world.run_until(6_000_000);
    assert_eq!(world.violations(), []);
}

/// A leader with a lease is paused, and its links are cut until shortly after it continues. Meanwhile the others elect a new leader and write.
/// Then a client at its site reads.
fn lease_scenario(clock_stops: bool) -> Scenario {
    scenario(&format!(
        r#"
variant = "raft"
settings = {{ reads = "lease" }}
sites = ["a", "b", "c"]
rtt_ms = [[0.2, 10, 10], [10, 0.2, 10], [10, 10, 0.2]]
replicas = ["a", "b", "c"]
clients = [
    {{ site = "b", think = "5ms", retry = "50ms", keys = 1 }},
    {{ site = "a", think = "1ms", retry = "10s", keys = 1, reads = "100%", start = "2900ms" }},
]
script = [
    {{ at = "1s", do = "hand-over", node = 1 }},
    {{ at = "2s", do = "pause", node = 1, clock_stops = {clock_stops} }},
    {{ at = "2s", do = "cut", from = 1, to = 2 }},
    {{ at = "2s", do = "cut", from = 1, to = 3 }},
    {{ at = "3s", do = "continue", node = 1 }},
    {{ at = "3100ms", do = "heal-all" }},
]
"#
    ))
}

/// Whether the client history of ten seconds is linearizable.
pub fn is_scenario_linearizable(scenario: &Scenario) -> bool {
    let mut world = world(scenario);
    world.run_until(10_000_000);
    is_linearizable(&*world)
}

/// Whether the client history so far is linearizable.
pub fn is_linearizable(world: &dyn Universe) -> bool {
    let history = world.history().expect("it is recorded");
    match judge(&history, Model::KeyValue, Limits::default()).verdict {
        Verdict::Linearizable => true,
        Verdict::Violated(_) => false,
        undecided => panic!("{undecided:?}"),
    }
}

#[test]
fn lease_expires_during_pause_while_clock_runs() {
    assert!(
        is_scenario_linearizable(&lease_scenario(false)),
        "timers come first, so the lease is over before the read is looked at"
    );
}

#[test]
fn lease_outlives_its_term_if_clock_stops_during_pause() {
    assert!(!is_scenario_linearizable(&lease_scenario(true)), "the old leader still believes in its lease");
}

#[test]
fn suspended_leader_scenario_is_linearizable_only_while_clock_runs() {
    let text = std::fs::read_to_string("scenarios/suspended-leader.toml").expect("there is such a file");
    assert!(!is_scenario_linearizable(&scenario(&text)));
    let fixed = text.replace("clock_stops = true", "clock_stops = false");
    assert!(is_scenario_linearizable(&scenario(&fixed)));
}
