//! What a pointer does on the stage: taking hold of replicas and leader badges, dragging, dropping, tapping, and pointing at messages.
//! It comes in the chunk for [`faults`](super::faults).

use super::drag::{Drag, Dragged};
use super::layout::Layout;
use super::measure::NODE_RADIUS;
use super::replica::{self, leader_badge};
use crate::elements::geometry::{Point, point};
use crate::page_action::{PageAction, Selected, Target};
use crate::run::player::Shared;
use crate::run::view_model::ViewModel;
use quorumscope::core::NodeId;
use quorumscope::sim::Action;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use web_sys::Element;
use yew::prelude::*;

/// What is dragged keeps this distance from the stage's edges.
const EDGE: f64 = NODE_RADIUS + 4.0;

/// Begins a drag.
pub type Grab = Callback<(Dragged, PointerEvent)>;

/// What handlers act on.
#[derive(Clone)]
pub struct Pointing {
    /// The stage's element.
    pub frame: NodeRef,
    /// Where everything is.
    pub layout: Rc<Layout>,
    /// The run at this moment.
    pub view: Rc<ViewModel>,
    /// The player, which knows where messages are.
    pub player: Shared,
    /// The drag under way.
    pub drag: UseStateHandle<Option<Drag>>,
    /// Whether something is dragged, for the listener that keeps touches from scrolling.
    pub dragging: Rc<Cell<bool>>,
    /// The replica that was tapped, until its click comes.
    pub tapped: Rc<RefCell<Option<NodeId>>>,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

/// Handlers of the stage's element, and of what can be dragged; none before this chunk is there.
#[derive(Default)]
pub struct Handlers {
    /// Of what can be dragged, when a pointer is pressed there.
    pub grab: Option<Grab>,
    /// When a pointer moves.
    pub move_pointer: Option<Callback<PointerEvent>>,
    /// At a click.
    pub click: Option<Callback<MouseEvent>>,
    /// When a pointer is let go.
    pub let_go: Option<Callback<PointerEvent>>,
    /// When the browser takes a pointer for itself.
    pub cancel: Option<Callback<PointerEvent>>,
}

/// What letting go would do now.
#[derive(Default)]
pub struct Landing {
    /// The site on which it would land.
    pub site: Option<usize>,
    /// The replica on which it would land.
    pub node: Option<NodeId>,
    /// The action, if it lands anywhere.
    pub action: Option<Action>,
    /// The picture of what is dragged, at the pointer.
    pub picture: Option<Html>,
}

/// What letting go of this drag would do.
pub fn landing(drag: Drag, layout: &Layout, view: &ViewModel) -> Landing {
    Landing {
        site: drag.site(layout, view),
        node: drag.node(layout, view),
        action: drag.action(layout, view),
        picture: ghost(drag, view, layout),
    }
}

/// The handlers.
pub fn handlers(pointing: Pointing) -> Handlers {
    let with = |handle: fn(&Pointing, &PointerEvent)| {
        let pointing = pointing.clone();
        Some(Callback::from(move |event: PointerEvent| handle(&pointing, &event)))
    };
    let (move_pointer, let_go, cancel) = (with(Pointing::move_to), with(Pointing::let_go), with(Pointing::cancel));
    let clicked = pointing.clone();
    Handlers {
        move_pointer,
        click: Some(Callback::from(move |event: MouseEvent| clicked.click(&event))),
        let_go,
        cancel,
        grab: Some(Callback::from(move |(dragged, event): (Dragged, PointerEvent)| pointing.grab(dragged, &event))),
    }
}

impl Pointing {
    /// The position of an event, in CSS pixels from the corner of the stage.
    fn pixels(&self, event: &MouseEvent) -> Point {
        let rect = self.frame.cast::<Element>().map(|frame| frame.get_bounding_client_rect());
        let (left, top) = rect.map_or((0.0, 0.0), |rect| (rect.left(), rect.top()));
        point(f64::from(event.client_x()) - left, f64::from(event.client_y()) - top)
    }

    /// The position of an event, on the stage.
    fn at(&self, event: &MouseEvent) -> Point {
        let Point { x, y } = self.pixels(event);
        point(x / self.layout.scale, y / self.layout.scale)
    }

