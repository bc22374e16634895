//! Messages for one command: this run as it goes, and every variant measured on this scenario, beside what the papers say.

use super::controls::select;
use super::words::decimal;
use crate::charts::bars::{Bar, Part, bars};
use crate::charts::columns::{Column, columns};
use crate::charts::table::table;
use crate::run::{Ground, Shown};
use crate::stage::palette;
use crate::web::browser;
use gloo::timers::callback::Timeout;
use quorumscope::core::Kind;
use quorumscope::lab::compare::{Cell, CompareJob, Measured};
use quorumscope::universe::{self, Variant};
use std::rc::Rc;
use yew::prelude::*;

/// Numbers of replicas that are measured.
const REPLICAS: std::ops::RangeInclusive<u8> = 3..=9;
/// ms before measuring begins: the stage comes first.
const LATER: u32 = 1_200;
/// ms that measuring may take between two frames, and ms it then pauses.
const SLICE: (f64, u32) = (4.0, 14);
/// Events between two looks at the clock.
const EVENTS: u64 = 256;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub ground: Rc<Ground>,
    /// What it looks like now.
    pub shown: Rc<Shown>,
}

/// What happens to the panel.
pub enum Msg {
    /// Measure a little.
    Measure,
    /// Show another number of replicas.
    Replicas(u8),
}

/// The panel.
pub struct Messages {
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
        let mut panel = Messages { job: None, cells: Rc::default(), replicas: 0, next: None };
        panel.begin(ctx);
        panel
    }

    fn changed(&mut self, ctx: &Context<Messages>, old: &Props) -> bool {
        if ctx.props().ground != old.ground {
            self.begin(ctx);
        }
        true
    }

    fn update(&mut self, ctx: &Context<Messages>, message: Msg) -> bool {
        match message {
            Msg::Replicas(replicas) => self.replicas = replicas,
            Msg::Measure => {
                let Some(job) = &mut self.job else { return false };
                let deadline = browser::now() + SLICE.0;
                let mut done = false;
                while !done && browser::now() < deadline {
                    done = job.advance(EVENTS);
                }
                let news = job.cells().len() != self.cells.len();
                if news {
                    self.cells = Rc::new(job.cells().to_vec());
                }
                if done {
                    self.job = None;
                } else {
                    self.soon(ctx, SLICE.1);
                }
                return news;
            }
        }
        true
    }

    fn view(&self, ctx: &Context<Messages>) -> Html {
        let on_replicas = ctx.link().callback(|replicas: String| Msg::Replicas(replicas.parse().unwrap_or(5)));
        let sizes = REPLICAS.map(|n| (n.to_string().into(), n.to_string().into())).collect();
        // Every bar has its place before it is measured: nothing jumps.
        let all: Vec<Bar> = std::iter::once(live(ctx.props()))
            .chain(universe::variants().iter().map(|variant| self.bar(variant)))
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
                <details class="over" open={browser::matches("(min-width: 1101px) and (min-height: 800px)")}>
                    <summary>{ "From 3 to 9 replicas" } <small>{ "each on a scale of its own" }</small></summary>
                    <div class="many">{ self.many() }</div>
                </details>
                { self.table() }
            </section>
        }
    }
}

impl Messages {
    /// Measures anew, from a moment later on.
    fn begin(&mut self, ctx: &Context<Messages>) {
        let scenario = &ctx.props().ground.scenario;
        self.replicas = (scenario.replicas.len() as u8).clamp(*REPLICAS.start(), *REPLICAS.end());
        // The number of replicas on screen first.
        let mut order = vec![u32::from(self.replicas)];
        order.extend(REPLICAS.map(u32::from).filter(|n| *n != u32::from(self.replicas)));
        self.job = CompareJob::new(scenario, &[], &order).ok();
        self.cells = Rc::default();
        self.soon(ctx, LATER);
    }

    fn soon(&mut self, ctx: &Context<Messages>, ms: u32) {
        let link = ctx.link().clone();
        self.next = Some(Timeout::new(ms, move || link.send_message(Msg::Measure)));
    }

