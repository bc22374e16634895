//! Faults in scenario documents: round trip of every action, error messages for invalid and contradictory script entries.

use super::{THREE, fault, scenario};
use quorumscope::core::{KindId, NodeId, NodeSet};
use quorumscope::lab::fault::words;
use quorumscope::lab::text;
use quorumscope::lab::{Document, Fault, Scenario, Session};
use quorumscope::sim::action::{ALL, Behaviour, DiskFault, DomainFault, FlightId, Intercept, LinkFault, Which};
use quorumscope::sim::{Action, DomainId, InFlight};
use std::collections::BTreeSet;

/// At least one action of each kind.
fn actions() -> Vec<Action> {
    let (one, two) = (NodeId(0), NodeId(1));
    let faults = [
        DomainFault::Crash,
        DomainFault::Restart,
        DomainFault::Pause,
        DomainFault::Continue,
        DomainFault::Partition,
        DomainFault::Reconnect,
    ];
    let behave = |how| Action::Behaviour { node: one, how };
    let domain = |fault| Action::Domain { domain: DomainId(0), fault };
    let pair: NodeSet = [one, two].into_iter().collect();
    let which = Which { from: one, to: two, kind: KindId(2) };
    let disturb = |how| Action::Disturb { from: NodeSet::just(one), to: NodeSet::just(two), both: true, how };
    let mut actions = vec![
        Action::Crash(one),
        Action::Restart(two),
        Action::Pause { node: one, clock_stops: false },
        Action::Pause { node: one, clock_stops: true },
        Action::Continue(one),
        Action::Cut { from: one, to: two, both: true, replicas_only: false },
        Action::Cut { from: one, to: two, both: false, replicas_only: true },
        Action::Heal(one, two),
        Action::HealAll,
        Action::Move { node: one, site: 2 },
        Action::HandOver(two),
        Action::Add { site: 1 },
        Action::Remove(two),
        Action::Request { site: 0 },
        Action::Loss { permille: 25 },
        Action::Quiesce,
        Action::Resume,
        Action::Split { from: pair, to: NodeSet::just(NodeId(2)), both: true, replicas_only: true },
        Action::Split { from: pair, to: NodeSet::just(NodeId(2)), both: false, replicas_only: false },
        Action::Join(pair, NodeSet::just(NodeId(2))),
        disturb(LinkFault::Slow { extra: 30_000, jitter: 0 }),
        disturb(LinkFault::Slow { extra: 0, jitter: 5_000 }),
        disturb(LinkFault::Lose(50)),
        Action::Disturb { from: pair, to: NodeSet::just(NodeId(2)), both: false, how: LinkFault::Lose(1000) },
        Action::Disturb { from: ALL, to: ALL, both: true, how: LinkFault::Duplicate(100) },
        Action::Disturb { from: ALL, to: ALL, both: true, how: LinkFault::Lose(100) },
        Action::Disturb { from: ALL, to: ALL, both: false, how: LinkFault::Narrow(100) },
        Action::Disturb { from: NodeSet::just(two), to: ALL, both: false, how: LinkFault::Lose(100) },
        Action::Disturb { from: ALL, to: pair, both: true, how: LinkFault::Reorder { permille: 1000, by: 60_000_000 } },
        disturb(LinkFault::Reorder { permille: 300, by: 20_000 }),
        disturb(LinkFault::Narrow(1_500_000)),
        Action::Uplink { node: one, bytes_per_s: 12_500_000 },
        Action::Uplink { node: one, bytes_per_s: 0 },
        Action::ClearLinkFaults,
        Action::Catch { which, nth: 1, intercept: Intercept::Hold },
        Action::Catch { which, nth: 2, intercept: Intercept::Deliver },
        Action::Catch { which, nth: 1, intercept: Intercept::Drop },
        Action::Catch { which, nth: 1, intercept: Intercept::Duplicate },
        Action::Release(Some(which)),
        Action::Release(None),
        Action::Sent { which: InFlight::Message(which), nth: 1, intercept: Intercept::Deliver },
        Action::Sent { which: InFlight::Message(which), nth: 3, intercept: Intercept::Drop },
        Action::Sent { which: InFlight::Request { site: 1, to: two }, nth: 1, intercept: Intercept::Hold },
        Action::Sent { which: InFlight::Reply { from: one, site: 2 }, nth: 2, intercept: Intercept::Duplicate },
        Action::Fire { node: two, timer: 0 },
        Action::Fire { node: one, timer: 7 << 8 | 1 },
        Action::HoldAll,
        Action::ReleaseAll,
        Action::Message { flight: FlightId::Message { message_id: 3, to: two }, intercept: Intercept::Drop },
        Action::Message { flight: FlightId::ClientMessage(0), intercept: Intercept::Duplicate },
    ];
    actions.extend(faults.map(domain));
    actions.extend([
        Action::Drift { node: one, ppm: -200 },
        Action::Jump { node: one, by: 2_000_000 },
        Action::Jump { node: one, by: -1 },
        Action::Throttle { node: one, percent: 1_000 },
        Action::Stabilise,
        behave(Behaviour::Silent(ALL)),
        behave(Behaviour::Silent(NodeSet::just(two))),
        behave(Behaviour::Tamper(ALL)),
        behave(Behaviour::Tamper(NodeSet::just(two))),
        behave(Behaviour::ToAll),
        behave(Behaviour::Honest),
        behave(Behaviour::Twin(NodeSet::just(two))),
        Action::Behaviour { node: two, how: Behaviour::Deny(NodeSet::just(one)) },
    ]);
    let disk = |fault| Action::Disk { node: two, fault };
    let faults = [DiskFault::Slow(50_000), DiskFault::Fill, DiskFault::Forget, DiskFault::Tear, DiskFault::Rot];
    actions.extend(faults.map(disk));
    actions.extend([disk(DiskFault::Repair), Action::Crash(two), disk(DiskFault::Wipe), Action::Restart(two)]);
    actions
}

