//! A chart as shapes: lanes from left to right, time downwards. Whole pixels; classes instead of colours.
//!
//! Moments are rows, as far apart as they are in time, but never closer than it takes to tell them apart and never much farther than the
//! shortest way of a message. So every time stands beside its row.

use super::cells::{Cell, Row, Rows};
use super::chart::{Chart, Fate, Message, NoteKind};
use crate::core::{Micros, Phase};
use crate::universe::End;

/// Height of a line of text.
const LINE: i32 = 17;
/// Width of a character, on the safe side; of a bold one.
const CHARACTER: i32 = 7;
const BOLD: i32 = 8;
/// Most characters of a line in a cell.
const WRAP: usize = 24;
/// Width of the column of times, at least.
const TIMES: i32 = 92;
/// Height of the heads of lanes.
const HEAD: i32 = 52;
/// Least width of a lane.
const LANE: i32 = 104;
/// Least and most distance between two moments.
const GAPS: (i32, i32) = (26, 92);
/// Distance for the shortest way of a message between nodes.
const WAY: i64 = 52;

/// A point: x to the right, y downwards.
pub type Point = (i32, i32);

/// A shape. Classes are those of the style sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A straight line.
    Line {
        /// Class.
        class: &'static str,
        /// One end.
        from: Point,
        /// The other end.
        to: Point,
    },
    /// A box.
    Rect {
        /// Class.
        class: &'static str,
        /// Upper left corner.
        at: Point,
        /// Width and height.
        size: Point,
    },
    /// A line of text.
    Text {
        /// Class.
        class: &'static str,
        /// Where its baseline begins, is in the middle or ends, as the class says.
        at: Point,
        /// The text.
        text: String,
    },
    /// A message.
    Message {
        /// Class: its phase, and what became of it.
        class: String,
        /// Path of the way it goes.
        way: String,
        /// Path of what is at its end.
        head: String,
        /// What it is, for a tooltip.
        title: String,
    },
}

/// A drawn chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// Width and height.
    pub size: Point,
    /// Its title.
    pub title: String,
    /// What it shows, in a sentence.
    pub description: String,
    /// From the back to the front.
    pub shapes: Vec<Shape>,
}

/// Draws a chart.
pub fn draw(chart: &Chart) -> Drawing {
    let Rows { rows, ways } = Rows::of(chart);
    let times = times(chart, &rows);
    let (lanes, width) = columns(chart, &rows, times);
    let tops = tops(chart, &rows, width - times);
    let bottom = rows.last().zip(tops.last()).map_or(HEAD, |(row, top)| top + height(row)) + 24;
    let mut shapes = Vec::new();
    for (index, (lane, x)) in chart.lanes.iter().zip(&lanes).enumerate() {
        lifeline(lane.down, index, *x, &rows, &tops, bottom, &mut shapes);
    }
    for (message, (start, end)) in chart.messages.iter().zip(&ways) {
        let (Some(from), Some(to)) = (chart.lane(message.from), chart.lane(message.to)) else { continue };
        let start = start.map_or(HEAD, |row| tops[row] + LINE * lines(&rows[row].cells[from]).len() as i32 + 2);
        shapes.push(arrow(chart, message, (lanes[from], start), (lanes[to], tops[*end])));
    }
    let mut last = None;
    for (row, top) in rows.iter().zip(&tops) {
        // Moments within one microsecond have their time told once.
        let before = last.replace(row.at.at);
        if before.is_some_and(|before| cut_short(chart, row.at.at - before)) {
            shapes.push(Shape::Text { class: "time", at: (times - 10, top - GAPS.1 / 2), text: "⋮".to_owned() });
        }
        if before != Some(row.at.at) {
            shapes.push(Shape::Text { class: "time", at: (times - 10, top + 13), text: chart.time(row.at.at) });
        }
        let global = row.global.iter().flat_map(|text| wrap(text, (width - times) as usize / CHARACTER as usize));
        let global: Vec<String> = global.collect();
        let mut y = top - LINE * global.len() as i32 - 4;
        for text in global {
            let size = (CHARACTER * text.chars().count() as i32, LINE);
            shapes.push(Shape::Rect { class: "cell", at: (times, y), size });
            shapes.push(Shape::Text { class: "global", at: (TIMES, y + 13), text });
            y += LINE;
        }
        for (cell, x) in row.cells.iter().zip(&lanes) {
            draw_cell(cell, *x, *top, &mut shapes);
        }
    }
    for (lane, x) in chart.lanes.iter().zip(&lanes) {
        shapes.push(Shape::Text { class: "lane", at: (*x, 18), text: lane.name.clone() });
        shapes.push(Shape::Text { class: "about", at: (*x, 36), text: lane.about.clone() });
    }
    let nodes = chart.lanes.iter().filter(|lane| matches!(lane.end, End::Node(_))).count();
    let description = format!(
        "Sequence chart: {} nodes, {} messages, from {} to {}, time downwards.",
        nodes,
        chart.messages.len(),
        chart.time(chart.from),
        chart.time(chart.until)
    );
    Drawing { size: (width, bottom + 8), title: chart.title.clone(), description, shapes }
}

