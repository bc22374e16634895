//! Benchmark of page sessions: playing a run, and seeking to any event of it (the page's timeline).

use quorumscope::lab::{Clients, Scenario, Session, Site, presets};
use std::cell::RefCell;

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Closed-loop scenario of the benchmarks: five replicas in one data centre, 0.5 ms apart, and 64 client sessions without think time.
pub fn closed_loop(variant: &str) -> Scenario {
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

/// Plays Raft's [`closed_loop`] for `events` events.
pub fn play_events(events: u64) -> u64 {
    play(closed_loop("raft"), u64::MAX, events)
}

/// Plays the page's first scenario for `micros` µs of simulated time.
pub fn play_time(micros: u64) -> u64 {
    play(presets::first(), micros, u64::MAX)
}

fn play(scenario: Scenario, micros: u64, events: u64) -> u64 {
    let mut session = Session::new(scenario).expect("it makes sense");
    session.run_until(micros, events);
    let reached = session.moment().event;
    SESSION.set(Some(session));
    reached
}

/// Seeks to an event of the run played last.
pub fn go(event: u64) -> u64 {
    SESSION.with_borrow_mut(|session| {
        let session = session.as_mut().expect("something was played");
        session.seek(event);
        session.moment().event
    })
}
