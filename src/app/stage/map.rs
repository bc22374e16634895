//! The stage: a map of sites, replicas and clients as SVG, under a canvas on which messages in flight are painted.

use super::drag::{Drag, Dragged};
use super::faults::Faults;
use super::layout::Layout;
use super::link_conditions::LinkDrawings;
use super::menu;
use super::painter::Painter;
use super::replica::{self, Interaction, leader_badge, replica};
use super::site::{SiteState, client, map_grid, site_shape};
use super::site_links;
use super::site_placement::{self, Place};
use crate::elements::geometry::{Point, point};
use crate::elements::svg;
use crate::page_action::{PageAction, Target};
use crate::run::context::RunContext;
use crate::run::player::Shared;
use crate::run::view_model::{Leadership, NodeView, ViewModel};
use crate::web::browser;
use gloo::events::{EventListener, EventListenerOptions};
use quorumscope::core::NodeId;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlCanvasElement, ResizeObserver};
use yew::prelude::*;

/// Distance from the middle of a replica up to its leader badge.
const BADGE_ABOVE: f64 = 37.0;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub context: Rc<RunContext>,
    /// The run at this moment.
    pub view: Rc<ViewModel>,
    /// What draws fault conditions and menus, once it is loaded.
    pub faults: Option<&'static Faults>,
    /// The target whose menu is open.
    pub menu: Option<Target>,
    /// Dark theme: the canvas paints with its colours.
    pub dark: bool,
    /// The player, which paints messages.
    pub player: Shared,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

