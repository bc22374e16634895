//! Sites, the distances between them, and the state of links.

use super::jitter;
use super::sizes::Sizes;
use super::timing::Timing;
use crate::core::Micros;
use crate::sim::rng::Rng;

/// What the world is like, apart from who lives in it. Integer µs throughout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// How many sites.
    pub sites: u8,
    /// One-way delays, µs: from site `a` to site `b` at `a * sites + b`. Within a site, the way there.
    pub one_way: Vec<u32>,
    /// Within each site, the way back, µs.
    pub local_back: Vec<u32>,
    /// Mean extra delay, in thousandths of the one-way delay; exponential.
    pub jitter_permille: u16,
    /// Messages lost, in a thousand.
    pub loss_permille: u16,
    /// Time a replica takes to handle one message, µs; messages queue for it.
    pub processing: Micros,
    /// What messages cost a replica's processor.
    pub cost: Cost,
    /// How late messages may be.
    pub timing: Timing,
    /// Time one write takes, µs, one after the other. Saves during a write share the next one; what is sent after a save waits for it.
    pub disk: Micros,
    /// Bytes in the values of commands.
    pub value_bytes: Sizes,
}

/// What messages cost a replica's processor, those of clients included, ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Taking in one.
    pub receive: u64,
    /// Each byte of it.
    pub receive_byte: u64,
    /// Putting one together.
    pub send: u64,
    /// Each byte of it.
    pub send_byte: u64,
}

impl Topology {
    /// Builds the one-way delays from round trips in µs, `rtt[a * sites + b]` as measured from `a` to `b`.
    ///
    /// The two ways of one pair add up to the mean of its two measurements exactly, so that client latencies come out as the
    /// arithmetic on the matrix says, to the microsecond.
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

    /// The one-way delay without jitter, µs. `back` matters within a site only, where there is no other sign of the direction: true
    /// from a replica to a client, and from a higher replica to a lower one.
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

    /// Draws one message's delay, µs, where it would be `base` without jitter.
    #[inline]
    pub fn jittered(&self, base: Micros, rng: &mut Rng) -> Micros {
        if self.jitter_permille == 0 {
            return base;
        }
        base + jitter::exponential(base * Micros::from(self.jitter_permille) / 1000, rng)
    }

    /// The longest round trip there can be: between the two farthest sites, with all jitter, processing and disk, µs. Never 0.
    pub fn round_trip_max(&self) -> Micros {
        let n = self.sites;
        let pairs = (0..n).flat_map(|a| (0..n).map(move |b| (a, b)));
        let farthest = pairs.map(|(a, b)| self.round_trip(a, b)).max().unwrap_or(0);
        let jitter = farthest * Micros::from(self.jitter_permille) / 1000 * jitter::WORST;
        let under_way = self.timing.delta().map_or(farthest + jitter, |delta| 2 * delta);
        let cost = (2 * (self.cost.receive + self.cost.send)).div_ceil(1_000);
        // A save may have to wait for the write before its own, at either end.
        (under_way + cost + 2 * self.processing + 4 * self.disk).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_add_up_to_the_round_trip() {
        let topology = Topology::from_round_trips(2, &[301, 15_117, 15_119, 0]);
        assert_eq!(topology.round_trip(0, 1), 15_118);
        let odd = Topology::from_round_trips(2, &[0, 85_001, 85_001, 0]);
        assert_eq!(odd.round_trip(0, 1), 85_001);
        assert_eq!(topology.round_trip(0, 0), 301);
    }
}
