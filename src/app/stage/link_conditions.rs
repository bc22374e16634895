//! Drawing of link conditions: dashed lines for cuts, dash-dotted ones for slow, lossy and other disturbed links, each with icons and a
//! label. Where all links between two sites are in the same condition, it is drawn once, on the site link.
//!
//! The first picture, in which nothing is faulty, does without all of this.

use super::condition::{self, Condition, ConditionText};
use super::layout::{Layout, SiteLink};
use super::measure::{Measure, NODE_RADIUS};
use crate::elements::geometry::{Area, Point, point};
use crate::elements::svg;
use crate::run::context::RunContext;
use crate::run::view_model::ViewModel;
use quorumscope::core::NodeId;
use quorumscope::universe::Link;
use yew::prelude::*;

/// Candidate bends of a line, as a fraction of its length, straight first.
const BENDS: [f64; 7] = [0.0, 0.1, -0.1, 0.18, -0.18, 0.28, -0.28];
/// Candidate places of icons on a line, as a fraction of its length, best first.
const PLACES: [f64; 11] = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.0, 1.0];
/// Distance between two icons.
const STEP: f64 = 20.0;
/// Approximate width of a letter at scale 1.
const LETTER: f64 = 7.4;
/// Half the size of an icon.
const ICON: Point = point(11.0, 11.0);
/// Candidate places of a label relative to its icons, best first: offset downwards, and sideways as a fraction of its length.
const LABEL_PLACES: [(f64, f64); 22] = [
    (22.0, 0.0),
    (-14.0, 0.0),
    (22.0, -0.25),
    (22.0, 0.25),
    (-14.0, -0.25),
    (-14.0, 0.25),
    (22.0, -0.5),
    (22.0, 0.5),
    (-14.0, -0.5),
    (-14.0, 0.5),
    (36.0, 0.0),
    (-28.0, 0.0),
    (36.0, -0.25),
    (36.0, 0.25),
    (-28.0, -0.25),
    (-28.0, 0.25),
    (50.0, 0.0),
    (-42.0, 0.0),
    (50.0, -0.25),
    (50.0, 0.25),
    (64.0, 0.0),
    (-56.0, 0.0),
];

/// Condition of the link between two replicas, in both directions.
#[derive(Clone, Copy, PartialEq)]
struct LinkState {
    cut: (bool, bool),
    /// Where it is cut, that does not count for clients.
    replicas_only: bool,
    forward: Link,
    backward: Link,
}

impl LinkState {
    fn is_healthy(&self) -> bool {
        self.cut == (false, false) && self.forward == Link::default() && self.backward == Link::default()
    }

    /// Its conditions; `Some(true)` if only the forward direction is disturbed, `Some(false)` if only the backward one is.
    fn conditions(&self) -> (Vec<ConditionText>, Option<bool>) {
        let healthy = Link::default();
        let one_way = match (self.forward == healthy, self.backward == healthy) {
            (false, true) => Some(true),
            (true, false) => Some(false),
            _ => None,
        };
        let worse = if self.forward == healthy { &self.backward } else { &self.forward };
        (condition::of_link(worse), one_way)
    }
}

/// A link between two replicas; the first is at the site with the lower index.
struct Pair {
    ends: (NodeId, NodeId),
    state: LinkState,
}

/// Drawn link conditions.
#[derive(Default)]
pub struct LinkDrawings {
    /// Lines of single links, where those between two sites differ; to be drawn below the replicas.
    pub lines: Vec<Html>,
    /// Icons and labels, of single links and of site links; to be drawn above the replicas.
    pub labels: Vec<Html>,
}

