//! How fast the simulator is in WebAssembly, compiled as for the page: `./dev report` runs this under Node. It prints what it finds and
//! fails nobody, for machines differ; `benches/` measures with more care.

#![cfg(target_arch = "wasm32")]

use quorumscope::lab::{Clients, Scenario, Session, Site};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

#[wasm_bindgen]
extern "C" {
    /// ms since some moment.
    #[wasm_bindgen(js_namespace = performance)]
    fn now() -> f64;
}

/// Events in each measurement.
const EVENTS: u64 = 100_000;
/// Measurements of each kind; the median counts.
const ROUNDS: usize = 5;

/// Five replicas in one data centre, and 64 clients that ask again as soon as they are answered.
fn busy(variant: &str) -> Session {
    let site = Site::named("here");
    let scenario = Scenario {
        variant: variant.to_owned(),
        replicas: vec![site.id.clone(); 5],
        clients: vec![Clients { site: site.id.clone(), sessions: Some(64), ..Clients::default() }],
        sites: vec![site],
        rtt_ms: vec![vec![0.5]],
        ..Scenario::default()
    };
    Session::new(scenario).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[wasm_bindgen_test]
fn events_a_second() {
    for variant in ["raft", "multi-paxos"] {
        let mut session = busy(variant);
        session.run_until(u64::MAX, EVENTS);
        let round = |_| {
            let start = now();
            session.run_until(u64::MAX, EVENTS);
            now() - start
        };
        let rate = EVENTS as f64 / median((0..ROUNDS).map(round).collect()) / 1_000.0;
        console_log!("speed: {variant}, judged and traced as in the page: {rate:.2} million events a second");
    }
}

#[wasm_bindgen_test]
fn going_to_any_event() {
    let mut session = busy("raft");
    session.run_until(u64::MAX, EVENTS);
    // A walk that comes everywhere: the step has no divisor in common with the number of events. Each way is gone several times and
    // the shortest time counts: on a busy machine others get the processor in between.
    let mut times = vec![f64::INFINITY; 2_000];
    for _ in 0..ROUNDS {
        for (i, time) in (1..).zip(&mut times) {
            let start = now();
            session.seek(i * 61_803 % EVENTS);
            *time = time.min(1_000.0 * (now() - start));
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    console_log!(
        "speed: going to an event of {EVENTS}: median {:.0} µs, p99 {:.0} µs, most {:.0} µs",
        at(50),
        at(99),
        at(100)
    );
}
