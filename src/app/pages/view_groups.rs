//! The parts of the page that are updated in turn.

use crate::run::player::{Update, VIEW_GROUPS};
use crate::run::view_model::ViewModel;
use std::rc::Rc;

/// View groups, updated in turn so that no frame takes long: the stage; the panels; legend and time.
pub struct ViewGroups {
    /// The view model each shows.
    pub models: [Rc<ViewModel>; VIEW_GROUPS],
    /// How often each was updated.
    pub revisions: [u32; VIEW_GROUPS],
    /// The group whose turn it is.
    next: usize,
}

impl ViewGroups {
    /// All of them showing this view model.
    pub fn of(view: &Rc<ViewModel>) -> ViewGroups {
        ViewGroups { models: std::array::from_fn(|_| view.clone()), revisions: [0; VIEW_GROUPS], next: 0 }
    }

    /// Has all of them show this view model, or the one whose turn it is.
    pub fn update(&mut self, view: Rc<ViewModel>, update: Update) {
        for group in 0..VIEW_GROUPS {
            if update == Update::All || group == self.next {
                self.models[group] = view.clone();
                self.revisions[group] += 1;
            }
        }
        self.next = (self.next + 1) % VIEW_GROUPS;
    }
}
