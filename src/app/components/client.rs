//! The clients of a site: how long their latest command took, and how long it usually takes.

use super::words;
use crate::run::shown::SiteShown;
use crate::stage::geometry::Point;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Where they stand.
    pub at: Point,
    /// Their latencies.
    pub shown: SiteShown,
}

#[component]
pub fn Client(props: &Props) -> Html {
    let Props { at, shown } = props;
    let latest = shown.latest.map_or("–".to_owned(), words::latency);
    let median = shown.median.map_or("no answer yet".to_owned(), |median| format!("median {}", words::latency(median)));
    html! {
        <g class="client" transform={format!("translate({:.1} {:.1})", at.x, at.y)}>
            <rect class="box" x="-14" y="-14" width="28" height="28" rx="6" />
            <path class="person" d="M-5 -2.5h10M-5 2.5h10" />
            <text class="latest" x="22" y="-1">{ latest }</text>
            <text class="median" x="22" y="13">{ median }</text>
        </g>
    }
}
