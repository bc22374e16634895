//! A site on the map: its shape and name, its clients with their latencies, and the map grid behind.

use super::layout::SiteShape;
use crate::elements::geometry::{Point, point};
use crate::elements::svg::{self, MenuButton};
use crate::elements::text;
use crate::page_action::{PageAction, Target};
use crate::run::context::RunContext;
use crate::run::view_model::SiteView;
use quorumscope::core::Micros;
use yew::prelude::*;

/// State of a site on the map.
#[derive(Clone, Copy, Default)]
pub struct SiteState {
    /// A replica dropped now would land here.
    pub target: bool,
    /// Partitioned from all other sites.
    pub partitioned: bool,
    /// Its menu is open.
    pub open: bool,
}

/// Draws the shape of a site with its name.
pub fn site_shape(
    context: &RunContext,
    site: usize,
    site_shape: &SiteShape,
    state: SiteState,
    on: &Callback<PageAction>,
) -> Html {
    let name = &context.names[site];
    let id = &context.places[site].id;
    let at = site_shape.name;
    let mut children = vec![
        svg::rect("hit", point(at.x - 70.0, at.y - 16.0), point(140.0, 44.0)),
        svg::text("name", at, name.clone()),
    ];
    if state.partitioned {
        children.push(svg::text("trouble", point(at.x, at.y + 15.0), "partitioned"));
    } else if id.as_str() != name.as_str() {
        children.push(svg::text("id", point(at.x, at.y + 15.0), id.clone()));
    }
    let place = MenuButton {
        target: Target::Site(site),
        class: "place".into(),
        label: format!(
            "{name}{}: add a replica, send a request, and more",
            if state.partitioned { ", partitioned from all other places" } else { "" }
        ),
        open: state.open,
        at: None,
        on_grab: None,
        children,
    };
    let class = match state {
        SiteState { target: true, .. } => "island target",
        SiteState { partitioned: true, .. } => "island cut-off",
        _ => "island",
    };
    svg::group(class, vec![svg::path("land", site_shape.path.clone()), place.draw(on)])
}

/// Draws the clients of a site: their latest latency and its median; or, while something is dragged, what they would wait then. `expected`:
/// the latency, or that nobody would be answered.
pub fn client(at: Point, site: &SiteView, expected: Option<Option<Micros>>) -> Html {
    let latest = site.latest.map_or("–".to_owned(), text::latency);
    let median = site.median.map_or("no answer yet".to_owned(), |median| format!("median {}", text::latency(median)));
    let (latest, median) = match expected {
        Some(expected) => {
            let before = site.median.map_or("–".to_owned(), text::latency);
            let after = expected.map_or("no answer".to_owned(), text::latency);
            (format!("{before} → {after}"), "expected".to_owned())
        }
        None => (latest, median),
    };
    let class = match (expected.is_some(), site.cut_off.is_empty()) {
        (true, _) => "client expected",
        (false, true) => "client",
        (false, false) => "client cut-off",
    };
    let mut children = vec![
        svg::rect("box", point(-14.0, -14.0), point(28.0, 28.0)),
        svg::path("person", "M-5 -2.5h10M-5 2.5h10"),
        svg::text("latest", point(22.0, -1.0), latest),
    ];
    match site.cut_off.is_empty() || expected.is_some() {
        true => children.push(svg::text("median", point(22.0, 13.0), median)),
        false => {
            let nodes: Vec<String> = site.cut_off.iter().map(|id| text::number(id).to_string()).collect();
            children.push(svg::path("barred", "M-11 11L11 -11"));
            children.push(svg::text("median", point(22.0, 13.0), format!("cut from {}", nodes.join(", "))));
        }
    }
    svg::moved(class, at, children)
}

/// Number of meridians, the edges included.
const MERIDIANS: i32 = 8;
/// Number of parallels.
const PARALLELS: i32 = 5;
/// How far the outermost meridian bends, in stage units.
const BEND: f64 = 46.0;

/// Faint meridians and parallels behind the site shapes, on a stage of this size: a map, though not to scale.
pub fn map_grid(size: Point) -> Html {
    let number = svg::number;
    let meridian = |i: i32| {
        let part = f64::from(i) / f64::from(MERIDIANS);
        let (x, bend) = (size.x * part, BEND * (2.0 * part - 1.0));
        let (edge, middle) = (number(x - bend), number(x + bend));
        format!("M{edge} 0Q{middle} {} {edge} {}", number(size.y / 2.0), number(size.y))
    };
    let parallel = |i: i32| format!("M0 {}H{}", number(size.y * f64::from(i) / f64::from(PARALLELS)), number(size.x));
    let lines: String = (0..=MERIDIANS).map(meridian).chain((1..PARALLELS).map(parallel)).collect();
    svg::path("graticule", lines)
}
