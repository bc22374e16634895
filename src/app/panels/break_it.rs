//! Break it: rules with switches, and a search for runs that violate a property, through all runs within bounds or through random runs full of
//! faults. In a chunk of its own; the search is a worker's ([`crate::work`]).

use crate::elements::controls::{button, checkbox, press, select};
use crate::run::context::RunContext;
use crate::web::{address, browser};
use crate::work::under_way::UnderWay;
use quorumscope::core::Rule;
use quorumscope::lab::job::{Explored, Fuzzed, Job, News, Subject, Verdict, ViolatingRun};
use quorumscope::lab::{Quantity, link};
use quorumscope::universe::words::thousands;
use std::rc::Rc;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// Draws the panel.
pub type View = fn(Props) -> Html;

/// Where this chunk begins.
#[wasm_split(break_it, fallible)]
pub fn load() -> Result<View, SplitLoaderError> {
    Ok(|props| html! { <BreakIt ..props /> })
}

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run: its variant is looked at, with its settings and the rules taken away in it.
    pub context: Rc<RunContext>,
}

/// A bound that can be chosen: its key, its label, its choices, and the one to begin with.
struct Bound(&'static str, &'static str, &'static [&'static str], &'static str);

/// The bounds of a search through all runs. The model checker has more (`quorumscope check --help`).
const BOUNDS: &[Bound] = &[
    Bound("requests", "Commands", &["1", "2", "3"], "2"),
    Bound("timers", "Timers that run out", &["0", "1", "2", "3", "4"], "2"),
    Bound("crashes", "Crashes", &["0", "1", "2"], "0"),
    Bound("losses", "Messages lost", &["0", "1", "2"], "0"),
    Bound("duplicates", "Messages that arrive twice", &["0", "1", "2"], "0"),
];
/// Replicas in a search through all runs.
const REPLICAS: &[&str] = &["2", "3", "4", "5"];
/// Most states of a search: about as many as there is memory for.
const STATES: &str = "states=2000000";
/// Random runs.
const SEEDS: u64 = 2_000;

/// A message to the panel. The numbers are those of the search that it belongs to.
pub enum Msg {
    /// Have a rule in force, or take it away.
    Rule(&'static str, bool),
    /// Choose a bound, by its number; the replicas are the one after the last.
    Bound(usize, String),
    /// Search through all runs, or through random ones.
    Search(bool),
    /// What is told of a search.
    News(u32, News),
    /// The address of a run that was found, as found or shrunk; of a search through all runs, the shortest.
    Packed(u32, bool, String),
    /// Search no more.
    Stop,
}

/// What a search has come to.
#[derive(Default)]
struct Found {
    /// So much, of so much.
    progress: (u64, u64),
    explored: Option<Explored>,
    fuzzed: Option<Fuzzed>,
    /// Runs that violate a property, with their addresses as soon as these are known: as found, and shrunk.
    runs: Vec<(ViolatingRun, Option<String>)>,
    failed: Option<String>,
    stopped: bool,
}

/// The panel.
pub struct BreakIt {
    without: Vec<&'static str>,
    bounds: Vec<String>,
    /// The search, through all runs or random ones, and when it began, ms.
    work: Option<UnderWay>,
    exhaustive: bool,
    began: f64,
    /// How many searches there have been.
    number: u32,
    found: Option<Found>,
    /// Where it stands, and whether that is to be scrolled into view.
    place: NodeRef,
    reveal: bool,
}

impl Component for BreakIt {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<BreakIt>) -> BreakIt {
        let mut bounds: Vec<String> = BOUNDS.iter().map(|bound| bound.3.to_owned()).collect();
        bounds.push("3".to_owned());
        let mut panel = BreakIt {
            without: Vec::new(),
            bounds,
            work: None,
            exhaustive: false,
            began: 0.0,
            number: 0,
            found: None,
            place: NodeRef::default(),
            reveal: false,
        };
        panel.begin(ctx.props());
        panel
    }

