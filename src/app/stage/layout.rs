//! Layout of the stage: positions of site shapes, replicas, clients, links between sites and their labels. A pure function of the
//! scenario and the size of the stage.

use super::measure::{Detail, Measure};
use super::site_placement::{self, Place, Room};
use crate::elements::geometry::{Area, Point, point};

/// Radius around a replica within which a drop lands on it.
const REACH: f64 = 44.0;
/// Size of a stage on which letters and circles have their sizes as they are written; on a larger one they grow, up to a bound.
const USUAL: Point = point(990.0, 616.0);
const LARGEST: f64 = 1.6;
/// Factor by which the scale is reduced until all shapes fit.
const SHRINK: f64 = 0.94;
/// The smallest scale.
const SMALLEST: f64 = 0.3;

/// What the stage has to fit into.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// Width, CSS pixels.
    pub width: f64,
    /// Height, CSS pixels.
    pub height: f64,
    /// How much larger than usual the person wants letters.
    pub font: f64,
}

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
    /// What it fits into.
    pub window: Window,
    /// Width and height of the stage, in stage units.
    pub size: Point,
    /// CSS pixels per stage unit.
    pub scale: f64,
    /// Sizes of letters, and what is told.
    pub measure: Measure,
    /// One for each site.
    pub site_shapes: Vec<SiteShape>,
    /// The seats of each site with the replicas on them; one that was left stays free for the next that comes.
    seats: Vec<Vec<Option<usize>>>,
    /// Middle of each replica's circle; `None` for one that is not shown.
    pub nodes: Vec<Option<Point>>,
    /// Lines between sites that have replicas.
    pub site_links: Vec<SiteLink>,
}

impl Layout {
    /// Lays out a stage. What was there `before`, of the same places, stays where it stood as far as can be.
    pub fn new(places: &[Place], nodes: usize, window: Window, before: Option<&Layout>) -> Layout {
        let seats: Vec<_> = places.iter().enumerate().map(|(site, place)| seats(place, site, before)).collect();
        let kept = before.filter(|before| before.window == window).and_then(|before| stay(places, &seats, before));
        let (middles, scale, measure) = kept.unwrap_or_else(|| fit(places, &seats, window));
        let mut layout = Layout {
            window,
            size: point(window.width / scale, window.height / scale),
            scale,
            measure,
            site_shapes: Vec::new(),
            seats: Vec::new(),
            nodes: vec![None; nodes],
            site_links: Vec::new(),
        };
        for ((place, seats), middle) in places.iter().zip(seats).zip(middles) {
            layout.put(place, seats, middle);
        }
        layout.site_links = site_links(&layout, places);
        layout
    }

    /// Areas on site shapes that labels must not cover: latencies of clients, names, and replicas with their texts.
    pub fn contents(&self) -> Vec<Area> {
        let area = |x: f64, y: f64, half: Point| Area { middle: point(x, y), half };
        let measure = self.measure;
        let (wide, up) = (measure.client_width() / 2.0, measure.badge() + 9.0);
        let mut all = Vec::new();
        for SiteShape { client, name, area: shape, .. } in &self.site_shapes {
            all.push(area(client.x - CLIENT + wide, client.y, point(wide + 4.0, 17.0 * measure.text)));
            let (row, down) = measure.name_row();
            all.push(area(
                name.x,
                name.y - down + row / 2.0,
                point((52.0 * measure.text).min(shape.half.x - 4.0), row / 2.0),
            ));
        }
        let half = measure.node_half();
        all.extend(self.nodes.iter().flatten().map(|node| area(node.x, node.y - up + half.y, half)));
        all
    }

