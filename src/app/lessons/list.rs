//! The list of lessons, with what was predicted and built so far.

use super::address::{LessonFile, Place};
use super::progress::Progress;
use crate::elements::controls::button;
use crate::run::player::Shared;
use crate::web::files;
use quorumscope::lab::lesson::form::Lesson;
use quorumscope::lab::lesson::{LESSONS, read};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The lessons with their keys, in the order of the course.
fn all() -> Vec<(&'static str, Lesson)> {
    let read = |file: &quorumscope::lab::lesson::File| Some((file.key, read::from_json(file.json).ok()?));
    let mut all: Vec<_> = LESSONS.iter().filter_map(read).collect();
    all.sort_by_key(|(_, lesson)| lesson.number);
    all
}

/// Draws the list.
pub fn list(go: &Callback<Place>, player: &Shared) -> Html {
    html! { <List go={go.clone()} player={player.clone()} /> }
}

#[derive(Clone, PartialEq, Properties)]
struct Props {
    go: Callback<Place>,
    player: Shared,
}

#[component]
fn List(props: &Props) -> Html {
    let lessons = use_memo((), |()| all());
    let redraw = use_force_update();
    let told = props.player.borrow().told.clone();
    {
        // What the page around a frame has kept may come after the list is drawn.
        let (redraw, told) = (redraw.clone(), told.clone());
        use_effect_with((), move |()| {
            told.on_kept.set(Some(Box::new(move || redraw.force_update())));
            move || told.on_kept.set(None)
        });
    }
    let progress: Vec<Progress> = lessons.iter().map(|(key, _)| Progress::of(key, &told)).collect();
    let open = |key: &'static str| props.go.reform(move |_: MouseEvent| Place::Lesson(key.to_owned()));
    let link = |key: &'static str, title: &str| html! { <button type="button" class="link" onclick={open(key)}>{ title.to_owned() }</button> };
    let again = lessons.iter().zip(&progress).filter(|(_, progress)| progress.right == Some(false));
    let again: Vec<Html> = again.map(|((key, lesson), _)| html! { <li>{ link(key, &lesson.title) }</li> }).collect();
    let done = progress.iter().filter(|progress| progress.right.is_some()).count();
    let minutes: u32 = lessons.iter().map(|(_, lesson)| lesson.minutes).sum();
    let forget = {
        let keys: Vec<&'static str> = lessons.iter().map(|(key, _)| *key).collect();
        Callback::from(move |_: MouseEvent| {
            keys.iter().for_each(|key| Progress::default().keep(key, &told));
            redraw.force_update();
        })
    };
    let refused = use_state(|| None::<String>);
    let on_file = {
        let (go, refused) = (props.go.clone(), refused.setter());
        Callback::from(move |event: Event| {
            let input: HtmlInputElement = event.target_unchecked_into();
            let Some((name, blob)) = files::chosen(&input) else { return };
            let (go, refused) = (go.clone(), refused.clone());
            yew::platform::spawn_local(async move {
                match files::read(blob).await {
                    Ok(text) => go.emit(Place::File(Rc::new(LessonFile { name, text }))),
                    Err(why) => refused.set(Some(format!("{name}: {why}"))),
                }
            });
        })
    };
    html! {
        <>
            <h2 tabindex="-1">{ "Lessons" }</h2>
            <p>{ "Each asks a question, has you predict, shows two runs that differ in one thing, and lets you build a run of your own. They can be taken in any order." }</p>
            <p class="note">{ format!("{done} of {} predicted. All of them take about {} minutes.", lessons.len(), minutes) }</p>
            if !again.is_empty() {
                <section aria-label="To try again">
                    <h3>{ "To try again" }</h3>
                    <p class="note">{ "Here it came out otherwise than you said." }</p>
                    <ul class="again">{ for again }</ul>
                </section>
            }
            <ol class="course">
                { for lessons.iter().zip(&progress).map(|((key, lesson), progress)| html! {
                    <li key={*key}>
                        <span class="number">{ lesson.number }</span>
                        <div>
                            { link(key, &lesson.title) }
                            <small>{ format!("{} minutes", lesson.minutes) }{ if progress.text().is_empty() { String::new() } else { format!(", {}", progress.text()) } }</small>
                            <p>{ lesson.question.clone() }</p>
                        </div>
                    </li>
                }) }
            </ol>
            <p><label class="button file">{ "Open a lesson from a file…" }<input type="file" accept=".toml,.json" onchange={on_file} /></label></p>
            if let Some(why) = &*refused { <p class="wrong" role="alert">{ why.clone() }</p> }
            if done > 0 { <p>{ button("Forget what I predicted", forget) }</p> }
        </>
    }
}
