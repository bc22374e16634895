//! Scenario documents, good and bad.

#![cfg(not(target_arch = "wasm32"))]

use quorumscope::lab::presets::PRESETS;
use quorumscope::lab::run::Run;
use quorumscope::lab::{Scenario, Session, text};
use quorumscope::universe;
use std::fs;
use std::path::{Path, PathBuf};

/// Set to write what is found where something else was expected.
fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|found| found == ending));
    found.sort();
    assert!(!found.is_empty(), "{folder} is empty");
    found
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn scenario(path: &Path) -> Scenario {
    let document = text::from_toml(&text_of(path)).unwrap_or_else(|wrong| panic!("{}:\n{wrong}", path.display()));
    document.scenario
}

/// `UPDATE=1 cargo test --test scenario` writes the twins anew; build again afterwards.
#[test]
fn built_in_scenario_equals_its_json_file() {
    let mut keys = Vec::new();
    for path in files("scenarios", "toml") {
        let (twin, json) = (path.with_extension("json"), text::to_json(&scenario(&path)));
        if updating() {
            fs::write(&twin, &json).expect("writable");
        }
        assert_eq!(text_of(&twin), json, "{}", twin.display());
        keys.push(path.file_stem().expect("a name").to_string_lossy().into_owned());
    }
    let mut listed: Vec<&str> = PRESETS.iter().map(|preset| preset.key).collect();
    listed.sort_unstable();
    assert_eq!(listed, keys, "the twins just written are built in by the next build: run this once more");
}

#[test]
fn built_in_scenario_is_valid_and_runs_without_refusals() {
    for preset in PRESETS {
        let document = text::from_json(preset.json).unwrap_or_else(|wrong| panic!("{}:\n{wrong}", preset.key));
        let scenario = document.scenario;
        assert!(!scenario.title.is_empty() && !scenario.about.is_empty(), "{}", preset.key);
        let mut session = Session::new(scenario).unwrap_or_else(|wrong| panic!("{}:\n{wrong}", preset.key));
        session.run_until(1_000_000, 10_000);
        assert!(session.universe().events() > 0, "{}", preset.key);
    }
}

#[test]
fn written_scenario_reads_back_equal() {
    for path in files("scenarios", "toml") {
        let scenario = scenario(&path);
        for again in [
            text::from_toml(&text::to_toml(&scenario)),
            text::from_json(&text::to_json(&scenario)),
            text::from_link(&text::to_link(&scenario.clone().into())),
        ] {
            assert_eq!(again.expect("our own text").scenario, scenario, "{}", path.display());
        }
    }
}

#[test]
fn link_round_trips_scenario_interventions_and_moment() {
    let two_winners = scenario(Path::new("scenarios/two-winners.toml"));
    let mut session = Session::new(two_winners).expect("good");
    session.run_until(u64::MAX, 5);
    session.act(quorumscope::sim::Action::HealAll).expect("harmless");
    session.run_until(u64::MAX, 3);
    let link = text::to_link(&session.document());
    let document = text::from_link(&link).expect("our own link");
    let opened = Session::open(&document).expect("our own document");
    assert_eq!(opened.universe().fingerprint(), session.universe().fingerprint());
    // The command line's report is of that very moment, not of the scenario's end.
    let report = Run::to_end(&document).expect("our own document");
    assert_eq!(report.fingerprint, format!("{:016x}", session.universe().fingerprint()));
    assert!(report.complete && report.events == 8, "{report:?}");
    for wrong in [&link[..link.len() / 2], "#s=1.", "#s=1.!!!", "#s=2.abc", "nothing"] {
        assert!(text::from_link(wrong).is_err(), "{wrong}");
    }
}

/// `tests/scenarios/bad/*.toml`, each with the error it must give beside it. `UPDATE=1` writes the errors anew: read the difference.
#[test]
fn invalid_scenario_is_refused_with_field_value_and_suggestion() {
    // A new variant is no reason to write these anew.
    let all_variants = universe::variants().iter().map(|variant| variant.card.key).collect::<Vec<_>>().join(", ");
    for path in files("tests/scenarios/bad", "toml") {
        let found = match text::from_toml(&text_of(&path)).and_then(|document| document.scenario.check()) {
            Ok(_) => panic!("{} was accepted", path.display()),
            Err(wrong) => format!("{wrong}\n").replace(&all_variants, "(every variant)"),
        };
        let expected = path.with_extension("txt");
        if updating() {
            fs::write(&expected, &found).expect("writable");
        }
        assert_eq!(found, text_of(&expected), "{}", path.display());
    }
}

