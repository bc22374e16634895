//! Crashes in the middle of a broadcast.

use super::{THREE, fault, scenario, world};
use quorumscope::core::NodeId;
use quorumscope::lab::Scenario;
use quorumscope::sim::{Action, What};

/// The leader after one second, and the number of messages it has sent by then.
fn leader_after_a_second(world: &mut Box<dyn quorumscope::universe::Universe>) -> (NodeId, u64) {
    world.run_until(1_000_000);
    let leader = world.leader().expect("elected by now");
    (leader, world.counts().by_sender()[usize::from(leader.0)])
}

#[test]
fn crash_after_k_sends_transmits_exactly_k_messages() {
    for sends in [0, 1, 3] {
        let mut world = world(&scenario(THREE));
        let (leader, before) = leader_after_a_second(&mut world);
        world.act(Action::CrashAfter { node: leader, sends }).expect("it runs");
        world.run_until(1_500_000);
        let sent = world.counts().by_sender()[usize::from(leader.0)] - before;
        assert_eq!((sent, world.node(leader).status), (u64::from(sends), None), "{sends}");
        let stopped = world.trace().records().filter(|(_, record)| record.what == What::Stopped);
        assert_eq!(stopped.map(|(_, record)| (record.node, record.detail)).collect::<Vec<_>>(), [(leader, 1)]);
        assert!(world.violations().is_empty());
    }
}

#[test]
fn crash_during_broadcast_reaches_some_followers_only() {
    let mut world = world(&scenario(THREE));
    let (leader, _) = leader_after_a_second(&mut world);
    let lengths = |world: &dyn quorumscope::universe::Universe| -> Vec<u32> {
        let ids = (0..3).map(NodeId).filter(|id| *id != leader);
        ids.map(|id| world.node(id).status.expect("it runs").log.last).collect()
    };
    while {
        let lengths = lengths(&*world);
        lengths[0] != lengths[1]
    } {
        assert!(world.step_until(2_000_000));
    }
    world.act(Action::CrashAfter { node: leader, sends: 1 }).expect("it runs");
    // Long enough for all messages to arrive, too short for an election.
    let until = world.time() + 25_000;
    world.run_until(until);
    assert_eq!(world.node(leader).status, None);
    let lengths = lengths(&*world);
    assert_ne!(lengths[0], lengths[1], "one of the two has what the other never got");
}

#[test]
fn crash_after_k_sends_is_read_from_a_script_and_refused_for_a_domain() {
    let line = fault(r#"{ at = "1s", do = "crash", node = 2, after = 2 }"#);
    let scenario = Scenario { script: vec![line.clone()], ..scenario(THREE) };
    let checked = scenario.check().unwrap_or_else(|wrong| panic!("{wrong}"));
    let action = checked.blueprint.script[0].action;
    assert_eq!(action, Action::CrashAfter { node: NodeId(1), sends: 2 });
    let wrong = Scenario { script: vec![fault(r#"{ at = "1s", do = "crash", in = "west", after = 2 }"#)], ..scenario };
    let told = wrong.check().map(|_| ()).expect_err("a place sends nothing").to_string();
    assert!(told.starts_with("script[0].after: "), "{told}");
}
