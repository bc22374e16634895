//! The stage at a moment as a picture: the sites in a ring, as they lie from west to east, with their nodes; roles and epochs, faults, and the
//! messages on their way.

use crate::core::{Micros, NodeId};
use crate::lab::Session;
use crate::lab::quantity::Quantity;
use crate::lab::run::sequence::drawing::phase;
use crate::lab::run::sequence::svg::{Theme, escaped, frame, style};
use crate::universe::words::latency;
use crate::universe::{End, NodeView, ReplyKind};
use std::fmt::Write;

type Point = (i32, i32);

/// Size of the stage, without head and legend.
const WIDTH: i32 = 1_280;
const HEIGHT: i32 = 570;
const HEAD: i32 = 84;
/// Room for a node with its words; and the height of a site's name.
const CELL: Point = (132, 112);
const NAME: i32 = 30;
const RADIUS: i32 = 24;
const CHARACTER: i32 = 7;
/// Most messages that have their letters; more are dots.
const LETTERS: usize = 120;
/// Most sites of which the ways between them are drawn.
const MOST_LINKED: usize = 6;
/// Most messages that are drawn; of more, only how many there are is told.
const MOST_MESSAGES: usize = 400;

const OWN: &str = "\
.title { font-size: 20px; font-weight: 700; text-anchor: start } .about { fill: var(--muted); text-anchor: start }
.site { fill: var(--paper); stroke: var(--line); stroke-width: 1.4 } .place { font-weight: 600 } .clients { font-size: 12px; fill: var(--muted) }
.link { stroke: var(--line); opacity: 0.45 } .rtt { fill: var(--muted); font-size: 12px }
.node { fill: var(--paper); stroke: var(--ink); stroke-width: 2 } .leader .node { stroke-width: 4.5 } .gone .node { stroke: var(--danger); stroke-dasharray: 4 4 }
.number { font-size: 17px; font-weight: 700 } .role { font-size: 13px; font-weight: 600 } .epoch { font-size: 12px; fill: var(--muted) }
.wrong { fill: var(--danger); font-size: 12px } .crown { fill: var(--vote) }
.halo { stroke: var(--paper); stroke-width: 4; stroke-linejoin: round; paint-order: stroke }
.sign { fill: var(--paper); stroke: var(--of); stroke-width: 2 } .letter { fill: var(--of); font-size: 12px; font-weight: 700 }
.way { opacity: 0.55 } .cut { stroke: var(--danger); stroke-width: 1.6; stroke-dasharray: 2 5 } .key { text-anchor: start; font-size: 12px }
";

/// A site on the stage.
struct Shape {
    at: Point,
    size: Point,
    nodes: Vec<NodeId>,
}

/// Draws the present moment of a session.
pub(super) fn svg(session: &Session, theme: Theme) -> String {
    let universe = session.universe();
    let views: Vec<NodeView> = (0..universe.nodes()).map(|node| universe.node(NodeId(node))).collect();
    let mut stage = Stage { session, shapes: Vec::new(), nodes: vec![(0, 0); views.len()], text: String::new() };
    stage.place(&views);
    stage.head();
    stage.links();
    stage.sites();
    stage.cuts(&views);
    let keys = stage.messages();
    views.iter().for_each(|view| stage.node(view));
    let height = stage.legend(keys);
    let title = format!("The stage of {} at {}", stage.title(), time(universe.time()));
    frame((WIDTH, height), &title, &session.sentence(), &style(theme, OWN), &stage.text)
}

fn time(at: Micros) -> String {
    Quantity::from_micros(at).to_string()
}

struct Stage<'a> {
    session: &'a Session,
    shapes: Vec<Shape>,
    /// Middles of nodes.
    nodes: Vec<Point>,
    text: String,
}

