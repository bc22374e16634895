//! History variables for [`HistoryInvariant`](super::HistoryInvariant)s: what the nodes of a run accepted, committed and led, including what
//! they have overwritten, compacted or lost in a crash since (Abadi and Lamport, *The Existence of Refinement Mappings*, 1991, §5).

use super::{Breach, Epoch, Log, Micros, NodeId, NodeSet, Slot};

/// A value accepted in one slot under one epoch, and by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// Term or ballot.
    pub epoch: Epoch,
    /// Digest of the value.
    pub value: u64,
    /// A second word about the value, where a protocol needs one.
    pub note: u64,
    /// All nodes on whose disks it ever was.
    voters: NodeSet,
    /// The first node to accept it.
    first: NodeId,
    /// Whether the voters ever made up a quorum.
    chosen: bool,
}

/// The first acceptance of a slot, and whether there are others under other epochs.
#[derive(Clone, Copy, Debug, Default)]
struct Accepted {
    one: Acceptance,
    more: bool,
}

/// A committed log entry, as first observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commitment {
    /// The entry's own epoch.
    pub epoch: Epoch,
    /// The epoch in which it was committed.
    pub within: Epoch,
    /// The first node that knew it to be committed.
    pub by: NodeId,
}

/// The beginning of a leader's epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Election {
    /// The leader.
    pub leader: NodeId,
    /// The last slot of its log then.
    pub last: Slot,
}

/// What a protocol says of acceptances: which nodes are a quorum that makes a value chosen, and whether a value in a higher epoch is
/// consistent with a chosen one in a lower epoch.
pub trait Choice {
    /// Whether these voters make the value they accepted chosen.
    fn is_quorum(&self, voters: NodeSet) -> bool;

    /// The same for values accepted in `epoch`, where epochs differ in their quorums.
    fn is_quorum_in(&self, _epoch: Epoch, voters: NodeSet) -> bool {
        self.is_quorum(voters)
    }

    /// Whether `higher` may be accepted although `lower`, in a lower epoch, is chosen.
    fn follows(&self, lower: &Acceptance, higher: &Acceptance) -> bool {
        lower.value == higher.value
    }
}

impl<T: Choice> Choice for &T {
    fn is_quorum(&self, voters: NodeSet) -> bool {
        (**self).is_quorum(voters)
    }

    fn is_quorum_in(&self, epoch: Epoch, voters: NodeSet) -> bool {
        (**self).is_quorum_in(epoch, voters)
    }

    fn follows(&self, lower: &Acceptance, higher: &Acceptance) -> bool {
        (**self).follows(lower, higher)
    }
}

/// Maximum number of further acceptances kept in one slot; of more, the lowest epoch that is not chosen is dropped.
const ACCEPTANCES: usize = 32;

/// Maximum number of elections kept; those of the lowest epochs are dropped.
const ELECTIONS: usize = 4_096;

/// History variables of one run. Their memory is bounded: the checker [prunes](HistoryVariables::prune) old slots.
#[derive(Clone, Debug, Default)]
pub struct HistoryVariables {
    /// The first acceptance in each slot.
    accepted: Log<Option<Accepted>>,
    /// Further acceptances in the same slots, under other epochs; sorted by slot and epoch. Plain vectors, because they stay short and their
    /// code is small.
    others: Vec<(Slot, Acceptance)>,
    /// Votes that are not on a disk yet: when they will be, µs, whose they are, and for what. Sorted.
    unsaved: Vec<(Micros, NodeId, Slot, Epoch)>,
    committed: Log<Option<Commitment>>,
    /// The last committed slot that [`newly_committed`](HistoryVariables::newly_committed) has returned.
    compared: Slot,
    /// By node: the last slot that it knew to be committed.
    reached: Vec<Slot>,
    /// Sorted by epoch.
    elections: Vec<(Epoch, Election)>,
    /// Present time, µs. Set by the checker before every step, as are the following.
    pub now: Micros,
    /// When all that the changed node has saved is on its disk, µs.
    pub saved_at: Micros,
    /// Nodes that were ever Byzantine: what they hold does not count.
    pub byzantine: NodeSet,
}

