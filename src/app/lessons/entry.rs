//! The entry to the lessons: a button in the header, and the place beside the stage where lessons are drawn. It is mounted beside the laboratory, with
//! portals into it.

use super::address::Place;
use super::{Props, View};
use crate::elements::controls::button;
use crate::run::player::Shared;
use crate::web::browser;
use gloo::events::EventListener;
use gloo::timers::callback::Interval;
use web_sys::Element;
use yew::prelude::*;

/// The attribute of the root element while lessons are open; the style sheet then leaves out the side panel and, unless it is `told`, what lies ahead
/// of the run.
const OPEN: &str = "data-lesson";
/// ms between two looks at whether there is another header, as after a presentation.
const LOOK_EVERY: u32 = 500;

/// Whether what happened in the lesson's runs is told.
pub fn tell(told: bool) {
    if let Some(root) = browser::document().document_element().filter(|root| root.has_attribute(OPEN)) {
        let _ = root.set_attribute(OPEN, if told { "told" } else { "asked" });
    }
}

#[derive(Clone, PartialEq, Properties)]
struct EntryProps {
    player: Shared,
}

/// Mounts it, for the lifetime of the page.
pub fn mount(player: &Shared) {
    let document = browser::document();
    let Ok(host) = document.create_element("div") else { return };
    if document.body().is_some_and(|body| body.append_child(&host).is_ok()) {
        let props = EntryProps { player: player.clone() };
        yew::Renderer::<Entry>::with_root_and_props(host, props).render();
    }
}

/// Where the button is.
const HEADER: &str = ".lab > .top";

fn find(selector: &str) -> Option<Element> {
    browser::document().query_selector(selector).ok().flatten()
}

#[component]
fn Entry(props: &EntryProps) -> Html {
    let place = use_state_eq(Place::read);
    let view = use_state(|| None::<Result<View, ()>>);
    // How often there was another header.
    let headers = use_state(|| 0);
    // Whether the lessons were opened here: then the focus goes to them.
    let asked = use_mut_ref(|| false);
    {
        let place = place.setter();
        use_effect_with((), move |()| {
            let listener = EventListener::new(&browser::window(), "popstate", move |_| place.set(Place::read()));
            move || drop(listener)
        });
    }
    {
        let headers = headers.clone();
        use_effect_with((), move |()| {
            let (mut last, mut number) = (find(HEADER), 0);
            let looks = Interval::new(LOOK_EVERY, move || {
                let now = find(HEADER);
                if now != last {
                    last = now;
                    number += 1;
                    headers.set(number);
                }
            });
            move || drop(looks)
        });
    }
    let open = *place != Place::Closed;
    {
        let (view, there) = (view.clone(), matches!(&*view, Some(Ok(_))));
        let player = props.player.clone();
        use_effect_with((*place).clone(), move |place| {
            player.borrow_mut().engine.in_lesson = *place != Place::Closed;
            if let Some(root) = browser::document().document_element() {
                let _ = match place {
                    Place::Closed => root.remove_attribute(OPEN),
                    _ => root.set_attribute(OPEN, "told"),
                };
            }
            if *place != Place::Closed && !there {
                yew::platform::spawn_local(async move { view.set(Some(super::load().await.map_err(|_| ()))) });
            }
        });
    }
    {
        let asked = asked.clone();
        let there = view.is_some();
        use_effect_with(((*place).clone(), there), move |(place, there)| {
            if *place != Place::Closed && *there && std::mem::take(&mut *asked.borrow_mut()) {
                browser::focus(".lessons h2");
            }
        });
    }
    let go = {
        let setter = place.setter();
        Callback::from(move |to: Place| {
            to.write();
            *asked.borrow_mut() = true;
            setter.set(to);
        })
    };
    let to = if open { Place::Closed } else { Place::List };
    let word = if open { "Close lessons" } else { "Lessons" };
    let header = find(HEADER).map(|header| create_portal(button(word, go.reform(move |_| to.clone())), header));
    let lessons = find(".lab").filter(|_| open).map(|lab| {
        let body = match &*view {
            Some(Ok(draw)) => draw(Props { place: (*place).clone(), player: props.player.clone(), go }),
            Some(Err(())) => html! { <p class="wrong">{ "The lessons could not be loaded. Is there a connection? Close and open them to try again." }</p> },
            None => html! { <p class="note">{ "Loading…" }</p> },
        };
        create_portal(html! { <aside class="lessons" aria-label="Lessons">{ body }</aside> }, lab)
    });
    // With keys, because a portal that takes the place of another would keep that one's element for its events.
    let key = format!("header {}", *headers);
    html! { <><key={key}>{ for header }</><key="lessons">{ for lessons }</></> }
}
