//! Byzantine nodes: crash-tolerant protocols violate safety under them, and the checkers detect it among honest nodes.

use super::{THREE, scenario, world};
use quorumscope::core::{NodeId, NodeSet};
use quorumscope::judge::linearizability::{Limits, Model, Verdict, judge};
use quorumscope::lab::Scenario;
use quorumscope::sim::action::{ALL, Behaviour};
use quorumscope::sim::{Action, What};

const ONE: NodeId = NodeId(0);

fn set(ids: &[u8]) -> NodeSet {
    ids.iter().map(|id| NodeId(id - 1)).collect()
}

fn five(variant: &str, seed: u64) -> Scenario {
    let five = THREE.replace(r#"replicas = ["a", "b", "c"]"#, r#"replicas = ["a", "b", "b", "c", "c"]"#);
    Scenario { seed: Some(seed), ..scenario(&five.replace("raft", variant)) }
}

/// Violations after node 1 leads and then shows a Byzantine behaviour.
fn violations_of_byzantine_leader(variant: &str, behaviour: Behaviour) -> Vec<(&'static str, NodeSet)> {
    let mut world = world(&five(variant, 1));
    world.run_until(1_000_000);
    world.act(Action::HandOver(ONE)).unwrap_or(());
    world.run_until(2_000_000);
    assert_eq!(world.leader(), Some(ONE), "{variant}");
    world.act(Action::Behaviour { node: ONE, how: behaviour }).expect("it runs");
    assert!(world.node(ONE).byzantine);
    world.run_until(4_000_000);
    let violations: Vec<_> = world.violations().iter().map(|violation| (violation.property, violation.nodes)).collect();
    assert!(
        violations.iter().all(|(_, nodes)| !nodes.has(ONE)),
        "violations concern honest nodes only: {violations:?}"
    );
    violations
}

#[test]
fn byzantine_leader_with_twin_violates_agreement_among_honest_nodes() {
    for variant in ["raft", "multi-paxos"] {
        let violations = violations_of_byzantine_leader(variant, Behaviour::Twin(set(&[4, 5])));
        assert!(violations.iter().any(|(property, _)| *property == "Agreement"), "{variant}: {violations:?}");
    }
}

#[test]
fn byzantine_leader_tampering_with_commands_violates_agreement_among_honest_nodes() {
    for variant in ["raft", "multi-paxos"] {
        let violations = violations_of_byzantine_leader(variant, Behaviour::Tamper(set(&[4, 5])));
        assert!(violations.iter().any(|(property, _)| *property == "Agreement"), "{variant}: {violations:?}");
    }
}

#[test]
fn byzantine_silent_leader_is_replaced() {
    for variant in ["raft", "multi-paxos"] {
        let mut world = world(&five(variant, 1));
        world.run_until(2_000_000);
        let leader = world.leader().expect("elected by now");
        world.act(Action::Behaviour { node: leader, how: Behaviour::Silent(ALL) }).expect("it runs");
        let sent = world.counts().by_sender()[usize::from(leader.0)];
        world.run_until(5_000_000);
        assert_eq!(world.counts().by_sender()[usize::from(leader.0)], sent, "{variant}");
        let new = world.leadership_intervals().last().expect("there was one").node;
        assert_ne!(new, leader, "{variant}");
        let chosen = world.chosen();
        world.act(Action::Behaviour { node: leader, how: Behaviour::Honest }).expect("it has lied");
        world.run_until(7_000_000);
        assert!(world.counts().by_sender()[usize::from(leader.0)] > sent, "{variant}");
        assert!(world.chosen() > chosen + 20, "{variant}");
        assert_eq!(world.violations(), [], "{variant}");
    }
}

/// Like a wiped disk, but towards some nodes only.
#[test]
fn byzantine_acceptor_denying_its_vote_violates_agreement() {
    let text = std::fs::read_to_string("scenarios/wiped-replica.toml").expect("there is such a file");
    let mut honest = scenario(&text);
    honest.script.retain(|fault| fault.node.is_none());
    let properties = |behaviour: Option<Behaviour>| {
        let mut world = world(&honest);
        world.run_until(1_100_000);
        if let Some(how) = behaviour {
            world.act(Action::Behaviour { node: NodeId(1), how }).expect("it runs");
        }
        world.run_until(3_000_000);
        world.violations().iter().map(|violation| (violation.property, violation.nodes)).collect::<Vec<_>>()
    };
    assert_eq!(properties(None), []);
    assert!(properties(Some(Behaviour::Deny(set(&[3])))).contains(&("Agreement", set(&[1, 3]))));
}

#[test]
fn byzantine_vote_sent_to_all_elects_two_leaders_of_one_term() {
    let found = (0..200).find_map(|seed| {
        let mut many = five("raft", seed);
        many.settings.insert("pre_vote".into(), quorumscope::lab::Value::Flag(false));
        // Nearly equal election timeouts make several candidates of one term likely.
        many.settings.insert("election_timeout_min".into(), quorumscope::lab::Value::Text("100ms".into()));
        many.settings.insert("election_timeout_max".into(), quorumscope::lab::Value::Text("101ms".into()));
        let mut world = world(&many);
        world.act(Action::Behaviour { node: ONE, how: Behaviour::ToAll }).expect("it runs");
        world.run_until(2_000_000);
        let violation = world.violations().first().map(|violation| (violation.property, violation.nodes));
        violation.map(|(property, nodes)| (seed, property, nodes))
    });
    let (seed, property, nodes) = found.expect("one of so many");
    assert!(!nodes.has(ONE), "seed {seed}");
    assert!(["One leader an epoch", "Election Safety", "Agreement"].contains(&property), "seed {seed}: {property}");
}

#[test]
fn byzantine_node_with_twin_restarts_without_it() {
    let mut world = world(&five("raft", 1));
    world.run_until(2_000_000);
    world.act(Action::Behaviour { node: ONE, how: Behaviour::Twin(set(&[2])) }).expect("it runs");
    assert!(
        world.act(Action::Behaviour { node: ONE, how: Behaviour::Deny(set(&[3])) }).is_err(),
        "there are two already"
    );
    assert!(world.act(Action::Pause { node: ONE, clock_stops: false }).is_err());
    world.run_until(3_000_000);
    world.act(Action::Crash(ONE)).expect("it runs");
    world.run_until(4_000_000);
    let recorded = world.trace().records().any(|(_, record)| {
        record.node == ONE && record.at > 3_100_000 && matches!(record.what, What::Delivered | What::Timer)
    });
    assert!(!recorded, "neither copy runs");
    world.act(Action::Restart(ONE)).expect("it is down");
    world.run_until(6_000_000);
    assert_eq!(world.violations(), []);
}

#[test]
fn byzantine_script_entry_requires_beyond_model() {
    let mut byzantine = five("raft", 1);
    byzantine.script.push(super::fault(r#"{ at = "1s", do = "byzantine", node = 1, how = "twin", to = [2, 3] }"#));
    let told = byzantine.check().map(|_| ()).expect_err("Raft does not survive that").to_string();
    assert!(told.starts_with("script[0].do: \"byzantine\": Raft counts on it that no node lies"), "{told}");
    assert!(Scenario { beyond_model: true, ..byzantine }.check().is_ok());
}

/// A replica that tampers with messages to all tampers with replies, too: clients read values that were never written.
#[test]
fn byzantine_leader_that_tampers_with_all_it_sends_gives_clients_wrong_answers() {
    let judged = |tampers: bool| {
        let mut world = world(&five("raft", 1));
        world.run_until(1_000_000);
        let leader = world.leader().expect("elected by now");
        if tampers {
            world.act(Action::Behaviour { node: leader, how: Behaviour::Tamper(ALL) }).expect("it runs");
        }
        world.run_until(2_000_000);
        let history = world.history().expect("clients read and write");
        judge(&history, Model::KeyValue, Limits::default()).verdict
    };
    assert_eq!(judged(false), Verdict::Linearizable);
    assert!(matches!(judged(true), Verdict::Violated(_)));
}