#[test]
fn every_variant_runs_with_default_settings() {
    for variant in universe::variants() {
        let scenario = Scenario {
            variant: variant.card.key.to_owned(),
            replicas: vec!["VA".to_owned(); usize::from(variant.card.min_replicas)],
            ..scenario(Path::new("scenarios/two-winners.toml"))
        };
        let scenario = Scenario {
            sites: vec![quorumscope::lab::Site::named("VA")],
            settings: Default::default(),
            trials: Vec::new(),
            ..scenario
        };
        Session::new(scenario).unwrap_or_else(|wrong| panic!("{}: {wrong}", variant.card.key));
    }
}

#[test]
fn readme_example_is_valid() {
    let readme = text_of(Path::new("scenarios/README.md"));
    let example = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let document = text::from_toml(example).unwrap_or_else(|wrong| panic!("{wrong}"));
    document.scenario.check().unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[test]
fn client_groups_are_split_over_sites_by_weight() {
    let spread = |pace: &str| {
        let text = format!(
            "variant = \"raft\"\nmatrix = \"aws\"\nsites = [\"us-east-1\", \"us-west-2\", \"eu-west-1\"]\n\
             replicas = [\"us-east-1\", \"us-west-2\", \"eu-west-1\"]\nduration = \"60s\"\n\
             clients = [{{ weights = {{ eu-west-1 = 3, us-east-1 = 1 }}, {pace} }}]"
        );
        let document = text::from_toml(&text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let report = Run::to_end(&document).unwrap_or_else(|wrong| panic!("{wrong}"));
        report.latency_us.iter().map(|site| (site.site.clone(), site.count)).collect::<Vec<_>>()
    };
    let (near, far) = ("us-east-1".to_owned(), "eu-west-1".to_owned());
    assert_eq!(spread("commands = 40"), [(far.clone(), 40)], "its one session is in Europe, and so are its commands");
    assert_eq!(spread("commands = 40, sessions = 4"), [(near, 10), (far, 30)]);
    let open = spread("rate = \"20/s\"");
    let share = |at: usize| open[at].1 as f64 / 1_200.0;
    assert!((0.2..0.3).contains(&share(0)) && (0.65..0.85).contains(&share(1)), "{open:?}");
}

/// A Raft cluster of three in one place, with something more.
fn three(more: &str) -> Scenario {
    let text = format!(
        "variant = \"raft\"\nrtt_ms = [[10]]\nsites = [\"s\"]\nreplicas = [\"s\", \"s\", \"s\"]\nduration = \"5s\"\n{more}\n"
    );
    text::from_toml(&text).unwrap_or_else(|problems| panic!("{problems}\n{text}")).scenario
}

#[test]
fn node_settings_hold_for_that_node_alone() {
    let first_leaders = |more: &str| -> Vec<u32> {
        let leader = |seed| {
            let scenario = Scenario { seed: Some(seed), ..three(more) };
            Run::to_end(&scenario.into()).expect("a good scenario").leaders[0].node
        };
        (1..20).map(leader).collect()
    };
    assert!((1..=3).all(|node| first_leaders("").contains(&node)), "anybody may come first");
    for node in 1..=3 {
        let hasty = format!(
            "[[node]]\nid = {node}\nsettings.election_timeout_min = \"30ms\"\nsettings.election_timeout_max = \"40ms\"\nsettings.heartbeat = \"10ms\""
        );
        assert_eq!(first_leaders(&hasty), vec![node; 19]);
    }
    // The settings outlive a crash, and the document reads back as it was written.
    let scenario = three("[[node]]\nid = 2\nsettings = { pre_vote = false }");
    assert_eq!(text::from_toml(&text::to_toml(&scenario)), Ok(scenario.clone().into()));
    assert_eq!(text::from_json(&text::to_json(&scenario)), Ok(scenario.into()));
}

fn run(more: &str) -> quorumscope::lab::Report {
    Run::to_end(&three(more).into()).unwrap_or_else(|wrong| panic!("{wrong}"))
}

#[test]
fn role_targets_are_resolved_when_their_time_comes_and_reported() {
    let crash = "script = [{ at = \"2s\", do = \"crash\", node = \"leader\" }, { at = \"3s\", do = \"crash\", node = \"leader\" }]";
    for seed in 1..6 {
        let report = run(&format!("seed = {seed}\n{crash}"));
        let leader = report.leaders[0].node;
        assert_eq!(report.resolved[0].roles, "node = leader");
        assert_eq!(report.resolved[0].action, format!("crash node {leader}"));
        assert_eq!((report.resolved.len(), report.refused.len()), (2, 0), "another leads by then");
        assert_ne!(report.resolved[1].action, report.resolved[0].action);
    }
    let follower = run("script = [{ at = \"2s\", do = \"pause\", node = \"follower\" }]");
    let expected = if follower.leaders[0].node == 1 { 2 } else { 1 };
    assert_eq!(follower.resolved[0].action, format!("pause node {expected}"));
    // The leader keeps a majority: it goes on leading, and nothing is lost.
    let cut = |sides: &str| {
        run(&format!("clients = [{{ site = \"s\" }}]\nscript = [{{ at = \"2s\", do = \"cut\", {sides} }}]"))
    };
    let sides = cut("from = \"majority\", to = \"minority\"");
    assert_eq!((sides.leaders.len(), sides.outages.iter().filter(|outage| outage.from_us > 1_000_000).count()), (1, 0));
    assert_eq!(sides.resolved[0].roles, "from = majority, to = minority");
    // Cut off from all others, the leader is replaced.
    let alone = cut("from = \"leader\", to = \"minority\"");
    assert_eq!(alone.leaders.len(), 1, "it still has one follower");
}

#[test]
fn role_target_without_a_leader_is_refused_with_the_reason() {
    let report = run("script = [{ at = \"1ms\", do = \"crash\", node = \"leader\" }]");
    let [refused] = &report.refused[..] else { panic!("{:?}", report.refused) };
    assert_eq!((refused.field.as_str(), refused.action.as_str()), ("script[0]", "crash (node = leader)"));
    assert_eq!(refused.why, "nobody leads now, so there are no roles");
    assert!(report.resolved.is_empty());
    let odd = ["node = \"majority\"", "node = \"president\""];
    for field in odd {
        let text = format!(
            "variant = \"raft\"\nrtt_ms = [[10]]\nsites = [\"s\"]\nreplicas = [\"s\"]\nscript = [{{ at = \"1s\", do = \"crash\", {field} }}]"
        );
        let error = text::from_toml(&text).expect_err("no such node").to_string();
        assert!(error.contains("script[0].node: ") && error.contains("\"leader\" or \"follower\" would do"), "{error}");
    }
    let scenario = three(
        "script = [{ at = \"2s\", do = \"cut\", from = \"majority\", to = \"minority\" }, { at = \"3s\", do = \"crash\", node = \"leader\" }]",
    );
    assert_eq!(text::from_toml(&text::to_toml(&scenario)), Ok(scenario.into()));
}

#[test]
fn script_at_zero_holds_before_the_first_message_is_sent() {
    // In the Synod a command at 0 s would be the first thing sent; here Prepare goes nowhere from the start.
    let first = |script: &str| {
        let text = format!(
            "variant = \"notes\"\nrtt_ms = [[10]]\nsites = [\"s\"]\nreplicas = [\"s\", \"s\", \"s\"]\nduration = \"1s\"\n\
             settings = {{ proposers = \"all\", spread = \"0s\" }}\nscript = [{script}]\n"
        );
        let document = text::from_toml(&text).unwrap_or_else(|wrong| panic!("{wrong}"));
        Run::to_end(&document).unwrap_or_else(|wrong| panic!("{wrong}"))
    };
    let kinds = |report: &quorumscope::lab::Report, kind: &str| {
        report.messages.by_kind.iter().find(|count| count.kind == kind).map_or(0, |count| count.count)
    };
    assert!(kinds(&first(""), "Promise") > 0);
    let cut = first(
        "{ at = \"0s\", do = \"cut\", from = [1], to = [2, 3] }, { at = \"0s\", do = \"cut\", from = 2, to = 3 }",
    );
    assert_eq!(kinds(&cut, "Promise"), 0, "not even the first message arrives");
    assert_eq!(cut.refused, []);
    let slow = first("{ at = \"0s\", do = \"slow\", extra = \"5s\" }");
    assert_eq!(kinds(&slow, "Promise"), 0, "what is sent first is late as well");
    let down = first(
        "{ at = \"0s\", do = \"crash\", node = 1 }, { at = \"0s\", do = \"crash\", node = 2 }, { at = \"0s\", do = \"crash\", node = 3 }",
    );
    assert_eq!((down.messages.total, down.refused.len()), (0, 0), "nobody ever starts");
}
