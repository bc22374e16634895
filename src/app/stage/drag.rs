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

    /// The replica on which the leader badge would land: the one under it or, over a place, the first there that runs.
    pub fn node(&self, layout: &Layout, view: &ViewModel) -> Option<NodeId> {
        let Dragged::LeaderBadge(from) = self.dragged else { return None };
        let at_place = || {
            let site = layout.site_shape_at(self.at)?;
            let others = || view.nodes.iter().filter(|node| node.site == site && node.id != from);
            others().find(|node| node.status.is_some()).or(others().next())
        };
        let over = layout.node_at(self.at).and_then(|index| view.nodes.get(index)).or_else(at_place)?;
        (self.moved && over.id != from).then_some(over.id)
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

    /// What a drop here does; `None` when it lands nowhere.
    pub fn action(&self, layout: &Layout, view: &ViewModel) -> Option<Action> {
        match self.dragged {
            Dragged::LeaderBadge(_) => Some(Action::HandOver(self.node(layout, view)?)),
            Dragged::Node(node) => Some(Action::Move { node, site: self.site(layout, view)? as u8 }),
        }
    }

    /// The page action of a drop here.
    pub fn drop(&self, layout: &Layout, view: &ViewModel) -> Option<PageAction> {
        self.action(layout, view).map(|action| PageAction::Act(vec![action]))
    }
}