    fn bar(&self, variant: &Variant) -> Bar {
        let cell = self.cells.iter().find(|cell| cell.replicas == self.replicas && cell.variant == variant.card.key);
        let spoken = match cell {
            Some(cell) => format!("{}: {}", variant.card.title, cell.says.as_deref().unwrap_or("nothing was measured")),
            None => format!("{}: not measured yet", variant.card.title),
        };
        let empty = || Bar { label: variant.card.title.into(), parts: Vec::new(), mark: None, spoken, live: false };
        cell.and_then(bar).unwrap_or_else(empty)
    }

    /// One small picture for each variant, over all numbers of replicas.
    fn many(&self) -> Html {
        html! {
            { for universe::variants().iter().map(|variant| {
                let cell = |n: u8| self.cells.iter().find(|cell| cell.replicas == n && cell.variant == variant.card.key);
                let all: Vec<Column> = REPLICAS.map(|n| column(n, cell(n))).collect();
                let spoken = REPLICAS.filter_map(|n| Some(format!("{n} replicas: {}", decimal(cell(n)?.measured.as_ref()?.per_command))));
                let spoken = format!("{}: messages for one command. {}", variant.card.title, spoken.collect::<Vec<_>>().join("; "));
                columns(variant.card.title.into(), &all, spoken)
            }) }
        }
    }

    fn table(&self) -> Html {
        let head = ["variant", "replicas", "kind", "messages per command", "formula", "formula gives", "source"];
        let mut cells: Vec<&Cell> = self.cells.iter().collect();
        cells.sort_by_key(|cell| (universe::variants().iter().position(|v| v.card.key == cell.variant), cell.replicas));
        let rows = cells.into_iter().flat_map(rows).collect::<Vec<_>>();
        table(&head, rows, "messages-per-command")
    }
}

/// The run on screen as a bar of its own.
fn live(props: &Props) -> Bar {
    let kinds = props.ground.variant.kinds;
    let label = "This run".into();
    match &props.shown.per_command {
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

fn part(kind: &Kind, value: f64) -> Option<Part> {
    (value > 0.0).then(|| Part { name: kind.name, letter: kind.letter, color: palette::name(kind.phase), value })
}

fn parts(cell: &Cell, measured: &Measured) -> Vec<Part> {
    let kinds = universe::variant(cell.variant).map_or(&[][..], |variant| variant.kinds);
    let share = |kind: &Kind| {
        measured.by_kind.iter().find(|share| share.kind == kind.name).map_or(0.0, |share| share.per_command)
    };
    let counted = kinds.iter().filter(|kind| kind.phase != quorumscope::core::Phase::Heartbeat);
    counted.filter_map(|kind| part(kind, share(kind))).collect()
}

fn bar(cell: &Cell) -> Option<Bar> {
    let measured = cell.measured.as_ref()?;
    let parts = parts(cell, measured);
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

fn column(n: u8, cell: Option<&Cell>) -> Column {
    let measured = cell.and_then(|cell| Some((cell, cell.measured.as_ref()?)));
    Column {
        label: n.to_string(),
        parts: measured.map(|(cell, measured)| parts(cell, measured)).unwrap_or_default(),
        mark: measured.and_then(|(_, measured)| Some(f64::from(measured.formula.as_ref()?.per_command))),
    }
}

/// The rows of the table: one for each kind, and one for all.
fn rows(cell: &Cell) -> Vec<Vec<String>> {
    let start = || vec![cell.title.to_owned(), cell.replicas.to_string()];
    let Some(measured) = &cell.measured else {
        let why = cell.says.clone().unwrap_or_default();
        return vec![
            start().into_iter().chain([why, String::new(), String::new(), String::new(), String::new()]).collect(),
        ];
    };
    let formula = measured.formula.as_ref();
    let kinds = measured.by_kind.iter().map(|share| {
        let cells = [share.kind.to_owned(), decimal(share.per_command), String::new(), String::new(), String::new()];
        start().into_iter().chain(cells).collect::<Vec<String>>()
    });
    let all = [
        "all".to_owned(),
        decimal(measured.per_command),
        formula.map(|formula| formula.text.to_owned()).unwrap_or_default(),
        formula.map(|formula| formula.per_command.to_string()).unwrap_or_default(),
        formula.map(|formula| formula.source.to_owned()).unwrap_or_default(),
    ];
    kinds.chain([start().into_iter().chain(all).collect()]).collect()
}
