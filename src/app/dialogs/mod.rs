//! Dialogs: set-up, sharing and help, in a modal frame (the browser's `<dialog>`, which keeps the focus and closes on Escape).

pub mod help;
mod perfetto;
pub mod setup;
pub mod share;

use crate::elements::controls::{icon_button, press};
use web_sys::HtmlDialogElement;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Heading.
    pub title: AttrValue,
    /// Called when it was closed.
    pub on_close: Callback<()>,
    /// Content.
    pub children: Html,
}

#[component]
pub fn DialogFrame(props: &Props) -> Html {
    let dialog = use_node_ref();
    {
        let dialog = dialog.clone();
        use_effect_with((), move |()| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>().filter(|dialog| !dialog.open()) {
                let _ = dialog.show_modal();
            }
        });
    }
    let onclose = props.on_close.reform(|_: Event| ());
    html! {
        <dialog class="sheet" ref={dialog} {onclose} aria-labelledby="sheet-title">
            <header>
                <h2 id="sheet-title">{ &props.title }</h2>
                { icon_button("round", "close", "Close", press(&props.on_close)) }
            </header>
            { props.children.clone() }
        </dialog>
    }
}
