//! The memory of an exploration, by count: what there is of each kind, times its size. What grows is counted as it is while it grows.

use super::Explorer;
use super::explorer::{Parent, Pending};

impl Explorer {
    /// Bytes of all that was found so far.
    pub fn bytes(&self) -> u64 {
        let parents = self.parents.len() * size_of::<Parent>();
        let pending = (self.level.len() + self.next_level.len()) * size_of::<Pending>();
        let symmetry = self.symmetry.as_ref().map_or(0, |symmetry| symmetry.bytes());
        2 * (parents + pending) as u64
            + self.states.bytes()
            + self.locals.bytes()
            + self.outcomes.bytes()
            + self.histories.bytes()
            + symmetry
    }
}
