//! What has changed since somebody was told last, in a few sentences: for announcements.

use super::super::session::Session;
use crate::core::{Epoch, LeaderModel, Micros, NodeId};
use crate::universe::changes::{Change, Looks};
use crate::universe::words::epoch;
use crate::universe::{Universe, narration};

/// What was told last.
#[derive(Clone, Debug)]
pub struct Spoken {
    at: Micros,
    looks: Looks,
    leader: Option<(NodeId, Epoch)>,
    faults: Vec<String>,
    violations: usize,
}

impl Spoken {
    /// The present moment as told.
    pub fn of(session: &Session) -> Spoken {
        let universe = session.universe();
        Spoken {
            at: universe.time(),
            looks: Looks::of(universe),
            leader: leader(universe),
            faults: faults(session),
            violations: universe.violations().len(),
        }
    }

    /// Whether the present moment is before the one that was told last.
    pub fn is_back(&self, session: &Session) -> bool {
        session.universe().time() < self.at
    }

    /// What has changed by now: who is up, who leads, what is out of order, what is violated; with `all`, roles, epochs and what is
    /// committed as well. Empty: nothing.
    pub fn changes(&mut self, session: &Session, all: bool) -> String {
        let (universe, before) = (session.universe(), self.clone());
        *self = Spoken { looks: before.looks.clone(), ..Spoken::of(session) };
        let word = universe.variant().card.epoch;
        let leads = self.leader.filter(|_| self.leader != before.leader);
        let wanted = |change: &Change| match change {
            Change::Down(_) | Change::Starts(..) => true,
            Change::Role(id, ..) | Change::Epoch(id, ..) => all && leads.is_none_or(|(leader, _)| leader != *id),
            Change::Committed(..) => all,
        };
        let mut told: Vec<String> =
            self.looks.changes(universe).into_iter().filter(wanted).map(|change| change.sentence(word)).collect();
        match (leads, before.leader) {
            (Some((node, of)), _) => {
                let places = &session.checked().places;
                let place = places.get(usize::from(universe.node(node).site)).map_or("?", |place| place.name.as_str());
                told.push(format!("Node {node:?}, in {place}, leads {} now.", epoch(word, of)));
            }
            (None, Some(_)) if self.leader.is_none() => told.push("Nobody leads any more.".to_owned()),
            _ => {}
        }
        told.extend(self.faults.iter().filter(|fault| !before.faults.contains(fault)).cloned());
        if self.faults.is_empty() && !before.faults.is_empty() {
            told.push("Nothing else is out of order any more.".to_owned());
        }
        let new = universe.violations().iter().skip(before.violations);
        told.extend(new.map(|violation| narration::violation(violation, universe.variant().card)));
        told.join(" ")
    }
}

/// Who leads, where there is one who leads all.
fn leader(universe: &dyn Universe) -> Option<(NodeId, Epoch)> {
    if matches!(universe.variant().card.leader, LeaderModel::None | LeaderModel::PerObject) {
        return None;
    }
    let leader = universe.leader()?;
    Some((leader, universe.node(leader).status?.epoch))
}

fn faults(session: &Session) -> Vec<String> {
    let places: Vec<&str> = session.checked().places.iter().map(|place| place.name.as_str()).collect();
    narration::out_of_order(session.universe(), &places)
}
