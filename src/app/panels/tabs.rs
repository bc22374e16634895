//! Tabs of the side panel: numbers, inspector, log.

use crate::page_action::{PageAction, Tab};
use crate::web::browser;
use yew::prelude::*;

/// The tab list, with `now` chosen. Arrow keys, Home and End move the choice and the focus.
pub fn tabs(all: &[Tab], now: Tab, on: &Callback<PageAction>) -> Html {
    let onkeydown = {
        let (all, on) = (all.to_vec(), on.clone());
        Callback::from(move |event: KeyboardEvent| {
            let (at, count) = (all.iter().position(|tab| *tab == now).unwrap_or(0), all.len());
            let next = match event.key().as_str() {
                "ArrowRight" => (at + 1) % count,
                "ArrowLeft" => (at + count - 1) % count,
                "Home" => 0,
                "End" => count - 1,
                _ => return,
            };
            event.prevent_default();
            on.emit(PageAction::Tab(all[next]));
            browser::focus(&format!("#tab-{}", all[next].name()));
        })
    };
    let tab = |tab: &Tab| {
        let (tab, chosen) = (*tab, *tab == now);
        let onclick = on.reform(move |_: MouseEvent| PageAction::Tab(tab));
        let name = tab.name();
        html! {
            <button key={name} type="button" role="tab" id={format!("tab-{name}")} aria-selected={if chosen { "true" } else { "false" }}
                aria-controls="side" tabindex={if chosen { "0" } else { "-1" }} {onclick}>{ tab.title() }</button>
        }
    };
    html! { <div class="tabs" role="tablist" aria-label="Beside the stage" {onkeydown}>{ for all.iter().map(tab) }</div> }
}
