//! Pop-up menu of a replica, a site or a site link: focus, keyboard navigation and placement.

mod actions;
mod entry;
mod faults;

use crate::elements::controls::click;
use crate::elements::geometry::Point;
use crate::elements::text;
use crate::page_action::{PageAction, Target};
use crate::run::context::RunContext;
use crate::run::view_model::ViewModel;
use crate::web::browser;
use entry::{Group, Item};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// Width of a menu, as in the style sheet, CSS pixels.
const WIDTH: f64 = 232.5;
/// Distance from a menu to its target, sideways and upwards, CSS pixels.
const ASIDE: f64 = 40.0;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The replica, site or site link it is about.
    pub target: Target,
    /// Position of the target, CSS pixels from the corner of the stage.
    pub at: Point,
    /// Size of the stage, CSS pixels.
    pub room: Point,
    /// What is run.
    pub context: Rc<RunContext>,
    /// What it looks like now.
    pub view: Rc<ViewModel>,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

#[component]
pub fn Menu(props: &Props) -> Html {
    let Props { target, at, room, context, view, on } = props;
    let list = use_node_ref();
    {
        let (list, target) = (list.clone(), *target);
        use_effect_with(target, move |target| {
            focus_item(&list, |_, _| 0);
            let target = *target;
            move || return_focus(target)
        });
    }
    let onkeydown = {
        let (list, on) = (list.clone(), on.clone());
        Callback::from(move |event: KeyboardEvent| {
            match event.key().as_str() {
                "Escape" | "Tab" => on.emit(PageAction::Menu(None)),
                "ArrowDown" | "ArrowRight" => focus_item(&list, |now, all| (now + 1) % all),
                "ArrowUp" | "ArrowLeft" => focus_item(&list, |now, all| (now + all - 1) % all),
                "Home" => focus_item(&list, |_, _| 0),
                "End" => focus_item(&list, |_, all| all - 1),
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let unfolded = use_state(|| false);
    let onmore = {
        let unfolded = unfolded.clone();
        Callback::from(move |_: MouseEvent| unfolded.set(!*unfolded))
    };
    {
        let list = list.clone();
        use_effect_with(*unfolded, move |unfolded| {
            let more = list.cast::<Element>().and_then(|list| list.query_selector(".more").ok()?);
            // Entries that unfold below the edge would not be noticed.
            more.filter(|_| *unfolded).into_iter().for_each(|more| more.scroll_into_view());
        });
    }
    let (title, mut groups) = actions::entries(context, view, *target);
    groups.retain(|group| !group.items.is_empty());
    let more = groups.iter().position(|group| group.folded).map(|at| {
        let expanded = if *unfolded { "true" } else { "false" };
        let more = html! {
            <button key="more" role="menuitem" tabindex="0" class="more" aria-expanded={expanded} onclick={onmore}>{ "More faults" }</button>
        };
        (at, more)
    });
    let mut entries: Vec<Html> = Vec::new();
    for (at, group) in groups.into_iter().enumerate() {
        entries.extend(more.iter().filter(|(before, _)| *before == at).map(|(_, more)| more.clone()));
        if *unfolded || !group.folded {
            entries.push(show(at, group, on));
        }
    }
    // It opens towards the middle of the stage; the style sheet limits how far down.
    let across = if at.x < room.x / 2.0 { at.x + ASIDE } else { at.x - ASIDE - WIDTH };
    let left = across.clamp(0.0, (room.x - WIDTH).max(0.0));
    html! {
        <>
            <div class="veil" onclick={click(on, PageAction::Menu(None))}></div>
            <div class="berth" style={format!("left: {left:.0}px; --down: {:.0}px", (at.y - ASIDE).max(0.0))}>
                <div class="menu" {onkeydown}>
                    <p id="menu-title">{ title }</p>
                    { for now(context, view, *target).map(|now| html! { <p class="now">{ now }</p> }) }
                    <div role="menu" aria-labelledby="menu-title" ref={list}>
                        { for entries }
                    </div>
                </div>
            </div>
        </>
    }
}

/// The state of a replica, which comes before what can be done with it.
fn now(context: &RunContext, view: &ViewModel, target: Target) -> Option<String> {
    let Target::Node(id) = target else { return None };
    let Some(status) = view.nodes.get(usize::from(id.0))?.status else { return Some("Down".to_owned()) };
    let (first, rest) = status.role.split_at(1);
    let (epoch, log) = (text::epoch(context.variant.card.epoch, status.epoch), status.log);
    let log = if log.last > 0 {
        format!("; log up to {}, committed up to {}", log.last, log.committed)
    } else {
        String::new()
    };
    Some(format!("{}{rest}, {epoch}{log}", first.to_uppercase()))
}

/// Draws a group. `at` is its index among all groups, the key that keeps its elements, and the focus, when others unfold before it.
fn show(at: usize, Group { heading, items, .. }: Group, on: &Callback<PageAction>) -> Html {
    let items = items.into_iter().map(|Item { label, page_action }| {
        html! { <button role="menuitem" tabindex="0" onclick={click(on, page_action)}>{ label }</button> }
    });
    if heading.is_empty() {
        return html! { <key={at}>{ for items }</> };
    }
    html! {
        <div key={at} role="group" aria-label={heading.clone()} class="row">
            <span aria-hidden="true">{ heading }</span>
            { for items }
        </div>
    }
}

/// Moves the focus within the menu: `next` maps the index of the focused item and the number of items to the index to focus.
fn focus_item(list: &NodeRef, next: impl Fn(usize, usize) -> usize) {
    let Some(items) = list.cast::<Element>().and_then(|list| list.query_selector_all("[role=menuitem]").ok()) else {
        return;
    };
    let items: Vec<HtmlElement> = (0..items.length()).filter_map(|i| items.item(i)?.dyn_into().ok()).collect();
    if items.is_empty() {
        return;
    }
    let active = browser::document().active_element();
    let now = items.iter().position(|item| active.as_ref() == Some(item.as_ref())).unwrap_or(0);
    let _ = items[next(now, items.len())].focus();
}

/// Returns the focus to the target.
fn return_focus(target: Target) {
    browser::focus(&format!("[data-target={target}]"));
}
