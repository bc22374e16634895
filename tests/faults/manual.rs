//! Manual scheduling: everything is held, and what happens next is said one by one, by ends and kind or by the name of a timer.

use super::{THREE, fault, scenario, world};
use quorumscope::core::{KindId, NodeId};
use quorumscope::lab::{Document, Run, Scenario, Session};
use quorumscope::sim::action::{Intercept, Which};
use quorumscope::sim::world::Flight;
use quorumscope::sim::{Action, InFlight, What};
use quorumscope::universe::Universe;

/// One client at node 1, which asks once. Messages take 10 ms to another node.
const SYNOD: &str = r#"
variant = "synod"
sites = ["a", "b", "c"]
rtt_ms = [[0.2, 20, 20], [20, 0.2, 20], [20, 20, 0.2]]
replicas = ["a", "b", "c"]
clients = [{ site = "a", commands = 1, retry = "10min" }]
"#;

/// Node 3 hears node 1 before anybody else does, and everything takes as long as the script wants.
const BY_HAND: &[&str] = &[
    r#"{ at = "0s", do = "hold-all" }"#,
    r#"{ at = "1s", do = "deliver", in_flight = true, site = "a", to = 1 }"#,
    r#"{ at = "2s", do = "deliver", in_flight = true, from = 1, to = 3, kind = "Prepare" }"#,
    r#"{ at = "3s", do = "deliver", in_flight = true, from = 3, to = 1, kind = "Promise" }"#,
    r#"{ at = "4s", do = "deliver", in_flight = true, from = 1, to = 3, kind = "Accept" }"#,
    r#"{ at = "5s", do = "deliver", in_flight = true, from = 3, to = 1, kind = "Accepted" }"#,
];

fn scripted(script: &[&str]) -> Scenario {
    let script = script.iter().map(|toml| fault(toml)).collect();
    Scenario { script, duration: Some("8s".into()), ..scenario(SYNOD) }
}

fn flights(universe: &dyn Universe) -> Vec<Flight> {
    let mut flights = Vec::new();
    universe.flights(&mut flights);
    flights
}

fn handled(universe: &dyn Universe) -> Vec<(u64, What, NodeId)> {
    let records = universe.trace().records().map(|(_, record)| record);
    let told = records.filter(|record| matches!(record.what, What::Delivered | What::Timer | What::Request));
    told.filter(|record| record.what != What::Delivered || record.node != record.peer)
        .map(|record| (record.at, record.what, record.node))
        .collect()
}

#[test]
fn held_cluster_handles_only_what_is_delivered_by_the_script() {
    let mut world = world(&scripted(BY_HAND));
    world.run_until(8_000_000);
    assert_eq!(world.refused(), []);
    let (one, three) = (NodeId(0), NodeId(2));
    let expected = [
        (1_000_000, What::Request, one),
        (2_000_000, What::Delivered, three),
        (3_000_000, What::Delivered, one),
        (4_000_000, What::Delivered, three),
        (5_000_000, What::Delivered, one),
    ];
    assert_eq!(handled(&*world), expected);
    assert_eq!(world.counts().answered, 1, "replies to clients go on");
    assert!(world.node(one).status.is_some_and(|status| status.log.committed == 1));
    assert!(flights(&*world).iter().all(|flight| flight.held && flight.arrives == 8_000_000));
    assert!(world.holds_all());
    assert!(
        world.sentence(&["a", "b", "c"]).ends_with(" All messages and timers are held; only what is chosen happens.")
    );
}

