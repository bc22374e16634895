//! Drag and drop on the stage: the leader badge onto a replica, a replica onto a site; by mouse, pen or touch.

use super::layout::Layout;
use crate::elements::geometry::Point;
use crate::page_action::PageAction;
use crate::run::view_model::ViewModel;
use quorumscope::core::NodeId;
use quorumscope::sim::Action;

/// A press whose pointer moved less than this, CSS pixels, is a tap.
const TAP: f64 = 6.0;

/// What is dragged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dragged {
    /// The badge of this leader.
    LeaderBadge(NodeId),
    /// A replica.
    Node(NodeId),
}

/// A drag under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drag {
    /// What is dragged.
    pub dragged: Dragged,
    /// The pointer that drags it.
    pub pointer: i32,
    /// Where the pointer was pressed.
    from: Point,
    /// Where the pointer is now.
    pub at: Point,
    /// Whether it has moved too far to be a tap.
    pub moved: bool,
}

impl Drag {
    /// Begins a drag.
    pub fn begin(dragged: Dragged, pointer: i32, at: Point) -> Drag {
        Drag { dragged, pointer, from: at, at, moved: false }
    }

    /// The drag after its pointer moved; a stage unit is `scale` CSS pixels.
    pub fn moved_to(self, at: Point, scale: f64) -> Drag {
        Drag { at, moved: self.moved || self.from.distance(at) * scale > TAP, ..self }
    }

    /// The replica on which the leader badge would land.
    pub fn node(&self, layout: &Layout, view: &ViewModel) -> Option<NodeId> {
        let Dragged::LeaderBadge(from) = self.dragged else { return None };
        let over = view.nodes.get(layout.node_at(self.at)?)?;
        (self.moved && over.id != from && over.status.is_some()).then_some(over.id)
    }

    /// The site on which the replica would land.
    pub fn site(&self, layout: &Layout, view: &ViewModel) -> Option<usize> {
        let Dragged::Node(node) = self.dragged else { return None };
        let own = view.nodes.get(usize::from(node.0))?.site;
        layout.site_shape_at(self.at).filter(|site| self.moved && *site != own)
    }

    /// The replica that was tapped, if this was no drag.
    pub fn tapped(&self) -> Option<NodeId> {
        let (Dragged::LeaderBadge(node) | Dragged::Node(node)) = self.dragged;
        (!self.moved).then_some(node)
    }

    /// The action of a drop here; `None` when it lands nowhere.
    pub fn drop(&self, layout: &Layout, view: &ViewModel) -> Option<PageAction> {
        match self.dragged {
            Dragged::LeaderBadge(_) => Some(PageAction::Act(vec![Action::HandOver(self.node(layout, view)?)])),
            Dragged::Node(node) => {
                let site = self.site(layout, view)? as u8;
                Some(PageAction::Act(vec![Action::Move { node, site }]))
            }
        }
    }
}
