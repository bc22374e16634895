//! A part of a run as a picture of its space-time diagram: a line a node and one for the clients of a site, time to the right, an arrow a message.

use super::recording::Recording;
use super::{Options, Refusal};
use crate::core::{Micros, NodeId, Phase};
use crate::lab::Session;
use crate::lab::quantity::Quantity;
use crate::lab::run::diagram::{Fate, Lane, Message, MessageKind, State};
use crate::lab::run::sequence::drawing::phase;
use crate::lab::run::sequence::svg::{escaped, frame, style};
use crate::universe::ReplyKind;
use std::fmt::Write;

/// Most messages of one picture.
pub(super) const MOST_MESSAGES: usize = 1_500;
/// Messages without heartbeats of the part that is shown where none is asked for.
pub(super) const USUAL: usize = 36;
/// Most messages that have their letters.
const LETTERS: usize = 160;

/// Least distance of two signs, tenths of pixels.
const SIGN: i64 = 165;
/// Width of the picture, of the column of names and of the margin on the right.
const WIDTH: i64 = 1_280;
const LEFT: i64 = 168;
const RIGHT: i64 = 32;
/// Height of the head, of a lane, and of what stands below the lanes.
const HEAD: i64 = 74;
const LANE: i64 = 76;
/// A row of what was done, above the lanes, and one of the legend.
const ROW: i64 = 18;
/// Width of a character, on the safe side.
const CHARACTER: i64 = 7;

const OWN: &str = "\
.title { font-size: 20px; font-weight: 700; text-anchor: start } .about { fill: var(--muted); text-anchor: start }
.name { font-size: 15px; font-weight: 700; text-anchor: end } .site { fill: var(--muted); font-size: 12px; text-anchor: end }
.life { stroke: var(--line); stroke-width: 1.4 } .leads { stroke: var(--ink); stroke-width: 5 } .down { stroke: var(--danger); stroke-dasharray: 3 5 }
.grid { stroke: var(--line); stroke-width: 0.6; opacity: 0.5 } .tick { fill: var(--muted); font-size: 12px }
.act { stroke: var(--danger); stroke-width: 1.2; stroke-dasharray: 5 4 } .what { fill: var(--danger); font-size: 12px }
.note { font-size: 12px; font-weight: 600 } .decided { fill: var(--commit); stroke: var(--paper); stroke-width: 1.5 }
.halo { stroke: var(--paper); stroke-width: 4; stroke-linejoin: round; paint-order: stroke }
.sign { fill: var(--paper); stroke: var(--of); stroke-width: 1.6 } .letter { fill: var(--of); font-size: 11px; font-weight: 700 }
.key { text-anchor: start; font-size: 12px }
";

/// The part that is shown where none is asked for: as long as its messages can be told apart.
pub(super) fn usual_part(run: &Recording, most: usize) -> (Micros, Micros) {
    let until = run.universe().time();
    let counts = |message: &Message| !is_heartbeat(run, message) && message.fate != Fate::Unsent;
    let mut latest = run.history().messages().rev().filter(|(_, message)| counts(message));
    let from = latest.nth(most - 1).map_or(0, |(_, message)| message.sent.saturating_sub(1_000));
    (from.min(until.saturating_sub(1)), until)
}

fn is_heartbeat(run: &Recording, message: &Message) -> bool {
    match message.kind {
        MessageKind::Protocol(kind) => {
            let kinds = run.universe().variant().kinds;
            kinds.get(usize::from(kind.0)).is_some_and(|kind| kind.phase == Phase::Heartbeat)
        }
        _ => false,
    }
}

/// Where times and lanes are, in tenths of pixels.
struct Plan {
    from: Micros,
    until: Micros,
    lanes: Vec<Lane>,
    /// The upper edge of the lanes, pixels.
    top: i64,
}

impl Plan {
    fn x(&self, at: Micros) -> i64 {
        let (at, span) = (at.clamp(self.from, self.until) - self.from, (self.until - self.from).max(1));
        let wide = u128::from(at) * ((WIDTH - LEFT - RIGHT) * 10) as u128 / u128::from(span);
        LEFT * 10 + i64::try_from(wide).unwrap_or(0)
    }

    fn y(&self, lane: Lane) -> Option<i64> {
        let place = self.lanes.iter().position(|one| *one == lane)?;
        Some((self.top + LANE / 2 + LANE * place as i64) * 10)
    }