    fn changed(&mut self, ctx: &Context<BreakIt>, old: &Props) -> bool {
        let (now, old) = (&ctx.props().context, &old.context);
        let subject = |context: &RunContext| (context.variant.card.key, context.scenario.without.clone());
        // The run that a search has found is of the same variant, without the same rules: what was found stays beside it.
        let differs = subject(now) != subject(old) || now.scenario.settings != old.scenario.settings;
        let same_here =
            subject(now) == (old.variant.card.key, self.without.iter().map(|&key| key.to_owned()).collect());
        if differs && !same_here {
            self.begin(ctx.props());
        }
        true
    }

    fn update(&mut self, ctx: &Context<BreakIt>, message: Msg) -> bool {
        match message {
            Msg::News(number, _) | Msg::Packed(number, ..) if number != self.number => return false,
            Msg::Rule(key, true) => self.without.retain(|taken| *taken != key),
            Msg::Rule(key, false) => self.without.push(key),
            Msg::Bound(bound, value) => self.bounds[bound] = value,
            Msg::Search(exhaustive) => self.search(ctx, exhaustive),
            Msg::News(_, news) => self.take(ctx, news),
            Msg::Packed(_, shrunk, packed) => {
                let found = self.found.iter_mut().flat_map(|found| &mut found.runs);
                found.filter(|(run, _)| run.shrunk == shrunk).for_each(|(_, link)| *link = Some(packed.clone()));
            }
            Msg::Stop => {
                self.work = None;
                self.number += 1;
                self.found.iter_mut().for_each(|found| found.stopped = true);
            }
        }
        true
    }

    fn rendered(&mut self, _: &Context<BreakIt>, _: bool) {
        if std::mem::take(&mut self.reveal)
            && let Some(place) = self.place.cast::<web_sys::Element>()
        {
            place.scroll_into_view();
        }
    }

    fn view(&self, ctx: &Context<BreakIt>) -> Html {
        let variant = ctx.props().context.variant;
        let rules: Vec<&'static Rule> = variant.rules().iter().filter(|rule| rule.without.is_some()).collect();
        let choose = |i: usize, label: &'static str, choices: &'static [&'static str]| {
            let options = choices.iter().map(|choice| ((*choice).into(), (*choice).into())).collect();
            let on = ctx.link().callback(move |value| Msg::Bound(i, value));
            html! { <label>{ label }{ " " }{ select(label.into(), options, &self.bounds[i], on) }</label> }
        };
        let search = |exhaustive| press(&ctx.link().callback(move |()| Msg::Search(exhaustive)));
        html! {
            <section class="panel break">
                <h2>{ "Break it" }<small>{ "take a rule away, and look for a run that shows why it is there" }</small></h2>
                if rules.is_empty() {
                    <p class="note">{ format!("{} has no rule that can be taken away.", variant.card.title) }</p>
                }
                <div class="rules">{ for rules.into_iter().map(|rule| self.rule(ctx, rule)) }</div>
                <h3>{ "All runs within bounds" }</h3>
                <p class="bounds">
                    { choose(BOUNDS.len(), "Replicas", REPLICAS) }
                    { for BOUNDS.iter().enumerate().map(|(i, Bound(_, label, choices, _))| choose(i, label, choices)) }
                </p>
                { button("Search all of them", search(true)) }
                <h3>{ "Random runs full of faults" }</h3>
                { button(format!("Try {}", thousands(SEEDS)), search(false)) }
                <div role="status" ref={self.place.clone()}>{ for self.found.as_ref().map(|found| self.found(ctx, found)) }</div>
            </section>
        }
    }
}

impl BreakIt {
    /// Takes away the rules that are taken away in the run on screen; what was found before is about something else.
    fn begin(&mut self, props: &Props) {
        let taken = &props.context.scenario.without;
        let rules = props.context.variant.rules().iter();
        self.without = rules.filter(|rule| taken.iter().any(|key| key == rule.key)).map(|rule| rule.key).collect();
        self.work = None;
        self.number += 1;
        self.found = None;
    }

