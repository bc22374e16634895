//! The whole page in words: the run at this moment under headings, for those who do not see the stage, and for whoever would rather read. In a
//! chunk of its own.

use crate::elements::controls::click;
use crate::page_action::{PageAction, Selected, Target};
use crate::run::context::RunContext;
use crate::run::player::Shared;
use crate::run::view_model::ViewModel;
use crate::web::{browser, variants};
use quorumscope::core::NodeId;
use quorumscope::lab::run::description::{Description, Line, Part, WhyItLeads, description};
use quorumscope::universe::inspect::Inspector;
use std::rc::Rc;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// Least time between two descriptions while the run plays, ms: a text that changes under a reader cannot be read.
const EVERY: f64 = 2_000.0;

/// Draws the description.
pub type View = fn(Props) -> Html;

/// Where this chunk begins.
#[wasm_split(words, fallible)]
pub fn load() -> Result<View, SplitLoaderError> {
    Ok(|props| html! { <Words ..props /> })
}

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub context: Rc<RunContext>,
    /// The run at this moment: it says when to look again.
    pub view: Rc<ViewModel>,
    /// The player, whose session is described.
    pub player: Shared,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

/// A message to the description.
pub enum Msg {
    /// The inspector of the variant with this key is there, or could not be loaded.
    Loaded(&'static str, Result<&'static Inspector, variants::Missing>),
}

/// The description.
pub struct Words {
    inspector: (&'static str, Option<Result<&'static Inspector, variants::Missing>>),
    /// The number of the run, and why its leader leads.
    why: (u32, WhyItLeads),
    described: Description,
    /// When it was described, ms, and whether it played then.
    at: (f64, bool),
}

impl Component for Words {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Words>) -> Words {
        let mut words = Words {
            inspector: ("", None),
            why: (0, WhyItLeads::default()),
            described: Description::default(),
            at: (f64::NEG_INFINITY, false),
        };
        words.load(ctx);
        words
    }

    fn update(&mut self, ctx: &Context<Words>, Msg::Loaded(key, loaded): Msg) -> bool {
        if key == self.inspector.0 {
            self.inspector.1 = Some(loaded);
            self.describe(ctx);
        }
        true
    }

    fn changed(&mut self, ctx: &Context<Words>, old: &Props) -> bool {
        self.load(ctx);
        let playing = ctx.props().player.borrow().engine.playing();
        let another = ctx.props().context != old.context || playing != self.at.1;
        let due = another || !playing || browser::now() - self.at.0 >= EVERY;
        if due {
            self.describe(ctx);
        }
        due
    }

    fn view(&self, ctx: &Context<Words>) -> Html {
        match &self.inspector.1 {
            None => html! { <p class="note">{ "Loading…" }</p> },
            Some(Err(missing)) => html! { <p class="note" role="alert">{ missing.to_string() }</p> },
            Some(Ok(_)) => html! {
                <section class="panel words" aria-label="The run in words">{ for self.described.parts.iter().map(|part| self::part(part, &ctx.props().on)) }</section>
            },
        }
    }
}

impl Words {
    fn load(&mut self, ctx: &Context<Words>) {
        let key = ctx.props().context.variant.card.key;
        if self.inspector.0 != key || matches!(self.inspector.1, Some(Err(_))) {
            self.inspector = (key, None);
            ctx.link().send_future(async move { Msg::Loaded(key, variants::inspector(key).await) });
        }
    }

    fn describe(&mut self, ctx: &Context<Words>) {
        let Some(Ok(inspector)) = &self.inspector.1 else { return };
        let engine = &ctx.props().player.borrow().engine;
        // The context may be one run behind the engine; then there will be another update.
        if engine.session().checked().variant.card.key != self.inspector.0 {
            return;
        }
        self.at = (browser::now(), engine.playing());
        if self.why.0 != engine.number() {
            self.why = (engine.number(), WhyItLeads::default());
        }
        self.described = description(engine.session(), inspector, &mut self.why.1);
    }
}

fn part(Part { title, lines }: &Part, on: &Callback<PageAction>) -> Html {
    let acts = *title == "Replicas";
    html! {
        <section key={*title} aria-label={*title}>
            <h3>{ *title }</h3>
            <ul>{ for lines.iter().map(|Line { text, about }| html! { <li>{ text }{ for about.filter(|_| acts).map(|node| buttons(node, on)) }</li> }) }</ul>
        </section>
    }
}

/// What can be done with a replica from here.
fn buttons(node: NodeId, on: &Callback<PageAction>) -> Html {
    html! {
        <div>
            <button type="button" class="small" onclick={click(on, PageAction::Select(Some(Selected::Node(node))))}>{ format!("Inspect node {node:?}") }</button>
            <button type="button" class="small" onclick={click(on, PageAction::Menu(Some(Target::Node(node))))}>{ format!("Act on node {node:?}…") }</button>
        </div>
    }
}
