//! What built-in scenarios suggest to try: every trial is possible at the moment at which the page opens the scenario, and its outcome is told
//! from the run. The moments at which scenarios open, and the chapters found ahead.

#![cfg(not(target_arch = "wasm32"))]

use quorumscope::core::NodeId;
use quorumscope::lab::document::trial::Watch;
use quorumscope::lab::presets::PRESETS;
use quorumscope::lab::run::chapters::{ChapterKind, Scout};
use quorumscope::lab::run::trial::{Outcome, begin, outcome};
use quorumscope::lab::{Scenario, Session, text};

fn preset(key: &str) -> Scenario {
    let preset = PRESETS.iter().find(|preset| preset.key == key).expect("a built-in scenario");
    text::from_json(preset.json).expect("it reads").scenario
}

/// The run where the page opens it: where the document says, or after some answers.
fn opened(scenario: &Scenario) -> Session {
    let mut session = Session::new(scenario.clone()).expect("it runs");
    let opens = session.checked().opens;
    let eventful =
        opens > 0 || !scenario.script.is_empty() || ["duel", "two-winners", "one-winner"].contains(&key_of(scenario));
    session.run_until(if eventful { opens } else { 3_000_000 }, u64::MAX);
    session
}

fn key_of(scenario: &Scenario) -> &'static str {
    PRESETS
        .iter()
        .find(|preset| text::from_json(preset.json).is_ok_and(|read| read.scenario.title == scenario.title))
        .map_or("", |preset| preset.key)
}

fn try_out(scenario: &Scenario, index: usize) -> Outcome {
    let trial = &scenario.trials[index];
    let mut session = opened(scenario);
    let under_way =
        begin(&mut session, trial).unwrap_or_else(|why| panic!("{}: {}: {why}", scenario.title, trial.label));
    assert_eq!(outcome(&under_way, &session), None, "{}: nothing has come of it yet", trial.label);
    session.run_until(under_way.until, u64::MAX);
    outcome(&under_way, &session).expect("its time is over")
}

#[test]
fn every_trial_of_every_built_in_scenario_is_possible_where_it_opens_and_has_an_outcome() {
    let mut watched = Vec::new();
    for built_in in PRESETS {
        let scenario = preset(built_in.key);
        assert!((1..=3).contains(&scenario.trials.len()), "{}", built_in.key);
        for (index, trial) in scenario.trials.iter().enumerate() {
            let Outcome { choice, text } = try_out(&scenario, index);
            eprintln!("{}: {}: {} {} {text}", built_in.key, trial.label, trial.ask, trial.choices()[choice]);
            assert!(!text.is_empty() && choice < trial.choices().len());
            watched.push((trial.watch, choice));
        }
    }
    // The outcomes differ: no question has its answer in its kind.
    for (watch, outcomes) in [(Watch::Leader, 3), (Watch::Answers, 3), (Watch::Latency, 3), (Watch::Safety, 2)] {
        let found: std::collections::BTreeSet<usize> =
            watched.iter().filter(|(other, _)| *other == watch).map(|(_, choice)| *choice).collect();
        assert!(found.len() >= outcomes - 1, "{watch:?}: {found:?}");
    }
}

#[test]
fn outcome_follows_the_run_not_the_document() {
    let scenario = preset("leader-crash");
    let crash = try_out(&preset("three-regions"), 1);
    assert_eq!(crash.choice, 1, "{}", crash.text);
    // The same question where nothing is done.
    let mut idle = scenario.clone();
    idle.trials[0].actions.clear();
    idle.trials[0].watch = Watch::Leader;
    idle.trials[0].lasts = "500ms".into();
    assert_eq!(try_out(&idle, 0), Outcome { choice: 0, text: "Node 1 leads, as before.".to_owned() });
}

#[test]
fn scenario_opens_one_second_before_its_first_fault_unless_it_says_otherwise() {
    let opens = |key: &str| preset(key).check().expect("good").opens;
    assert_eq!(opens("leader-crash"), 8_000_000);
    assert_eq!(opens("cut-in-two"), 7_000_000);
    assert_eq!(opens("lock-unfenced"), 4_600_000);
    assert_eq!((opens("three-regions"), opens("wiped-replica")), (0, 0));
}

#[test]
fn chapters_ahead_are_those_of_the_run_itself() {
    let mut session = opened(&preset("leader-crash"));
    let mut scout = Scout::new(session.universe(), 20_000_000, 332_000);
    while !scout.advance(1_000) {}
    let ahead = scout.chapters();
    session.run_until(20_000_000, u64::MAX);
    let mut there = Scout::new(session.universe(), 20_000_000, 332_000);
    there.advance(u64::MAX >> 1);
    assert_eq!(ahead, there.chapters());
    let elected = ahead.iter().rev().find_map(|chapter| match chapter.what {
        ChapterKind::Leads(node, _) => Some((chapter.at, node)),
        _ => None,
    });
    assert!(elected.is_some_and(|(at, node)| node == NodeId(1) && (9_400_000..9_600_000).contains(&at)), "{elected:?}");
    assert!(ahead.iter().any(|chapter| chapter.what == ChapterKind::Leaderless && chapter.at == 9_000_000));
    let again = ahead.iter().find(|chapter| chapter.what == ChapterKind::AnsweredAgain && chapter.at > 9_000_000);
    assert!(again.is_some_and(|chapter| chapter.at < 10_000_000), "{ahead:?}");
}
