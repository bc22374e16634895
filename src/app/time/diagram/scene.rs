//! The picture: what of the record is seen in the window, as strokes of a pen. Only what is seen is drawn; where more messages are sent than a
//! line each has room for, one line stands for several.

use super::lanes::Lanes;
use super::pen::{Align, Colours, Four, LETTERS, Pen};
use super::window::Window;
use crate::elements::text;
use crate::run::moments::Moment;
use crate::stage::sprites::CLIENT_SIGNS;
use crate::time::timeline::Band;
use quorumscope::core::{Kind, Micros, NodeId};
use quorumscope::lab::run::diagram::{Cone, Fate, History, Lane, Message, MessageKind, State};
use quorumscope::universe::ReplyKind;

/// Height of the row with leaders above the lanes, of that with moments that matter below them, and of the axis, CSS pixels.
pub const ABOVE: f64 = 24.0;
pub const MOMENTS: f64 = 18.0;
pub const AXIS: f64 = 20.0;
/// Most lines for messages, about.
const LINES: usize = 5_000;
/// Width of a letter, CSS pixels, about.
const LETTER: f64 = 0.56 * LETTERS;
/// Most messages of which signs are drawn: with more they cover the lines.
const SIGNS: usize = 260;
/// Radius of a message's sign.
const SIGN: f64 = 8.0;
/// Least distance of two signs, CSS pixels.
const APART: f64 = 28.0;

/// What there is to draw.
pub struct Scene<'a> {
    pub window: Window,
    pub lanes: &'a Lanes,
    pub height: f64,
    pub history: &'a History,
    pub kinds: &'a [Kind],
    pub epoch: &'a str,
    pub bands: &'a [Band],
    /// Whether times without a leader are told.
    pub has_leader: bool,
    pub moments: &'a [Moment],
    /// Times of violations, µs, and the nodes that it takes to see them.
    pub violations: &'a [(Micros, Vec<NodeId>)],
    /// The moment on screen, µs.
    pub now: Micros,
    /// Past and future of what is selected.
    pub cone: Option<&'a Cone>,
    pub node: Option<NodeId>,
    /// The message that is pointed at.
    pub pointed: Option<usize>,
    /// The lane that keys go along.
    pub lane: Option<usize>,
    /// The time of which totals are told.
    pub range: Option<(Micros, Micros)>,
    pub colours: &'a Colours,
}

/// How it came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Messages in the window.
    pub messages: usize,
    /// Lines drawn for them.
    pub lines: usize,
    /// Kinds between pairs of lanes that there were.
    pub ways: usize,
}

/// The strokes of messages, collected by colour.
#[derive(Default)]
struct Strokes {
    plain: Vec<Vec<Four>>,
    faded: Vec<Vec<Four>>,
    crosses: Vec<Four>,
}

/// The line of a message: where it begins, and where it ends or is lost.
pub fn line(lanes: &Lanes, window: &Window, history: &History, message: &Message) -> Option<Four> {
    let (from, to) = (lanes.index(message.from)?, lanes.index(message.to)?);
    let ((y1, one), (y2, other)) = (lanes.y(from), lanes.y(to));
    if !one && !other {
        return None;
    }
    let (x1, x2) = (window.x(message.sent), window.x(message.arrives));
    let part = match message.fate {
        Fate::Held => 0.4,
        // Whose receiver is down is lost there, and not on the way.
        Fate::Lost if !is_down(history, message.to, message.arrives) => 0.6,
        _ => 1.0,
    };
    Some([x1, y1, x1 + (x2 - x1) * part, y1 + (y2 - y1) * part])
}

fn is_down(history: &History, lane: Lane, at: Micros) -> bool {
    let Lane::Node(node) = lane else { return false };
    let down = |from: Micros, until: Option<Micros>| from <= at && until.is_none_or(|until| at <= until);
    let mut spans = history.spans().iter().filter(|span| span.node == node && span.state == State::Down);
    spans.any(|span| down(span.from, span.until))
}