    fn bottom(&self) -> i64 {
        self.top + LANE * self.lanes.len() as i64
    }
}

/// Tenths of pixels as pixels.
fn px(tenths: i64) -> String {
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}{}.{}", if tenths < 0 { "-" } else { "" }, tenths.abs() / 10, rest.abs()),
    }
}

fn time(at: Micros) -> String {
    Quantity::from_micros(at).to_string()
}

/// Draws it.
pub(super) fn svg(run: &Recording, session: &Session, options: Options) -> Result<String, Refusal> {
    let (usual, until) = usual_part(run, USUAL);
    let from = options.from.unwrap_or(usual);
    // What arrives at the very edge is a head without a way.
    let edge = from + (until - from) / 200;
    let messages =
        run.history().window(from, until).filter(|(_, message)| message.arrives > edge || message.sent >= from);
    let messages: Vec<(usize, &Message)> = messages.collect();
    if messages.len() > MOST_MESSAGES {
        let at = messages[MOST_MESSAGES].1.sent.max(from);
        return Err(Refusal::TooMuch { bound: format!("{MOST_MESSAGES} messages in a picture"), at });
    }
    let mut lanes: Vec<Lane> = Vec::new();
    for lane in messages.iter().flat_map(|(_, message)| [message.from, message.to]) {
        if matches!(lane, Lane::Clients(_)) && !lanes.contains(&lane) {
            lanes.push(lane);
        }
    }
    lanes.sort_unstable();
    lanes.extend((0..run.universe().nodes()).map(|node| Lane::Node(NodeId(node))));
    let acts: Vec<(Micros, &str)> = run
        .steps
        .iter()
        .filter(|step| step.at >= from && step.at <= until)
        .filter_map(|step| Some((step.at, step.action.as_ref()?.1.as_str())))
        .filter(|(_, action)| !action.starts_with("request"))
        .collect();
    let plan = Plan { from, until, lanes, top: 0 };
    let rows = rows_of(&plan, &acts);
    let plan = Plan { top: HEAD + ROW * rows.iter().map(|(_, row)| row + 1).max().unwrap_or(0), ..plan };
    let mut drawing = Drawing { run, session, plan, text: String::new() };
    drawing.head();
    drawing.axis();
    drawing.acts(&acts, &rows);
    drawing.lanes();
    drawing.messages(&messages);
    drawing.notes();
    let height = drawing.legend(&messages);
    let title = format!("Space-time diagram of {}", drawing.title());
    let description = format!(
        "{} nodes, {} messages, from {} to {}, time to the right.",
        run.universe().nodes(),
        messages.len(),
        time(from),
        time(until)
    );
    Ok(frame((WIDTH as i32, height as i32), &title, &description, &style(options.theme, OWN), &drawing.text))
}

/// The row in which each thing that was done is written, so that none covers another; and where its text begins, pixels.
fn rows_of(plan: &Plan, acts: &[(Micros, &str)]) -> Vec<(i64, i64)> {
    let mut ends: Vec<i64> = Vec::new();
    let mut rows = Vec::new();
    for (at, action) in acts {
        let width = CHARACTER * action.chars().count() as i64;
        let begin = (plan.x(*at) / 10 - width / 2).clamp(8, (WIDTH - 8 - width).max(8));
        let row = ends.iter().position(|end| *end + 10 < begin).unwrap_or(ends.len());
        if row == ends.len() {
            ends.push(0);
        }
        ends[row] = begin + width;
        rows.push((begin + width / 2, row as i64));
    }
    rows
}

struct Drawing<'a> {
    run: &'a Recording,
    session: &'a Session,
    plan: Plan,
    text: String,
}