/// Draws the conditions of all links.
pub fn links(layout: &Layout, context: &RunContext, view: &ViewModel) -> LinkDrawings {
    let everywhere = everywhere(view);
    let sites = context.places.len();
    let places = (0..sites).flat_map(|a| (a..sites).map(move |b| (a, b)));
    let single = places
        .filter(|&(a, b)| common_state(layout, view, a, b).is_none())
        .flat_map(|(a, b)| pairs(layout, view, a, b));
    // A condition of every link of the cluster is drawn on the site links alone.
    let is_drawn = |pair: &Pair| pair.state.is_healthy() || everywhere && pair.state.cut == (false, false);
    let wrong = single.filter(|pair| !is_drawn(pair));
    let mut space = FreeSpace::of(layout);
    let labels = layout
        .site_links
        .iter()
        .filter_map(|site_link| on_site_link(layout, context, view, site_link, &mut space))
        .collect();
    let mut drawn = LinkDrawings { lines: Vec::new(), labels };
    for (line, labels) in wrong.filter_map(|pair| between_two(layout, &pair, &mut space)) {
        drawn.lines.push(line);
        drawn.labels.push(labels);
    }
    drawn
}

/// The line of a site link whose links are all in the same, disturbed state.
pub fn site_link_line(layout: &Layout, view: &ViewModel, site_link: &SiteLink) -> Option<Html> {
    let state =
        common_state(layout, view, site_link.between.0, site_link.between.1).filter(|state| !state.is_healthy())?;
    let line = svg::path("line", format!("M{}L{}", pair(site_link.from), pair(site_link.to)));
    Some(svg::group(class(state), vec![line]))
}

/// Icons and label of such a site link.
fn on_site_link(
    layout: &Layout,
    context: &RunContext,
    view: &ViewModel,
    site_link: &SiteLink,
    space: &mut FreeSpace,
) -> Option<Html> {
    let (a, b) = site_link.between;
    let state = common_state(layout, view, a, b).filter(|state| !state.is_healthy())?;
    let names = (context.names[a].to_string(), context.names[b].to_string());
    let along = unit(site_link.from, site_link.to);
    let mut places = PLACES.map(|part| site_link.from.toward(site_link.to, part)).to_vec();
    // Beside a site link that is too short for its label and an icon.
    let aside = |far: f64| point(places[0].x - along.y * far, places[0].y + along.x * far);
    places.extend([24.0, -24.0, 40.0, -40.0].map(aside));
    Some(svg::group(class(state), icons_and_label(space, state, &places, along, names)))
}

/// The state of all links between two sites that have a site link, if it is the same for all.
fn common_state(layout: &Layout, view: &ViewModel, a: usize, b: usize) -> Option<LinkState> {
    layout.site_links.iter().find(|site_link| site_link.between == (a, b))?;
    let pairs = pairs(layout, view, a, b);
    let first = pairs.first()?.state;
    pairs.iter().all(|pair| pair.state == first).then_some(first)
}

/// Whether all links of the cluster are disturbed in the same way.
fn everywhere(view: &ViewModel) -> bool {
    let n = view.nodes.len();
    view.disturbed_links.len() == n * (n - 1)
        && view.disturbed_links.iter().all(|way| way.link == view.disturbed_links[0].link)
}

/// All links between two sites, or within one.
fn pairs(layout: &Layout, view: &ViewModel, a: usize, b: usize) -> Vec<Pair> {
    let link = |from: NodeId, to: NodeId| {
        view.disturbed_links.iter().find(|way| (way.from, way.to) == (from, to)).map_or(Link::default(), |way| way.link)
    };
    let at = |site: usize| {
        let stands = |id: NodeId| layout.nodes.get(usize::from(id.0)).is_some_and(Option::is_some);
        view.nodes.iter().filter(move |node| node.site == site && stands(node.id))
    };
    let all = at(a).flat_map(|one| at(b).map(move |two| (one, two)));
    all.filter(|(one, two)| a != b || one.id < two.id)
        .map(|(one, two)| Pair {
            ends: (one.id, two.id),
            state: LinkState {
                cut: (one.cut.has(two.id), two.cut.has(one.id)),
                replicas_only: one.cut_replicas_only.has(two.id) || two.cut_replicas_only.has(one.id),
                forward: link(one.id, two.id),
                backward: link(two.id, one.id),
            },
        })
        .collect()
}

