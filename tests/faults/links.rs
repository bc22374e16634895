//! Partitions (complete, partial, with a bridge) and link conditions: delay, loss, duplication, reordering, bandwidth.

use super::{THREE, scenario, world};
use quorumscope::core::{NodeId, NodeSet};
use quorumscope::sim::action::{ALL, LinkFault};
use quorumscope::sim::{Action, Sizes, What};
use quorumscope::universe::Universe;

const FIVE: &str = r#"replicas = ["a", "a", "b", "c", "c"]"#;

fn five(script: &str) -> Box<dyn Universe> {
    world(&scenario(&format!("{}script = [{script}]", THREE.replace(r#"replicas = ["a", "b", "c"]"#, FIVE))))
}

fn cuts(world: &dyn Universe) -> Vec<Vec<u8>> {
    let cut = |id| world.node(NodeId(id)).cut.iter().map(|node| node.0 + 1).collect();
    (0..world.nodes()).map(cut).collect()
}

#[test]
fn partition_of_two_groups_leaves_bridge_connected_to_both() {
    let mut world = five(
        r#"
        { at = "2s", do = "cut", from = [1, 2], to = [4, 5] },
        { at = "4s", do = "heal", from = [1], to = [4, 5] },
        { at = "5s", do = "cut", from = [1, 2, 3], to = [4, 5], one_way = true },
        { at = "6s", do = "heal-all" },
        "#,
    );
    let expected = [
        (3_000_000, [vec![4, 5], vec![4, 5], vec![], vec![1, 2], vec![1, 2]]),
        (4_500_000, [vec![], vec![4, 5], vec![], vec![2], vec![2]]),
        (5_500_000, [vec![4, 5], vec![4, 5], vec![4, 5], vec![2], vec![2]]),
        (6_500_000, [vec![], vec![], vec![], vec![], vec![]]),
    ];
    for (until, expected) in expected {
        world.run_until(until);
        assert_eq!(cuts(&*world), expected, "{until}");
    }
    assert_eq!((world.refused(), world.violations()), (&[][..], &[][..]));
}

/// Who answered clients of each site between two times, µs, by node counted from 1.
fn answering(world: &mut dyn Universe, from: u64, until: u64) -> Vec<Vec<u8>> {
    world.run_until(until);
    let answers = |site: u8| -> std::collections::BTreeSet<u8> {
        let of_site = world.samples()[usize::from(site)].iter();
        of_site.filter(|(_, sample)| sample.at > from).map(|(_, sample)| sample.node.0 + 1).collect()
    };
    (0..3).map(|site| answers(site).into_iter().collect()).collect()
}

const LEFT_FROM_RIGHT: &str = r#"at = "4s", do = "cut", from = [1, 2], to = [4, 5]"#;

#[test]
fn cut_between_all_replicas_of_two_places_cuts_their_clients_from_the_other_side() {
    let hand_over = r#"{ at = "2s", do = "hand-over", node = 1 }"#;
    // Multi-Paxos and Raft keep the leader in a for a moment at least; clients in c reach a no more, those in b do.
    let mut world = five(&format!("{hand_over}, {{ {LEFT_FROM_RIGHT} }}"));
    assert_eq!(answering(&mut *world, 3_000_000, 3_900_000), [vec![1], vec![1], vec![1]]);
    assert_eq!(world.client_cuts(0), (NodeSet::EMPTY, NodeSet::EMPTY));
    let cut = answering(&mut *world, 4_020_000, 8_000_000);
    let [left, right] = [[0, 1], [3, 4]].map(|ids| ids.into_iter().map(NodeId).collect::<NodeSet>());
    assert_eq!((world.client_cuts(0), world.client_cuts(1)), ((right, right), Default::default()));
    assert_eq!(world.client_cuts(2), (left, left));
    assert!(!cut[2].contains(&1) && !cut[2].contains(&2), "clients in c are answered from a: {cut:?}");
    assert!(!cut[0].contains(&4) && !cut[0].contains(&5), "clients in a are answered from c: {cut:?}");
}

#[test]
fn clients_are_not_cut_by_cuts_for_replicas_only_nor_while_one_link_between_the_places_is_whole() {
    let cuts = [
        format!("{{ {LEFT_FROM_RIGHT}, replicas_only = true }}"),
        r#"{ at = "4s", do = "cut", from = [1, 2], to = [4] }"#.to_owned(),
        format!(r#"{{ {LEFT_FROM_RIGHT} }}, {{ at = "4s", do = "heal", from = 2, to = 5 }}"#),
        format!(r#"{{ {LEFT_FROM_RIGHT} }}, {{ {LEFT_FROM_RIGHT}, replicas_only = true }}"#),
    ];
    for script in cuts {
        let mut world = five(&script);
        world.run_until(4_500_000);
        assert!(!world.node(NodeId(0)).cut.is_empty(), "{script}");
        for site in 0..3 {
            assert_eq!(world.client_cuts(site), Default::default(), "{script}");
        }
    }
}

#[test]
fn one_way_cut_loses_requests_in_one_direction_and_replies_in_the_other() {
    let mut world = five(&format!("{{ {LEFT_FROM_RIGHT}, one_way = true }}"));
    world.run_until(4_500_000);
    let [left, right] = [[0, 1], [3, 4]].map(|ids| ids.into_iter().map(NodeId).collect::<NodeSet>());
    assert_eq!(world.client_cuts(0), (right, NodeSet::EMPTY), "requests go from a to c, replies from c to a");
    assert_eq!(world.client_cuts(2), (NodeSet::EMPTY, left));
    let mut flights = Vec::new();
    let mut lost = false;
    while world.time() < 8_000_000 && world.step_until(8_000_000) {
        world.flights(&mut flights);
        lost |= flights.iter().any(|flight| flight.kind.is_none() && flight.will_drop);
    }
    assert!(lost, "what cannot pass is shown as such");
}

/// Flight times of messages from node 1 to node 2, µs.
fn flights(world: &dyn Universe) -> Vec<u32> {
    let from_one = |record: &quorumscope::sim::Record| {
        record.what == What::Delivered && record.peer == NodeId(0) && record.node == NodeId(1)
    };
    world.trace().records().map(|(_, record)| record).filter(from_one).map(|record| record.detail).collect()
}

#[test]
fn link_and_placement_changes_apply_to_the_next_message() {
    let mut world = world(&scenario(THREE));
    // Applies an action and, one second later, observes the messages between nodes 1 and 2 for half a second: flight times, and any loss.
    let mut then = |action: Action| {
        world.act(action).expect("it makes sense");
        world.run_until(world.time() + 1_000_000);
        let (lost, known) = (world.counts().lost, world.trace().total());
        world.run_until(world.time() + 500_000);
        let between = |record: &quorumscope::sim::Record| {
            record.what == What::Delivered && record.peer != record.node && record.peer.0.max(record.node.0) == 1
        };
        let records = world.trace().records().filter(|(number, _)| *number >= known).map(|(_, record)| record);
        let flights: std::collections::BTreeSet<u32> = records.filter(between).map(|record| record.detail).collect();
        (flights.into_iter().collect::<Vec<_>>(), world.counts().lost > lost)
    };
    let no_loss = Action::Loss { permille: 0 };
    assert_eq!(then(no_loss), (vec![5_000], false));
    assert!(then(Action::Loss { permille: 900 }).1);
    assert_eq!(then(no_loss), (vec![5_000], false));
    assert_eq!(then(Action::Cut { from: NodeId(0), to: NodeId(1), both: true, replicas_only: false }), (vec![], true));
    assert_eq!(then(Action::Heal(NodeId(0), NodeId(1))), (vec![5_000], false));
    // To the site of node 1.
    assert_eq!(then(Action::Move { node: NodeId(1), site: 0 }), (vec![100], false));
    assert_eq!(then(Action::Move { node: NodeId(1), site: 2 }), (vec![5_000], false));
}

fn with_link_condition(how: LinkFault) -> Box<dyn Universe> {
    let mut world = world(&scenario(THREE));
    world.run_until(2_000_000);
    let (one, two) = (NodeSet::just(NodeId(0)), NodeSet::just(NodeId(1)));
    world.act(Action::Disturb { from: one, to: two, both: false, how }).expect("there is such a link");
    world.run_until(2_300_000);
    world
}

#[test]
fn link_delay_applies_in_one_direction_only() {
    let world = with_link_condition(LinkFault::Slow { extra: 7_000, jitter: 0 });
    assert!(flights(&*world).ends_with(&[12_000, 12_000, 12_000]), "{:?}", flights(&*world));
    let back = |record: &quorumscope::sim::Record| {
        record.what == What::Delivered && record.peer == NodeId(1) && record.node == NodeId(0)
    };
    assert!(world.trace().records().map(|(_, record)| record).filter(back).all(|record| record.detail == 5_000));
}

#[test]
fn full_link_loss_drops_all_messages_until_cleared() {
    let mut world = with_link_condition(LinkFault::Lose(1000));
    let lost = world.counts().lost;
    // The trace covers the last few seconds.
    world.run_until(4_000_000);
    world.run_until(10_000_000);
    assert_eq!(flights(&*world), [0; 0]);
    assert!(world.counts().lost > lost);
    world.act(Action::ClearLinkFaults).expect("always possible");
    world.run_until(11_000_000);
    assert!(flights(&*world).len() > 10);
    assert_eq!(world.violations(), []);
}

#[test]
fn duplicated_and_reordered_messages_keep_safety_and_progress() {
    let mut world = world(&scenario(THREE));
    world
        .act(Action::Disturb { from: ALL, to: ALL, both: true, how: LinkFault::Duplicate(500) })
        .expect("it is a share");
    let how = LinkFault::Reorder { permille: 500, by: 40_000 };
    world.act(Action::Disturb { from: ALL, to: ALL, both: true, how }).expect("it is a share");
    world.run_until(20_000_000);
    let sent: u64 = world.counts().by_kind().iter().sum();
    let arrived =
        world.trace().records().filter(|(_, record)| record.what == What::Delivered && record.node != record.peer);
    assert!(arrived.count() > 0 && world.trace().total() > sent);
    assert!(world.chosen() > 300, "{}", world.chosen());
    assert_eq!(world.violations(), []);
}

#[test]
fn uplink_bandwidth_limit_queues_messages_and_increases_latency() {
    let mut checked = scenario(THREE).check().expect("a good scenario");
    checked.blueprint.topology.value_bytes = Sizes::all(1_000);
    checked.blueprint.keep_trace = 4096;
    let mut world = checked.boot().expect("the settings fit");
    world.run_until(2_000_000);
    let leader = world.leader().expect("elected by now");
    let latency = |world: &dyn Universe, from: u64| {
        let samples = world.samples().iter().flat_map(|log| log.iter()).map(|(_, sample)| sample);
        let new: Vec<u64> = samples.filter(|sample| sample.at > from).map(|sample| sample.latency).collect();
        new.iter().sum::<u64>() / new.len() as u64
    };
    let before = latency(&*world, 0);
    world.act(Action::Uplink { node: leader, bytes_per_s: 100_000 }).expect("it is there");
    world.run_until(4_000_000);
    let during = latency(&*world, 2_500_000);
    assert!(during > before + 10_000, "{before} and {during}: 1 kB to each of two others takes 20 ms");
    world.act(Action::Uplink { node: leader, bytes_per_s: 0 }).expect("it is there");
    world.run_until(7_000_000);
    assert!(latency(&*world, 6_000_000) < during);
}

/// Arrivals of the messages under way between replicas, µs.
fn arrivals(world: &dyn Universe) -> Vec<u64> {
    let mut flights = Vec::new();
    world.flights(&mut flights);
    let mut arrivals: Vec<u64> =
        flights.iter().filter(|flight| flight.kind.is_some()).map(|flight| flight.arrives).collect();
    arrivals.sort_unstable();
    arrivals
}

#[test]
fn messages_that_wait_for_bandwidth_leave_when_the_limit_is_lifted() {
    let everybody = |bytes| Action::Disturb { from: ALL, to: ALL, both: true, how: LinkFault::Narrow(bytes) };
    let uplink = |bytes_per_s| Action::Uplink { node: NodeId(0), bytes_per_s };
    for (narrow, lift) in [
        (uplink(1_000), uplink(0)),
        (everybody(1_000), everybody(0)),
        (everybody(1_000), Action::ClearLinkFaults),
        (uplink(1_000), Action::Stabilise),
    ] {
        let mut world = world(&scenario(THREE));
        world.run_until(1_000_000);
        if world.leader() != Some(NodeId(0)) {
            world.act(Action::HandOver(NodeId(0))).expect("there is a leader");
        }
        world.run_until(2_000_000);
        world.act(narrow).expect("there are such links");
        world.run_until(2_200_000);
        assert!(arrivals(&*world).last() > Some(&2_300_000), "{narrow:?}: nothing waits");
        world.act(lift).expect("always possible");
        assert!(arrivals(&*world).last() <= Some(&2_206_000), "{lift:?}: something still waits");
        world.run_until(3_000_000);
        assert_eq!(world.violations(), [], "{lift:?}");
    }
}

#[test]
fn messages_that_wait_for_a_disk_wait_on_when_a_limit_is_lifted() {
    let mut world = world(&scenario(&format!("{THREE}disk = \"40ms\"")));
    world.act(Action::Uplink { node: NodeId(0), bytes_per_s: 1_000_000_000 }).expect("it is there");
    while arrivals(&*world).last() < Some(&(world.time() + 30_000)) {
        world.run_until(world.time() + 1_000);
    }
    let before = arrivals(&*world);
    world.act(Action::ClearLinkFaults).expect("always possible");
    // The limit itself cost a microsecond or two.
    let sooner: Vec<u64> = before.iter().zip(arrivals(&*world)).map(|(before, after)| before - after).collect();
    assert!(sooner.iter().all(|micros| *micros < 10), "{sooner:?}");
}

#[test]
fn link_conditions_change_no_random_draws_elsewhere() {
    let mut jittery = scenario(THREE);
    jittery.network.jitter = Some("50%".into());
    let run = |disturb: bool| {
        let mut world = world(&jittery);
        if disturb {
            let (one, two) = (NodeSet::just(NodeId(0)), NodeSet::just(NodeId(1)));
            let how = LinkFault::Slow { extra: 0, jitter: 0 };
            world.act(Action::Disturb { from: one, to: two, both: true, how }).expect("there is such a link");
            world.act(Action::ClearLinkFaults).expect("always possible");
        } else {
            world.act(Action::Resume).expect("always possible");
            world.act(Action::Resume).expect("always possible");
        }
        world.run_until(5_000_000);
        world.fingerprint()
    };
    assert_eq!(run(true), run(false));
}
