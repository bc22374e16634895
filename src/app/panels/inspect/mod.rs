//! Inspector and log: what is selected, what it did last and why, its whole state before and after; slot by slot what each replica holds;
//! and how many replicas make a quorum. In a chunk of its own.

mod log;
mod next;
mod quorum;
mod show;
mod subject;
mod tree;

use crate::page_action::{PageAction, Selected};
use crate::run::context::RunContext;
use crate::run::details::Details;
use crate::run::player::Shared;
use crate::run::view_model::ViewModel;
use crate::web::{browser, variants};
use next::Next;
use quorumscope::universe::inspect::Inspector;
use std::rc::Rc;
use subject::Subject;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// Least time between two replays while the run plays, ms: enough to read a line, and seldom enough to cost nothing.
const EVERY: f64 = 500.0;

/// Draws the inspector or the log.
pub type View = fn(Props) -> Html;

/// Where this chunk begins.
#[wasm_split(inspect, fallible)]
pub fn load() -> Result<View, SplitLoaderError> {
    Ok(|props| html! { <Inspect ..props /> })
}

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub context: Rc<RunContext>,
    /// The run at this moment.
    pub view: Rc<ViewModel>,
    /// The player, whose session steps are replayed in.
    pub player: Shared,
    /// Whether to show the log, not the inspector.
    pub log: bool,
    /// What is selected.
    pub selected: Option<Selected>,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

/// A message to the inspector.
pub enum Msg {
    /// The inspector of the variant with this key is there, or could not be loaded.
    Loaded(&'static str, Result<&'static Inspector, variants::Missing>),
}

/// The inspector.
pub struct Inspect {
    /// That of the variant with this key; `None` while it is loading.
    inspector: (&'static str, Option<Result<&'static Inspector, variants::Missing>>),
    subject: Subject,
    /// What can happen next.
    next: Next,
    /// When it was replayed, ms.
    at: f64,
}

impl Component for Inspect {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Inspect>) -> Inspect {
        let (subject, next) = (Subject::default(), Next::default());
        let mut inspect = Inspect { inspector: ("", None), subject, next, at: f64::NEG_INFINITY };
        inspect.load(ctx);
        inspect
    }

    fn update(&mut self, ctx: &Context<Inspect>, Msg::Loaded(key, loaded): Msg) -> bool {
        if key == self.inspector.0 {
            self.inspector.1 = Some(loaded);
            self.replay(ctx);
        }
        true
    }

    fn changed(&mut self, ctx: &Context<Inspect>, old: &Props) -> bool {
        self.load(ctx);
        let playing = ctx.props().player.borrow().engine.playing();
        if !playing || ctx.props().selected != old.selected || browser::now() - self.at >= EVERY {
            self.replay(ctx);
        }
        true
    }

    fn view(&self, ctx: &Context<Inspect>) -> Html {
        let Props { context, view, log, selected, on, .. } = ctx.props();
        if *log {
            return html! { <>{ quorum::chip(context, view, self.subject.quorum) }{ log::log(context, view, Some(Details::ALL)) }</> };
        }
        let body = match &self.inspector.1 {
            None => html! { <p class="note">{ "Loading…" }</p> },
            Some(Err(missing)) => html! { <p class="note" role="alert">{ missing.to_string() }</p> },
            Some(Ok(inspector)) => show::subject(context, view, &self.subject, *selected, inspector, on),
        };
        let next = next::next(context, view, &self.next, on);
        // Whoever schedules needs it at hand.
        let (first, last) = if self.next.holds_all { (Some(next), None) } else { (None, Some(next)) };
        html! {
            <>
                { for first }
                <section class="panel inspect">{ quorum::chip(context, view, self.subject.quorum) }{ body }</section>
                { for last }
            </>
        }
    }
}

impl Inspect {
    /// Loads the inspector of the variant on screen, unless it is there or under way; one that could not be loaded is tried again.
    fn load(&mut self, ctx: &Context<Inspect>) {
        let key = ctx.props().context.variant.card.key;
        if self.inspector.0 == key && !matches!(self.inspector.1, Some(Err(_))) {
            return;
        }
        self.inspector = (key, None);
        ctx.link().send_future(async move { Msg::Loaded(key, variants::inspector(key).await) });
    }

    fn replay(&mut self, ctx: &Context<Inspect>) {
        let Props { player, selected, .. } = ctx.props();
        let Some(Ok(inspector)) = &self.inspector.1 else { return };
        self.at = browser::now();
        let player = player.borrow();
        if ctx.props().log {
            self.subject.quorum = subject::quorum(player.engine.session(), inspector);
            return;
        }
        let engine = &player.engine;
        self.next = Next::of(engine.session(), engine.playing(), *selected);
        self.subject = Subject::of(player.engine.session(), player.flights(), *selected, inspector);
    }
}
