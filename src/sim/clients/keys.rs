//! Key popularity distributions of workloads: uniform, Zipfian, one hot key.

use crate::sim::rng::Rng;
use std::sync::Arc;

/// Distribution of commands over the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Skew {
    /// Uniform.
    #[default]
    Even,
    /// Zipf's law: the k-th key is drawn in proportion to k⁻ˢ.
    Zipf {
        /// 100 s.
        hundredths: u16,
    },
    /// Key 0 with this probability, the others uniformly: approximately a conflict rate.
    Hot {
        /// Probability of key 0, thousandths.
        permille: u16,
    },
}

/// Sampler of keys.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    count: u16,
    skew: Skew,
    /// For Zipf's law: cumulative weights. Shared by all copies of a world.
    weights: Arc<[u64]>,
}

impl Keys {
    /// Sampler of `count` keys, from 0; shares the table of an equal one in `known`.
    pub fn new<'a>(count: u16, skew: Skew, mut known: impl Iterator<Item = &'a Keys>) -> Keys {
        let count = count.max(1);
        if let Some(same) = known.find(|known| known.count == count && known.skew == skew) {
            return same.clone();
        }
        let weights = match skew {
            Skew::Zipf { hundredths } => {
                let mut sum = 0;
                let weight = |rank: u16| {
                    sum += zipf(rank, hundredths);
                    sum
                };
                (1..=count).map(weight).collect()
            }
            _ => Arc::default(),
        };
        Keys { count, skew, weights }
    }

    /// Draws a key.
    pub fn draw(&self, rng: &mut Rng) -> u16 {
        let last = u64::from(self.count) - 1;
        match self.skew {
            Skew::Even => rng.between(0, last) as u16,
            Skew::Hot { permille } if last == 0 || rng.chance(permille) => 0,
            Skew::Hot { .. } => rng.between(1, last) as u16,
            Skew::Zipf { .. } => {
                let total = self.weights.last().copied().unwrap_or(1);
                let point = ((u128::from(rng.draw()) * u128::from(total)) >> 64) as u64;
                self.weights.partition_point(|weight| *weight <= point) as u16
            }
        }
    }
}

/// Fractional bits of the fixed-point logarithm.
const BITS: u32 = 32;

/// 2⁻¹ᐟ², 2⁻¹ᐟ⁴, 2⁻¹ᐟ⁸, …, each with 63 fractional bits.
const ROOTS: [u64; BITS as usize] = {
    let mut roots = [0; BITS as usize];
    let mut root: u128 = 1 << 62;
    let mut bit = 0;
    while bit < roots.len() {
        root = (root << 63).isqrt();
        roots[bit] = root as u64;
        bit += 1;
    }
    roots
};

/// rank⁻ˢ with 32 fractional bits, at least 2⁻³²; in integers, so that it is the same on every machine.
fn zipf(rank: u16, hundredths: u16) -> u64 {
    // log₂ rank: the integer part is the index of its highest bit; the fraction follows bit by bit, since squaring doubles the logarithm.
    let whole = rank.max(1).ilog2();
    let mut logarithm = u64::from(whole);
    let mut mantissa = u128::from(rank.max(1)) << (63 - whole);
    for _ in 0..BITS {
        mantissa = (mantissa * mantissa) >> 63;
        logarithm <<= 1;
        if mantissa >> 64 > 0 {
            mantissa >>= 1;
            logarithm |= 1;
        }
    }
    let exponent = logarithm * u64::from(hundredths) / 100;
    let set = (0..BITS).filter(|bit| exponent >> (BITS - 1 - bit) & 1 == 1);
    let fraction = set.fold(1 << 63, |product: u128, bit| (product * u128::from(ROOTS[bit as usize])) >> 63);
    let shift = (exponent >> BITS).min(64) + 31;
    ((fraction >> shift) as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zipf_weights_match_floating_point_powers() {
        for (rank, hundredths, expected) in [
            (1, 99, 1.0),
            (2, 100, 0.5),
            (10, 100, 0.1),
            (10, 50, 0.316_227_766),
            (1_000, 200, 1e-6),
            (65_535, 99, 1.704_9e-5),
        ] {
            let found = zipf(rank, hundredths) as f64 / (1u64 << 32) as f64;
            assert!((found - expected).abs() < expected * 1e-3, "{rank}^-{hundredths}%: {found}, not {expected}");
        }
        assert_eq!(zipf(7, 0), 1 << 32);
        assert_eq!(zipf(65_535, 1_000), 1, "never impossible");
    }

    fn counts(skew: Skew, keys: u16) -> Vec<u32> {
        let keys = Keys::new(keys, skew, std::iter::empty());
        let mut rng = Rng::stream(1, "keys", 0);
        let mut counts = vec![0; usize::from(keys.count)];
        (0..100_000).for_each(|_| counts[usize::from(keys.draw(&mut rng))] += 1);
        counts
    }

    #[test]
    fn key_draws_follow_their_distribution() {
        let even = counts(Skew::Even, 10);
        assert!(even.iter().all(|count| (9_500..10_500).contains(count)), "{even:?}");
        let hot = counts(Skew::Hot { permille: 250 }, 4);
        assert!(hot.iter().all(|count| (24_000..26_000).contains(count)), "{hot:?}");
        assert_eq!(counts(Skew::Hot { permille: 250 }, 1), [100_000]);
        // 1 + 1/2 + 1/3 + 1/4 = 25/12.
        let zipf = counts(Skew::Zipf { hundredths: 100 }, 4);
        for (count, expected) in zipf.iter().zip([48_000, 24_000, 16_000, 12_000]) {
            assert!(count.abs_diff(expected) < 700, "{zipf:?}");
        }
    }

    #[test]
    fn zipf_tables_of_equal_parameters_are_shared() {
        let one = Keys::new(100, Skew::Zipf { hundredths: 99 }, std::iter::empty());
        let same = Keys::new(100, Skew::Zipf { hundredths: 99 }, [&one].into_iter());
        assert!(Arc::ptr_eq(&one.weights, &same.weights));
    }
}
