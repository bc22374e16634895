//! Configuration store: versioned entries with compare-and-set by version, and watches for later versions.

use crate::core::Outcome;
use serde::Serialize;

/// A versioned entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Entry {
    /// How often it was written.
    version: u32,
    value: u32,
}

impl Entry {
    /// The entry, if its version is later than `after`.
    pub fn watch(&self, after: u32) -> Outcome {
        let Entry { version, value } = *self;
        if version > after { Outcome::Version { version, value } } else { Outcome::NotYet }
    }

    /// Writes, if the version is still `version`.
    pub fn update(&mut self, version: u32, value: u32) -> Outcome {
        if self.version != version {
            return Outcome::Refused;
        }
        *self = Entry { version: version + 1, value };
        self.watch(version)
    }

    /// Its value, if it was ever written.
    pub fn held(&self) -> Option<u32> {
        (self.version > 0).then_some(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_update_of_the_same_version_is_refused() {
        let mut entry = Entry::default();
        assert_eq!(entry.watch(0), Outcome::NotYet);
        assert_eq!(entry.update(0, 7), Outcome::Version { version: 1, value: 7 });
        assert_eq!(entry.update(0, 8), Outcome::Refused);
        assert_eq!(entry.watch(0), Outcome::Version { version: 1, value: 7 });
        assert_eq!(entry.watch(1), Outcome::NotYet);
        assert_eq!(entry.update(1, 9), Outcome::Version { version: 2, value: 9 });
    }
}
