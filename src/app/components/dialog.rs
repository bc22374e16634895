//! A dialog above the page. It is the browser's own dialog: it holds the focus, and Escape closes it.

use super::controls::{press, sign};
use web_sys::HtmlDialogElement;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Its heading.
    pub title: AttrValue,
    /// It was closed.
    pub on_close: Callback<()>,
    /// What is on it.
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
                { sign("round", "close", "Close", press(&props.on_close)) }
            </header>
            { props.children.clone() }
        </dialog>
    }
}
