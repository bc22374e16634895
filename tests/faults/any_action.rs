//! Property test of arbitrary actions: every applied action round-trips through a document, and the script check refuses only actions that
//! the world refuses.

use super::{THREE, scenario};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use quorumscope::core::{KindId, NodeId, NodeSet};
use quorumscope::lab::fault::ScriptCheck;
use quorumscope::lab::{Document, Fault, Scenario, Session, text};
use quorumscope::sim::action::{ALL, Behaviour, DiskFault, DomainFault, FlightId, Intercept, LinkFault, Which};
use quorumscope::sim::{Action, DomainId, InFlight};
use std::cell::Cell;

/// A node id: mostly one of the three existing ones.
fn node() -> impl Strategy<Value = NodeId> + Clone {
    prop_oneof![20 => 0u8..3, 1 => 3u8..40].prop_map(NodeId)
}

fn set() -> impl Strategy<Value = NodeSet> + Clone {
    let some = (0u8..16).prop_map(|bits| (0..4).filter(|bit| bits >> bit & 1 == 1).map(NodeId).collect());
    prop_oneof![8 => some, 1 => Just(ALL)]
}

/// Amounts: small, large, and boundary values.
fn amount() -> impl Strategy<Value = u32> + Clone {
    let edges = [0, 1, 99, 100, 101, 999, 1_000, 1_001, 65_535, 60_000_000, 60_000_001, 1_800_000_000, 1_800_000_001];
    let more = [4_000_000_000, 4_000_000_001, u32::MAX];
    prop_oneof![2 => 0u32..1_000, 2 => 0u32..60_000_000, 1 => any::<u32>(), 2 => prop::sample::select([&edges[..], &more].concat())]
}

fn intercept() -> impl Strategy<Value = Intercept> {
    prop::sample::select(vec![Intercept::Hold, Intercept::Deliver, Intercept::Drop, Intercept::Duplicate])
}

fn link_fault() -> impl Strategy<Value = LinkFault> {
    let permille = || amount().prop_map(|amount| amount as u16);
    prop_oneof![
        (amount(), amount()).prop_map(|(extra, jitter)| LinkFault::Slow { extra, jitter }),
        permille().prop_map(LinkFault::Lose),
        permille().prop_map(LinkFault::Duplicate),
        (permille(), amount()).prop_map(|(permille, by)| LinkFault::Reorder { permille, by }),
        amount().prop_map(LinkFault::Narrow),
    ]
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        set().prop_map(Behaviour::Silent),
        set().prop_map(Behaviour::Twin),
        set().prop_map(Behaviour::Deny),
        Just(Behaviour::ToAll),
        set().prop_map(Behaviour::Tamper),
        Just(Behaviour::Honest),
    ]
}

fn disk_fault() -> impl Strategy<Value = DiskFault> {
    prop_oneof![
        Just(DiskFault::Wipe),
        amount().prop_map(DiskFault::Slow),
        prop::sample::select(vec![
            DiskFault::Fill,
            DiskFault::Forget,
            DiskFault::Tear,
            DiskFault::Rot,
            DiskFault::Repair,
        ]),
    ]
}

/// An arbitrary action. New variants of [`Action`] must be added here.
fn action() -> impl Strategy<Value = Action> {
    let faults = vec![
        DomainFault::Crash,
        DomainFault::Restart,
        DomainFault::Pause,
        DomainFault::Continue,
        DomainFault::Partition,
        DomainFault::Reconnect,
    ];
    let which = || (node(), node(), 0u8..20).prop_map(|(from, to, kind)| Which { from, to, kind: KindId(kind) });
    let flight = prop_oneof![
        (0u32..40, node()).prop_map(|(message_id, to)| FlightId::Message { message_id, to }),
        (0u32..40).prop_map(FlightId::ClientMessage),
    ];
    let signed =
        || (amount(), any::<bool>()).prop_map(|(by, back)| if back { (by as i32).wrapping_neg() } else { by as i32 });
    let of_nodes = prop_oneof![
        node().prop_map(Action::Crash),
        node().prop_map(Action::Restart),
        (node(), any::<bool>()).prop_map(|(node, clock_stops)| Action::Pause { node, clock_stops }),
        node().prop_map(Action::Continue),
        (0u16..8, prop::sample::select(faults))
            .prop_map(|(domain, fault)| Action::Domain { domain: DomainId(domain), fault }),
        (node(), 0u8..3).prop_map(|(node, site)| Action::Move { node, site }),
        node().prop_map(Action::HandOver),
        (0u8..4).prop_map(|site| Action::Add { site }),
        node().prop_map(Action::Remove),
        (0u8..4).prop_map(|site| Action::Request { site }),
        Just(Action::Quiesce),
        Just(Action::Resume),
        (node(), disk_fault()).prop_map(|(node, fault)| Action::Disk { node, fault }),
        (node(), signed()).prop_map(|(node, ppm)| Action::Drift { node, ppm }),
        (node(), signed()).prop_map(|(node, by)| Action::Jump { node, by }),
        (node(), amount()).prop_map(|(node, percent)| Action::Throttle { node, percent: percent as u16 }),
        (node(), behaviour()).prop_map(|(node, how)| Action::Behaviour { node, how }),
    ];
    let of_links = prop_oneof![
        (node(), node(), any::<bool>(), any::<bool>()).prop_map(|(from, to, both, replicas_only)| Action::Cut {
            from,
            to,
            both,
            replicas_only
        }),
        (node(), node()).prop_map(|(a, b)| Action::Heal(a, b)),
        (set(), set(), any::<bool>(), any::<bool>()).prop_map(|(from, to, both, replicas_only)| Action::Split {
            from,
            to,
            both,
            replicas_only
        }),
        (set(), set()).prop_map(|(a, b)| Action::Join(a, b)),
        Just(Action::HealAll),
        (set(), set(), any::<bool>(), link_fault()).prop_map(|(from, to, both, how)| Action::Disturb {
            from,
            to,
            both,
            how
        }),
        (any::<bool>(), link_fault()).prop_map(|(both, how)| Action::Disturb { from: ALL, to: ALL, both, how }),
        (node(), amount()).prop_map(|(node, bytes_per_s)| Action::Uplink { node, bytes_per_s }),
        Just(Action::ClearLinkFaults),
        amount().prop_map(|permille| Action::Loss { permille: permille as u16 }),
        Just(Action::Stabilise),
        (flight, intercept()).prop_map(|(flight, intercept)| Action::Message { flight, intercept }),
        (which(), amount(), intercept()).prop_map(|(which, nth, intercept)| Action::Catch {
            which,
            nth: nth as u16,
            intercept
        }),
        prop::option::of(which()).prop_map(Action::Release),
    ];
    let in_flight = prop_oneof![
        2 => which().prop_map(InFlight::Message),
        1 => (0u8..4, node()).prop_map(|(site, to)| InFlight::Request { site, to }),
        1 => (0u8..4, node()).prop_map(|(site, from)| InFlight::Reply { from, site }),
    ];
    let by_hand = prop_oneof![
        (in_flight, 0u16..4, intercept()).prop_map(|(which, nth, intercept)| Action::Sent { which, nth, intercept }),
        (node(), 0u64..6, prop::sample::select(vec![0u64, 0, 1, 2, 40]))
            .prop_map(|(node, kind, number)| Action::Fire { node, timer: number << 8 | kind }),
        Just(Action::HoldAll),
        Just(Action::ReleaseAll),
    ];
    prop_oneof![2 => of_nodes, 2 => of_links, 1 => by_hand]
}