/// Conditions between two sites, as clauses of the accessible name of their site link.
pub fn clauses(context: &RunContext, view: &ViewModel, a: usize, b: usize) -> String {
    let site = |id: NodeId| view.nodes.get(usize::from(id.0)).map(|node| node.site);
    let mut clauses: Vec<String> = Vec::new();
    for link in &view.disturbed_links {
        let (from, to) = (site(link.from), site(link.to));
        if (from, to) != (Some(a), Some(b)) && (from, to) != (Some(b), Some(a)) {
            continue;
        }
        let to = if to == Some(a) { &context.names[a] } else { &context.names[b] };
        clauses.extend(condition::of_link(&link.link).into_iter().map(|each| format!("; to {to}, {}", each.clause)));
    }
    clauses.sort();
    clauses.dedup();
    clauses.concat()
}

/// A line between two replicas, bent around obstacles, and its icons and label.
fn between_two(layout: &Layout, link: &Pair, space: &mut FreeSpace) -> Option<(Html, Html)> {
    let stand = |node: NodeId| layout.nodes.get(usize::from(node.0)).copied().flatten();
    let (a, b) = (stand(link.ends.0)?, stand(link.ends.1)?);
    let length = a.distance(b).max(1.0);
    let along = unit(a, b);
    let control = |bend: f64| {
        let middle = a.toward(b, 0.5);
        point(middle.x - along.y * 2.0 * bend * length, middle.y + along.x * 2.0 * bend * length)
    };
    let on_curve = |control: Point, part: f64| a.toward(control, part).toward(control.toward(b, part), part);
    let obstacles = obstacles(layout, link.ends);
    let met = |bend: &f64| {
        let control = control(*bend);
        let points = (1..12).map(|step| on_curve(control, f64::from(step) / 12.0));
        let hits = |at: Point| {
            let outside = at.x < 12.0 || at.y < 12.0 || at.x > layout.size.x - 12.0 || at.y > layout.size.y - 12.0;
            usize::from(outside) + obstacles.iter().filter(|(middle, radius)| middle.distance(at) < *radius).count()
        };
        points.map(hits).sum::<usize>()
    };
    // A short overlap is better than a long detour.
    let (_, bend) = BENDS.into_iter().enumerate().min_by_key(|(round, bend)| 2 * met(bend) + round)?;
    let control = control(bend);
    let leave = (NODE_RADIUS + 1.0) / length;
    let (start, end) = (on_curve(control, leave), on_curve(control, 1.0 - leave));
    let path = format!("M{}Q{} {}", pair(start), pair(control), pair(end));
    let names = (format!("node {:?}", link.ends.0), format!("node {:?}", link.ends.1));
    let places = PLACES.map(|part| on_curve(control, part.clamp(0.1, 0.9)));
    let line = svg::group(class(link.state), vec![svg::path("line", path)]);
    Some((line, svg::group(class(link.state), icons_and_label(space, link.state, &places, along, names))))
}

/// Obstacles of a line: other replicas, names of sites and latencies of clients; each a middle and a radius.
fn obstacles(layout: &Layout, ends: (NodeId, NodeId)) -> Vec<(Point, f64)> {
    let is_end = |index: usize| index == usize::from(ends.0.0) || index == usize::from(ends.1.0);
    let nodes = layout.nodes.iter().enumerate().filter(|(index, _)| !is_end(*index)).filter_map(|(_, at)| *at);
    let mut all: Vec<(Point, f64)> = nodes.map(|at| (at, NODE_RADIUS + 12.0)).collect();
    for site_shape in &layout.site_shapes {
        all.push((site_shape.name, 26.0));
        all.push((point(site_shape.client.x + 40.0, site_shape.client.y), 24.0));
        all.push((point(site_shape.client.x + 84.0, site_shape.client.y + 6.0), 24.0));
    }
    all.extend(layout.site_links.iter().filter_map(|site_link| Some((site_link.label?, 24.0))));
    all
}

fn class(state: LinkState) -> &'static str {
    match state.cut {
        (false, false) => "disturbed",
        (true, true) => "cut",
        _ => "cut one-way",
    }
}