    fn search(&mut self, ctx: &Context<BreakIt>, exhaustive: bool) {
        let context = &ctx.props().context;
        let of = Subject {
            variant: context.variant.card.key.to_owned(),
            without: self.without.iter().map(|&key| key.to_owned()).collect(),
            settings: context.scenario.settings.clone(),
        };
        let job = match exhaustive {
            true => {
                let bounds = BOUNDS.iter().zip(&self.bounds).map(|(bound, value)| format!("{}={value}", bound.0));
                let replicas = self.bounds[BOUNDS.len()].parse().unwrap_or(3);
                Job::Explore { of, replicas, bounds: bounds.chain([STATES.to_owned()]).collect() }
            }
            false => Job::Fuzz { of, seeds: (0, SEEDS) },
        };
        self.number += 1;
        let number = self.number;
        self.exhaustive = exhaustive;
        self.began = browser::now();
        self.found = Some(Found::default());
        self.reveal = true;
        self.work = Some(UnderWay::start(job, ctx.link().callback(move |news| Msg::News(number, news))));
    }

    fn take(&mut self, ctx: &Context<BreakIt>, news: News) {
        let ends = news.is_end();
        let found = self.found.get_or_insert_default();
        match news {
            News::Progress(done, of) => found.progress = (done, of),
            News::Explored(explored) => {
                if let Some(Ok(run)) = &explored.run {
                    found.runs.push(((**run).clone(), None));
                    pack(ctx, self.number, run);
                }
                found.explored = Some(explored);
                self.reveal = true;
            }
            News::Fuzzed(fuzzed) => found.fuzzed = Some(fuzzed),
            News::Violated(run) => {
                pack(ctx, self.number, &run);
                found.runs.push((run, None));
                self.reveal = true;
            }
            News::Failed(why) => found.failed = Some(why),
            News::Measured(_) | News::Done => {}
        }
        if ends {
            self.work = None;
        }
    }

    fn rule(&self, ctx: &Context<BreakIt>, rule: &'static Rule) -> Html {
        let taken = self.without.contains(&rule.key);
        let on = ctx.link().callback(|in_force| Msg::Rule(rule.key, in_force));
        html! {
            <label class="rule" key={rule.key}>
                { checkbox(None, !taken, on) }
                <span>
                    <strong>{ rule.title }</strong><cite>{ rule.source }</cite>
                    if taken { <small class="without">{ format!("Taken away. {}", rule.says) }</small> }
                </span>
            </label>
        }
    }

    /// How far it is, and what was found.
    fn found(&self, ctx: &Context<BreakIt>, found: &Found) -> Html {
        let stop = press(&ctx.link().callback(|()| Msg::Stop));
        html! {
            <>
                if self.work.is_some() {
                    // First, since what stands after it changes its width all the time.
                    <p class="progress">
                        { button("Stop", stop) }
                        <progress max={found.progress.1.max(1).to_string()} value={found.progress.0.to_string()} aria-label="How far the search is" />
                        { self.progress(found) }
                    </p>
                } else if found.stopped {
                    <p>{ format!("Stopped: {}.", self.progress(found)) }</p>
                }
                { for found.failed.as_ref().map(|why| html! { <p class="wrong">{ format!("This search is not possible: {why}.") }</p> }) }
                { for found.explored.as_ref().map(|explored| explored_text(explored, self.bounds.last().map_or("", String::as_str))) }
                { for found.fuzzed.as_ref().map(|fuzzed| fuzzed_text(fuzzed, found.runs.is_empty())) }
                if found.explored.is_some() {
                    { for found.runs.iter().map(|(run, packed)| open_text("Open the shortest run", run, packed.as_deref())) }
                } else {
                    { for found.runs.iter().map(|(run, packed)| run_text(run, packed.as_deref())) }
                }
            </>
        }
    }

    fn progress(&self, found: &Found) -> String {
        let (done, of) = found.progress;
        if !found.runs.is_empty() && !self.exhaustive {
            return format!("making it smaller: {}", count(done, "run"));
        }
        if !self.exhaustive {
            return format!("{} of {}", thousands(done), count(of, "run"));
        }
        let seconds = (browser::now() - self.began) / 1_000.0;
        match seconds > 0.2 && done > 0 {
            true => format!("{}, {} a second", count(done, "state"), thousands((done as f64 / seconds) as u64)),
            false => count(done, "state"),
        }
    }
}