/// Precondition: the action that must precede this one.
fn before(action: Action) -> Option<Action> {
    let hold = |which| Action::Catch { which, nth: 1, intercept: Intercept::Hold };
    let which = Which { from: NodeId(0), to: NodeId(1), kind: KindId(0) };
    match action {
        Action::Restart(node) | Action::Disk { node, fault: DiskFault::Wipe } => Some(Action::Crash(node)),
        Action::Continue(node) => Some(Action::Pause { node, clock_stops: false }),
        Action::Domain { domain, fault } => {
            let before = match fault {
                DomainFault::Restart => DomainFault::Crash,
                DomainFault::Continue => DomainFault::Pause,
                DomainFault::Reconnect => DomainFault::Partition,
                DomainFault::Crash | DomainFault::Pause | DomainFault::Partition => return None,
            };
            Some(Action::Domain { domain, fault: before })
        }
        Action::Behaviour { node, how: Behaviour::Honest } => Some(Action::Behaviour { node, how: Behaviour::ToAll }),
        Action::ReleaseAll => Some(Action::HoldAll),
        Action::Release(which_ones) => Some(hold(which_ones.unwrap_or(which))),
        _ => None,
    }
}

#[test]
fn every_action_reads_back_equal() {
    let permissive = || {
        let mut permissive = scenario(THREE);
        permissive.beyond_model = true;
        permissive.cost.send = Some("1us".into());
        permissive
    };
    let session = Session::new(permissive()).expect("a good scenario");
    let sites = session.checked().sites();
    let mut written = BTreeSet::new();
    for action in actions() {
        let expected: Vec<Action> = before(action).into_iter().chain([action]).collect();
        let fault = |action: &Action| Fault::new(2_000_000, *action, session.checked().names(&sites));
        let script: Vec<Fault> = expected.iter().map(fault).collect();
        written.extend(script.iter().map(|fault| fault.action.clone()));
        let again =
            text::from_toml(&text::to_toml(&Scenario { script, ..permissive() })).expect("our own text").scenario;
        let read = again.check().unwrap_or_else(|wrong| panic!("{action:?}: {wrong}")).blueprint.script;
        let read: Vec<Action> = read.iter().map(|timed| timed.action).collect();
        assert_eq!(read, expected);
        assert!(!action.to_string().is_empty());
    }
    let missing: Vec<&str> = words().filter(|word| !written.contains(*word)).collect();
    assert_eq!(missing, [""; 0], "no action is written with these words");
}

#[test]
fn interventions_round_trip_through_a_document() {
    let mut session = Session::new(scenario(THREE)).expect("a good scenario");
    session.run_until(1_000_000, u64::MAX);
    let mut done = 0;
    for action in actions() {
        done += usize::from(session.act(action).is_ok());
        session.run_until(session.moment().at + 50_000, u64::MAX);
    }
    assert!(done > actions().len() / 2, "{done} only");
    let json = serde_json::to_string(&session.document()).expect("our own document");
    let document: Document = serde_json::from_str(&json).expect("our own text");
    let again = Session::open(&document).expect("our own document");
    assert_eq!(again.universe().fingerprint(), session.universe().fingerprint());
    assert_eq!(again.interventions(), session.interventions());
}

