//! A data centre on the map.

use super::keys;
use crate::stage::geometry::Point;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Its index.
    pub site: usize,
    /// Its outline.
    pub path: AttrValue,
    /// Where its name stands.
    pub name_at: Point,
    /// What people call it.
    pub name: AttrValue,
    /// Its id, if that is not the name already.
    pub id: Option<AttrValue>,
    /// A replica dropped now would land here.
    pub target: bool,
    /// Its menu is open.
    pub open: bool,
    /// It was chosen.
    pub on_open: Callback<()>,
}

#[component]
pub fn Island(props: &Props) -> Html {
    let Props { site, path, name_at, name, id, target, open, on_open } = props;
    let onclick = on_open.reform(|_: MouseEvent| ());
    let onkeydown = keys::activate(on_open);
    html! {
        <g class={classes!("island", target.then_some("target"))}>
            <path class="land" d={path} />
            <g class="place" data-site={site.to_string()} role="button" tabindex="0" aria-haspopup="menu" aria-expanded={open.to_string()}
                aria-label={format!("{name}: add a replica, send a request, and more")} {onclick} {onkeydown}>
                <rect class="hit" x={(name_at.x - 70.0).to_string()} y={(name_at.y - 16.0).to_string()} width="140" height="44" rx="8" />
                <text class="name" x={name_at.x.to_string()} y={name_at.y.to_string()}>{ name }</text>
                if let Some(id) = id {
                    <text class="id" x={name_at.x.to_string()} y={(name_at.y + 15.0).to_string()}>{ id }</text>
                }
            </g>
        </g>
    }
}
