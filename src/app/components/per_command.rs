//! Messages for one command of the run on screen, as a number: until the chunk is there that measures every variant.

use super::words::decimal;
use crate::run::ViewModel;
use yew::prelude::*;

/// Shows it.
pub fn per_command(view: &ViewModel) -> Html {
    let total = view.per_command.as_ref().map_or("–".to_owned(), |messages| decimal(messages.total()));
    html! {
        <section class="panel messages">
            <h2>{ "Messages per command" }<small>{ "this run: " }{ total }</small></h2>
        </section>
    }
}
