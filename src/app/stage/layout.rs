//! Layout of the stage: positions of site shapes, replicas, clients, links between sites and their labels. A pure function of the
//! scenario and the size of the stage.

use super::site_placement::{self, Place};
use crate::elements::geometry::{Area, Point, point};

/// Radius of a replica's circle.
pub const NODE_RADIUS: f64 = 24.0;
/// Size of the cell of one replica: circle, log bar and three lines of text.
const CELL: Point = point(88.0, 130.0);
/// From the top of a cell to the middle of the circle.
const CELL_MIDDLE: f64 = 47.0;
/// Height of the row with the client.
const CLIENT_ROW: f64 = 40.0;
/// Height of the row with the name.
const NAME_ROW: f64 = 42.0;
/// Least width of what stands on a site shape: room for the client's latency and a second replica.
const MIN_WIDTH: f64 = 164.0;
/// Radius around a replica within which a drop lands on it.
const REACH: f64 = 44.0;
/// Size of a site shape relative to what stands on it.
const SHORE: Point = point(1.16, 1.08);

/// A site on the stage.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteShape {
    /// Its bounding box.
    pub area: Area,
    /// Its outline, an SVG path.
    pub path: String,
    /// Position of its clients.
    pub client: Point,
    /// Middle of the first line of its name.
    pub name: Point,
}

/// The line between two sites, on which their round trip is written.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteLink {
    /// The sites, by index, the lower one first.
    pub between: (usize, usize),
    /// Its end at the outline of the first.
    pub from: Point,
    /// Its end at the outline of the second.
    pub to: Point,
    /// Middle of its label; `None` where there is no room for one.
    pub label: Option<Point>,
}

/// Positions of everything on the stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Width and height of the stage, in stage units.
    pub size: Point,
    /// CSS pixels per stage unit; below 1 where not everything would fit.
    pub scale: f64,
    /// One for each site.
    pub site_shapes: Vec<SiteShape>,
    /// Middle of each replica's circle; `None` for one that is not shown.
    pub nodes: Vec<Option<Point>>,
    /// Lines between sites that have replicas.
    pub site_links: Vec<SiteLink>,
}

impl Layout {
    /// Lays out a stage of this many CSS pixels.
    pub fn new(places: &[Place], nodes: usize, width: f64, height: f64) -> Layout {
        let halves: Vec<Point> = places.iter().map(half_of).collect();
        let (middles, scale) = site_placement::site_shapes(places, &halves, point(width, height));
        let mut layout = Layout {
            size: point(width / scale, height / scale),
            scale,
            site_shapes: Vec::new(),
            nodes: vec![None; nodes],
            site_links: Vec::new(),
        };
        for ((place, middle), half) in places.iter().zip(middles).zip(halves) {
            layout.put(place, Area { middle, half });
        }
        layout.site_links = site_links(&layout, places);
        layout
    }

    /// Areas on site shapes that labels must not cover: latencies of clients, names, and replicas with their texts.
    pub fn contents(&self) -> Vec<Area> {
        let area = |x: f64, y: f64, half: Point| Area { middle: point(x, y), half };
        let mut all = Vec::new();
        for site_shape in &self.site_shapes {
            all.push(area(site_shape.client.x + 48.0, site_shape.client.y, point(64.0, 17.0)));
            all.push(area(site_shape.name.x, site_shape.name.y + 2.0, point(48.0, 18.0)));
        }
        all.extend(self.nodes.iter().flatten().map(|node| area(node.x, node.y + 17.0, point(38.0, 67.0))));
        all
    }

    /// Places a site with its replicas and clients.
    fn put(&mut self, place: &Place, area: Area) {
        let content = content_of(place);
        let top = area.middle.y - content.y / 2.0;
        let columns = columns(place.nodes.len());
        for (i, &node) in place.nodes.iter().enumerate() {
            let (row, column) = (i / columns, i % columns);
            let in_row = (place.nodes.len() - row * columns).min(columns);
            self.nodes[node] = Some(point(
                area.middle.x + (column as f64 - (in_row as f64 - 1.0) / 2.0) * CELL.x,
                top + CLIENT_ROW + row as f64 * CELL.y + CELL_MIDDLE,
            ));
        }
        self.site_shapes.push(SiteShape {
            path: site_placement::outline(area, &place.name),
            client: point(area.middle.x - 36.0, top + CLIENT_ROW / 2.0 + 1.0),
            name: point(area.middle.x, top + content.y - NAME_ROW + 18.0),
            area,
        });
    }

