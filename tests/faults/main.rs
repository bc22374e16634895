//! Fault injection: effect of every fault, round trip through documents, refusal of impossible ones.

#![cfg(not(target_arch = "wasm32"))]

mod any_action;
mod byzantine;
mod clock;
mod cost;
mod crash;
mod disk;
mod documents;
mod domains;
mod intercept;
mod links;
mod manual;
mod orders;
mod pause;
mod sizes;
mod timing;
mod verbs;

use quorumscope::lab::{Fault, Scenario, text};
use quorumscope::universe::Universe;

/// Reads a valid scenario.
fn scenario(toml: &str) -> Scenario {
    text::from_toml(toml).unwrap_or_else(|wrong| panic!("{wrong}")).scenario
}

/// The world of a scenario, with its client history recorded.
fn world(scenario: &Scenario) -> Box<dyn Universe> {
    let mut checked = scenario.check().unwrap_or_else(|wrong| panic!("{wrong}"));
    checked.blueprint.keep_trace = 4096;
    let mut universe = checked.boot().expect("the settings fit");
    universe.record_history();
    universe
}

/// Reads one script entry.
fn fault(toml: &str) -> Fault {
    let script =
        scenario(&format!("variant = \"raft\"\nsites = [\"x\"]\nreplicas = [\"x\"]\nscript = [{toml}]")).script;
    script.into_iter().next().expect("one fault")
}

/// Three nodes at three sites with round trips of 10 ms, and one closed-loop client at each.
const THREE: &str = r#"
variant = "raft"
sites = [{ id = "a", region = "west" }, { id = "b", region = "west" }, "c"]
rtt_ms = [[0.2, 10, 10], [10, 0.2, 10], [10, 10, 0.2]]
replicas = ["a", "b", "c"]
clients = [
    { site = "a", think = "5ms", retry = "100ms", reads = "50%", keys = 1 },
    { site = "b", think = "5ms", retry = "100ms", reads = "50%", keys = 1 },
    { site = "c", think = "5ms", retry = "100ms", reads = "50%", keys = 1 },
]
"#;
