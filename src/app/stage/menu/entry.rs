//! Entries of a menu: single items, and groups of them under a heading.

use crate::page_action::PageAction;
use quorumscope::sim::Action;

/// An entry of a menu.
pub struct Item {
    /// Text.
    pub label: String,
    /// What choosing it asks for.
    pub page_action: PageAction,
}

/// Items under a heading; without a heading each is an entry of its own.
pub struct Group {
    /// The heading, possibly empty.
    pub heading: String,
    /// The items.
    pub items: Vec<Item>,
    /// Whether it is shown only after the menu was expanded.
    pub folded: bool,
}

impl Group {
    /// Items without a heading.
    pub fn plain(items: Vec<Item>) -> Group {
        Group::headed("", items)
    }

    /// Items under a heading.
    pub fn headed(heading: impl Into<String>, items: Vec<Item>) -> Group {
        Group { heading: heading.into(), items, folded: false }
    }

    /// The same group, shown only after the menu was expanded.
    pub fn folded(self) -> Group {
        Group { folded: true, ..self }
    }
}

/// An item that acts on the run.
pub fn act(label: impl Into<String>, action: Action) -> Item {
    acts(label, vec![action])
}

/// An item that acts on the run several times.
pub fn acts(label: impl Into<String>, actions: Vec<Action>) -> Item {
    Item { label: label.into(), page_action: PageAction::Act(actions) }
}
