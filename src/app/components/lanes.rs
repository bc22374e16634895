//! The ways between data centres, with their round trips, and links between replicas that are cut.

use super::{keys, words};
use crate::intent::{Intent, Target};
use crate::run::{Ground, Shown};
use crate::stage::layout::{Lane, Layout, NODE_RADIUS};
use quorumscope::core::NodeId;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Where everything stands.
    pub layout: Rc<Layout>,
    /// The sites and the round trips between them.
    pub ground: Rc<Ground>,
    /// Links that are cut: from, to, and whether both ways.
    pub cuts: Vec<(NodeId, NodeId, bool)>,
    /// What is wanted.
    pub on: Callback<Intent>,
}

/// Links that are cut, each pair once.
pub fn cuts(shown: &Shown) -> Vec<(NodeId, NodeId, bool)> {
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

#[component]
pub fn Lanes(props: &Props) -> Html {
    let Props { layout, cuts, .. } = props;
    html! {
        <g class="lanes">
            { for layout.lanes.iter().map(|lane| line(props, lane)) }
            { for cuts.iter().map(|cut| cut_line(layout, *cut)) }
        </g>
    }
}

fn line(props: &Props, lane: &Lane) -> Html {
    let (a, b) = lane.between;
    let trip = words::latency(props.ground.round_trip(a, b));
    let names = &props.ground.names;
    let open = props.on.reform(move |()| Intent::Menu(Some(Target::Lane(a, b))));
    let onkeydown = keys::activate(&open);
    let onclick = open.reform(|_: MouseEvent| ());
    let number = |value: f64| format!("{value:.1}");
    html! {
        <g class="lane">
            <line x1={number(lane.from.x)} y1={number(lane.from.y)} x2={number(lane.to.x)} y2={number(lane.to.y)} />
            if let Some(at) = lane.label {
                <g class="place" data-lane={format!("{a}-{b}")} role="button" tabindex="0" aria-haspopup="menu" {onclick} {onkeydown}
                    aria-label={format!("Links between {} and {}: {trip} there and back. Cut or heal", names[a], names[b])}>
                    <rect class="hit" x={number(at.x - 34.0)} y={number(at.y - 22.0)} width="68" height="44" rx="8" />
                    <rect class="paper" x={number(at.x - 30.0)} y={number(at.y - 10.0)} width="60" height="20" rx="4" />
                    <text x={number(at.x)} y={number(at.y + 4.0)}>{ trip }</text>
                </g>
            }
        </g>
    }
}

/// A cut link: a broken line with a cross; an arrow's head if only one way is cut.
fn cut_line(layout: &Layout, (from, to, both): (NodeId, NodeId, bool)) -> Html {
    let stand = |node: NodeId| layout.nodes.get(usize::from(node.0)).copied().flatten();
    let (Some(a), Some(b)) = (stand(from), stand(to)) else { return html! {} };
    let length = a.distance(b).max(1.0);
    let (start, end) = (a.toward(b, NODE_RADIUS / length), b.toward(a, NODE_RADIUS / length));
    let middle = start.toward(end, 0.5);
    let turn = (end.y - start.y).atan2(end.x - start.x).to_degrees();
    html! {
        <g class="cut">
            <line x1={format!("{:.1}", start.x)} y1={format!("{:.1}", start.y)} x2={format!("{:.1}", end.x)} y2={format!("{:.1}", end.y)} />
            <g transform={format!("translate({:.1} {:.1}) rotate({turn:.1})", middle.x, middle.y)}>
                <circle r="9" />
                <path d={if both { "M-4 -4L4 4M4 -4L-4 4" } else { "M-4 -4L0 0L-4 4M1 -4L5 0L1 4" }} />
            </g>
        </g>
    }
}
