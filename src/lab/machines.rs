//! What messages cost, and how late they may be.

use super::check::{LONGEST, ROUND_TRIP, time};
use super::problem::Complaints;
use super::scenario::Scenario;
use crate::sim::action::Timed;
use crate::sim::{Action, Cost, Timing, Topology};

/// The words after `timing.model`, with the fields they need besides.
const MODELS: &[(&str, &[&str])] =
    &[("asynchronous", &[]), ("partially-synchronous", &["delta", "gst"]), ("synchronous", &["delta"])];

/// Every word that may stand after `timing.model`.
#[cfg(feature = "cli")]
pub(super) fn models() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|(model, _)| *model)
}

impl Scenario {
    pub(super) fn read_cost(&self, wrong: &mut Complaints) -> Cost {
        let mut nanos = |field: &str, given, scale| time(given, field, 0, 0, ROUND_TRIP / 60, wrong) * scale;
        // Microseconds for a thousand bytes are nanoseconds for one.
        let cost = Cost {
            receive: nanos("cost.receive", &self.cost.receive, 1_000),
            receive_byte: nanos("cost.receive_kb", &self.cost.receive_kb, 1),
            send: nanos("cost.send", &self.cost.send, 1_000),
            send_byte: nanos("cost.send_kb", &self.cost.send_kb, 1),
        };
        if cost != Cost::default() && self.network.processing.is_some() {
            let says = "\"cost\" tells what messages cost; leave one of the two out";
            wrong.add("network.processing", self.network.processing.as_ref().map_or("", |time| time.text()), says);
        }
        cost
    }

    /// The timing model; `topology` is all else about the network.
    pub(super) fn read_timing(&self, topology: &Topology, wrong: &mut Complaints) -> Timing {
        let Some(given) = &self.timing else { return Timing::default() };
        let Some((_, needs)) = MODELS.iter().find(|(model, _)| *model == given.model) else {
            wrong.unknown("timing.model", &given.model, "models", MODELS.iter().map(|(model, _)| *model));
            return Timing::default();
        };
        for (field, is_given) in [("delta", given.delta.is_some()), ("gst", given.gst.is_some())] {
            match (needs.contains(&field), is_given) {
                (true, false) => wrong.add(format!("timing.{field}"), "", format!("{} needs it", given.model)),
                (false, true) => {
                    wrong.add(format!("timing.{field}"), "", format!("{} has no such time", given.model));
                }
                _ => {}
            }
        }
        let spread = time(&given.spread, "timing.spread", 0, 0, ROUND_TRIP, wrong);
        let delta = time(&given.delta, "timing.delta", ROUND_TRIP, 1, 10 * ROUND_TRIP, wrong);
        let gst = time(&given.gst, "timing.gst", 0, 0, LONGEST, wrong);
        let farthest = topology.one_way.iter().chain(&topology.local_back).copied().max().unwrap_or(0);
        if given.delta.is_some() && delta < farthest.into() {
            let far = super::Quantity::from_micros(farthest.into());
            let value = given.delta.as_ref().map_or("", |delta| delta.text());
            wrong.add(
                "timing.delta",
                value,
                format!("a message needs {far} between the farthest sites; at least that would do"),
            );
        }
        match given.model.as_str() {
            "synchronous" => {
                if topology.loss_permille > 0 {
                    wrong.add("network.loss", "", "a synchronous network loses nothing; leave it out");
                }
                if given.spread.is_some() {
                    wrong.add("timing.spread", "", "is for networks that are not always synchronous; leave it out");
                }
                Timing::Synchronous { delta }
            }
            "partially-synchronous" => Timing::PartiallySynchronous { delta, gst, spread },
            _ => Timing::Asynchronous { spread },
        }
    }
}

/// What the timing model itself does at its time, besides the script.
pub(super) fn by_itself(timing: Timing) -> Option<Timed> {
    match timing {
        Timing::PartiallySynchronous { gst, .. } => Some(Timed { at: gst, action: Action::Stabilise }),
        _ => None,
    }
}

/// What is wrong with doing this then, under this timing model.
pub(super) fn untimely(timing: Timing, timed: Timed) -> Option<String> {
    let says = match timing {
        _ if !(timed.action.delays_or_loses() && timing.is_bounded(timed.at)) => return None,
        Timing::Synchronous { .. } => {
            "a synchronous network loses and delays nothing; a partially synchronous one does until its gst"
        }
        _ => "from timing.gst on the network loses and delays nothing; an earlier time would do",
    };
    Some(says.to_owned())
}
