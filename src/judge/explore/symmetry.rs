//! Symmetry.
use super::*;
#[derive(Debug)]
pub(super) struct Symmetry<P: Protocol>(std::marker::PhantomData<P>);
impl<P: Protocol> Symmetry<P> {
    pub fn of(_: &Setup, _: &Bounds) -> Option<Symmetry<P>> {
        None
    }
}
impl<P: Protocol, M: Memory<P>> Explorer<P, M> {
    pub(super) fn canonical(&mut self, _row: &mut [u32]) {}
    pub(super) fn canonical_at(&mut self, _to: usize) -> u64 {
        0
    }
}
