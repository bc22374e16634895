//! Who leads stays in office: a leader that a quorum hears is not deposed by a server that cannot hear it, and one that is gone is replaced. What
//! can keep nodes from going on is said in words.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod common;

use common::*;
use quorumscope::lab::{Document, Run, text};
use quorumscope::universe::{Cluster, Universe};

/// `n` nodes a continent apart from each other.
fn document(variant: &str, n: usize, script: &str, more: &str) -> String {
    let nodes = vec![r#""a""#; n].join(", ");
    format!(
        r#"
        title = "Who leads"
        variant = "{variant}"
        sites = ["a"]
        rtt_ms = [[70.0]]
        replicas = [{nodes}]
        duration = "60s"
        clients = [{{ site = "a", think = "100ms", stop = "50s" }}]
        script = [{script}]
        {more}
        "#
    )
}

fn world(document: &str) -> Cluster {
    cluster(&text::from_toml(document).unwrap_or_else(|problems| panic!("{problems}\n{document}")).scenario)
}

/// Names of the properties violated.
fn violated(document: &str) -> Vec<&'static str> {
    let mut cluster = world(document);
    cluster.run_until(60_000_000);
    cluster.violations().iter().map(|violation| violation.property).collect()
}

const ONE_LINK: &str = r#"{ at = "5s", do = "cut", from = "leader", to = "follower" }"#;
/// One node hears nobody, and is heard.
const DEAF: &str = r#"{ at = "5s", do = "cut", from = [1, 2], to = 3, one_way = true }"#;
/// Five nodes: one hears from two others only, and not from the leader.
const TWO_LINKS: &str =
    r#"{ at = "5s", do = "cut", from = 1, to = [4, 5] }, { at = "5s", do = "cut", from = 5, to = [1, 2] }"#;
const STABILITY: &str = r#"stability = { from = "5s" }"#;

#[test]
fn broken_link_of_three_deposes_no_leader() {
    for variant in ["raft", "multi-paxos"] {
        for seed in 1..=5 {
            let one = document(variant, 3, ONE_LINK, &format!("{STABILITY}\nseed = {seed}"));
            assert_eq!(violated(&one), [""; 0], "{variant}, seed {seed}");
            // Whoever leads, the two cuts leave it a quorum, or it resigns once.
            let five = document(
                variant,
                5,
                TWO_LINKS,
                &format!("stability = {{ from = \"5s\", leaders = 2 }}\nseed = {seed}"),
            );
            assert_eq!(violated(&five), [""; 0], "{variant}, seed {seed}");
        }
    }
}

#[test]
fn leadership_changes_without_end_where_nobody_refuses() {
    for (variant, script, more, leaders) in [
        ("multi-paxos", ONE_LINK, "without = [\"leader-stickiness\"]", 5),
        ("multi-paxos", ONE_LINK, "settings.poll = false", 5),
        ("raft", DEAF, "settings.pre_vote = false\nwithout = [\"leader-stickiness\"]", 5),
    ] {
        let bound = format!("{more}\nstability = {{ from = \"5s\", leaders = {leaders} }}");
        assert_eq!(violated(&document(variant, 3, script, &bound)), ["Stable leader"], "{variant} {more}");
    }
    // With PreVote it takes an up-to-date log to depose a leader, which the server that cannot hear it has only while nobody asks for anything.
    // Then the one between the two leads, which both hear.
    let without = format!("without = [\"leader-stickiness\"]\n{STABILITY}");
    let idle = document("raft", 3, ONE_LINK, &without).replace("stop = \"50s\"", "stop = \"4s\"");
    assert_eq!(violated(&idle), ["Stable leader"]);
    assert_eq!(violated(&idle.replace("without = [\"leader-stickiness\"]", "")), [""; 0]);
    assert_eq!(violated(&document("raft", 3, DEAF, STABILITY)), [""; 0]);
}

#[test]
fn leader_that_is_gone_is_replaced() {
    for variant in ["raft", "multi-paxos"] {
        let script = r#"{ at = "10s", do = "crash", node = "leader" }"#;
        let more = "stability = { from = \"5s\", leaders = 2 }\nrecovery = { from = \"11s\", within = \"5s\" }";
        assert_eq!(violated(&document(variant, 3, script, more)), [""; 0], "{variant}");
        assert_eq!(violated(&document(variant, 3, script, STABILITY)), ["Stable leader"], "{variant}");
    }
}

