//! What the scenario suggests to try: a button each; the question comes before the action, and what came of it is told from the run.

use crate::elements::controls::{button, click};
use crate::elements::text;
use crate::page_action::PageAction;
use crate::run::player::Shared;
use crate::run::view_model::ViewModel;
use quorumscope::lab::document::trial::Trial;
use quorumscope::lab::run::trial::{Outcome, UnderWay, outcome};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What there is to try.
    pub trials: Rc<[Trial]>,
    /// The run at this moment.
    pub view: Rc<ViewModel>,
    /// The player, which does it.
    pub player: Shared,
    /// Takes actions.
    pub on: Callback<PageAction>,
}

/// How far the person has come.
#[derive(Clone, PartialEq)]
enum Stage {
    /// Nothing is chosen.
    Open,
    /// This trial's question is asked.
    Asked(usize),
    /// It is being tried, in the session with this number, with this guess.
    UnderWay(usize, usize, u32, UnderWay),
    /// This came of it.
    Told(usize, usize, Outcome),
    /// It was impossible.
    Refused(String),
}

/// Draws the panel.
pub fn trials(props: Props) -> Html {
    let key = props.trials.first().map_or_else(String::new, |trial| trial.label.clone());
    let Props { trials, view, player, on } = props;
    html! { <Trials {key} {trials} {view} {player} {on} /> }
}

#[component]
fn Trials(props: &Props) -> Html {
    let Props { trials, player, on, .. } = props;
    let stage = use_state(|| Stage::Open);
    {
        let (stage, player, on) = (stage.clone(), player.clone(), on.clone());
        use_effect(move || {
            if let Stage::UnderWay(trial, guess, number, under_way) = &*stage {
                let found = {
                    let player = player.borrow();
                    let here = player.engine.number() == *number;
                    if here { outcome(under_way, player.engine.session()).map(Some) } else { Some(None) }
                };
                if let Some(found) = found {
                    on.emit(PageAction::Play(false));
                    stage.set(found.map_or(Stage::Open, |found| Stage::Told(*trial, *guess, found)));
                }
            }
        });
    }
    if trials.is_empty() {
        return html! {};
    }
    let to = |next: Stage| {
        let stage = stage.clone();
        Callback::from(move |_: MouseEvent| stage.set(next.clone()))
    };
    let all = html! {
        <ul>
            { for trials.iter().enumerate().map(|(index, trial)| {
                let (ask, on) = (to(Stage::Asked(index)), on.clone());
                let onclick = Callback::from(move |event: MouseEvent| {
                    on.emit(PageAction::Play(false));
                    ask.emit(event);
                });
                html! { <li>{ button(trial.label.clone(), onclick) }</li> }
            }) }
        </ul>
    };
    let body = match &*stage {
        Stage::Open => all,
        Stage::Refused(why) => html! { <><p role="status">{ why }</p>{ all }</> },
        Stage::Asked(index) => {
            let Some(trial) = trials.get(*index) else { return html! {} };
            let choices = trial.choices().into_iter().enumerate().map(|(guess, choice)| {
                let onclick = try_it(*index, guess, trial, &stage, player, on);
                html! { <li>{ button(choice.to_owned(), onclick) }</li> }
            });
            html! {
                <>
                    <p role="status"><b>{ &trial.label }</b>{ ". " }{ &trial.ask }</p>
                    <ul>{ for choices }<li>{ button("Not now", to(Stage::Open)) }</li></ul>
                </>
            }
        }
        Stage::UnderWay(index, guess, _, under_way) => {
            let Some(trial) = trials.get(*index) else { return html! {} };
            html! {
                <>
                    <p><b>{ &trial.label }</b>{ ". " }{ &trial.ask }{ format!(" You say: {}.", text_of(trial, *guess)) }</p>
                    if !trial.look.is_empty() { <p>{ &trial.look }</p> }
                    <ul>
                        <li>{ button(format!("Go to {}, and see", text::moment(under_way.until)), click(on, PageAction::Seek(under_way.until))) }</li>
                    </ul>
                </>
            }
        }
        Stage::Told(index, guess, Outcome { choice, text }) => {
            let Some(trial) = trials.get(*index) else { return html! {} };
            let verdict = if choice == guess { "As you said" } else { "Not as you said" };
            html! {
                <>
                    <p role="status">
                        <b>{ &trial.label }</b>{ ". " }{ &trial.ask }{ " " }
                        <b>{ text_of(trial, *choice) }</b>{ format!(". {text} {verdict}") }
                        if choice != guess { { format!(": {}", text_of(trial, *guess)) } }
                        { "." }
                    </p>
                    { all }
                </>
            }
        }
    };
    html! { <section class="panel trials" aria-label="To try"><h2>{ "Try it" }</h2>{ body }</section> }
}

fn text_of(trial: &Trial, choice: usize) -> String {
    trial.choices().get(choice).map_or_else(String::new, |text| (*text).to_owned())
}

/// Does it, and plays on.
fn try_it(
    index: usize,
    guess: usize,
    trial: &Trial,
    stage: &UseStateHandle<Stage>,
    player: &Shared,
    on: &Callback<PageAction>,
) -> Callback<MouseEvent> {
    let (trial, stage, player, on) = (trial.clone(), stage.clone(), player.clone(), on.clone());
    Callback::from(move |_| {
        let begun = {
            let mut player = player.borrow_mut();
            let begun = player.engine.try_out(&trial);
            player.invalidate();
            begun.map(|under_way| (player.engine.number(), under_way))
        };
        match begun {
            Ok((number, under_way)) => {
                stage.set(Stage::UnderWay(index, guess, number, under_way));
                on.emit(PageAction::Play(true));
            }
            Err(why) => stage.set(Stage::Refused(format!("That cannot be done now: {why}."))),
        }
    })
}
