//! A chart in characters, for a terminal: lanes from left to right, time downwards, each message in the line in which it arrives.

use super::cells::Rows;
use super::chart::{Chart, Fate, Message, NoteKind};

/// Width of the column of times.
const TIMES: usize = 14;
/// Least width of a lane, most of one of few, and most of one of many.
const LANES: (usize, usize, usize) = (12, 34, 22);
/// How many lanes are few.
const FEW: usize = 4;

/// The chart as lines of text.
pub fn lines(chart: &Chart) -> Vec<String> {
    let Rows { rows, ways } = Rows::of(chart);
    let count = |text: &str| text.chars().count();
    let longest = chart.messages.iter().map(|message| count(&message.label) + 5);
    let heads = chart.lanes.iter().flat_map(|lane| [count(&lane.name) + 2, count(&lane.about) + 2]);
    let most = if chart.lanes.len() > FEW { LANES.2 } else { LANES.1 };
    let width = longest.chain(heads).max().unwrap_or(0).clamp(LANES.0, most);
    let mut canvas = Canvas { width, down: chart.lanes.iter().map(|lane| lane.down).collect() };
    let mut told = vec![canvas.heads(chart.lanes.iter().map(|lane| lane.name.as_str()))];
    told.push(canvas.heads(chart.lanes.iter().map(|lane| lane.about.as_str())));
    let mut last = None;
    for (number, row) in rows.iter().enumerate() {
        let mut time = match last.replace(row.at.at) == Some(row.at.at) {
            true => String::new(),
            false => chart.time(row.at.at),
        };
        let mut put = |time: &mut String, line: String| {
            told.push(format!("{:>TIMES$}{}", std::mem::take(time), line).trim_end().to_owned());
        };
        for text in &row.global {
            put(&mut time, format!("  — {text}"));
        }
        // What ends in this row: messages of one broadcast, alike, in one line.
        let mut ending: Vec<usize> = (0..chart.messages.len()).filter(|place| ways[*place].1 == number).collect();
        while let Some(&first) = ending.first() {
            let first = &chart.messages[first];
            let alike = |message: &Message| {
                (&message.label, message.from, message.sent, message.fate)
                    == (&first.label, first.from, first.sent, first.fate)
            };
            let (group, rest) = ending.iter().partition(|place| alike(&chart.messages[**place]));
            ending = rest;
            let group: Vec<usize> = group;
            let to: Vec<usize> = group.iter().filter_map(|place| chart.lane(chart.messages[*place].to)).collect();
            let Some(from) = chart.lane(first.from) else { continue };
            let sent = match first.fate {
                Fate::Arrived => format!("sent {}", chart.time(first.sent.at)),
                Fate::Lost => format!("sent {}, lost", chart.time(first.sent.at)),
                Fate::UnderWay => format!("sent {}, on its way", chart.time(first.sent.at)),
            };
            put(&mut time, format!("{}  {sent}", canvas.arrow(from, &to, &first.label, first.fate)));
        }
        for (lane, cell) in row.cells.iter().enumerate() {
            for (kind, text) in &cell.notes {
                match kind {
                    NoteKind::Down => canvas.down[lane] = true,
                    NoteKind::Up => canvas.down[lane] = false,
                    _ => {}
                }
                put(&mut time, canvas.note(lane, text));
            }
        }
    }
    told
}

/// What a line is drawn on.
struct Canvas {
    /// Width of a lane.
    width: usize,
    /// Whether the node of a lane is down.
    down: Vec<bool>,
}

impl Canvas {
    fn x(&self, lane: usize) -> usize {
        self.width * lane + self.width / 2
    }

    fn heads<'a>(&self, texts: impl Iterator<Item = &'a str>) -> String {
        let cut = |text: &str| text.chars().take(self.width - 1).collect::<String>();
        let heads: Vec<String> = texts.map(|text| format!("{:^width$}", cut(text), width = self.width)).collect();
        format!("{:TIMES$}{}", "", heads.concat()).trim_end().to_owned()
    }

    /// The lanes.
    fn blank(&self) -> Vec<char> {
        let mut line = vec![' '; self.width * self.down.len()];
        for (lane, down) in self.down.iter().enumerate() {
            line[self.x(lane)] = if *down { '┊' } else { '│' };
        }
        line
    }

    fn note(&self, lane: usize, text: &str) -> String {
        let line: String = self.blank()[..=self.x(lane)].iter().collect();
        format!("{line} {text}")
    }

    fn arrow(&self, from: usize, to: &[usize], label: &str, fate: Fate) -> String {
        let mut line = self.blank();
        let (start, stroke) = (self.x(from), if fate == Fate::Arrived { '─' } else { '╌' });
        let (right, left) = (to.iter().max().copied(), to.iter().min().copied());
        let mut sides = Vec::new();
        for (farthest, goes) in [(right, right > Some(from)), (left, left < Some(from))] {
            let Some(farthest) = farthest.filter(|_| goes) else { continue };
            let end = self.x(farthest);
            sides.push(end > start);
            for place in &mut line[start.min(end) + 1..start.max(end)] {
                *place = if *place == ' ' { stroke } else { '┼' };
            }
        }
        for lane in to {
            let end = self.x(*lane);
            let before = if end > start { end - 1 } else { end + 1 };
            line[before] = match fate {
                Fate::Arrived if end > start => '▶',
                Fate::Arrived => '◀',
                Fate::Lost => '✗',
                Fate::UnderWay => ' ',
            };
            line[end] = if self.down[*lane] { '┊' } else { '│' };
        }
        line[start] = match sides[..] {
            [true] => '├',
            [false] => '┤',
            _ => '┼',
        };
        // The label stands beside the sender.
        let room = self.width.saturating_sub(5);
        let label: String = match label.chars().count() > room {
            true => label.chars().take(room - 1).chain(['…']).collect(),
            false => label.to_owned(),
        };
        let at = match sides.first() {
            Some(true) => start + 2,
            _ => start.saturating_sub(label.chars().count() + 1),
        };
        for (place, char) in (at..).zip(label.chars()) {
            line[place] = char;
        }
        line.into_iter().collect()
    }
}
