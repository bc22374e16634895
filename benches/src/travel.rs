//! Going to any moment of a run: what a finger on the page's timeline does.

use quorumscope::lab::{Clients, Scenario, Session, Site, presets};
use std::cell::RefCell;

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Plays a run for so many events: five replicas of Raft in one data centre, with 64 clients that ask again as soon as they are answered.
pub fn play_events(events: u64) -> u64 {
    let site = Site::named("here");
    let scenario = Scenario {
        variant: "raft".to_owned(),
        replicas: vec![site.id.clone(); 5],
        clients: vec![Clients { site: site.id.clone(), sessions: Some(64), ..Clients::default() }],
        sites: vec![site],
        rtt_ms: vec![vec![0.5]],
        ..Scenario::default()
    };
    play(scenario, u64::MAX, events)
}

/// Plays the page's first scenario for so much simulated time, µs.
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

/// Goes to an event of the run that was played last.
pub fn go(event: u64) -> u64 {
    SESSION.with_borrow_mut(|session| {
        let session = session.as_mut().expect("something was played");
        session.seek(event);
        session.moment().event
    })
}
