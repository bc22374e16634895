//! What can be out of order at a replica or on the way between two: each has a sign, a word and a sentence, the same on the stage, under it
//! and for screen readers.
//!
//! The page loads all of this after its first picture, where nothing is out of order.

use super::{draw, words};
use crate::run::ViewModel;
use crate::run::view::NodeView;
use crate::stage::geometry::{Point, point};
use quorumscope::universe::Link;
use yew::prelude::*;

/// Radius of a sign's circle.
const RADIUS: f64 = 9.0;

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Paused,
    Disk,
    Clock,
    Byzantine,
    Twins,
    Slow,
    Lossy,
    Twice,
    Disorder,
    Narrow,
    Cut,
    OneWay,
    Partition,
    Held,
}

use Condition::*;

/// In the order in which they are explained.
const ALL: [Condition; 14] =
    [Paused, Disk, Clock, Byzantine, Twins, Slow, Lossy, Twice, Disorder, Narrow, Cut, OneWay, Partition, Held];

/// What there is to tell of one kind.
pub struct ConditionText {
    /// Which kind.
    pub condition: Condition,
    /// In a word or two.
    pub word: String,
    /// As part of a sentence.
    pub says: String,
}

fn told(condition: Condition, word: impl Into<String>, says: impl Into<String>) -> ConditionText {
    ConditionText { condition, word: word.into(), says: says.into() }
}

impl Condition {
    /// Its sign, a path of lines around the origin, at most 5 in each direction.
    pub fn sign(self) -> &'static str {
        match self {
            Paused => "M-2.5 -4v8M2.5 -4v8",
            Disk => "M-4.5 -3c0 -2.4 9 -2.4 9 0v6c0 2.4 -9 2.4 -9 0zc0 2.4 9 2.4 9 0",
            Clock => "M0 -5v5l3.5 2",
            Byzantine => "M-4.5 -2q2 -2.5 4 0M.5 -2q2 -2.5 4 0M-4 3q4 -4 8 0",
            Twins => {
                "M-5 4c0 -5 5 -5 5 0M-2.5 -1.8v-.1M0 4c0 -5 5 -5 5 0M2.5 -1.8v-.1M-3.7 -3a1.2 1.2 0 1 0 2.4 0a1.2 1.2 0 1 0 -2.4 0M1.3 -3a1.2 1.2 0 1 0 2.4 0a1.2 1.2 0 1 0 -2.4 0"
            }
            Slow => "M-3.5 -5h7l-7 10h7z",
            Lossy => "M-5 -3h5q3 0 3 3v4m-2.5 -2.5l2.5 2.5l2.5 -2.5",
            Twice => "M-4.5 -4.5h6v6h-6zM-1.5 3.5v1h6v-6h-1",
            Disorder => "M-5 -2.5h9l-2.5 -2.5M5 2.5h-9l2.5 2.5",
            Narrow => "M-5 -4q5 5 10 0M-5 4q5 -5 10 0",
            Cut => "M-4 -4l8 8m0 -8l-8 8",
            OneWay => "M-5 0h7m-3 -3.5l3.5 3.5l-3.5 3.5M5 -4.5v9",
            Partition => "M-4 -4h3M1 -4h3v3M4 1v3h-3M-1 4h-3v-3M-4 -1v-3",
            Held => "M-5 -2v-3h3M2 -5h3v3M5 2v3h-3M-2 5h-3v-3",
        }
    }

    /// What it is called.
    fn name(self) -> &'static str {
        match self {
            Paused => "paused",
            Disk => "disk",
            Clock => "clock",
            Byzantine => "liar",
            Twins => "two of it",
            Slow => "slow",
            Lossy => "lossy",
            Twice => "repeats",
            Disorder => "out of order",
            Narrow => "narrow",
            Cut => "cut",
            OneWay => "cut one way",
            Partition => "cut off",
            Held => "held",
        }
    }

    /// What it means.
    fn says(self) -> &'static str {
        match self {
            Paused => "a replica that does nothing for a while; what arrives waits for it",
            Disk => "a disk that is slow, is full or does not keep its word",
            Clock => "a clock that runs too fast or too slow",
            Byzantine => "a replica that has told lies; no protocol here promises anything about it",
            Twins => "two replicas under one name, each of which talks with some of the others",
            Slow => "messages take longer than their distance says",
            Lossy => "some messages get lost",
            Twice => "some messages arrive twice",
            Disorder => "some messages are held up, and later ones overtake them",
            Narrow => "only so many bytes a second fit through; messages queue",
            Cut => "no message arrives, neither way",
            OneWay => "no message arrives at the end with the bar; the other way they do",
            Partition => "a place that nothing gets into or out of, clients included",
            Held => "a message that somebody holds; its link's menu lets it go",
        }
    }
}

