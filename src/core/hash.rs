//! A 64-bit hash that is the same on every target: native and WebAssembly, debug and release.

use std::hash::{Hash, Hasher};

/// Multiply-and-fold over 64-bit words. Lengths and discriminants count as 64 bits wherever they come from, because
/// `usize` differs between a browser and a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

const SEED: u64 = 0x243f_6a88_85a3_08d3;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Default for Digest {
    fn default() -> Digest {
        Digest(SEED)
    }
}

impl Digest {
    /// Adds one word. Order matters.
    #[inline]
    pub fn word(&mut self, word: u64) {
        self.roll(word);
        self.0 ^= self.0 >> 32;
    }

    /// The same without folding the upper bits into the lower ones, for streams of millions of words: the rotation at the next word does that.
    /// Injective in each word: with all other words unchanged, another word gives another digest.
    #[inline]
    pub fn roll(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
    }

    /// The digest of one value.
    pub fn of<T: Hash + ?Sized>(value: &T) -> u64 {
        let mut digest = Digest::default();
        value.hash(&mut digest);
        digest.finish()
    }
}

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, i: u8) {
        self.word(u64::from(i));
    }
    fn write_u16(&mut self, i: u16) {
        self.word(u64::from(i));
    }
    fn write_u32(&mut self, i: u32) {
        self.word(u64::from(i));
    }
    fn write_u64(&mut self, i: u64) {
        self.word(i);
    }
    fn write_usize(&mut self, i: usize) {
        self.word(i as u64);
    }
    fn write_isize(&mut self, i: isize) {
        self.word(i as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_distinguishes_order_and_length() {
        assert_ne!(Digest::of(&(1u32, 2u32)), Digest::of(&(2u32, 1u32)));
        assert_ne!(Digest::of(&vec![0u8; 3]), Digest::of(&vec![0u8; 4]));
        assert_ne!(Digest::of(&Some(0u8)), Digest::of(&None::<u8>));
    }

    #[test]
    fn digest_is_the_same_on_every_target() {
        assert_eq!(Digest::of(&(1u8, vec![2u16, 3], Some("text"))), 10_432_236_399_196_562_186);
    }
}
