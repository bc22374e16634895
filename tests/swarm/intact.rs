//! Nothing breaks an intact protocol, whatever a seed draws, and healed it goes on; and every rule is reached.

use super::{assert_nothing_broken, run, swarm};
use std::ops::Range;

/// The seeds to run: these, or `SEEDS=A..B`.
fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("SEEDS") else { return usual };
    let parsed = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.unwrap_or_else(|| panic!("SEEDS={text}: write it as SEEDS=0..1000"))
}

fn survives(variant: &str, usual: Range<u64>) {
    let swarm = swarm(variant, &[]);
    let report = run(&swarm, seeds(usual.clone()));
    println!(
        "{} runs, {} events, {} commands, {} operations judged",
        report.runs, report.events, report.answered, report.judged
    );
    assert_nothing_broken(&swarm, &report);
    assert!(report.undecided * 50 <= report.judged, "{} operations in histories too hard to judge", report.undecided);
    if report.runs >= usual.end - usual.start {
        let unreached: Vec<&String> =
            report.rules.iter().filter(|(_, runs)| **runs == 0).map(|(rule, _)| rule).collect();
        assert_eq!(unreached, [""; 0], "no run reached these rules");
        let quiet: Vec<&str> = swarm.fault_kinds().filter(|name| report.fault_kinds[*name] == 0).collect();
        assert_eq!(quiet, [""; 0], "these troubles never struck");
    }
}

#[test]
fn raft() {
    survives("raft", 0..600);
}

#[test]
fn multi_paxos() {
    survives("multi-paxos", 0..400);
}

#[test]
fn synod() {
    survives("synod", 0..1_500);
}

/// The algorithm of the notes with both repairs, which make it safe as long as workers remember their promises.
#[test]
fn repaired_notes() {
    use quorumscope::lab::Value;
    use quorumscope::lab::swarm::FuzzRequest;
    let repairs = ["winner_refuses", "follower_cannot_win"];
    let settings = repairs.map(|repair| (repair.to_owned(), Value::Flag(true))).into_iter().collect();
    let request = FuzzRequest { variant: "notes".to_owned(), settings, ..FuzzRequest::default() };
    let swarm = request.check().expect("settings of the notes' algorithm");
    let report = run(&swarm, seeds(0..1_500));
    assert_nothing_broken(&swarm, &report);
}

/// Beyond the model anything may break, but nothing panics or hangs, and what a run breaks that stayed within it is a failure all the same.
#[test]
fn what_is_beyond_the_model_is_counted_apart() {
    use quorumscope::lab::swarm::FuzzRequest;
    for variant in ["raft", "multi-paxos", "synod"] {
        let request = FuzzRequest { variant: variant.to_owned(), beyond_model: true, ..FuzzRequest::default() };
        let swarm = request.check().expect("a variant");
        let report = run(&swarm, 0..80);
        assert_nothing_broken(&swarm, &report);
        for fault_kind in ["lie", "lost-writes", "wiped-disk"] {
            assert!(report.fault_kinds[fault_kind] > 0, "{variant}: {fault_kind} never struck");
        }
        assert!(report.beyond > 0 && report.beyond < report.runs, "{variant}: {} runs", report.beyond);
        assert!(!report.excused.is_empty() && !report.examples.is_empty(), "{variant}: nothing broke");
    }
    let problems = FuzzRequest { variant: "raft".to_owned(), only: vec!["lie".to_owned()], ..FuzzRequest::default() };
    let told = problems.check().expect_err("beyond the model").to_string();
    assert!(told.contains("only[0]: lie: Raft does not promise to survive that"), "{told}");
}
