//! How late messages may be: the timing models of the textbooks.
//!
//! Asynchronous: any message may take any time. Synchronous: each arrives within a known time Δ of being sent, and none is lost. Partially
//! synchronous (Dwork, Lynch, Stockmeyer, JACM 1988): as the synchronous network from a certain moment on (GST, the global stabilisation time)
//! that no node knows; before it messages may be late or lost, and what was sent then has arrived by GST + Δ.

use super::jitter;
use crate::core::Micros;
use crate::sim::rng::Rng;

/// A timing model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// No bound.
    Asynchronous {
        /// Mean of a random delay (exponential) that every message takes besides the usual, µs.
        spread: Micros,
    },
    /// A bound that holds from some moment on.
    PartiallySynchronous {
        /// The bound, µs.
        delta: Micros,
        /// From when on it holds, µs since the start.
        gst: Micros,
        /// Mean of the extra delay until then, µs.
        spread: Micros,
    },
    /// A bound that always holds.
    Synchronous {
        /// The bound, µs.
        delta: Micros,
    },
}

impl Default for Timing {
    fn default() -> Timing {
        Timing::Asynchronous { spread: 0 }
    }
}

impl Timing {
    /// The longest a message may take, µs, if there is such a time.
    pub fn delta(self) -> Option<Micros> {
        match self {
            Timing::Asynchronous { .. } => None,
            Timing::PartiallySynchronous { delta, .. } | Timing::Synchronous { delta } => Some(delta),
        }
    }

    /// Whether the bound holds for what is sent at this time.
    pub fn is_bounded(self, at: Micros) -> bool {
        match self {
            Timing::Asynchronous { .. } => false,
            Timing::PartiallySynchronous { gst, .. } => at >= gst,
            Timing::Synchronous { .. } => true,
        }
    }

    /// When a message arrives that is sent at `sent` and would arrive at `arrives`.
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
    fn the_bound_holds_when_it_should() {
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
