//! Ablations: for every removable rule a seed whose run violates a property without it, and the scenario that it shrinks to.
//!
//! `tests/fuzz/ablations/found.txt` lists the seeds. `VARIANT-RULE.toml` beside it is the shrunk scenario, and the `.txt` its transcript.
//! `SEARCH=1 cargo test --release --test fuzz variant_without_a_rule` looks for seeds of the rules that are not in the list, and
//! `UPDATE=1 cargo test --test fuzz shrunk_ablation` writes the transcripts anew; read the difference.

use super::run;
use quorumscope::lab::fuzz::{FuzzRequest, Fuzzer};
use quorumscope::lab::shrink::shrink;
use quorumscope::lab::{Document, Run, Scenario, Value, text};
use quorumscope::universe;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

/// Where the seeds are listed.
const FOUND: &str = "tests/fuzz/ablations/found.txt";

/// Seeds that are enough for nearly all rules, and for those whose absence takes a rare order of events.
const USUAL: u64 = 2_000;
const RARE: u64 = 60_000;

/// Rules that random runs do not catch, and where they are caught instead.
const PLOTS: &[(&str, &str, &str)] = &[
    (
        "notes",
        "promise-upwards",
        "then workers follow each other in a circle and nobody wins, which the algorithm does not rule out anyway",
    ),
    (
        "notes",
        "promise-is-durable",
        "its card says that crashed workers stay down, so no seed restarts one: tests/explore/notes.rs does",
    ),
    (
        "epaxos",
        "promise",
        "a command leader must go on in the very moment in which its instance is recovered as a no-op: tests/explore/ablations.rs finds it",
    ),
    (
        "epaxos",
        "adopt-accepted",
        "the slow path must be cut off between its quorum and its commit, where few seeds do so: tests/explore/ablations.rs finds it",
    ),
    (
        "epaxos",
        "two-ballots",
        "takes three recoveries of one instance in one order, as in Sutra's paper: src/protocols/epaxos/tests.rs plays it",
    ),
    (
        "raft",
        "commit-own-term",
        "figure 8 takes five elections, each cut off within one round trip: tests/raft/scenes.rs plays it",
    ),
    (
        "raft",
        "catch-up-first",
        "the new server must be far behind, and the others without a member to spare: tests/raft/membership.rs plays it",
    ),
    (
        "raft",
        "snapshot-keeps-rest",
        "a snapshot must be overtaken by many entries that were sent before it: src/protocols/raft/tests/replication.rs plays it",
    ),
    (
        "multi-paxos",
        "promises-outlive-crashes",
        "all grantors of a holder that is cut off must crash and restart within its lease: tests/reads.rs plays it",
    ),
    (
        "vrr",
        "crash-vector",
        "two replicas must each crash after a message of one view change, and recover before those arrive: tests/explore/vrr.rs finds it",
    ),
    (
        "omni-paxos",
        "quorum-connected",
        "links must stay cut for good, and a run's faults end before it must go on: tests/partial_connectivity.rs cuts them",
    ),
    (
        "synod",
        "accept-raises-promise",
        "takes three ballots and five servers in one order: src/protocols/synod/tests.rs plays it",
    ),
];

fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

fn file(variant: &str, rule: &str, ending: &str) -> PathBuf {
    PathBuf::from(format!("tests/fuzz/ablations/{variant}-{rule}.{ending}"))
}

/// A run told event by event, and its violations.
fn told(scenario: &Scenario) -> (String, Vec<&'static str>) {
    let mut run = Run::new(&Document::from(scenario.clone())).expect("a good scenario");
    let mut transcript = run.transcript();
    let mut lines = String::new();
    while !run.step().expect("no interventions") {
        lines.push_str(&transcript.tell(run.session().universe()));
    }
    let report = run.report();
    for violation in &report.violations {
        lines.push_str(&format!("{} is broken. {}\n", violation.property, violation.says));
    }
    (lines, report.violations.iter().map(|violation| violation.property).collect())
}

/// Every rule that may be taken away, but for those that take a plot.
fn rules() -> Vec<(&'static str, &'static str)> {
    let all = universe::variants().iter().flat_map(|variant| {
        let removable = variant.rules().iter().filter(|rule| rule.without.is_some());
        removable.map(|rule| (variant.card.key, rule.key))
    });
    all.filter(|pair| !PLOTS.iter().any(|(variant, rule, _)| pair == &(*variant, *rule))).collect()
}

/// The fuzzer without a rule. The notes' algorithm is safe only with both repairs, so it has them.
fn repaired(variant: &str, rule: &str) -> Fuzzer {
    let all = universe::variant(variant).expect("a variant").settings;
    let repairs = ["winner_refuses", "follower_cannot_win"].into_iter();
    let repairs = repairs.filter(|repair| all.iter().any(|setting| setting.key == *repair));
    let settings = repairs.map(|repair| (repair.to_owned(), Value::Flag(true))).collect();
    let mut request =
        FuzzRequest { variant: variant.to_owned(), without: vec![rule.to_owned()], settings, ..FuzzRequest::default() };
    // Rules of one way to read: few runs draw it by chance.
    let reads = match rule {
        "log-is-the-lease" | "deferred-commit" | "limbo-region" => Some("leaseguard"),
        "rinse" => Some("quorum-reads"),
        "holders-accept" | "lease-runs-out" | "lease-from-slot" => Some("quorum-leases"),
        _ => None,
    };
    request.settings.extend(reads.map(|way| ("reads".to_owned(), Value::Text(way.to_owned()))));
    if (variant, rule) == ("raft", "change-after-own-commit") {
        // Two leaders must each change the members before anybody hears of it. Joint consensus has no such flaw.
        request.settings.insert("membership".to_owned(), Value::Text("single-server".to_owned()));
        request.only = ["members", "isolate", "heal"].map(str::to_owned).to_vec();
    }
    if (variant, rule) == ("vrr", "nonce") {
        // The primary's answer to one recovery must come twice, and the second time during another one.
        request.only = ["bounce", "duplicates", "reordering", "slow-link"].map(str::to_owned).to_vec();
    }
    request.check().unwrap_or_else(|problems| panic!("{problems}"))
}

