//! Nodes are kept with their hosts, and lent in a row while the protocol's own invariants look at them.

use super::past::{Broken, Memory};
use super::{Explorer, Protocol};
use crate::core::NodeSet;
use crate::core::node::{Breach, Step};

/// No host.
pub(super) const NOBODY: u32 = u32::MAX;

impl<P: Protocol, M: Memory<P>> Explorer<P, M> {
    /// Looks at the lent nodes with the protocol's own invariants.
    pub(super) fn look(&self, step: Step) -> Option<Broken> {
        self.looked_at.iter().find_map(|invariant| {
            let Breach { other, slot } = (invariant.holds)(&self.nodes, step).err()?;
            let nodes = other.into_iter().fold(NodeSet::just(step.changed), NodeSet::with);
            Some(Broken::new((invariant.name, invariant.says), nodes, slot))
        })
    }

    /// Lends to `self.nodes` the nodes of a state, but in the place with this index the one on this host.
    #[inline]
    pub(super) fn borrow_after(&mut self, state: u32, index: usize, host: u32) {
        if self.borrowed != (state, index) {
            let (before, place) = std::mem::replace(&mut self.borrowed, (state, index));
            let others = if before == state { place..place + 1 } else { 0..self.hosts };
            for other in others.filter(|&other| other != index) {
                self.borrow(other, self.locals.host(self.states.row(state)[other]));
            }
        }
        self.borrow(index, host);
    }

    /// Lends the node on this host, and takes back any other in its place.
    #[inline]
    pub(super) fn borrow(&mut self, index: usize, host: u32) {
        let lender_host = std::mem::replace(&mut self.lenders[index], host);
        if lender_host != host {
            if lender_host != NOBODY {
                std::mem::swap(&mut self.steps.hosts.borrow(lender_host).node, &mut self.nodes[index]);
            }
            if host != NOBODY {
                std::mem::swap(&mut self.steps.hosts.borrow(host).node, &mut self.nodes[index]);
            }
        }
    }

    pub(super) fn take_back(&mut self) {
        self.borrowed.0 = NOBODY;
        (0..self.hosts).for_each(|index| self.borrow(index, NOBODY));
    }
}
