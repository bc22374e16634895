//! Timing models: asynchronous, partially synchronous and synchronous networks.
//!
//! Asynchronous: no bound on message delay. Synchronous: each message arrives within a known time Δ of being sent, and none is lost. Partially
//! synchronous (Dwork, Lynch, Stockmeyer, JACM 1988): synchronous from the global stabilisation time (GST) on, which no node knows; before
//! it messages may be late or lost, and messages sent before GST arrive by GST + Δ, if they are not lost.

use super::jitter;
use crate::core::Micros;
use crate::sim::rng::Rng;

/// A timing model, with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// No bound.
    Asynchronous {
        /// Mean of the additional random delay of every message (exponential), µs.
        spread: Micros,
    },
    /// A bound Δ that holds from GST on.
    PartiallySynchronous {
        /// Δ, µs.
        delta: Micros,
        /// GST, µs since the start.
        gst: Micros,
        /// Mean of the additional random delay until GST (exponential), µs.
        spread: Micros,
    },
    /// A bound Δ that always holds.
    Synchronous {
        /// Δ, µs.
        delta: Micros,
    },
}

impl Default for Timing {
    fn default() -> Timing {
        Timing::Asynchronous { spread: 0 }
    }
}

impl Timing {
    /// The bound Δ, µs, if the model has one.
    pub fn delta(self) -> Option<Micros> {
        match self {
            Timing::Asynchronous { .. } => None,
            Timing::PartiallySynchronous { delta, .. } | Timing::Synchronous { delta } => Some(delta),
        }
    }

    /// Whether the bound holds for messages sent at this time, µs since the start.
    pub fn is_bounded(self, at: Micros) -> bool {
        match self {
            Timing::Asynchronous { .. } => false,
            Timing::PartiallySynchronous { gst, .. } => at >= gst,
            Timing::Synchronous { .. } => true,
        }
    }

    /// Arrival time under the model, µs, of a message sent at `sent` that would otherwise arrive at `arrives`.
    pub fn arrival(self, sent: Micros, arrives: Micros, rng: &mut Rng) -> Micros {
        let late = |spread: Micros, rng: &mut Rng| if spread > 0 { jitter::exponential(spread, rng) } else { 0 };
        match self {
            Timing::Asynchronous { spread } => arrives + late(spread, rng),
            Timing::PartiallySynchronous { delta, gst, spread } if sent < gst => {
                (arrives + late(spread, rng)).min(gst + delta)
            }
            Timing::PartiallySynchronous { delta, .. } | Timing::Synchronous { delta } => arrives.min(sent + delta),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_synchrony_bounds_delays_from_gst_on() {
        let timing = Timing::PartiallySynchronous { delta: 100, gst: 10_000, spread: 1_000_000 };
        let mut rng = Rng::stream(1, "timing", 0);
        let mut late = 0;
        for sent in (0..20_000).step_by(7) {
            let arrives = timing.arrival(sent, sent + 80, &mut rng);
            assert!(arrives <= sent.max(10_000) + 100, "{sent}: {arrives}");
            assert!(arrives >= sent + 80);
            late += u32::from(arrives > sent + 100);
        }
        assert!(late > 1_000, "before that, most are late");
        assert_eq!(Timing::Synchronous { delta: 100 }.arrival(5, 500, &mut rng), 105);
        assert_eq!(Timing::default().arrival(5, 500, &mut rng), 500);
    }
}
