//! The stage: a map of sites, replicas and clients as SVG, under a canvas on which messages in flight are painted.

use super::drag::{Drag, Dragged};
use super::faults::Faults;
use super::layout::{Layout, Window};
use super::link_conditions::LinkDrawings;
use super::measure::NODE_RADIUS;
use super::menu;
use super::painter::Painter;
use super::replica::{self, Interaction, leader_badge, replica};
use super::site::{SiteState, client, land, map_grid, site_name};
use super::site_links;
use super::site_placement::{self, Place};
use crate::elements::geometry::{Point, point};
use crate::elements::svg;
use crate::elements::text;
use crate::page_action::{PageAction, Selected, Target};
use crate::run::context::RunContext;
use crate::run::player::Shared;
use crate::run::view_model::{Leadership, NodeView, ViewModel};
use crate::web::{browser, room};
use gloo::events::{EventListener, EventListenerOptions};
use quorumscope::core::NodeId;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlCanvasElement, ResizeObserver};
use yew::prelude::*;

/// What is dragged keeps this distance from the stage's edges.
const EDGE: f64 = NODE_RADIUS + 4.0;
/// Dots grow with the stage, up to this factor, in steps: their sprites are drawn anew for each.
const LARGEST_DOT: f64 = 1.3;
const DOT_STEPS: f64 = 20.0;

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
    /// What is selected.
    pub selected: Option<Selected>,
    /// Dark theme: the canvas paints with its colours.
    pub dark: bool,
    /// The player, which paints messages.
    pub player: Shared,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

