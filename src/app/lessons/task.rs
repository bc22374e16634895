//! The task at the end of a lesson: a run is built by acting on the stage, and checked.

use super::stage::OnStage;
use crate::elements::controls::button;
use crate::run::player::Shared;
use gloo::timers::future::TimeoutFuture;
use quorumscope::lab::Fault;
use quorumscope::lab::lesson::{Played, Ready};
use quorumscope::universe::Variant;
use std::rc::Rc;
use yew::prelude::*;

/// Events between two looks at whether the browser wants a turn.
pub const SLICE: u64 = 2_000;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The lesson, compared by identity.
    pub ready: Lesson,
    /// The player.
    pub player: Shared,
    /// Called when the goal is reached.
    pub on_built: Callback<()>,
}

/// A checked lesson, shared.
#[derive(Clone, Debug)]
pub struct Lesson(pub Rc<Ready>);

impl PartialEq for Lesson {
    fn eq(&self, other: &Lesson) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// How far it is.
#[derive(Clone, PartialEq)]
enum Step {
    /// Nothing is begun.
    Open,
    /// A run is on the stage, to be acted on.
    Building(OnStage),
    /// A schedule is tried.
    Trying,
    /// It reaches the goal, or does not.
    Told(bool),
    /// It cannot be tried.
    Wrong(String),
    /// The example is shown.
    Shown,
}

/// Goes on with a run until it stops, and lets the browser have its turns.
pub async fn to_stop(mut played: Played) -> Result<Played, String> {
    while !played.advance(SLICE).map_err(|problem| problem.to_string())? {
        TimeoutFuture::new(0).await;
    }
    Ok(played)
}

async fn try_out(ready: Rc<Ready>, schedule: Vec<Fault>) -> Result<bool, String> {
    let variant = variant_of(&ready);
    let played = ready.begin_construct(&schedule, |_| Some(variant)).map_err(|problems| problems.to_string())?;
    Ok(ready.is_goal(&to_stop(played).await?))
}

/// The variant of the run that is built, which came with the lesson.
fn variant_of(ready: &Ready) -> &'static Variant {
    ready.runs[ready.lesson.construct.run.index()].checked.variant
}

/// Shows the run with a schedule.
fn show(ready: &Ready, player: &Shared, schedule: &[Fault], plays: bool) -> Result<OnStage, String> {
    let scenario = ready.construct(schedule).map_err(|problems| problems.to_string())?;
    let checked = scenario.check_with(Some(variant_of(ready))).map_err(|problems| problems.to_string())?;
    let at = ready.lesson.construct.time();
    OnStage::show(player, scenario, checked, at, plays).map_err(|problems| problems.to_string())
}

#[component]
pub fn Task(props: &Props) -> Html {
    let Props { ready, player, on_built } = props;
    let step = use_state(|| Step::Open);
    let construct = &ready.0.lesson.construct;
    let begin = {
        let (ready, player, step) = (ready.clone(), player.clone(), step.clone());
        Callback::from(move |_: MouseEvent| {
            step.set(show(&ready.0, &player, &[], false).map_or_else(Step::Wrong, Step::Building));
        })
    };
    let example = {
        let (ready, player, step) = (ready.clone(), player.clone(), step.clone());
        Callback::from(move |_: MouseEvent| {
            let shown = show(&ready.0, &player, &ready.0.lesson.construct.example, true);
            step.set(shown.map_or_else(Step::Wrong, |_| Step::Shown));
        })
    };
    let check = |on_stage: OnStage| {
        let (ready, player, step, on_built) = (ready.clone(), player.clone(), step.clone(), on_built.clone());
        Callback::from(move |_: MouseEvent| {
            let schedule = on_stage.schedule(&player);
            let (ready, step, on_built) = (ready.0.clone(), step.clone(), on_built.clone());
            step.set(Step::Trying);
            yew::platform::spawn_local(async move {
                let tried = try_out(ready, schedule).await;
                if tried == Ok(true) {
                    on_built.emit(());
                }
                step.set(tried.map_or_else(Step::Wrong, Step::Told));
            });
        })
    };
    let allowed = if construct.only.is_empty() { "anything".to_owned() } else { construct.only.join(", ") };
    let told = match &*step {
        Step::Open | Step::Trying => html! {},
        Step::Building(_) => {
            html! { <p>{ "The run is at its start. Play it, and act on it: choose a node, a place or a link on the stage. Then have it checked." }</p> }
        }
        Step::Told(true) => html! { <p><b>{ "That is it." }</b>{ " Your run reaches the goal." }</p> },
        Step::Told(false) => {
            html! { <p><b>{ "Not yet." }</b>{ " The goal is not reached in this run. Begin again, or act earlier." }</p> }
        }
        Step::Wrong(why) => html! { <p class="wrong">{ format!("This cannot be checked: {why}") }</p> },
        Step::Shown => html! { <p>{ "One way is on the stage. There are others." }</p> },
    };
    let building = if let Step::Building(on_stage) = &*step { Some(*on_stage) } else { None };
    html! {
        <section class="task" aria-label="Build it">
            <h3>{ "Build it" }</h3>
            <p>{ construct.ask.clone() }</p>
            <p class="note">{ format!("You may use {}: {allowed}. The goal is looked at after {}.", quorumscope::universe::words::count(construct.limit() as usize, "action"), construct.at) }</p>
            <p class="buttons">
                { button(if building.is_some() { "Begin again" } else { "Begin" }, begin) }
                if let Some(on_stage) = building { { button("Check it", check(on_stage)) } }
                { button("Show one way", example) }
            </p>
            if !construct.hint.is_empty() { <details><summary>{ "A hint" }</summary><p>{ construct.hint.clone() }</p></details> }
            <div role="status">{ told }</div>
        </section>
    }
}
