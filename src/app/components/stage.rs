//! The stage: the map with all that stands on it, and the canvas with all that flies over it.

use super::client::client;
use super::crown::crown;
use super::drag::{Drag, Held};
use super::draw;
use super::graticule::graticule;
use super::island::{Look, island};
use super::lanes;
use super::links::Drawn;
use super::menu;
use super::replica::{self, Handling, replica};
use super::size::use_size;
use crate::intent::{Intent, Target};
use crate::run::shown::{Crown, NodeShown};
use crate::run::{Ground, Shared, Shown};
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
    pub ground: Rc<Ground>,
    /// What it looks like now.
    pub shown: Rc<Shown>,
    /// What has an open menu.
    pub menu: Option<Target>,
    /// Light or dark: the canvas paints with its colours.
    pub dark: bool,
    /// Where messages are painted.
    pub film: Shared,
    /// What is wanted.
    pub on: Callback<Intent>,
}

#[component]
pub fn Stage(props: &Props) -> Html {
    let Props { ground, shown, menu, dark, film, on } = props;
    let frame = use_node_ref();
    let canvas = use_node_ref();
    let size = use_size(&frame);
    let layout = use_layout(ground, shown, size);
    let drag = use_state_eq(|| None::<Drag>);

    use_effect_with((film.clone(), layout.clone()), |(film, layout)| film.borrow_mut().set_layout(layout.clone()));
    {
        let (canvas, kinds) = (canvas.clone(), ground.variant.kinds);
        use_effect_with((film.clone(), *dark, ground.variant.card.key), move |(film, ..)| {
            let ratio = browser::window().device_pixel_ratio();
            let painter = canvas.cast::<HtmlCanvasElement>().and_then(|canvas| Painter::new(canvas, kinds, ratio));
            film.borrow_mut().set_painter(painter);
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
            node.into_iter().for_each(|node| on.emit(Intent::Menu(Some(Target::Node(node)))));
        })
    };
    let onpointerup = {
        let (drag, layout, shown, on, holding) =
            (drag.clone(), layout.clone(), shown.clone(), on.clone(), holding.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some(held) = drag.filter(|drag| drag.pointer == event.pointer_id()) {
                drag.set(None);
                holding.set(false);
                *tapped.borrow_mut() = held.tapped();
                held.drop(&layout, &shown).into_iter().for_each(|intent| on.emit(intent));
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
    let site_target = held.and_then(|drag| drag.site(&layout, shown));
    let node_target = held.and_then(|drag| drag.node(&layout, shown));
    let faults = shown.faults.filter(|_| shown.links_troubled());
    let troubled = faults.map_or_else(Drawn::default, |faults| (faults.links)(&layout, ground, shown));
    let view_box = format!("0 0 {} {}", draw::number(layout.size.x), draw::number(layout.size.y));
    let islands = layout.islands.iter().enumerate().map(|(site, place)| {
        let look = Look {
            target: site_target == Some(site),
            cut_off: shown.sites.get(site).is_some_and(|site| site.cut_off),
            open: *menu == Some(Target::Site(site)),
        };
        island(ground, site, place, look, on)
    });
    let asks = |index: usize| ground.asks[index] || shown.sites[index].latest.is_some();
    let clients = layout.islands.iter().zip(&shown.sites).enumerate();
    let clients = clients.filter(|(index, _)| asks(*index)).map(|(_, (island, site))| client(island.client, site));
    let replicas = stood(&layout, shown).map(|(node, at)| {
        let handling = Handling {
            target: node_target == Some(node.id),
            held: held.is_some_and(|drag| drag.held == Held::Node(node.id)),
            open: *menu == Some(Target::Node(node.id)),
            faults: shown.faults,
        };
        let words = (ground.variant.card.epoch, ground.names[node.site].as_str());
        replica(node, at, words, handling, hold(&grab, Held::Node(node.id)), on)
    });
    let crowns = stood(&layout, shown).filter(|(node, _)| node.crown != Crown::None).map(|(node, at)| {
        let is_held = held.is_some_and(|drag| drag.held == Held::Crown(node.id));
        let class = match node.crown {
            _ if is_held => "crown held",
            Crown::Stale => "crown stale",
            _ => "crown",
        };
        crown(point(at.x, at.y - CROWN_ABOVE), class, Some(hold(&grab, Held::Crown(node.id))))
    });
    let open = shown.faults.zip(menu.and_then(|target| {
        let (at, room) = (anchor(&layout, target)?, point(size.0, size.1));
        Some(menu::Props { target, at, room, ground: ground.clone(), shown: shown.clone(), on: on.clone() })
    }));
    // Each list in a group of its own: a crown more or less must not make a replica another element.
    html! {
        <div {class} ref={frame} {onpointermove} {onpointerup} {onclick} onpointercancel={let_go}>
            <svg viewBox={view_box} role="group" aria-label="The map: data centres, replicas and clients">
                { graticule(layout.size) }
                { lanes::lines(&layout, shown) }
                <g>{ for islands }</g>
                { lanes::labels(&layout, ground, shown, *menu, on) }
                <g>{ for troubled.lines }</g>
                <g>{ for clients }</g>
                <g>{ for replicas }</g>
                <g>{ for crowns }</g>
                <g class="above">{ for troubled.signs }</g>
                <g>{ for held.and_then(|drag| ghost(drag, shown)) }</g>
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
        Target::Site(site) => layout.islands.get(site)?.name,
        Target::Lane(a, b) => layout.lanes.iter().find(|lane| lane.between == (a, b))?.label?,
    };
    Some(point(at.x * layout.scale, at.y * layout.scale))
}

/// Replicas that are shown, and where.
fn stood<'a>(layout: &'a Layout, shown: &'a Shown) -> impl Iterator<Item = (&'a NodeShown, Point)> {
    shown.nodes.iter().zip(&layout.nodes).filter_map(|(node, at)| Some((node, (*at)?)))
}

/// What is dragged, under the pointer.
fn ghost(drag: Drag, shown: &Shown) -> Option<Html> {
    match drag.held {
        // Above the pointer, so that one sees where it will land.
        Held::Crown(_) => Some(crown(point(drag.at.x, drag.at.y - CROWN_ABOVE), "crown", None)),
        Held::Node(id) => Some(replica::ghost(shown.nodes.get(usize::from(id.0))?, drag.at)),
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
fn use_layout(ground: &Rc<Ground>, shown: &Rc<Shown>, size: (f64, f64)) -> Rc<Layout> {
    // A replica that has left the cluster and is down is gone.
    let homes: Vec<Option<usize>> =
        shown.nodes.iter().map(|node| (node.member || node.glance.is_some()).then_some(node.site)).collect();
    use_memo((ground.clone(), homes, size), |(ground, homes, (width, height))| {
        if *width <= 0.0 || *height <= 0.0 {
            return Layout::default();
        }
        let sites = ground.places.len();
        let places: Vec<Place> = ground
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
