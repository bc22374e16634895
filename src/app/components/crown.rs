//! The sign of leadership.

use yew::prelude::*;

/// The crown's outline, 26 units wide, its middle at the origin.
pub const OUTLINE: &str = "M-13 7L-14.5 -5.5L-6.5 0L0 -9L6.5 0L14.5 -5.5L13 7Z";

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Its middle.
    pub x: f64,
    /// Its middle.
    pub y: f64,
    /// Another leads by now.
    #[prop_or_default]
    pub stale: bool,
    /// It is being dragged.
    #[prop_or_default]
    pub held: bool,
    /// Someone takes hold of it.
    #[prop_or_default]
    pub on_grab: Callback<PointerEvent>,
}

#[component]
pub fn Crown(props: &Props) -> Html {
    let Props { x, y, stale, held, on_grab } = props;
    html! {
        <g class={classes!("crown", stale.then_some("stale"), held.then_some("held"))}
            transform={format!("translate({x:.1} {y:.1})")} onpointerdown={on_grab}>
            <rect class="hit" x="-22" y="-26" width="44" height="40" />
            <path d={OUTLINE} />
        </g>
    }
}
