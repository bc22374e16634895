//! A data centre on the map.

use super::draw::{self, Actor};
use crate::page_action::{PageAction, Target};
use crate::run::RunContext;
use crate::stage::geometry::point;
use crate::stage::layout;
use yew::prelude::*;

/// How an site shape looks at the moment.
#[derive(Clone, Copy, Default)]
pub struct Look {
    /// A replica dropped now would land here.
    pub target: bool,
    /// Nothing gets in or out.
    pub partitioned: bool,
    /// Its menu is open.
    pub open: bool,
}

/// Draws the site shape of a site.
pub fn site_shape(
    context: &RunContext,
    site: usize,
    site_shape: &layout::SiteShape,
    look: Look,
    on: &Callback<PageAction>,
) -> Html {
    let name = &context.names[site];
    let id = &context.places[site].id;
    let at = site_shape.name;
    let mut children = vec![
        draw::rect("hit", point(at.x - 70.0, at.y - 16.0), point(140.0, 44.0)),
        draw::text("name", at, name.clone()),
    ];
    if look.partitioned {
        children.push(draw::text("trouble", point(at.x, at.y + 15.0), "cut off"));
    } else if id.as_str() != name.as_str() {
        children.push(draw::text("id", point(at.x, at.y + 15.0), id.clone()));
    }
    let place = Actor {
        target: Target::Site(site),
        class: "place".into(),
        label: format!(
            "{name}{}: add a replica, send a request, and more",
            if look.partitioned { ", cut off from all other places" } else { "" }
        ),
        open: look.open,
        at: None,
        on_grab: None,
        children,
    };
    let class = match look {
        Look { target: true, .. } => "island target",
        Look { partitioned: true, .. } => "island cut-off",
        _ => "island",
    };
    draw::group(class, vec![draw::path("land", site_shape.path.clone()), place.draw(on)])
}