impl HistoryVariables {
    fn breach<T>(&self, by: NodeId, slot: Slot) -> Result<T, Breach> {
        Err(Breach { other: Some(by), slot: Some(slot) })
    }

    /// Records that `by` holds a value in a slot: its epoch, a digest of it, and a second word. Returns all that is known of this value. Error:
    /// another node has held another value in this slot under the same epoch.
    #[inline]
    pub fn accept(
        &mut self,
        slot: Slot,
        (epoch, value, note): (Epoch, u64, u64),
        by: NodeId,
    ) -> Result<Acceptance, Breach> {
        match self.accepted.get(slot) {
            Some(Some(Accepted { one, .. })) if (one.epoch, one.value) == (epoch, value) => Ok(*one),
            _ => self
                .accept_new(slot, Acceptance { epoch, value, note, first: by, voters: NodeSet::EMPTY, chosen: false }),
        }
    }

    #[inline(never)]
    fn accept_new(&mut self, slot: Slot, new: Acceptance) -> Result<Acceptance, Breach> {
        if slot < self.accepted.first() {
            return Ok(new);
        }
        while self.accepted.last() < slot {
            self.accepted.push(None);
        }
        let known = match self.accepted.get_mut(slot) {
            Some(Some(held)) if held.one.epoch == new.epoch => &mut held.one,
            Some(Some(held)) => {
                held.more = true;
                let place = match place_of(&self.others, slot, new.epoch) {
                    Ok(place) => place,
                    Err(place) => {
                        self.others.insert(place, (slot, new));
                        self.drop_lowest(slot, place)
                    }
                };
                &mut self.others[place].1
            }
            Some(place) => &mut place.insert(Accepted { one: new, more: false }).one,
            None => return Ok(new),
        };
        if known.value != new.value {
            if !self.byzantine.has(known.first) {
                let first = known.first;
                return self.breach(first, slot);
            }
            *known = new;
        }
        Ok(*known)
    }

    /// Drops an acceptance of a slot that has too many. Returns the new place of the one at `place`, which stays.
    fn drop_lowest(&mut self, slot: Slot, place: usize) -> usize {
        let begin = self.others.partition_point(|(at, _)| *at < slot);
        let own = self.others_of(slot);
        if own.len() <= ACCEPTANCES {
            return place;
        }
        // Of chosen ones the first tells as much as all. The new one stays.
        let old = || (0..own.len()).filter(|index| begin + index != place);
        let unchosen = old().find(|index| !own[*index].1.chosen);
        let dropped = begin + unchosen.or_else(|| old().nth(1)).unwrap_or(0);
        self.others.remove(dropped);
        if dropped < place { place - 1 } else { place }
    }

    /// Records a vote: as [`accept`](HistoryVariables::accept), and checks it against what was chosen in lower epochs and, if it makes its value
    /// chosen, that against what was accepted in higher ones. A vote counts from when it is on its disk.
    pub fn vote(&mut self, slot: Slot, new: (Epoch, u64, u64), by: NodeId, choice: &impl Choice) -> Result<(), Breach> {
        let known = self.accept(slot, new, by)?;
        if known.voters.has(by) {
            return Ok(());
        }
        if known.chosen || self.has_others(slot) {
            self.compare(slot, known, choice)?;
        }
        if self.saved_at > self.now {
            let vote = (self.saved_at, by, slot, new.0);
            if let Err(place) = self.unsaved.binary_search(&vote) {
                self.unsaved.insert(place, vote);
            }
            return Ok(());
        }
        self.count(slot, new.0, by, choice)
    }

    /// Counts the votes that are on their disks after a step, as a running node says what is a quorum; those that the changed node has lost with
    /// a crash are forgotten. Returns the changed node, if it runs, and what came of counting.
    #[inline]
    pub fn count_after<'a, N, C: Choice>(
        &mut self,
        nodes: &'a [Option<N>],
        changed: NodeId,
        choice: impl FnOnce(&'a N) -> C,
    ) -> (Option<&'a N>, Result<(), Breach>) {
        let node = nodes.get(usize::from(changed.0)).and_then(Option::as_ref);
        match node.or_else(|| nodes.iter().flatten().next()) {
            Some(any) => (node, self.count_saved(node.is_none().then_some(changed), &choice(any))),
            None => {
                self.lose_unsaved(changed);
                (None, Ok(()))
            }
        }
    }

