//! What the page has to say: why something was refused, what was copied.

use super::icon::Icon;
use crate::intent::Intent;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What it says; lines are kept.
    pub text: Option<AttrValue>,
    /// What is wanted.
    pub on: Callback<Intent>,
}

#[component]
pub fn Notice(props: &Props) -> Html {
    let close = props.on.reform(|_: MouseEvent| Intent::Heard);
    html! {
        <div class="notice" role="status">
            if let Some(text) = &props.text {
                <div>
                    <p>{ text }</p>
                    <button class="round" aria-label="Close" onclick={close}><Icon name="close" /></button>
                </div>
            }
        </div>
    }
}
