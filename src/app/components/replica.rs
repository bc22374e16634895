//! A replica: number, role, term or ballot, log, and the votes it gathers.

use super::draw::{self, Actor};
use super::faults::Faults;
use super::words;
use crate::page_action::{PageAction, Target};
use crate::run::view::{Crown, NodeView, SLOTS};
use crate::stage::geometry::{Point, point};
use crate::stage::layout::NODE_RADIUS;
use crate::stage::round;
use quorumscope::core::{NodeSet, Tally};
use yew::prelude::*;

/// The slots of the log bar from left to right; they never move, so their places need not be written anew.
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

/// How a replica is handled at the moment.
#[derive(Clone, Copy)]
pub struct Handling {
    /// A crown dropped now would land here.
    pub target: bool,
    /// It is being dragged.
    pub held: bool,
    /// Its menu is open.
    pub open: bool,
    /// What draws the signs of what is out of order, once it is there.
    pub faults: Option<&'static Faults>,
}

/// Draws it. `epoch` is what its protocol calls its numbers, `place` the name of its site.
pub fn replica(
    node: &NodeView,
    at: Point,
    (epoch, place): (&str, &str),
    Handling { target, held, open, faults }: Handling,
    on_grab: Callback<PointerEvent>,
    on: &Callback<PageAction>,
) -> Html {
    let down = node.status.is_none();
    let mut children = vec![draw::circle("focus", 34.0), draw::circle("disc", NODE_RADIUS)];
    let number = draw::text("number", point(0.0, 6.0), words::number(node.id).to_string());
    match node.status {
        Some(status) => {
            children.extend(status.tally.map(|tally| ring(tally, status.members)));
            children.extend([
                number,
                log_bar(node),
                draw::text("role", point(0.0, 56.0), status.role),
                draw::text("epoch", point(0.0, 69.0), words::epoch(epoch, status.epoch)),
            ]);
        }
        None => children.extend([
            draw::path("cross", "M-13 -13L13 13M13 -13L-13 13"),
            number,
            draw::text("role", point(0.0, 56.0), "down"),
        ]),
    }
    if let Some(faults) = faults.filter(|_| node.faulty()) {
        children.extend((faults.mark)(node));
    }
    let looks = [
        ("down", down),
        ("paused", node.paused.is_some()),
        ("outsider", !node.member),
        ("leads", node.crown == Crown::Worn),
        ("target", target),
        ("held", held),
    ];
    let class = draw::classes("replica", &looks);
    let label = words::describe(node, epoch, place, faults);
    Actor { target: Target::Node(node.id), class, label, open, at: Some(at), on_grab: Some(on_grab), children }.draw(on)
}

/// What follows the pointer while a replica is dragged.
pub fn ghost(node: &NodeView, at: Point) -> Html {
    let number = draw::text("number", point(0.0, 6.0), words::number(node.id).to_string());
    draw::moved("replica ghost", at, vec![draw::circle("disc", NODE_RADIUS), number])
}

/// One arc for each member; those who have answered are filled.
fn ring(tally: Tally, members: NodeSet) -> Html {
    let all = if members.is_empty() { tally.from } else { members };
    let n = f64::from(all.len().max(1));
    let arcs = all.iter().enumerate().map(|(i, id)| {
        let arc = round::arc(TALLY_RADIUS, i as f64 / n + TALLY_GAP, (i as f64 + 1.0) / n - TALLY_GAP);
        draw::path(if tally.from.has(id) { "cast" } else { "" }, arc)
    });
    draw::group(if tally.from.len() >= tally.need { "tally enough" } else { "tally" }, arcs.collect())
}

fn log_bar(node: &NodeView) -> Html {
    let (width, gap) = SLOT;
    let left = -(node.slots.len() as f64 * (width + gap) - gap) / 2.0;
    let slots = node.slots.iter().zip(BARS).map(|(look, bar)| draw::path(look.name(), bar));
    draw::moved("log", point(left, 32.0), slots.collect())
}
