//! Failure domains: crash, restart and partition of a machine, rack, site or region.

use super::{THREE, scenario, world};
use quorumscope::core::NodeId;
use quorumscope::lab::Scenario;
use quorumscope::sim::Action;
use quorumscope::universe::Universe;

fn up(world: &dyn Universe) -> Vec<u8> {
    (0..world.nodes()).filter(|id| world.node(NodeId(*id)).status.is_some()).map(|id| id + 1).collect()
}

fn with(script: &str, replicas: &str) -> Scenario {
    let text = THREE.replace(r#"replicas = ["a", "b", "c"]"#, replicas);
    scenario(&format!("{text}script = [{script}]"))
}

const RACKS: &str = r#"replicas = ["a/r1/m1", "a/r1/m2", "a/r2", "b", "c"]"#;

#[test]
fn domain_crash_affects_exactly_the_nodes_inside() {
    let cases: [(&str, &[u8]); 5] =
        [("a/r1/m2", &[1, 3, 4, 5]), ("a/r1", &[3, 4, 5]), ("a", &[4, 5]), ("west", &[5]), ("c", &[1, 2, 3, 4])];
    for (place, left) in cases {
        let fault = |word: &str, at: u32| format!(r#"{{ at = "{at}s", do = "{word}", in = "{place}" }},"#);
        let mut world = world(&with(&(fault("crash", 1) + &fault("restart", 2)), RACKS));
        world.run_until(1_500_000);
        assert_eq!(up(&*world), left, "{place}");
        world.run_until(2_500_000);
        assert_eq!(up(&*world), [1, 2, 3, 4, 5], "{place}");
        assert_eq!((world.refused(), world.violations()), (&[][..], &[][..]));
    }
}

#[test]
fn domain_partition_blocks_messages_across_its_edge_only() {
    let mut world =
        world(&with(r#"{ at = "2s", do = "cut", in = "west" }, { at = "4s", do = "heal", in = "west" }"#, RACKS));
    world.run_until(2_050_000);
    assert_eq!(world.node(NodeId(4)).cut.len(), 4);
    assert_eq!(world.node(NodeId(0)).cut.iter().collect::<Vec<_>>(), [NodeId(4)]);
    let answered = |world: &dyn Universe| -> Vec<u32> { world.samples().iter().map(|log| log.last()).collect() };
    let before = answered(&*world);
    world.run_until(4_000_000);
    let during = answered(&*world);
    assert!(during[0] > before[0] && during[1] > before[1], "inside there is a majority");
    assert_eq!(during[2], before[2], "clients outside reach nobody who could answer");
    world.run_until(6_000_000);
    assert!(answered(&*world)[2] > during[2], "and now they do again");
    assert_eq!(world.node(NodeId(4)).cut.len(), 0);
    assert_eq!((world.refused(), world.violations()), (&[][..], &[][..]));
}

#[test]
fn node_moved_out_of_partitioned_domain_is_reachable_again() {
    let script = r#"
        { at = "1s", do = "cut", in = "c" }, { at = "2s", do = "move", node = 5, site = "b" },
        { at = "3s", do = "cut", from = 1, to = 5 }, { at = "4s", do = "heal-all" },
    "#;
    let mut world = world(&with(script, RACKS));
    let cuts = |world: &dyn Universe| world.node(NodeId(4)).cut.len();
    for (until, expected) in [(1_500_000, 4), (2_500_000, 0), (3_500_000, 1), (4_500_000, 0)] {
        world.run_until(until);
        assert_eq!(cuts(&*world), expected, "{until}");
    }
}

#[test]
fn heal_of_single_link_across_partitioned_domain_is_refused() {
    let mut world = world(&with(r#"{ at = "1s", do = "cut", in = "c" }"#, RACKS));
    world.run_until(2_000_000);
    let refusal = world.act(Action::Heal(NodeId(0), NodeId(4))).expect_err("it lies across");
    assert!(refusal.to_string().contains("reconnect"), "{refusal}");
}