#[component]
pub fn Stage(props: &Props) -> Html {
    let Props { context, view, menu, dark, faults, player, on } = props;
    let frame = use_node_ref();
    let canvas = use_node_ref();
    let size = use_size(&frame);
    let layout = use_layout(context, view, size);
    let drag = use_state_eq(|| None::<Drag>);

    use_effect_with((player.clone(), layout.clone()), |(player, layout)| {
        player.borrow_mut().set_layout(layout.clone())
    });
    {
        let (canvas, kinds) = (canvas.clone(), context.variant.kinds);
        use_effect_with((player.clone(), *dark, context.variant.card.key), move |(player, ..)| {
            let ratio = browser::window().device_pixel_ratio();
            let painter = canvas.cast::<HtmlCanvasElement>().and_then(|canvas| Painter::new(canvas, kinds, ratio));
            player.borrow_mut().set_painter(painter);
        });
    }

    let at = {
        let (frame, scale) = (frame.clone(), layout.scale);
        move |event: &PointerEvent| -> Point {
            let rect = frame.cast::<Element>().map(|frame| frame.get_bounding_client_rect());
            let (left, top) = rect.map_or((0.0, 0.0), |rect| (rect.left(), rect.top()));
            point((f64::from(event.client_x()) - left) / scale, (f64::from(event.client_y()) - top) / scale)
        }
    };
    let dragging = use_touch_lock(&frame);
    let grab = {
        let (frame, drag, at, dragging) = (frame.clone(), drag.clone(), at.clone(), dragging.clone());
        Callback::from(move |(dragged, event): (Dragged, PointerEvent)| {
            if event.button() != 0 {
                return;
            }
            event.stop_propagation();
            // From now on the frame gets all events of this pointer, wherever it goes.
            if let Some(frame) = frame.cast::<Element>() {
                let _ = frame.set_pointer_capture(event.pointer_id());
            }
            dragging.set(true);
            drag.set(Some(Drag::begin(dragged, event.pointer_id(), at(&event))));
        })
    };
    let onpointermove = {
        let (drag, scale) = (drag.clone(), layout.scale);
        Callback::from(move |event: PointerEvent| {
            if let Some(held) = drag.filter(|drag| drag.pointer == event.pointer_id()) {
                drag.set(Some(held.moved_to(at(&event), scale)));
            }
        })
    };
    // A tap opens the menu at its click event, not at pointer-up: the click would otherwise hit the open menu.
    let tapped = use_mut_ref(|| None::<NodeId>);
    let onclick = {
        let (tapped, on) = (tapped.clone(), on.clone());
        Callback::from(move |_: MouseEvent| {
            let node = tapped.borrow_mut().take();
            node.into_iter().for_each(|node| on.emit(PageAction::Menu(Some(Target::Node(node)))));
        })
    };
    let onpointerup = {
        let (drag, layout, view, on, dragging) =
            (drag.clone(), layout.clone(), view.clone(), on.clone(), dragging.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some(held) = drag.filter(|drag| drag.pointer == event.pointer_id()) {
                drag.set(None);
                dragging.set(false);
                *tapped.borrow_mut() = held.tapped();
                held.drop(&layout, &view).into_iter().for_each(|page_action| on.emit(page_action));
            }
        })
    };
    let on_cancel = {
        let drag = drag.clone();
        Callback::from(move |_: PointerEvent| {
            dragging.set(false);
            drag.set(None);
        })
    };

    let held = drag.filter(|drag| drag.moved);
    let moves_badge = held.is_some_and(|drag| matches!(drag.dragged, Dragged::LeaderBadge(_)));
    let class = svg::classes("stage", &[("moves-crown", moves_badge)]);
    let site_target = held.and_then(|drag| drag.site(&layout, view));
    let node_target = held.and_then(|drag| drag.node(&layout, view));
    let drawing = faults.filter(|_| view.links_faulty());
    let conditions = drawing.map_or_else(LinkDrawings::default, |faults| (faults.links)(&layout, context, view));
    let view_box = format!("0 0 {} {}", svg::number(layout.size.x), svg::number(layout.size.y));
    let site_shapes = layout.site_shapes.iter().enumerate().map(|(site, place)| {
        let state = SiteState {
            target: site_target == Some(site),
            partitioned: view.sites.get(site).is_some_and(|site| site.partitioned),
            open: *menu == Some(Target::Site(site)),
        };
        site_shape(context, site, place, state, on)
    });
    let drop = held.and_then(|drag| drag.action(&layout, view));
    let forecast = use_memo((drop, faults.is_some()), |(drop, _)| {
        drop.zip(*faults).map(|(action, faults)| (faults.forecast)(player.borrow().engine.session(), action))
    });
    let expected = |site: usize| forecast.as_ref().as_ref()?.as_ref().ok()?.get(site).copied();
    let refused = forecast.as_ref().as_ref().and_then(|forecast| forecast.as_ref().err());
    let asks = |index: usize| context.asks[index] || view.sites[index].latest.is_some();
    let clients = layout.site_shapes.iter().zip(&view.sites).enumerate();
    let clients = clients
        .filter(|(index, _)| asks(*index))
        .map(|(index, (site_shape, site))| client(site_shape.client, site, expected(index)));
    let replicas = placed_replicas(&layout, view).map(|(node, at)| {
        let interaction = Interaction {
            target: node_target == Some(node.id),
            held: held.is_some_and(|drag| drag.dragged == Dragged::Node(node.id)),
            open: *menu == Some(Target::Node(node.id)),
            faults: *faults,
            changed: view.last.as_ref().filter(|last| last.node == Some(node.id)).map(|_| view.events),
            violates: view.violation.as_ref().is_some_and(|violation| violation.nodes.has(node.id)),
        };
        let words = (context.variant.card.epoch, context.names[node.site].as_str());
        replica(node, at, words, interaction, grab_handler(&grab, Dragged::Node(node.id)), on)
    });
    let badges =
        placed_replicas(&layout, view).filter(|(node, _)| node.leadership != Leadership::None).map(|(node, at)| {
            let is_held = held.is_some_and(|drag| drag.dragged == Dragged::LeaderBadge(node.id));
            let class = match node.leadership {
                _ if is_held => "crown held",
                Leadership::Stale => "crown stale",
                _ => "crown",
            };
            leader_badge(
                point(at.x, at.y - BADGE_ABOVE),
                class,
                Some(grab_handler(&grab, Dragged::LeaderBadge(node.id))),
            )
        });
    let open = faults.zip(menu.and_then(|target| {
        let (at, room) = (anchor(&layout, target)?, point(size.0, size.1));
        Some(menu::Props { target, at, room, context: context.clone(), view: view.clone(), on: on.clone() })
    }));
    // Each list in a group of its own, so that a leader badge more or less does not change the elements of replicas.
    html! {
        <div {class} ref={frame} {onpointermove} {onpointerup} {onclick} onpointercancel={on_cancel}>
            <svg viewBox={view_box} role="group" aria-label="The map: data centres, replicas and clients">
                { map_grid(layout.size) }
                { site_links::lines(&layout, view, *faults) }
                <g>{ for site_shapes }</g>
                { site_links::labels(&layout, context, view, (*menu, *faults), on) }
                <g>{ for conditions.lines }</g>
                <g>{ for clients }</g>
                <g>{ for replicas }</g>
                <g>{ for badges }</g>
                <g class="above">{ for conditions.labels }</g>
                <g>{ for held.and_then(|drag| ghost(drag, view)) }</g>
                { for refused.map(|why| svg::text("refused", point(layout.size.x / 2.0, 18.0), format!("Not possible: {why}"))) }
            </svg>
            <canvas ref={canvas} aria-hidden="true"></canvas>
            { for open.map(|(faults, of)| (faults.menu)(of)) }
        </div>
    }
}

