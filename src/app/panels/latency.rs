//! Latency panel: latest and median latency of the clients at each site, and a chart of the last seconds.

use crate::charts::scale::Scale;
use crate::charts::strip::{Span, strip};
use crate::elements::{html, text};
use crate::run::context::RunContext;
use crate::run::view_model::ViewModel;
use crate::run::view_model::{DRAWN_SINCE, SiteView};
use yew::prelude::*;

/// Latencies above this multiple of the median are drawn at the upper edge, so that one wait for a leader does not flatten the chart.
const OUTLIER: u64 = 3;

/// The panel.
pub fn latency(context: &RunContext, view: &ViewModel) -> Html {
    let asking: Vec<(usize, &SiteView)> =
        view.sites.iter().enumerate().filter(|(site, view)| context.asks[*site] || view.latest.is_some()).collect();
    let most = asking.iter().flat_map(|(_, site)| &site.recent).map(|(_, latency)| *latency).max().unwrap_or(0);
    let usual = asking.iter().filter_map(|(_, site)| site.median).max().unwrap_or(most);
    let top = Scale::holding(most.min(usual * OUTLIER).max(1_000) as f64, 1.0).top as u64;
    let span = Span { from: view.time.saturating_sub(DRAWN_SINCE), to: view.time.max(DRAWN_SINCE), top };
    if asking.is_empty() {
        let note = html::words("p", "note", "There are no clients in this scenario.");
        return html::tag("section", "panel latency", vec![html::words("h2", "", "Latency"), note]);
    }
    let wide = format!("Last {} s, up to {}", DRAWN_SINCE / 1_000_000, text::latency(top));
    let mut columns: Vec<Html> =
        ["Client in", "Latest", "Median"].map(|title| html::head("col", "", vec![html::text(title)])).into();
    columns.push(html::head("col", "wide", vec![html::text(wide)]));
    let row = |(site, latencies): &(usize, &SiteView)| {
        let drawing = strip(&latencies.recent, span, &view.interventions, spoken(latencies));
        let cells = vec![
            html::head("row", "", vec![html::text(context.names[*site].clone())]),
            html::words("td", "", or_dash(latencies.latest)),
            html::words("td", "", or_dash(latencies.median)),
            html::tag("td", "wide", vec![drawing]),
        ];
        html::tag("tr", "", cells)
    };
    let table = vec![
        html::tag("thead", "", vec![html::tag("tr", "", columns)]),
        html::tag("tbody", "", asking.iter().map(row).collect()),
    ];
    let heading = html::heading("Latency", "from a client's request to its answer");
    html::tag("section", "panel latency", vec![heading, html::tag("table", "", table)])
}

fn or_dash(latency: Option<u64>) -> String {
    latency.map_or("–".to_owned(), text::latency)
}

fn spoken(site: &SiteView) -> String {
    let latencies = || site.recent.iter().map(|(_, latency)| *latency);
    match (latencies().min(), latencies().max()) {
        (Some(least), Some(most)) => {
            let answers = text::count(site.recent.len(), "answer");
            format!("{answers}, between {} and {}", text::latency(least), text::latency(most))
        }
        _ => "No answers".to_owned(),
    }
}
