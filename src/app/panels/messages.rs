//! Messages panel: messages per command of the run on screen, and of every variant measured on its scenario, beside the formulas of
//! the papers.

use super::judged;
use super::measurements::{self, Measurements, bar, in_order, legend, part, sizes};
use crate::charts::bars::{Bar, Group, bars};
use crate::elements::controls::{button, press, select};
use crate::elements::text::decimal;
use crate::run::context::RunContext;
use crate::run::view_model::ViewModel;
use crate::web::{json, variants};
use crate::work::under_way::UnderWay;
use gloo::timers::future::TimeoutFuture;
use quorumscope::core::Family;
use quorumscope::lab::job::{Job, Measurement, News};
use quorumscope::universe::{self, Variant};
use std::rc::Rc;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// Delay before measuring begins, ms: the first picture comes first.
const LATER: u32 = 1_200;
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

/// A message to the panel. The numbers are those of the beginning that it belongs to.
pub enum Msg {
    /// These variants are loaded: measure them.
    Variants(u32, Vec<&'static Variant>),
    /// What is told of measuring.
    News(u32, News),
    /// Measure no more.
    Stop,
    /// Measure what has not been measured yet.
    GoOn,
    /// Show another number of replicas.
    Replicas(u8),
    /// Show these variants.
    Show(Shown),
    /// Pin a variant, by key, or let it go.
    Pin(&'static str),
}

/// Which variants are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All.
    All,
    /// Those of the family of the run's variant.
    Family,
    /// Those that are pinned.
    Pinned,
}

/// How many variants can be pinned: each stays in sight.
const PINS: usize = 3;

/// The panel.
pub struct Messages {
    /// The variants that could be loaded, and how often measuring has begun.
    variants: Rc<Vec<&'static Variant>>,
    begun: u32,
    /// What is measured, variants by key with numbers of replicas, and what has been measured so far.
    wanted: Vec<(String, u8)>,
    cells: Rc<Vec<Measurement>>,
    work: Option<UnderWay>,
    /// Why measuring failed.
    failed: Option<String>,
    replicas: u8,
    shown: Shown,
    /// Keys of the variants that are pinned, the last one last.
    pinned: Vec<&'static str>,
}

impl Component for Messages {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Messages>) -> Messages {
        let mut panel = Messages {
            variants: Rc::default(),
            begun: 0,
            wanted: Vec::new(),
            cells: Rc::default(),
            work: None,
            failed: None,
            replicas: 0,
            shown: Shown::All,
            pinned: Vec::new(),
        };
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
            Msg::Show(shown) => self.shown = shown,
            Msg::Pin(key) => self.pin(key),
            Msg::Variants(begun, _) | Msg::News(begun, _) if begun != self.begun => return false,
            Msg::Variants(_, variants) => {
                self.choose(variants);
                self.measure(ctx);
            }
            Msg::News(_, News::Measured(cell)) => Rc::make_mut(&mut self.cells).push(cell),
            // The cells say as much; the others are of other jobs.
            Msg::News(_, News::Progress(..) | News::Explored(_) | News::Fuzzed(_) | News::Violated(_)) => return false,
            Msg::News(_, News::Done) => self.work = None,
            Msg::News(_, News::Failed(why)) => {
                self.work = None;
                self.failed = Some(why);
            }
            Msg::Stop => self.stop(),
            Msg::GoOn => self.measure(ctx),
        }
        true
    }

    fn view(&self, ctx: &Context<Messages>) -> Html {
        let on_replicas = ctx.link().callback(|replicas: String| Msg::Replicas(replicas.parse().unwrap_or(5)));
        let sizes = sizes(own_size(ctx.props()));
        let options = sizes.iter().map(|n| (n.to_string().into(), n.to_string().into())).collect();
        let groups = self.groups(ctx);
        html! {
            <section class="panel messages">
                <h2>
                    { "Messages per command" }
                    <small>{ "replicas " }{ select("Number of replicas".into(), options, &self.replicas.to_string(), on_replicas) }</small>
                </h2>
                { self.filter(ctx) }
                { legend(groups.iter().flat_map(|group| &group.bars)) }
                { bars("Messages for one command".into(), &groups) }
                <p class="note">
                    <i class="tick"></i>{ " the paper's formula " }
                    { self.progress(ctx) }
                </p>
                <Measurements cells={self.cells.clone()} variants={self.variants.clone()} {sizes} chosen={self.replicas} own={own(ctx.props())} />
            </section>
        }
    }
}

