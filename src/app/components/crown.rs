//! The sign of leadership.

use super::draw;
use crate::stage::geometry::Point;
use yew::prelude::*;

/// Its outline, its middle at the origin.
const OUTLINE: &str = "M-13 7L-14.5 -5.5L-6.5 0L0 -9L6.5 0L14.5 -5.5L13 7Z";
/// What a finger can take hold of.
const HIT: &str = "M-22 -26h44v40h-44z";

/// Draws it. `class` is `crown`, `crown stale` when another leads by now, `crown held` while it is dragged.
pub fn crown(at: Point, class: &'static str, on_grab: Option<Callback<PointerEvent>>) -> Html {
    html! {
        <g {class} transform={draw::shift(at)} onpointerdown={on_grab}>
            { draw::path("hit", HIT) }
            { draw::path("sign", OUTLINE) }
        </g>
    }
}