/// Icons in one of these places, and a label beside them. `along` points from the first end to the second; `names` are theirs.
fn icons_and_label(
    space: &mut FreeSpace,
    state: LinkState,
    places: &[Point],
    along: Point,
    names: (String, String),
) -> Vec<Html> {
    let (conditions, one_way) = state.conditions();
    let mut kinds: Vec<Condition> = conditions.iter().map(|each| each.condition).collect();
    kinds.dedup();
    let cut = usize::from(state.cut != (false, false));
    let reach = STEP * ((cut + kinds.len()) as f64 - 1.0) / 2.0;
    let at = space.take(places.iter().copied(), point(ICON.x + reach, ICON.y));
    let place = |index: usize| point(at.x - reach + STEP * index as f64, at.y);
    let mut drawn = match state.cut {
        (false, false) => Vec::new(),
        (true, true) => vec![condition::badge(Condition::Cut, place(0))],
        (true, false) => vec![arrow(place(0), along)],
        (false, true) => vec![arrow(place(0), point(-along.x, -along.y))],
    };
    drawn.extend(kinds.into_iter().enumerate().map(|(i, kind)| condition::badge(kind, place(cut + i))));
    if !conditions.is_empty() || state.replicas_only {
        let to = one_way.map(|there| format!("to {}: ", if there { names.1 } else { names.0 }));
        let words = match conditions.is_empty() {
            true => "not for clients".to_owned(),
            false => to.unwrap_or_default() + &condition::short_label(&conditions),
        };
        let text = space.measure.text;
        let half = point(words.chars().count() as f64 * LETTER * text / 2.0, 8.0 * text);
        let aside = ICON.x + reach + half.x + 3.0;
        let around = LABEL_PLACES.map(|(down, part)| point(at.x + part * 2.0 * half.x, at.y + down * text - BASELINE));
        let beside = [point(at.x + aside, at.y), point(at.x - aside, at.y)];
        let (near, far) = around.split_at(2);
        let middle = space.take(near.iter().chain(&beside).chain(far).copied(), half);
        drawn.push(svg::text("", point(middle.x, middle.y + BASELINE * text), words));
    }
    drawn
}

/// From the middle of a line of text down to its baseline.
const BASELINE: f64 = 4.0;

/// Free space of the stage, for icons and labels.
struct FreeSpace {
    measure: Measure,
    size: Point,
    taken: Vec<Area>,
}

impl FreeSpace {
    /// What the contents of site shapes and the labels of site links leave free.
    fn of(layout: &Layout) -> FreeSpace {
        let mut taken = layout.contents();
        let labels = layout.site_links.iter().filter_map(|site_link| site_link.label);
        taken.extend(labels.map(|middle| Area { middle, half: layout.measure.label() }));
        FreeSpace { measure: layout.measure, size: layout.size, taken }
    }

    /// Takes the first of these places that covers nothing, or the one that covers least.
    fn take(&mut self, places: impl Iterator<Item = Point>, half: Point) -> Point {
        let covered = |area: &Area| {
            let outside = if area.within(self.size) { 0.0 } else { half.x * half.y };
            let over = |other: &Area| {
                let Point { x, y } = area.overlap(other, 0.0);
                if x > 0.0 && y > 0.0 { x.min(2.0 * half.x) * y.min(2.0 * half.y) } else { 0.0 }
            };
            outside + self.taken.iter().map(over).sum::<f64>()
        };
        let areas = places.map(|middle| Area { middle, half });
        let best = areas.min_by(|a, b| covered(a).total_cmp(&covered(b))).unwrap_or_default();
        self.taken.push(best);
        best.middle
    }
}

/// The icon of a one-way cut, pointing to the end at which nothing arrives.
fn arrow(at: Point, along: Point) -> Html {
    let Point { x, y } = along;
    let turned = format!("matrix({x:.2} {y:.2} {:.2} {x:.2} {:.1} {:.1})", -y, at.x, at.y);
    let badge = condition::badge(Condition::OneWay, Point::default());
    svg::element("g", &["transform"], vec![turned.into()], vec![badge])
}

fn unit(from: Point, to: Point) -> Point {
    let length = from.distance(to).max(1.0);
    point((to.x - from.x) / length, (to.y - from.y) / length)
}

fn pair(Point { x, y }: Point) -> String {
    format!("{} {}", svg::number(x), svg::number(y))
}
