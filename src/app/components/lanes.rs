//! The ways between data centres, with their round trips.

use super::draw::{self, Actor};
use super::{links, words};
use crate::intent::{Intent, Target};
use crate::run::{Ground, Shown};
use crate::stage::geometry::{Point, point};
use crate::stage::layout::{Lane, Layout};
use yew::prelude::*;

/// Draws them, and what is wrong on all links between two of them.
pub fn lanes(layout: &Layout, ground: &Ground, shown: &Shown, menu: Option<Target>, on: &Callback<Intent>) -> Html {
    let (mut lines, mut signs) = (Vec::new(), Vec::new());
    for lane in &layout.lanes {
        let wrong = if shown.links_troubled() { links::on_lane(layout, ground, shown, lane) } else { None };
        match wrong {
            Some((line, sign)) => {
                lines.push(line);
                signs.push(sign);
            }
            None => lines.push(draw::line("", lane.from, lane.to)),
        }
    }
    let labels = layout.lanes.iter().filter_map(|lane| Some(label(ground, shown, lane, lane.label?, menu, on)));
    // Each list in a group of its own: a sign more or less must not make a label another element.
    let parts = [lines, labels.collect(), signs];
    draw::group("lanes", parts.map(|parts| draw::group("lane", parts)).to_vec())
}

fn label(ground: &Ground, shown: &Shown, lane: &Lane, at: Point, menu: Option<Target>, on: &Callback<Intent>) -> Html {
    let (a, b) = lane.between;
    let trip = words::latency(ground.round_trip(a, b));
    let trouble = if shown.ways.is_empty() { String::new() } else { links::in_words(ground, shown, a, b) };
    let actor = Actor {
        target: Target::Lane(a, b),
        class: classes!("place"),
        label: format!(
            "Links between {} and {}: {trip} there and back{trouble}. Cut, heal or disturb them",
            ground.names[a], ground.names[b]
        ),
        open: menu == Some(Target::Lane(a, b)),
        at: None,
        on_grab: None,
        children: vec![
            draw::rect("hit", point(at.x - 34.0, at.y - 22.0), point(68.0, 44.0)),
            draw::rect("paper", point(at.x - 30.0, at.y - 10.0), point(60.0, 20.0)),
            draw::text("", point(at.x, at.y + 4.0), trip),
        ],
    };
    actor.draw(on)
}
