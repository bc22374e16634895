//! The outline of an island: a soft shape that no two places share, and each place keeps.

use super::geometry::{Area, Point, point};
use std::f64::consts::TAU;
use std::fmt::Write;

/// Corners of the smooth outline.
const CORNERS: usize = 14;

/// An SVG path around `area`. `name` decides about its bumps.
pub fn outline(area: Area, name: &str) -> String {
    let seed = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let phase = |shift: u32| f64::from(seed >> shift & 0xff) / 256.0 * TAU;
    let corners: Vec<Point> = (0..CORNERS)
        .map(|corner| {
            let angle = corner as f64 / CORNERS as f64 * TAU;
            let bump = 1.02 + 0.035 * (2.0 * angle + phase(0)).sin() + 0.03 * (3.0 * angle + phase(8)).sin();
            let round = squircle(angle);
            point(
                area.middle.x + area.half.x * round * bump * angle.cos(),
                area.middle.y + area.half.y * round * bump * angle.sin(),
            )
        })
        .collect();
    smooth(&corners)
}

/// Distance from the middle to a shape between a circle and a square, in this direction: what stands in a box then has room in
/// the island's corners.
fn squircle(angle: f64) -> f64 {
    const POWER: f64 = 2.9;
    (angle.cos().abs().powf(POWER) + angle.sin().abs().powf(POWER)).powf(-1.0 / POWER)
}

/// A closed Catmull-Rom curve through the corners, as Bézier curves.
fn smooth(corners: &[Point]) -> String {
    let n = corners.len();
    let at = |i: usize| corners[i % n];
    let mut path = format!("M{:.1} {:.1}", at(0).x, at(0).y);
    for i in 0..n {
        let (before, from, to, after) = (at(i + n - 1), at(i), at(i + 1), at(i + 2));
        let leave = point(from.x + (to.x - before.x) / 6.0, from.y + (to.y - before.y) / 6.0);
        let arrive = point(to.x - (after.x - from.x) / 6.0, to.y - (after.y - from.y) / 6.0);
        let _ =
            write!(path, "C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}", leave.x, leave.y, arrive.x, arrive.y, to.x, to.y);
    }
    path.push('Z');
    path
}
