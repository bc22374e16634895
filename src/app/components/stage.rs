//! The stage: the map with all that stands on it, and the canvas with all that flies over it.

use super::client::client;
use super::crown::crown;
use super::drag::{Drag, Held};
use super::draw;
use super::links::Drawn;
use super::map_grid::map_grid;
use super::menu;
use super::replica::{self, Handling, replica};
use super::site_links;
use super::site_shape::{Look, site_shape};
use super::size::use_size;
use crate::page_action::{PageAction, Target};
use crate::run::view::{Crown, NodeView};
use crate::run::{RunContext, Shared, ViewModel};
use crate::stage::geometry::{Point, point};
use crate::stage::layout::{Layout, Place};
use crate::stage::painter::Painter;
use crate::stage::round;
use crate::web::browser;
use gloo::events::{EventListener, EventListenerOptions};
use quorumscope::core::NodeId;
use std::cell::Cell;
use std::rc::Rc;
use web_sys::{Element, HtmlCanvasElement};
use yew::prelude::*;

/// Where a leader's crown floats, above the middle of its circle.
const CROWN_ABOVE: f64 = 37.0;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub context: Rc<RunContext>,
    /// What it looks like now.
    pub view: Rc<ViewModel>,
    /// What has an open menu.
    pub menu: Option<Target>,
    /// Light or dark: the canvas paints with its colours.
    pub dark: bool,
    /// Where messages are painted.
    pub player: Shared,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

#[component]
pub fn Stage(props: &Props) -> Html {
    let Props { context, view, menu, dark, player, on } = props;
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
    let holding = use_finger(&frame);
    let grab = {
        let (frame, drag, at, holding) = (frame.clone(), drag.clone(), at.clone(), holding.clone());
        Callback::from(move |(held, event): (Held, PointerEvent)| {
            if event.button() != 0 {
                return;
            }
            event.stop_propagation();
            // From now on all that this pointer does comes to the frame, wherever it goes.
            if let Some(frame) = frame.cast::<Element>() {
                let _ = frame.set_pointer_capture(event.pointer_id());
            }
            holding.set(true);
            drag.set(Some(Drag::begin(held, event.pointer_id(), at(&event))));
        })
    };
    let onpointermove = {
        let (drag, scale) = (drag.clone(), layout.scale);
        Callback::from(move |event: PointerEvent| {
            if let Some(held) = drag.filter(|drag| drag.pointer == event.pointer_id()) {
                drag.set(Some(held.go(at(&event), scale)));
            }
        })
    };
    // A tap opens the menu when its click comes, not before: a click that came later would fall on what has opened.
    let tapped = use_mut_ref(|| None::<NodeId>);
    let onclick = {
        let (tapped, on) = (tapped.clone(), on.clone());
        Callback::from(move |_: MouseEvent| {
            let node = tapped.borrow_mut().take();
            node.into_iter().for_each(|node| on.emit(PageAction::Menu(Some(Target::Node(node)))));
        })
    };
    let onpointerup = {
        let (drag, layout, view, on, holding) =
            (drag.clone(), layout.clone(), view.clone(), on.clone(), holding.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some(held) = drag.filter(|drag| drag.pointer == event.pointer_id()) {
                drag.set(None);
                holding.set(false);
                *tapped.borrow_mut() = held.tapped();
                held.drop(&layout, &view).into_iter().for_each(|page_action| on.emit(page_action));
            }
        })
    };
    let let_go = {
        let drag = drag.clone();
        Callback::from(move |_: PointerEvent| {
            holding.set(false);
            drag.set(None);
        })
    };

    let held = drag.filter(|drag| drag.moved);
    let moves_crown = held.is_some_and(|drag| matches!(drag.held, Held::Crown(_)));
    let class = draw::classes("stage", &[("moves-crown", moves_crown)]);
    let site_target = held.and_then(|drag| drag.site(&layout, view));
    let node_target = held.and_then(|drag| drag.node(&layout, view));
    let faults = view.faults.filter(|_| view.links_faulty());
    let faulty = faults.map_or_else(Drawn::default, |faults| (faults.links)(&layout, context, view));
    let view_box = format!("0 0 {} {}", draw::number(layout.size.x), draw::number(layout.size.y));
    let site_shapes = layout.site_shapes.iter().enumerate().map(|(site, place)| {
        let look = Look {
            target: site_target == Some(site),
            partitioned: view.sites.get(site).is_some_and(|site| site.partitioned),
            open: *menu == Some(Target::Site(site)),
        };
        site_shape(context, site, place, look, on)
    });
    let asks = |index: usize| context.asks[index] || view.sites[index].latest.is_some();
    let clients = layout.site_shapes.iter().zip(&view.sites).enumerate();
    let clients =
        clients.filter(|(index, _)| asks(*index)).map(|(_, (site_shape, site))| client(site_shape.client, site));
    let replicas = stood(&layout, view).map(|(node, at)| {
        let handling = Handling {
            target: node_target == Some(node.id),
            held: held.is_some_and(|drag| drag.held == Held::Node(node.id)),
            open: *menu == Some(Target::Node(node.id)),
            faults: view.faults,
        };
        let words = (context.variant.card.epoch, context.names[node.site].as_str());
        replica(node, at, words, handling, hold(&grab, Held::Node(node.id)), on)
    });
    let crowns = stood(&layout, view).filter(|(node, _)| node.crown != Crown::None).map(|(node, at)| {
        let is_held = held.is_some_and(|drag| drag.held == Held::Crown(node.id));
        let class = match node.crown {
            _ if is_held => "crown held",
            Crown::Stale => "crown stale",
            _ => "crown",
        };
        crown(point(at.x, at.y - CROWN_ABOVE), class, Some(hold(&grab, Held::Crown(node.id))))
    });
    let open = view.faults.zip(menu.and_then(|target| {
        let (at, room) = (anchor(&layout, target)?, point(size.0, size.1));
        Some(menu::Props { target, at, room, context: context.clone(), view: view.clone(), on: on.clone() })
    }));
    // Each list in a group of its own: a crown more or less must not make a replica another element.
    html! {
        <div {class} ref={frame} {onpointermove} {onpointerup} {onclick} onpointercancel={let_go}>
            <svg viewBox={view_box} role="group" aria-label="The map: data centres, replicas and clients">
                { map_grid(layout.size) }
                { site_links::lines(&layout, view) }
                <g>{ for site_shapes }</g>
                { site_links::labels(&layout, context, view, *menu, on) }
                <g>{ for faulty.lines }</g>
                <g>{ for clients }</g>
                <g>{ for replicas }</g>
                <g>{ for crowns }</g>
                <g class="above">{ for faulty.signs }</g>
                <g>{ for held.and_then(|drag| ghost(drag, view)) }</g>
            </svg>
            <canvas ref={canvas} aria-hidden="true"></canvas>
            { for open.map(|(faults, of)| (faults.menu)(of)) }
        </div>
    }
}

