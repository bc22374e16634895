//! Dragging the crown or a replica over the stage, by mouse, pen or finger.

use crate::page_action::PageAction;
use crate::run::ViewModel;
use crate::stage::geometry::Point;
use crate::stage::layout::Layout;
use quorumscope::core::NodeId;
use quorumscope::sim::Action;

/// A pointer that moved less than this, CSS pixels, has tapped.
const TAP: f64 = 6.0;

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The crown of this leader.
    Crown(NodeId),
    /// A replica.
    Node(NodeId),
}

/// A drag under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drag {
    /// What is held.
    pub held: Held,
    /// The pointer that holds it.
    pub pointer: i32,
    /// Where it began.
    from: Point,
    /// Where the pointer is.
    pub at: Point,
    /// Whether it has gone far enough to be no tap.
    pub moved: bool,
}

impl Drag {
    /// Takes hold of something.
    pub fn begin(held: Held, pointer: i32, at: Point) -> Drag {
        Drag { held, pointer, from: at, at, moved: false }
    }

    /// The pointer moved; `scale` CSS pixels make a unit of the stage.
    pub fn go(self, at: Point, scale: f64) -> Drag {
        Drag { at, moved: self.moved || self.from.distance(at) * scale > TAP, ..self }
    }

    /// The replica on which the crown would land.
    pub fn node(&self, layout: &Layout, view: &ViewModel) -> Option<NodeId> {
        let Held::Crown(from) = self.held else { return None };
        let over = view.nodes.get(layout.node_at(self.at)?)?;
        (self.moved && over.id != from && over.status.is_some()).then_some(over.id)
    }

    /// The site on which the replica would land.
    pub fn site(&self, layout: &Layout, view: &ViewModel) -> Option<usize> {
        let Held::Node(node) = self.held else { return None };
        let own = view.nodes.get(usize::from(node.0))?.site;
        layout.site_shape_at(self.at).filter(|site| self.moved && *site != own)
    }

    /// The replica that was tapped, if this was no drag.
    pub fn tapped(&self) -> Option<NodeId> {
        let (Held::Crown(node) | Held::Node(node)) = self.held;
        (!self.moved).then_some(node)
    }

    /// What letting go here means; nothing when it lands nowhere.
    pub fn drop(&self, layout: &Layout, view: &ViewModel) -> Option<PageAction> {
        match self.held {
            Held::Crown(_) => Some(PageAction::Act(vec![Action::HandOver(self.node(layout, view)?)])),
            Held::Node(node) => {
                let site = self.site(layout, view)? as u8;
                Some(PageAction::Act(vec![Action::Move { node, site }]))
            }
        }
    }
}