/// The lines of a cell, each with its class.
fn lines(cell: &Cell) -> Vec<(&'static str, String)> {
    let note = |(kind, text): &(NoteKind, String)| {
        let class = match kind {
            NoteKind::Down => "note down",
            NoteKind::Role | NoteKind::Up => "note role",
            _ => "note",
        };
        wrap(text, WRAP).into_iter().map(move |line| (class, line))
    };
    let sends = cell.sends.iter().flat_map(|broadcast| wrap(&broadcast.label, WRAP));
    cell.notes.iter().flat_map(note).chain(sends.map(|line| ("send", line))).collect()
}

/// Breaks a text at commas and, where that does not suffice, at spaces into lines of at most `most` characters, where words are not longer.
fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let fits = |line: &String, more: &str| line.chars().count() + 1 + more.chars().count() <= most;
    for part in text.split_inclusive(", ").map(str::trim_end) {
        // A part goes to the line before as a whole, or begins one.
        let mut may_join = lines.last().is_some_and(|line| fits(line, part));
        for word in part.split(' ') {
            match lines.last_mut() {
                Some(line) if may_join && fits(line, word) => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
            may_join = true;
        }
    }
    lines
}

/// Width of the column of times: as wide as the longest of them needs.
fn times(chart: &Chart, rows: &[Row]) -> i32 {
    let longest = rows.iter().map(|row| chart.time(row.at.at).chars().count()).max().unwrap_or(0);
    TIMES.max(BOLD * longest as i32 + 12)
}

/// Where each lane is, and the width of all.
fn columns(chart: &Chart, rows: &[Row], times: i32) -> (Vec<i32>, i32) {
    let width = |text: &str, bold: bool| if bold { BOLD } else { CHARACTER } * text.chars().count() as i32 + 12;
    let mut edge = times;
    let mut places = Vec::new();
    for (index, lane) in chart.lanes.iter().enumerate() {
        let texts =
            rows.iter().flat_map(|row| lines(&row.cells[index])).map(|(class, text)| width(&text, class == "send"));
        let own = texts.chain([width(&lane.name, true), width(&lane.about, false), LANE]).max().unwrap_or(LANE);
        places.push(edge + own / 2);
        edge += own + 8;
    }
    (places, edge)
}

/// Height of a row's cells.
fn height(row: &Row) -> i32 {
    row.cells.iter().map(|cell| LINE * lines(cell).len() as i32).max().unwrap_or(0).max(6)
}

/// The upper edge of each row's cells.
fn tops(chart: &Chart, rows: &[Row], width: i32) -> Vec<i32> {
    let shortest = shortest_way(chart);
    let mut tops: Vec<i32> = Vec::new();
    let mut before: Option<(Micros, i32)> = None;
    for row in rows {
        let (gap, bottom) = match before {
            None => (14, HEAD),
            Some((at, bottom)) => {
                let passed = i64::try_from(row.at.at - at).unwrap_or(i64::MAX).min(1 << 40);
                ((passed * WAY / shortest).clamp(GAPS.0.into(), GAPS.1.into()) as i32, bottom)
            }
        };
        let global = row.global.iter().flat_map(|text| wrap(text, width as usize / CHARACTER as usize));
        let top = bottom + gap + LINE * global.count() as i32;
        tops.push(top);
        before = Some((row.at.at, top + height(row)));
    }
    tops
}

/// The shortest way of a message between nodes, µs.
fn shortest_way(chart: &Chart) -> i64 {
    let between_nodes = |message: &&Message| {
        matches!((message.from, message.to, message.fate), (End::Node(_), End::Node(_), Fate::Arrived))
    };
    let flight = |message: &Message| message.ended.at.saturating_sub(message.sent.at);
    let shortest = chart.messages.iter().filter(between_nodes).map(flight).filter(|flight| *flight > 0).min();
    i64::try_from(shortest.unwrap_or(1_000)).unwrap_or(1_000)
}

