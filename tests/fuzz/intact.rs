//! Nothing breaks an intact protocol, whatever a seed draws, and healed it goes on; and every rule is reached.

use super::{FuzzRequest, assert_nothing_broken, fuzzer, run};
use quorumscope::core::{RuleSet, Settings, Setup, Shots};
use quorumscope::universe;
use std::collections::BTreeSet;
use std::ops::Range;

/// The seeds to run: these, or `SEEDS=A..B`.
fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("SEEDS") else { return usual };
    let parsed = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.unwrap_or_else(|| panic!("SEEDS={text}: write it as SEEDS=0..1000"))
}

fn survives(variant: &str, usual: Range<u64>) {
    let fuzzer = fuzzer(variant, &[]);
    let report = run(&fuzzer, seeds(usual.clone()));
    println!(
        "{variant}: {} runs, {} events, {} commands, {} operations judged",
        report.runs, report.events, report.answered, report.judged
    );
    assert_nothing_broken(&fuzzer, &report);
    assert!(report.undecided * 50 <= report.judged, "{} operations in histories too hard to judge", report.undecided);
    if report.runs >= usual.end - usual.start {
        let unreached: Vec<&String> = report
            .rules
            .iter()
            .filter(|(rule, runs)| **runs == 0 && !on_request(variant, rule))
            .map(|(rule, _)| rule)
            .collect();
        assert_eq!(unreached, [""; 0], "no run of {variant} reached these rules");
        // A disk is corrupted only where a replica can be done without.
        let expected = fuzzer.fault_kinds().filter(|name| *name != "corrupt-disk" || can_spare_a_replica(variant));
        let quiet: Vec<&str> = expected.filter(|name| report.fault_kinds[*name] == 0).collect();
        assert_eq!(quiet, [""; 0], "these troubles was never injected");
    }
}

/// Whether a rule applies under settings only that promise less, and are not drawn.
fn on_request(variant: &str, rule: &str) -> bool {
    let variant = universe::variant(variant).expect("a variant");
    variant.unpromised.iter().any(|unpromised| variant.rules()[usize::from(unpromised.0)].key == rule)
}

/// Whether some cluster of it must go on, or need not go on anyway, without one of its replicas.
fn can_spare_a_replica(variant: &str) -> bool {
    let variant = universe::variant(variant).expect("a variant");
    let settings = Settings::defaults(variant.settings);
    let setup = |replicas| Setup { replicas, rtt_max: 1_000, settings: settings.clone(), ablated: RuleSet::EMPTY };
    (2..8).any(|n| (variant.live)(&setup(n), n - 1) || !(variant.live)(&setup(n), n))
}

/// All but the notes' algorithm, which is safe with its repairs only.
#[test]
fn every_variant_survives() {
    for variant in universe::variants().iter().filter(|variant| variant.card.key != "notes") {
        survives(variant.card.key, 0..if variant.card.agrees_on == Shots::Single { 1_500 } else { 500 });
    }
}

/// The algorithm of the notes with both repairs, which make it safe as long as workers remember their promises.
#[test]
fn repaired_notes() {
    use quorumscope::lab::Value;
    use quorumscope::lab::fuzz::FuzzRequest;
    let repairs = ["winner_refuses", "follower_cannot_win"];
    let settings = repairs.map(|repair| (repair.to_owned(), Value::Flag(true))).into_iter().collect();
    let request = FuzzRequest { variant: "notes".to_owned(), settings, ..FuzzRequest::default() };
    let fuzzer = request.check().expect("settings of the notes' algorithm");
    let report = run(&fuzzer, seeds(0..1_500));
    assert_nothing_broken(&fuzzer, &report);
}

/// Beyond the model anything may be violated, but nothing panics or hangs; a violation in a run within the model is a failure all the same.
#[test]
fn violations_beyond_the_model_are_counted_apart() {
    use quorumscope::lab::fuzz::FuzzRequest;
    for variant in ["raft", "multi-paxos", "synod"] {
        let request = FuzzRequest { variant: variant.to_owned(), beyond_model: true, ..FuzzRequest::default() };
        let fuzzer = request.check().expect("a variant");
        let report = run(&fuzzer, 0..80);
        assert_nothing_broken(&fuzzer, &report);
        for fault_kind in ["byzantine", "lost-writes", "wiped-disk"] {
            assert!(report.fault_kinds[fault_kind] > 0, "{variant}: {fault_kind} was never injected");
        }
        assert!(report.beyond > 0 && report.beyond < report.runs, "{variant}: {} runs", report.beyond);
        assert!(!report.excused.is_empty() && !report.examples.is_empty(), "{variant}: nothing broke");
    }
    let problems =
        FuzzRequest { variant: "raft".to_owned(), only: vec!["byzantine".to_owned()], ..FuzzRequest::default() };
    let told = problems.check().expect_err("beyond the model").to_string();
    assert!(told.contains("only[0]: byzantine: Raft does not promise to tolerate that"), "{told}");
}

/// A network without a bound, or one crash more than it survives, and nothing is promised. In one of these seeds clients began after their time.
#[test]
fn synchronous_protocol_gets_a_bound_on_delays_and_no_more_crashes_than_it_survives() {
    use quorumscope::lab::Value;
    let fuzzer = fuzzer("floodset", &[]);
    let mut crashed = 0;
    for seed in (0..150).chain([16_453]) {
        let run = fuzzer.run(seed);
        assert_eq!((run.violation, run.beyond), (None, false), "{seed}");
        assert_eq!(run.scenario.timing.map(|timing| timing.model).as_deref(), Some("synchronous"), "{seed}");
        let f = match run.scenario.settings.get("f") {
            Some(Value::Number(f)) => *f as usize,
            _ => 1,
        };
        // Whoever is to crash once it has sent so much may be crashed before that.
        let crashes = run.scenario.script.iter().filter(|fault| fault.action == "crash");
        let nodes: BTreeSet<String> = crashes.filter_map(|fault| Some(format!("{:?}", fault.node.as_ref()?))).collect();
        assert!(nodes.len() <= f, "{seed}: {nodes:?} of f = {f}");
        crashed += nodes.len();
    }
    assert!(crashed > 30, "{crashed}");
}

/// Viewstamped Replication keeps nothing on disk, so no more replicas may be down or recovering at a time than it survives. Under this seed a place
/// crashes, its replica moves in the same moment, and one more of three crashes.
#[test]
fn protocol_without_stable_storage_never_has_more_failed_replicas_than_it_survives() {
    let intact = fuzzer("vrr", &[]).run(7_671);
    assert_eq!(intact.violation, None);
    assert!(!intact.beyond);
    let request = FuzzRequest { variant: "vrr".to_owned(), beyond_model: true, ..FuzzRequest::default() };
    let beyond = request.check().expect("a good request");
    let stuck = (0..200).map(|seed| beyond.run(seed)).find(|run| run.beyond && run.violation.is_some());
    assert!(stuck.is_some(), "beyond the model, some run is stuck for ever");
}
