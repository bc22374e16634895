//! Reports of different seeds add up to the report of them all, byte for byte.

use super::{fuzzer, run};
use quorumscope::lab::fuzz::{ENOUGH, FuzzRequest, Report};

fn text(report: &Report) -> String {
    serde_json::to_string_pretty(report).expect("a report is JSON")
}

/// As another machine would send it.
fn sent(report: &Report) -> Report {
    quorumscope::lab::read(&mut serde_json::Deserializer::from_str(&text(report))).expect("our own text")
}

#[test]
fn merged_reports_equal_the_report_of_all_seeds() {
    // One with many failures: more than a report tells of.
    for (variant, without) in [("raft", vec![]), ("notes", vec![]), ("synod", vec!["durable-acceptor"])] {
        let fuzzer = fuzzer(variant, &without);
        let whole = run(&fuzzer, 100..700);
        let mut parts = run(&fuzzer, 400..700);
        for seeds in [150..151, 100..150, 151..400] {
            parts.merge(&sent(&run(&fuzzer, seeds))).expect("different seeds");
        }
        assert_eq!(text(&parts), text(&whole), "{variant}");
        assert_eq!(whole.seeds, [(100, 700)]);
        assert_eq!(whole.runs, 600);
    }
    let many = run(&fuzzer("notes", &[]), 0..600);
    assert!(many.failures.len() == 100 && many.violations.values().sum::<u64>() > 100);
}

#[test]
fn merge_of_reports_of_different_requests_is_refused() {
    let synod = fuzzer("synod", &[]);
    let ten = run(&synod, 0..10);
    let refused = |other: &Report| ten.clone().merge(other).expect_err("refused").to_string();
    assert!(refused(&run(&synod, 9..12)).contains("seeds: 9..12: a report before has some of these"));
    assert!(refused(&ten).contains("seeds: 0..10"));
    assert!(refused(&run(&fuzzer("raft", &[]), 10..12)).contains("variant: raft: the reports before have synod"));
    let ablated = run(&fuzzer("synod", &["durable-acceptor"]), 10..12);
    assert!(refused(&ablated).contains("without: durable-acceptor: the reports before have none"));
    let only = FuzzRequest { variant: "synod".into(), only: vec!["crash".into()], ..FuzzRequest::default() };
    assert!(refused(&run(&only.check().expect("good"), 10..12)).contains("only: crash"));
    let other = Report { version: "0.0.0".into(), ..run(&synod, 10..12) };
    assert!(refused(&other).contains("version: 0.0.0"));
    // Nothing was taken in.
    let mut same = ten.clone();
    let _ = same.merge(&other);
    assert_eq!(text(&same), text(&ten));
}

#[test]
fn invalid_fuzz_request_is_refused() {
    let told = |request: FuzzRequest| request.check().expect_err("refused").to_string();
    assert!(told(FuzzRequest { variant: "rfat".into(), ..FuzzRequest::default() }).contains("did you mean \"raft\"?"));
    let request = FuzzRequest { variant: "raft".into(), only: vec!["crush".into()], ..FuzzRequest::default() };
    assert!(told(request).contains("only[0]: \"crush\": did you mean \"crash\"?"));
    let request = FuzzRequest { variant: "raft".into(), without: vec!["onevote".into()], ..FuzzRequest::default() };
    assert!(told(request).contains("did you mean \"one-vote\"?"));
}

#[test]
fn rule_unreached_by_enough_runs_is_a_failure() {
    let mut report = run(&fuzzer("synod", &[]), 0..3);
    report.rules.insert("never-reached".to_owned(), 0);
    assert!(report.is_good(), "too few runs to tell");
    report.runs = ENOUGH;
    assert!(report.unreached().contains(&"never-reached") && !report.is_good());
    report.without = vec!["thrifty".to_owned()];
    assert!(report.is_good(), "without a rule others may be out of reach");
}

#[test]
fn report_counts_runs_that_exercised_each_property() {
    let report = run(&fuzzer("raft", &[]), 0..8);
    assert_eq!(report.exercised["Log Matching"], 8);
    assert!(report.exercised["Agreement"] > 0 && report.exercised.contains_key("Progress"), "{:?}", report.exercised);
    assert!(report.not_promised.is_empty(), "{:?}", report.not_promised);
    assert!(!run(&fuzzer("synod", &[]), 0..4).exercised.contains_key("One leader an epoch"), "nobody leads");
}