/// Whether so much time is drawn much shorter than it is.
fn cut_short(chart: &Chart, passed: Micros) -> bool {
    let passed = i64::try_from(passed).unwrap_or(i64::MAX).min(1 << 40);
    passed * WAY / shortest_way(chart) > 2 * i64::from(GAPS.1)
}

fn draw_cell(cell: &Cell, x: i32, top: i32, shapes: &mut Vec<Shape>) {
    let lines = lines(cell);
    if lines.is_empty() {
        if !cell.ends.is_empty() {
            shapes.push(Shape::Rect { class: "dot", at: (x - 3, top), size: (6, 6) });
        }
        return;
    }
    let wide =
        |(class, text): &(&str, String)| text.chars().count() as i32 * if *class == "send" { BOLD } else { CHARACTER };
    let width = lines.iter().map(wide).max().unwrap_or(0) + 4;
    let size = (width, LINE * lines.len() as i32);
    shapes.push(Shape::Rect { class: "cell", at: (x - width / 2, top), size });
    for (number, (class, text)) in (0..).zip(lines) {
        shapes.push(Shape::Text { class, at: (x, top + 13 + LINE * number), text });
    }
}

/// The line of a lane, broken while its node is down.
fn lifeline(mut down: bool, index: usize, x: i32, rows: &[Row], tops: &[i32], bottom: i32, shapes: &mut Vec<Shape>) {
    let mut from = HEAD - 8;
    let mut line = |from: i32, to: i32, down: bool| {
        let class = if down { "life down" } else { "life" };
        shapes.push(Shape::Line { class, from: (x, from), to: (x, to) });
    };
    for (row, top) in rows.iter().zip(tops) {
        for (kind, _) in &row.cells[index].notes {
            let now = match kind {
                NoteKind::Down => true,
                NoteKind::Up => false,
                _ => continue,
            };
            line(from, *top, down);
            (from, down) = (*top, now);
        }
    }
    line(from, bottom, down);
}

fn arrow(chart: &Chart, message: &Message, from: Point, to: Point) -> Shape {
    let (dx, dy) = (i64::from(to.0 - from.0), i64::from(to.1 - from.1));
    let length = ((dx * dx + dy * dy) as u64).isqrt().max(1) as i64;
    // So much of the way is drawn, of 100.
    let part = match message.fate {
        Fate::Arrived => 100,
        Fate::Lost => 72,
        Fate::UnderWay => 60,
    };
    let along = |distance: i64, aside: i64| {
        let x = i64::from(from.0) + (dx * distance - dy * aside) / length;
        let y = i64::from(from.1) + (dy * distance + dx * aside) / length;
        format!("{x} {y}")
    };
    let tip = length * part / 100;
    let way = format!("M{}L{}", along(0, 0), along(tip, 0));
    let head = match message.fate {
        Fate::Arrived => format!("M{}L{}L{}Z", along(tip, 0), along(tip - 10, 4), along(tip - 10, -4)),
        Fate::Lost => {
            let corner = |distance, aside| along(tip + distance, aside);
            format!("M{}L{}M{}L{}", corner(-5, -5), corner(5, 5), corner(-5, 5), corner(5, -5))
        }
        Fate::UnderWay => String::new(),
    };
    let lane = |end| chart.lane(end).map(|lane| chart.lanes[lane].name.as_str()).unwrap_or_default();
    let times = match message.fate {
        Fate::Arrived => format!("{} → {}", chart.time(message.sent.at), chart.time(message.ended.at)),
        Fate::Lost => format!("sent at {}, lost", chart.time(message.sent.at)),
        Fate::UnderWay => format!("sent at {}, still on its way", chart.time(message.sent.at)),
    };
    let mut title = format!("{}, {} → {}, {times}", message.label, lane(message.from), lane(message.to));
    if !message.content.is_empty() {
        title += &format!(": {}", message.content);
    }
    let fate = match message.fate {
        Fate::Arrived => "",
        Fate::Lost => " lost",
        Fate::UnderWay => " under-way",
    };
    Shape::Message { class: format!("message {}{fate}", phase(message.phase)), way, head, title }
}

/// The class of messages of a phase.
pub fn phase(phase: Option<Phase>) -> &'static str {
    match phase {
        None => "client",
        Some(Phase::Elect) => "elect",
        Some(Phase::Vote) => "vote",
        Some(Phase::Propose) => "propose",
        Some(Phase::Accept) => "accept",
        Some(Phase::Commit) => "commit",
        Some(Phase::Heartbeat) => "heartbeat",
        Some(Phase::Transfer) => "transfer",
        Some(Phase::Read) => "read",
        Some(Phase::Refuse) => "refuse",
    }
}
