//! A lesson: question, prediction, its two runs one after the other, what happened beside what was predicted, reason, things to change, task.

use super::address::Place;
use super::entry;
use super::prediction;
use super::progress::Progress;
use super::source;
use super::stage::OnStage;
use super::task::{self, Task};
use crate::elements::controls::{button, select};
use crate::run::player::Shared;
use crate::run::told::{Listeners, Told};
use crate::web::{browser, variants};
use gloo::timers::callback::Interval;
use quorumscope::core::Micros;
use quorumscope::lab::lesson::form::{Control, Lesson, Prediction};
use quorumscope::lab::lesson::verdict::Both;
use quorumscope::lab::lesson::{Answer, Ready, ReadyRun, Which};
use quorumscope::universe::Variant;
use std::rc::Rc;
use yew::prelude::*;

/// ms between two looks at where the run on the stage is.
const LOOK_EVERY: u32 = 100;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What progress in it is kept under.
    pub name: AttrValue,
    /// Where it comes from.
    pub place: Place,
    /// The player, which shows the runs.
    pub player: Shared,
    /// Goes to another lesson, or to the list.
    pub go: Callback<Place>,
}

/// Both runs with changes, and the same where they stop.
type Changed = ([ReadyRun; 2], Both);

/// A message to the lesson.
pub enum Msg {
    /// The lesson is read, with its variants.
    Read(Result<Rc<Ready>, String>),
    /// Its runs have come to where they stop.
    Played(Result<Box<Both>, String>),
    /// The same with changes. The number tells whether something else was chosen meanwhile.
    Changed(u32, Result<Box<Changed>, String>),
    /// Something was entered.
    Draft(Answer),
    /// The prediction is locked; or somebody only wants to see.
    Lock(bool),
    /// Time to look where the run on the stage is.
    Look,
    /// Show a run.
    Watch(Which),
    /// Go to where the run stops.
    Skip,
    /// Change something.
    Control(usize, String),
    /// The task is done.
    Built,
}

/// How far the lesson is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Something is predicted.
    Ask,
    /// The first run is watched.
    Watch,
    /// What happened is told.
    Told,
}

/// A lesson.
pub struct LessonView {
    ready: Option<Result<Rc<Ready>, String>>,
    /// The lesson's runs, where they stop, or why they cannot be shown.
    runs: Option<Result<Box<Both>, String>>,
    /// The same with what was changed, once something was.
    changed: Option<Result<Box<Changed>, String>>,
    chosen: Vec<String>,
    changes: u32,
    draft: Option<Answer>,
    /// What was predicted, once that is locked.
    locked: Option<Answer>,
    phase: Phase,
    watched: Which,
    on_stage: Option<OnStage>,
    looks: Option<Interval>,
    /// Whether what happened is to be scrolled into view, once it is drawn.
    reveal: bool,
}

