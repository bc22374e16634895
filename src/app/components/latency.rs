//! Latency at each site: the latest answer, the median, and the answers of the last seconds.

use super::words;
use crate::charts::scale::Scale;
use crate::charts::strip::Strip;
use crate::run::shown::{DRAWN_SINCE, SiteShown};
use crate::run::{Ground, Shown};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub ground: Rc<Ground>,
    /// What it looks like now.
    pub shown: Rc<Shown>,
}

#[component]
pub fn Latency(props: &Props) -> Html {
    let Props { ground, shown } = props;
    let asking: Vec<(usize, &SiteShown)> =
        shown.sites.iter().enumerate().filter(|(site, shown)| ground.asks[*site] || shown.latest.is_some()).collect();
    let most = asking.iter().flat_map(|(_, site)| &site.recent).map(|(_, latency)| *latency).max().unwrap_or(0);
    let top = Scale::holding(most as f64, 1.0).top as u64;
    let span = (shown.time.saturating_sub(DRAWN_SINCE), shown.time.max(DRAWN_SINCE));
    html! {
        <section class="panel latency">
            <h2>{ "Latency" } <small>{ "from a client's request to its answer" }</small></h2>
            <table>
                <thead>
                    <tr>
                        <th scope="col">{ "Client in" }</th><th scope="col">{ "Latest" }</th><th scope="col">{ "Median" }</th>
                        <th scope="col" class="wide">{ format!("Last {} s, up to {}", DRAWN_SINCE / 1_000_000, words::latency(top.max(1_000))) }</th>
                    </tr>
                </thead>
                <tbody>
                    { for asking.iter().map(|(site, latencies)| html! {
                        <tr key={*site}>
                            <th scope="row">{ &ground.names[*site] }</th>
                            <td>{ or_dash(latencies.latest) }</td>
                            <td>{ or_dash(latencies.median) }</td>
                            <td class="wide"><Strip points={latencies.recent.clone()} {span} {top} marks={shown.deeds.clone()} spoken={spoken(latencies)} /></td>
                        </tr>
                    }) }
                </tbody>
            </table>
        </section>
    }
}

fn or_dash(latency: Option<u64>) -> String {
    latency.map_or("–".to_owned(), words::latency)
}

fn spoken(site: &SiteShown) -> String {
    let latencies = || site.recent.iter().map(|(_, latency)| *latency);
    match (latencies().min(), latencies().max()) {
        (Some(least), Some(most)) => {
            let answers = words::count(site.recent.len(), "answer");
            format!("{answers}, between {} and {}", words::latency(least), words::latency(most))
        }
        _ => "No answers".to_owned(),
    }
}
