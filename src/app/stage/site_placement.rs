//! Site placement: spreads site shapes over the stage by geography, keeps them apart, and draws their outlines.

use crate::elements::geometry::{Area, Point, direction, point, squircle};
use crate::elements::svg;

/// Most rounds of pushing overlapping shapes apart.
const ROUNDS: usize = 320;

/// A site as the layout needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its name; the outline is derived from it.
    pub name: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Replicas that live there, as indices.
    pub nodes: Vec<usize>,
}

/// A stage to spread site shapes over, in stage units.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Its width and height.
    pub size: Point,
    /// Least distance between two shapes, and from a shape to the edge.
    pub apart: (f64, f64),
}

/// The middle of each site shape: by geography or, if they have stood elsewhere `before`, as near to that as can be. `None` if they do not fit.
pub fn spread(places: &[Place], halves: &[Point], room: Room, before: Option<&[Point]>) -> Option<Vec<Point>> {
    let Room { size, apart: (_, margin) } = room;
    if halves.iter().any(|half| 2.0 * (half.x + margin) > size.x || 2.0 * (half.y + margin) > size.y) {
        return None;
    }
    match before {
        Some(before) => relax(before, halves, room).map(|areas| areas.iter().map(|area| area.middle).collect()),
        None => relax(&anchors(&project(places), halves, size), halves, room).map(|areas| centred(&areas, size)),
    }
}

/// Longitude and latitude as a flat map whose edge is the widest gap between sites, so that neighbours across an ocean stay
/// neighbours. x grows eastwards and y southwards, in degrees.
fn project(places: &[Place]) -> Vec<Point> {
    let n = places.len();
    let mut order: Vec<usize> = (0..n).collect();
    sort_by(&mut order, &|site| places[site].longitude);
    let longitude = |i: usize| places[order[i % n]].longitude;
    let gap = |i: usize| within_a_turn(longitude(i + 1) - longitude(i));
    let widest = (0..n).max_by(|&a, &b| gap(a).total_cmp(&gap(b))).unwrap_or(0);
    let west = if n == 0 { 0.0 } else { longitude(widest + 1) };
    places.iter().map(|place| point(within_a_turn(place.longitude - west), -place.latitude)).collect()
}

/// An angle from 0 up to a full turn, in degrees. Not the remainder of a division, which WebAssembly has no instruction for.
fn within_a_turn(degrees: f64) -> f64 {
    degrees - 360.0 * (degrees / 360.0).floor()
}

/// Sorts sites. One function for all numbers that they are sorted by, because the page is to be small.
#[inline(never)]
fn sort_by(sites: &mut [usize], number: &dyn Fn(usize) -> f64) {
    sites.sort_by(|&a, &b| number(a).total_cmp(&number(b)));
}

/// Where site shapes would stand by geography alone, stretched to the stage.
fn anchors(globe: &[Point], halves: &[Point], size: Point) -> Vec<Point> {
    let span = |of: fn(&Point) -> f64| {
        let values = || globe.iter().map(of);
        let low = values().fold(f64::INFINITY, f64::min);
        (low, values().fold(f64::NEG_INFINITY, f64::max) - low)
    };
    let ((west, wide), (north, high)) = (span(|at| at.x), span(|at| at.y));
    let inset = halves.iter().fold(Point::default(), |most, half| point(most.x.max(half.x), most.y.max(half.y)));
    let room = point((size.x - 2.0 * inset.x).max(1.0), (size.y - 2.0 * inset.y).max(1.0));
    // A difference of a few degrees is not blown up to the whole stage.
    let across = room.x / wide.max(30.0);
    let down = (room.y / high.max(10.0)).min(6.0 * across);
    globe
        .iter()
        .map(|at| {
            point(size.x / 2.0 + (at.x - west - wide / 2.0) * across, size.y / 2.0 + (at.y - north - high / 2.0) * down)
        })
        .collect()
}

/// Pushes site shapes apart until none overlaps; `None` if that does not work out.
fn relax(middles: &[Point], halves: &[Point], room: Room) -> Option<Vec<Area>> {
    let Room { size, apart: (gap, _) } = room;
    let mut areas: Vec<Area> =
        middles.iter().zip(halves).map(|(&middle, &half)| inside(Area { middle, half }, room)).collect();
    for round in 0..ROUNDS {
        let mut free = true;
        for a in 0..areas.len() {
            for b in a + 1..areas.len() {
                let overlap = areas[a].overlap(&areas[b], gap);
                if overlap.x <= 0.0 || overlap.y <= 0.0 {
                    continue;
                }
                free = false;
                // The shorter way out; later, for pairs that are stuck at an edge, the other one.
                let stuck = round > ROUNDS / 3 && round % 3 == 0;
                let sideways = (overlap.x / size.x < overlap.y / size.y) != stuck;
                let sign = |from: f64, to: f64| if from < to || (from == to && a < b) { 1.0 } else { -1.0 };
                let push = if sideways {
                    point(sign(areas[a].middle.x, areas[b].middle.x) * (overlap.x / 2.0 + 0.5), 0.0)
                } else {
                    point(0.0, sign(areas[a].middle.y, areas[b].middle.y) * (overlap.y / 2.0 + 0.5))
                };
                shift(&mut areas[a], -push.x, -push.y, room);
                shift(&mut areas[b], push.x, push.y, room);
            }
        }
        if free {
            return Some(areas);
        }
    }
    None
}

