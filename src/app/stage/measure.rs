//! Sizes of what stands on a place, in stage units: how large its letters are, what is left out where there is little room, and how much
//! space that takes.

use crate::elements::geometry::{Point, point};

/// Radius of a replica's circle.
pub const NODE_RADIUS: f64 = 24.0;
/// Letters are no smaller than this share of their size at scale 1, on the screen: 12 of 12.5 pixels.
const READABLE: f64 = 0.97;
/// Width of a letter, as a share of its height: of a wide font, and of a wide bold one.
const LETTER: (f64, f64) = (0.6, 0.66);
/// The same of a latency in bold: digits are wide.
const DIGIT: f64 = 0.75;
/// Letters of a role: most are no longer, and where little is told the others are cut.
const ROLE: (usize, usize) = (12, 9);
/// Letters that a cut role keeps.
const CUT: usize = 6;
/// Letters of `median 145 ms` and of `145 ms`.
const LATENCY: (f64, f64) = (13.0, 6.0);
/// Side of a client's box, and the gap between it and its texts.
const BOX: (f64, f64) = (28.0, 8.0);

/// What is told of places and replicas, from all to least: ids and medians are left out first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    #[default]
    All,
    /// No ids of places, no medians.
    NoMedians,
    /// No terms or ballots either.
    NoEpochs,
    /// No roles either: numbers, logs and signs.
    NoRoles,
}

impl Detail {
    /// Distances between places that are tried, the widest first: with room for the label of a link, if there is any.
    pub fn gaps(self) -> &'static [f64] {
        if self == Detail::All { &[34.0] } else { &[70.0, 52.0, 34.0, 10.0] }
    }

    /// From all to least, each with the smallest scale at which it is tried.
    pub const LADDER: [(Detail, f64); 4] =
        [(Detail::All, READABLE), (Detail::NoMedians, 0.8), (Detail::NoEpochs, 0.74), (Detail::NoRoles, 0.56)];
}

/// The sizes at one scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// What is told.
    pub detail: Detail,
    /// Factor by which letters are larger than at scale 1, in stage units.
    pub text: f64,
    /// Least distance between two site shapes.
    pub gap: f64,
}

impl Default for Measure {
    fn default() -> Measure {
        Measure::at(Detail::All, 1.0, 1.0)
    }
}

impl Measure {
    /// Sizes at a scale, CSS pixels per stage unit. `font`: how much larger than usual the person wants letters.
    pub fn at(detail: Detail, scale: f64, font: f64) -> Measure {
        Measure { detail, text: (READABLE * font / scale).max(1.0), gap: detail.gaps()[0] }
    }

    /// Whether little is told.
    pub fn terse(self) -> bool {
        self.detail > Detail::All
    }

    /// Whether roles are told.
    pub fn roles(self) -> bool {
        self.detail < Detail::NoRoles
    }

    /// Whether terms and ballots are told.
    pub fn epochs(self) -> bool {
        self.detail < Detail::NoEpochs
    }

    /// Height of the letters of places and latencies, as in the style sheet.
    fn large(self) -> f64 {
        if self.terse() { 14.0 * self.text } else { 16.0 * self.text }
    }

    /// From the middle of a replica's circle to the baseline of its role.
    pub fn role(self) -> f64 {
        43.0 + 13.0 * self.text
    }

    /// The same of its term or ballot.
    pub fn epoch(self) -> f64 {
        self.role() + 14.5 * self.text
    }

    /// The same of what is out of order with it: where little is told, in place of the term. `None` where there is no place.
    pub fn fault_label(self) -> Option<f64> {
        match self.detail {
            Detail::All => Some(self.epoch() + 14.0 * self.text),
            Detail::NoMedians => Some(self.epoch()),
            _ => None,
        }
    }

    /// Letters for which there is room in that line, beside another replica.
    pub fn fault_letters(self) -> usize {
        if self.terse() { ROLE.1 } else { usize::MAX }
    }

    /// A role as there is room for it.
    pub fn role_text(self, role: &'static str) -> String {
        if !self.terse() {
            // Of a long one the last words, which tell it from the others: `in doubt`.
            return role.split_once(' ').filter(|_| role.len() > ROLE.0).map_or(role, |(_, rest)| rest).to_owned();
        }
        match role.get(..CUT).filter(|_| role.len() > ROLE.1) {
            Some(begin) => format!("{begin}."),
            None => role.to_owned(),
        }
    }

    /// From the middle of a replica's circle up to that of its leader badge.
    pub fn badge(self) -> f64 {
        if self.terse() { 33.0 } else { 37.0 }
    }

    /// From the top of a cell to the middle of its circle.
    pub fn cell_middle(self) -> f64 {
        self.badge() + 10.0
    }

    /// Size of the cell of one replica: circle, log bar, and lines of text.
    pub fn cell(self) -> Point {
        let last = self.fault_label().unwrap_or_else(|| if self.roles() { self.role() } else { 40.0 });
        let letters = match (self.terse(), self.roles()) {
            (false, _) => ROLE.0 as f64 * 13.0,
            (true, true) => ROLE.1 as f64 * 12.5,
            (true, false) => 0.0,
        };
        point((letters * LETTER.0 * self.text).max(62.0), self.cell_middle() + last + 4.0 * self.text)
    }

    /// Half the size of a replica with its texts.
    pub fn node_half(self) -> Point {
        let cell = self.cell();
        point(cell.x / 2.0 - 6.0, (cell.y - self.cell_middle() + self.badge() + 9.0) / 2.0)
    }

    /// Baselines of latency and median, from the middle of the client's box.
    pub fn latency(self) -> (f64, f64) {
        if self.terse() { (5.0 * self.text, 0.0) } else { (-2.0 * self.text, 13.0 * self.text) }
    }

    /// Width of a client's texts.
    fn latency_width(self) -> f64 {
        let latest = LATENCY.1 * DIGIT * self.large();
        if self.terse() { latest } else { latest.max(LATENCY.0 * LETTER.0 * 12.5 * self.text) }
    }

    /// Width of a client with its texts.
    pub fn client_width(self) -> f64 {
        BOX.0 + BOX.1 + self.latency_width()
    }

    /// Height of the row with the client.
    pub fn client_row(self) -> f64 {
        if self.terse() { (6.0 + 16.0 * self.text).max(32.0) } else { 10.0 + 31.0 * self.text }
    }

    /// Height of the row with the name, and from its top to the name's baseline.
    pub fn name_row(self) -> (f64, f64) {
        let name = 2.0 + self.large();
        (if self.terse() { name + 6.0 } else { name + 15.0 * self.text + 9.0 }, name)
    }

    /// From the baseline of a place's name to that of its id.
    pub fn id(self) -> f64 {
        15.0 * self.text
    }

    /// Least width of what stands on a place.
    pub fn width(self, name: &str) -> f64 {
        let name = name.chars().count().min(18) as f64 * LETTER.1 * self.large();
        // The corners of the shape are round.
        (self.client_width() + 10.0).max(name)
    }

    /// Size of a site shape relative to what stands on it.
    pub fn shore(self) -> Point {
        if self.terse() { point(1.08, 1.05) } else { point(1.16, 1.08) }
    }

    /// Least distance between two site shapes, and from one to the edge of the stage.
    pub fn apart(self) -> (f64, f64) {
        (self.gap, if self.terse() { 4.0 } else { 16.0 })
    }

    /// Half the size of a site link's label.
    pub fn label(self) -> Point {
        point(3.0 + 29.0 * self.text, 3.0 + 8.0 * self.text)
    }
}
