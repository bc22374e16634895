//! The ways between data centres, with their round trips.

use super::draw::{self, Actor};
use super::words;
use crate::page_action::{PageAction, Target};
use crate::run::{RunContext, ViewModel};
use crate::stage::geometry::{Point, point};
use crate::stage::layout::{Layout, SiteLink};
use yew::prelude::*;

/// Draws the lines.
pub fn lines(layout: &Layout, view: &ViewModel) -> Html {
    let line = |site_link: &SiteLink| {
        let faults = view.faults.filter(|_| view.links_faulty());
        let wrong = faults.and_then(|faults| (faults.site_link_line)(layout, view, site_link));
        wrong.unwrap_or_else(|| draw::line("", site_link.from, site_link.to))
    };
    draw::group("lane", layout.site_links.iter().map(line).collect())
}

/// Writes the round trips; where site shapes are close together, they stand on a shore.
pub fn labels(
    layout: &Layout,
    context: &RunContext,
    view: &ViewModel,
    menu: Option<Target>,
    on: &Callback<PageAction>,
) -> Html {
    let labels = layout
        .site_links
        .iter()
        .filter_map(|site_link| Some(label(context, view, site_link, site_link.label?, menu, on)));
    draw::group("lane", labels.collect())
}

fn label(
    context: &RunContext,
    view: &ViewModel,
    site_link: &SiteLink,
    at: Point,
    menu: Option<Target>,
    on: &Callback<PageAction>,
) -> Html {
    let (a, b) = site_link.between;
    let trip = words::latency(context.round_trip(a, b));
    let faults = view.faults.filter(|_| !view.ways.is_empty());
    let condition = faults.map_or_else(String::new, |faults| (faults.in_words)(context, view, a, b));
    let actor = Actor {
        target: Target::SiteLink(a, b),
        class: "place".into(),
        label: format!(
            "Links between {} and {}: {trip} there and back{condition}. Cut, heal or disturb them",
            context.names[a], context.names[b]
        ),
        open: menu == Some(Target::SiteLink(a, b)),
        at: None,
        on_grab: None,
        children: vec![
            draw::rect("hit", point(at.x - 34.0, at.y - 22.0), point(68.0, 44.0)),
            draw::text("", point(at.x, at.y + 4.0), trip),
        ],
    };
    actor.draw(on)
}
