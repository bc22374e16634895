//! Disk faults: slow disk, full disk, lost fsync, torn write, corrupted record.

use super::{THREE, scenario, world};
use quorumscope::core::NodeId;
use quorumscope::sim::action::DiskFault;
use quorumscope::sim::{Action, What};
use quorumscope::universe::Universe;

const TWO: NodeId = NodeId(1);

fn inject(world: &mut dyn Universe, fault: DiskFault) {
    world.act(Action::Disk { node: TWO, fault }).expect("it has a disk");
}

fn is_up(world: &dyn Universe) -> bool {
    world.node(TWO).status.is_some()
}

#[test]
fn full_disk_stops_its_node_until_repaired() {
    for variant in ["raft", "multi-paxos"] {
        let mut world = world(&scenario(&THREE.replace("raft", variant)));
        world.run_until(2_000_000);
        inject(&mut *world, DiskFault::Fill);
        world.run_until(3_000_000);
        assert!(!is_up(&*world), "{variant}");
        assert!(world.trace().records().any(|(_, record)| record.what == What::Stopped && record.node == TWO));
        world.act(Action::Restart(TWO)).expect("it is down");
        world.run_until(5_000_000);
        assert!(!is_up(&*world), "{variant}: it is still full");
        inject(&mut *world, DiskFault::Repair);
        world.act(Action::Restart(TWO)).expect("it is down");
        world.run_until(7_000_000);
        assert!(is_up(&*world), "{variant}");
        assert_eq!(world.violations(), [], "{variant}");
        let committed = |id: u8| world.node(NodeId(id)).status.map_or(0, |status| status.log.committed);
        assert!(committed(1) + 10 > committed(0).max(committed(2)), "{variant}: it has caught up");
    }
}

#[test]
fn slow_disk_of_leader_increases_latency() {
    let mut world = world(&scenario(THREE));
    world.act(Action::HandOver(TWO)).unwrap_or(());
    world.run_until(2_000_000);
    let leader = world.leader().expect("elected by now");
    world.act(Action::Disk { node: leader, fault: DiskFault::Slow(50_000) }).expect("it has a disk");
    world.run_until(6_000_000);
    let slow = |at: u64| {
        let all = world.samples().iter().flat_map(|log| log.iter()).map(|(_, sample)| *sample);
        let later: Vec<u64> = all.filter(|sample| sample.at / 2_000_000 == at).map(|sample| sample.latency).collect();
        later.iter().copied().min().expect("some are answered")
    };
    assert!(slow(2) > slow(0), "{} and {}", slow(0), slow(2));
    assert_eq!(world.violations(), []);
}

/// Violations in a run in which nodes 1 and 2 choose a value while 3 is down; then 2 crashes and restarts, together with 3 and without 1.
fn violations_after_restart(faults: &[DiskFault]) -> Vec<&'static str> {
    let text = std::fs::read_to_string("scenarios/wiped-replica.toml").expect("there is such a file");
    let mut without_wipe = scenario(&text);
    without_wipe.script.retain(|fault| fault.action != "wipe-disk");
    let mut world = world(&without_wipe);
    faults.iter().for_each(|fault| inject(&mut *world, *fault));
    world.run_until(3_000_000);
    assert_eq!(world.chosen(), 1);
    world.violations().iter().map(|violation| violation.property).collect()
}

#[test]
fn lost_fsync_violates_agreement_unless_repaired_before_the_crash() {
    assert_eq!(violations_after_restart(&[]), [""; 0]);
    assert!(violations_after_restart(&[DiskFault::Forget]).contains(&"Agreement"));
    assert_eq!(violations_after_restart(&[DiskFault::Forget, DiskFault::Repair]), [""; 0]);
}

#[test]
fn torn_write_of_acknowledged_record_violates_agreement() {
    // The last record is the vote; the promise before it survives.
    assert!(violations_after_restart(&[DiskFault::Tear]).contains(&"Agreement"));
    assert_eq!(violations_after_restart(&[DiskFault::Tear, DiskFault::Repair]), [""; 0]);
}

#[test]
fn crash_during_write_loses_it_without_safety_violation() {
    let mut slow = scenario(THREE);
    slow.disk = Some("20ms".into());
    let mut world = world(&slow);
    for round in 1..20 {
        world.run_until(round * 500_000);
        world.act(Action::Crash(TWO)).expect("it runs");
        world.run_until(round * 500_000 + 100_000);
        world.act(Action::Restart(TWO)).expect("it is down");
    }
    assert!(world.chosen() > 50, "{}", world.chosen());
    assert_eq!(world.violations(), []);
}

#[test]
fn corrupted_record_prevents_restart_until_disk_is_wiped() {
    let mut world = world(&scenario(THREE));
    world.run_until(2_000_000);
    inject(&mut *world, DiskFault::Rot);
    world.run_until(3_000_000);
    assert!(is_up(&*world), "it has not looked there");
    world.act(Action::Crash(TWO)).expect("it runs");
    inject(&mut *world, DiskFault::Repair);
    let refusal = world.act(Action::Restart(TWO)).expect_err("it looks at its disk");
    assert!(refusal.to_string().contains("corrupted"), "{refusal}");
    inject(&mut *world, DiskFault::Wipe);
    world.act(Action::Restart(TWO)).expect("it is down");
    assert!(is_up(&*world));
}