impl Component for LessonView {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<LessonView>) -> LessonView {
        let place = ctx.props().place.clone();
        ctx.link().send_future(async move { Msg::Read(read_lesson(&place).await) });
        LessonView {
            ready: None,
            runs: None,
            changed: None,
            chosen: Vec::new(),
            changes: 0,
            draft: None,
            locked: None,
            phase: Phase::Ask,
            watched: Which::First,
            on_stage: None,
            looks: None,
            reveal: false,
        }
    }

    fn update(&mut self, ctx: &Context<LessonView>, message: Msg) -> bool {
        match message {
            Msg::Read(read) => {
                if let Ok(ready) = &read {
                    let runs = ready.runs.clone();
                    ctx.link().send_future(async move { Msg::Played(play(&runs).await) });
                    self.watched = about(&ready.lesson.prediction);
                    self.chosen = ready.lesson.controls.iter().map(|_| String::new()).collect();
                }
                self.ready = Some(read);
            }
            Msg::Played(runs) => {
                self.runs = Some(runs);
                if let Some(ready) = self.lesson() {
                    self.draft = prediction::first(&ready.lesson.prediction, self.length(self.watched));
                }
                // What the lesson is about is on the stage while somebody thinks.
                self.show(ctx, self.watched, false);
            }
            Msg::Changed(number, _) if number != self.changes => return false,
            Msg::Changed(_, changed) => self.changed = Some(changed),
            Msg::Draft(answer) => self.draft = Some(answer),
            Msg::Lock(predicts) => {
                self.locked = self.draft.clone().filter(|_| predicts);
                let told = told(ctx);
                if let (Some(locked), Some(ready)) = (&self.locked, self.lesson()) {
                    let says = ready.lesson.prediction.text(locked, &ready.place_names());
                    told.tell(&Told::Predict { lesson: ctx.props().name.to_string(), says });
                }
                self.phase = Phase::Watch;
                self.show(ctx, self.watched, true);
            }
            Msg::Look => {
                let arrived = self.on_stage.is_none_or(|run| run.look(&ctx.props().player));
                if !arrived {
                    return false;
                }
                self.looks = None;
                self.tell(ctx);
            }
            Msg::Watch(which) => {
                self.watched = which;
                self.show(ctx, which, true);
            }
            Msg::Skip => {
                self.on_stage.into_iter().for_each(|run| run.skip(&ctx.props().player));
                self.tell(ctx);
            }
            Msg::Control(control, value) => {
                self.chosen[control] = value;
                self.change(ctx);
            }
            Msg::Built => {
                let key = &ctx.props().name;
                let told = told(ctx);
                Progress { built: true, ..Progress::of(key, &told) }.keep(key, &told);
            }
        }
        true
    }

    fn rendered(&mut self, _: &Context<LessonView>, _: bool) {
        // Until then the time line does not tell what lies ahead.
        entry::tell(self.phase == Phase::Told);
        if std::mem::take(&mut self.reveal)
            && let Ok(Some(told)) = browser::document().query_selector(".lessons .told")
        {
            told.scroll_into_view();
        }
    }

    fn view(&self, ctx: &Context<LessonView>) -> Html {
        let go = &ctx.props().go;
        let back = button("All lessons", go.reform(|_: MouseEvent| Place::List));
        let ready = match &self.ready {
            Some(Ok(ready)) => ready,
            Some(Err(why)) => {
                return html! { <><nav>{ back }</nav><h2 tabindex="-1">{ "Lesson" }</h2><p class="wrong">{ why.clone() }</p></> };
            }
            None => {
                return html! { <><nav>{ back }</nav><h2 tabindex="-1">{ "Lesson" }</h2><p class="note">{ "Loading…" }</p></> };
            }
        };
        let lesson = &ready.lesson;
        html! {
            <>
                <nav>{ back }<small>{ format!("Lesson {}, {} minutes", lesson.number, lesson.minutes) }</small></nav>
                <h2 tabindex="-1">{ lesson.title.clone() }</h2>
                <p class="question">{ lesson.question.clone() }</p>
                <p>{ lesson.about.clone() }</p>
                <p class="unseen" role="status">{ self.verdict(ready).unwrap_or_default() }</p>
                { self.asking(ctx, ready) }
                if self.phase != Phase::Ask { { self.watching(ctx, lesson) } }
                if self.phase == Phase::Told { { self.told(ctx, ready) } }
            </>
        }
    }
}

/// Who is told of it.
fn told(ctx: &Context<LessonView>) -> Rc<Listeners> {
    ctx.props().player.borrow().told.clone()
}

impl LessonView {
    fn lesson(&self) -> Option<&Rc<Ready>> {
        self.ready.as_ref()?.as_ref().ok()
    }

    /// Both runs, where they stop: with what was changed, if something was.
    fn both(&self) -> Option<&Both> {
        match &self.changed {
            Some(Ok(changed)) => Some(&changed.1),
            _ => self.runs.as_ref()?.as_deref().ok(),
        }
    }

    /// When a run stops, µs.
    fn length(&self, which: Which) -> Micros {
        self.both().map_or(0, |both| both[which.index()].universe().time())
    }

    /// Has a run on the stage.
    fn show(&mut self, ctx: &Context<LessonView>, which: Which, plays: bool) {
        let Some(ready) = self.lesson().filter(|_| self.both().is_some()) else { return };
        let runs = if let Some(Ok(changed)) = &self.changed { &changed.0 } else { &ready.runs };
        let ReadyRun { scenario, checked, .. } = runs[which.index()].clone();
        let length = self.length(which);
        self.on_stage = OnStage::show(&ctx.props().player, scenario, checked, length, plays).ok();
        if plays {
            // Where the stage and the lesson do not fit beside each other.
            if let Ok(Some(stage)) = browser::document().query_selector(".small .stage") {
                stage.scroll_into_view();
            }
            let link = ctx.link().clone();
            self.looks = Some(Interval::new(LOOK_EVERY, move || link.send_message(Msg::Look)));
        }
    }

    /// Tells what happened, once, and keeps whether that was predicted.
    fn tell(&mut self, ctx: &Context<LessonView>) {
        if self.phase == Phase::Told {
            return;
        }
        self.phase = Phase::Told;
        self.reveal = true;
        let key = &ctx.props().name;
        let right = self.locked.as_ref().and_then(|locked| self.is_right(locked));
        let told = told(ctx);
        let kept = Progress::of(key, &told);
        Progress { right: right.or(kept.right), ..kept }.keep(key, &told);
        let says = self.lesson().and_then(|ready| self.verdict(ready)).unwrap_or_default();
        told.tell(&Told::Answer { lesson: key.to_string(), says, right });
    }

