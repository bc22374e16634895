//! What the page has to say: why something was refused, what was copied.

use super::controls::{click, sign};
use crate::page_action::PageAction;
use yew::prelude::*;

/// Shows it; lines are kept.
pub fn notice(text: Option<&AttrValue>, on: &Callback<PageAction>) -> Html {
    html! {
        <div class="notice" role="status">
            if let Some(text) = text {
                <div><p>{ text }</p>{ sign("round", "close", "Close", click(on, PageAction::DismissNotice)) }</div>
            }
        </div>
    }
}
