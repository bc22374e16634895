//! Sizes of command values, bytes.
//!
//! A command carries its value as a number ([`Command::value`](crate::core::Command)), and the size is a hash of that number and the seed:
//! the same in every message and every snapshot, so that commands need not carry it.

use crate::sim::rng::Rng;

/// Uniform distribution of value sizes, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The smallest.
    pub least: u32,
    /// The largest.
    pub most: u32,
}

impl Sizes {
    /// All of the same size.
    pub const fn all(bytes: u32) -> Sizes {
        Sizes { least: bytes, most: bytes }
    }

    /// The common size of all values, if there is one.
    #[inline(always)]
    pub const fn same(self) -> Option<u32> {
        if self.least == self.most { Some(self.least) } else { None }
    }

    /// The size of this value in a run with this seed, bytes.
    pub fn of(self, seed: u64, value: u32) -> u32 {
        match self.same() {
            Some(bytes) => bytes,
            None => Rng::stream(seed, "value", value.into()).between(self.least.into(), self.most.into()) as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_sizes_are_uniform_and_depend_on_seed_and_value() {
        let sizes = Sizes { least: 16, most: 4_096 };
        let all: Vec<u32> = (0..20_000).map(|value| sizes.of(7, value)).collect();
        let mean = all.iter().copied().map(u64::from).sum::<u64>() / 20_000;
        assert!((2_020..2_092).contains(&mean), "{mean}");
        assert_eq!((all.iter().min(), all.iter().max()), (Some(&16), Some(&4_096)));
        assert_eq!(sizes.of(7, 3), all[3]);
        assert_ne!(sizes.of(8, 3), all[3]);
        assert_eq!(Sizes::all(100).of(7, 3), 100);
    }
}