fn hold(grab: &Callback<(Held, PointerEvent)>, held: Held) -> Callback<PointerEvent> {
    grab.reform(move |event| (held, event))
}

/// Where something with a menu is, CSS pixels.
fn anchor(layout: &Layout, target: Target) -> Option<Point> {
    let at = match target {
        Target::Node(id) => (*layout.nodes.get(usize::from(id.0))?)?,
        Target::Site(site) => layout.site_shapes.get(site)?.name,
        Target::SiteLink(a, b) => layout.site_links.iter().find(|site_link| site_link.between == (a, b))?.label?,
    };
    Some(point(at.x * layout.scale, at.y * layout.scale))
}

/// Replicas that are shown, and where.
fn stood<'a>(layout: &'a Layout, view: &'a ViewModel) -> impl Iterator<Item = (&'a NodeView, Point)> {
    view.nodes.iter().zip(&layout.nodes).filter_map(|(node, at)| Some((node, (*at)?)))
}

/// What is dragged, under the pointer.
fn ghost(drag: Drag, view: &ViewModel) -> Option<Html> {
    match drag.held {
        // Above the pointer, so that one sees where it will land.
        Held::Crown(_) => Some(crown(point(drag.at.x, drag.at.y - CROWN_ABOVE), "crown", None)),
        Held::Node(id) => Some(replica::ghost(view.nodes.get(usize::from(id.0))?, drag.at)),
    }
}

/// Keeps a finger that holds something from scrolling the page: browsers do not heed `touch-action` within SVG. The cell tells
/// whether something is held.
#[hook]
fn use_finger(frame: &NodeRef) -> Rc<Cell<bool>> {
    let holding = use_memo((), |()| Cell::new(false));
    {
        let (holding, frame) = (holding.clone(), frame.clone());
        use_effect_with((), move |()| {
            let listener = frame.cast::<Element>().map(|frame| {
                let active = EventListenerOptions::enable_prevent_default();
                EventListener::new_with_options(&frame, "touchmove", active, move |event| {
                    if holding.get() {
                        event.prevent_default();
                    }
                })
            });
            move || drop(listener)
        });
    }
    holding
}

/// Lays the stage out again whenever its size changes, or who lives where.
#[hook]
fn use_layout(context: &Rc<RunContext>, view: &Rc<ViewModel>, size: (f64, f64)) -> Rc<Layout> {
    // A replica that has left the cluster and is down is gone.
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
                let [latitude, longitude] = place.position.unwrap_or_else(|| round::seat(site, sites));
                let nodes = (0..homes.len()).filter(|&node| homes[node] == Some(site)).collect();
                Place { name: place.name.clone(), latitude, longitude, nodes }
            })
            .collect();
        Layout::new(&places, homes.len(), *width, *height)
    })
}
