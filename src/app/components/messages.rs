//! Messages for one command: this run as it goes, and every variant measured on this scenario, beside what the papers say.

use super::controls::select;
use super::measurements::Measurements;
use super::words::decimal;
use crate::charts::bars::{Bar, Part, bars};
use crate::chunks;
use crate::run::{RunContext, ViewModel};
use crate::stage::palette;
use crate::web::browser;
use gloo::timers::callback::Timeout;
use gloo::timers::future::TimeoutFuture;
use quorumscope::core::Kind;
use quorumscope::lab::compare::{Cell, CompareJob, Measured};
use quorumscope::universe::{self, Variant};
use std::rc::Rc;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// Numbers of replicas that are measured.
pub const REPLICAS: std::ops::RangeInclusive<u8> = 3..=9;
/// ms before measuring begins: the stage comes first.
const LATER: u32 = 1_200;
/// ms that measuring may take between two frames, and ms it then pauses.
const SLICE: (f64, u32) = (4.0, 14);
/// Events between two looks at the clock.
const EVENTS: u64 = 256;

/// What draws the panel.
pub type View = fn(Props) -> Html;

/// Where this chunk begins.
#[wasm_split(measurements, fallible)]
pub fn load() -> Result<View, SplitLoaderError> {
    Ok(|Props { context, view }| html! { <Messages {context} {view} /> })
}

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub context: Rc<RunContext>,
    /// What it looks like now.
    pub view: Rc<ViewModel>,
}

/// What happens to the panel.
pub enum Msg {
    /// Measure a little.
    Measure,
    /// These variants are there; the number is that of the beginning.
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
    /// Cells as of the last change.
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
        let sizes = REPLICAS.map(|n| (n.to_string().into(), n.to_string().into())).collect();
        // Every bar has its place before it is measured: nothing jumps.
        let all: Vec<Bar> = std::iter::once(live(ctx.props()))
            .chain(universe::titles().iter().map(|(key, title)| self.bar(key, title)))
            .collect();
        let measuring = self.job.as_ref().map(|job| format!(" · measuring, {} of {}", self.cells.len(), job.len()));
        html! {
            <section class="panel messages">
                <h2>
                    { "Messages per command" }
                    <small>{ "replicas " }{ select("Number of replicas".into(), sizes, &self.replicas.to_string(), on_replicas) }</small>
                </h2>
                { bars("Messages for one command".into(), &all) }
                <p class="note">
                    <i class="tick"></i>{ " the paper's formula " }
                    { for measuring }
                </p>
                <Measurements cells={self.cells.clone()} variants={self.variants.clone()} />
            </section>
        }
    }
}

impl Messages {
    /// Measures anew, from a moment later on.
    fn begin(&mut self, ctx: &Context<Messages>) {
        let scenario = &ctx.props().context.scenario;
        self.replicas = (scenario.replicas.len() as u8).clamp(*REPLICAS.start(), *REPLICAS.end());
        self.job = None;
        self.cells = Rc::default();
        self.begun += 1;
        let begun = self.begun;
        ctx.link().send_future(async move {
            TimeoutFuture::new(LATER).await;
            let mut there = Vec::new();
            for (key, _) in universe::titles() {
                // What cannot be loaded is left out, and tried again with the next scenario.
                if let Some(Ok(variant)) = chunks::variant(key).await {
                    there.push(variant);
                }
            }
            Msg::Variants(begun, there)
        });
    }

    /// Measures these variants.
    fn measure(&mut self, ctx: &Context<Messages>, variants: Vec<&'static Variant>) {
        let context = &ctx.props().context;
        // The number of replicas on screen first.
        let mut order = vec![u32::from(self.replicas)];
        order.extend(REPLICAS.map(u32::from).filter(|n| *n != u32::from(self.replicas)));
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

/// The run on screen as a bar of its own.
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

/// A kind's part of a bar, if there were any such messages.
fn part(kind: &Kind, value: f64) -> Option<Part> {
    (value > 0.0).then(|| Part { name: kind.name, letter: kind.letter, color: palette::name(kind.phase), value })
}

/// What a measured cell is made of.
pub fn parts(cell: &Cell, measured: &Measured, variants: &[&'static Variant]) -> Vec<Part> {
    let variant = variants.iter().find(|variant| variant.card.key == cell.variant);
    let kinds = variant.map_or(&[][..], |variant| variant.kinds);
    let share = |kind: &Kind| {
        measured.by_kind.iter().find(|share| share.kind == kind.name).map_or(0.0, |share| share.per_command)
    };
    let counted = kinds.iter().filter(|kind| kind.phase != quorumscope::core::Phase::Heartbeat);
    counted.filter_map(|kind| part(kind, share(kind))).collect()
}

fn bar(cell: &Cell, variants: &[&'static Variant]) -> Option<Bar> {
    let measured = cell.measured.as_ref()?;
    let parts = parts(cell, measured, variants);
    let kinds: Vec<String> = parts.iter().map(|part| format!("{} {}", part.name, decimal(part.value))).collect();
    let formula = measured.formula.as_ref();
    let expected = formula
        .map(|formula| format!("; the formula {} gives {}", formula.text, formula.per_command))
        .unwrap_or_default();
    let total = decimal(measured.per_command);
    Some(Bar {
        spoken: format!(
            "{}, {} replicas: {total} messages for one command: {}{expected}",
            cell.title,
            cell.replicas,
            kinds.join(", ")
        ),
        label: cell.title.into(),
        parts,
        mark: formula.map(|formula| f64::from(formula.per_command)),
        live: false,
    })
}
