//! A replica on the stage: number, role, term or ballot, log bar, ring of votes, and the leader badge.

use super::faults::Faults;
use super::measure::{Measure, NODE_RADIUS};
use crate::elements::geometry::{self, Point, point};
use crate::elements::svg::{self, MenuButton};
use crate::elements::text;
use crate::page_action::{PageAction, Target};
use crate::run::view_model::{Agreement, Leadership, NodeView, SLOTS};
use quorumscope::core::{NodeSet, Tally};
use yew::prelude::*;

/// The slots of the log bar, from left to right.
const BARS: [&str; SLOTS] = [
    "M0 0h5v8h-5z",
    "M6.5 0h5v8h-5z",
    "M13 0h5v8h-5z",
    "M19.5 0h5v8h-5z",
    "M26 0h5v8h-5z",
    "M32.5 0h5v8h-5z",
    "M39 0h5v8h-5z",
    "M45.5 0h5v8h-5z",
];
/// Width of one slot, and of the gap after it.
const SLOT: (f64, f64) = (5.0, 1.5);
/// Radius of the ring in which votes are counted.
const TALLY_RADIUS: f64 = NODE_RADIUS + 4.5;
/// Half the gap between two votes on that ring, in turns.
const TALLY_GAP: f64 = 0.014;

/// Interaction state of a replica.
#[derive(Clone, Copy)]
pub struct Interaction {
    /// A leader badge dropped now would land here.
    pub target: bool,
    /// It is being dragged.
    pub held: bool,
    /// Its menu is open.
    pub open: bool,
    /// It is selected.
    pub selected: bool,
    /// The last step was at it: the number of that event.
    pub changed: Option<u64>,
    /// It takes part in a violation.
    pub violates: bool,
    /// Sizes of letters, and what is told.
    pub measure: Measure,
    /// What draws fault conditions, once it is loaded.
    pub faults: Option<&'static Faults>,
}

/// Draws a replica. `epoch` is the protocol's word for its epochs (term, ballot), `place` the name of its site.
pub fn replica(
    node: &NodeView,
    at: Point,
    (epoch, place): (&str, &str),
    Interaction { target, held, open, selected, changed, violates, measure, faults }: Interaction,
    on_grab: Option<Callback<PointerEvent>>,
    on: &Callback<PageAction>,
) -> Html {
    let down = node.status.is_none();
    let mut children = vec![svg::circle("focus", 34.0), svg::circle("disc", NODE_RADIUS)];
    if selected {
        children.push(svg::circle("selection", NODE_RADIUS + 9.0));
    }
    let faulty = faults.filter(|_| node.faulty());
    children.extend(node.status.and_then(|status| Some(ring(status.tally?, status.members))));
    if down {
        children.push(svg::path("cross", "M-13 -13L13 13M13 -13L-13 13"));
    }
    children.push(svg::text("number", Point::default(), text::number(node.id).to_string()));
    if measure.roles() {
        let role = node.status.map_or_else(|| "down".to_owned(), |status| measure.role_text(status.role));
        children.push(svg::text("role", point(0.0, measure.role()), role));
    }
    if let Some(status) = node.status {
        children.push(log_bar(node, measure));
        if measure.epochs() && !(faulty.is_some() && measure.terse()) {
            children.push(svg::text("epoch", point(0.0, measure.epoch()), text::epoch(epoch, status.epoch)));
        }
    }
    if let Some(faults) = faulty {
        children.extend((faults.draw_at_node)(node, measure));
    }
    let classes = [
        ("down", down),
        ("paused", node.paused.is_some()),
        ("outsider", !node.member),
        ("leads", node.leadership == Leadership::Leader),
        ("target", target),
        ("held", held),
        ("selected", selected),
        ("violates", violates),
        // Two classes in turn, so that the animation begins anew at every step.
        ("changed", changed.is_some_and(|event| event % 2 == 0)),
        ("changed-too", changed.is_some_and(|event| event % 2 == 1)),
    ];
    let class = svg::classes("replica", &classes);
    let label = match faults {
        Some(faults) => (faults.describe)(node, epoch, place),
        None => text::node_in(node.id, place),
    };
    MenuButton { target: Target::Node(node.id), class, label, open, at: Some(at), on_grab, children }.draw(on)
}

/// The picture of a replica that follows the pointer while it is dragged.
pub fn ghost(node: &NodeView, at: Point) -> Html {
    let number = svg::text("number", Point::default(), text::number(node.id).to_string());
    svg::moved("replica ghost", at, vec![svg::circle("disc", NODE_RADIUS), number])
}

/// The ring of votes: one arc for each member, filled for those whose vote counts.
fn ring(tally: Tally, members: NodeSet) -> Html {
    let all = if members.is_empty() { tally.from } else { members };
    let n = f64::from(all.len().max(1));
    let arcs = all.iter().enumerate().map(|(i, id)| {
        let arc = geometry::arc(TALLY_RADIUS, i as f64 / n + TALLY_GAP, (i as f64 + 1.0) / n - TALLY_GAP);
        svg::path(if tally.from.has(id) { "cast" } else { "" }, arc)
    });
    svg::group(if tally.from.len() >= tally.need { "tally enough" } else { "tally" }, arcs.collect())
}

/// The log bar: a mark for each slot shown, with a frame where replicas disagree; or the last slot of a log that is far behind.
fn log_bar(node: &NodeView, measure: Measure) -> Html {
    if let Some(last) = node.behind {
        return svg::text("behind", point(0.0, 31.0 + 9.5 * measure.text), format!("…{last}"));
    }
    let (width, gap) = SLOT;
    let left = -(node.slots.len() as f64 * (width + gap) - gap) / 2.0;
    let slots = node.slots.iter().zip(BARS).map(|(slot, bar)| {
        let differs = slot.agreement == Agreement::Differs;
        let conflict = slot.agreement == Agreement::Conflict;
        svg::path(svg::classes(slot.state.name(), &[("differs", differs), ("conflict", conflict)]), bar)
    });
    svg::moved("log", point(left, 32.0), slots.collect())
}

/// Outline of the leader badge, a crown, its middle at the origin.
const CROWN: &str = "M-13 7L-14.5 -5.5L-6.5 0L0 -9L6.5 0L14.5 -5.5L13 7Z";
/// The area of the leader badge that a pointer can take hold of.
const CROWN_HIT: &str = "M-22 -26h44v40h-44z";

/// The leader badge, a crown. `class` is `crown`, `crown stale` when another leads by now, `crown held` while it is dragged.
pub fn leader_badge(at: Point, class: &'static str, on_grab: Option<Callback<PointerEvent>>) -> Html {
    html! {
        <g {class} transform={svg::shift(at)} onpointerdown={on_grab}>
            { svg::path("hit", CROWN_HIT) }
            { svg::path("sign", CROWN) }
        </g>
    }
}