    fn is_right(&self, locked: &Answer) -> Option<bool> {
        let prediction = &self.lesson()?.lesson.prediction;
        let right = prediction.right(self.runs.as_ref()?.as_ref().ok()?).ok()?;
        Some(prediction.is_right(locked, &right))
    }

    /// Makes the changes that are chosen, and lets the runs go on to where they stop.
    fn change(&mut self, ctx: &Context<LessonView>) {
        let Some(ready) = self.lesson().cloned() else { return };
        self.changes += 1;
        self.changed = None;
        let (number, chosen) = (self.changes, self.chosen.clone());
        if chosen.iter().any(|value| !value.is_empty()) {
            ctx.link().send_future(async move { Msg::Changed(number, with_changes(&ready, &chosen).await) });
        }
    }

    fn asking(&self, ctx: &Context<LessonView>, ready: &Ready) -> Html {
        let prediction = &ready.lesson.prediction;
        if self.phase != Phase::Ask {
            return html! {};
        }
        let places = ready.place_names();
        let on = ctx.link().callback(Msg::Draft);
        let there = self.both().is_some();
        let lock = ctx.link().callback(|_: MouseEvent| Msg::Lock(true));
        let show = ctx.link().callback(|_: MouseEvent| Msg::Lock(false));
        html! {
            <form class="predict" onsubmit={|event: SubmitEvent| event.prevent_default()}>
                <fieldset>
                    <legend>{ prediction.ask.clone() }</legend>
                    { prediction::fields(prediction, &places, self.length(self.watched), self.draft.as_ref(), &on) }
                </fieldset>
                { for self.runs.as_ref().and_then(|runs| runs.as_ref().err()).map(|why| html! { <p class="wrong">{ why.clone() }</p> }) }
                <p class="buttons">{ prediction::lock(there && self.draft.is_some(), lock) }if there { { prediction::show(show) } }</p>
            </form>
        }
    }

    fn watching(&self, ctx: &Context<LessonView>, lesson: &Lesson) -> Html {
        let run = lesson.run(self.watched);
        let skip = ctx.link().callback(|_: MouseEvent| Msg::Skip);
        let other = |which: Which| {
            let word = if which == self.watched { "Watch again" } else { "Watch the other run" };
            let onclick = ctx.link().callback(move |_: MouseEvent| Msg::Watch(which));
            html! { <button type="button" class={classes!((which != self.watched).then_some("primary"))} {onclick}>{ format!("{word}: {}", lesson.run(which).name) }</button> }
        };
        html! {
            <section class="watch" aria-label="On the stage">
                <p><b>{ format!("On the stage: {}. ", run.name) }</b>{ run.look.clone() }</p>
                <p class="buttons">
                    if self.looks.is_some() { { button("Skip to where it stops", skip) } }
                    if self.phase == Phase::Told { { for [Which::First, Which::Second].map(other) } }
                </p>
            </section>
        }
    }

    /// What was predicted beside what happened, once that is told.
    fn verdict(&self, ready: &Ready) -> Option<String> {
        let runs = self.runs.as_ref()?.as_ref().ok().filter(|_| self.phase == Phase::Told)?;
        let prediction = &ready.lesson.prediction;
        let places = ready.place_names();
        let says = |answer: &Answer| prediction.text(answer, &places);
        let right = prediction.right(runs).ok()?;
        Some(match &self.locked {
            Some(locked) if prediction.is_right(locked, &right) => match locked == &right {
                true => format!("As you said: {}.", says(&right)),
                false => format!("As you said. You said: {}. It was: {}.", says(locked), says(&right)),
            },
            Some(locked) => format!("Not as you said. You said: {}. It was: {}.", says(locked), says(&right)),
            None => format!("{} It was: {}.", prediction.ask, says(&right)),
        })
    }