/// What a search through all runs found.
fn explored_text(explored: &Explored, replicas: &str) -> Html {
    let Explored { verdict, states, depth, bounds, cut, violation, trace, run } = explored;
    let label = |key: &str| BOUNDS.iter().find(|bound| bound.0 == key).map(|bound| bound.1.to_lowercase());
    let shown: Vec<String> =
        bounds.iter().filter_map(|(key, value)| Some(format!("{} {value}", label(key)?))).collect();
    let bounds = format!("{replicas} replicas, {}", shown.join(", "));
    let cut: Vec<String> = cut.iter().filter_map(|key| label(key)).collect();
    let states = count(u64::from(*states), "state");
    match (verdict, violation) {
        (Verdict::Violated, Some((property, says, _))) => html! {
            <>
                <p class="wrong"><strong>{ format!("{property} is violated") }</strong>{ format!(" after {}, the fewest there can be: {says}", count(u64::from(*depth), "event")) }</p>
                <ol class="trace">{ for trace.iter().map(|(event, does)| html! { <li>{ event.clone() }{ for does.iter().map(|line| html! { <small>{ line.clone() }</small> }) }</li> }) }</ol>
                if let Some(Err(why)) = run {
                    <p class="note">{ format!("It cannot be opened as a run: {why}.") }</p>
                }
                <p class="note">{ format!("Found in {states}. Within these bounds: {bounds}.") }</p>
            </>
        },
        (Verdict::Safe, _) => {
            let further = match cut.as_slice() {
                [] => String::new(),
                cut => format!(" There is more to look at with more of these: {}.", cut.join(", ")),
            };
            html! { <p>{ format!("No run within these bounds violates anything: {bounds}. That is {states}, up to {} deep.{further}", count(u64::from(*depth), "event")) }</p> }
        }
        _ => {
            html! { <p>{ format!("Undecided: nothing is violated in {states}, up to {} deep, but there are more than there is memory for. Smaller bounds can be searched to the end.", count(u64::from(*depth), "event")) }</p> }
        }
    }
}

/// What random runs came to.
fn fuzzed_text(fuzzed: &Fuzzed, nothing: bool) -> Html {
    let faults: Vec<String> = fuzzed.faults.iter().map(|(kind, n)| format!("{kind} {}", thousands(*n))).collect();
    let what = if nothing { "Nothing is violated in " } else { "Found after " };
    html! {
        <>
            <p>{ format!("{what}{}, {} in all.", count(fuzzed.runs, "random run"), count(fuzzed.events, "event")) }</p>
            <details><summary>{ "Faults injected" }</summary><p class="note">{ faults.join(", ") }</p></details>
        </>
    }
}

/// A run that violates a property, with a link to it.
fn run_text(run: &ViolatingRun, packed: Option<&str>) -> Html {
    let ViolatingRun { property, says, at, event, faults, shrunk, .. } = run;
    let size = format!("{}, {}", count(*event, "event"), count(*faults as u64, "fault"));
    let open = if *shrunk { "Open the smallest" } else { "Open it as found" };
    html! {
        <>
            if *shrunk {
                <p>{ format!("Made smaller: {size}.") }</p>
            } else {
                <p class="wrong"><strong>{ format!("{property} is violated") }</strong>{ format!(" at {} ({size}). {says}", Quantity::from_micros(*at)) }</p>
            }
            { open_text(open, run, packed) }
        </>
    }
}

/// A link to a run, once its address is known.
fn open_text(open: &str, run: &ViolatingRun, packed: Option<&str>) -> Html {
    let link = |packed: &str| html! { <p><a class="button" href={format!("#{packed}")}>{ format!("{open}, where {} is violated", run.property) }</a></p> };
    packed.map(link).unwrap_or_default()
}

/// Has the address of a run found out.
fn pack(ctx: &Context<BreakIt>, number: u32, run: &ViolatingRun) {
    let shrunk = run.shrunk;
    if let Ok(document) = link::from_json(&run.document) {
        ctx.link().send_future_batch(async move {
            let packed = address::pack(&document).await;
            packed.map(|packed| Msg::Packed(number, shrunk, packed)).into_iter().collect::<Vec<_>>()
        });
    }
}

/// `1 event`, `1,240 events`.
fn count(number: u64, one: &str) -> String {
    format!("{} {one}{}", thousands(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped_by_thousands_and_only_one_is_singular() {
        assert_eq!([0, 999, 1_000, 1_240_000].map(super::thousands), ["0", "999", "1,000", "1,240,000"]);
        assert_eq!([1, 2].map(|n| super::count(n, "event")), ["1 event", "2 events"]);
    }
}