/// The middles, moved together so that the margins left and right, and above and below, are equal.
fn centred(areas: &[Area], size: Point) -> Vec<Point> {
    let edge = |of: fn(&Area) -> f64, best: fn(f64, f64) -> f64, from: f64| areas.iter().map(of).fold(from, best);
    let left = edge(|area| area.middle.x - area.half.x, f64::min, f64::INFINITY);
    let right = edge(|area| area.middle.x + area.half.x, f64::max, 0.0);
    let top = edge(|area| area.middle.y - area.half.y, f64::min, f64::INFINITY);
    let bottom = edge(|area| area.middle.y + area.half.y, f64::max, 0.0);
    let (x, y) = ((size.x - left - right) / 2.0, (size.y - top - bottom) / 2.0);
    areas.iter().map(|area| point(area.middle.x + x, area.middle.y + y)).collect()
}

fn shift(area: &mut Area, x: f64, y: f64, room: Room) {
    area.middle = point(area.middle.x + x, area.middle.y + y);
    *area = inside(*area, room);
}

fn inside(area: Area, Room { size, apart: (_, margin) }: Room) -> Area {
    let clamp =
        |value: f64, half: f64, size: f64| value.clamp(half + margin, (size - half - margin).max(half + margin));
    let Area { middle, half } = area;
    Area { middle: point(clamp(middle.x, half.x, size.x), clamp(middle.y, half.y, size.y)), half }
}

/// Rows of equal cells, north to south and west to east within a row, `gap` apart: always fits, at some scale.
pub fn rows(places: &[Place], halves: &[Point], stage: Point, gap: f64) -> (Vec<Point>, f64) {
    let globe = project(places);
    let n = globe.len();
    let cell = halves.iter().fold(Point::default(), |most, half| point(most.x.max(half.x), most.y.max(half.y)));
    let cell = point(2.0 * cell.x + gap, 2.0 * cell.y + gap);
    let scale_for = |columns: usize| {
        let rows = n.div_ceil(columns);
        (stage.x / (columns as f64 * cell.x)).min(stage.y / (rows as f64 * cell.y)).min(1.0)
    };
    let columns = (1..=n.max(1)).max_by(|&a, &b| scale_for(a).total_cmp(&scale_for(b))).unwrap_or(1);
    let scale = scale_for(columns);
    let size = point(stage.x / scale, stage.y / scale);
    let mut order: Vec<usize> = (0..n).collect();
    sort_by(&mut order, &|site| globe[site].y);
    let mut middles = vec![Point::default(); n];
    let lines = n.div_ceil(columns);
    for (row, line) in order.chunks_mut(columns).enumerate() {
        sort_by(line, &|site| globe[site].x);
        for (column, &site) in line.iter().enumerate() {
            middles[site] = point(
                size.x / 2.0 + (column as f64 - (line.len() as f64 - 1.0) / 2.0) * cell.x,
                size.y / 2.0 + (row as f64 - (lines as f64 - 1.0) / 2.0) * cell.y,
            );
        }
    }
    (middles, scale)
}

/// Latitude and longitude for a site without a known position: such sites form a circle, the first at its lower left.
pub fn seat(place: usize, of: usize) -> [f64; 2] {
    let Point { x, y } = direction(0.25 + (place as f64 + 0.5) / of as f64);
    [-20.0 * y, 60.0 * x]
}

/// Corners of the smooth outline.
const CORNERS: usize = 14;

/// The outline of a site shape that fills `area`, as an SVG path. Its bumps are a hash of `name`.
pub fn outline(area: Area, name: &str) -> String {
    let seed = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let phase = |shift: u32| f64::from(seed >> shift & 0xff) / 256.0;
    let corners: Vec<Point> = (0..CORNERS)
        .map(|corner| {
            let turns = corner as f64 / CORNERS as f64;
            let wave = |times: f64, phase: f64| direction(times * turns + phase).y;
            let bump = 1.02 + 0.035 * wave(2.0, phase(0)) + 0.03 * wave(3.0, phase(8));
            let Point { x, y } = direction(turns);
            let reach = bump * squircle(x, y);
            point(area.middle.x + area.half.x * reach * x, area.middle.y + area.half.y * reach * y)
        })
        .collect();
    smooth_path(&corners)
}

/// A closed Catmull-Rom curve through the corners, as Bézier curves.
fn smooth_path(corners: &[Point]) -> String {
    let n = corners.len();
    let at = |i: usize| corners[i % n];
    let mut path = format!("M{}", pair(at(0)));
    for i in 0..n {
        let (before, from, to, after) = (at(i + n - 1), at(i), at(i + 1), at(i + 2));
        let leave = point(from.x + (to.x - before.x) / 6.0, from.y + (to.y - before.y) / 6.0);
        let arrive = point(to.x - (after.x - from.x) / 6.0, to.y - (after.y - from.y) / 6.0);
        path += &format!("C{} {} {}", pair(leave), pair(arrive), pair(to));
    }
    path.push('Z');
    path
}

fn pair(at: Point) -> String {
    format!("{} {}", svg::number(at.x), svg::number(at.y))
}

#[cfg(test)]
mod tests {
    #[test]
    fn sites_without_position_two_are_side_by_side_three_a_triangle() {
        let seats = |of| (0..of).map(|place| super::seat(place, of).map(f64::round)).collect::<Vec<_>>();
        assert_eq!(seats(2), [[0.0, -60.0], [0.0, 60.0]]);
        assert_eq!(seats(3), [[-10.0, -52.0], [20.0, 0.0], [-10.0, 52.0]]);
    }
}
