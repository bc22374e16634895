//! What happens now, in a sentence. The same sentence is spoken, but only when something important has changed.

use crate::run::happened::Happened;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What happens now.
    pub text: AttrValue,
    /// What screen readers say.
    pub spoken: AttrValue,
    /// Some property is broken.
    pub broken: bool,
    /// What happened last, while time stands still.
    pub last: Option<Happened>,
}

#[component]
pub fn Sentence(props: &Props) -> Html {
    let Props { text, spoken, broken, last } = props;
    html! {
        <div class="telling">
            <p class={classes!("sentence", broken.then_some("broken"))}>{ text }</p>
            <p class="last">
                if let Some(Happened { text, rules }) = last {
                    { text }
                    { for rules.iter().map(|rule| html! {
                        <>{ " " }<span class="rule" title={format!("{} ({})", rule.says, rule.source)}>{ rule.title }</span></>
                    }) }
                }
            </p>
            <p class="unseen" role="status" aria-live="polite">{ spoken }</p>
        </div>
    }
}
