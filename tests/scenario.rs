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
    assert_eq!(listed, keys, "presets.rs lists every scenario");
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
            replicas: vec!["VA".to_owned(); usize::from(variant.card.min_replicas.max(3))],
            ..scenario(Path::new("scenarios/two-winners.toml"))
        };
        let scenario =
            Scenario { sites: vec![quorumscope::lab::Site::named("VA")], settings: Default::default(), ..scenario };
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
