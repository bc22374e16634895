//! A replica: number, role, term or ballot, log, and the votes it gathers.

use super::{keys, words};
use crate::run::shown::{Crown, NodeShown};
use crate::stage::geometry::Point;
use crate::stage::layout::NODE_RADIUS;
use quorumscope::core::{NodeSet, Tally};
use std::f64::consts::TAU;
use yew::prelude::*;

/// Width of one slot in the log bar, and of the gap after it.
const SLOT: (f64, f64) = (5.0, 1.5);
/// Radius of the ring in which votes are counted.
const TALLY_RADIUS: f64 = NODE_RADIUS + 4.5;
/// Half the gap between two votes on that ring, radians.
const TALLY_GAP: f64 = 0.09;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What it looks like.
    pub node: NodeShown,
    /// The middle of its circle.
    pub at: Point,
    /// What its protocol calls its numbers: `term`, `ballot`.
    pub epoch: AttrValue,
    /// The name of its site.
    pub place: AttrValue,
    /// A crown dropped now would land here.
    pub target: bool,
    /// It is being dragged.
    pub held: bool,
    /// Its menu is open.
    pub open: bool,
    /// Someone takes hold of it, or taps it.
    pub on_grab: Callback<PointerEvent>,
    /// It was chosen by keyboard, or by a device that sends clicks only.
    pub on_open: Callback<()>,
}

#[component]
pub fn Replica(props: &Props) -> Html {
    let Props { node, at, epoch, place, target, held, open, on_grab, on_open } = props;
    let onkeydown = keys::activate(on_open);
    let onclick = keys::click_without_pointer(on_open);
    let down = node.glance.is_none();
    let class = classes!(
        "replica",
        down.then_some("down"),
        (!node.member).then_some("outsider"),
        (node.crown == Crown::Worn).then_some("leads"),
        target.then_some("target"),
        held.then_some("held"),
    );
    html! {
        <g {class} style={format!("transform: translate({:.1}px, {:.1}px)", at.x, at.y)} role="button" tabindex="0"
            data-node={words::number(node.id).to_string()} aria-haspopup="menu" aria-expanded={open.to_string()}
            aria-label={words::describe(node, epoch, place)} onpointerdown={on_grab} {onkeydown} {onclick}>
            <circle class="focus" r="34" />
            <circle class="disc" r={NODE_RADIUS.to_string()} />
            { for node.glance.and_then(|glance| Some((glance.tally?, glance.members))).map(ring) }
            <text class="number" y="6">{ words::number(node.id) }</text>
            if let Some(glance) = node.glance {
                { log_bar(node) }
                <text class="role" y="56">{ glance.role }</text>
                <text class="epoch" y="69">{ words::epoch(epoch, glance.epoch) }</text>
            } else {
                <path class="cross" d="M-13 -13L13 13M13 -13L-13 13" />
                <text class="role" y="56">{ "down" }</text>
            }
        </g>
    }
}

/// One arc for each member; those who have answered are filled.
fn ring((tally, members): (Tally, NodeSet)) -> Html {
    let all = if members.is_empty() { tally.from } else { members };
    let n = f64::from(all.len().max(1));
    let enough = tally.from.len() >= tally.need;
    html! {
        <g class={classes!("tally", enough.then_some("enough"))}>
            { for all.iter().enumerate().map(|(i, id)| {
                let (from, to) = (i as f64 / n * TAU + TALLY_GAP, (i as f64 + 1.0) / n * TAU - TALLY_GAP);
                html! { <path class={tally.from.has(id).then_some("cast")} d={arc(from, to)} /> }
            }) }
        </g>
    }
}

/// An arc of the ring, clockwise from the top.
fn arc(from: f64, to: f64) -> String {
    let at = |angle: f64| (TALLY_RADIUS * angle.sin(), -TALLY_RADIUS * angle.cos());
    let ((x, y), (to_x, to_y)) = (at(from), at(to));
    let long = u8::from(to - from > TAU / 2.0);
    format!("M{x:.2} {y:.2}A{TALLY_RADIUS} {TALLY_RADIUS} 0 {long} 1 {to_x:.2} {to_y:.2}")
}

fn log_bar(node: &NodeShown) -> Html {
    let (width, gap) = SLOT;
    let left = -(node.slots.len() as f64 * (width + gap) - gap) / 2.0;
    html! {
        <g class="log">
            { for node.slots.iter().enumerate().map(|(i, slot)| html! {
                <rect class={slot.name()} x={format!("{:.1}", left + i as f64 * (width + gap))} y="32" width={width.to_string()} height="8" />
            }) }
        </g>
    }
}