/// A scenario that permits every kind of action.
fn permissive(variant: &str) -> Scenario {
    let text = THREE.replace("replicas = [\"a\", \"b\", \"c\"]", "replicas = [\"a/r1/m1\", \"b\", \"c/r2\"]");
    let mut scenario = scenario(&text.replace("raft", variant));
    scenario.cost.receive = Some("1us".into());
    scenario.beyond_model = true;
    scenario
}

#[test]
fn applied_actions_round_trip_through_documents_and_script_objections_are_refusals() {
    let cases = std::env::var("QUORUMSCOPE_INPUTS").map_or(600, |number| number.parse().expect("a number of inputs"));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let (done, refused, objected) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let variants = prop::sample::select(vec!["raft", "multi-paxos", "synod"]);
    let scripts = (variants, prop::collection::vec((action(), 0u64..200_000), 1..25));
    let tried = TestRunner::new(config).run(&scripts, |(variant, actions)| {
        let mut session = Session::new(permissive(variant)).expect("a good scenario");
        let mut script_check = ScriptCheck::new(session.checked().variant.card, &session.checked().blueprint);
        for (action, pause) in actions {
            session.run_until(session.moment().at + pause, 5_000);
            let objection = script_check.objection(action);
            match session.act(action) {
                Ok(()) => {
                    done.set(done.get() + 1);
                    prop_assert!(objection.is_none(), "{action:?} was done, though {objection:?}");
                    script_check.apply(action);
                }
                Err(_) => {
                    refused.set(refused.get() + 1);
                    objected.set(objected.get() + u32::from(objection.is_some()));
                    // Without an objection the script check assumes that the action was applied.
                    if objection.is_none() {
                        script_check.apply(action);
                    }
                }
            }
        }
        let document = session.document();
        let json = serde_json::to_string(&document).expect("our own document");
        let read: Document = serde_json::from_str(&json).expect("our own text");
        let interventions = Session::open(&read).map_err(|wrong| TestCaseError::fail(format!("{wrong}")))?;
        prop_assert_eq!(interventions.interventions(), session.interventions());
        // Round trip as a script.
        let sites = session.checked().sites();
        let names = session.checked().names(&sites);
        let script = session
            .interventions()
            .iter()
            .map(|intervention| Fault::new(intervention.at, intervention.action, names))
            .collect();
        let scripted = Scenario { script, ..session.document().scenario };
        let read = text::from_toml(&text::to_toml(&scripted)).expect("our own text").scenario;
        prop_assert_eq!(&read, &scripted);
        let checked = read.check().map_err(|wrong| TestCaseError::fail(format!("{wrong}")))?;
        let actions: Vec<Action> = checked.blueprint.script.iter().map(|timed| timed.action).collect();
        let expected: Vec<Action> = session.interventions().iter().map(|intervention| intervention.action).collect();
        prop_assert_eq!(actions, expected);
        Ok(())
    });
    tried.unwrap_or_else(|why| panic!("{why}"));
    println!("{} done, {} refused, {} of these for what a script tells", done.get(), refused.get(), objected.get());
    assert!(done.get() > cases * 2 && objected.get() > cases, "{} done, {} objected", done.get(), objected.get());
}
