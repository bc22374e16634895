//! A data centre on the map.

use super::draw::{self, Actor};
use crate::intent::{Intent, Target};
use crate::run::Ground;
use crate::stage::geometry::point;
use crate::stage::layout;
use yew::prelude::*;

/// How an island looks at the moment.
#[derive(Clone, Copy, Default)]
pub struct Look {
    /// A replica dropped now would land here.
    pub target: bool,
    /// Nothing gets in or out.
    pub cut_off: bool,
    /// Its menu is open.
    pub open: bool,
}

/// Draws the island of a site.
pub fn island(ground: &Ground, site: usize, island: &layout::Island, look: Look, on: &Callback<Intent>) -> Html {
    let name = &ground.names[site];
    let id = &ground.places[site].id;
    let at = island.name;
    let mut children = vec![
        draw::rect("hit", point(at.x - 70.0, at.y - 16.0), point(140.0, 44.0)),
        draw::text("name", at, name.clone()),
    ];
    if look.cut_off {
        children.push(draw::text("trouble", point(at.x, at.y + 15.0), "cut off"));
    } else if id.as_str() != name.as_str() {
        children.push(draw::text("id", point(at.x, at.y + 15.0), id.clone()));
    }
    let place = Actor {
        target: Target::Site(site),
        class: "place".into(),
        label: format!(
            "{name}{}: add a replica, send a request, and more",
            if look.cut_off { ", cut off from all other places" } else { "" }
        ),
        open: look.open,
        at: None,
        on_grab: None,
        children,
    };
    let class = match look {
        Look { target: true, .. } => "island target",
        Look { cut_off: true, .. } => "island cut-off",
        _ => "island",
    };
    draw::group(class, vec![draw::path("land", island.path.clone()), place.draw(on)])
}
