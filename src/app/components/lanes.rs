//! The ways between data centres, with their round trips, and links between replicas that are cut.

use super::draw::{self, Actor};
use super::words;
use crate::intent::{Intent, Target};
use crate::run::{Ground, Shown};
use crate::stage::geometry::{Point, point};
use crate::stage::layout::{Lane, Layout, NODE_RADIUS};
use quorumscope::core::NodeId;
use yew::prelude::*;

/// Draws the ways between data centres.
pub fn lanes(layout: &Layout, ground: &Ground, menu: Option<Target>, on: &Callback<Intent>) -> Html {
    draw::group("lanes", layout.lanes.iter().map(|lane| line(ground, lane, menu, on)).collect())
}

/// Draws the links that are cut.
pub fn cuts(layout: &Layout, shown: &Shown) -> Html {
    draw::group("cuts", cut_links(shown).into_iter().filter_map(|cut| cut_line(layout, cut)).collect())
}

fn line(ground: &Ground, lane: &Lane, menu: Option<Target>, on: &Callback<Intent>) -> Html {
    let (a, b) = lane.between;
    let trip = words::latency(ground.round_trip(a, b));
    let label = lane.label.map(|at| {
        let actor = Actor {
            target: Target::Lane(a, b),
            class: classes!("place"),
            label: format!(
                "Links between {} and {}: {trip} there and back. Cut or heal",
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
    });
    draw::group("lane", std::iter::once(draw::line("", lane.from, lane.to)).chain(label).collect())
}

/// A link that is cut: from, to, and whether both ways.
type Cut = (NodeId, NodeId, bool);

/// Links that are cut, each pair once.
fn cut_links(shown: &Shown) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for node in &shown.nodes {
        for to in node.cut.iter() {
            let back = shown.nodes.get(usize::from(to.0)).is_some_and(|other| other.cut.has(node.id));
            if !back || node.id < to {
                cuts.push((node.id, to, back));
            }
        }
    }
    cuts
}

/// A broken line with a cross in its middle; with an arrow's heads if only one way is cut.
fn cut_line(layout: &Layout, (from, to, both): Cut) -> Option<Html> {
    let stand = |node: NodeId| layout.nodes.get(usize::from(node.0)).copied().flatten();
    let (a, b) = (stand(from)?, stand(to)?);
    let length = a.distance(b).max(1.0);
    let (start, end) = (a.toward(b, NODE_RADIUS / length), b.toward(a, NODE_RADIUS / length));
    let middle = start.toward(end, 0.5);
    let sign = if both { cross(middle) } else { arrow(middle, point((b.x - a.x) / length, (b.y - a.y) / length)) };
    let sign = vec![draw::moved("", middle, vec![draw::circle("", 9.0)]), draw::path("sign", sign)];
    Some(draw::group("cut", std::iter::once(draw::line("", start, end)).chain(sign).collect()))
}

fn cross(Point { x, y }: Point) -> String {
    format!("M{} {}l8 8m0 -8l-8 8", draw::number(x - 4.0), draw::number(y - 4.0))
}

/// Two arrow heads one after the other, pointing along the unit vector.
fn arrow(middle: Point, along: Point) -> String {
    let head = |shift: f64| {
        let tip = point(middle.x + along.x * shift, middle.y + along.y * shift);
        let wing = |side: f64| {
            let (x, y) = (tip.x - along.x * 4.0 - along.y * side, tip.y - along.y * 4.0 + along.x * side);
            format!("{} {}", draw::number(x), draw::number(y))
        };
        format!("M{}L{} {}L{}", wing(4.0), draw::number(tip.x), draw::number(tip.y), wing(-4.0))
    };
    head(0.0) + &head(5.0)
}