impl Messages {
    /// Starts measuring the scenario on screen, after a delay.
    fn begin(&mut self, ctx: &Context<Messages>) {
        self.replicas = own_size(ctx.props());
        self.stop();
        self.cells = Rc::default();
        self.wanted.clear();
        let begun = self.begun;
        ctx.link().send_future(async move {
            TimeoutFuture::new(LATER).await;
            let mut loaded = Vec::new();
            for (key, ..) in universe::titles() {
                // What cannot be loaded is left out, and tried again with the next scenario.
                if let Some(Ok(variant)) = variants::variant(key).await {
                    loaded.push(variant);
                }
            }
            Msg::Variants(begun, loaded)
        });
    }

    /// Measures no more; what is still told counts no longer.
    fn stop(&mut self) {
        self.work = None;
        self.failed = None;
        self.begun += 1;
    }

    /// These variants are to be measured, each with the number of replicas of the run first.
    fn choose(&mut self, variants: Vec<&'static Variant>) {
        let mut order = vec![self.replicas];
        order.extend(sizes(self.replicas).into_iter().filter(|n| *n != self.replicas));
        let cells = |variant: &&'static Variant| {
            let key = variant.card.key;
            order.iter().map(move |n| (key.to_owned(), *n)).collect::<Vec<_>>()
        };
        self.wanted = variants.iter().flat_map(cells).collect();
        self.variants = Rc::new(variants);
    }

    /// Measures what is wanted and not there yet.
    fn measure(&mut self, ctx: &Context<Messages>) {
        self.stop();
        let there = |key: &str, n: u8| self.cells.iter().any(|cell| cell.variant == key && cell.replicas == n);
        let cells = self.wanted.iter().filter(|(key, n)| !there(key, *n)).cloned().collect();
        let Some(scenario) = json::text(&*ctx.props().context.scenario) else { return };
        let begun = self.begun;
        let tell = ctx.link().callback(move |news| Msg::News(begun, news));
        self.work = Some(UnderWay::start(Job::Measure { scenario, cells }, tell));
    }

    /// How far measuring is, with a button that stops it or has it go on.
    fn progress(&self, ctx: &Context<Messages>) -> Html {
        let (done, of) = (self.cells.len(), self.wanted.len());
        if let Some(work) = &self.work {
            let place = if work.in_worker() { "worker" } else { "page" };
            let stop = press(&ctx.link().callback(|()| Msg::Stop));
            return html! { <span data-works-in={place}>{ format!(" · measuring, {done} of {of} ") }{ button("Stop", stop) }</span> };
        }
        if done == of {
            return html! {};
        }
        let why = self.failed.as_ref().map(|why| format!(" ({why})"));
        let go_on = press(&ctx.link().callback(|()| Msg::GoOn));
        html! { <span>{ format!(" · {done} of {of} measured ") }{ for why }{ button("Measure the rest", go_on) }</span> }
    }

    /// Pins a variant in place of the one that has been pinned for longest, or lets it go.
    fn pin(&mut self, key: &'static str) {
        let before = self.pinned.len();
        self.pinned.retain(|pinned| *pinned != key);
        if self.pinned.len() == before {
            self.pinned.push(key);
            self.pinned.drain(..self.pinned.len().saturating_sub(PINS));
        }
        if self.pinned.is_empty() && self.shown == Shown::Pinned {
            self.shown = Shown::All;
        }
    }

    /// Buttons that choose which variants are shown.
    fn filter(&self, ctx: &Context<Messages>) -> Html {
        let choice = |shown: Shown, word: String, disabled: bool| {
            let on = press(&ctx.link().callback(move |()| Msg::Show(shown)));
            let pressed = (self.shown == shown).to_string();
            html! { <button type="button" aria-pressed={pressed} {disabled} onclick={on}>{ word }</button> }
        };
        let none = self.pinned.is_empty();
        html! {
            <div class="filter" role="group" aria-label="Protocols shown">
                { choice(Shown::All, format!("All {}", universe::titles().len()), false) }
                { choice(Shown::Family, "This family".to_owned(), false) }
                { choice(Shown::Pinned, if none { "Pinned".to_owned() } else { format!("Pinned {}", self.pinned.len()) }, none) }
            </div>
        }
    }

    /// The run, what is pinned, and the families. Every bar has its place before it is measured, so that little jumps; when all of a family have been
    /// measured, those with fewest messages come first.
    fn groups(&self, ctx: &Context<Messages>) -> Vec<Group> {
        let own = own(ctx.props());
        let row = |&(key, title, _): &(&'static str, &'static str, Family)| Bar {
            own: key == own,
            pin: Some((self.pinned.contains(&key), ctx.link().callback(move |()| Msg::Pin(key)))),
            ..self.bar(key, title)
        };
        let all = universe::titles();
        let pinned = self.pinned.iter().filter_map(|pinned| all.iter().find(|(key, ..)| key == pinned));
        let mut groups =
            vec![Group { title: None, bars: std::iter::once(live(ctx.props())).chain(pinned.map(row)).collect() }];
        let own_family = all.iter().find(|(key, ..)| *key == own).map(|(.., family)| *family);
        for family in Family::ALL {
            let shown = match self.shown {
                Shown::All => true,
                Shown::Family => Some(family) == own_family,
                Shown::Pinned => false,
            };
            let members: Vec<_> =
                all.iter().filter(|(key, _, of)| shown && *of == family && !self.pinned.contains(key)).collect();
            let members = in_order(members, |(key, ..)| measurements::per_command(&self.cells, key, self.replicas));
            if !members.is_empty() {
                groups.push(Group { title: Some(family.title()), bars: members.into_iter().map(row).collect() });
            }
        }
        groups
    }

    fn bar(&self, key: &str, title: &'static str) -> Bar {
        let cell = self.cells.iter().find(|cell| cell.replicas == self.replicas && cell.variant == key);
        let spoken = match cell {
            Some(cell) => format!("{}: {}", title, cell.counts.as_ref().err().map_or("", String::as_str)),
            None => format!("{}: not measured yet", title),
        };
        let empty = || Bar { label: title.into(), spoken, ..Bar::default() };
        cell.and_then(|cell| bar(cell, &self.variants)).unwrap_or_else(empty)
    }
}

/// Number of replicas of the scenario on screen.
fn own_size(props: &Props) -> u8 {
    props.context.scenario.replicas.len() as u8
}

/// The key of the run's variant.
fn own(props: &Props) -> &'static str {
    props.context.variant.card.key
}

/// The bar of the run on screen.
fn live(props: &Props) -> Bar {
    let kinds = props.context.variant.kinds;
    let label = "This run".into();
    match &props.view.per_command {
        Some(per_command) => {
            let parts = kinds.iter().zip(&per_command.by_kind).filter_map(|(kind, value)| part(kind, *value)).collect();
            let spoken = format!("This run, lately: {} messages for one command", decimal(per_command.total()));
            Bar { label, parts, spoken, live: true, ..Bar::default() }
        }
        None => Bar { label, spoken: "This run: too few commands yet".to_owned(), live: true, ..Bar::default() },
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