#[test]
fn released_cluster_goes_on_as_any_other() {
    let mut script = BY_HAND[..4].to_vec();
    script.push(r#"{ at = "4s", do = "release-all" }"#);
    let mut world = world(&scripted(&script));
    world.run_until(5_000_000);
    assert!(!world.holds_all());
    assert!((0..3).all(|node| world.node(NodeId(node)).status.is_some_and(|status| status.log.committed == 1)));
    assert_eq!((world.refused(), world.violations()), (&[][..], &[][..]));
}

#[test]
fn timer_fires_when_it_is_fired_and_not_when_it_is_due() {
    let hold = r#"script = [{ at = "1s", do = "hold-all" }]"#;
    let mut world = world(&scenario(&format!("{THREE}\n{hold}")));
    world.run_until(2_999_999);
    let before = handled(&*world).len();
    assert_eq!(handled(&*world).last().map(|(at, ..)| *at <= 1_000_000), Some(true));
    let set: Vec<(&str, bool)> =
        world.pending_timers(NodeId(0)).iter().map(|(_, timer)| (timer.kind.name, timer.due < 2_999_999)).collect();
    let [(name, true), ..] = set[..] else { panic!("one is overdue: {set:?}") };
    let (timer, _) = world.pending_timers(NodeId(0))[0];
    world.act(Action::Fire { node: NodeId(0), timer }).unwrap_or_else(|why| panic!("{name}: {why}"));
    world.run_until(6_000_000);
    assert_eq!(handled(&*world)[before..], [(2_999_999, What::Timer, NodeId(0))]);
}

#[test]
fn timer_fired_in_a_running_cluster_fires_once_and_early() {
    let script = r#"script = [{ at = "1s", do = "fire", node = "leader", timer = "heartbeat interval" }]"#;
    let beats = |script: &str| {
        let mut world = world(&scenario(&format!("{THREE}\n{script}")));
        world.run_until(1_001_000);
        let leader = world.leader().expect("somebody leads");
        handled(&*world)
            .into_iter()
            .filter(|(_, what, node)| (*what, *node) == (What::Timer, leader))
            .collect::<Vec<_>>()
    };
    let (usual, one_more) = (beats(""), beats(script));
    assert_eq!(one_more.len(), usual.len() + 1);
    assert_eq!(one_more.last().map(|(at, ..)| *at), Some(1_000_000));
}

#[test]
fn what_is_gone_is_reported_with_the_reason() {
    let mut script = BY_HAND[..3].to_vec();
    script.extend([
        r#"{ at = "3s", do = "deliver", in_flight = true, from = 1, to = 3, kind = "Prepare" }"#,
        r#"{ at = "4s", do = "drop", in_flight = true, from = 1, to = 2, kind = "Prepare", nth = 2 }"#,
        r#"{ at = "5s", do = "fire", node = 3, timer = "retry" }"#,
        r#"{ at = "6s", do = "duplicate", in_flight = true, from = 2, site = "b" }"#,
    ]);
    let report = Run::to_end(&Document::from(scripted(&script))).expect("a good scenario");
    let why: Vec<(&str, &str)> = report.refused.iter().map(|refused| (&*refused.field, &*refused.why)).collect();
    let expected = [
        ("script[3]", "no Prepare is in flight from node 1 to node 3 now"),
        ("script[4]", "there is no number 2: 1 Prepare in flight from node 1 to node 2 now"),
        ("script[5]", "the timer \"retry\" of node 3 is not set"),
        ("script[6]", "no reply is in flight from node 2 to site 2 now"),
    ];
    assert_eq!(why, expected);
}

/// A person who schedules by hand, and the link to what came of it.
#[test]
fn run_scheduled_by_hand_is_the_same_from_its_link() {
    let mut session = Session::new(scenario(SYNOD)).expect("a good scenario");
    session.act(Action::HoldAll).expect("nothing is held");
    session.run_until(1_000_000, u64::MAX);
    for _ in 0..6 {
        let now = flights(session.universe());
        let last = now.last().expect("something is in flight");
        let (which, nth) = session.universe().name_in_flight(last.id).expect("it has a name");
        session.act(Action::Sent { which, nth, intercept: Intercept::Deliver }).expect("it is in flight");
        session.run_until(session.moment().at + 1_000, u64::MAX);
    }
    assert_eq!(session.interventions().len(), 7);
    assert!(handled(session.universe()).len() >= 4, "{:?}", handled(session.universe()));
    let again = Session::open(&session.document()).expect("our own document");
    assert_eq!(again.universe().fingerprint(), session.universe().fingerprint());
    let which = Which { from: NodeId(0), to: NodeId(1), kind: KindId(200) };
    let why = session.act(Action::Sent { which: InFlight::Message(which), nth: 1, intercept: Intercept::Drop });
    assert!(why.expect_err("no such kind").to_string().contains("no such kind"));
}

#[test]
fn script_of_what_was_done_by_hand_does_the_same() {
    let mut session = Session::new(scenario(SYNOD)).expect("a good scenario");
    session.act(Action::HoldAll).expect("nothing is held");
    session.run_until(1_000_000, u64::MAX);
    for _ in 0..8 {
        let last = *flights(session.universe()).last().expect("something is in flight");
        let (which, nth) = session.universe().name_in_flight(last.id).expect("it has a name");
        session.act(Action::Sent { which, nth, intercept: Intercept::Deliver }).expect("it is in flight");
        let now = session.moment().at;
        session.run_until(now, u64::MAX);
    }
    let scenario = session.scripted();
    assert_eq!(scenario.script.len(), 9);
    let mut again = world(&scenario);
    again.run_until(session.moment().at + 100);
    assert_eq!(again.refused(), []);
    let told =
        |universe: &dyn Universe| handled(universe).into_iter().map(|(_, what, node)| (what, node)).collect::<Vec<_>>();
    assert!(told(&*again).len() >= 5, "{:?}", told(&*again));
    assert_eq!(told(&*again), told(session.universe()));
}

#[test]
fn duplicate_of_a_held_message_arrives_once_and_the_message_stays() {
    let mut script = BY_HAND[..2].to_vec();
    script.push(r#"{ at = "2s", do = "duplicate", in_flight = true, from = 1, to = 2, kind = "Prepare" }"#);
    let mut world = world(&scripted(&script));
    world.run_until(3_000_000);
    assert_eq!(handled(&*world).last(), Some(&(2_000_000, What::Delivered, NodeId(1))));
    assert_eq!(handled(&*world).len(), 2);
    let name = InFlight::Message(Which { from: NodeId(0), to: NodeId(1), kind: KindId(0) });
    let left = flights(&*world).iter().filter(|flight| world.name_in_flight(flight.id) == Some((name, 1))).count();
    assert_eq!(left, 1);
}
