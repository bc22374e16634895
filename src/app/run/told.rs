//! What the lessons tell of themselves, for whoever listens, and what somebody else keeps of them: the page around a frame.

use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Something that somebody has done in a lesson.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Told {
    /// A prediction was locked.
    Predict {
        /// The lesson's key.
        lesson: String,
        /// What was predicted, in words.
        says: String,
    },
    /// The runs have answered it.
    Answer {
        /// The lesson's key.
        lesson: String,
        /// What happened, in words.
        says: String,
        /// Whether that was predicted; `None` if nothing was.
        right: Option<bool>,
    },
    /// Something new is known of somebody's progress.
    Progress {
        /// The lesson's key.
        lesson: String,
    },
}

/// Takes what is told.
type Listener = Box<dyn Fn(&Told)>;

/// Who listens, and what is kept elsewhere.
#[derive(Default)]
pub struct Listeners {
    listener: RefCell<Option<Listener>>,
    /// By lesson, what the page around a frame keeps; `None` if it keeps nothing. Otherwise nothing that this device keeps is told to it.
    pub kept: RefCell<Option<BTreeMap<String, String>>>,
    /// What is done once that has come.
    pub on_kept: Cell<Option<Box<dyn Fn()>>>,
}

impl Listeners {
    /// Tells it to whoever listens.
    pub fn tell(&self, told: &Told) {
        self.listener.borrow().iter().for_each(|listener| listener(told));
    }

    /// Listens from now on.
    pub fn listen(&self, listener: impl Fn(&Told) + 'static) {
        *self.listener.borrow_mut() = Some(Box::new(listener));
    }
}