/// Dashes of a line.
fn dashed([x1, y1, x2, y2]: Four, dash: f64) -> Vec<Four> {
    let length = ((x2 - x1).powi(2) + (y2 - y1).powi(2)).sqrt();
    let count = (length / (2.0 * dash)).ceil().min(400.0);
    let at = |part: f64| (x1 + (x2 - x1) * part, y1 + (y2 - y1) * part);
    (0..count as usize)
        .map(|i| {
            let (a, b) = (at(i as f64 / count), at(((i as f64 + 0.5) / count).min(1.0)));
            [a.0, a.1, b.0, b.1]
        })
        .collect()
}

impl Scene<'_> {
    /// Draws it. `before` is how it came out last.
    pub fn draw(&self, pen: &mut dyn Pen, before: Drawn) -> Drawn {
        let (top, bottom) = (self.lanes.area.0, self.lanes.area.0 + self.lanes.area.1);
        self.bands(pen, top, bottom);
        self.cone(pen);
        self.lane_lines(pen);
        let drawn = self.messages(pen, before);
        self.marks(pen);
        self.edges(pen, top, bottom);
        self.moments(pen, top, bottom);
        self.axis(pen);
        if let Some((from, until)) = self.range {
            let (x1, x2) = (self.window.x(from), self.window.x(until));
            pen.boxes(&self.colours.accent, 0.14, &[[x1, 0.0, x2 - x1, bottom]]);
            pen.lines(&self.colours.accent, 1.5, 1.0, &[[x1, 0.0, x1, bottom], [x2, 0.0, x2, bottom]]);
        }
        let x = self.window.x(self.now);
        pen.lines(&self.colours.ink, 2.0, 1.0, &[[x, 0.0, x, self.height - AXIS + 4.0]]);
        drawn
    }

    /// Who led when: tinted from top to bottom, with names above.
    fn bands(&self, pen: &mut dyn Pen, top: f64, bottom: f64) {
        let Colours { soft, land, hatch, muted, .. } = self.colours;
        let right = self.window.width;
        for band in self.bands {
            let (x1, x2) = (self.window.x(band.from).max(0.0), self.window.x(band.to).min(right));
            if x2 <= x1 || !self.has_leader && band.leader.is_none() {
                continue;
            }
            let names = match band.leader {
                Some(leads) => {
                    let color = if leads.epoch.number % 2 == 0 { soft } else { land };
                    pen.boxes(color, 0.75, &[[x1, 0.0, x2 - x1, bottom]]);
                    let node = text::number(leads.node);
                    let epoch = text::epoch(self.epoch, leads.epoch);
                    [format!("node {node} leads {epoch}"), format!("node {node} leads"), format!("{node}")]
                }
                None => {
                    let hatches: Vec<Four> = (0..((x2 - x1) / 7.0).min(300.0) as usize)
                        .map(|i| x1 + 7.0 * i as f64)
                        .map(|x| [x, top - 1.0, (x + 4.0).min(x2), top - 6.0])
                        .collect();
                    pen.lines(hatch, 1.2, 1.0, &hatches);
                    let long = text::latency(band.to - band.from);
                    [format!("nobody leads: {long}"), "nobody leads".to_owned(), "–".to_owned()]
                }
            };
            let fits = names.iter().find(|name| name.chars().count() as f64 * LETTER + 8.0 <= x2 - x1);
            if let Some(name) = fits {
                pen.text(muted, false, Align::Left, (x1 + 5.0, 9.5), name);
            }
            pen.lines(hatch, 1.0, 0.6, &[[x1, 0.0, x1, bottom]]);
        }
        let end = self.window.x(self.history.until());
        if end < right {
            pen.lines(hatch, 1.0, 0.8, &dashed([end, top, end, bottom], 3.0));
        }
        let begin = self.window.x(self.history.since());
        if self.history.since() > 0 && begin > 0.0 {
            pen.text(muted, false, Align::Left, (4.0, top + 8.0), "not recorded: too long ago");
        }
    }

    /// Up to where each lane is in the past of what is selected, and from where on in its future.
    fn cone(&self, pen: &mut dyn Pen) {
        let Some(cone) = self.cone else { return };
        let Colours { soft, accent, .. } = self.colours;
        let height = self.lanes.height();
        for (index, row) in self.lanes.rows.iter().enumerate() {
            let (Lane::Node(node), (y, true)) = (row.lane, self.lanes.y(index)) else { continue };
            let (past, future) = cone.edges(node);
            if let Some(x) = past.map(|at| self.window.x(at).min(self.window.width)).filter(|x| *x > 0.0) {
                pen.boxes(soft, 1.0, &[[0.0, y - height * 0.32, x, height * 0.64]]);
                let [up, down] = [y - height * 0.32, y + height * 0.32];
                pen.lines(accent, 1.5, 1.0, &[[x - 4.0, up, x, up], [x, up, x, down], [x - 4.0, down, x, down]]);
            }
            if let Some(x) = future.map(|at| self.window.x(at).max(0.0)).filter(|x| *x < self.window.width) {
                pen.boxes(soft, 0.55, &[[x, y - height * 0.32, self.window.width - x, height * 0.64]]);
                let [up, down] = [y - height * 0.32, y + height * 0.32];
                pen.lines(accent, 1.5, 1.0, &[[x + 4.0, up, x, up], [x, up, x, down], [x + 4.0, down, x, down]]);
            }
        }
    }

    /// A line for each lane: broken while its node is down, double while it is paused, thick while it leads.
    fn lane_lines(&self, pen: &mut dyn Pen) {
        let Colours { faint, ink, accent, danger, paper, .. } = self.colours;
        let width = self.window.width;
        for (index, row) in self.lanes.rows.iter().enumerate() {
            let (y, true) = self.lanes.y(index) else { continue };
            let selected = matches!(row.lane, Lane::Node(node) if Some(node) == self.node);
            if selected || self.lane == Some(index) {
                let half = self.lanes.height() * 0.46;
                let edge = if selected { accent } else { ink };
                pen.lines(edge, 1.5, 1.0, &[[0.0, y - half, width, y - half], [0.0, y + half, width, y + half]]);
            }
            pen.lines(faint, 1.0, 1.0, &[[0.0, y, width, y]]);
            let Lane::Node(node) = row.lane else { continue };
            let leads =
                self.bands.iter().filter_map(|band| Some((band, band.leader?))).filter(|(_, it)| it.node == node);
            for (band, _) in leads {
                let (x1, x2) = (self.window.x(band.from).max(0.0), self.window.x(band.to).min(width));
                if x1 < x2 {
                    pen.lines(ink, 3.0, 1.0, &[[x1, y, x2, y]]);
                }
            }
            let (from, until) = self.window.range();
            for span in self.history.spans().iter().filter(|span| span.node == node) {
                let end = span.until.unwrap_or(self.history.until());
                if span.from > until || end < from {
                    continue;
                }
                let (x1, x2) = (self.window.x(span.from).max(0.0), self.window.x(end).min(width));
                pen.lines(paper, 5.0, 1.0, &[[x1, y, x2, y]]);
                match span.state {
                    State::Down => {
                        pen.lines(danger, 1.5, 1.0, &dashed([x1, y, x2, y], 3.0));
                        if span.from >= from {
                            let x = self.window.x(span.from);
                            pen.lines(danger, 2.5, 1.0, &cross(x, y, 5.0));
                        }
                    }
                    State::Paused => {
                        pen.lines(danger, 1.5, 1.0, &[[x1, y - 2.0, x2, y - 2.0], [x1, y + 2.0, x2, y + 2.0]])
                    }
                }
            }
        }
    }

    /// Colour of a message: its kind's, or the last one for those of clients.
    fn color(&self, kind: MessageKind) -> usize {
        match kind {
            MessageKind::Protocol(kind) => usize::from(kind.0).min(self.kinds.len()),
            MessageKind::Request | MessageKind::Reply(_) => self.kinds.len(),
        }
    }

    fn line_color(&self, color: usize) -> &str {
        self.colours.kinds.get(color).map_or(&self.colours.ink, |[line, ..]| line)
    }

    fn messages(&self, pen: &mut dyn Pen, before: Drawn) -> Drawn {
        let (from, until) = self.window.range();
        let rows = self.lanes.rows.len();
        let colors = self.kinds.len() + 1;
        let mut strokes =
            Strokes { plain: vec![Vec::new(); colors], faded: vec![Vec::new(); colors], crosses: Vec::new() };
        // Where lines are thinned: of each kind between two lanes, one in so many pixels.
        let step = match before.messages > LINES {
            true => (self.window.width * before.ways.max(1) as f64 / LINES as f64).ceil().max(1.0),
            false => 0.0,
        };
        let mut latest: Vec<i32> = vec![i32::MIN; rows * rows * colors * 2];
        let mut drawn = Drawn::default();
        let mut signs: Vec<(f64, f64, &Message)> = Vec::new();
        let end = self.history.until();
        let indices = self.lanes.indices();
        for (number, message) in self.history.window(from, until) {
            drawn.messages += 1;
            let (Some(a), Some(b)) = (indices.of(message.from), indices.of(message.to)) else { continue };
            let color = self.color(message.kind);
            let faded = self.cone.is_some_and(|cone| {
                cone.subject() != Some(number) && !cone.is_past(message) && !cone.is_future(message)
            });
            let last = &mut latest[((a * rows + b) * colors + color) * 2 + usize::from(faded)];
            drawn.ways += usize::from(*last == i32::MIN);
            let cell = if step > 0.0 { (self.window.x(message.sent) / step).floor() as i32 } else { 0 };
            if step > 0.0 && *last == cell {
                continue;
            }
            *last = cell;
            let Some(line) = line(self.lanes, &self.window, self.history, message) else { continue };
            drawn.lines += 1;
            let strokes_of = if faded { &mut strokes.faded } else { &mut strokes.plain };
            if message.arrives > end && message.fate == Fate::UnderWay || message.fate == Fate::Held {
                strokes_of[color].extend(dashed(line, 2.5));
            } else {
                strokes_of[color].push(line);
            }
            if matches!(message.fate, Fate::Lost) && !faded && step == 0.0 {
                strokes.crosses.extend(cross(line[2], line[3], 4.0));
            }
            if step == 0.0 && !faded {
                let middle = ((line[0] + line[2]) / 2.0, (line[1] + line[3]) / 2.0);
                let long = (line[2] - line[0]).abs() + (line[3] - line[1]).abs();
                if long > 34.0 && signs.len() < SIGNS {
                    signs.push((middle.0, middle.1, message));
                }
            }
        }
        for (color, lines) in strokes.faded.iter().enumerate() {
            pen.lines(self.line_color(color), 1.0, 0.22, lines);
        }
        for (color, lines) in strokes.plain.iter().enumerate() {
            pen.lines(self.line_color(color), if color == self.kinds.len() { 0.9 } else { 1.3 }, 0.9, lines);
        }
        pen.lines(&self.colours.danger, 2.0, 1.0, &strokes.crosses);
        self.chain(pen);
        if drawn.messages < SIGNS {
            self.signs(pen, signs);
        }
        self.pointed(pen);
        drawn
    }

    /// What led to the selected message directly, and that message.
    fn chain(&self, pen: &mut dyn Pen) {
        let Some(cone) = self.cone else { return };
        let lines = |numbers: &[usize]| -> Vec<Four> {
            let messages = numbers.iter().filter_map(|number| self.history.message(*number));
            messages.filter_map(|message| line(self.lanes, &self.window, self.history, message)).collect()
        };
        pen.lines(&self.colours.accent, 2.4, 1.0, &lines(cone.chain()));
        if let Some(subject) = cone.subject() {
            let lines = lines(&[subject]);
            pen.lines(&self.colours.accent, 4.5, 1.0, &lines);
            let color = self.history.message(subject).map_or(0, |message| self.color(message.kind));
            pen.lines(self.line_color(color), 1.8, 1.0, &lines);
            for [x1, y1, x2, y2] in lines {
                pen.sign(&self.colours.paper, &self.colours.accent, false, 3.5, (x1, y1));
                pen.sign(&self.colours.accent, &self.colours.accent, false, 3.5, (x2, y2));
            }
        }
    }

    /// Letters of messages, as on the stage, where there is room for them.
    fn signs(&self, pen: &mut dyn Pen, mut signs: Vec<(f64, f64, &Message)>) {
        signs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut placed: Vec<(f64, f64)> = Vec::new();
        let mut letter = [0; 4];
        for (x, y, message) in signs {
            let near = placed.iter().rev().take_while(|(other, _)| x - other < APART);
            if near.into_iter().any(|(a, b)| (x - a).abs() + (y - b).abs() < APART) {
                continue;
            }
            placed.push((x, y));
            let Colours { paper, ink, .. } = self.colours;
            match message.kind {
                MessageKind::Protocol(kind) => {
                    let (Some(kind), Some([_, fill, on, rim])) =
                        (self.kinds.get(usize::from(kind.0)), self.colours.kinds.get(usize::from(kind.0)))
                    else {
                        continue;
                    };
                    pen.sign(fill, rim, false, SIGN, (x, y));
                    pen.text(on, true, Align::Middle, (x, y + 0.7), kind.letter.encode_utf8(&mut letter));
                }
                client => {
                    pen.sign(paper, ink, true, SIGN - 1.0, (x, y));
                    pen.text(ink, true, Align::Middle, (x, y + 0.7), sign(client));
                }
            }
        }
    }

    fn pointed(&self, pen: &mut dyn Pen) {
        let subject = self.cone.and_then(Cone::subject);
        let message = self.pointed.filter(|number| Some(*number) != subject);
        let message = message.and_then(|number| self.history.message(number));
        let line = message.and_then(|message| line(self.lanes, &self.window, self.history, message));
        if let Some(line) = line {
            pen.lines(&self.colours.ink, 3.0, 1.0, &[line]);
            pen.sign(&self.colours.ink, &self.colours.paper, false, 4.0, (line[2], line[3]));
        }
    }

    /// Decisions: a diamond where a slot was known first, a tick where another node learned it.
    fn marks(&self, pen: &mut dyn Pen) {
        let (from, until) = self.window.range();
        let (mut ticks, mut diamonds): (Vec<Four>, Vec<Four>) = (Vec::new(), Vec::new());
        let mut latest: Vec<(f64, f64)> = vec![(f64::MIN, f64::MIN); self.lanes.rows.len()];
        let mut numbered = f64::MIN;
        let mut numbers: Vec<(f64, f64, String)> = Vec::new();
        for mark in self.history.marks(from, until) {
            let Some(index) = self.lanes.index(Lane::Node(mark.node)) else { continue };
            let ((y, true), x) = (self.lanes.y(index), self.window.x(mark.at)) else { continue };
            let last = if mark.first { &mut latest[index].1 } else { &mut latest[index].0 };
            if x - *last < 1.0 {
                continue;
            }
            *last = x;
            if mark.first {
                let r = 4.0;
                diamonds.extend([
                    [x - r, y, x, y - r],
                    [x, y - r, x + r, y],
                    [x + r, y, x, y + r],
                    [x, y + r, x - r, y],
                ]);
                let name = mark.instance.1.to_string();
                if x - numbered > name.len() as f64 * LETTER + 10.0 && self.lanes.height() >= 22.0 {
                    numbered = x;
                    numbers.push((x, y - 9.0, name));
                }
            } else {
                ticks.push([x, y - 3.5, x, y + 3.5]);
            }
        }
        pen.lines(&self.colours.decided, 1.2, 0.8, &ticks);
        pen.lines(&self.colours.decided, 1.8, 1.0, &diamonds);
        // Numbers only where not each of them would cover the next.
        if numbers.len() * 3 > diamonds.len() / 4 {
            for (x, y, name) in numbers {
                pen.text(&self.colours.muted, false, Align::Middle, (x, y), &name);
            }
        }
    }

    /// Violations: a line from top to bottom, and a ring around each node that shows it.
    fn edges(&self, pen: &mut dyn Pen, top: f64, bottom: f64) {
        for (at, nodes) in self.violations {
            let x = self.window.x(*at);
            if !(0.0..=self.window.width).contains(&x) {
                continue;
            }
            pen.lines(&self.colours.danger, 2.5, 1.0, &[[x, top, x, bottom]]);
            for node in nodes {
                if let Some((y, true)) = self.lanes.index(Lane::Node(*node)).map(|index| self.lanes.y(index)) {
                    pen.sign(&self.colours.paper, &self.colours.danger, false, 6.0, (x, y));
                    pen.lines(&self.colours.danger, 2.0, 1.0, &cross(x, y, 3.0));
                }
            }
        }
    }

    /// The moments that matter, below the lanes.
    fn moments(&self, pen: &mut dyn Pen, top: f64, bottom: f64) {
        let Colours { danger, accent, ink, muted, .. } = self.colours;
        let mut end = f64::MIN;
        for moment in self.moments {
            let x = self.window.x(moment.at);
            if !(-300.0..=self.window.width).contains(&x) {
                continue;
            }
            let ahead = moment.at > self.now;
            let color = if moment.found { accent } else { danger };
            let tick = [x, bottom, x, bottom + MOMENTS];
            let through = [x, top, x, bottom];
            if ahead {
                pen.lines(color, 2.0, 1.0, &dashed(tick, 2.0));
            } else {
                pen.lines(color, 2.0, 1.0, &[tick]);
                pen.lines(color, 1.0, 0.5, &dashed(through, 3.0));
            }
            let (label, _) = moment.told(self.now);
            if !label.is_empty() && x + 5.0 > end {
                pen.text(if ahead { muted } else { ink }, false, Align::Left, (x + 5.0, bottom + MOMENTS / 2.0), label);
                end = x + 12.0 + label.chars().count() as f64 * LETTER;
            }
        }
    }

    fn axis(&self, pen: &mut dyn Pen) {
        let Colours { muted, faint, .. } = self.colours;
        let y = self.height - AXIS;
        pen.lines(faint, 1.0, 1.0, &[[0.0, y, self.window.width, y]]);
        let (from, until) = self.window.range();
        let tick = self.window.tick();
        let first = from.div_ceil(tick) * tick;
        let ticks: Vec<Micros> = (0..).map(|i| first + i * tick).take_while(|at| *at <= until).take(200).collect();
        let lines: Vec<Four> = ticks.iter().map(|at| self.window.x(*at)).map(|x| [x, y, x, y + 5.0]).collect();
        pen.lines(faint, 1.0, 1.0, &lines);
        for at in ticks {
            let x = self.window.x(at);
            if x > 20.0 && x < self.window.width - 20.0 {
                pen.text(muted, false, Align::Middle, (x, y + AXIS / 2.0 + 2.0), &moment(at, tick));
            }
        }
    }
}

fn cross(x: f64, y: f64, r: f64) -> [Four; 2] {
    [[x - r, y - r, x + r, y + r], [x - r, y + r, x + r, y - r]]
}

/// The sign of a client's message, as on the stage.
pub fn sign(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Reply(ReplyKind::Answered) => CLIENT_SIGNS[1],
        MessageKind::Reply(ReplyKind::Redirected(_)) => CLIENT_SIGNS[2],
        MessageKind::Reply(ReplyKind::Refused) => CLIENT_SIGNS[3],
        MessageKind::Request | MessageKind::Protocol(_) => CLIENT_SIGNS[0],
    }
}

/// A time on the axis, with as many decimals as the distance of its marks asks for.
fn moment(at: Micros, tick: Micros) -> String {
    let (whole, part) = (at / 1_000_000, at % 1_000_000);
    match tick {
        1_000_000.. => format!("{whole} s"),
        100_000.. => format!("{whole}.{} s", part / 100_000),
        10_000.. => format!("{whole}.{:02} s", part / 10_000),
        1_000.. => format!("{whole}.{:03} s", part / 1_000),
        _ => format!("{whole}.{:03} {:03} s", part / 1_000, part % 1_000),
    }
}