    /// Places a site with its replicas and clients.
    fn put(&mut self, place: &Place, seats: Vec<Option<usize>>, middle: Point) {
        let measure = self.measure;
        let (content, cell) = (content_of(place, &seats, measure), measure.cell());
        let top = middle.y - content.y / 2.0;
        let columns = columns(seats.len());
        for (i, node) in seats.iter().enumerate() {
            let (row, column) = (i / columns, i % columns);
            let in_row = (seats.len() - row * columns).min(columns);
            if let Some(node) = *node {
                self.nodes[node] = Some(point(
                    middle.x + (column as f64 - (in_row as f64 - 1.0) / 2.0) * cell.x,
                    top + measure.client_row() + row as f64 * cell.y + measure.cell_middle(),
                ));
            }
        }
        let (name_row, name) = measure.name_row();
        let area = Area { middle, half: half_of(content, measure) };
        self.site_shapes.push(SiteShape {
            path: site_placement::outline(area, &place.name),
            client: point(middle.x - measure.client_width() / 2.0 + CLIENT, top + measure.client_row() / 2.0),
            name: point(middle.x, top + content.y - name_row + name),
            area,
        });
        self.seats.push(seats);
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

/// Half the side of a client's box.
const CLIENT: f64 = 14.0;

/// Size of what stands on a site shape: replicas, client and name.
fn content_of(place: &Place, seats: &[Option<usize>], measure: Measure) -> Point {
    let columns = columns(seats.len());
    let (rows, cell) = (seats.len().div_ceil(columns), measure.cell());
    // Where there is room, a second replica finds a seat without the place having to grow.
    let least = if measure.terse() || seats.is_empty() { columns } else { columns.max(2) };
    let wide = (least as f64 * cell.x).max(measure.width(&place.name));
    point(wide, measure.client_row() + rows as f64 * cell.y + measure.name_row().0)
}

fn half_of(content: Point, measure: Measure) -> Point {
    let shore = measure.shore();
    point(content.x * shore.x / 2.0, content.y * shore.y / 2.0)
}

/// Who sits where at a site: nobody moves whom nothing happened to.
fn seats(place: &Place, site: usize, before: Option<&Layout>) -> Vec<Option<usize>> {
    let mut seats = before.and_then(|before| before.seats.get(site)).cloned().unwrap_or_default();
    for seat in &mut seats {
        *seat = seat.filter(|node| place.nodes.contains(node));
    }
    for &node in place.nodes.iter() {
        if seats.contains(&Some(node)) {
            continue;
        }
        match seats.iter().position(Option::is_none) {
            Some(free) => seats[free] = Some(node),
            None => seats.push(Some(node)),
        }
    }
    seats
}

/// The middles, at the same scale, of sites that stay where they stood; those that grow do so downwards, and push others only as far as it takes.
fn stay(places: &[Place], seats: &[Vec<Option<usize>>], before: &Layout) -> Option<(Vec<Point>, f64, Measure)> {
    let measure = before.measure;
    let halves = halves(places, seats, measure);
    let grown = before.site_shapes.iter().zip(&halves).map(|(SiteShape { area, .. }, half)| {
        point(area.middle.x, area.middle.y + (half.y - area.half.y) / measure.shore().y)
    });
    let room = Room { size: before.size, apart: measure.apart() };
    let middles = site_placement::spread(places, &halves, room, Some(&grown.collect::<Vec<_>>()))?;
    Some((middles, before.scale, measure))
}

fn halves(places: &[Place], seats: &[Vec<Option<usize>>], measure: Measure) -> Vec<Point> {
    places.iter().zip(seats).map(|(place, seats)| half_of(content_of(place, seats, measure), measure)).collect()
}

/// The middle of each site, the scale, and the sizes: as large and as detailed as the window allows.
fn fit(places: &[Place], seats: &[Vec<Option<usize>>], window: Window) -> (Vec<Point>, f64, Measure) {
    let Window { width, height, font } = window;
    let large = (width / USUAL.x).min(height / USUAL.y).clamp(1.0, LARGEST);
    let most = large.max(font);
    for (detail, least) in Detail::LADDER {
        let mut scale = if detail == Detail::All { most } else { font.max(1.0) };
        while scale >= least {
            for &gap in detail.gaps() {
                let measure = Measure { gap, ..Measure::at(detail, scale, font) };
                let halves = halves(places, seats, measure);
                let room = Room { size: point(width / scale, height / scale), apart: measure.apart() };
                if let Some(middles) = site_placement::spread(places, &halves, room, None) {
                    return (middles, scale, measure);
                }
            }
            scale *= SHRINK;
        }
    }
    // In rows something always fits; letters are readable if there is a scale at which they are.
    let mut scale = 1.0;
    loop {
        let measure = Measure { gap: 10.0, ..Measure::at(Detail::NoRoles, scale, font) };
        let halves = halves(places, seats, measure);
        let (middles, fits) = site_placement::rows(places, &halves, point(width, height), measure.apart().0);
        if fits >= scale || scale < SMALLEST {
            return (middles, fits, measure);
        }
        scale *= SHRINK;
    }
}

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
    let half = layout.measure.label();
    let mut taken: Vec<Area> = Vec::new();
    for site_link in &mut site_links {
        let off_shapes = |area: &Area| !site_shapes.iter().any(|site_shape| site_shape.area.rounded_meets(area));
        let readable = |area: &Area| !contents.iter().any(|content| content.meets(area));
        let inside = |area: &Area| area.within(layout.size);
        let is_free = |area: &Area| inside(area) && !taken.iter().any(|other: &Area| other.meets(area));
        let free = label_places(site_link, INSIDE, &NEAR[..1], half)
            .find(|area| off_shapes(area) && is_free(area))
            .or_else(|| label_places(site_link, PARTS.len(), &NEAR, half).find(|area| readable(area) && is_free(area)))
            .or_else(|| label_places(site_link, 1, &FAR, half).find(|area| readable(area) && is_free(area)));
        taken.extend(free);
        site_link.label = free.map(|area| area.middle);
    }
    site_links
}

/// Candidate places of a label, best first, as a fraction of the link and a distance from it.
const PARTS: [f64; 11] = [0.5, 0.42, 0.58, 0.34, 0.66, 0.25, 0.75, 0.12, 0.88, 0.0, 1.0];
/// How many of them are well inside the link.
const INSIDE: usize = 7;
/// Near the link, and farther away, the last resort.
const NEAR: [f64; 9] = [0.0, 12.0, -12.0, 21.0, -21.0, 30.0, -30.0, 38.0, -38.0];
const FAR: [f64; 10] = [48.0, -48.0, 64.0, -64.0, 80.0, -80.0, 104.0, -104.0, 130.0, -130.0];

fn label_places(site_link: &SiteLink, parts: usize, asides: &[f64], half: Point) -> impl Iterator<Item = Area> {
    let (from, to) = (site_link.from, site_link.to);
    let length = from.distance(to).max(1.0);
    let across = point((from.y - to.y) / length, (to.x - from.x) / length);
    let places = asides.iter().flat_map(move |aside| PARTS[..parts].iter().map(move |part| (*part, *aside)));
    places.map(move |(part, aside)| {
        let at = from.toward(to, part);
        Area { middle: point(at.x + across.x * aside, at.y + across.y * aside), half }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGIONS: [(&str, f64, f64); 11] = [
        ("Virginia", 38.9, -77.4),
        ("Ohio", 40.0, -83.0),
        ("Oregon", 45.8, -119.7),
        ("Ireland", 53.3, -6.3),
        ("London", 51.5, -0.1),
        ("Frankfurt", 50.1, 8.7),
        ("Tokyo", 35.7, 139.7),
        ("Sydney", -33.9, 151.2),
        ("São Paulo", -23.5, -46.6),
        ("Mumbai", 19.1, 72.9),
        ("Cape Town", -33.9, 18.4),
    ];

    fn window(width: f64, height: f64) -> Window {
        Window { width, height, font: 1.0 }
    }

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
                    let layout = Layout::new(&places(regions, nodes), nodes, window(width, height), None);
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
                    let layout = Layout::new(&all, 5, window(width, height), None);
                    for site_link in &layout.site_links {
                        let what =
                            format!("{width}×{height}, {regions} regions from {first}, link {:?}", site_link.between);
                        let label = site_link.label.expect(&what);
                        let steps = (0..=20).map(|step| site_link.from.toward(site_link.to, f64::from(step) / 20.0));
                        let off = steps.map(|at| at.distance(label)).fold(f64::INFINITY, f64::min);
                        assert!(off < 40.0, "{what}: its label is {off:.0} away");
                        let area = Area { middle: label, half: layout.measure.label() };
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
    fn letters_are_readable_on_any_stage_with_any_number_of_regions() {
        for (width, height) in [
            (1860.0, 800.0),
            (875.0, 386.0),
            (823.0, 283.0),
            (814.0, 195.0),
            (610.0, 258.0),
            (360.0, 438.0),
            (345.0, 172.0),
        ] {
            for (regions, nodes) in [(1, 3), (3, 5), (5, 5), (3, 9), (11, 5)] {
                // As the style sheet has it: where places are one below the other, each adds to the height.
                let height = if regions > 5 { f64::max(height, 594.0) } else { height };
                // A tiny frame cannot have letters of any size.
                let fonts: &[f64] = if width > 800.0 && height > 200.0 { &[1.0, 1.6] } else { &[1.0] };
                for &font in fonts {
                    let layout = Layout::new(&places(regions, nodes), nodes, Window { width, height, font }, None);
                    let letter = 12.5 * layout.measure.text * layout.scale;
                    assert!(
                        letter >= 12.0 * font,
                        "{width}×{height}, {regions} regions, {nodes} nodes, {font}: {letter:.1} px"
                    );
                }
            }
        }
    }

    #[test]
    fn large_stage_has_large_letters_and_small_one_leaves_ids_and_medians_out_first() {
        let on = |width, height| Layout::new(&places(3, 5), 5, window(width, height), None);
        let projector = on(1365.0, 715.0);
        assert!(projector.scale > 1.1 && projector.measure.detail == Detail::All, "{}", projector.scale);
        assert_eq!(on(875.0, 386.0).measure.detail, Detail::All);
        assert_eq!((on(360.0, 438.0).measure.detail, on(360.0, 438.0).scale), (Detail::NoMedians, 1.0));
        assert!(on(345.0, 172.0).measure.detail > Detail::NoMedians);
    }

    #[test]
    fn when_a_replica_moves_places_stay_and_so_do_replicas_elsewhere_and_it_finds_its_seat_again() {
        let mut all = places(3, 5);
        let first = Layout::new(&all, 5, window(1400.0, 700.0), None);
        // Node 0 leaves node 3 alone, and node 2 is alone no longer.
        all[0].nodes.retain(|node| *node != 0);
        all[2].nodes.push(0);
        let moved = Layout::new(&all, 5, window(1400.0, 700.0), Some(&first));
        assert_eq!(moved.site_shapes, first.site_shapes);
        assert_eq!(moved.site_links, first.site_links);
        assert_ne!(moved.nodes[0], first.nodes[0]);
        assert_eq!([moved.nodes[1], moved.nodes[3], moved.nodes[4]], [first.nodes[1], first.nodes[3], first.nodes[4]]);
        all[2].nodes.retain(|node| *node != 0);
        all[0].nodes.push(0);
        let back = Layout::new(&all, 5, window(1400.0, 700.0), Some(&moved));
        assert_eq!([back.nodes[0], back.nodes[3]], [first.nodes[0], first.nodes[3]]);
    }

    #[test]
    fn place_that_grows_does_so_at_the_same_scale_and_pushes_no_further_than_it_takes() {
        let mut all = places(2, 4);
        let first = Layout::new(&all, 5, window(1400.0, 1000.0), None);
        all[1].nodes.push(4);
        let grown = Layout::new(&all, 5, window(1400.0, 1000.0), Some(&first));
        assert_eq!((grown.scale, grown.measure), (first.scale, first.measure));
        assert_eq!(grown.nodes[..4], first.nodes[..4]);
        assert!(grown.site_shapes[1].area.half.y > first.site_shapes[1].area.half.y);
    }

    #[test]
    fn sites_keep_west_to_east_order_with_the_widest_gap_as_edge() {
        let layout = Layout::new(&places(4, 5), 5, window(1400.0, 700.0), None);
        let x = |site: usize| layout.site_shapes[site].area.middle.x;
        assert!(x(2) < x(1) && x(2) < x(0) && x(0) < x(3), "Oregon, Virginia, Ireland");
        let mut pacific = places(7, 0);
        pacific = vec![pacific.remove(6), pacific.remove(2), pacific.remove(0)];
        let layout = Layout::new(&pacific, 0, window(1400.0, 700.0), None);
        let x = |site: usize| layout.site_shapes[site].area.middle.x;
        assert!(x(0) < x(1) && x(1) < x(2), "Tokyo, Oregon, Virginia");
    }
}