impl Drawing<'_> {
    fn title(&self) -> String {
        let title = &self.session.scenario().title;
        if title.is_empty() { self.session.checked().variant.card.title.to_owned() } else { title.clone() }
    }

    fn write(&mut self, shape: std::fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(shape);
        self.text.push('\n');
    }

    fn words(&mut self, class: &str, x: i64, y: i64, text: &str) {
        self.write(format_args!("<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>", px(x), px(y), escaped(text)));
    }

    fn line(&mut self, class: &str, (x1, y1): (i64, i64), (x2, y2): (i64, i64)) {
        self.write(format_args!(
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            px(x1),
            px(y1),
            px(x2),
            px(y2)
        ));
    }

    fn head(&mut self) {
        let (checked, plan) = (self.session.checked(), &self.plan);
        let about = format!(
            "{}, seed {}, {} to {}",
            checked.variant.card.title,
            checked.blueprint.seed,
            time(plan.from),
            time(plan.until)
        );
        self.words("title", 160, 320, &self.title());
        self.words("about", 160, 530, &about);
    }

    /// Lines and times, at round numbers.
    fn axis(&mut self) {
        let span = self.plan.until - self.plan.from;
        let steps = (0..13).flat_map(|power| [1, 2, 5].map(|factor| factor * 10u64.pow(power)));
        let step = steps.into_iter().find(|step| span / step <= 10).unwrap_or(span.max(1));
        let (top, bottom) = (self.plan.top * 10, self.plan.bottom() * 10);
        let mut at = self.plan.from.next_multiple_of(step);
        while at <= self.plan.until {
            let x = self.plan.x(at);
            self.line("grid", (x, top), (x, bottom));
            self.words("tick", x, bottom + 160, &time(at));
            at += step;
        }
    }

    fn acts(&mut self, acts: &[(Micros, &str)], rows: &[(i64, i64)]) {
        for ((at, action), (middle, row)) in acts.iter().zip(rows) {
            let (x, y) = (self.plan.x(*at), (HEAD + ROW * row) * 10);
            self.line("act", (x, y + 40), (x, self.plan.bottom() * 10));
            self.words("what halo", middle * 10, y, action);
        }
    }

    /// The lines of nodes and clients: thick while a node leads, broken while it is down.
    fn lanes(&mut self) {
        let (from, until) = (self.plan.from, self.plan.until);
        let places = &self.session.checked().places;
        let place = |site: u8| places.get(usize::from(site)).map_or(String::new(), |place| place.name.clone());
        for lane in self.plan.lanes.clone() {
            let Some(y) = self.plan.y(lane) else { continue };
            let (name, site) = match lane {
                Lane::Node(node) => (format!("Node {node:?}"), place(self.run.universe().node(node).site)),
                Lane::Clients(site) => ("Clients".to_owned(), place(site)),
            };
            self.words("name", (LEFT - 14) * 10, y, &name);
            self.words("site", (LEFT - 14) * 10, y + 150, &site);
            let mut life = vec![(from, until, "life")];
            if let Lane::Node(node) = lane {
                let down = self.run.history().spans().iter();
                let down = down.filter(|span| (span.node, span.state) == (node, State::Down));
                for span in down {
                    let (begin, end) = (span.from.max(from), span.until.unwrap_or(until).min(until));
                    if begin < end {
                        let (start, _, _) = life.pop().unwrap_or((from, until, "life"));
                        life.extend([(start, begin, "life"), (begin, end, "life down"), (end, until, "life")]);
                    }
                }
                for led in self.run.recorder().leadership().iter().filter(|led| led.node == node) {
                    let (begin, end) = (led.since.max(from), led.until.unwrap_or(until).min(until));
                    if begin < end {
                        life.push((begin, end, "leads"));
                    }
                }
            }
            for (begin, end, class) in life.into_iter().filter(|(begin, end, _)| begin < end) {
                let (x1, x2) = (self.plan.x(begin), self.plan.x(end));
                self.line(class, (x1, y), (x2, y));
            }
        }
    }

    fn messages(&mut self, messages: &[(usize, &Message)]) {
        let lettered = messages.iter().filter(|(_, message)| !is_heartbeat(self.run, message)).count() <= LETTERS;
        let (mut signs, mut placed) = (String::new(), Vec::new());
        for (number, message) in messages {
            let (Some(y1), Some(y2)) = (self.plan.y(message.from), self.plan.y(message.to)) else { continue };
            let (x1, x2) = (self.plan.x(message.sent), self.plan.x(message.arrives));
            // At the edges of the picture a line is cut where it leaves it.
            let whole = i128::from((message.arrives - message.sent).max(1));
            let cut = |at: Micros| {
                let passed = i128::from(at.clamp(self.plan.from, self.plan.until)) - i128::from(message.sent);
                y1 + i64::try_from(i128::from(y2 - y1) * passed / whole).unwrap_or(0)
            };
            let (mut start, mut end) = ((x1, y1), (x2, y2));
            if message.sent < self.plan.from {
                start.1 = cut(self.plan.from);
            }
            if message.arrives > self.plan.until {
                end.1 = cut(self.plan.until);
            }
            if matches!(message.fate, Fate::Lost | Fate::Held) {
                end = (start.0 + (end.0 - start.0) * 7 / 10, start.1 + (end.1 - start.1) * 7 / 10);
            }
            let (class, letter, name) = self.kind(message.kind);
            let fate = match message.fate {
                Fate::Lost => " lost",
                Fate::UnderWay | Fate::Held => " under-way",
                _ => "",
            };
            let arrives = message.fate == Fate::Delivered && message.arrives <= self.plan.until;
            let head = head(start, end, arrives, message.fate == Fate::Lost);
            let way = format!("M{} {}L{} {}", px(start.0), px(start.1), px(end.0), px(end.1));
            let told = format!(
                "{name}{}, message {}, {} to {}{}",
                if message.slot > 0 { format!(", slot {}", message.slot) } else { String::new() },
                number + 1,
                time(message.sent),
                time(message.arrives),
                if fate == " lost" { ", lost" } else { "" }
            );
            self.write(format_args!(
                "<g class=\"message {class}{fate}\"><title>{}</title><path class=\"way\" d=\"{way}\"/><path class=\"head\" d=\"{head}\"/></g>",
                escaped(&told)
            ));
            let long = (end.0 - start.0).abs() + (end.1 - start.1).abs() > 500;
            if lettered && class != "heartbeat" && long {
                // Not in the middle first, where the two directions of a round trip cross; and not on another sign.
                let place =
                    |part: i64| (start.0 + (end.0 - start.0) * part / 100, start.1 + (end.1 - start.1) * part / 100);
                let is_free = |at: &(i64, i64)| {
                    placed.iter().all(|(x, y): &(i64, i64)| (at.0 - x).pow(2) + (at.1 - y).pow(2) > SIGN * SIGN)
                };
                let Some(at) = [35, 50, 65, 22, 78].map(place).into_iter().find(is_free) else { continue };
                placed.push(at);
                let _ = writeln!(
                    signs,
                    "<g class=\"message {class}\"><circle class=\"sign\" cx=\"{}\" cy=\"{}\" r=\"8\"/>\
                     <text class=\"letter\" x=\"{}\" y=\"{}\">{}</text></g>",
                    px(at.0),
                    px(at.1),
                    px(at.0),
                    px(at.1 + 40),
                    escaped(&letter)
                );
            }
        }
        self.text.push_str(&signs);
    }

    /// Class, sign and name of a kind of message.
    fn kind(&self, kind: MessageKind) -> (&'static str, String, String) {
        let kinds = self.session.checked().variant.kinds;
        match kind {
            MessageKind::Protocol(kind) => match kinds.get(usize::from(kind.0)) {
                Some(kind) => (phase(Some(kind.phase)), kind.letter.to_string(), kind.name.to_owned()),
                None => ("client", "·".to_owned(), "message".to_owned()),
            },
            MessageKind::Request => ("client", "?".to_owned(), "request of a client".to_owned()),
            MessageKind::Reply(ReplyKind::Answered) => ("client", "✓".to_owned(), "answer to a client".to_owned()),
            MessageKind::Reply(ReplyKind::Refused) => ("client", "✗".to_owned(), "refusal".to_owned()),
            MessageKind::Reply(ReplyKind::Redirected(_)) => ("client", "↪".to_owned(), "redirect".to_owned()),
        }
    }

    /// What nodes became and learned, where there is room for the words.
    fn notes(&mut self) {
        let (from, until) = (self.plan.from, self.plan.until);
        for mark in self.run.history().marks(from, until).filter(|mark| mark.first).copied().collect::<Vec<_>>() {
            let Some(y) = self.plan.y(Lane::Node(mark.node)) else { continue };
            let x = self.plan.x(mark.at);
            let what = format!("slot {} decided at {}", mark.instance.1, time(mark.at));
            self.write(format_args!(
                "<path class=\"decided\" d=\"M{} {}l6 7l-6 7l-6 -7Z\"><title>{}</title></path>",
                px(x),
                px(y - 70),
                escaped(&what)
            ));
        }
        let word = self.session.checked().variant.card.epoch;
        let mut now = self.run.start.clone();
        let mut notes: Vec<(u8, NodeId, Micros, String)> = Vec::new();
        for step in &self.run.steps {
            for (node, seen) in &step.seen {
                let before = now.get(usize::from(node.0)).and_then(|seen| seen.status);
                let (rank, what) = match (before, seen.status) {
                    (Some(_), None) => (1, "down".to_owned()),
                    (None, Some(status)) => (1, format!("up as {}", status.role)),
                    (Some(before), Some(now)) if before.role != now.role => {
                        (if now.leads { 0 } else { 2 }, format!("{}, {word} {}", now.role, now.epoch))
                    }
                    _ => continue,
                };
                if step.at >= from && step.at <= until {
                    notes.push((rank, *node, step.at, what));
                }
            }
            step.update(&mut now);
        }
        // Leaders first, where there is no room for all.
        notes.sort_by_key(|(rank, _, at, _)| (*rank, *at));
        let mut taken: Vec<(NodeId, i64, i64)> = Vec::new();
        for (_, node, at, what) in notes {
            let Some(y) = self.plan.y(Lane::Node(node)) else { continue };
            let half = CHARACTER * what.chars().count() as i64 / 2;
            let middle = (self.plan.x(at) / 10).clamp(LEFT + half, (WIDTH - 6 - half).max(LEFT + half));
            let (begin, end) = (middle - half - 4, middle + half + 4);
            if taken.iter().all(|(other, from, until)| *other != node || end < *from || begin > *until) {
                taken.push((node, begin, end));
                self.words("note halo", middle * 10, y - 130, &what);
            }
        }
    }

    /// The kinds of messages that are there; returns the height of the picture.
    fn legend(&mut self, messages: &[(usize, &Message)]) -> i64 {
        let mut keys: Vec<(&'static str, String, String)> = Vec::new();
        for (_, message) in messages {
            let key = self.kind(message.kind);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys.sort_by(|(a, _, one), (b, _, other)| (*a == "client", one).cmp(&(*b == "client", other)));
        let (mut x, mut y) = (LEFT, self.plan.bottom() + 48);
        for (class, letter, name) in keys {
            let width = 30 + CHARACTER * name.chars().count() as i64 + 16;
            if x + width > WIDTH - 8 {
                (x, y) = (LEFT, y + 24);
            }
            self.write(format_args!(
                "<g class=\"message {class}\"><circle class=\"sign\" cx=\"{}\" cy=\"{}\" r=\"8\"/><text class=\"letter\" x=\"{}\" y=\"{y}\">{}</text></g>",
                x + 8,
                y - 4,
                x + 8,
                escaped(&letter)
            ));
            self.words("key", (x + 22) * 10, y * 10, &name);
            x += width;
        }
        for (shape, name) in [("decided", "decided for the first time"), ("leads", "leads")] {
            let width = 30 + CHARACTER * name.chars().count() as i64 + 16;
            if x + width > WIDTH - 8 {
                (x, y) = (LEFT, y + 24);
            }
            match shape {
                "decided" => {
                    self.write(format_args!("<path class=\"decided\" d=\"M{} {}l6 7l-6 7l-6 -7Z\"/>", x + 8, y - 11))
                }
                _ => self.line("leads", (x * 10, (y - 4) * 10), ((x + 18) * 10, (y - 4) * 10)),
            }
            self.words("key", (x + 24) * 10, y * 10, name);
            x += width;
        }
        y + 22
    }
}

/// What is at the end of a message's line, tenths of pixels.
fn head(start: (i64, i64), end: (i64, i64), arrives: bool, lost: bool) -> String {
    let (dx, dy) = (end.0 - start.0, end.1 - start.1);
    let length = (dx * dx + dy * dy).isqrt().max(1);
    let along = |distance: i64, aside: i64| {
        let (x, y) = (end.0 + (dx * distance - dy * aside) / length, end.1 + (dy * distance + dx * aside) / length);
        format!("{} {}", px(x), px(y))
    };
    match (arrives, lost) {
        (true, _) => format!("M{}L{}L{}Z", along(0, 0), along(-90, 36), along(-90, -36)),
        (_, true) => format!("M{}L{}M{}L{}", along(-45, -45), along(45, 45), along(-45, 45), along(45, -45)),
        _ => String::new(),
    }
}
