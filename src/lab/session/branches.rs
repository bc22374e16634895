//! The branches of a run: what became of it each time somebody acted in its past.
//!
//! All branches share the scenario, and what had happened before they parted, copies to go back to included.

use super::{CHECKPOINTS, Checkpoint, Deed, Moment, SPACING, Session};
use crate::sim::{Action, Record};
use crate::universe::Universe;

/// Most branches of one run; the oldest that nobody is on gives way.
const BRANCHES: usize = 16;
/// How far ahead two branches are compared, in events after the deed in which they differ.
const NEAR: u64 = 100_000;

/// One way the run went.
#[derive(Clone)]
pub(super) struct Branch {
    /// Its number in the order of their beginnings, from 1.
    number: u32,
    /// The number of the branch it left, and when.
    parent: Option<(u32, Moment)>,
    /// All deeds on it, those after the present moment included.
    pub(super) deeds: Vec<Deed>,
    /// Copies to go back to, oldest first. The first is the start.
    pub(super) checkpoints: Vec<Checkpoint>,
    /// Events between two copies.
    pub(super) spacing: u64,
    /// The farthest moment it has been at.
    pub(super) reached: Moment,
    /// Where it stood when another was taken up.
    left: Moment,
}

/// What can be told of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchView {
    /// Its number in the order of their beginnings, from 1.
    pub number: u32,
    /// The number of the branch it left, and when. `None` for the first.
    pub parent: Option<(u32, Moment)>,
    /// How many deeds there are on it, those before it began included.
    pub deeds: usize,
    /// The farthest moment it has been at.
    pub reached: Moment,
    /// Whether it is the one on screen.
    pub current: bool,
}

/// Where two branches part: the same universe up to an event, and one event later in each.
pub struct Parting {
    /// The last moment that both have in common.
    pub last: Moment,
    /// This branch after its next event or deed; `None` if nothing more happens on it.
    pub here: Option<Box<dyn Universe>>,
    /// The other one after its next.
    pub there: Option<Box<dyn Universe>>,
}

impl std::fmt::Debug for Parting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parting").field("last", &self.last).finish_non_exhaustive()
    }
}

impl Branch {
    pub(super) fn new(start: Checkpoint) -> Branch {
        Branch {
            number: 1,
            parent: None,
            deeds: Vec::new(),
            checkpoints: vec![start],
            spacing: SPACING,
            reached: Moment::default(),
            left: Moment::default(),
        }
    }

    /// How many events had happened in the latest copy.
    pub(super) fn last_copy(&self) -> u64 {
        self.checkpoints.last().map_or(0, |copy| copy.universe.events())
    }

    /// Keeps one more copy; when there are too many, every other one goes, and the next ones are farther apart.
    pub(super) fn keep(&mut self, copy: Checkpoint) {
        self.checkpoints.push(copy);
        if self.checkpoints.len() > CHECKPOINTS {
            let mut odd = false;
            self.checkpoints.retain(|_| {
                odd = !odd;
                odd
            });
            self.spacing *= 2;
        }
    }
}

impl Session {
    pub(super) fn branch(&self) -> &Branch {
        &self.branches[self.current]
    }

    pub(super) fn branch_mut(&mut self) -> &mut Branch {
        &mut self.branches[self.current]
    }

    /// All branches, in the order of their beginnings.
    pub fn branches(&self) -> impl Iterator<Item = BranchView> {
        self.branches.iter().enumerate().map(|(index, branch)| BranchView {
            number: branch.number,
            parent: branch.parent,
            deeds: branch.deeds.len(),
            reached: branch.reached,
            current: index == self.current,
        })
    }

    /// Leaves this branch as it is, and goes on from `now` on a new one. The copies up to now belong to both.
    pub(super) fn begin_branch(&mut self, now: Moment) {
        let old = self.branch_mut();
        old.left = old.reached;
        let mut branch = old.clone();
        branch.parent = Some((old.number, now));
        branch.deeds.truncate(now.deeds);
        let both = |copy: &Checkpoint| copy.universe.events() <= now.event && copy.done <= now.deeds;
        branch.checkpoints.retain(both);
        self.begun += 1;
        branch.number = self.begun;
        if self.branches.len() >= BRANCHES {
            let unused = usize::from(self.current == 0);
            self.branches.remove(unused);
        }
        self.branches.push(branch);
        self.current = self.branches.len() - 1;
    }

    /// Takes up another branch, where it was left. False if there is none of this number.
    pub fn take_up(&mut self, number: u32) -> bool {
        let Some(index) = self.branches.iter().position(|branch| branch.number == number) else { return false };
        if index != self.current {
            self.branch_mut().left = self.moment();
            self.current = index;
            let left = self.branch().left;
            self.jump(false, |copy| copy.universe.events() <= left.event && copy.done <= left.deeds);
            self.go_to(left);
        }
        true
    }

    /// Where this branch and another part. `None` if there is no other of this number, or if they are the same as far as can be seen: then
    /// what was done in the one and not in the other changed nothing.
    pub fn parting(&self, number: u32) -> Option<Parting> {
        let other = self.branches.iter().find(|branch| branch.number == number && number != self.branch().number)?;
        let mine = self.branch();
        let common = mine.deeds.iter().zip(&other.deeds).take_while(|(one, two)| one == two).count();
        // Up to the first deed that is not in both nothing differs, and there is a copy from before it.
        let first = [mine, other].iter().filter_map(|branch| branch.deeds.get(common)).map(|deed| deed.event).min()?;
        let shared = |copy: &&Checkpoint| copy.universe.events() <= first && copy.done <= common;
        let start = mine.checkpoints.iter().rev().find(shared)?;
        let mut one = Path::new(start, &mine.deeds);
        let mut two = Path::new(start, &other.deeds);
        while one.universe.events() <= first + NEAR {
            let last = one.moment();
            let (here, there) = (one.step(mine.reached), two.step(other.reached));
            if here.is_none() && there.is_none() {
                return None;
            }
            if here != there || one.latest() != two.latest() {
                let (here, there) = (here.map(|_| one.universe), there.map(|_| two.universe));
                return Some(Parting { last, here, there });
            }
        }
        None
    }
}

/// A branch gone along once more.
struct Path<'a> {
    universe: Box<dyn Universe>,
    deeds: &'a [Deed],
    done: usize,
    /// How many records of the trace had been looked at.
    seen: u64,
}

impl<'a> Path<'a> {
    fn new(start: &Checkpoint, deeds: &'a [Deed]) -> Path<'a> {
        let universe = start.universe.fork();
        Path { seen: universe.trace().total(), universe, deeds, done: start.done }
    }

    fn moment(&self) -> Moment {
        Moment { event: self.universe.events(), deeds: self.done, at: self.universe.time() }
    }

    /// The next deed or event, if that is not after `end`: what was done, or that something happened by itself.
    fn step(&mut self, end: Moment) -> Option<Option<Action>> {
        self.seen = self.universe.trace().total();
        match self.deeds.get(self.done).filter(|deed| deed.event <= self.universe.events()) {
            Some(deed) => {
                self.universe.step_until(deed.at);
                self.universe.act(deed.action).ok()?;
                self.done += 1;
                Some(Some(deed.action))
            }
            None => (self.universe.events() < end.event && self.universe.step_until(end.at)).then_some(None),
        }
    }

    /// What the last step left in the trace.
    fn latest(&self) -> Vec<Record> {
        self.universe.trace().records().filter(|(number, _)| *number >= self.seen).map(|(_, record)| *record).collect()
    }
}
