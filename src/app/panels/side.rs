//! The side panel: its tabs, and what the chosen one shows.

use super::messages::{self, per_command};
use super::{about, break_it, inspect, tabs, trials, words};
use crate::page_action::{PageAction, Selected, Tab};
use crate::run::context::RunContext;
use crate::run::player::Shared;
use crate::run::view_model::{ViewModel, has_log};
use crate::web::options::Options;
use quorumscope::lab::document::trial::Trial;
use quorumscope::universe::Variant;
use std::rc::Rc;
use yew::prelude::*;

/// The tabs that the address asks for, as far as the protocol has such a thing, and the one shown: the chosen one, or else the first. `None`
/// if there is none.
pub fn tabs(options: &Options, variant: &Variant, chosen: Tab) -> Option<(Vec<Tab>, Tab)> {
    let shows = |tab: &Tab| match tab {
        Tab::Numbers => options.latency || options.messages,
        Tab::Inspect => options.inspect,
        Tab::Log => options.log && has_log(variant.card),
        Tab::BreakIt => options.break_it,
        Tab::Text => options.text,
    };
    let all: Vec<Tab> =
        [Tab::Numbers, Tab::Inspect, Tab::Log, Tab::BreakIt, Tab::Text].into_iter().filter(shows).collect();
    let shown = if all.contains(&chosen) { chosen } else { *all.first()? };
    Some((all, shown))
}

/// Whether one of these tabs is shown.
pub fn shows(options: &Options, variant: &Variant, chosen: Tab, one_of: &[Tab]) -> bool {
    tabs(options, variant, chosen).is_some_and(|(_, tab)| one_of.contains(&tab))
}

/// What draws the latencies of clients; see [`super::latency`].
type LatencyView = fn(&RunContext, &ViewModel) -> Html;

/// What draws what there is to try.
type TrialsView = fn(trials::Props) -> Html;

/// What the side panel is drawn from.
pub struct Side {
    /// What is run.
    pub context: Rc<RunContext>,
    /// The run at this moment.
    pub view: Rc<ViewModel>,
    /// The player.
    pub player: Shared,
    /// The tabs there are, and the chosen one.
    pub tabs: (Vec<Tab>, Tab),
    /// What is selected.
    pub selected: Option<Selected>,
    /// What draws things to try, once it is loaded, and those of the scenario.
    pub trials: Option<(TrialsView, Rc<[Trial]>)>,
    /// What draws them is not loaded yet: their place is kept, so that nothing jumps when it is.
    pub awaited: bool,
    /// What draws latencies, once it is loaded.
    pub latency: Option<LatencyView>,
    /// For paper, what the other tabs show is drawn as well.
    pub paper: bool,
    /// What draws measurements, once it is loaded.
    pub measurements: Option<messages::View>,
    /// What draws inspector and log, once it is loaded.
    pub inspect: Option<inspect::View>,
    /// What draws the search for violations, once it is loaded.
    pub break_it: Option<break_it::View>,
    /// What draws the run in words, once it is loaded.
    pub words: Option<words::View>,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

impl Side {
    /// Draws it, with the panels that the address asks for.
    pub fn draw(&self, options: &Options) -> Html {
        let (all, tab) = &self.tabs;
        let panel = match tab {
            Tab::Numbers => self.numbers(options),
            Tab::BreakIt => {
                let context = self.context.clone();
                self.break_it.map_or_else(loading, |draw| draw(break_it::Props { context }))
            }
            Tab::Text => self.words(),
            tab => self.inspect(*tab == Tab::Log),
        };
        if all.len() < 2 {
            return html! { <>{ self.scenario(false) }<div class="panels" id="side" tabindex="-1">{ panel }</div></> };
        }
        let name = tab.name();
        html! {
            <>
                { tabs::tabs(all, *tab, &self.on) }
                { self.scenario(*tab != Tab::Numbers) }
                <div class="panels" key={name} id="side" role="tabpanel" tabindex="0" aria-labelledby={format!("tab-{name}")}>{ panel }</div>
                if self.paper {
                    <div class="panels" key="paper">{ self.others(options, *tab) }</div>
                }
            </>
        }
    }

    /// What the other tabs show, on paper. Measurements that are not there yet are left out, because they would take a while.
    fn others(&self, options: &Options, tab: Tab) -> Html {
        html! {
            <>
                if options.latency && tab != Tab::Numbers { { self.latency() } }
                if self.tabs.0.contains(&Tab::Log) && tab != Tab::Log { { self.inspect(true) } }
            </>
        }
    }

    /// The scenario and what there is to try in it; hidden, it keeps what the person has come to.
    fn scenario(&self, hidden: bool) -> Html {
        let Side { context, view, player, on, .. } = self;
        let trials = self.trials.clone().map(|(draw, trials)| {
            draw(trials::Props { trials, view: view.clone(), player: player.clone(), on: on.clone() })
        });
        let trials = trials.or_else(|| self.awaited.then(|| html! { <section class="panel trials" /> }));
        html! { <div class="panels" {hidden}>{ about(&context.scenario) }{ for trials }</div> }
    }

    fn numbers(&self, options: &Options) -> Html {
        let Side { context, view, measurements, .. } = self;
        html! {
            <>
                if options.latency { { self.latency() } }
                if options.messages {
                    // A number of the run on screen, until the chunk that measures every variant is there.
                    { match measurements {
                        Some(draw) => draw(messages::Props { context: context.clone(), view: view.clone() }),
                        None => per_command(view),
                    } }
                }
            </>
        }
    }

    /// The latencies of clients; before what draws them is there, their place.
    fn latency(&self) -> Html {
        let draw = self.latency.map(|draw| draw(&self.context, &self.view));
        draw.unwrap_or_else(|| html! { <section class="panel latency" /> })
    }

    fn words(&self) -> Html {
        let Side { context, view, player, on, .. } = self;
        let props =
            words::Props { context: context.clone(), view: view.clone(), player: player.clone(), on: on.clone() };
        self.words.map_or_else(loading, |draw| draw(props))
    }

    fn inspect(&self, log: bool) -> Html {
        let Side { context, view, player, selected, on, .. } = self;
        let Some(draw) = self.inspect else { return loading() };
        draw(inspect::Props {
            context: context.clone(),
            view: view.clone(),
            player: player.clone(),
            log,
            selected: *selected,
            on: on.clone(),
        })
    }
}

fn loading() -> Html {
    html! { <p class="note">{ "Loading…" }</p> }
}