    /// The drag of this event's pointer.
    fn held(&self, event: &PointerEvent) -> Option<Drag> {
        self.drag.filter(|drag| drag.pointer == event.pointer_id())
    }

    fn grab(&self, dragged: Dragged, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        event.stop_propagation();
        // From now on the frame gets all events of this pointer, wherever it goes.
        if let Some(frame) = self.frame.cast::<Element>() {
            let _ = frame.set_pointer_capture(event.pointer_id());
        }
        self.dragging.set(true);
        self.drag.set(Some(Drag::begin(dragged, event.pointer_id(), self.at(event))));
    }

    fn move_to(&self, event: &PointerEvent) {
        if self.drag.is_none() {
            self.point_out(self.pixels(event));
        }
        if let Some(held) = self.held(event) {
            self.drag.set(Some(held.moved_to(self.at(event), self.layout.scale)));
        }
    }

    fn click(&self, event: &MouseEvent) {
        if let Some(node) = self.tapped.borrow_mut().take() {
            return self.on.emit(PageAction::Menu(Some(Target::Node(node))));
        }
        let on_button =
            event.target_dyn_into::<Element>().and_then(|it| it.closest("[data-target], .menu, .veil").ok()?);
        if on_button.is_some() {
            return;
        }
        let hit = self.player.borrow().flight_at(self.pixels(event)).map(|flight| (flight.id, flight.from));
        if let Some((id, from)) = hit {
            self.on.emit(PageAction::Select(Some(Selected::Message { id, from })));
        }
    }

    fn let_go(&self, event: &PointerEvent) {
        if let Some(held) = self.held(event) {
            self.cancel(event);
            *self.tapped.borrow_mut() = held.tapped();
            held.drop(&self.layout, &self.view).into_iter().for_each(|page_action| self.on.emit(page_action));
        }
    }

    fn cancel(&self, _: &PointerEvent) {
        self.dragging.set(false);
        self.drag.set(None);
    }

    /// Shows what message is under the pointer: by the pointer's shape, and in a tooltip.
    fn point_out(&self, at: Point) {
        let Some(frame) = self.frame.cast::<Element>() else { return };
        let player = self.player.borrow();
        let kinds = player.engine.session().checked().variant.kinds;
        let name = player.flight_at(at).map(|flight| match flight.kind {
            Some(kind) => kinds[usize::from(kind.0)].name,
            None if flight.reply.is_some() => "Answer to a client",
            None => "A client's request",
        });
        match name {
            Some(name) => {
                let _ = frame.set_attribute("title", name);
            }
            None => {
                let _ = frame.remove_attribute("title");
            }
        }
        let _ = frame.class_list().toggle_with_force("on-message", name.is_some());
    }
}

/// Position of a menu's target, CSS pixels.
pub fn anchor(layout: &Layout, target: Target) -> Option<Point> {
    let at = match target {
        Target::Node(id) => (*layout.nodes.get(usize::from(id.0))?)?,
        Target::Site(site) => layout.site_shapes.get(site)?.name,
        Target::SiteLink(a, b) => layout.site_links.iter().find(|site_link| site_link.between == (a, b))?.label?,
    };
    Some(point(at.x * layout.scale, at.y * layout.scale))
}

/// The picture of what is dragged, at the pointer, or as near to it as the stage reaches.
fn ghost(drag: Drag, view: &ViewModel, layout: &Layout) -> Option<Html> {
    let above = if let Dragged::LeaderBadge(_) = drag.dragged { layout.measure.badge() } else { 0.0 };
    let within = |value: f64, size: f64| value.clamp(EDGE, (size - EDGE).max(EDGE));
    // A badge is above the pointer, so that what it would land on stays visible.
    let at = point(within(drag.at.x, layout.size.x), within(drag.at.y - above, layout.size.y));
    match drag.dragged {
        Dragged::LeaderBadge(_) => Some(leader_badge(at, "crown", None)),
        Dragged::Node(id) => Some(replica::ghost(view.nodes.get(usize::from(id.0))?, at)),
    }
}
