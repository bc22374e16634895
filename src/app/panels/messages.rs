//! Messages panel: messages per command of the run on screen, and of every variant measured on its scenario, beside the formulas of
//! the papers.

use super::judged;
use super::measurements::{Measurements, bar, part, sizes};
use crate::charts::bars::{Bar, bars};
use crate::elements::controls::select;
use crate::elements::text::decimal;
use crate::run::context::RunContext;
use crate::run::view_model::ViewModel;
use crate::web::browser;
use crate::web::variants;
use gloo::timers::callback::Timeout;
use gloo::timers::future::TimeoutFuture;
use quorumscope::lab::compare::{Cell, CompareJob};
use quorumscope::universe::{self, Variant};
use std::rc::Rc;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// Delay before measuring begins, ms: the first picture comes first.
const LATER: u32 = 1_200;
/// Time of one slice of measuring, and the pause after it, ms.
const SLICE: (f64, u32) = (4.0, 14);
/// Events between two readings of the clock.
const EVENTS: u64 = 256;

/// Draws the panel.
pub type View = fn(Props) -> Html;

/// Where this chunk begins.
#[wasm_split(measurements, fallible)]
pub fn load() -> Result<View, SplitLoaderError> {
    Ok(|Props { context, view }| {
        let judged = view.judged.as_ref().map(judged::panel);
        html! { <><Messages {context} {view} />{ for judged }</> }
    })
}

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub context: Rc<RunContext>,
    /// The run at this moment.
    pub view: Rc<ViewModel>,
}

/// A message to the panel.
pub enum Msg {
    /// Measure for one slice.
    Measure,
    /// These variants are loaded; the number is that of the beginning.
    Variants(u32, Vec<&'static Variant>),
    /// Show another number of replicas.
    Replicas(u8),
}

/// The panel.
pub struct Messages {
    /// The variants that could be loaded, and how often measuring has begun.
    variants: Rc<Vec<&'static Variant>>,
    begun: u32,
    job: Option<CompareJob>,
    /// What has been measured so far.
    cells: Rc<Vec<Cell>>,
    replicas: u8,
    next: Option<Timeout>,
}

impl Component for Messages {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Messages>) -> Messages {
        let mut panel =
            Messages { variants: Rc::default(), begun: 0, job: None, cells: Rc::default(), replicas: 0, next: None };
        panel.begin(ctx);
        panel
    }

    fn changed(&mut self, ctx: &Context<Messages>, old: &Props) -> bool {
        if ctx.props().context != old.context {
            self.begin(ctx);
        }
        true
    }

    fn update(&mut self, ctx: &Context<Messages>, message: Msg) -> bool {
        match message {
            Msg::Replicas(replicas) => self.replicas = replicas,
            Msg::Variants(begun, _) if begun != self.begun => return false,
            Msg::Variants(_, variants) => self.measure(ctx, variants),
            Msg::Measure => {
                let Some(job) = &mut self.job else { return false };
                let deadline = browser::now() + SLICE.0;
                let mut done = false;
                while !done && browser::now() < deadline {
                    done = job.advance(EVENTS);
                }
                let update = job.cells().len() != self.cells.len();
                if update {
                    self.cells = Rc::new(job.cells().to_vec());
                }
                if done {
                    self.job = None;
                } else {
                    self.soon(ctx, SLICE.1);
                }
                return update;
            }
        }
        true
    }

