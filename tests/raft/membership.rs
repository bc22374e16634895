//! New servers catch up before they count (dissertation §4.2.1).

use quorumscope::lab::fuzz::violation;
use quorumscope::lab::text;

/// Node 3 is down, and node 4, which has nothing, takes its place: with it the others are a majority of four only together. The log is long,
/// there are no snapshots, and it goes over in small batches.
fn node_joins(without: &str) -> Option<&'static str> {
    let document = format!(
        r#"
        variant = "raft"
        sites = ["a"]
        rtt_ms = [[20.0]]
        replicas = ["a", "a", "a"]
        without = [{without}]
        duration = "40s"
        clients = [{{ site = "a", think = "10ms" }}]
        script = [{{ at = "10s", do = "crash", node = 3 }}, {{ at = "12s", do = "add", site = "a" }}]
        settings.snapshot_every = 0
        settings.batch = 4
        recovery = {{ from = "12s", within = "500ms" }}
        "#
    );
    let scenario = text::from_toml(&document).unwrap_or_else(|problems| panic!("{problems}")).scenario;
    violation(&scenario, Some("Progress")).expect("a good scenario").0.map(|violation| violation.property)
}

#[test]
fn clients_wait_for_a_new_server_to_catch_up_only_without_catch_up_first() {
    assert_eq!(node_joins(""), None);
    assert_eq!(node_joins("\"catch-up-first\""), Some("Progress"));
}
