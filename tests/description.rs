//! A run in words: of every built-in scenario, at many moments.

use quorumscope::lab::run::description::{Description, Spoken, WhyItLeads, description};
use quorumscope::lab::{Session, presets, text};
use quorumscope::sim::Action;

fn session(key: &str) -> Session {
    let preset = presets::preset(key).expect("it is built in");
    Session::new(text::from_json(preset.json).expect("it reads").scenario).expect("it is valid")
}

fn of(session: &Session) -> Description {
    description(session, &session.checked().variant.inspector, &mut WhyItLeads::default())
}

fn part(described: &Description, title: &str) -> Vec<String> {
    let found = described.parts.iter().find(|part| part.title == title);
    found.map_or_else(Vec::new, |part| part.lines.iter().map(|line| line.text.clone()).collect())
}

#[test]
fn every_scenario_is_told_in_whole_sentences_at_every_moment() {
    for preset in presets::PRESETS {
        let mut session = session(preset.key);
        let duration = session.checked().duration;
        for tenth in 0..=10 {
            session.seek_time(duration * tenth / 10);
            let described = of(&session);
            for title in ["What runs", "Now", "Who leads", "Replicas", "Out of order", "In flight"] {
                assert!(!part(&described, title).is_empty(), "{}: {title}", preset.key);
            }
            for line in described.parts.iter().flat_map(|part| &part.lines) {
                let text = &line.text;
                assert!(text.ends_with(['.', '”', '?']), "{}: {text}", preset.key);
                assert!(
                    !text.contains(['{', '}']) && !text.contains("Some(") && !text.contains("  "),
                    "{}: {text}",
                    preset.key
                );
                assert!(
                    text.starts_with(|first: char| first.is_uppercase() || first.is_numeric()),
                    "{}: {text}",
                    preset.key
                );
            }
            let replicas = described.parts.iter().find(|part| part.title == "Replicas").expect("it is there");
            assert_eq!(replicas.lines.len(), usize::from(session.universe().nodes()), "{}", preset.key);
            assert!(replicas.lines.iter().all(|line| line.about.is_some()));
        }
    }
}

#[test]
fn leader_is_told_with_since_when_why_and_who_led_before() {
    let mut session = session("leader-crash");
    session.seek_time(9_700_000);
    let leads = part(&of(&session), "Who leads");
    assert!(leads[0].starts_with("Node 2, in Virginia, leads term 3 since 9.510 s"), "{leads:?}");
    assert!(leads[1].contains("has the votes of nodes 2, 3 and 4, and that is a majority"), "{leads:?}");
    assert!(leads[2].contains("paper §5.2"), "{leads:?}");
    assert!(leads.iter().any(|line| line == "Before, node 1 led term 2, from 4.046 s to 9.000 s."), "{leads:?}");
    session.seek_time(9_200_000);
    let described = of(&session);
    assert_eq!(part(&described, "Who leads")[0], "Nobody leads now.");
    assert_eq!(part(&described, "Out of order")[0], "Node 1 is down.");
    assert_eq!(part(&described, "What happened")[0], "9.000 s: by the script, crash node 1; nobody led any more.");
    assert!(part(&described, "What lies ahead")[0].contains("restart node 1"));
}

#[test]
fn describing_changes_nothing_and_the_same_moment_is_told_the_same() {
    let mut session = session("cut-in-two");
    session.seek_time(9_000_000);
    let (fingerprint, first) = (session.universe().fingerprint(), of(&session));
    assert_eq!(session.universe().fingerprint(), fingerprint);
    session.seek_time(12_000_000);
    session.seek_time(9_000_000);
    assert_eq!(of(&session), first);
}

#[test]
fn changes_are_told_once_and_only_those_since_the_last_time() {
    let mut session = session("leader-crash");
    session.seek_time(8_900_000);
    let mut spoken = Spoken::of(&session);
    assert_eq!(spoken.changes(&session, false), "");
    session.seek_time(9_100_000);
    assert_eq!(spoken.changes(&session, false), "Node 1 went down. Nobody leads any more.");
    assert_eq!(spoken.changes(&session, false), "");
    session.seek_time(9_700_000);
    assert_eq!(spoken.changes(&session, false), "Node 2, in Virginia, leads term 3 now.");
    session
        .act(Action::Split {
            from: [quorumscope::core::NodeId(0)].into_iter().collect(),
            to: [quorumscope::core::NodeId(1)].into_iter().collect(),
            both: true,
            replicas_only: false,
        })
        .expect("it is possible");
    let told = spoken.changes(&session, false);
    assert!(told.contains("Nodes 1 and 2 cannot reach each other"), "{told}");
    session.act(Action::HealAll).expect("it is possible");
    assert_eq!(spoken.changes(&session, false), "Nothing else is out of order any more.");
    session.seek_time(9_000_000);
    assert!(spoken.is_back(&session));
}