/// What is wrong at a replica.
pub fn at_node(node: &NodeView) -> Vec<ConditionText> {
    let mut all = Vec::new();
    if let Some(waiting) = node.paused {
        all.push(told(Paused, "paused", format!("paused, {} waiting", words::count(waiting, "message"))));
    }
    let disk = node.disk;
    if let Some(write) = disk.write {
        let says = format!("its disk takes {} for a write", words::latency(write.into()));
        all.push(told(Disk, "slow disk", says));
    }
    let states = [
        (disk.full, "full disk", "its disk is full"),
        (disk.forgets, "disk forgets", "its disk only says that it writes"),
        (disk.tears, "disk tears", "its disk loses the last write in a crash"),
        (disk.rotten, "corrupt disk", "a record on its disk is corrupt"),
    ];
    all.extend(states.into_iter().filter(|(holds, ..)| *holds).map(|(_, word, says)| told(Disk, word, says)));
    if node.drift != 0 {
        let percent = words::decimal(f64::from(node.drift.unsigned_abs()) / 10_000.0);
        let (sign, way) = if node.drift > 0 { ("+", "fast") } else { ("−", "slow") };
        all.push(told(Clock, format!("clock {sign}{percent}%"), format!("its clock runs {percent}% too {way}")));
    }
    if node.twin {
        all.push(told(Twins, "two of it", "there are two of it"));
    } else if node.byzantine {
        all.push(told(Byzantine, "liar", "it has told lies"));
    }
    all
}

/// What is wrong with the way from one replica to another.
pub fn on_way(link: &Link) -> Vec<ConditionText> {
    let share = |permille: u16| words::decimal(f64::from(permille) / 10.0);
    let mut all = Vec::new();
    if link.extra > 0 || link.jitter > 0 {
        let latency = words::latency(u64::from(link.extra) + u64::from(link.jitter));
        let (word, says) = match link.jitter {
            0 => (format!("+{latency}"), format!("messages take {latency} longer")),
            _ => (format!("+ about {latency}"), format!("messages take about {latency} longer")),
        };
        all.push(told(Slow, word, says));
    }
    let shares = [
        (link.lose, Lossy, "lost", "get lost"),
        (link.duplicate, Twice, "twice", "arrive twice"),
        (link.reorder, Disorder, "held up", "are held up"),
    ];
    for (permille, condition, word, says) in shares.into_iter().filter(|(permille, ..)| *permille > 0) {
        let share = share(permille);
        all.push(told(condition, format!("{share}% {word}"), format!("{share}% of messages {says}")));
    }
    if link.bytes_per_s > 0 {
        let rate = match link.bytes_per_s {
            bytes if bytes < 10_000 => format!("{bytes} B/s"),
            bytes => format!("{} kB/s", bytes / 1_000),
        };
        let says = format!("no more than {rate} fit through");
        all.push(told(Narrow, rate, says));
    }
    all
}

/// The words that fit where there is little room; the rest is only counted.
pub fn brief(all: &[ConditionText]) -> String {
    match all {
        [one, rest @ ..] if rest.len() > 1 || rest.iter().any(|other| one.word.len() + other.word.len() > 15) => {
            format!("{} +{}", one.word, rest.len())
        }
        all => all.iter().map(|told| told.word.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// All of it, as it follows in a sentence.
pub fn in_full(all: &[ConditionText]) -> String {
    all.iter().map(|told| format!(", {}", told.says)).collect()
}

/// The sign of a trouble, in a circle.
pub fn badge(condition: Condition, at: Point) -> Html {
    draw::moved("badge", at, vec![draw::circle("", RADIUS), draw::path("", condition.sign())])
}

/// What is drawn at a replica, its middle at the origin: bars for a pause, badges around the circle for all else, and the words.
pub fn mark(node: &NodeView) -> Vec<Html> {
    let all = at_node(node);
    let mut marks = vec![draw::text("trouble", point(0.0, 82.0), brief(&all))];
    if node.paused.is_some() {
        marks.push(draw::path("bars", "M-12 -11v22M12 -11v22"));
    }
    let mut kinds: Vec<Condition> =
        all.iter().map(|told| told.condition).filter(|condition| *condition != Paused).collect();
    kinds.dedup();
    let corners = [point(25.0, -17.0), point(-25.0, -17.0), point(28.0, 14.0)];
    marks.extend(kinds.into_iter().zip(corners).map(|(condition, at)| badge(condition, at)));
    marks
}

/// Explains the signs that are on the stage now.
pub fn explained(view: &ViewModel) -> Vec<Html> {
    let mut seen: Vec<Condition> = view.nodes.iter().flat_map(at_node).map(|told| told.condition).collect();
    seen.extend(view.ways.iter().flat_map(|way| on_way(&way.link)).map(|told| told.condition));
    for node in &view.nodes {
        let back = |to: &quorumscope::core::NodeId| view.nodes[usize::from(to.0)].cut.has(node.id);
        seen.extend(node.cut.iter().map(|to| if back(&to) { Cut } else { OneWay }));
    }
    seen.extend(view.sites.iter().filter(|site| site.partitioned).map(|_| Partition));
    seen.extend(view.flights.iter().filter(|flight| flight.held).map(|_| Held));
    ALL.into_iter().filter(|condition| seen.contains(condition)).map(entry).collect()
}

fn entry(condition: Condition) -> Html {
    html! {
        <li class="wrong" title={condition.says()}>
            <svg class="badge" viewBox="-10 -10 20 20" aria-hidden="true">{ draw::circle("", RADIUS) }{ draw::path("", condition.sign()) }</svg>
            { condition.name() }
        </li>
    }
}