#[test]
fn invalid_script_entry_is_refused_with_its_path() {
    let told = |toml: &str| {
        let mut wrong = scenario(THREE);
        wrong.script.push(fault(toml));
        wrong.check().map(|_| ()).expect_err(toml).to_string()
    };
    let faults = [
        r#"{ at = "1s", do = "pause", node = 4 }"#,
        r#"{ at = "1s", do = "crash", in = "c/r1" }"#,
        r#"{ at = "1s", do = "crash", in = "c", node = 3 }"#,
        r#"{ at = "1s", do = "pause", in = "c", clock_stops = true }"#,
        r#"{ at = "1s", do = "cut", in = "c", from = 1 }"#,
        r#"{ at = "1s", do = "crash", from = 1 }"#,
        r#"{ at = "1s", do = "wipe-disk", node = 1 }"#,
        r#"{ at = "1s", do = "tear-write", node = 1 }"#,
        r#"{ at = "1s", do = "byzantine", node = 1 }"#,
        r#"{ at = "1s", do = "byzantine", node = 1, how = "twins" }"#,
        r#"{ at = "1s", do = "byzantine", node = 1, how = "twin" }"#,
        r#"{ at = "1s", do = "byzantine", node = 1, how = "honest", to = 2 }"#,
        r#"{ at = "1s", do = "drift", node = 1, ppm = 2000000 }"#,
        r#"{ at = "1s", do = "jump", node = 1, by = "+3s" }"#,
        r#"{ at = "1s", do = "throttle", node = 1, share = "0.5%" }"#,
        r#"{ at = "1s", do = "slow-disk", node = 1 }"#,
        r#"{ at = "1s", do = "cut", from = [1, 2], to = [2, 3] }"#,
        r#"{ at = "1s", do = "cut", from = [1, 9], to = [] }"#,
        r#"{ at = "1s", do = "slow", from = 1, to = 2, extra = "30" }"#,
        r#"{ at = "1s", do = "slow" }"#,
        r#"{ at = "1s", do = "loss", loss = "5%", one_way = true }"#,
        r#"{ at = "1s", do = "reordering", share = "101%", extra = "2h" }"#,
        r#"{ at = "1s", do = "limit", node = 1, to = 2, bandwidth = "1MB/s" }"#,
        r#"{ at = "1s", do = "limit", bandwidth = "1Mbit" }"#,
        r#"{ at = "1s", do = "limit", bandwidth = "5GB/s" }"#,
        r#"{ at = "1s", do = "hold", from = 1, to = 2, kind = "Promise" }"#,
        r#"{ at = "1s", do = "hold", from = 1, to = [2], kind = "RequestVote", nth = 0 }"#,
        r#"{ at = "1s", do = "drop", from = 1, to = 2 }"#,
        r#"{ at = "1s", do = "drop", parcel = 1, letter = 2 }"#,
        r#"{ at = "1s", do = "release", from = 1, to = 1, kind = "RequestVote" }"#,
        r#"{ at = "1s", do = "deliver", in_flight = true, from = 1, to = 2 }"#,
        r#"{ at = "1s", do = "deliver", in_flight = true, site = "a" }"#,
        r#"{ at = "1s", do = "deliver", in_flight = true, site = "d", to = 1 }"#,
        r#"{ at = "1s", do = "deliver", site = "a", to = 1 }"#,
        r#"{ at = "1s", do = "drop", in_flight = true, message_id = 1, to = 2 }"#,
        r#"{ at = "1s", do = "fire", node = 1 }"#,
        r#"{ at = "1s", do = "fire", node = 1, timer = "election" }"#,
        r#"{ at = "1s", do = "fire", node = 7, timer = "election timeout", kind = "Vote" }"#,
        r#"{ at = "1s", do = "cut", from = 1, to = "all" }"#,
        r#"{ at = "1s", do = "drop", from = 1, to = "all", kind = "RequestVote" }"#,
        r#"{ at = "1s", do = "jump", node = 1, by = "-31min" }"#,
        r#"{ at = "1s", do = "slow-disk", node = 1, write = "61s" }"#,
    ];
    let all: String = faults.iter().map(|fault| told(fault) + "\n").collect();
    let expected = "tests/faults/invalid.txt";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(expected, &all).expect("writable");
    }
    assert_eq!(all, std::fs::read_to_string(expected).expect("there is such a file"));
}

