//! Faint meridians and parallels behind the site shapes: this is a map, though not to scale.

use super::draw;
use crate::stage::geometry::Point;
use yew::prelude::*;

/// Meridians, from the left edge to the right.
const MERIDIANS: i32 = 8;
/// Parallels, from top to bottom.
const PARALLELS: i32 = 5;
/// How far the outermost meridian bends.
const BEND: f64 = 46.0;

/// Draws them on a stage of this size.
pub fn map_grid(size: Point) -> Html {
    let number = draw::number;
    let meridian = |i: i32| {
        let part = f64::from(i) / f64::from(MERIDIANS);
        let (x, bend) = (size.x * part, BEND * (2.0 * part - 1.0));
        let (edge, middle) = (number(x - bend), number(x + bend));
        format!("M{edge} 0Q{middle} {} {edge} {}", number(size.y / 2.0), number(size.y))
    };
    let parallel = |i: i32| format!("M0 {}H{}", number(size.y * f64::from(i) / f64::from(PARALLELS)), number(size.x));
    let lines: String = (0..=MERIDIANS).map(meridian).chain((1..PARALLELS).map(parallel)).collect();
    draw::path("graticule", lines)
}
