//! What is wrong on the links between replicas: broken lines for cuts, dash-dotted ones where messages fare badly, each with its sign and
//! a few words. Where all links between two places fare alike, that is told once, on the way between the places.
//!
//! What others call is never inlined: the page loads all of this after its first picture, where nothing is out of order.

use super::draw;
use super::trouble::{self, Told, Trouble};
use crate::run::{Ground, Shown};
use crate::stage::geometry::{Area, Point, point};
use crate::stage::layout::{LABEL, Lane, Layout, NODE_RADIUS};
use quorumscope::core::NodeId;
use quorumscope::universe::Link;
use yew::prelude::*;

/// How far a line may bend, as a part of its length, straight ones first.
const BENDS: [f64; 7] = [0.0, 0.1, -0.1, 0.18, -0.18, 0.28, -0.28];
/// Where a sign may stand on a lane, best first: not on the lane's own label.
const PLACES: [f64; 7] = [0.5, 0.34, 0.66, 0.2, 0.8, 0.0, 1.0];
/// Distance between two signs, and from a sign down to its words.
const STEP: Point = point(20.0, 22.0);
/// About how wide a letter is.
const LETTER: f64 = 6.6;
/// Half the room that a sign takes on a lane.
const SIGN: Point = point(11.0, 11.0);

/// How messages fare between two replicas, to and fro.
#[derive(Clone, Copy, PartialEq)]
struct Fare {
    cut: (bool, bool),
    there: Link,
    back: Link,
}

impl Fare {
    fn is_usual(&self) -> bool {
        self.cut == (false, false) && self.there == Link::default() && self.back == Link::default()
    }

    /// Its troubles, and whether they are only on the way there, or only on the way back.
    fn told(&self) -> (Vec<Told>, Option<bool>) {
        let usual = Link::default();
        let one_way = match (self.there == usual, self.back == usual) {
            (false, true) => Some(true),
            (true, false) => Some(false),
            _ => None,
        };
        let worse = if self.there == usual { &self.back } else { &self.there };
        (trouble::on_way(worse), one_way)
    }
}

/// A link between two replicas; the first is at the site with the lower index.
struct Pair {
    ends: (NodeId, NodeId),
    fare: Fare,
}

/// Draws what stands on the ways between places, and what is wrong on single links where not all between two places fare alike.
#[inline(never)]
pub fn links(layout: &Layout, ground: &Ground, shown: &Shown) -> Vec<Html> {
    let everywhere = everywhere(shown);
    let sites = ground.places.len();
    let places = (0..sites).flat_map(|a| (a..sites).map(move |b| (a, b)));
    let single =
        places.filter(|&(a, b)| alike(layout, shown, a, b).is_none()).flat_map(|(a, b)| pairs(layout, shown, a, b));
    // What befalls all links is told on the lanes alone.
    let is_told = |pair: &Pair| pair.fare.is_usual() || everywhere && pair.fare.cut == (false, false);
    let wrong = single.filter(|pair| !is_told(pair));
    let on_lanes = layout.lanes.iter().filter_map(|lane| on_lane(layout, ground, shown, lane));
    on_lanes.chain(wrong.filter_map(|pair| between_two(layout, &pair))).collect()
}

/// The line of a lane where something is wrong, the same on all links there.
#[inline(never)]
pub fn lane_line(layout: &Layout, shown: &Shown, lane: &Lane) -> Option<Html> {
    let fare = alike(layout, shown, lane.between.0, lane.between.1).filter(|fare| !fare.is_usual())?;
    let line = draw::path("line", format!("M{}L{}", pair(lane.from), pair(lane.to)));
    Some(draw::group(class(fare), vec![line]))
}

/// What stands on such a lane.
fn on_lane(layout: &Layout, ground: &Ground, shown: &Shown, lane: &Lane) -> Option<Html> {
    let (a, b) = lane.between;
    let fare = alike(layout, shown, a, b).filter(|fare| !fare.is_usual())?;
    let (from, to) = (lane.from, lane.to);
    let sign = |at: &Point| Area { middle: *at, half: SIGN };
    let labels = || layout.lanes.iter().filter_map(|lane| lane.label).map(|middle| Area { middle, half: LABEL });
    let readable = |at: &Point| !labels().any(|label| label.meets(&sign(at)));
    let at_sea = |at: &Point| !layout.islands.iter().any(|island| island.area.rounded_meets(&sign(at)));
    let places = PLACES.map(|part| from.toward(to, part));
    let best = places.into_iter().find(|at| readable(at) && at_sea(at));
    let place = best.or_else(|| places.into_iter().find(readable)).unwrap_or(places[0]);
    let names = (ground.names[a].to_string(), ground.names[b].to_string());
    Some(draw::group(class(fare), signs(layout, fare, place, unit(from, to), names)))
}