/// Entries that contradict the script itself, independently of the protocol.
#[test]
fn script_entry_that_contradicts_the_script_is_refused_with_its_path() {
    let told = |faults: &[&str]| {
        let mut wrong = scenario(THREE);
        wrong.beyond_model = true;
        wrong.script = faults.iter().map(|toml| fault(toml)).collect();
        wrong.check().map(|_| ()).expect_err(faults[0]).to_string()
    };
    let scripts: &[&[&str]] = &[
        &[r#"{ at = "1s", do = "restart", node = 2 }"#],
        &[r#"{ at = "1s", do = "crash", node = 2 }"#, r#"{ at = "2s", do = "crash", node = 2 }"#],
        &[r#"{ at = "2s", do = "crash", node = 2 }"#, r#"{ at = "1s", do = "restart", node = 2 }"#],
        &[r#"{ at = "1s", do = "crash", in = "west" }"#, r#"{ at = "1s", do = "pause", node = 2 }"#],
        &[r#"{ at = "1s", do = "restart", in = "west" }"#],
        &[r#"{ at = "1s", do = "continue", in = "c" }"#],
        &[r#"{ at = "1s", do = "heal", in = "c" }"#],
        &[r#"{ at = "1s", do = "cut", in = "west" }"#, r#"{ at = "2s", do = "heal", from = 1, to = 3 }"#],
        &[r#"{ at = "1s", do = "pause", node = 1 }"#, r#"{ at = "2s", do = "restart", node = 1 }"#],
        &[r#"{ at = "1s", do = "pause", node = 1 }"#, r#"{ at = "2s", do = "drift", node = 1, ppm = 9 }"#],
        &[r#"{ at = "1s", do = "continue", node = 3 }"#],
        &[r#"{ at = "1s", do = "wipe-disk", node = 3 }"#],
        &[
            r#"{ at = "1s", do = "corrupt-disk", node = 3 }"#,
            r#"{ at = "2s", do = "crash", node = 3 }"#,
            r#"{ at = "3s", do = "restart", node = 3 }"#,
        ],
        &[r#"{ at = "1s", do = "byzantine", node = 1, how = "twin", to = [1] }"#],
        &[r#"{ at = "1s", do = "byzantine", node = 1, how = "silent", to = 1 }"#],
        &[r#"{ at = "1s", do = "byzantine", node = 1, how = "honest" }"#],
        &[
            r#"{ at = "1s", do = "byzantine", node = 1, how = "twin", to = 2 }"#,
            r#"{ at = "2s", do = "pause", node = 1 }"#,
        ],
        &[r#"{ at = "1s", do = "throttle", node = 1, share = "200%" }"#],
        &[r#"{ at = "1s", do = "release" }"#],
        &[r#"{ at = "1s", do = "release-all" }"#],
        &[r#"{ at = "1s", do = "hold-all" }"#, r#"{ at = "2s", do = "hold-all" }"#],
        &[
            r#"{ at = "1s", do = "crash", node = 1 }"#,
            r#"{ at = "2s", do = "fire", node = 1, timer = "heartbeat interval" }"#,
        ],
        &[
            r#"{ at = "1s", do = "hold", from = 1, to = 2, kind = "RequestVote" }"#,
            r#"{ at = "2s", do = "stabilise" }"#,
            r#"{ at = "3s", do = "release" }"#,
        ],
        &[r#"{ at = "1s", do = "crash", node = 1 }"#, r#"{ at = "2s", do = "hand-over", node = 1 }"#],
    ];
    let all: String = scripts.iter().map(|script| told(script) + "\n").collect();
    let expected = "tests/faults/contradictory.txt";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(expected, &all).expect("writable");
    }
    assert_eq!(all, std::fs::read_to_string(expected).expect("there is such a file"));
}

#[test]
fn action_impossible_at_its_time_is_refused_and_reported() {
    let mut odd = scenario(THREE);
    // The script alone determines neither when a full disk stops its node nor which node leads.
    odd.script.push(fault(r#"{ at = "1s", do = "fill-disk", node = 2 }"#));
    odd.script.push(fault(r#"{ at = "2s", do = "crash", node = 2 }"#));
    odd.script.push(fault(r#"{ at = "0s", do = "hand-over", node = 1 }"#));
    odd.duration = Some("3s".into());
    let report = quorumscope::lab::Run::to_end(&Document::from(odd)).expect("a good scenario");
    let refused: Vec<(&str, u64, &str)> =
        report.refused.iter().map(|refused| (&*refused.field, refused.at_us, &*refused.why)).collect();
    let expected = [
        ("script[2]", 0, "there is no leader now that could hand over"),
        ("script[1]", 2_000_000, "node 2 is down already"),
    ];
    assert_eq!(refused, expected);
}
