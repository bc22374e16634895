//! The ways between data centres, with their round trips.

use super::draw::{self, Actor};
use super::words;
use crate::intent::{Intent, Target};
use crate::run::{Ground, Shown};
use crate::stage::geometry::{Point, point};
use crate::stage::layout::{Lane, Layout};
use yew::prelude::*;

/// Draws the lines.
pub fn lines(layout: &Layout, shown: &Shown) -> Html {
    let line = |lane: &Lane| {
        let faults = shown.faults.filter(|_| shown.links_troubled());
        let wrong = faults.and_then(|faults| (faults.lane_line)(layout, shown, lane));
        wrong.unwrap_or_else(|| draw::line("", lane.from, lane.to))
    };
    draw::group("lane", layout.lanes.iter().map(line).collect())
}

/// Writes the round trips; where islands are close together, they stand on a shore.
pub fn labels(layout: &Layout, ground: &Ground, shown: &Shown, menu: Option<Target>, on: &Callback<Intent>) -> Html {
    let labels = layout.lanes.iter().filter_map(|lane| Some(label(ground, shown, lane, lane.label?, menu, on)));
    draw::group("lane", labels.collect())
}

fn label(ground: &Ground, shown: &Shown, lane: &Lane, at: Point, menu: Option<Target>, on: &Callback<Intent>) -> Html {
    let (a, b) = lane.between;
    let trip = words::latency(ground.round_trip(a, b));
    let faults = shown.faults.filter(|_| !shown.ways.is_empty());
    let trouble = faults.map_or_else(String::new, |faults| (faults.in_words)(ground, shown, a, b));
    let actor = Actor {
        target: Target::Lane(a, b),
        class: "place".into(),
        label: format!(
            "Links between {} and {}: {trip} there and back{trouble}. Cut, heal or disturb them",
            ground.names[a], ground.names[b]
        ),
        open: menu == Some(Target::Lane(a, b)),
        at: None,
        on_grab: None,
        children: vec![
            draw::rect("hit", point(at.x - 34.0, at.y - 22.0), point(68.0, 44.0)),
            draw::text("", point(at.x, at.y + 4.0), trip),
        ],
    };
    actor.draw(on)
}