    fn told(&self, ctx: &Context<LessonView>, ready: &Rc<Ready>) -> Html {
        let lesson = &ready.lesson;
        let Some(Ok(runs)) = &self.runs else { return html! {} };
        let verdict = self.verdict(ready).unwrap_or_default();
        let go = &ctx.props().go;
        let next = lesson.next.as_ref().and_then(|next| source::next(&ctx.props().place, next));
        html! {
            <>
                <section class="told" aria-label="What happened">
                    <p><b>{ verdict }</b></p>
                    <p>{ lesson.happened(runs) }</p>
                    <h3>{ "Why" }</h3>
                    <p>{ lesson.reason.clone() }</p>
                </section>
                if !lesson.controls.is_empty() { { self.changing(ctx, lesson) } }
                <Task ready={task::Lesson(ready.clone())} player={ctx.props().player.clone()} on_built={ctx.link().callback(|()| Msg::Built)} />
                <details><summary>{ "What holds in other runs" }</summary><ul>{ for lesson.claims.iter().map(|claim| html! { <li>{ format!("{}: {}", lesson.run(claim.run).name, claim.says) }</li> }) }</ul></details>
                <details><summary>{ "Sources" }</summary><ul>{ for lesson.sources.iter().map(|source| html! { <li>{ source.clone() }</li> }) }</ul></details>
                { for next.map(|(place, title)| html! { <p>{ button(format!("Next: {title}"), go.reform(move |_: MouseEvent| place.clone())) }</p> }) }
            </>
        }
    }

    fn changing(&self, ctx: &Context<LessonView>, lesson: &Lesson) -> Html {
        let row = |(index, control): (usize, &Control)| {
            let as_is = ("".into(), "as in the lesson".into());
            let values = control.values.iter().map(|value| (value.clone().into(), plain(value).into()));
            let on = ctx.link().callback(move |value| Msg::Control(index, value));
            let options = [as_is].into_iter().chain(values).collect();
            html! { <label>{ control.label.clone() }{ " " }{ select(control.label.clone().into(), options, &self.chosen[index], on) }</label> }
        };
        let told = match &self.changed {
            Some(Ok(changed)) => {
                html! { <><p><b>{ "With these: " }</b>{ lesson.happened(&changed.1) }</p><p class="note">{ "What you watch now has these changes." }</p></> }
            }
            Some(Err(why)) => html! { <p class="wrong">{ why.clone() }</p> },
            None => html! {},
        };
        html! {
            <section class="change" aria-label="Change it">
                <h3>{ "Change it" }</h3>
                { for lesson.controls.iter().enumerate().map(row) }
                <div role="status">{ told }</div>
            </section>
        }
    }
}

/// A value for people: a list without its brackets.
fn plain(value: &str) -> String {
    value.trim_start_matches('[').trim_end_matches(']').replace('"', "")
}

/// The run that a prediction is about.
fn about(prediction: &Prediction) -> Which {
    let options = prediction.options.iter().flat_map(|option| option.when.iter().chain(&option.of));
    prediction.of.iter().chain(options).next().and_then(|measure| measure.run).unwrap_or_default()
}

/// Reads a lesson and loads its variants.
async fn read_lesson(place: &Place) -> Result<Rc<Ready>, String> {
    let lesson = source::lesson(place).await?;
    let mut loaded: Vec<&'static Variant> = Vec::new();
    for which in [Which::First, Which::Second] {
        let scenario = lesson.scenario(which, &[]).map_err(|problems| problems.to_string())?;
        if let Some(variant) = variants::variant(&scenario.variant).await {
            loaded.push(variant.map_err(|missing| missing.to_string())?);
        }
    }
    let known = |key: &str| loaded.iter().copied().find(|variant| variant.card.key == key);
    lesson.check_with(known).map(Rc::new).map_err(|problems| problems.to_string())
}

/// Lets both runs go on to where they stop.
async fn play(runs: &[ReadyRun; 2]) -> Result<Box<Both>, String> {
    let [first, second] = runs;
    let begin = |run: &ReadyRun| run.begin(None).map_err(|problem| problem.to_string());
    Ok(Box::new([task::to_stop(begin(first)?).await?, task::to_stop(begin(second)?).await?]))
}

/// Both runs with values chosen for the lesson's controls; empty for those that stay.
async fn with_changes(ready: &Ready, chosen: &[String]) -> Result<Box<Changed>, String> {
    let changed = |which: Which| -> Result<ReadyRun, String> {
        let run = &ready.runs[which.index()];
        let controls = ready.lesson.controls.iter().zip(chosen).filter(|(_, value)| !value.is_empty());
        let more: Vec<String> = controls.filter_map(|(control, value)| run.assignment(control, value)).collect();
        let scenario = ready.lesson.scenario(which, &more).map_err(|problems| problems.to_string())?;
        let checked = scenario.check_with(Some(run.checked.variant)).map_err(|problems| problems.to_string())?;
        Ok(ReadyRun { scenario, checked, stop: run.stop })
    };
    let runs = [changed(Which::First)?, changed(Which::Second)?];
    let both = play(&runs).await?;
    Ok(Box::new((runs, *both)))
}
