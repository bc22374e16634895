//! A copy of the simulation that follows a session's branch, event by event, without moving the session.

use super::{Branch, Session};
use crate::lab::{Intervention, Moment};
use crate::universe::Universe;

/// A copy of the simulation on its way along a branch.
pub struct Follower {
    universe: Box<dyn Universe>,
    /// The branch's interventions up to here, all of them repeated.
    repeated: Vec<Intervention>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follower at event {}", self.universe.events())
    }
}

impl Follower {
    /// The simulation where it is.
    pub fn universe(&self) -> &dyn Universe {
        &*self.universe
    }

    /// The same, to have it record.
    #[cfg(feature = "link")]
    pub(in crate::lab) fn universe_mut(&mut self) -> &mut dyn Universe {
        &mut *self.universe
    }
}

impl Session {
    /// A follower at the latest checkpoint for which `is_before` holds, by its events and time; or at the start.
    pub fn follower(&self, is_before: impl Fn(&Moment) -> bool) -> Follower {
        let count = self.branch.checkpoints.partition_point(|checkpoint| is_before(&checkpoint.moment));
        match self.branch.checkpoints[..count].last() {
            Some(checkpoint) => Follower {
                universe: checkpoint.universe.fork(),
                repeated: self.branch.interventions[..checkpoint.moment.interventions].to_vec(),
            },
            None => Follower { universe: self.checked.boot().expect("it has started before"), repeated: Vec::new() },
        }
    }

    /// Whether what a follower has seen is what happened in the present branch.
    pub fn is_followed_by(&self, follower: &Follower) -> bool {
        let (repeated, all) = (&follower.repeated, &self.branch.interventions);
        // What was done before the event at which the follower is, it must have done.
        all.starts_with(repeated) && all.get(repeated.len()).is_none_or(|next| next.event >= follower.universe.events())
    }

    /// Has a follower do the next event or intervention of the branch, if that is not after the moment that the branch has reached. False: it is
    /// there, or nothing is left to happen.
    pub fn lead(&self, follower: &mut Follower) -> bool {
        self.lead_on(&self.branch, Moment { interventions: usize::MAX, ..self.branch.reached }, follower)
    }

    /// The same along any branch, up to a moment that it has reached.
    pub(in crate::lab) fn lead_on(&self, branch: &Branch, goal: Moment, follower: &mut Follower) -> bool {
        let (done, events) = (follower.repeated.len(), follower.universe.events());
        match branch.interventions.get(done).filter(|next| next.event <= events && done < goal.interventions) {
            Some(next) if next.at <= goal.at => {
                // What is due at the same time comes after an intervention.
                if next.at > follower.universe.time() && follower.universe.step_until(next.at) {
                    return false;
                }
                follower.repeated.push(*next);
                self.act.is_some_and(|act| act(&mut *follower.universe, next.action).is_ok())
            }
            _ => events < goal.event && follower.universe.step_until(goal.at),
        }
    }
}
