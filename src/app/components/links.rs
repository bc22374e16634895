//! What is wrong on the links between replicas: broken lines for cuts, dash-dotted ones where messages fare badly, each with its sign and
//! a few words. Where all links between two places fare alike, that is told once, on the way between the places.
//!
//! The page loads all of this after its first picture, where nothing is out of order.

use super::condition::{self, Condition, ConditionText};
use super::draw;
use crate::run::{RunContext, ViewModel};
use crate::stage::geometry::{Area, Point, point};
use crate::stage::layout::{LABEL, Layout, NODE_RADIUS, SiteLink};
use quorumscope::core::NodeId;
use quorumscope::universe::Link;
use yew::prelude::*;

/// How far a line may bend, as a part of its length, straight ones first.
const BENDS: [f64; 7] = [0.0, 0.1, -0.1, 0.18, -0.18, 0.28, -0.28];
/// Where on a line signs may stand, best first.
const PLACES: [f64; 11] = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.0, 1.0];
/// Distance between two signs.
const STEP: f64 = 20.0;
/// About how wide a letter is.
const LETTER: f64 = 6.6;
/// Half the room that a sign takes.
const SIGN: Point = point(11.0, 11.0);
/// Where words may stand above or below their signs, best first: how far down, and how far aside as a part of their length.
const WORDS: [(f64, f64); 22] = [
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

/// How messages fare between two replicas, to and fro.
#[derive(Clone, Copy, PartialEq)]
struct LinkGroup {
    cut: (bool, bool),
    there: Link,
    back: Link,
}

impl LinkGroup {
    fn is_usual(&self) -> bool {
        self.cut == (false, false) && self.there == Link::default() && self.back == Link::default()
    }

    /// Its troubles, and whether they are only on the way there, or only on the way back.
    fn told(&self) -> (Vec<ConditionText>, Option<bool>) {
        let usual = Link::default();
        let one_way = match (self.there == usual, self.back == usual) {
            (false, true) => Some(true),
            (true, false) => Some(false),
            _ => None,
        };
        let worse = if self.there == usual { &self.back } else { &self.there };
        (condition::on_way(worse), one_way)
    }
}

/// A link between two replicas; the first is at the site with the lower index.
struct Pair {
    ends: (NodeId, NodeId),
    group: LinkGroup,
}

/// What is wrong on links: lines, to be drawn below the replicas, and signs, above them.
#[derive(Default)]
pub struct Drawn {
    /// Of single links, where not all between two places fare alike.
    pub lines: Vec<Html>,
    /// Of those, and of the ways between places.
    pub signs: Vec<Html>,
}

/// Draws it.
pub fn links(layout: &Layout, context: &RunContext, view: &ViewModel) -> Drawn {
    let everywhere = everywhere(view);
    let sites = context.places.len();
    let places = (0..sites).flat_map(|a| (a..sites).map(move |b| (a, b)));
    let single =
        places.filter(|&(a, b)| alike(layout, view, a, b).is_none()).flat_map(|(a, b)| pairs(layout, view, a, b));
    // What happens to all links is told on the lanes alone.
    let is_told = |pair: &Pair| pair.group.is_usual() || everywhere && pair.group.cut == (false, false);
    let wrong = single.filter(|pair| !is_told(pair));
    let mut room = Room::of(layout);
    let signs = layout
        .site_links
        .iter()
        .filter_map(|site_link| on_site_link(layout, context, view, site_link, &mut room))
        .collect();
    let mut drawn = Drawn { lines: Vec::new(), signs };
    for (line, signs) in wrong.filter_map(|pair| between_two(layout, &pair, &mut room)) {
        drawn.lines.push(line);
        drawn.signs.push(signs);
    }
    drawn
}

/// The line of a lane where something is wrong, the same on all links there.
pub fn site_link_line(layout: &Layout, view: &ViewModel, site_link: &SiteLink) -> Option<Html> {
    let group = alike(layout, view, site_link.between.0, site_link.between.1).filter(|group| !group.is_usual())?;
    let line = draw::path("line", format!("M{}L{}", pair(site_link.from), pair(site_link.to)));
    Some(draw::group(class(group), vec![line]))
}

/// What stands on such a lane.
fn on_site_link(
    layout: &Layout,
    context: &RunContext,
    view: &ViewModel,
    site_link: &SiteLink,
    room: &mut Room,
) -> Option<Html> {
    let (a, b) = site_link.between;
    let group = alike(layout, view, a, b).filter(|group| !group.is_usual())?;
    let names = (context.names[a].to_string(), context.names[b].to_string());
    let along = unit(site_link.from, site_link.to);
    let mut places = PLACES.map(|part| site_link.from.toward(site_link.to, part)).to_vec();
    // Beside a lane that is too short for its label and a sign.
    let aside = |far: f64| point(places[0].x - along.y * far, places[0].y + along.x * far);
    places.extend([24.0, -24.0, 40.0, -40.0].map(aside));
    Some(draw::group(class(group), signs(room, group, &places, along, names)))
}

/// How all links between two places with a lane between them fare, if all fare alike.
fn alike(layout: &Layout, view: &ViewModel, a: usize, b: usize) -> Option<LinkGroup> {
    layout.site_links.iter().find(|site_link| site_link.between == (a, b))?;
    let pairs = pairs(layout, view, a, b);
    let first = pairs.first()?.group;
    pairs.iter().all(|pair| pair.group == first).then_some(first)
}

/// Whether messages fare the same on all links, and not as usual.
fn everywhere(view: &ViewModel) -> bool {
    let n = view.nodes.len();
    view.ways.len() == n * (n - 1) && view.ways.iter().all(|way| way.link == view.ways[0].link)
}

/// All links between two sites, or within one.
fn pairs(layout: &Layout, view: &ViewModel, a: usize, b: usize) -> Vec<Pair> {
    let link = |from: NodeId, to: NodeId| {
        view.ways.iter().find(|way| (way.from, way.to) == (from, to)).map_or(Link::default(), |way| way.link)
    };
    let at = |site: usize| {
        let stands = |id: NodeId| layout.nodes.get(usize::from(id.0)).is_some_and(Option::is_some);
        view.nodes.iter().filter(move |node| node.site == site && stands(node.id))
    };
    let all = at(a).flat_map(|one| at(b).map(move |two| (one, two)));
    all.filter(|(one, two)| a != b || one.id < two.id)
        .map(|(one, two)| Pair {
            ends: (one.id, two.id),
            group: LinkGroup {
                cut: (one.cut.has(two.id), two.cut.has(one.id)),
                there: link(one.id, two.id),
                back: link(two.id, one.id),
            },
        })
        .collect()
}

/// What is wrong between two sites, as it follows in the name of their lane.
pub fn in_words(context: &RunContext, view: &ViewModel, a: usize, b: usize) -> String {
    let site = |id: NodeId| view.nodes.get(usize::from(id.0)).map(|node| node.site);
    let mut told: Vec<String> = Vec::new();
    for way in &view.ways {
        let (from, to) = (site(way.from), site(way.to));
        if (from, to) != (Some(a), Some(b)) && (from, to) != (Some(b), Some(a)) {
            continue;
        }
        let to = if to == Some(a) { &context.names[a] } else { &context.names[b] };
        told.extend(condition::on_way(&way.link).into_iter().map(|told| format!("; to {to}, {}", told.says)));
    }
    told.sort();
    told.dedup();
    told.concat()
}

/// A line between two replicas, bent around what stands in its way, and its signs.
fn between_two(layout: &Layout, link: &Pair, room: &mut Room) -> Option<(Html, Html)> {
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
    // A little in the way is better than a long way round.
    let (_, bend) = BENDS.into_iter().enumerate().min_by_key(|(round, bend)| 2 * met(bend) + round)?;
    let control = control(bend);
    let leave = (NODE_RADIUS + 1.0) / length;
    let (start, end) = (on_curve(control, leave), on_curve(control, 1.0 - leave));
    let path = format!("M{}Q{} {}", pair(start), pair(control), pair(end));
    let names = (format!("node {:?}", link.ends.0), format!("node {:?}", link.ends.1));
    let places = PLACES.map(|part| on_curve(control, part.clamp(0.1, 0.9)));
    let line = draw::group(class(link.group), vec![draw::path("line", path)]);
    Some((line, draw::group(class(link.group), signs(room, link.group, &places, along, names))))
}

/// What a line should keep away from: other replicas, names of places and what clients were told; each a middle and a radius.
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

fn class(group: LinkGroup) -> &'static str {
    match group.cut {
        (false, false) => "disturbed",
        (true, true) => "cut",
        _ => "cut one-way",
    }
}