fn grab_handler(grab: &Callback<(Dragged, PointerEvent)>, dragged: Dragged) -> Callback<PointerEvent> {
    grab.reform(move |event| (dragged, event))
}

/// Position of a menu's target, CSS pixels.
fn anchor(layout: &Layout, target: Target) -> Option<Point> {
    let at = match target {
        Target::Node(id) => (*layout.nodes.get(usize::from(id.0))?)?,
        Target::Site(site) => layout.site_shapes.get(site)?.name,
        Target::SiteLink(a, b) => layout.site_links.iter().find(|site_link| site_link.between == (a, b))?.label?,
    };
    Some(point(at.x * layout.scale, at.y * layout.scale))
}

/// The replicas that are shown, with their positions.
fn placed_replicas<'a>(layout: &'a Layout, view: &'a ViewModel) -> impl Iterator<Item = (&'a NodeView, Point)> {
    view.nodes.iter().zip(&layout.nodes).filter_map(|(node, at)| Some((node, (*at)?)))
}

/// The picture of what is dragged, at the pointer.
fn ghost(drag: Drag, view: &ViewModel) -> Option<Html> {
    match drag.dragged {
        // Above the pointer, so that the drop target stays visible.
        Dragged::LeaderBadge(_) => Some(leader_badge(point(drag.at.x, drag.at.y - BADGE_ABOVE), "crown", None)),
        Dragged::Node(id) => Some(replica::ghost(view.nodes.get(usize::from(id.0))?, drag.at)),
    }
}

/// Keeps a touch that drags something from scrolling the page, as browsers ignore `touch-action` within SVG. The cell holds whether
/// something is dragged.
#[hook]
fn use_touch_lock(frame: &NodeRef) -> Rc<Cell<bool>> {
    let dragging = use_memo((), |()| Cell::new(false));
    {
        let (dragging, frame) = (dragging.clone(), frame.clone());
        use_effect_with((), move |()| {
            let listener = frame.cast::<Element>().map(|frame| {
                let active = EventListenerOptions::enable_prevent_default();
                EventListener::new_with_options(&frame, "touchmove", active, move |event| {
                    if dragging.get() {
                        event.prevent_default();
                    }
                })
            });
            move || drop(listener)
        });
    }
    dragging
}

/// The layout of the stage, computed again when its size or the sites of replicas change.
#[hook]
fn use_layout(context: &Rc<RunContext>, view: &Rc<ViewModel>, size: (f64, f64)) -> Rc<Layout> {
    // A replica that has left the cluster and is down is not shown.
    let homes: Vec<Option<usize>> =
        view.nodes.iter().map(|node| (node.member || node.status.is_some()).then_some(node.site)).collect();
    use_memo((context.clone(), homes, size), |(context, homes, (width, height))| {
        if *width <= 0.0 || *height <= 0.0 {
            return Layout::default();
        }
        let sites = context.places.len();
        let places: Vec<Place> = context
            .places
            .iter()
            .enumerate()
            .map(|(site, place)| {
                let [latitude, longitude] = place.position.unwrap_or_else(|| site_placement::seat(site, sites));
                let nodes = (0..homes.len()).filter(|&node| homes[node] == Some(site)).collect();
                Place { name: place.name.clone(), latitude, longitude, nodes }
            })
            .collect();
        Layout::new(&places, homes.len(), *width, *height)
    })
}

/// Width and height of an element, CSS pixels; 0 until it is measured.
#[hook]
fn use_size(node: &NodeRef) -> (f64, f64) {
    let size = use_state_eq(|| (0.0, 0.0));
    {
        let (size, node) = (size.clone(), node.clone());
        use_effect_with((), move |()| {
            let element = node.cast::<Element>();
            let measure = element.clone().map(|element| {
                Closure::<dyn Fn()>::new(move || {
                    let rect = element.get_bounding_client_rect();
                    size.set((rect.width().round(), rect.height().round()));
                })
            });
            let observer =
                measure.as_ref().and_then(|measure| ResizeObserver::new(measure.as_ref().unchecked_ref()).ok());
            if let (Some(observer), Some(element)) = (&observer, &element) {
                observer.observe(element);
            }
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                drop(measure);
            }
        });
    }
    *size
}
