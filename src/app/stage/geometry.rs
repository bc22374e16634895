//! Points and boxes on the stage, in its own units (CSS pixels when nothing had to be made smaller).

/// A point, or a way from one to another.
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
    /// From here, part of the way to another point.
    pub fn toward(self, other: Point, part: f64) -> Point {
        point(self.x + (other.x - self.x) * part, self.y + (other.y - self.y) * part)
    }

    /// How far another point is.
    pub fn distance(self, other: Point) -> f64 {
        length(self.x - other.x, self.y - other.y)
    }
}

/// How long a way is. Screens are too small for it to overflow.
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
    /// How deep two boxes overlap each way, if kept `gap` apart; not above 0 in either way if they do not.
    pub fn overlap(&self, other: &Area, gap: f64) -> Point {
        point(
            self.half.x + other.half.x + gap - (self.middle.x - other.middle.x).abs(),
            self.half.y + other.half.y + gap - (self.middle.y - other.middle.y).abs(),
        )
    }

    /// Whether two boxes share any point.
    pub fn meets(&self, other: &Area) -> bool {
        let overlap = self.overlap(other, 0.0);
        overlap.x > 0.0 && overlap.y > 0.0
    }

    /// Whether the other box reaches into the rounded shape that fills this one, such as an site shape's.
    pub fn rounded_meets(&self, other: &Area) -> bool {
        let apart =
            |middle: f64, half: f64, other: f64, other_half: f64| ((other - middle).abs() - other_half).max(0.0) / half;
        let x = apart(self.middle.x, self.half.x, other.middle.x, other.half.x);
        let y = apart(self.middle.y, self.half.y, other.middle.y, other.half.y);
        x * x * x + y * y * y < 1.1
    }

    /// Whether all of it is on a stage of this size.
    pub fn within(&self, stage: Point) -> bool {
        let inside = |middle: f64, half: f64, size: f64| middle >= half && middle + half <= size;
        inside(self.middle.x, self.half.x, stage.x) && inside(self.middle.y, self.half.y, stage.y)
    }

    /// Whether the point is inside.
    pub fn holds(&self, at: Point) -> bool {
        (at.x - self.middle.x).abs() <= self.half.x && (at.y - self.middle.y).abs() <= self.half.y
    }

    /// Where a ray from the middle towards `to` leaves the ellipse in this box.
    pub fn edge_toward(&self, to: Point) -> Point {
        let (dx, dy) = (to.x - self.middle.x, to.y - self.middle.y);
        let reach = length(dx / self.half.x, dy / self.half.y).max(f64::EPSILON);
        self.middle.toward(to, (1.0 / reach).min(1.0))
    }
}
