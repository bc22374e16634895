//! Plane geometry of the stage: points, boxes, directions and arcs, in stage units (CSS pixels at scale 1).

use std::f64::consts::TAU;

/// A point, or a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

/// A point.
pub const fn point(x: f64, y: f64) -> Point {
    Point { x, y }
}

impl Point {
    /// The point at a fraction of the segment to another point: 0 is here, 1 is there.
    pub fn toward(self, other: Point, part: f64) -> Point {
        point(self.x + (other.x - self.x) * part, self.y + (other.y - self.y) * part)
    }

    /// Euclidean distance.
    pub fn distance(self, other: Point) -> f64 {
        length(self.x - other.x, self.y - other.y)
    }
}

/// Length of a vector. Screen coordinates are too small for it to overflow.
fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

/// A box, by its middle and half its width and height.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    /// Its middle.
    pub middle: Point,
    /// Half its width and height.
    pub half: Point,
}

impl Area {
    /// Overlap of two boxes in x and y, if kept `gap` apart; at most 0 in one of them if they do not overlap.
    pub fn overlap(&self, other: &Area, gap: f64) -> Point {
        point(
            self.half.x + other.half.x + gap - (self.middle.x - other.middle.x).abs(),
            self.half.y + other.half.y + gap - (self.middle.y - other.middle.y).abs(),
        )
    }

    /// Whether two boxes overlap.
    pub fn meets(&self, other: &Area) -> bool {
        let overlap = self.overlap(other, 0.0);
        overlap.x > 0.0 && overlap.y > 0.0
    }

    /// Whether the other box reaches into the superellipse inscribed in this one, the shape of a site.
    pub fn rounded_meets(&self, other: &Area) -> bool {
        let apart =
            |middle: f64, half: f64, other: f64, other_half: f64| ((other - middle).abs() - other_half).max(0.0) / half;
        let x = apart(self.middle.x, self.half.x, other.middle.x, other.half.x);
        let y = apart(self.middle.y, self.half.y, other.middle.y, other.half.y);
        x * x * x * x + y * y * y * y < 1.1
    }

    /// Whether the box lies within a stage of this size.
    pub fn within(&self, stage: Point) -> bool {
        let inside = |middle: f64, half: f64, size: f64| middle >= half && middle + half <= size;
        inside(self.middle.x, self.half.x, stage.x) && inside(self.middle.y, self.half.y, stage.y)
    }

    /// Whether the point is inside.
    pub fn holds(&self, at: Point) -> bool {
        (at.x - self.middle.x).abs() <= self.half.x && (at.y - self.middle.y).abs() <= self.half.y
    }

    /// Where a ray from the middle towards `to` leaves the superellipse in this box, the shape of a site.
    pub fn edge_toward(&self, to: Point) -> Point {
        let (x, y) = ((to.x - self.middle.x) / self.half.x, (to.y - self.middle.y) / self.half.y);
        let far = length(x, y).max(f64::EPSILON);
        self.middle.toward(to, (SHORE * squircle(x / far, y / far) / far).min(1.0))
    }
}

/// How far the outline of a site reaches beyond the superellipse, on average.
const SHORE: f64 = 1.02;

/// Radius of the superellipse of exponent 4 in the direction of a unit vector: it leaves room for the corners of a box.
pub fn squircle(x: f64, y: f64) -> f64 {
    let (x, y) = (x * x, y * y);
    1.0 / (x * x + y * y).sqrt().sqrt()
}

/// The unit vector after this many turns clockwise from the positive x axis.
pub fn direction(turns: f64) -> Point {
    let angle = turns * TAU;
    point(cos(angle), sin(angle))
}

/// An arc of a circle around the origin between two angles in turns, clockwise from the top, as an SVG path.
pub fn arc(radius: f64, from: f64, to: f64) -> String {
    let at = |turns: f64| {
        let Point { x, y } = direction(turns - 0.25);
        format!("{} {}", hundredths(x * radius), hundredths(y * radius))
    };
    let long = u8::from(to - from > 0.5);
    format!("M{}A{radius} {radius} 0 {long} 1 {}", at(from), at(to), radius = hundredths(radius))
}

fn hundredths(value: f64) -> String {
    let all = (value * 100.0).round() as i64;
    format!("{}{}.{:02}", if all < 0 { "-" } else { "" }, all.abs() / 100, all.abs() % 100)
}

// In the browser, sines come from JavaScript: those of the library would be among the largest functions of the page.
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
}
