//! Throughput and seek latency of the simulator in WebAssembly, compiled as for the page; `./dev report` runs it under Node. It prints figures
//! and asserts none, since machines differ; `benches/` measures native and WebAssembly in alternation.

#![cfg(target_arch = "wasm32")]

use quorumscope::lab::{Clients, Scenario, Session, Site};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

#[wasm_bindgen]
extern "C" {
    type CpuUsage;
    #[wasm_bindgen(method, getter)]
    fn user(this: &CpuUsage) -> f64;
    /// The processor's time that this process took so far, µs: unlike the clock it leaves out what else the machine does.
    #[wasm_bindgen(js_namespace = process, js_name = cpuUsage)]
    fn cpu_usage() -> CpuUsage;
}

/// The processor's time so far, ms.
fn now() -> f64 {
    cpu_usage().user() / 1_000.0
}

/// Events in each measurement.
const EVENTS: u64 = 100_000;
/// Trace records kept, as in `benches/`.
const TRACE: usize = 1 << 14;
/// Measurements of each kind; the median counts.
const ROUNDS: usize = 5;

/// Five replicas in one data centre, 0.5 ms apart, and 64 closed-loop client sessions without think time.
fn closed_loop(variant: &str) -> Scenario {
    let site = Site::named("here");
    Scenario {
        variant: variant.to_owned(),
        replicas: vec![site.id.clone(); 5],
        clients: vec![Clients { site: site.id.clone(), sessions: Some(64), ..Clients::default() }],
        sites: vec![site],
        rtt_ms: vec![vec![0.5]],
        ..Scenario::default()
    }
}

fn session(variant: &str) -> Session {
    Session::new(closed_loop(variant)).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// Median over [`ROUNDS`] of the rate at which `advance` takes the events whose number it returns, in millions of events a second.
fn rate(mut advance: impl FnMut() -> u64) -> f64 {
    // The first round warms up.
    advance();
    let round = |_| {
        let start = now();
        let events = advance();
        events as f64 / (now() - start) / 1_000.0
    };
    median((0..ROUNDS).map(round).collect())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[wasm_bindgen_test]
fn judged_run_events_a_second() {
    for variant in ["raft", "multi-paxos"] {
        let mut session = session(variant);
        let paged = rate(|| session.run_until(u64::MAX, EVENTS));
        console_log!(
            "speed: {variant}, page session (safety checker, trace, checkpoints): {paged:.2} million events a second"
        );
        let mut checked = closed_loop(variant).check().unwrap_or_else(|wrong| panic!("{wrong}"));
        checked.blueprint.keep_trace = TRACE;
        let mut universe = checked.boot().unwrap_or_else(|wrong| panic!("{wrong}"));
        let judged = rate(|| {
            let start = universe.events();
            while universe.events() < start + EVENTS {
                universe.run_until(universe.time() + 1_000);
            }
            universe.events() - start
        });
        console_log!(
            "speed: {variant}, Universe::run_until (safety checker, trace): {judged:.2} million events a second"
        );
    }
}

#[wasm_bindgen_test]
fn seek_to_any_event_latency() {
    let mut session = session("raft");
    session.run_until(u64::MAX, EVENTS);
    // A permutation of all events: the step is coprime to their number. The shortest of several times counts, to leave out preemption.
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
        "speed: seeking an event of {EVENTS}: median {:.0} µs, p99 {:.0} µs, most {:.0} µs",
        at(50),
        at(99),
        at(100)
    );
}
