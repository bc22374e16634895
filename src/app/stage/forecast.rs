//! What each place would wait if what is dragged were dropped here: a copy of the run does it and goes on for a while.

use crate::run::view_model::RECENT;
use quorumscope::core::Micros;
use quorumscope::lab::Session;
use quorumscope::sim::{Action, Refusal};

/// Median latency at each site after it, µs; `None`: nobody there was answered. An error: why it is impossible.
pub type Forecast = Result<Vec<Option<Micros>>, String>;

/// Most events that the copy goes on for, so that dragging stays smooth.
const EVENTS: u64 = 12_000;
/// Least time it goes on for, µs, and in longest round trips. What is under way at the beginning does not count.
const TIME: (Micros, Micros) = (1_500_000, 25);

/// Forecasts an action on the run as it is now.
pub fn forecast(session: &Session, action: Action) -> Forecast {
    let mut copy = session.universe().fork();
    copy.act(action).map_err(|Refusal(why)| why)?;
    let begins = copy.time();
    let until = begins + TIME.0.max(TIME.1 * session.checked().blueprint.topology.round_trip_max());
    let stop = copy.events() + EVENTS;
    while copy.events() < stop && copy.step_until(until) {}
    let (now, half) = (copy.time(), (copy.time() - begins) / 2);
    let median = |log: &quorumscope::core::Log<quorumscope::sim::Sample>| {
        let settled = log.iter().rev().map(|(_, sample)| *sample);
        let settled = settled.take(RECENT).take_while(|sample| sample.at - sample.latency > now - half);
        let mut latencies: Vec<Micros> = settled.map(|sample| sample.latency).collect();
        latencies.sort_unstable();
        latencies.get(latencies.len() / 2).copied()
    };
    Ok(copy.samples().iter().map(median).collect())
}
