//! Timing models: delay bounds of synchronous, partially synchronous and asynchronous networks, and refused faults.

use super::{THREE, fault, scenario, world};
use quorumscope::core::NodeId;
use quorumscope::lab::Scenario;
use quorumscope::sim::action::{ALL, LinkFault};
use quorumscope::sim::{Action, What};
use quorumscope::universe::Universe;

fn timed(timing: &str, rest: &str) -> Scenario {
    scenario(&format!("timing = {timing}\n{THREE}{rest}"))
}

/// Arrival and flight times of messages between replicas, µs.
fn flights(world: &dyn Universe) -> Vec<(u64, u64)> {
    let others = |record: &quorumscope::sim::Record| record.what == What::Delivered && record.node != record.peer;
    let records = world.trace().records().map(|(_, record)| record).filter(others);
    records.map(|record| (record.at, u64::from(record.detail))).collect()
}

#[test]
fn synchronous_network_bounds_delays_and_refuses_faults_that_violate_the_bound() {
    let mut jittery = timed(r#"{ model = "synchronous", delta = "6ms" }"#, "");
    jittery.network.jitter = Some("100%".into());
    let mut world = world(&jittery);
    world.run_until(3_000_000);
    assert!(flights(&*world).iter().all(|(_, flight)| *flight <= 6_000));
    assert!(flights(&*world).iter().any(|(_, flight)| *flight == 6_000));
    let extra = LinkFault::Slow { extra: 1, jitter: 0 };
    for action in [
        Action::Loss { permille: 1 },
        Action::Cut { from: NodeId(0), to: NodeId(1), both: true, replicas_only: false },
        Action::Pause { node: NodeId(0), clock_stops: false },
        Action::Disturb { from: ALL, to: ALL, both: true, how: extra },
    ] {
        let refusal = world.act(action).expect_err("it would break the bound");
        assert!(refusal.to_string().contains("synchronous"), "{refusal}");
    }
    world.act(Action::Crash(NodeId(0))).expect("nodes may crash");
    world.run_until(6_000_000);
    assert_eq!(world.violations(), []);
}

#[test]
fn partially_synchronous_network_bounds_delays_and_loses_nothing_from_gst_on() {
    let timing = r#"{ model = "partially-synchronous", delta = "20ms", gst = "4s", spread = "400ms" }"#;
    let script = r#"script = [
        { at = "1s", do = "loss", loss = "20%" },
        { at = "2s", do = "cut", from = 1, to = [2, 3] },
        { at = "3s", do = "pause", node = 2 },
    ]"#;
    let mut world = world(&timed(timing, script));
    world.run_until(3_900_000);
    assert!(flights(&*world).iter().any(|(_, flight)| *flight > 100_000), "late");
    assert!(world.counts().lost > 0, "lost");
    let before = world.chosen();
    world.run_until(4_100_000);
    let lost = world.counts().lost;
    world.run_until(8_000_000);
    let bounded = |(at, flight): &(u64, u64)| at - flight < 4_000_000 || *flight <= 20_000;
    assert!(flights(&*world).iter().all(bounded));
    assert!(flights(&*world).iter().all(|(at, flight)| at - flight >= 4_000_000 || *at <= 4_020_000));
    assert_eq!(world.counts().lost, lost, "nothing is lost any more");
    assert!(world.chosen() > before + 50, "{before} and {}", world.chosen());
    assert!(world.act(Action::Loss { permille: 1 }).is_err());
    assert_eq!((world.refused(), world.violations()), (&[][..], &[][..]));
}

#[test]
fn asynchronous_network_has_no_delay_bound() {
    let mut world = world(&timed(r#"{ model = "asynchronous", spread = "50ms" }"#, ""));
    world.run_until(10_000_000);
    assert!(flights(&*world).iter().any(|(_, flight)| *flight > 150_000));
    assert_eq!(world.violations(), []);
}

#[test]
fn invalid_timing_model_is_refused_with_its_path() {
    let told = |timing: &str, faults: &[&str]| {
        let mut wrong = timed(timing, "");
        wrong.script.extend(faults.iter().map(|text| fault(text)));
        wrong.check().map(|_| ()).expect_err(timing).to_string()
    };
    let cases: [(&str, &[&str], &str); 6] = [
        (
            r#"{ model = "synchronos", delta = "1s" }"#,
            &[],
            "timing.model: \"synchronos\": did you mean \"synchronous\"?",
        ),
        (r#"{ model = "synchronous" }"#, &[], "timing.delta: synchronous needs it"),
        (r#"{ model = "synchronous", delta = "1ms" }"#, &[], "a message needs 5ms between the farthest sites"),
        (r#"{ model = "asynchronous", delta = "1s" }"#, &[], "timing.delta: asynchronous has no such time"),
        (
            r#"{ model = "synchronous", delta = "1s" }"#,
            &[r#"{ at = "1s", do = "cut", in = "c" }"#],
            "script[0].at: 1s: a synchronous network loses and delays nothing",
        ),
        (
            r#"{ model = "partially-synchronous", delta = "1s", gst = "3s" }"#,
            &[r#"{ at = "2s", do = "cut", in = "c" }"#, r#"{ at = "4s", do = "loss", loss = "1%" }"#],
            "script[1].at: 4s: from timing.gst on",
        ),
    ];
    for (timing, faults, says) in cases {
        let told = told(timing, faults);
        assert!(told.contains(says) && told.lines().count() == 1, "{told}");
    }
}