impl Stage<'_> {
    fn title(&self) -> String {
        let title = &self.session.scenario().title;
        if title.is_empty() { self.session.checked().variant.card.title.to_owned() } else { title.clone() }
    }

    fn write(&mut self, shape: std::fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(shape);
        self.text.push('\n');
    }

    fn words(&mut self, class: &str, (x, y): Point, text: &str) {
        self.write(format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(text)));
    }

    fn head(&mut self) {
        let checked = self.session.checked();
        let at = time(self.session.universe().time());
        let about = format!("{}, seed {}, at {at}", checked.variant.card.title, checked.blueprint.seed);
        self.words("title", (16, 32), &self.title());
        self.words("about", (16, 53), &about);
        // The sentence is cut at words where it is longer than the picture is wide.
        let most = ((WIDTH - 32) / CHARACTER) as usize;
        let sentence = self.session.sentence();
        let mut line = String::new();
        for word in sentence.split(' ') {
            if line.chars().count() + 1 + word.chars().count() > most - 2 {
                line.push_str(" …");
                break;
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.words("about", (16, 72), &line);
    }

    /// Where sites and nodes are: on an ellipse, or in rows where there are too many for that.
    fn place(&mut self, views: &[NodeView]) {
        let places = &self.session.checked().places;
        let mut order: Vec<usize> = (0..places.len()).collect();
        if places.iter().all(|place| place.position.is_some()) {
            let east = |site: &usize| places[*site].position.map_or(0.0, |[_, longitude]| longitude);
            order.sort_by(|a, b| east(a).total_cmp(&east(b)));
        }
        let sizes: Vec<Point> = (0..places.len())
            .map(|site| {
                let nodes = views.iter().filter(|view| usize::from(view.site) == site).count() as i32;
                let columns = nodes.clamp(1, if nodes > 4 { 3 } else { 2 });
                let wide = (columns * CELL.0).max(CHARACTER * places[site].name.chars().count() as i32 + 24);
                (wide + 16, (nodes + columns - 1) / columns * CELL.1 + NAME + 26)
            })
            .collect();
        let count = order.len().max(1);
        let mut middles = vec![(WIDTH / 2, HEAD + HEIGHT / 2); places.len()];
        // From the west by way of the north, so that neighbours stay neighbours; stretched to all the room there is.
        let turns: Vec<(f64, f64)> = (0..count)
            .map(|index| std::f64::consts::TAU * index as f64 / count as f64 - std::f64::consts::PI)
            // Sines may differ between two machines in their last bit.
            .map(|turn| ((turn.cos() * 1_000.0).round() / 1_000.0, (turn.sin() * 1_000.0).round() / 1_000.0))
            .collect();
        let span = |of: fn(&(f64, f64)) -> f64| {
            let (low, high) =
                turns.iter().map(of).fold((1.0, -1.0), |(low, high): (f64, f64), it| (low.min(it), high.max(it)));
            (low, (high - low).max(f64::EPSILON))
        };
        let ((west, wide), (north, high)) = (span(|turn| turn.0), span(|turn| turn.1));
        for (site, turn) in order.iter().zip(&turns) {
            let room = (WIDTH - sizes[*site].0 - 160, HEIGHT - sizes[*site].1 - 24);
            let x = 80 + sizes[*site].0 / 2 + (f64::from(room.0) * (turn.0 - west) / wide).round() as i32;
            let y = HEAD + 12 + sizes[*site].1 / 2 + (f64::from(room.1) * (turn.1 - north) / high).round() as i32;
            middles[*site] = match count {
                1 => (WIDTH / 2, HEAD + HEIGHT / 2),
                2 => (x, HEAD + HEIGHT / 2),
                _ => (x, y),
            };
        }
        if count > 2 && overlap(&middles, &sizes) {
            rows(&order, &sizes, &mut middles);
        }
        for (site, (middle, size)) in middles.into_iter().zip(sizes).enumerate() {
            let nodes: Vec<NodeId> =
                views.iter().filter(|view| usize::from(view.site) == site).map(|view| view.id).collect();
            let columns = (nodes.len() as i32).clamp(1, if nodes.len() > 4 { 3 } else { 2 });
            let at = (middle.0 - size.0 / 2, middle.1 - size.1 / 2);
            for (index, node) in (0..).zip(&nodes) {
                let (row, column) = (index / columns, index % columns);
                let in_row = (nodes.len() as i32 - row * columns).min(columns);
                self.nodes[usize::from(node.0)] =
                    (middle.0 + (2 * column - in_row + 1) * CELL.0 / 2, at.1 + NAME + row * CELL.1 + RADIUS + 22);
            }
            self.shapes.push(Shape { at, size, nodes });
        }
    }

    /// The ways between sites that have nodes, and their round trips.
    fn links(&mut self) {
        let topology = &self.session.checked().blueprint.topology;
        let sites: Vec<usize> = (0..self.shapes.len()).filter(|site| !self.shapes[*site].nodes.is_empty()).collect();
        if sites.len() > MOST_LINKED {
            return;
        }
        let middle = |site: usize| {
            let Shape { at, size, .. } = self.shapes[site];
            (at.0 + size.0 / 2, at.1 + size.1 / 2)
        };
        let (mut lines, mut labels) = (Vec::new(), Vec::new());
        for (index, a) in sites.iter().enumerate() {
            for b in &sites[index + 1..] {
                let (from, to) = (middle(*a), middle(*b));
                lines.push((from, to));
                labels.push((
                    (from.0 + to.0) / 2,
                    (from.1 + to.1) / 2,
                    latency(topology.round_trip(*a as u8, *b as u8)),
                ));
            }
        }
        for ((x1, y1), (x2, y2)) in lines {
            self.write(format_args!("<line class=\"link\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
        }
        for (x, y, text) in labels {
            self.words("rtt halo", (x, y + 4), &text);
        }
    }

    fn sites(&mut self) {
        let places = &self.session.checked().places;
        let groups = &self.session.checked().blueprint.clients;
        for (site, place) in places.iter().enumerate() {
            let Shape { at, size, ref nodes } = self.shapes[site];
            let clients = groups.iter().any(|group| usize::from(group.site) == site);
            if nodes.is_empty() && !clients {
                continue;
            }
            self.write(format_args!(
                "<rect class=\"site\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"18\"/>",
                at.0, at.1, size.0, size.1
            ));
            self.words("place", (at.0 + size.0 / 2, at.1 + 22), &place.name);
            if clients {
                self.words("clients", (at.0 + size.0 / 2, at.1 + size.1 - 9), "clients here");
            }
        }
    }

    /// Where an end of a message is.
    fn end(&self, end: End) -> Option<Point> {
        match end {
            End::Node(node) => self.nodes.get(usize::from(node.0)).copied(),
            End::Client(site) => {
                let Shape { at, size, .. } = self.shapes.get(usize::from(site))?;
                Some((at.0 + size.0 / 2, at.1 + size.1 - 14))
            }
        }
    }

    /// Ways on which every message is lost.
    fn cuts(&mut self, views: &[NodeView]) {
        for view in views {
            for other in
                view.cut.iter().filter(|other| other.0 > view.id.0 || !views[usize::from(other.0)].cut.has(view.id))
            {
                let (Some(from), Some(to)) = (self.end(End::Node(view.id)), self.end(End::Node(other))) else {
                    continue;
                };
                self.write(format_args!(
                    "<line class=\"cut\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"><title>cut: {:?} and {:?}</title></line>",
                    from.0, from.1, to.0, to.1, view.id, other
                ));
            }
        }
    }

    /// Draws the messages on their way; returns the kinds among them: class, sign, name, how many.
    fn messages(&mut self) -> Vec<(&'static str, String, String, usize)> {
        let universe = self.session.universe();
        let (kinds, now) = (universe.variant().kinds, universe.time());
        let mut flights = Vec::new();
        universe.flights(&mut flights);
        flights.retain(|flight| flight.from != flight.to);
        flights.sort_by_key(|flight| (flight.sent, flight.arrives));
        let mut keys: Vec<(&'static str, String, String, usize)> = Vec::new();
        let (mut ways, mut signs) = (String::new(), String::new());
        let drawn = flights.len() <= MOST_MESSAGES;
        for flight in &flights {
            let (class, letter, name) =
                match (flight.kind.and_then(|kind| kinds.get(usize::from(kind.0))), flight.reply) {
                    (Some(kind), _) => (phase(Some(kind.phase)), kind.letter.to_string(), kind.name.to_owned()),
                    (None, None) => ("client", "?".to_owned(), "request of a client".to_owned()),
                    (None, Some(ReplyKind::Answered)) => ("client", "✓".to_owned(), "answer to a client".to_owned()),
                    (None, Some(ReplyKind::Refused)) => ("client", "✗".to_owned(), "refusal".to_owned()),
                    (None, Some(ReplyKind::Redirected(_))) => ("client", "↪".to_owned(), "redirect".to_owned()),
                };
            match keys.iter_mut().find(|(_, _, other, _)| *other == name) {
                Some(key) => key.3 += 1,
                None => keys.push((class, letter.clone(), name.clone(), 1)),
            }
            let (Some(from), Some(to)) = (self.end(flight.from), self.end(flight.to)) else { continue };
            if !drawn {
                continue;
            }
            let whole = i64::try_from(flight.arrives.saturating_sub(flight.sent).max(1)).unwrap_or(i64::MAX);
            let passed = i64::try_from(now.saturating_sub(flight.sent)).unwrap_or(0).min(whole);
            // From the rim of one circle to the rim of the other, a little to the right, so that the two directions lie side by side.
            let (dx, dy) = (i64::from(to.0 - from.0), i64::from(to.1 - from.1));
            let length = (dx * dx + dy * dy).isqrt().max(1);
            let rim = i64::from(RADIUS + 8);
            let along = |distance: i64| {
                let x = i64::from(from.0) + (dx * distance - dy * 6) / length;
                let y = i64::from(from.1) + (dy * distance + dx * 6) / length;
                (x, y)
            };
            let run = (length - 2 * rim).max(0);
            // As a part of a thousand, which cannot become too large.
            let part = i64::try_from(i128::from(passed) * 1_000 / i128::from(whole)).unwrap_or(0);
            let (start, at) = (along(rim), along(rim + run * part / 1_000));
            let fate = if flight.will_drop {
                " lost"
            } else if flight.held {
                " under-way"
            } else {
                ""
            };
            let _ = writeln!(
                ways,
                "<g class=\"message {class}{fate}\"><path class=\"way\" d=\"M{} {}L{} {}\"/></g>",
                start.0, start.1, at.0, at.1
            );
            let slot = if flight.slot > 0 { format!(", slot {}", flight.slot) } else { String::new() };
            let title = format!("{name}{slot}, sent at {}, arrives at {}", time(flight.sent), time(flight.arrives));
            let (x, y) = at;
            let sign = match flights.len() <= LETTERS {
                true => format!(
                    "<circle class=\"sign\" cx=\"{x}\" cy=\"{y}\" r=\"10\"/><text class=\"letter\" x=\"{x}\" y=\"{}\">{}</text>",
                    y + 4,
                    escaped(&letter)
                ),
                false => format!("<circle class=\"head\" cx=\"{x}\" cy=\"{y}\" r=\"3\"/>"),
            };
            let _ = writeln!(signs, "<g class=\"message {class}\"><title>{}</title>{sign}</g>", escaped(&title));
        }
        self.text.push_str(&ways);
        self.text.push_str(&signs);
        keys
    }

    fn node(&mut self, view: &NodeView) {
        let Some((x, y)) = self.end(End::Node(view.id)) else { return };
        let word = self.session.checked().variant.card.epoch;
        let leads = view.status.is_some_and(|status| status.leads);
        let class = match view.status {
            None => "gone",
            Some(_) if leads => "leader",
            Some(_) => "up",
        };
        self.write(format_args!(
            "<g class=\"{class}\"><circle class=\"node\" cx=\"{x}\" cy=\"{y}\" r=\"{RADIUS}\"/></g>"
        ));
        if leads {
            let (x, y) = (x, y - RADIUS - 4);
            self.write(format_args!("<path class=\"crown\" d=\"M{} {y}v-11l6 5l5 -8l5 8l6 -5v11Z\"/>", x - 11));
        }
        self.words("number", (x, y + 6), &format!("{:?}", view.id));
        let (role, epoch) = match view.status {
            Some(status) => {
                let log = status.log.last > 0;
                let log =
                    if log { format!(", {} of {}", status.log.committed, status.log.last) } else { String::new() };
                (status.role.to_owned(), format!("{word} {}{log}", status.epoch))
            }
            None => ("down".to_owned(), String::new()),
        };
        self.words(if view.status.is_none() { "wrong halo" } else { "role halo" }, (x, y + RADIUS + 16), &role);
        self.words("epoch halo", (x, y + RADIUS + 31), &epoch);
        let mut wrong = Vec::new();
        wrong.extend(view.paused.map(|_| "paused"));
        wrong.extend(view.byzantine.then_some("lies"));
        wrong.extend((view.drift != 0).then_some("clock off"));
        if !wrong.is_empty() {
            self.words("wrong halo", (x, y + RADIUS + 45), &wrong.join(", "));
        }
    }

    /// The kinds of messages on their way; returns the height of the picture.
    fn legend(&mut self, keys: Vec<(&'static str, String, String, usize)>) -> i32 {
        let (mut x, mut y) = (16, HEAD + HEIGHT + 26);
        if keys.is_empty() {
            self.words("key", (x, y), "No message is on its way.");
        }
        if keys.iter().map(|(_, _, _, count)| count).sum::<usize>() > MOST_MESSAGES {
            let words = "Too many messages to draw:";
            self.words("key", (x, y), words);
            x += CHARACTER * words.chars().count() as i32 + 10;
        }
        for (class, letter, name, count) in keys {
            let words = format!("{name}: {count}");
            let width = 30 + CHARACTER * words.chars().count() as i32 + 16;
            if x + width > WIDTH - 8 {
                (x, y) = (16, y + 24);
            }
            self.write(format_args!(
                "<g class=\"message {class}\"><circle class=\"sign\" cx=\"{}\" cy=\"{}\" r=\"8\"/><text class=\"letter\" x=\"{}\" y=\"{y}\">{}</text></g>",
                x + 8,
                y - 4,
                x + 8,
                escaped(&letter)
            ));
            self.words("key", (x + 22, y), &words);
            x += width;
        }
        y + 20
    }
}

/// Whether two sites lie on each other, or one over the edge.
fn overlap(middles: &[Point], sizes: &[Point]) -> bool {
    let pairs = (0..middles.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    let close = |(a, b): (usize, usize)| {
        let apart = ((middles[a].0 - middles[b].0).abs(), (middles[a].1 - middles[b].1).abs());
        apart.0 < (sizes[a].0 + sizes[b].0) / 2 + 12 && apart.1 < (sizes[a].1 + sizes[b].1) / 2 + 8
    };
    pairs.into_iter().any(close)
}

/// Sites in rows, as many side by side as there is room for.
fn rows(order: &[usize], sizes: &[Point], middles: &mut [Point]) {
    let widest = sizes.iter().map(|size| size.0).max().unwrap_or(1) + 12;
    let highest = sizes.iter().map(|size| size.1).max().unwrap_or(1) + 12;
    let columns = (WIDTH / widest).clamp(1, order.len().max(1) as i32);
    for (index, site) in (0..).zip(order) {
        let (row, column) = (index / columns, index % columns);
        middles[*site] = (WIDTH / 2 + (2 * column - columns + 1) * widest / 2, HEAD + highest / 2 + row * highest);
    }
}
