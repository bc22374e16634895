//! Pauses: what waits, what a clock does meanwhile, and what that means for leases.

use super::{THREE, scenario, world};
use quorumscope::core::NodeId;
use quorumscope::judge::linearizability::{Limits, Model, Verdict, judge};
use quorumscope::lab::Scenario;
use quorumscope::sim::{Action, What};
use quorumscope::universe::Universe;

#[test]
fn a_paused_node_handles_nothing_and_then_all_of_it_at_once() {
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
fn a_node_that_ends_while_paused_has_lost_what_waited() {
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

/// A leader with a lease is paused and its links are down until a little after it goes on; meanwhile the others elect a new one and
/// write. Then a client beside it asks.
fn lease(clock_stops: bool) -> Scenario {
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

/// Whether what clients saw in ten seconds can be put in order.
pub fn linearizable(scenario: &Scenario) -> bool {
    let mut world = world(scenario);
    world.run_until(10_000_000);
    is_linearizable(&*world)
}

/// Whether what clients saw so far can be put in order.
pub fn is_linearizable(world: &dyn Universe) -> bool {
    let history = world.history().expect("it was overheard");
    match judge(&history, Model::KeyValue, Limits::default()).verdict {
        Verdict::Linearizable => true,
        Verdict::Violated(_) => false,
        undecided => panic!("{undecided:?}"),
    }
}

#[test]
fn a_lease_ends_during_a_pause_if_the_clock_goes_on() {
    assert!(linearizable(&lease(false)), "timers come first, so the lease is over before the read is looked at");
}

#[test]
fn a_lease_outlives_its_time_if_the_clock_stops() {
    assert!(!linearizable(&lease(true)), "the old leader still believes in its lease");
}

#[test]
fn the_built_in_scenario_of_a_suspended_leader_shows_it() {
    let text = std::fs::read_to_string("scenarios/suspended-leader.toml").expect("there is such a file");
    assert!(!linearizable(&scenario(&text)));
    let fixed = text.replace("clock_stops = true", "clock_stops = false");
    assert!(linearizable(&scenario(&fixed)));
}
