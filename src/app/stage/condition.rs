//! Fault conditions of replicas and links: icon, label and description of each, the same on the stage, in the legend and for screen
//! readers.
//!
//! The first picture, in which nothing is faulty, does without all of this.

use super::measure::Measure;
use crate::elements::geometry::{Point, point};
use crate::elements::{svg, text};
use crate::run::view_model::NodeView;
use quorumscope::universe::Link;
use yew::prelude::*;

/// Radius of an icon's circle.
pub const RADIUS: f64 = 9.0;

/// A kind of fault condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Paused,
    Disk,
    Clock,
    Byzantine,
    Twins,
    Slow,
    Lossy,
    Duplicated,
    Reordered,
    NarrowLink,
    Cut,
    OneWay,
    Partitioned,
    HeldMessage,
}

use Condition::*;

/// All of them, in the order of the legend.
pub const ALL: [Condition; 14] = [
    Paused,
    Disk,
    Clock,
    Byzantine,
    Twins,
    Slow,
    Lossy,
    Duplicated,
    Reordered,
    NarrowLink,
    Cut,
    OneWay,
    Partitioned,
    HeldMessage,
];

/// A condition of one replica or link, with its texts.
pub struct ConditionText {
    /// The kind.
    pub condition: Condition,
    /// A word or two, for labels on the stage.
    pub label: String,
    /// A clause, for sentences.
    pub clause: String,
}

fn described(condition: Condition, label: impl Into<String>, clause: impl Into<String>) -> ConditionText {
    ConditionText { condition, label: label.into(), clause: clause.into() }
}

impl Condition {
    /// Its icon, a path of lines around the origin, at most 5 in each direction.
    pub fn icon(self) -> &'static str {
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
            Duplicated => "M-4.5 -4.5h6v6h-6zM-1.5 3.5v1h6v-6h-1",
            Reordered => "M-5 -2.5h9l-2.5 -2.5M5 2.5h-9l2.5 2.5",
            NarrowLink => "M-5 -4q5 5 10 0M-5 4q5 -5 10 0",
            Cut => "M-4 -4l8 8m0 -8l-8 8",
            OneWay => "M-5 0h7m-3 -3.5l3.5 3.5l-3.5 3.5M5 -4.5v9",
            Partitioned => "M-4 -4h3M1 -4h3v3M4 1v3h-3M-1 4h-3v-3M-4 -1v-3",
            HeldMessage => "M-5 -2v-3h3M2 -5h3v3M5 2v3h-3M-2 5h-3v-3",
        }
    }

    /// Its name in the legend.
    pub fn name(self) -> &'static str {
        match self {
            Paused => "paused",
            Disk => "disk",
            Clock => "clock",
            Byzantine => "Byzantine",
            Twins => "twins",
            Slow => "slow",
            Lossy => "lossy",
            Duplicated => "duplicates",
            Reordered => "reorders",
            NarrowLink => "limited bandwidth",
            Cut => "cut",
            OneWay => "cut one way",
            Partitioned => "partitioned",
            HeldMessage => "held",
        }
    }

    /// What it means, for the legend.
    pub fn description(self) -> &'static str {
        match self {
            Paused => "a replica that does nothing for a while; what arrives waits for it",
            Disk => "a disk that is slow, is full or does not keep what it confirmed",
            Clock => "a clock that runs too fast or too slow",
            Byzantine => {
                "a replica that does not follow the protocol: it lies or stays silent; these protocols promise nothing about it"
            }
            Twins => {
                "a Byzantine replica that equivocates: two copies under one name, each talking with some of the others"
            }
            Slow => "messages take longer than the measured round trip",
            Lossy => "some messages get lost",
            Duplicated => "some messages arrive twice",
            Reordered => "some messages are delayed, and later ones overtake them",
            NarrowLink => "only so many bytes a second fit through; messages queue",
            Cut => "no message arrives, neither way",
            OneWay => "no message arrives at the end with the bar; the other way they do",
            Partitioned => "a place that no message enters or leaves, those of clients included",
            HeldMessage => "a message that is held back; the menu of its link releases it",
        }
    }
}

