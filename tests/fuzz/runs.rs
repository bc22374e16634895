//! A seed's run is an ordinary scenario, and a run that fails becomes a small one.

use super::fuzzer;
use quorumscope::judge::Violation;
use quorumscope::lab::divergence::first_difference;
use quorumscope::lab::fuzz::violation;
use quorumscope::lab::shrink::shrink;
use quorumscope::lab::{Document, Run, Scenario, text};

/// A violation without the number of its event.
fn place(violation: &Violation) -> (&'static str, u64, u64) {
    (violation.property, violation.event, violation.at)
}

#[test]
fn generated_scenario_reproduces_the_run_of_its_seed() {
    for variant in ["raft", "multi-paxos", "synod"] {
        let fuzzer = fuzzer(variant, &[]);
        for seed in 0..120 {
            let fuzz_run = fuzzer.run(seed);
            let again = text::from_toml(&text::to_toml(&fuzz_run.scenario)).expect("our own text");
            assert_eq!(again.scenario, fuzz_run.scenario, "seed {seed}");
            let report = Run::to_end(&again).expect("a good scenario");
            assert_eq!(report.fingerprint, format!("{:016x}", fuzz_run.fingerprint), "{variant}, seed {seed}");
            assert_eq!((report.events, report.violations.len()), (fuzz_run.events, 0), "{variant}, seed {seed}");
        }
    }
}

#[test]
fn generated_scenario_reproduces_the_violation_of_its_seed() {
    for (variant, rule) in
        [("raft", "one-vote"), ("multi-paxos", "adopt-highest-accepted"), ("synod", "unique-ballots")]
    {
        let fuzzer = fuzzer(variant, &[rule]);
        let broken = (0..100).map(|seed| fuzzer.run(seed)).filter(|fuzz_run| fuzz_run.violation.is_some());
        let mut seen = 0;
        for fuzz_run in broken {
            let first = fuzz_run.violation.expect("there is one");
            let again = violation(&fuzz_run.scenario, None).expect("a good scenario").0.expect("it is broken again");
            assert_eq!(place(&again), place(&first), "{variant} without {rule}");
            seen += 1;
        }
        assert!(seen > 0, "{variant} without {rule}: nothing was broken");
    }
}

/// What `run` reports of a scenario, by the name of its first violation.
fn reported(scenario: &Scenario) -> Option<String> {
    let report = Run::to_end(&Document::from(scenario.clone())).expect("a good scenario");
    report.violations.first().map(|violation| violation.property.to_owned())
}

#[test]
fn shrunk_scenario_violates_the_same_property() {
    let fuzzer = fuzzer("synod", &["unique-ballots"]);
    let fuzz_run =
        (0..100).map(|seed| fuzzer.run(seed)).find(|fuzz_run| fuzz_run.violation.is_some()).expect("one is broken");
    let before = fuzz_run.violation.expect("it is broken");
    let once = || shrink(&fuzz_run.scenario, None, 3_000, &mut |_| true).expect("good").expect("it is broken");
    let shrunk = once();
    assert_eq!(shrunk.violation.property, before.property);
    assert_eq!(reported(&shrunk.scenario).as_deref(), Some(before.property));
    assert_eq!(once().scenario, shrunk.scenario, "the same every time");
    // Two proposers and one acceptor between them are enough, and so is a run of two ballots.
    assert!(shrunk.scenario.replicas.len() <= 3, "{:?}", shrunk.scenario);
    assert!(shrunk.scenario.script.len() + shrunk.scenario.clients.len() <= 3, "{:?}", shrunk.scenario);
    assert!(shrunk.violation.event < 40, "{:?}", shrunk.violation);
    // With the rule in force, the same run is a good one.
    let intact = Scenario { without: Vec::new(), ..shrunk.scenario };
    assert_eq!(reported(&intact), None);
}

#[test]
fn scenario_without_violation_does_not_shrink() {
    let scenario = fuzzer("synod", &[]).run(1).scenario;
    assert!(shrink(&scenario, None, 100, &mut |_| true).expect("good").is_none());
}

