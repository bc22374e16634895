//! A cyclic barrier: opens when a number of clients have arrived, and closes again for the next generation.

use crate::core::{ClientId, Outcome};
use serde::Serialize;

/// A barrier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Barrier {
    /// How often it has opened.
    generation: u32,
    /// Who has arrived since.
    arrived: Vec<ClientId>,
}

impl Barrier {
    /// A client arrives. The barrier opens with the last of `parties`; arriving twice counts once.
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

    /// Whether it has opened since generation `generation`.
    pub fn passed(&self, generation: u32) -> Outcome {
        if self.generation > generation { Outcome::Done } else { Outcome::NotYet }
    }

    /// How many clients wait.
    pub fn len(&self) -> u32 {
        self.arrived.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn barrier_opens_when_all_parties_have_arrived_and_closes_again() {
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
