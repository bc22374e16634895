//! The lanes: which there are, in which order, and where they lie. Pinned ones are on top and stay when the others scroll.

use crate::run::context::RunContext;
use quorumscope::core::NodeId;
use quorumscope::lab::run::diagram::Lane;
use quorumscope::universe::Universe;

/// Least height of a lane, and most, CSS pixels.
const LEAST: f64 = 24.0;
const MOST: f64 = 110.0;

/// A lane with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which.
    pub lane: Lane,
    /// In bold: the number of a node.
    pub short: String,
    /// Its place.
    pub place: String,
    /// Whether it is pinned.
    pub pinned: bool,
}

impl Row {
    /// In words: `node 3`, `clients in Virginia`.
    pub fn name(&self) -> String {
        match self.lane {
            Lane::Node(_) => format!("node {}", self.short),
            Lane::Clients(_) => format!("clients in {}", self.place),
        }
    }
}

/// All lanes, pinned ones first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lanes {
    /// In the order in which they are drawn.
    pub rows: Vec<Row>,
    /// Pinned lanes.
    pub pinned: Vec<Lane>,
    /// The lanes' area: its top and its height, CSS pixels.
    pub area: (f64, f64),
    /// How far the others are scrolled, CSS pixels.
    pub scrolled: f64,
}

impl Lanes {
    /// Those of a run.
    pub fn update(&mut self, context: &RunContext, universe: &dyn Universe) {
        let place = |site: u8| context.names.get(usize::from(site)).map(|name| name.to_string()).unwrap_or_default();
        let nodes = (0..universe.nodes()).map(|node| {
            let view = universe.node(NodeId(node));
            (Lane::Node(NodeId(node)), (node + 1).to_string(), place(view.site))
        });
        let asking = context.asks.iter().enumerate().filter(|(_, asks)| **asks);
        let clients = asking.map(|(site, _)| (Lane::Clients(site as u8), "clients".to_owned(), place(site as u8)));
        let all: Vec<_> = nodes.chain(clients).collect();
        self.pinned.retain(|pinned| all.iter().any(|(lane, ..)| lane == pinned));
        let row = |(lane, short, place): &(Lane, String, String)| Row {
            lane: *lane,
            short: short.clone(),
            place: place.clone(),
            pinned: self.pinned.contains(lane),
        };
        self.rows = all.iter().map(row).filter(|row| row.pinned).collect();
        self.rows.extend(all.iter().map(row).filter(|row| !row.pinned));
        self.scroll(0.0);
    }

    /// Pins a lane, or lets it go.
    pub fn pin(&mut self, lane: Lane) {
        match self.pinned.iter().position(|pinned| *pinned == lane) {
            Some(index) => drop(self.pinned.remove(index)),
            None => self.pinned.push(lane),
        }
    }

    /// Height of a lane, CSS pixels.
    pub fn height(&self) -> f64 {
        (self.area.1 / self.rows.len().max(1) as f64).clamp(LEAST, MOST)
    }

    /// How far they can be scrolled, CSS pixels.
    pub fn most(&self) -> f64 {
        (self.rows.len() as f64 * self.height() - self.area.1).max(0.0)
    }

    /// Scrolls by so much.
    pub fn scroll(&mut self, by: f64) {
        self.scrolled = (self.scrolled + by).clamp(0.0, self.most());
    }

    /// Scrolls to where a lane is seen.
    pub fn show(&mut self, index: usize) {
        let (top, height) = (index as f64 * self.height(), self.height());
        let pinned = self.pinned.len() as f64 * height;
        let (least, most) = (top + height - self.area.1, top - pinned);
        if index >= self.pinned.len() {
            self.scrolled = self.scrolled.clamp(least.min(most), most).clamp(0.0, self.most());
        }
    }

    /// Where a row lies: its middle, CSS pixels; and whether it is seen. What is scrolled away lies at the edge.
    pub fn y(&self, index: usize) -> (f64, bool) {
        let (top, height) = (self.area.0, self.height());
        let middle = top + (index as f64 + 0.5) * height;
        if index < self.pinned.len() {
            return (middle, true);
        }
        let y = middle - self.scrolled;
        let (first, last) = (top + self.pinned.len() as f64 * height, top + self.area.1);
        let seen = y >= first + height * 0.25 && y <= last - height * 0.25;
        (y.clamp(first.min(last), last), seen)
    }

    /// The rows of all lanes, for many look-ups.
    pub fn indices(&self) -> Indices {
        let mut indices = Indices([u8::MAX; 512]);
        for (index, row) in self.rows.iter().enumerate() {
            indices.0[Indices::place(row.lane)] = index as u8;
        }
        indices
    }

    /// The row of a lane.
    pub fn index(&self, lane: Lane) -> Option<usize> {
        self.rows.iter().position(|row| row.lane == lane)
    }
}

/// The row of each lane: those of nodes, then those of clients.
pub struct Indices([u8; 512]);

impl Indices {
    fn place(lane: Lane) -> usize {
        match lane {
            Lane::Node(node) => usize::from(node.0),
            Lane::Clients(site) => 256 + usize::from(site),
        }
    }

    /// That of a lane.
    pub fn of(&self, lane: Lane) -> Option<usize> {
        let index = self.0[Indices::place(lane)];
        (index < u8::MAX).then_some(index.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(count: u8, height: f64) -> Lanes {
        let row = |node: u8| Row {
            lane: Lane::Node(NodeId(node)),
            short: (node + 1).to_string(),
            place: String::new(),
            pinned: false,
        };
        Lanes { rows: (0..count).map(row).collect(), pinned: Vec::new(), area: (20.0, height), scrolled: 0.0 }
    }

    #[test]
    fn few_lanes_share_the_room_and_many_scroll() {
        assert_eq!(lanes(5, 200.0).height(), 40.0);
        assert_eq!(lanes(5, 200.0).most(), 0.0);
        let mut many = lanes(30, 240.0);
        assert_eq!((many.height(), many.most()), (24.0, 480.0));
        many.show(29);
        assert!(many.y(29).1 && !many.y(0).1);
        many.show(0);
        assert_eq!((many.scrolled, many.y(0)), (0.0, (32.0, true)));
    }

    #[test]
    fn pinned_lane_stays_where_it_is_when_the_others_scroll() {
        let mut many = lanes(30, 220.0);
        many.pin(many.rows[0].lane);
        let before = many.y(0);
        many.scroll(1_000.0);
        assert_eq!(many.y(0), before);
        // What is scrolled away is not drawn over it.
        assert!((1..30).all(|index| many.y(index).0 > before.0));
    }
}
