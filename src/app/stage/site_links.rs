//! Links between sites: lines and round trips, each a button that opens the menu of the link.

use super::faults::Faults;
use super::layout::{Layout, SiteLink};
use super::measure::Measure;
use crate::elements::geometry::{Point, point};
use crate::elements::svg::{self, MenuButton};
use crate::elements::text;
use crate::page_action::{PageAction, Target};
use crate::run::context::RunContext;
use crate::run::view_model::ViewModel;
use yew::prelude::*;

/// Draws the lines.
pub fn lines(layout: &Layout, view: &ViewModel, faults: Option<&Faults>) -> Html {
    let line = |site_link: &SiteLink| {
        let faults = faults.filter(|_| view.links_faulty());
        let disturbed = faults.and_then(|faults| (faults.site_link_line)(layout, view, site_link));
        disturbed.unwrap_or_else(|| svg::line("", site_link.from, site_link.to))
    };
    svg::group("lane", layout.site_links.iter().map(line).collect())
}

/// Draws the round trips as labels.
pub fn labels(
    layout: &Layout,
    context: &RunContext,
    view: &ViewModel,
    (menu, faults): (Option<Target>, Option<&Faults>),
    on: &Callback<PageAction>,
) -> Html {
    let labels = layout.site_links.iter().filter_map(|site_link| {
        Some(label((context, view, layout.measure), site_link, site_link.label?, (menu, faults), on))
    });
    svg::group("lane", labels.collect())
}

fn label(
    (context, view, measure): (&RunContext, &ViewModel, Measure),
    site_link: &SiteLink,
    at: Point,
    (menu, faults): (Option<Target>, Option<&Faults>),
    on: &Callback<PageAction>,
) -> Html {
    let (a, b) = site_link.between;
    let trip = text::latency(context.round_trip(a, b));
    let faults = faults.filter(|_| !view.disturbed_links.is_empty());
    let conditions = faults.map_or_else(String::new, |faults| (faults.link_clauses)(context, view, a, b));
    let button = MenuButton {
        target: Target::SiteLink(a, b),
        class: "place".into(),
        label: format!(
            "Links between {} and {}: {trip} round trip{conditions}. Cut, heal or disturb them",
            context.names[a], context.names[b]
        ),
        open: menu == Some(Target::SiteLink(a, b)),
        at: None,
        on_grab: None,
        children: vec![
            svg::rect("hit", point(at.x - 34.0, at.y - 22.0), point(68.0, 44.0)),
            svg::text("", point(at.x, at.y + 4.3 * measure.text), trip),
        ],
    };
    button.draw(on)
}
