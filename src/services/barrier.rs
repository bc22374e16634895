//! A barrier: nobody goes on until all have come. It then closes again for the next round.

use crate::core::{ClientId, Outcome};
use serde::Serialize;

/// A barrier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Barrier {
    /// How often it has opened.
    generation: u32,
    /// Who has come since.
    arrived: Vec<ClientId>,
}

impl Barrier {
    /// Somebody comes. It opens with the last of `parties`; coming twice counts once.
    pub fn arrive(&mut self, who: ClientId, parties: u16) -> Outcome {
        let generation = self.generation;
        if !self.arrived.contains(&who) {
            self.arrived.push(who);
        }
        if self.arrived.len() >= usize::from(parties) {
            self.generation += 1;
            self.arrived.clear();
        }
        Outcome::Arrived { generation }
    }

    /// Whether it has opened for those who came when it had opened `generation` times before.
    pub fn passed(&self, generation: u32) -> Outcome {
        if self.generation > generation { Outcome::Done } else { Outcome::NotYet }
    }

    /// How many wait.
    pub fn len(&self) -> u32 {
        self.arrived.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_when_all_have_come_and_closes_behind_them() {
        let mut barrier = Barrier::default();
        for round in 0..3 {
            for who in [1, 2, 2] {
                assert_eq!(barrier.arrive(ClientId(who), 3), Outcome::Arrived { generation: round });
                assert_eq!(barrier.passed(round), Outcome::NotYet);
            }
            assert_eq!(barrier.arrive(ClientId(3), 3), Outcome::Arrived { generation: round });
            assert_eq!(barrier.passed(round), Outcome::Done);
            assert_eq!(barrier.passed(round + 1), Outcome::NotYet);
        }
    }
}
