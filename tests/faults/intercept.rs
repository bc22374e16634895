//! Message interception by hand and from a script: hold, deliver, drop, duplicate.

use super::{scenario, world};
use quorumscope::core::NodeId;
use quorumscope::lab::{Document, Session};
use quorumscope::sim::Action;
use quorumscope::sim::action::{FlightId, Intercept};
use quorumscope::sim::world::{End, Flight};
use quorumscope::universe::Universe;

/// One client and one proposer, 10 ms one way from the two other nodes.
const SYNOD: &str = r#"
variant = "synod"
sites = ["a", "b", "c"]
rtt_ms = [[0.2, 20, 20], [20, 0.2, 20], [20, 20, 0.2]]
replicas = ["a", "b", "c"]
clients = [{ site = "a", commands = 1 }]
"#;

fn flights(world: &dyn Universe) -> Vec<Flight> {
    let mut flights = Vec::new();
    world.flights(&mut flights);
    flights
}

/// The nodes that know a value to be chosen at `until`, µs.
fn chosen_by(world: &mut dyn Universe, until: u64) -> Vec<u8> {
    world.run_until(until);
    let knows = |id: &u8| world.node(NodeId(*id)).status.is_some_and(|status| status.log.committed > 0);
    (0..3).filter(knows).map(|id| id + 1).collect()
}

/// A world at 5 ms, and the id of the Prepare in flight to node 2.
fn prepare_in_flight() -> (Box<dyn Universe>, FlightId) {
    let mut world = world(&scenario(SYNOD));
    world.run_until(5_000);
    let flights = flights(&*world);
    let to = |id: u8| flights.iter().find(|flight| flight.to == End::Node(NodeId(id))).expect("under way");
    assert_eq!(flights.len(), 2, "{flights:?}");
    assert_ne!(to(1).id, to(2).id);
    let id = to(1).id;
    (world, id)
}

#[test]
fn held_message_stays_in_flight_until_delivered() {
    let (mut world, id) = prepare_in_flight();
    world.act(Action::Message { flight: id, intercept: Intercept::Hold }).expect("it is under way");
    assert!(world.act(Action::Message { flight: id, intercept: Intercept::Hold }).is_err());
    for time in [5_000, 100_000, 3_000_000] {
        world.run_until(time);
        let held = flights(&*world).into_iter().find(|flight| flight.held).expect("still held");
        assert_eq!((held.id, held.arrives - time, time - held.sent), (id, 5_100, 4_900), "{time}");
    }
    let recorded = world.counts().by_sender()[1];
    world.act(Action::Message { flight: id, intercept: Intercept::Deliver }).expect("it is held");
    world.run_until(3_000_000);
    assert_eq!(world.counts().by_sender()[1], recorded + 1, "an answer to an old Prepare, at once");
    let again = world.act(Action::Message { flight: id, intercept: Intercept::Drop }).expect_err("it has arrived");
    assert!(again.to_string().contains("not under way"), "{again}");
}

#[test]
fn intercepted_message_is_delivered_now_dropped_or_duplicated() {
    let (mut world, id) = prepare_in_flight();
    world.act(Action::Message { flight: id, intercept: Intercept::Deliver }).expect("it is under way");
    world.run_until(5_000);
    assert_eq!(world.counts().by_sender()[1], 1, "answered at once");

    let (mut world, id) = prepare_in_flight();
    world.act(Action::Message { flight: id, intercept: Intercept::Drop }).expect("it is under way");
    assert_eq!((world.counts().lost, flights(&*world).len()), (1, 1));
    assert_eq!(chosen_by(&mut *world, 200_000), [1, 2, 3], "the other one is enough");

    let (mut world, id) = prepare_in_flight();
    world.act(Action::Message { flight: id, intercept: Intercept::Duplicate }).expect("it is under way");
    assert_eq!(flights(&*world).len(), 3);
    world.run_until(11_000);
    assert_eq!(world.counts().by_sender()[1], 2, "two answers");
    assert_eq!(chosen_by(&mut *world, 200_000), [1, 2, 3]);
    assert_eq!(world.violations(), []);
}

#[test]
fn message_waiting_for_disk_write_cannot_be_intercepted() {
    let mut slow = scenario(SYNOD);
    slow.disk = Some("10ms".into());
    let mut world = world(&slow);
    world.run_until(5_000);
    let waits = flights(&*world).into_iter().find(|flight| flight.sent > 5_000).expect("waits for the write");
    assert!(world.act(Action::Message { flight: waits.id, intercept: Intercept::Deliver }).is_err());
}

#[test]
fn script_interceptor_matches_message_by_kind_and_ordinal() {
    let with = |script: &str| {
        let mut world = world(&scenario(&format!("{SYNOD}script = [{script}]")));
        let chosen = chosen_by(&mut *world, 41_000);
        assert_eq!((world.refused(), world.violations()), (&[][..], &[][..]));
        (world, chosen)
    };
    assert_eq!(with("").1, [1]);
    let promises = |word: &str| {
        format!(
            r#"{{ at = "0s", do = "{word}", from = 2, to = 1, kind = "Promise" }},
               {{ at = "0s", do = "{word}", from = 3, to = 1, kind = "Promise" }},"#
        )
    };
    assert_eq!(with(&promises("hold")).1, [0; 0]);
    assert_eq!(with(&promises("drop")).1, [0; 0]);
    assert_eq!(with(&promises("duplicate")).1, [1]);
    assert_eq!(with(&promises("deliver")).1, [1, 2, 3], "10 ms earlier, so that the others know by now");
    let released = promises("hold") + r#"{ at = "30ms", do = "release", from = 3, to = 1, kind = "Promise" }"#;
    let (mut world, chosen) = with(&released);
    assert_eq!(chosen, [0; 0]);
    assert_eq!(flights(&*world).iter().filter(|flight| flight.held).count(), 1);
    assert_eq!(chosen_by(&mut *world, 51_000), [1]);
    let second = r#"{ at = "0s", do = "hold", from = 1, to = 2, kind = "Accept", nth = 2 }"#;
    assert_eq!(with(second).1, [1], "there is but one such message so far");
    let nothing = first_refusal(
        r#"{ at = "0s", do = "hold", from = 3, to = 1, kind = "Promise" }, { at = "10ms", do = "release" }"#,
    );
    assert!(nothing.contains("nothing like that is held"), "{nothing}");
}

fn first_refusal(script: &str) -> String {
    let mut world = world(&scenario(&format!("{SYNOD}script = [{script}]")));
    world.run_until(50_000);
    world.refused()[0].why.to_string()
}

#[test]
fn intervention_on_a_message_replays_from_its_document() {
    let mut session = Session::new(scenario(SYNOD)).expect("a good scenario");
    session.run_until(5_000, u64::MAX);
    let mut flights = Vec::new();
    session.universe().flights(&mut flights);
    session.act(Action::Message { flight: flights[0].id, intercept: Intercept::Hold }).expect("it is under way");
    session.run_until(60_000, u64::MAX);
    let document: Document =
        serde_json::from_str(&serde_json::to_string(&session.document()).expect("our own")).expect("our own");
    let again = Session::open(&document).expect("our own document");
    assert_eq!(again.universe().fingerprint(), session.universe().fingerprint());
}