/// Looks for a violation and shrinks those that came after the fewest events. Gives the line for the list, and the smallest scenario.
fn find(variant: &str, rule: &str) -> (String, Scenario) {
    let fuzzer = repaired(variant, rule);
    let mut report = run(&fuzzer, 0..USUAL);
    if report.failures.is_empty() {
        report = run(&fuzzer, 0..RARE);
    }
    let mut failures = report.failures.clone();
    let Some(first) = failures.first().cloned() else { panic!("{variant} without {rule}: nothing is broken") };
    failures.sort_by_key(|failure| (failure.event, failure.seed));
    let shrunk = failures.iter().take(6).map(|failure| {
        let drawn = fuzzer.run(failure.seed).scenario;
        let shrunk =
            shrink(&drawn, Some(&failure.property), 8_000, &mut |_| true).expect("good").expect("it is broken");
        (told(&shrunk.scenario).0.lines().count(), shrunk.scenario)
    });
    let (lines, scenario) = shrunk.min_by_key(|(lines, _)| *lines).expect("there is a failure");
    println!("{variant} without {rule}: {lines} lines");
    (format!("{variant} {rule} {}: {}\n", first.seed, first.property), scenario)
}

#[test]
fn variant_without_a_rule_violates_a_property() {
    if std::env::var_os("SEARCH").is_some() {
        let kept = fs::read_to_string(FOUND).unwrap_or_default();
        let mut list = String::new();
        for (variant, rule) in rules() {
            // Removing a line from the list has its rule looked for anew.
            let known = kept.lines().find(|line| line.starts_with(&format!("{variant} {rule} ")));
            let line = known.map_or_else(
                || {
                    let (line, scenario) = find(variant, rule);
                    fs::write(file(variant, rule, "toml"), text::to_toml(&scenario)).expect("writable");
                    line
                },
                |line| format!("{line}\n"),
            );
            list.push_str(&line);
            fs::write(FOUND, &list).expect("writable");
        }
    }
    let list = fs::read_to_string(FOUND).expect("readable");
    for (variant, rule) in rules() {
        let listed = list.lines().any(|line| line.starts_with(&format!("{variant} {rule} ")));
        assert!(listed, "{variant} without {rule} is not in the list; SEARCH=1 looks for a seed");
    }
    let mut again = String::new();
    for line in list.lines() {
        let words: Vec<&str> = line.split([' ', ':']).collect();
        let [variant, rule, seed, ..] = words[..] else { panic!("{line}: VARIANT RULE SEED: PROPERTY") };
        let seed = seed.parse().expect("a seed");
        assert!(seed < RARE, "{line}");
        let property = repaired(variant, rule).run(seed).violation.map_or("nothing", |violation| violation.property);
        let _ = writeln!(again, "{variant} {rule} {seed}: {property}");
    }
    assert_eq!(again, list, "the list says what breaks under which seed");
}

#[test]
fn shrunk_ablation_scenario_reproduces_its_transcript() {
    for (variant, rule) in rules() {
        let text = fs::read_to_string(file(variant, rule, "toml")).expect("readable");
        let scenario =
            text::from_toml(&text).unwrap_or_else(|problems| panic!("{variant} {rule}: {problems}")).scenario;
        assert_eq!((scenario.variant.as_str(), scenario.without.as_slice()), (variant, &[rule.to_owned()][..]));
        let (lines, broken) = told(&scenario);
        let says = broken.first().map(|property| format!("{property} is violated"));
        assert_eq!(says.as_ref(), Some(&scenario.title), "{variant} without {rule}");
        if updating() {
            fs::write(file(variant, rule, "txt"), &lines).expect("writable");
        }
        let kept = fs::read_to_string(file(variant, rule, "txt")).expect("readable");
        assert_eq!(lines, kept, "{variant} without {rule}");
        // The notes' algorithm is unsafe as written, and shrinking takes its repairs away.
        if variant == "notes" {
            continue;
        }
        // With the rule in force the same run is a good one, or its settings are refused.
        let intact = Scenario { without: Vec::new(), ..scenario };
        if intact.check().is_ok() {
            assert_eq!(told(&intact).1, [""; 0], "{variant} with {rule}");
        }
    }
}

#[test]
fn rules_not_found_by_fuzzing_have_scripted_scenarios() {
    for (variant, rule, why) in PLOTS {
        let rules = universe::variant(variant).expect("a variant").rules();
        assert!(rules.iter().any(|known| known.key == *rule && known.without.is_some()), "{variant} {rule}: {why}");
    }
}