/// What stands on a line: signs in one of these places, and words beside them. `along` points from the first end to the second,
/// whose names these are.
fn signs(room: &mut Room, group: LinkGroup, places: &[Point], along: Point, names: (String, String)) -> Vec<Html> {
    let (told, one_way) = group.told();
    let mut kinds: Vec<Condition> = told.iter().map(|told| told.condition).collect();
    kinds.dedup();
    let cut = usize::from(group.cut != (false, false));
    let reach = STEP * ((cut + kinds.len()) as f64 - 1.0) / 2.0;
    let at = room.take(places.iter().copied(), point(SIGN.x + reach, SIGN.y));
    let place = |index: usize| point(at.x - reach + STEP * index as f64, at.y);
    let mut signs = match group.cut {
        (false, false) => Vec::new(),
        (true, true) => vec![condition::badge(Condition::Cut, place(0))],
        (true, false) => vec![arrow(place(0), along)],
        (false, true) => vec![arrow(place(0), point(-along.x, -along.y))],
    };
    signs.extend(kinds.into_iter().enumerate().map(|(i, kind)| condition::badge(kind, place(cut + i))));
    if !told.is_empty() {
        let to = one_way.map(|there| format!("to {}: ", if there { names.1 } else { names.0 }));
        let words = to.unwrap_or_default() + &condition::brief(&told);
        let half = point(words.chars().count() as f64 * LETTER / 2.0, 7.0);
        let aside = SIGN.x + reach + half.x + 3.0;
        let around = WORDS.map(|(down, part)| point(at.x + part * 2.0 * half.x, at.y + down - BASELINE));
        let beside = [point(at.x + aside, at.y), point(at.x - aside, at.y)];
        let (near, far) = around.split_at(2);
        let middle = room.take(near.iter().chain(&beside).chain(far).copied(), half);
        signs.push(draw::text("", point(middle.x, middle.y + BASELINE), words));
    }
    signs
}