    /// Counts the votes that are on their disks by now. Those of `crashed`, which has just gone down, that are not are lost.
    #[inline]
    fn count_saved(&mut self, crashed: Option<NodeId>, choice: &impl Choice) -> Result<(), Breach> {
        if self.unsaved.is_empty() { Ok(()) } else { self.count_some(crashed, choice) }
    }

    #[inline(never)]
    fn count_some(&mut self, crashed: Option<NodeId>, choice: &impl Choice) -> Result<(), Breach> {
        let mut result = Ok(());
        while let Some(&(due, by, slot, epoch)) = self.unsaved.first()
            && due < self.now
        {
            self.unsaved.remove(0);
            result = result.and(self.count(slot, epoch, by, choice));
        }
        if let Some(crashed) = crashed {
            self.lose_unsaved(crashed);
        }
        result
    }

    /// Forgets the votes of a node that has just gone down that are not on its disk.
    fn lose_unsaved(&mut self, crashed: NodeId) {
        let now = self.now;
        self.unsaved.retain(|(due, by, ..)| *by != crashed || *due < now);
    }

    fn count(&mut self, slot: Slot, epoch: Epoch, by: NodeId, choice: &impl Choice) -> Result<(), Breach> {
        let byzantine = self.byzantine;
        let Some(known) = self.find(slot, epoch) else { return Ok(()) };
        known.voters.add(by);
        if known.chosen || !choice.is_quorum_in(epoch, known.voters.minus(byzantine)) {
            return Ok(());
        }
        known.chosen = true;
        let known = *known;
        if self.has_others(slot) { self.compare(slot, known, choice) } else { Ok(()) }
    }

    fn has_others(&self, slot: Slot) -> bool {
        matches!(self.accepted.get(slot), Some(Some(Accepted { more: true, .. })))
    }

    fn find(&mut self, slot: Slot, epoch: Epoch) -> Option<&mut Acceptance> {
        match self.accepted.get_mut(slot)?.as_mut()? {
            Accepted { one, .. } if one.epoch == epoch => Some(one),
            _ => match place_of(&self.others, slot, epoch) {
                Ok(place) => Some(&mut self.others[place].1),
                Err(_) => None,
            },
        }
    }

    /// Compares an acceptance with all others in its slot.
    #[inline(never)]
    fn compare(&self, slot: Slot, this: Acceptance, choice: &impl Choice) -> Result<(), Breach> {
        let one = self.accepted.get(slot).into_iter().flatten().map(|held| &held.one);
        let all = one.chain(self.others_of(slot).iter().map(|(_, held)| held));
        for other in all.filter(|other| other.epoch != this.epoch && !self.byzantine.has(other.first)) {
            let (lower, higher) = if other.epoch < this.epoch { (other, &this) } else { (&this, other) };
            if lower.chosen && !choice.follows(lower, higher) {
                return self.breach(other.first, slot);
            }
        }
        Ok(())
    }

    /// Forgets what was accepted in a slot before its last chosen value, if there is one: for registers, in which values replace each other.
    pub fn forget_superseded(&mut self, slot: Slot) {
        if !self.has_others(slot) {
            return;
        }
        let Some(chosen) = self.others_of(slot).iter().rev().map(|(_, held)| *held).find(|held| held.chosen) else {
            return;
        };
        let Some(Some(held)) = self.accepted.get_mut(slot) else { return };
        if held.one.epoch > chosen.epoch {
            return;
        }
        held.one = chosen;
        self.others.retain(|(at, held)| *at != slot || held.epoch > chosen.epoch);
        let more = !self.others_of(slot).is_empty();
        if let Some(Some(held)) = self.accepted.get_mut(slot) {
            held.more = more;
        }
    }

    /// All acceptances of a slot but the first.
    fn others_of(&self, slot: Slot) -> &[(Slot, Acceptance)] {
        let begin = self.others.partition_point(|(at, _)| *at < slot);
        let end = self.others.partition_point(|(at, _)| *at <= slot);
        &self.others[begin..end]
    }