/// Howard and Abraham, *Raft does not Guarantee Liveness in the face of Network Faults* (Decentralized Thoughts, 2020): nodes 1 to 3 reach each
/// other, node 4 leads and is linked to node 2 only, node 5 is down.
const LINKED_TO_ONE: &str = r#"{ at = "2s", do = "hand-over", node = 4 }, { at = "5s", do = "crash", node = 5 }, { at = "5s", do = "cut", from = 4, to = [1, 3] }"#;

#[test]
fn leader_linked_to_one_stops_raft_for_ever_with_pre_vote_and_without_check_quorum() {
    let recovery = "recovery = { from = \"6s\", within = \"20s\" }";
    for (variant, settings, goes_on) in [
        ("raft", "settings.edition = \"pre-vote\"", false),
        ("raft", "settings.pre_vote = true\nsettings.check_quorum = false", false),
        // Settings chosen beside an edition take precedence.
        ("raft", "settings.edition = \"pre-vote\"\nsettings.check_quorum = true", true),
        ("raft", "settings.edition = \"check-quorum\"", true),
        ("raft", "", true),
        ("multi-paxos", "", true),
    ] {
        for seed in 1..=3 {
            let more = format!("{settings}\n{recovery}\nseed = {seed}");
            let found = violated(&document(variant, 5, LINKED_TO_ONE, &more));
            assert_eq!(found.is_empty(), goes_on, "{variant}, {settings}, seed {seed}: {found:?}");
        }
    }
}

/// The report's sentence about the end.
fn stuck(document: &str) -> Option<String> {
    let scenario = text::from_toml(document).unwrap_or_else(|problems| panic!("{problems}")).scenario;
    let mut run = Run::new(&Document::from(scenario)).expect("a good scenario");
    while !run.advance(1_000_000).expect("no interventions") {}
    let at_the_end = run.report().stuck;
    let sentence = run.session().universe().sentence(&["here"]);
    assert!(at_the_end.as_ref().is_none_or(|stuck| sentence.contains(stuck)), "{sentence}");
    at_the_end
}

#[test]
fn quorum_that_cannot_be_met_with_the_nodes_that_run_is_said_in_words() {
    let down = r#"{ at = "5s", do = "crash", node = 3 }, { at = "5s", do = "crash", node = 4 }"#;
    let says = stuck(&document("multi-paxos", 4, down, "settings.q1 = 2\nsettings.q2 = 3")).expect("it is stuck");
    assert!(
        says.contains("needs 3 consents and reaches 2 nodes, itself included: nobody can lead until it reaches 1 more"),
        "{says}"
    );
    let down = r#"{ at = "5s", do = "crash", node = 2 }, { at = "5s", do = "crash", node = 3 }"#;
    let says = stuck(&document("raft", 3, down, "")).expect("it is stuck");
    assert!(
        says.contains("needs 2 promised votes and reaches no other node: nobody can lead until it reaches 1 more"),
        "{says}"
    );
    assert_eq!(stuck(&document("raft", 3, "", "")), None);
    assert_eq!(stuck(&document("multi-paxos", 3, "", "")), None);
}

#[test]
fn unmet_quorum_elects_no_leader_again_and_again() {
    let down = r#"{ at = "5s", do = "crash", node = 3 }, { at = "5s", do = "crash", node = 4 }"#;
    let mut cluster = world(&document("multi-paxos", 4, down, "settings.q1 = 2\nsettings.q2 = 3"));
    cluster.run_until(60_000_000);
    assert_eq!(cluster.safety().led(), 1);
}

#[test]
fn raft_says_that_only_a_lagging_server_reaches_a_quorum() {
    // Node 5 misses commands. Then the leader is gone, and the others reach node 5 alone.
    let script = r#"
        { at = "5s", do = "cut", from = 5, to = [1, 2, 3, 4] },
        { at = "20s", do = "crash", node = "leader" },
        { at = "20s", do = "cut", from = 1, to = [2, 3, 4] },
        { at = "20s", do = "cut", from = 2, to = [3, 4] },
        { at = "20s", do = "cut", from = 3, to = 4 },
        { at = "21s", do = "heal", from = 5, to = [1, 2, 3, 4] },
    "#;
    let says = stuck(&document("raft", 5, script, "")).expect("it is stuck");
    assert!(says.starts_with("Node 5 is blocked on entry"), "{says}");
    assert!(says.ends_with("their logs are more up-to-date, so they do not vote for it."), "{says}");
}
