//! A data centre on the map.

use super::draw::{self, Actor};
use crate::intent::{Intent, Target};
use crate::run::Ground;
use crate::stage::geometry::point;
use crate::stage::layout;
use yew::prelude::*;

/// Draws the island of a site. `target`: a replica dropped now would land here.
pub fn island(
    ground: &Ground,
    site: usize,
    island: &layout::Island,
    target: bool,
    open: bool,
    on: &Callback<Intent>,
) -> Html {
    let name = &ground.names[site];
    let id = &ground.places[site].id;
    let at = island.name;
    let mut children = vec![
        draw::rect("hit", point(at.x - 70.0, at.y - 16.0), point(140.0, 44.0)),
        draw::text("name", at, name.clone()),
    ];
    if id.as_str() != name.as_str() {
        children.push(draw::text("id", point(at.x, at.y + 15.0), id.clone()));
    }
    let place = Actor {
        target: Target::Site(site),
        class: classes!("place"),
        label: format!("{name}: add a replica, send a request, and more"),
        open,
        at: None,
        on_grab: None,
        children,
    };
    draw::group(
        if target { "island target" } else { "island" },
        vec![draw::path("land", island.path.clone()), place.draw(on)],
    )
}