    fn view(&self, ctx: &Context<Messages>) -> Html {
        let on_replicas = ctx.link().callback(|replicas: String| Msg::Replicas(replicas.parse().unwrap_or(5)));
        let sizes = sizes(own_size(ctx.props()));
        let options = sizes.iter().map(|n| (n.to_string().into(), n.to_string().into())).collect();
        // Every bar has its place before it is measured, so that nothing jumps.
        let all: Vec<Bar> = std::iter::once(live(ctx.props()))
            .chain(universe::titles().iter().map(|(key, title)| self.bar(key, title)))
            .collect();
        let measuring = self.job.as_ref().map(|job| format!(" · measuring, {} of {}", self.cells.len(), job.len()));
        html! {
            <section class="panel messages">
                <h2>
                    { "Messages per command" }
                    <small>{ "replicas " }{ select("Number of replicas".into(), options, &self.replicas.to_string(), on_replicas) }</small>
                </h2>
                { bars("Messages for one command".into(), &all) }
                <p class="note">
                    <i class="tick"></i>{ " the paper's formula " }
                    { for measuring }
                </p>
                <Measurements cells={self.cells.clone()} variants={self.variants.clone()} {sizes} />
            </section>
        }
    }
}

impl Messages {
    /// Starts measuring the scenario on screen, after a delay.
    fn begin(&mut self, ctx: &Context<Messages>) {
        self.replicas = own_size(ctx.props());
        self.job = None;
        self.cells = Rc::default();
        self.begun += 1;
        let begun = self.begun;
        ctx.link().send_future(async move {
            TimeoutFuture::new(LATER).await;
            let mut loaded = Vec::new();
            for (key, _) in universe::titles() {
                // What cannot be loaded is left out, and tried again with the next scenario.
                if let Some(Ok(variant)) = variants::variant(key).await {
                    loaded.push(variant);
                }
            }
            Msg::Variants(begun, loaded)
        });
    }

    /// Measures these variants.
    fn measure(&mut self, ctx: &Context<Messages>, variants: Vec<&'static Variant>) {
        let context = &ctx.props().context;
        // The number of replicas of the run first.
        let mut order = vec![u32::from(self.replicas)];
        order.extend(sizes(self.replicas).into_iter().filter(|n| *n != self.replicas).map(u32::from));
        let checked = context.scenario.check_with(Some(context.variant)).ok();
        self.job = checked.map(|checked| CompareJob::of(&context.scenario, checked, &variants, &order));
        self.variants = Rc::new(variants);
        self.soon(ctx, SLICE.1);
    }

    fn soon(&mut self, ctx: &Context<Messages>, ms: u32) {
        let link = ctx.link().clone();
        self.next = Some(Timeout::new(ms, move || link.send_message(Msg::Measure)));
    }

    fn bar(&self, key: &str, title: &'static str) -> Bar {
        let cell = self.cells.iter().find(|cell| cell.replicas == self.replicas && cell.variant == key);
        let spoken = match cell {
            Some(cell) => format!("{}: {}", title, cell.says.as_deref().unwrap_or("nothing was measured")),
            None => format!("{}: not measured yet", title),
        };
        let empty = || Bar { label: title.into(), parts: Vec::new(), mark: None, spoken, live: false };
        cell.and_then(|cell| bar(cell, &self.variants)).unwrap_or_else(empty)
    }
}

/// Number of replicas of the scenario on screen.
fn own_size(props: &Props) -> u8 {
    props.context.scenario.replicas.len() as u8
}

/// The bar of the run on screen.
fn live(props: &Props) -> Bar {
    let kinds = props.context.variant.kinds;
    let label = "This run".into();
    match &props.view.per_command {
        Some(per_command) => {
            let parts = kinds.iter().zip(&per_command.by_kind).filter_map(|(kind, value)| part(kind, *value)).collect();
            let spoken = format!("This run, lately: {} messages for one command", decimal(per_command.total()));
            Bar { label, parts, mark: None, spoken, live: true }
        }
        None => Bar {
            label,
            parts: Vec::new(),
            mark: None,
            spoken: "This run: too few commands yet".to_owned(),
            live: true,
        },
    }
}

/// Messages per command of the run as a number, as long as the panel that measures every variant is not loaded.
pub fn per_command(view: &ViewModel) -> Html {
    let total = view.per_command.as_ref().map_or("–".to_owned(), |messages| decimal(messages.total()));
    html! {
        <section class="panel messages">
            <h2>{ "Messages per command" }<small>{ "this run: " }{ total }</small></h2>
        </section>
    }
}