/// How all links between two places with a lane between them fare, if all fare alike.
fn alike(layout: &Layout, shown: &Shown, a: usize, b: usize) -> Option<Fare> {
    layout.lanes.iter().find(|lane| lane.between == (a, b))?;
    let pairs = pairs(layout, shown, a, b);
    let first = pairs.first()?.fare;
    pairs.iter().all(|pair| pair.fare == first).then_some(first)
}

/// Whether messages fare the same on all links, and not as usual.
fn everywhere(shown: &Shown) -> bool {
    let n = shown.nodes.len();
    shown.ways.len() == n * (n - 1) && shown.ways.iter().all(|way| way.link == shown.ways[0].link)
}

/// All links between two sites, or within one.
fn pairs(layout: &Layout, shown: &Shown, a: usize, b: usize) -> Vec<Pair> {
    let link = |from: NodeId, to: NodeId| {
        shown.ways.iter().find(|way| (way.from, way.to) == (from, to)).map_or(Link::default(), |way| way.link)
    };
    let at = |site: usize| {
        let stands = |id: NodeId| layout.nodes.get(usize::from(id.0)).is_some_and(Option::is_some);
        shown.nodes.iter().filter(move |node| node.site == site && stands(node.id))
    };
    let all = at(a).flat_map(|one| at(b).map(move |two| (one, two)));
    all.filter(|(one, two)| a != b || one.id < two.id)
        .map(|(one, two)| Pair {
            ends: (one.id, two.id),
            fare: Fare {
                cut: (one.cut.has(two.id), two.cut.has(one.id)),
                there: link(one.id, two.id),
                back: link(two.id, one.id),
            },
        })
        .collect()
}

/// What is wrong between two sites, as it follows in the name of their lane.
#[inline(never)]
pub fn in_words(ground: &Ground, shown: &Shown, a: usize, b: usize) -> String {
    let site = |id: NodeId| shown.nodes.get(usize::from(id.0)).map(|node| node.site);
    let mut told: Vec<String> = Vec::new();
    for way in &shown.ways {
        let (from, to) = (site(way.from), site(way.to));
        if (from, to) != (Some(a), Some(b)) && (from, to) != (Some(b), Some(a)) {
            continue;
        }
        let to = if to == Some(a) { &ground.names[a] } else { &ground.names[b] };
        told.extend(trouble::on_way(&way.link).into_iter().map(|told| format!("; to {to}, {}", told.says)));
    }
    told.sort();
    told.dedup();
    told.concat()
}

/// A line between two replicas, bent around what stands in its way.
fn between_two(layout: &Layout, link: &Pair) -> Option<Html> {
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
    let mut children = vec![draw::path("line", path)];
    children.extend(signs(layout, link.fare, on_curve(control, 0.5), along, names));
    Some(draw::group(class(link.fare), children))
}

/// What a line should keep away from: other replicas, names of places and what clients were told; each a middle and a radius.
fn obstacles(layout: &Layout, ends: (NodeId, NodeId)) -> Vec<(Point, f64)> {
    let is_end = |index: usize| index == usize::from(ends.0.0) || index == usize::from(ends.1.0);
    let nodes = layout.nodes.iter().enumerate().filter(|(index, _)| !is_end(*index)).filter_map(|(_, at)| *at);
    let mut all: Vec<(Point, f64)> = nodes.map(|at| (at, NODE_RADIUS + 12.0)).collect();
    for island in &layout.islands {
        all.push((island.name, 26.0));
        all.push((point(island.client.x + 40.0, island.client.y), 24.0));
        all.push((point(island.client.x + 84.0, island.client.y + 6.0), 24.0));
    }
    all.extend(layout.lanes.iter().filter_map(|lane| Some((lane.label?, 24.0))));
    all
}