/// From the middle of a line of text down to where its letters stand.
const BASELINE: f64 = 4.0;

/// The room there is on the stage for signs and words.
struct Room {
    size: Point,
    taken: Vec<Area>,
}

impl Room {
    /// What site shapes and the labels of lanes leave free.
    fn of(layout: &Layout) -> Room {
        let mut taken = layout.contents();
        let labels = layout.site_links.iter().filter_map(|site_link| site_link.label);
        taken.extend(labels.map(|middle| Area { middle, half: LABEL }));
        Room { size: layout.size, taken }
    }

    /// Takes the first of these places where nothing is in the way, or the one where least is.
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

/// The sign of a way that is cut, pointing where nothing arrives any more.
fn arrow(at: Point, along: Point) -> Html {
    let Point { x, y } = along;
    let turned = format!("matrix({x:.2} {y:.2} {:.2} {x:.2} {:.1} {:.1})", -y, at.x, at.y);
    let badge = condition::badge(Condition::OneWay, Point::default());
    draw::element("g", &["transform"], vec![turned.into()], vec![badge])
}

fn unit(from: Point, to: Point) -> Point {
    let length = from.distance(to).max(1.0);
    point((to.x - from.x) / length, (to.y - from.y) / length)
}

fn pair(Point { x, y }: Point) -> String {
    format!("{} {}", draw::number(x), draw::number(y))
}
