//! What a state must remember of the past for the judges' sake: what was decided, and who led.

use crate::core::{Command, Epoch, NodeId, NodeSet, Slot};
use crate::judge::watch::{AGREEMENT, ONE_LEADER};

/// Decisions and leaders so far. Part of a state: two states that differ in it alone can have different futures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Ghost {
    /// Command by slot, sorted.
    decided: Vec<(Slot, Command)>,
    /// Leader by epoch, sorted.
    leaders: Vec<(Epoch, NodeId)>,
}

/// A broken property, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub property: &'static str,
    pub says: &'static str,
    pub nodes: NodeSet,
    pub slot: Option<Slot>,
}

impl Broken {
    pub fn new((property, says): (&'static str, &'static str), nodes: NodeSet, slot: Option<Slot>) -> Broken {
        Broken { property, says, nodes, slot }
    }
}

impl Ghost {
    /// Takes in what `node` learned; tells what that breaks, and goes on with what was known first.
    pub fn learn(&mut self, node: NodeId, slot: Slot, command: Command) -> Result<(), Broken> {
        match self.decided.binary_search_by_key(&slot, |(slot, _)| *slot) {
            Err(place) => self.decided.insert(place, (slot, command)),
            Ok(place) if self.decided[place].1 != command => {
                return Err(Broken::new(AGREEMENT, NodeSet::just(node), Some(slot)));
            }
            Ok(_) => {}
        }
        Ok(())
    }

    /// Takes in that `node` leads.
    pub fn lead(&mut self, node: NodeId, epoch: Epoch) -> Result<(), Broken> {
        match self.leaders.binary_search_by_key(&epoch, |(epoch, _)| *epoch) {
            Err(place) => self.leaders.insert(place, (epoch, node)),
            Ok(place) if self.leaders[place].1 != node => {
                let nodes = NodeSet::just(self.leaders[place].1).with(node);
                return Err(Broken::new(ONE_LEADER, nodes, None));
            }
            Ok(_) => {}
        }
        Ok(())
    }
}
