//! What happens now, in a sentence. The same is spoken, but only when something important has changed.

use crate::run::ViewModel;
use yew::prelude::*;

/// Shows it. `text` is what is read, `spoken` what screen readers say.
pub fn sentence(text: &AttrValue, spoken: &AttrValue, view: &ViewModel) -> Html {
    let rules = view.last.iter().flat_map(|last| &last.rules);
    html! {
        <div class="telling">
            <p class={if view.broken { "sentence broken" } else { "sentence" }}>{ text }</p>
            <p class="last">
                { for view.last.iter().map(|last| &last.text) }
                { for rules.map(|rule| html! { <span class="why" title={format!("{} ({})", rule.says, rule.source)}>{ rule.title }</span> }) }
            </p>
            <p class="unseen" role="status" aria-live="polite">{ spoken }</p>
        </div>
    }
}
