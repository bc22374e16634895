//! The clients of a site: how long their latest command took, and how long it usually takes.

use super::{draw, words};
use crate::run::view::SiteView;
use crate::stage::geometry::{Point, point};
use yew::prelude::*;

/// Draws them.
pub fn client(at: Point, site: &SiteView) -> Html {
    let latest = site.latest.map_or("–".to_owned(), words::latency);
    let median = site.median.map_or("no answer yet".to_owned(), |median| format!("median {}", words::latency(median)));
    draw::moved(
        "client",
        at,
        vec![
            draw::rect("box", point(-14.0, -14.0), point(28.0, 28.0)),
            draw::path("person", "M-5 -2.5h10M-5 2.5h10"),
            draw::text("latest", point(22.0, -1.0), latest),
            draw::text("median", point(22.0, 13.0), median),
        ],
    )
}