#[component]
pub fn Stage(props: &Props) -> Html {
    let Props { context, view, menu, selected, dark, faults, player, on } = props;
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
        let dot = (layout.scale.clamp(1.0, LARGEST_DOT) * DOT_STEPS).round() / DOT_STEPS;
        use_effect_with((player.clone(), *dark, context.variant.card.key, dot), move |(player, _, _, dot)| {
            let ratio = browser::window().device_pixel_ratio();
            let painter = canvas.cast::<HtmlCanvasElement>();
            let painter = painter.and_then(|canvas| Painter::new(canvas, kinds, ratio, *dot));
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
        let (drag, scale, frame, player) = (drag.clone(), layout.scale, frame.clone(), player.clone());
        let at = at.clone();
        Callback::from(move |event: PointerEvent| {
            if drag.is_none()
                && let Some(frame) = frame.cast::<Element>()
            {
                point_out(&frame, &player, pixels(at(&event), scale));
            }
            if let Some(held) = drag.filter(|drag| drag.pointer == event.pointer_id()) {
                drag.set(Some(held.moved_to(at(&event), scale)));
            }
        })
    };
    // A tap opens the menu at its click event, not at pointer-up: the click would otherwise hit the open menu.
    let tapped = use_mut_ref(|| None::<NodeId>);
    let onclick = {
        let (tapped, on, player, frame) = (tapped.clone(), on.clone(), player.clone(), frame.clone());
        Callback::from(move |event: MouseEvent| {
            if let Some(node) = tapped.borrow_mut().take() {
                return on.emit(PageAction::Menu(Some(Target::Node(node))));
            }
            let on_button =
                event.target_dyn_into::<Element>().and_then(|it| it.closest("[data-target], .menu, .veil").ok()?);
            if on_button.is_some() {
                return;
            }
            let rect = frame.cast::<Element>().map(|frame| frame.get_bounding_client_rect());
            let (left, top) = rect.map_or((0.0, 0.0), |rect| (rect.left(), rect.top()));
            let at = point(f64::from(event.client_x()) - left, f64::from(event.client_y()) - top);
            let hit =
                player.borrow().flight_at(at).map(|flight| Selected::Message { id: flight.id, from: flight.from });
            if hit.is_some() {
                on.emit(PageAction::Select(hit));
            }
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
    let state = |site: usize| SiteState {
        target: site_target == Some(site),
        partitioned: view.sites.get(site).is_some_and(|site| site.partitioned),
        open: *menu == Some(Target::Site(site)),
    };
    let measure = layout.measure;
    let places = || layout.site_shapes.iter().enumerate();
    let lands = places().map(|(site, place)| land(place, state(site)));
    let names = places().map(|(site, place)| site_name(context, site, (place, measure), state(site), on));
    let discs = placed_replicas(&layout, view).map(|(node, at)| {
        let is_held = held.is_some_and(|drag| drag.dragged == Dragged::Node(node.id));
        disc(at, node.status.is_some() && !is_held)
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
        .map(|(index, (site_shape, site))| client(site_shape.client, site, measure, expected(index)));
    let replicas = placed_replicas(&layout, view).map(|(node, at)| {
        let interaction = Interaction {
            target: node_target == Some(node.id),
            held: held.is_some_and(|drag| drag.dragged == Dragged::Node(node.id)),
            open: *menu == Some(Target::Node(node.id)),
            faults: *faults,
            measure,
            selected: selected.and_then(Selected::node) == Some(node.id),
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
                point(at.x, at.y - measure.badge()),
                class,
                Some(grab_handler(&grab, Dragged::LeaderBadge(node.id))),
            )
        });
    let open = faults.zip(menu.and_then(|target| {
        let (at, room) = (anchor(&layout, target)?, point(size.width, size.height));
        Some(menu::Props { target, at, room, context: context.clone(), view: view.clone(), on: on.clone() })
    }));
    let class = format!("{class}{}", if measure.terse() { " terse" } else { "" });
    let style = format!("--t: {}; --places: {}", text::decimal(measure.text), context.places.len());
    // Messages are painted between two pictures: above land and lines, below names, numbers and labels, which no dot covers. Each list in a
    // group of its own, so that a leader badge more or less does not change the elements of replicas.
    html! {
        <div {class} {style} ref={frame} {onpointermove} {onpointerup} {onclick} onpointercancel={on_cancel}>
            <svg viewBox={view_box.clone()} aria-hidden="true">
                { map_grid(layout.size) }
                <g>{ for lands }</g>
                { site_links::lines(&layout, view, *faults) }
                <g>{ for conditions.lines }</g>
                <g>{ for discs }</g>
            </svg>
            <canvas ref={canvas} aria-hidden="true"></canvas>
            <svg viewBox={view_box} role="group" aria-label="The map: data centres, replicas and clients">
                <g>{ for names }</g>
                { site_links::labels(&layout, context, view, (*menu, *faults), on) }
                <g>{ for clients }</g>
                <g>{ for replicas }</g>
                <g>{ for badges }</g>
                <g class="above">{ for conditions.labels }</g>
                <g>{ for held.and_then(|drag| ghost(drag, view, &layout)) }</g>
                { for refused.map(|why| svg::text("refused", point(layout.size.x / 2.0, 18.0 * measure.text), format!("Not possible: {why}"))) }
            </svg>
            { for open.map(|(faults, of)| (faults.menu)(of)) }
        </div>
    }
}

/// A point of the stage in CSS pixels.
fn pixels(at: Point, scale: f64) -> Point {
    point(at.x * scale, at.y * scale)
}

/// Shows what message is under the pointer: by the pointer's shape, and in a tooltip.
fn point_out(frame: &Element, player: &Shared, at: Point) {
    let player = player.borrow();
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

/// The surface of a replica, under what is painted on it: timer and messages.
fn disc(at: Point, solid: bool) -> Html {
    let style = format!("transform: translate({}px, {}px)", svg::number(at.x), svg::number(at.y));
    let class = if solid { "seat" } else { "seat hollow" };
    svg::element("g", &["class", "style"], vec![class.into(), style.into()], vec![svg::circle("", NODE_RADIUS)])
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

/// The layout of the stage, computed again when its size or the sites of replicas change. Within a run, what can stay where it was does.
#[hook]
fn use_layout(context: &Rc<RunContext>, view: &Rc<ViewModel>, size: Window) -> Rc<Layout> {
    // A replica that has left the cluster and is down is not shown.
    let homes: Vec<Option<usize>> =
        view.nodes.iter().map(|node| (node.member || node.status.is_some()).then_some(node.site)).collect();
    let latest = use_mut_ref(|| None::<(Rc<RunContext>, Rc<Layout>)>);
    let layout = use_memo((context.clone(), homes, size), |(context, homes, window)| {
        if window.width <= 0.0 || window.height <= 0.0 {
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
        let latest = latest.borrow();
        let before = latest.as_ref().filter(|(of, _)| of == context).map(|(_, layout)| &**layout);
        Layout::new(&places, homes.len(), *window, before)
    });
    *latest.borrow_mut() = Some((context.clone(), layout.clone()));
    layout
}

/// Width and height of an element, CSS pixels, 0 until it is measured; and the size of its letters.
#[hook]
fn use_size(node: &NodeRef) -> Window {
    let size = use_state_eq(Window::default);
    {
        let (size, node) = (size.clone(), node.clone());
        use_effect_with((), move |()| {
            let element = node.cast::<Element>();
            let measure = element.clone().map(|element| {
                Closure::<dyn Fn()>::new(move || {
                    let rect = element.get_bounding_client_rect();
                    room::classify();
                    let font = room::letters(&element) / room::USUAL;
                    size.set(Window { width: rect.width().round(), height: rect.height().round(), font });
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
