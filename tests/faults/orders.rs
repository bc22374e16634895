//! Every order to transfer leadership or to change the members ends with an outcome, or is under way.

use super::scenario;
use quorumscope::lab::{Document, Run};

/// Orders of a run of five Raft servers, four of which node 1 cannot reach between 2 s and 4 s: what was ordered, and the outcome.
fn outcomes(script: &str, settings: &str) -> (Vec<(String, &'static str)>, Vec<u32>) {
    let scenario = scenario(&format!(
        r#"
variant = "raft"
settings = {{ {settings} }}
sites = [{{ id = "a" }}, {{ id = "b" }}]
rtt_ms = [[2, 10], [10, 2]]
replicas = ["a", "a", "a", "a", "a"]
disk = "1ms"
seed = 3
duration = "12s"
clients = [{{ site = "a", sessions = 3, think = "50ms" }}]
script = [
    {{ at = "1s", do = "hand-over", node = 1 }},
    {{ at = "2s", do = "cut", from = 1, to = [2, 3, 4, 5] }},
    {{ at = "4s", do = "heal-all" }},
    {script}
]
"#
    ));
    let report = Run::to_end(&Document::from(scenario)).expect("a good scenario");
    (report.orders.into_iter().skip(1).map(|order| (order.order, order.outcome)).collect(), report.members)
}

#[test]
fn orders_to_a_leader_that_is_cut_off_are_lost_with_it() {
    let script = r#"
    { at = "2010ms", do = "remove", node = 4 },
    { at = "2020ms", do = "hand-over", node = 3 },
"#;
    let (orders, members) = outcomes(script, "");
    assert_eq!(orders.iter().map(|(_, outcome)| *outcome).collect::<Vec<_>>(), ["lost with its leader"; 2]);
    assert_eq!(members, [1, 2, 3, 4, 5], "the change was overwritten");
}

#[test]
fn new_member_that_cannot_be_reached_is_given_up() {
    let script = r#"
    { at = "6s", do = "add", site = "b" },
    { at = "6001ms", do = "cut", from = [1, 2, 3, 4, 5], to = 6 },
"#;
    let (orders, members) = outcomes(script, "");
    assert_eq!(orders, [("add a replica at site 2".to_owned(), "given up")]);
    assert_eq!(members, [1, 2, 3, 4, 5]);
}

#[test]
fn changes_of_members_are_done_once_they_are_committed() {
    for settings in ["", r#"membership = "single-server""#] {
        let script = r#"
    { at = "6s", do = "add", site = "b" },
    { at = "7s", do = "remove", node = "leader" },
    { at = "9s", do = "hand-over", node = "follower" },
"#;
        let (orders, members) = outcomes(script, settings);
        assert_eq!(orders.iter().map(|(_, outcome)| *outcome).collect::<Vec<_>>(), ["done"; 3], "{settings}");
        assert_eq!(members.len(), 5, "{settings}");
    }
}

#[test]
fn order_replaced_by_a_later_one_and_order_not_taken_up_are_told_apart() {
    let script = r#"
    { at = "6s", do = "add", site = "b" },
    { at = "6001ms", do = "remove", node = 3 },
    { at = "8s", do = "cut", from = 4, to = [1, 2, 3, 5] },
    { at = "8001ms", do = "hand-over", node = 4 },
    { at = "8002ms", do = "hand-over", node = 5 },
"#;
    let (orders, _) = outcomes(script, "");
    let outcomes: Vec<&str> = orders.iter().map(|(_, outcome)| *outcome).collect();
    assert_eq!(outcomes, ["replaced", "done", "given up", "not taken up"]);
}
