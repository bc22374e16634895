//! A site on the map: its shape and name, its clients with their latencies, and the map grid behind.

use super::layout::SiteShape;
use super::measure::Measure;
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

/// Draws the shape of a site.
pub fn land(site_shape: &SiteShape, state: SiteState) -> Html {
    svg::group(
        state.class("ground", "ground target", "ground cut-off"),
        vec![svg::path("land", site_shape.path.clone())],
    )
}

/// Draws the name of a site, a button.
pub fn site_name(
    context: &RunContext,
    site: usize,
    (site_shape, measure): (&SiteShape, Measure),
    state: SiteState,
    on: &Callback<PageAction>,
) -> Html {
    let name = &context.names[site];
    let id = &context.places[site].id;
    let at = site_shape.name;
    let (wide, above) = (2.0 * site_shape.area.half.x.min(70.0), if measure.terse() { 30.0 } else { 18.0 });
    let below = point(at.x, at.y + measure.id());
    let mut children = vec![svg::rect("hit", point(at.x - wide / 2.0, at.y - above), point(wide, 44.0))];
    match (state.partitioned, measure.terse()) {
        // Its shore tells the same.
        (true, true) => children.push(svg::text("fault-label", at, name.clone())),
        (true, false) => {
            children.extend([svg::text("name", at, name.clone()), svg::text("fault-label", below, "partitioned")])
        }
        (false, terse) => {
            children.push(svg::text("name", at, name.clone()));
            if !terse && id.as_str() != name.as_str() {
                children.push(svg::text("id", below, id.clone()));
            }
        }
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
    svg::group(state.class("island", "island target", "island cut-off"), vec![place.draw(on)])
}

impl SiteState {
    /// One of these classes: as usual, where something would land, partitioned.
    fn class(self, usual: &'static str, target: &'static str, partitioned: &'static str) -> &'static str {
        match self {
            SiteState { target: true, .. } => target,
            SiteState { partitioned: true, .. } => partitioned,
            _ => usual,
        }
    }
}

/// Draws the clients of a site: their latest latency and its median; or, while something is dragged, what they would wait then. `expected`:
/// the latency, or that nobody would be answered.
pub fn client(at: Point, site: &SiteView, measure: Measure, expected: Option<Option<Micros>>) -> Html {
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
    let (first, second) = measure.latency();
    let mut children = vec![
        svg::rect("box", point(-14.0, -14.0), point(28.0, 28.0)),
        svg::path("person", "M-5 -2.5h10M-5 2.5h10"),
        svg::text("latest", point(22.0, first), latest),
    ];
    let median = match site.cut_off.is_empty() || expected.is_some() {
        true => median,
        false => {
            let nodes: Vec<String> = site.cut_off.iter().map(|id| text::number(id).to_string()).collect();
            children.push(svg::path("barred", "M-11 11L11 -11"));
            format!("cut from {}", nodes.join(", "))
        }
    };
    if !measure.terse() {
        children.push(svg::text("median", point(22.0, second), median));
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
