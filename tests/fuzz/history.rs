//! Violations that no moment shows: at each, the nodes that run hold nothing that contradicts another node. Only what they held before does.
//!
//! Shrunk scenarios of seeds that went unnoticed while invariants compared present states.

use super::scenario_file;
use quorumscope::lab::{Document, Run};

#[test]
fn value_chosen_by_votes_that_were_overwritten_or_lost_is_remembered() {
    for (variant, property) in [
        ("multi-paxos", "Chosen stays chosen (P2)"),
        ("synod", "Chosen stays chosen (P2)"),
        ("caspaxos", "Acknowledged changes stay"),
    ] {
        let mut scenario = scenario_file(&format!("tests/fuzz/history/{variant}.toml"));
        let report = Run::to_end(&Document::from(scenario.clone())).expect("a good scenario");
        let violated: Vec<_> = report.violations.iter().map(|violation| violation.property).collect();
        assert_eq!(violated, [property], "{variant}");
        scenario.without.clear();
        let report = Run::to_end(&Document::from(scenario)).expect("a good scenario");
        assert_eq!(report.violations, [], "{variant} with all rules");
    }
}

/// The only acceptor crashes before its vote is on its disk, and is back at once.
#[test]
fn vote_lost_while_nobody_runs_does_not_count() {
    let scenario = scenario_file("tests/fuzz/history/synod-lost-vote.toml");
    let report = Run::to_end(&Document::from(scenario)).expect("a good scenario");
    assert_eq!(report.violations, []);
}