    /// The site shape under a point.
    pub fn site_shape_at(&self, at: Point) -> Option<usize> {
        self.site_shapes.iter().position(|site_shape| site_shape.area.holds(at))
    }

    /// The replica nearest to a point, if it is within reach.
    pub fn node_at(&self, at: Point) -> Option<usize> {
        let reach = |node: &usize| self.nodes[*node].map_or(f64::INFINITY, |middle| middle.distance(at));
        (0..self.nodes.len()).min_by(|a, b| reach(a).total_cmp(&reach(b))).filter(|node| reach(node) < REACH)
    }
}

fn columns(nodes: usize) -> usize {
    match nodes {
        0..=2 => nodes.max(1),
        3..=4 => 2,
        5..=9 => 3,
        _ => 4,
    }
}

/// Size of what stands on a site shape: replicas, client and name.
fn content_of(place: &Place) -> Point {
    let columns = columns(place.nodes.len());
    let rows = place.nodes.len().div_ceil(columns);
    point((columns as f64 * CELL.x).max(MIN_WIDTH), CLIENT_ROW + rows as f64 * CELL.y + NAME_ROW)
}

fn half_of(place: &Place) -> Point {
    let content = content_of(place);
    point(content.x * SHORE.x / 2.0, content.y * SHORE.y / 2.0)
}

/// Half the size of a site link's label.
pub const LABEL: Point = point(32.0, 11.0);
/// With more sites than this, links between them are not drawn: too many lines to read.
const FEW: usize = 5;

fn site_links(layout: &Layout, places: &[Place]) -> Vec<SiteLink> {
    let site_shapes = &layout.site_shapes;
    let busy: Vec<usize> = (0..places.len()).filter(|&site| !places[site].nodes.is_empty()).collect();
    let mut site_links = Vec::new();
    if busy.len() > FEW {
        return site_links;
    }
    for (i, &a) in busy.iter().enumerate() {
        for &b in &busy[i + 1..] {
            let from = site_shapes[a].area.edge_toward(site_shapes[b].area.middle);
            let to = site_shapes[b].area.edge_toward(site_shapes[a].area.middle);
            site_links.push(SiteLink { between: (a, b), from, to, label: None });
        }
    }
    let contents = layout.contents();
    let mut taken: Vec<Area> = Vec::new();
    for site_link in &mut site_links {
        let off_shapes = |area: &Area| !site_shapes.iter().any(|site_shape| site_shape.area.rounded_meets(area));
        let readable = |area: &Area| !contents.iter().any(|content| content.meets(area));
        let inside = |area: &Area| area.within(layout.size);
        let is_free = |area: &Area| inside(area) && !taken.iter().any(|other: &Area| other.meets(area));
        let free = label_places(site_link, &ON_LINE)
            .find(|area| off_shapes(area) && is_free(area))
            .or_else(|| label_places(site_link, &NEAR).find(|area| readable(area) && is_free(area)))
            .or_else(|| label_places(site_link, &FAR).find(|area| readable(area) && is_free(area)));
        taken.extend(free);
        site_link.label = free.map(|area| area.middle);
    }
    site_links
}

/// Candidate places of a label, best first, as a fraction of the link and a distance from it: on the link, off all site shapes.
const ON_LINE: [(f64, f64); 7] =
    [(0.5, 0.0), (0.42, 0.0), (0.58, 0.0), (0.34, 0.0), (0.66, 0.0), (0.25, 0.0), (0.75, 0.0)];
/// Candidates near the link, on a site shape if need be; for site shapes that are close together.
const NEAR: [(f64, f64); 13] = [
    (0.5, 0.0),
    (0.5, 12.0),
    (0.5, -12.0),
    (0.2, 0.0),
    (0.8, 0.0),
    (0.5, 22.0),
    (0.5, -22.0),
    (0.0, 0.0),
    (1.0, 0.0),
    (0.0, 18.0),
    (0.0, -18.0),
    (1.0, 18.0),
    (1.0, -18.0),
];
/// Candidates farther away, the last resort.
const FAR: [(f64, f64); 12] = [
    (0.5, 34.0),
    (0.5, -34.0),
    (0.5, 48.0),
    (0.5, -48.0),
    (0.5, 64.0),
    (0.5, -64.0),
    (0.5, 80.0),
    (0.5, -80.0),
    (0.5, 104.0),
    (0.5, -104.0),
    (0.5, 130.0),
    (0.5, -130.0),
];

