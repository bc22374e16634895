//! Directions and arcs. Sines come from the browser: the library's own would be among the largest functions of the page.

use super::geometry::{Point, point};
use std::f64::consts::TAU;

/// The direction after so many turns clockwise from the right.
pub fn direction(turns: f64) -> Point {
    let angle = turns * TAU;
    point(cos(angle), sin(angle))
}

/// The part of a circle around the origin between two numbers of turns, clockwise from the top, as an SVG path.
pub fn arc(radius: f64, from: f64, to: f64) -> String {
    let at = |turns: f64| {
        let Point { x, y } = direction(turns - 0.25);
        format!("{} {}", hundredths(x * radius), hundredths(y * radius))
    };
    let long = u8::from(to - from > 0.5);
    format!("M{}A{radius} {radius} 0 {long} 1 {}", at(from), at(to), radius = hundredths(radius))
}

/// Latitude and longitude of a place nobody knows: such places stand around a table, the first at its lower left.
pub fn seat(place: usize, of: usize) -> [f64; 2] {
    let Point { x, y } = direction(0.25 + (place as f64 + 0.5) / of as f64);
    [-20.0 * y, 60.0 * x]
}

fn hundredths(value: f64) -> String {
    let all = (value * 100.0).round() as i64;
    format!("{}{}.{:02}", if all < 0 { "-" } else { "" }, all.abs() / 100, all.abs() % 100)
}

#[cfg(target_arch = "wasm32")]
use js_sys::Math::{cos, sin};

#[cfg(not(target_arch = "wasm32"))]
fn cos(angle: f64) -> f64 {
    angle.cos()
}

#[cfg(not(target_arch = "wasm32"))]
fn sin(angle: f64) -> f64 {
    angle.sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_goes_from_the_top_to_the_right() {
        assert_eq!(arc(10.0, 0.0, 0.25), "M0.00 -10.00A10.00 10.00 0 0 1 10.00 0.00");
        assert!(arc(10.0, 0.0, 0.75).contains(" 0 1 1 "));
    }

    #[test]
    fn two_sit_side_by_side_and_three_in_a_triangle() {
        let seats = |of| (0..of).map(|place| super::seat(place, of).map(f64::round)).collect::<Vec<_>>();
        assert_eq!(seats(2), [[0.0, -60.0], [0.0, 60.0]]);
        assert_eq!(seats(3), [[-10.0, -52.0], [20.0, 0.0], [-10.0, 52.0]]);
    }
}
