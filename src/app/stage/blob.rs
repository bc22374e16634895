//! The outline of an site shape: a soft shape that no two places share, and each place keeps.

use super::geometry::{Area, Point, point};
use super::round;
use crate::components::draw;

/// Corners of the smooth outline.
const CORNERS: usize = 14;

/// An SVG path around `area`. `name` decides about its bumps.
pub fn outline(area: Area, name: &str) -> String {
    let seed = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let phase = |shift: u32| f64::from(seed >> shift & 0xff) / 256.0;
    let corners: Vec<Point> = (0..CORNERS)
        .map(|corner| {
            let turns = corner as f64 / CORNERS as f64;
            let wave = |times: f64, phase: f64| round::direction(times * turns + phase).y;
            let bump = 1.02 + 0.035 * wave(2.0, phase(0)) + 0.03 * wave(3.0, phase(8));
            let Point { x, y } = round::direction(turns);
            let reach = bump * squircle(x, y);
            point(area.middle.x + area.half.x * reach * x, area.middle.y + area.half.y * reach * y)
        })
        .collect();
    fault_free(&corners)
}

/// Distance from the middle to a shape between a circle and a square, in this direction: what stands in a box then has room in
/// the site shape's corners.
fn squircle(x: f64, y: f64) -> f64 {
    let (x, y) = (x.abs(), y.abs());
    (x * x * x + y * y * y).powi(-1).sqrt().sqrt().max(1.0)
}

/// A closed Catmull-Rom curve through the corners, as Bézier curves.
fn fault_free(corners: &[Point]) -> String {
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
    format!("{} {}", draw::number(at.x), draw::number(at.y))
}