    /// Records that a node knows all slots up to `slot` to be committed. Returns the slots that are new to it.
    #[inline]
    pub fn reach(&mut self, node: NodeId, slot: Slot) -> std::ops::RangeInclusive<Slot> {
        let index = usize::from(node.0);
        if self.reached.len() <= index {
            self.reached.resize(index + 1, 0);
        }
        let before = std::mem::replace(&mut self.reached[index], slot);
        before.max(self.committed.first() - 1) + 1..=slot
    }

    /// Records a committed entry. Returns whether it is the first in its slot. Error: another node has known another entry to be committed in
    /// this slot.
    pub fn commit(&mut self, slot: Slot, new: Commitment) -> Result<bool, Breach> {
        if slot < self.committed.first() {
            return Ok(false);
        }
        while self.committed.last() < slot {
            self.committed.push(None);
        }
        let byzantine = self.byzantine;
        match self.committed.get_mut(slot) {
            Some(Some(known)) if !byzantine.has(known.by) => match known.epoch == new.epoch {
                true => Ok(false),
                false => {
                    let by = known.by;
                    self.breach(by, slot)
                }
            },
            Some(place) => {
                *place = Some(new);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// The slots committed since the last call.
    #[inline]
    pub fn newly_committed(&mut self) -> std::ops::RangeInclusive<Slot> {
        let before = std::mem::replace(&mut self.compared, self.committed.last());
        before + 1..=self.committed.last()
    }

    /// The committed entry of a slot, if it is kept.
    pub fn commitment(&self, slot: Slot) -> Option<Commitment> {
        self.committed.get(slot).copied().flatten()
    }

    /// The first slot that is kept.
    pub fn first(&self) -> Slot {
        self.accepted.first()
    }

    /// Committed entries that are kept, the last first.
    pub fn committed(&self) -> impl Iterator<Item = (Slot, &Commitment)> {
        self.committed.iter().rev().filter_map(|(slot, known)| Some((slot, known.as_ref()?)))
    }

    /// Records the beginning of an epoch. Returns whether it is new.
    #[inline]
    pub fn elect(&mut self, epoch: Epoch, new: Election) -> bool {
        if self.elections.last().is_some_and(|(last, held)| *last == epoch && held.leader == new.leader) {
            return false;
        }
        self.elect_new(epoch, new)
    }

    #[inline(never)]
    fn elect_new(&mut self, epoch: Epoch, new: Election) -> bool {
        let place = self.elections.partition_point(|(known, _)| *known < epoch);
        let known = self.elections.get(place).filter(|(known, _)| *known == epoch).map(|(_, held)| held.leader);
        if known == Some(new.leader) {
            return false;
        }
        match known {
            Some(_) => self.elections[place] = (epoch, new),
            None => self.elections.insert(place, (epoch, new)),
        }
        if self.elections.len() > ELECTIONS {
            self.elections.remove(0);
        }
        true
    }

    /// The elections of epochs higher than `epoch`.
    pub fn elections_after(&self, epoch: Epoch) -> impl Iterator<Item = &Election> {
        let first = self.elections.partition_point(|(known, _)| *known <= epoch);
        self.elections[first..].iter().map(|(_, election)| election)
    }

    /// Forgets all slots up to and including `slot`.
    pub fn prune(&mut self, slot: Slot) {
        self.accepted.compact_to(slot);
        self.committed.compact_to(slot);
        self.others.retain(|(at, _)| *at > slot);
    }
}

/// The place of an acceptance among others, or where it belongs.
fn place_of(others: &[(Slot, Acceptance)], slot: Slot, epoch: Epoch) -> Result<usize, usize> {
    others.binary_search_by_key(&(slot, epoch), |(at, held)| (*at, held.epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);
    const C: NodeId = NodeId(2);

    struct TwoOfThree;

    impl Choice for TwoOfThree {
        fn is_quorum(&self, voters: NodeSet) -> bool {
            voters.len() >= 2
        }
    }

    fn epoch(number: u32) -> Epoch {
        Epoch { number, owner: None }
    }

    fn vote(past: &mut HistoryVariables, slot: Slot, ballot: u32, value: u64, by: NodeId) -> Result<(), Breach> {
        past.vote(slot, (epoch(ballot), value, 0), by, &TwoOfThree)
    }

    #[test]
    fn vote_that_was_overwritten_counts_for_the_value_it_was_for() {
        let mut past = HistoryVariables::default();
        assert_eq!(vote(&mut past, 1, 1, 7, A), Ok(()));
        assert_eq!(vote(&mut past, 1, 2, 8, B), Ok(()), "7 is not chosen yet");
        assert_eq!(vote(&mut past, 1, 3, 7, C), Ok(()));
        assert_eq!(vote(&mut past, 1, 1, 7, C), Err(Breach { other: Some(B), slot: Some(1) }), "7 is chosen below 8");
        let mut past = HistoryVariables::default();
        assert_eq!(vote(&mut past, 1, 1, 7, A).and(vote(&mut past, 1, 1, 7, B)), Ok(()));
        assert_eq!(vote(&mut past, 1, 2, 8, B), Err(Breach { other: Some(A), slot: Some(1) }));
    }

    #[test]
    fn vote_lost_with_a_crash_before_it_was_saved_does_not_count() {
        for crashes in [false, true] {
            let mut past = HistoryVariables { now: 10, saved_at: 20, ..HistoryVariables::default() };
            assert_eq!(vote(&mut past, 1, 1, 7, A), Ok(()));
            past.now = 15;
            assert_eq!(past.count_saved(crashes.then_some(A), &TwoOfThree), Ok(()));
            (past.now, past.saved_at) = (30, 30);
            assert_eq!(past.count_saved(None, &TwoOfThree), Ok(()));
            assert_eq!(vote(&mut past, 1, 1, 7, B), Ok(()));
            assert_eq!(vote(&mut past, 1, 2, 8, C).is_ok(), crashes);
        }
    }

    #[test]
    fn pruned_slots_are_forgotten_and_later_ones_are_not() {
        let mut past = HistoryVariables::default();
        for slot in 1..=200 {
            assert_eq!(vote(&mut past, slot, 1, 7, A).and(vote(&mut past, slot, 1, 7, B)), Ok(()));
        }
        past.prune(150);
        assert_eq!(vote(&mut past, 150, 2, 8, C), Ok(()));
        assert!(vote(&mut past, 151, 2, 8, C).is_err());
    }

    #[test]
    fn number_of_acceptances_kept_in_one_slot_is_bounded() {
        let mut past = HistoryVariables::default();
        for ballot in 1..=1_000 {
            assert_eq!(vote(&mut past, 1, ballot, u64::from(ballot % 3), A), Ok(()));
            assert_eq!(vote(&mut past, 1, 2_001 - ballot, u64::from(ballot % 3), B), Ok(()));
            assert!(past.others.len() <= ACCEPTANCES);
        }
        for ballot in 3_000..3_100 {
            assert_eq!(vote(&mut past, 1, ballot, 7, A).and(vote(&mut past, 1, ballot, 7, B)), Ok(()));
        }
        assert!(vote(&mut past, 1, 3_100, 8, C).is_err());
        assert!(past.others.len() <= ACCEPTANCES);
    }

    #[test]
    fn the_latest_elections_are_remembered_and_older_ones_forgotten() {
        let mut past = HistoryVariables::default();
        for number in 1..=ELECTIONS as u32 + 3 {
            assert!(past.elect(epoch(number), Election { leader: A, last: number }));
        }
        let lasts: Vec<Slot> = past.elections_after(epoch(0)).map(|election| election.last).collect();
        assert_eq!(lasts, (4..=ELECTIONS as u32 + 3).collect::<Vec<_>>());
    }

    #[test]
    fn superseded_values_of_a_register_are_forgotten() {
        let mut past = HistoryVariables::default();
        for ballot in 1..=100 {
            assert_eq!(vote(&mut past, 1, ballot, 7, A).and(vote(&mut past, 1, ballot, 7, B)), Ok(()));
            past.forget_superseded(1);
            assert!(past.others.len() <= 1);
        }
        assert!(vote(&mut past, 1, 101, 8, C).is_err());
    }
}
