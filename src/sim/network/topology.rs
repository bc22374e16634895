//! Network topology: sites, one-way delays, jitter, loss, processing and disk times, value sizes.

use super::jitter;
use super::sizes::Sizes;
use super::timing::Timing;
use crate::core::Micros;
use crate::sim::rng::Rng;

/// Parameters of network and machines. Integer µs throughout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Number of sites.
    pub sites: u8,
    /// One-way delays, µs: from site `a` to site `b` at `a * sites + b`. Within a site (`a == b`), the first half of the round trip.
    pub one_way: Vec<u32>,
    /// Within each site, the second half of the round trip, µs.
    pub local_back: Vec<u32>,
    /// Jitter: mean additional delay, in thousandths of the one-way delay; exponential.
    pub jitter_permille: u16,
    /// Loss rate, thousandths.
    pub loss_permille: u16,
    /// Service time of a replica for one message, µs; messages queue for it.
    pub processing: Micros,
    /// Processor cost of messages.
    pub cost: Cost,
    /// Timing model.
    pub timing: Timing,
    /// Duration of one disk write, µs. Writes are sequential; saves during a write share the next one (group commit); messages sent after a save
    /// leave when its write is done.
    pub disk: Micros,
    /// Sizes of command values, bytes.
    pub value_bytes: Sizes,
}

/// Processor cost of messages at a replica, client messages included, ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Receiving one message.
    pub receive: u64,
    /// Per byte of it.
    pub receive_byte: u64,
    /// Sending one message.
    pub send: u64,
    /// Per byte of it.
    pub send_byte: u64,
}

impl Topology {
    /// Builds the one-way delays from round trips in µs, `rtt[a * sites + b]` as measured from `a` to `b`.
    ///
    /// Invariant: the two one-way delays of a pair sum to the mean of its two measurements exactly, so that client latencies equal the sums
    /// of round trips to the microsecond.
    pub fn from_round_trips(sites: u8, rtt: &[u32]) -> Topology {
        let n = usize::from(sites);
        assert_eq!(rtt.len(), n * n, "one round trip for each pair of sites");
        let mut one_way = vec![0; n * n];
        let mut local_back = vec![0; n];
        for a in 0..n {
            for b in a..n {
                let mean = ((u64::from(rtt[a * n + b]) + u64::from(rtt[b * n + a])) / 2) as u32;
                one_way[a * n + b] = mean / 2;
                if a == b {
                    local_back[a] = mean - mean / 2;
                } else {
                    one_way[b * n + a] = mean - mean / 2;
                }
            }
        }
        Topology { sites, one_way, local_back, ..Topology::default() }
    }

    /// The one-way delay without jitter, µs. `back` selects the half of the round trip within a site, where the sites do not show the
    /// direction: true from a replica to a client, and from a replica of higher id to one of lower id.
    #[inline]
    pub fn one_way(&self, from: u8, to: u8, back: bool) -> Micros {
        Micros::from(if back && from == to {
            self.local_back[usize::from(from)]
        } else {
            self.one_way[usize::from(from) * usize::from(self.sites) + usize::from(to)]
        })
    }

    /// The round trip without jitter, µs.
    pub fn round_trip(&self, a: u8, b: u8) -> Micros {
        self.one_way(a, b, false) + self.one_way(b, a, true)
    }

    /// Draws one message's delay, µs.
    #[inline]
    pub fn delay(&self, from: u8, to: u8, back: bool, rng: &mut Rng) -> Micros {
        self.jittered(self.one_way(from, to, back), rng)
    }

    /// Draws one message's delay, µs, from its delay without jitter.
    #[inline]
    pub fn jittered(&self, base: Micros, rng: &mut Rng) -> Micros {
        if self.jitter_permille == 0 {
            return base;
        }
        base + jitter::exponential(base * Micros::from(self.jitter_permille) / 1000, rng)
    }

    /// Upper bound of a round trip, µs: between the two farthest sites, with maximum jitter, processing and disk writes. At least 1.
    pub fn round_trip_max(&self) -> Micros {
        let n = self.sites;
        let pairs = (0..n).flat_map(|a| (0..n).map(move |b| (a, b)));
        let farthest = pairs.map(|(a, b)| self.round_trip(a, b)).max().unwrap_or(0);
        let jitter = farthest * Micros::from(self.jitter_permille) / 1000 * jitter::WORST;
        let under_way = self.timing.delta().map_or(farthest + jitter, |delta| 2 * delta);
        let cost = (2 * (self.cost.receive + self.cost.send)).div_ceil(1_000);
        // At either end a save may wait for the write before its own.
        (under_way + cost + 2 * self.processing + 4 * self.disk).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_delays_sum_to_the_round_trip() {
        let topology = Topology::from_round_trips(2, &[301, 15_117, 15_119, 0]);
        assert_eq!(topology.round_trip(0, 1), 15_118);
        let odd = Topology::from_round_trips(2, &[0, 85_001, 85_001, 0]);
        assert_eq!(odd.round_trip(0, 1), 85_001);
        assert_eq!(topology.round_trip(0, 0), 301);
    }
}