#[test]
fn first_difference_is_the_first_differing_event() {
    let scenario = fuzzer("raft", &[]).run(3).scenario;
    let document = Document::from(scenario.clone());
    assert_eq!(first_difference(&document, &document, 3), Ok(None));
    // One more fault, late: all is the same until then.
    let late = scenario.recovery.as_ref().expect("a healthy core").from.clone();
    let mut longer = scenario.clone();
    longer.script.push(quorumscope::lab::Fault {
        at: late.clone(),
        action: "quiesce".to_owned(),
        ..Default::default()
    });
    let found = first_difference(&document, &Document::from(longer), 3).expect("good").expect("they differ");
    assert!(found.steps > 100 && found.common.len() == 3 && found.left.len() == 4, "{found:#?}");
    assert_ne!(found.left[0], found.right[0]);
    assert!(found.right[0].contains("somebody steps in"), "{found:#?}");
    // A run that ends earlier parts where it ends.
    let shorter = Scenario { duration: Some(late), recovery: None, ..scenario };
    let found = first_difference(&document, &Document::from(shorter), 0).expect("good").expect("they differ");
    assert!(found.right.is_empty() && found.left.len() == 1, "{found:#?}");
}

#[test]
fn liveness_violation_names_the_waiting_client() {
    let told = |recovery: &str| {
        let text = format!(
            "variant = \"raft\"\nsites = [\"s\"]\nrtt_ms = [[1]]\nreplicas = [\"s\", \"s\", \"s\"]\nduration = \"9s\"\n\
             clients = [{{ site = \"s\" }}]\n{recovery}\n\
             script = [{{ at = \"1s\", do = \"crash\", node = 1 }}, {{ at = \"2s\", do = \"crash\", node = 2 }}]\n"
        );
        let document = text::from_toml(&text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        violation(&document.scenario, None)
            .map(|(found, _)| found.map(|violation| (violation.property, violation.at / 1_000)))
    };
    // Nobody promised anything.
    assert_eq!(told(""), Ok(None));
    // One may be down, two may not.
    assert_eq!(told("recovery = { from = \"1s\", within = \"8s\" }"), Ok(Some(("Progress", 9_000))));
    let early = told("recovery = { from = \"1s\", within = \"3s\" }").expect("good");
    assert!(matches!(early, Some(("Progress", 4_000..5_100))), "{early:?}");
    let late = told("recovery = { from = \"5s\", within = \"500ms\" }").expect("good");
    assert!(matches!(late, Some(("Progress", 5_500..5_700))), "{late:?}");
    let problems = told("recovery = { from = \"8s\", within = \"2s\" }").expect_err("too long");
    assert!(problems.to_string().contains("the run ends before that; a duration of 10s would do"), "{problems}");
}

/// Node 1 has left the cluster and knows no leader. Its answer takes nearly as long as the client's patience lasts, so that patience ran out
/// while the client paused, and node 2, which was next, was passed over each time around.
#[test]
fn client_retries_reach_the_leader() {
    let text = r#"
variant = "raft"
sites = ["a", "b"]
rtt_ms = [[9.5, 20], [20, 1]]
replicas = ["a", "b"]
duration = "9s"
clients = [{ site = "a", start = "5s", retry = "10ms", commands = 5 }]
recovery = { from = "5s", within = "2s" }
script = [{ at = "2s", do = "hand-over", node = 2 }, { at = "3s", do = "remove", node = 1 }]
"#;
    let document = text::from_toml(text).unwrap_or_else(|problems| panic!("{problems}"));
    let report = Run::to_end(&document).expect("a good scenario");
    assert!(report.refused.iter().all(|refused| refused.field != "script[1]"), "{:?}", report.refused);
    assert_eq!(report.violations.first().map(|violation| violation.property), None);
    assert_eq!(report.commands.answered, 5);
}

/// Runs that once broke something in an intact protocol, each told in its own file. They stay good runs.
#[test]
fn kept_regression_scenarios_violate_nothing() {
    let mut files: Vec<_> =
        std::fs::read_dir("tests/fuzz/kept").expect("the folder").map(|file| file.expect("readable").path()).collect();
    files.sort();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("readable");
        let document = text::from_toml(&text).unwrap_or_else(|problems| panic!("{}: {problems}", file.display()));
        let report = Run::to_end(&document).expect("a good scenario");
        assert!(report.violations.is_empty(), "{}: {:?}", file.display(), report.violations);
        assert_eq!(report.commands.waiting, 0, "{}", file.display());
    }
}
