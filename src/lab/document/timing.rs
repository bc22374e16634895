//! Processing cost of messages, and timing models: bounds on message delay.

use super::problem::ProblemCollector;
use super::read::{LONGEST, ROUND_TRIP, time};
use super::scenario::Scenario;
use crate::sim::action::Timed;
use crate::sim::{Action, Cost, Timing, Topology};

/// The timing models, by their names in `timing.model`, with the fields that each needs.
const MODELS: &[(&str, &[&str])] =
    &[("asynchronous", &[]), ("partially-synchronous", &["delta", "gst"]), ("synchronous", &["delta"])];

/// The names of all timing models.
#[cfg(feature = "cli")]
pub(super) fn models() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|(model, _)| *model)
}

impl Scenario {
    /// The processing cost of messages, ns.
    pub(super) fn read_cost(&self, problems: &mut ProblemCollector) -> Cost {
        let mut nanos = |field: &str, given, scale| time(given, field, 0, 0, ROUND_TRIP / 60, problems) * scale;
        // Microseconds for a thousand bytes are nanoseconds for one.
        let cost = Cost {
            receive: nanos("cost.receive", &self.cost.receive, 1_000),
            receive_byte: nanos("cost.receive_kb", &self.cost.receive_kb, 1),
            send: nanos("cost.send", &self.cost.send, 1_000),
            send_byte: nanos("cost.send_kb", &self.cost.send_kb, 1),
        };
        if cost != Cost::default() && self.network.processing.is_some() {
            let says = "\"cost\" tells what messages cost; leave one of the two out";
            problems.add("network.processing", self.network.processing.as_ref().map_or("", |time| time.text()), says);
        }
        cost
    }

    /// The timing model. `topology` must have its delays and losses already.
    pub(super) fn read_timing(&self, topology: &Topology, problems: &mut ProblemCollector) -> Timing {
        let Some(given) = &self.timing else { return Timing::default() };
        let Some((_, needs)) = MODELS.iter().find(|(model, _)| *model == given.model) else {
            problems.unknown("timing.model", &given.model, "models", MODELS.iter().map(|(model, _)| *model));
            return Timing::default();
        };
        for (field, is_given) in [("delta", given.delta.is_some()), ("gst", given.gst.is_some())] {
            match (needs.contains(&field), is_given) {
                (true, false) => problems.add(format!("timing.{field}"), "", format!("{} needs it", given.model)),
                (false, true) => {
                    problems.add(format!("timing.{field}"), "", format!("{} has no such time", given.model));
                }
                _ => {}
            }
        }
        let spread = time(&given.spread, "timing.spread", 0, 0, ROUND_TRIP, problems);
        let delta = time(&given.delta, "timing.delta", ROUND_TRIP, 1, 10 * ROUND_TRIP, problems);
        let gst = time(&given.gst, "timing.gst", 0, 0, LONGEST, problems);
        let farthest = topology.one_way.iter().chain(&topology.local_back).copied().max().unwrap_or(0);
        if given.delta.is_some() && delta < farthest.into() {
            let far = super::Quantity::from_micros(farthest.into());
            let value = given.delta.as_ref().map_or("", |delta| delta.text());
            problems.add(
                "timing.delta",
                value,
                format!("a message needs {far} between the farthest sites; at least that would do"),
            );
        }
        match given.model.as_str() {
            "synchronous" => {
                if topology.loss_permille > 0 {
                    problems.add("network.loss", "", "a synchronous network loses nothing; leave it out");
                }
                if given.spread.is_some() {
                    problems.add("timing.spread", "", "is for networks that are not always synchronous; leave it out");
                }
                Timing::Synchronous { delta }
            }
            "partially-synchronous" => Timing::PartiallySynchronous { delta, gst, spread },
            _ => Timing::Asynchronous { spread },
        }
    }
}

/// The action that a timing model takes by itself: at GST all link faults end.
pub(super) fn scheduled_by_timing_model(timing: Timing) -> Option<Timed> {
    match timing {
        Timing::PartiallySynchronous { gst, .. } => Some(Timed::new(gst, Action::Stabilise)),
        _ => None,
    }
}

/// Why an action may not be scheduled at its time under this timing model; `None` if it may.
pub(super) fn timing_objection(timing: Timing, timed: Timed) -> Option<String> {
    let says = match timing {
        _ if !(timed.action.delays_or_loses() && timing.is_bounded(timed.at)) => return None,
        Timing::Synchronous { .. } => {
            "a synchronous network loses and delays nothing; a partially synchronous one does until its gst"
        }
        _ => "from timing.gst on the network loses and delays nothing; an earlier time would do",
    };
    Some(says.to_owned())
}