/// Conditions of a replica.
pub fn of_node(node: &NodeView) -> Vec<ConditionText> {
    let mut all = Vec::new();
    if let Some(waiting) = node.paused {
        all.push(described(Paused, "paused", format!("paused, {} waiting", text::count(waiting, "message"))));
    }
    let disk = node.disk;
    if let Some(write) = disk.write {
        let says = format!("its disk takes {} for a write", text::latency(write.into()));
        all.push(described(Disk, "slow disk", says));
    }
    let states = [
        (disk.full, "full disk", "its disk is full"),
        (disk.forgets, "disk forgets", "its disk confirms writes without keeping them"),
        (disk.tears, "disk tears", "its disk loses the last write in a crash"),
        (disk.rotten, "corrupt disk", "a record on its disk is corrupt"),
    ];
    all.extend(states.into_iter().filter(|(holds, ..)| *holds).map(|(_, word, says)| described(Disk, word, says)));
    if node.drift != 0 {
        let percent = text::decimal(f64::from(node.drift.unsigned_abs()) / 10_000.0);
        let (sign, way) = if node.drift > 0 { ("+", "fast") } else { ("−", "slow") };
        all.push(described(Clock, format!("clock {sign}{percent}%"), format!("its clock runs {percent}% too {way}")));
    }
    if node.twin {
        all.push(described(Twins, "twins", "it is Byzantine: two copies run under its name"));
    } else if node.byzantine {
        all.push(described(Byzantine, "Byzantine", "it is Byzantine"));
    }
    all
}

/// Conditions of the link from one replica to another.
pub fn of_link(link: &Link) -> Vec<ConditionText> {
    let share = |permille: u16| text::decimal(f64::from(permille) / 10.0);
    let mut all = Vec::new();
    if link.extra > 0 || link.jitter > 0 {
        let latency = text::latency(u64::from(link.extra) + u64::from(link.jitter));
        let (word, says) = match link.jitter {
            0 => (format!("+{latency}"), format!("messages take {latency} longer")),
            _ => (format!("+ about {latency}"), format!("messages take about {latency} longer")),
        };
        all.push(described(Slow, word, says));
    }
    let shares = [
        (link.lose, Lossy, "lost", "get lost"),
        (link.duplicate, Duplicated, "twice", "arrive twice"),
        (link.reorder, Reordered, "reordered", "are overtaken"),
    ];
    for (permille, condition, word, says) in shares.into_iter().filter(|(permille, ..)| *permille > 0) {
        let share = share(permille);
        all.push(described(condition, format!("{share}% {word}"), format!("{share}% of messages {says}")));
    }
    if link.bytes_per_s > 0 {
        let rate = match link.bytes_per_s {
            bytes if bytes < 10_000 => format!("{bytes} B/s"),
            bytes => format!("{} kB/s", bytes / 1_000),
        };
        let says = format!("no more than {rate} fit through");
        all.push(described(NarrowLink, rate, says));
    }
    all
}

/// The labels that fit where there is little room; the others are counted.
pub fn short_label(all: &[ConditionText]) -> String {
    match all {
        [one, rest @ ..] if rest.len() > 1 || rest.iter().any(|other| one.label.len() + other.label.len() > 15) => {
            format!("{} +{}", one.label, rest.len())
        }
        all => all.iter().map(|each| each.label.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// The same in so many letters: longer ones are cut or only counted, since the icons beside a replica tell the kinds, too.
fn label_within(all: &[ConditionText], letters: usize) -> String {
    let label = short_label(all);
    match all {
        _ if label.chars().count() <= letters => label,
        [_] => label.chars().take(letters - 1).chain(['.']).collect(),
        _ => format!("{} faults", all.len()),
    }
}

/// All clauses, as they follow in a sentence.
pub fn clauses(all: &[ConditionText]) -> String {
    all.iter().map(|each| format!(", {}", each.clause)).collect()
}

/// The icon of a condition, in a circle.
pub fn badge(condition: Condition, at: Point) -> Html {
    svg::moved("badge", at, vec![svg::circle("", RADIUS), svg::path("", condition.icon())])
}

/// Icons and labels of the conditions of a replica, its middle at the origin: bars for a pause, badges around the circle for the others.
pub fn draw_at_node(node: &NodeView, measure: Measure) -> Vec<Html> {
    let all = of_node(node);
    let text = |down: f64| svg::text("fault-label", point(0.0, down), label_within(&all, measure.fault_letters()));
    let mut marks: Vec<Html> = measure.fault_label().map(text).into_iter().collect();
    if node.paused.is_some() {
        marks.push(svg::path("bars", "M-12 -11v22M12 -11v22"));
    }
    let mut kinds: Vec<Condition> =
        all.iter().map(|each| each.condition).filter(|condition| *condition != Paused).collect();
    kinds.dedup();
    let corners = [point(25.0, -17.0), point(-25.0, -17.0), point(28.0, 14.0)];
    marks.extend(kinds.into_iter().zip(corners).map(|(condition, at)| badge(condition, at)));
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_beside_another_replica_are_cut_or_counted() {
        let [slow, byzantine] = [described(Disk, "slow disk", ""), described(Byzantine, "Byzantine", "")];
        let clock = || described(Clock, "clock +10%", "");
        assert_eq!(label_within(&[slow], 9), "slow disk");
        assert_eq!(label_within(&[clock()], 9), "clock +1.");
        assert_eq!(label_within(&[byzantine, clock()], 9), "2 faults");
        assert_eq!(label_within(&[clock()], usize::MAX), "clock +10%");
    }
}
