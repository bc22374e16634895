//! Transcripts as JSON lines, read as a checker from outside would: nothing of the program is used but its output.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::lab::run::Run;
use quorumscope::lab::run::event_log::EventLog;
use quorumscope::lab::{Document, Scenario, presets, text};
use quorumscope::universe;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn preset(key: &str) -> Scenario {
    text::from_json(presets::preset(key).expect("built in").json).expect("built in").scenario
}

/// All lines, as text that was read again.
fn lines(scenario: &Scenario) -> Vec<Value> {
    let mut log = EventLog::new(&Document::from(scenario.clone()), u64::MAX).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut lines = Vec::new();
    while let Some(line) = log.line().expect("no interventions") {
        lines.push(serde_json::from_str(&line.to_string()).expect("JSON"));
    }
    lines
}

/// Puts changes of logs back together: `before` is the state in full.
fn rebuilt(written: &Value, before: &Value) -> Value {
    match written {
        Value::Object(change) if change.contains_key("keep") && change.contains_key("new") => {
            let number = |slot: &str| slot.parse::<u64>().expect("a slot");
            let (first, keep) = (change["first"].as_u64().unwrap_or(0), change["keep"].as_u64().expect("a slot"));
            let nothing = Map::new();
            let before = before.as_object().unwrap_or(&nothing);
            let kept = before.iter().filter(|(slot, _)| (first..=keep).contains(&number(slot)));
            let new = change["new"].as_object().expect("entries");
            kept.chain(new).map(|(slot, entry)| (slot.clone(), entry.clone())).collect::<Map<_, _>>().into()
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| (name.clone(), rebuilt(value, &before[name.as_str()]));
            fields.iter().map(field).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn calls(lines: &[Value]) -> impl Iterator<Item = &Value> {
    lines.iter().filter(|line| line.get("stimulus").is_some())
}

/// What holds for any protocol: durable state survives a crash, and what is received has been sent.
fn check(lines: &[Value], n: u64) {
    let mut durable: BTreeMap<u64, Value> = BTreeMap::new();
    let mut sent: BTreeSet<(u64, u64, String)> = BTreeSet::new();
    let (mut booted, mut received) = (BTreeSet::new(), 0);
    let mut last = (0, 0);
    for line in calls(lines) {
        let now = (line["event"].as_u64().expect("a number"), line["time_us"].as_u64().expect("a time"));
        assert!(now >= last, "{line}");
        last = now;
        let node = line["node"].as_u64().expect("a node");
        assert!((1..=n).contains(&node));
        let stimulus = &line["stimulus"];
        match stimulus["kind"].as_str().expect("a kind") {
            "boot" => {
                if booted.insert(node) {
                    durable.insert(node, Value::Null);
                } else {
                    assert_eq!(stimulus["disk"], durable[&node], "what was on the disk at the crash");
                }
            }
            "message" => {
                received += 1;
                let from = stimulus["from"].as_u64().expect("a node");
                assert!(sent.contains(&(from, node, stimulus["message"].to_string())), "never sent: {line}");
            }
            "crash" => assert_eq!(line["volatile"], Value::Null),
            _ => assert!(booted.contains(&node)),
        }
        let before =
            if matches!(stimulus["kind"].as_str(), Some("boot" | "crash")) { &Value::Null } else { &durable[&node] };
        let after = rebuilt(&line["durable"], before);
        durable.insert(node, after);
        for effect in line["effects"].as_array().expect("a list").iter().filter(|effect| effect["effect"] == "send") {
            for to in effect["to"].as_array().expect("nodes") {
                sent.insert((node, to.as_u64().expect("a node"), effect["message"].to_string()));
            }
        }
    }
    assert_eq!(booted.len() as u64, n);
    assert!(received > 0);
}

#[test]
fn durable_state_survives_crashes_and_messages_received_were_sent_for_every_variant() {
    for variant in universe::variants() {
        let restarts = variant.card.faults != quorumscope::core::Faults::CrashStop;
        let again = if restarts { ", { at = \"700ms\", do = \"restart\", node = 1 }" } else { "" };
        let document = |n: u8| {
            let text = format!(
                "variant = \"{}\"\nsites = [\"s\"]\nrtt_ms = [[10]]\nreplicas = {:?}\nduration = \"2s\"\ndisk = \"1ms\"\n\
                 clients = [{{ site = \"s\", think = \"20ms\" }}]\nscript = [{{ at = \"500ms\", do = \"crash\", node = 1 }}{again}]\n",
                variant.card.key,
                vec!["s"; usize::from(n)],
            );
            text::from_toml(&text).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"))
        };
        // Three replicas, or as few as the variant has if it refuses three.
        let fits = |n: &u8| document(*n).scenario.check().is_ok_and(|checked| checked.boot().is_ok());
        let least = variant.card.min_replicas;
        let n = [least.max(3), least].into_iter().find(fits).expect("some number of replicas fits");
        let document = document(n);
        let lines = lines(&document.scenario);
        assert_eq!((&lines[0]["variant"], &lines[0]["n"]), (&json!(variant.card.key), &json!(n)));
        check(&lines, n.into());
    }
}

#[test]
fn raft_transcript_satisfies_the_papers_properties_checked_from_outside() {
    let lines = lines(&Scenario { duration: Some("16s".into()), ..preset("leader-crash") });
    check(&lines, 5);
    let (mut votes, mut leaders) = (BTreeMap::new(), BTreeMap::new());
    let mut applied: BTreeMap<u64, String> = BTreeMap::new();
    let mut saves = 0;
    for line in calls(&lines) {
        let node = line["node"].as_u64().expect("a node");
        let term = line["durable"]["term"].as_u64().expect("a term");
        // One vote in each term, and it is on the disk.
        if let Some(vote) = line["durable"]["vote"].as_u64() {
            assert_eq!(*votes.entry((node, term)).or_insert(vote), vote, "{line}");
        }
        if line["volatile"]["role"]["type"] == "Leader" {
            assert_eq!(*leaders.entry(term).or_insert(node), node, "one leader in a term");
            assert!(line["volatile"]["role"]["value"]["progress"].as_array().is_some_and(|peers| peers.len() == 5));
        }
        for effect in line["effects"].as_array().expect("a list") {
            saves += u64::from(effect["effect"] == "save");
            if effect["effect"] == "applied" {
                let (slot, command) = (effect["slot"].as_u64().expect("a slot"), effect["command"].to_string());
                assert_eq!(*applied.entry(slot).or_insert(command.clone()), command, "state machine safety");
            }
        }
    }
    assert!(leaders.len() >= 2 && applied.len() > 20 && saves > 20, "{leaders:?}");
}

#[test]
fn header_and_end_describe_the_run() {
    let mut scenario = preset("duel");
    scenario.settings.insert("q1".to_owned(), quorumscope::lab::Value::Number(3));
    scenario.duration = Some("300ms".into());
    let lines = lines(&scenario);
    let report = Run::to_end(&Document::from(scenario)).expect("a good scenario");
    assert_eq!(lines[0]["quorums"], json!({ "q1": 3, "q2": 2 }));
    assert_eq!((&lines[0]["settings"]["q1"], &lines[0]["without"]), (&json!(3), &json!([])));
    let end = lines.last().expect("an end");
    assert_eq!((&end["end"], &end["event"]), (&json!(true), &json!(report.events)));
    assert_eq!(end["fingerprint"], json!(report.fingerprint), "recording changes nothing");
}
