//! The stage: a map of sites, replicas and clients as SVG, under a canvas on which messages in flight are painted.

use super::drag::{Drag, Dragged};
use super::faults::Faults;
use super::gestures::{Grab, Handlers, Landing, Pointing};
use super::layout::{Layout, Window};
use super::link_conditions::LinkDrawings;
use super::measure::NODE_RADIUS;
use super::menu;
use super::painter::Painter;
use super::replica::{Interaction, leader_badge, replica};
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

    let dragging = use_touch_lock(&frame);
    // A tap opens the menu at its click event, not at pointer-up: the click would otherwise hit the open menu.
    let tapped = use_mut_ref(|| None::<NodeId>);
    let Handlers { grab, move_pointer, click, let_go, cancel } = faults.map_or_else(Handlers::default, |faults| {
        (faults.handlers)(Pointing {
            frame: frame.clone(),
            layout: layout.clone(),
            view: view.clone(),
            player: player.clone(),
            drag: drag.clone(),
            dragging,
            tapped,
            on: on.clone(),
        })
    });

    let held = drag.filter(|drag| drag.moved);
    let moves_badge = held.is_some_and(|drag| matches!(drag.dragged, Dragged::LeaderBadge(_)));
    let class = svg::classes("stage", &[("moves-crown", moves_badge)]);
    let Landing { site: site_target, node: node_target, action, picture } =
        faults.zip(held).map_or_else(Landing::default, |(faults, drag)| (faults.landing)(drag, &layout, view));
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
    let forecast = use_memo(action, |action| {
        action.zip(*faults).map(|(action, faults)| (faults.forecast)(player.borrow().engine.session(), action))
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
        replica(node, at, words, interaction, grab_handler(grab.as_ref(), Dragged::Node(node.id)), on)
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
                grab_handler(grab.as_ref(), Dragged::LeaderBadge(node.id)),
            )
        });
    let open = faults.zip(*menu).and_then(|(faults, target)| {
        let (at, room) = ((faults.anchor)(&layout, target)?, point(size.width, size.height));
        Some((faults.menu)(menu::Props {
            target,
            at,
            room,
            context: context.clone(),
            view: view.clone(),
            on: on.clone(),
        }))
    });
    let class = format!("{class}{}", if measure.terse() { " terse" } else { "" });
    let style = format!("--t: {}; --places: {}", text::decimal(measure.text), context.places.len());
    // Messages are painted between two pictures: above land and lines, below names, numbers and labels, which no dot covers. Each list in a
    // group of its own, so that a leader badge more or less does not change the elements of replicas.
    html! {
        <div {class} {style} ref={frame} onpointermove={move_pointer} onpointerup={let_go} onclick={click} onpointercancel={cancel}>
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
                <g>{ for picture }</g>
                { for refused.map(|why| svg::text("refused", point(layout.size.x / 2.0, 18.0 * measure.text), format!("Not possible: {why}"))) }
            </svg>
            { for open }
        </div>
    }
}

fn grab_handler(grab: Option<&Grab>, dragged: Dragged) -> Option<Callback<PointerEvent>> {
    grab.map(|grab| grab.reform(move |event| (dragged, event)))
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