fn class(fare: Fare) -> &'static str {
    match fare.cut {
        (false, false) => "disturbed",
        (true, true) => "cut",
        _ => "cut one-way",
    }
}

/// What stands on a line: signs, and words under them. `along` points from the first end to the second, whose names these are.
fn signs(layout: &Layout, fare: Fare, at: Point, along: Point, names: (String, String)) -> Vec<Html> {
    let (told, one_way) = fare.told();
    let mut kinds: Vec<Trouble> = told.iter().map(|told| told.trouble).collect();
    kinds.dedup();
    let cut = usize::from(fare.cut != (false, false));
    let first = at.x - STEP.x * ((cut + kinds.len()) as f64 - 1.0) / 2.0;
    let place = |index: usize| point(first + STEP.x * index as f64, at.y);
    let mut signs = match fare.cut {
        (false, false) => Vec::new(),
        (true, true) => vec![trouble::badge(Trouble::Cut, place(0))],
        (true, false) => vec![arrow(place(0), along)],
        (false, true) => vec![arrow(place(0), point(-along.x, -along.y))],
    };
    signs.extend(kinds.into_iter().enumerate().map(|(i, kind)| trouble::badge(kind, place(cut + i))));
    if !told.is_empty() {
        let to = one_way.map(|there| format!("to {}: ", if there { names.1 } else { names.0 }));
        let words = to.unwrap_or_default() + &trouble::brief(&told);
        let width = STEP.x * signs.len() as f64 / 2.0;
        signs.push(draw::text("", beside(layout, at, width, words.chars().count()), words));
    }
    signs
}

/// Where words of so many letters may stand beside signs that reach so far to both sides: best below, but not on other texts.
fn beside(layout: &Layout, at: Point, reach: f64, letters: usize) -> Point {
    let half = point(letters as f64 * LETTER / 2.0, 7.0);
    let aside = reach + half.x + 4.0;
    let below = point(at.x, at.y + STEP.y);
    let places = [
        below,
        point(at.x, at.y - STEP.y + 8.0),
        point(at.x + aside, at.y + 4.0),
        point(at.x - aside, at.y + 4.0),
        point(at.x - half.x, at.y + STEP.y),
        point(at.x + half.x, at.y + STEP.y),
        point(at.x - half.x, at.y - STEP.y + 8.0),
        point(at.x + half.x, at.y - STEP.y + 8.0),
    ];
    let taken = texts(layout);
    let is_free = |place: &Point| {
        let area = Area { middle: point(place.x, place.y - 4.0), half };
        let inside = place.x > half.x && place.x + half.x < layout.size.x && place.y > 14.0 && place.y < layout.size.y;
        inside && !taken.iter().any(|other| other.meets(&area))
    };
    places.into_iter().find(is_free).unwrap_or(below)
}

/// Where texts stand on the stage already.
fn texts(layout: &Layout) -> Vec<Area> {
    let area = |x: f64, y: f64, half: Point| Area { middle: point(x, y), half };
    let mut all = Vec::new();
    for island in &layout.islands {
        all.push(area(island.client.x + 48.0, island.client.y, point(64.0, 17.0)));
        all.push(area(island.name.x, island.name.y + 2.0, point(48.0, 18.0)));
    }
    all.extend(layout.nodes.iter().flatten().map(|node| area(node.x, node.y + 24.0, point(42.0, 60.0))));
    all.extend(layout.lanes.iter().filter_map(|lane| lane.label).map(|label| area(label.x, label.y, LABEL)));
    all
}

/// The sign of a way that is cut, pointing where nothing arrives any more.
fn arrow(at: Point, along: Point) -> Html {
    let Point { x, y } = along;
    let turned = format!("matrix({x:.2} {y:.2} {:.2} {x:.2} {:.1} {:.1})", -y, at.x, at.y);
    let badge = trouble::badge(Trouble::OneWay, Point::default());
    draw::element("g", &["transform"], vec![turned.into()], vec![badge])
}

fn unit(from: Point, to: Point) -> Point {
    let length = from.distance(to).max(1.0);
    point((to.x - from.x) / length, (to.y - from.y) / length)
}

fn pair(Point { x, y }: Point) -> String {
    format!("{} {}", draw::number(x), draw::number(y))
}
