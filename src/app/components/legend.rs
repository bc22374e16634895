//! What the dots mean: the kinds of messages seen so far.

use crate::stage::palette;
use quorumscope::core::Kind;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// The variant's kinds.
    pub kinds: &'static [Kind],
    /// Those seen so far.
    pub seen: Vec<bool>,
}

#[component]
pub fn Legend(props: &Props) -> Html {
    let seen = props.kinds.iter().zip(&props.seen).filter(|(_, seen)| **seen).map(|(kind, _)| kind);
    html! {
        <ul class="legend" aria-label="Messages">
            { for seen.map(|kind| html! {
                <li key={kind.name} title={kind.says}>
                    <span class={classes!("dot", format!("on-{}", palette::name(kind.phase)))} aria-hidden="true">{ kind.letter }</span>
                    { kind.name }
                    if !kind.alias.is_empty() { <small>{ kind.alias }</small> }
                </li>
            }) }
            <li title="A client asks for a command"><span class="dot square" aria-hidden="true">{ "?" }</span>{ "request" }</li>
            <li title="A replica answers a client"><span class="dot square" aria-hidden="true">{ "✓" }</span>{ "answer" }</li>
        </ul>
    }
}
