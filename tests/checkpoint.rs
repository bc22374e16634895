//! `check --checkpoint`: an exploration that was cut short goes on where it was, and comes to the same end.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn check(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quorumscope")).arg("check").args(arguments).output().expect("it runs")
}

/// A file of this test's own, not there yet.
fn file(name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("checkpoint-{name}"));
    let _ = std::fs::remove_file(&file);
    file
}

fn finding(output: &Output) -> Value {
    let told = std::str::from_utf8(&output.stderr).expect("UTF-8");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON; {told}"))
}

/// Explores in one go, and in steps that end at 1 state, at a tenth of all, one state later and at the half; both must find the same.
fn same_in_steps(name: &str, arguments: &[&str]) {
    let file = file(name);
    let path = file.to_str().expect("UTF-8");
    let mut whole = finding(&check(&[arguments, &["--json"]].concat()));
    let all = whole["states"].as_u64().expect("a count");
    assert!(all > 100, "{name}: {all} states are too few to stop in between");
    for states in [1, all / 10, all / 10 + 1, all / 2] {
        let bound = format!("states={states}");
        let cut_short = check(&[arguments, &["--json", "--checkpoint", path, "--bounds", &bound]].concat());
        assert_eq!(cut_short.status.code(), Some(3), "{name}, {states} states");
    }
    let mut resumed = finding(&check(&[arguments, &["--json", "--checkpoint", path]].concat()));
    for finding in [&mut whole, &mut resumed] {
        finding["bounds"]["states"] = Value::Null;
    }
    assert_eq!(resumed, whole, "{name}");
}

#[test]
fn search_that_goes_on_visits_the_states_that_one_without_a_break_visits() {
    let raft = ["--variant", "raft", "--bounds", "requests=1", "--bounds", "timers=2", "--bounds", "depth=7"];
    same_in_steps("raft", &raft);
    let synod = ["--variant", "synod", "--bounds", "timers=0", "--bounds", "crashes=1", "--bounds", "depth=9"];
    same_in_steps("synod", &synod);
    let reads = ["--variant", "caspaxos", "--bounds", "at=1", "--bounds", "reads=2", "--bounds", "depth=8"];
    same_in_steps("reads", &reads);
    let orders = ["--variant", "raft", "--bounds", "requests=0,transfers=1,timers=3", "--bounds", "depth=7"];
    same_in_steps("orders", &orders);
}

#[test]
fn search_with_symmetry_goes_on_with_the_same_representatives() {
    let alike = ["--variant", "raft", "--bounds", "requests=0", "--bounds", "symmetry=on", "--bounds", "depth=7"];
    same_in_steps("symmetry", &alike);
}

#[test]
fn search_that_goes_on_finds_the_same_violation_by_the_same_trace() {
    let vote = ["--variant", "raft", "--without", "one-vote", "--bounds", "requests=0", "--bounds", "timers=2"];
    same_in_steps("violation", &vote);
    let stages = ["--variant", "raft", "--via", "leader=1,leader=2", "--bounds", "requests=0", "--bounds", "timers=2"];
    let then = ["--without", "one-vote", "--property", "One leader an epoch"];
    same_in_steps("stages", &[&stages[..], &then].concat());
}

#[test]
fn file_of_another_search_a_damaged_one_and_one_that_is_none_are_refused_and_kept() {
    let file = file("refused");
    let path = file.to_str().expect("UTF-8");
    let search = ["--variant", "synod", "--bounds", "states=500", "--checkpoint", path];
    assert_eq!(check(&search).status.code(), Some(3));
    let intact = std::fs::read(&file).expect("written");
    let refused = |arguments: &[&str], says: &str| {
        let before = std::fs::read(&file).expect("there");
        let output = check(arguments);
        let error = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("--checkpoint") && error.contains(says), "{error}");
        assert_eq!(std::fs::read(&file).expect("there"), before);
    };
    let other = ["--variant", "synod", "--bounds", "states=500", "--bounds", "crashes=1", "--checkpoint", path];
    refused(&other, "is of another exploration (--variant synod --replicas 3 --bounds depth=any");
    for length in [0, 1, 40, intact.len() / 2, intact.len() - 1] {
        std::fs::write(&file, &intact[..length]).expect("writable");
        refused(&search, "is damaged");
    }
    for place in (0..intact.len()).step_by(intact.len() / 40) {
        let mut changed = intact.clone();
        changed[place] ^= 0x10;
        std::fs::write(&file, changed).expect("writable");
        refused(&search, "is damaged");
    }
    std::fs::write(&file, "no checkpoint at all\n").expect("writable");
    refused(&search, "is damaged, or no checkpoint");
    let nowhere = ["--variant", "synod", "--bounds", "states=500", "--checkpoint", "/dev/null/here"];
    assert_eq!(check(&nowhere).status.code(), Some(2));
}

#[test]
fn search_that_is_over_leaves_no_checkpoint_behind() {
    let file = file("over");
    let path = file.to_str().expect("UTF-8");
    let over = check(&["--variant", "synod", "--bounds", "timers=0,depth=4", "--checkpoint", path]);
    assert_eq!(over.status.code(), Some(0));
    assert!(!file.exists());
}
