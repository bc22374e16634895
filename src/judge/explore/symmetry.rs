//! Symmetry.
use super::*;
#[derive(Debug)]
pub(super) struct Symmetry<P: Protocol>(PhantomData<P>);
impl<P: Protocol> Symmetry<P> {
    pub fn of(_: &Setup, _: &Bounds) -> Option<Symmetry<P>> {
        None
    }
}
impl<P: Protocol, M: Memory<P>> Explorer<P, M> {
    pub(super) fn canonical(&mut self, _tree: &mut [u32]) {}
    pub(super) fn fold_canonical(&mut self) -> u64 {
        0
    }
}