fn label_places(site_link: &SiteLink, places: &[(f64, f64)]) -> impl Iterator<Item = Area> {
    let (from, to) = (site_link.from, site_link.to);
    let length = from.distance(to).max(1.0);
    let across = point((from.y - to.y) / length, (to.x - from.x) / length);
    places.iter().map(move |(part, aside)| {
        let at = from.toward(to, *part);
        Area { middle: point(at.x + across.x * aside, at.y + across.y * aside), half: LABEL }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGIONS: [(&str, f64, f64); 9] = [
        ("Virginia", 38.9, -77.4),
        ("Ohio", 40.0, -83.0),
        ("Oregon", 45.8, -119.7),
        ("Ireland", 53.3, -6.3),
        ("London", 51.5, -0.1),
        ("Frankfurt", 50.1, 8.7),
        ("Tokyo", 35.7, 139.7),
        ("Sydney", -33.9, 151.2),
        ("São Paulo", -23.5, -46.6),
    ];

    fn places(regions: usize, nodes: usize) -> Vec<Place> {
        let mut places: Vec<Place> = REGIONS[..regions]
            .iter()
            .map(|&(name, latitude, longitude)| Place { name: name.to_owned(), latitude, longitude, nodes: Vec::new() })
            .collect();
        (0..nodes).for_each(|node| places[node % regions].nodes.push(node));
        places
    }

    #[test]
    fn site_shapes_neither_overlap_nor_leave_the_stage() {
        for (width, height) in [(920.0, 600.0), (1400.0, 700.0), (390.0, 520.0), (640.0, 360.0), (320.0, 480.0)] {
            for regions in 1..=9 {
                for nodes in [1, 3, 5, 9] {
                    let layout = Layout::new(&places(regions, nodes), nodes, width, height);
                    for (i, site_shape) in layout.site_shapes.iter().enumerate() {
                        let Area { middle, half } = site_shape.area;
                        let what = format!("{width}×{height}, {regions} regions, {nodes} nodes, site {i}");
                        assert!(middle.x >= half.x && middle.x + half.x <= layout.size.x + 1e-6, "{what} {middle:?}");
                        assert!(middle.y >= half.y && middle.y + half.y <= layout.size.y + 1e-6, "{what} {middle:?}");
                        for other in &layout.site_shapes[i + 1..] {
                            assert!(!site_shape.area.meets(&other.area), "{what} meets another");
                        }
                    }
                    assert!(layout.scale > 0.3, "{width}×{height}, {regions} regions: {}", layout.scale);
                }
            }
        }
    }

    #[test]
    fn site_link_labels_are_near_their_links_and_cover_no_text() {
        for (width, height) in [(960.0, 620.0), (830.0, 430.0), (540.0, 330.0), (358.0, 490.0), (608.0, 260.0)] {
            for regions in 2..=3 {
                for first in 0..6 {
                    let mut all = places(regions + first, 0).split_off(first);
                    (0..5).for_each(|node| all[node % regions].nodes.push(node));
                    let layout = Layout::new(&all, 5, width, height);
                    for site_link in &layout.site_links {
                        let what =
                            format!("{width}×{height}, {regions} regions from {first}, link {:?}", site_link.between);
                        let label = site_link.label.expect(&what);
                        let steps = (0..=20).map(|step| site_link.from.toward(site_link.to, f64::from(step) / 20.0));
                        let off = steps.map(|at| at.distance(label)).fold(f64::INFINITY, f64::min);
                        assert!(off < 40.0, "{what}: its label is {off:.0} away");
                        let area = Area { middle: label, half: LABEL };
                        assert!(
                            !layout.contents().iter().any(|content| content.meets(&area)),
                            "{what}: it covers text"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn sites_keep_west_to_east_order_with_the_widest_gap_as_edge() {
        let layout = Layout::new(&places(4, 5), 5, 1400.0, 700.0);
        let x = |site: usize| layout.site_shapes[site].area.middle.x;
        assert!(x(2) < x(1) && x(2) < x(0) && x(0) < x(3), "Oregon, Virginia, Ireland");
        let mut pacific = places(7, 0);
        pacific = vec![pacific.remove(6), pacific.remove(2), pacific.remove(0)];
        let layout = Layout::new(&pacific, 0, 1400.0, 700.0);
        let x = |site: usize| layout.site_shapes[site].area.middle.x;
        assert!(x(0) < x(1) && x(1) < x(2), "Tokyo, Oregon, Virginia");
    }
}
