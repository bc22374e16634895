//! What the dots mean: the kinds of messages seen so far. And what the signs mean of all that is out of order.

use crate::run::Shown;
use crate::stage::palette;
use quorumscope::core::Kind;
use yew::prelude::*;

/// Lists them.
pub fn legend(kinds: &'static [Kind], shown: &Shown) -> Html {
    let seen = kinds.iter().zip(&shown.by_kind).filter(|(_, count)| **count > 0).map(|(kind, _)| {
        let class = format!("dot on-{}", palette::name(kind.phase));
        let also = if kind.alias.is_empty() { String::new() } else { format!(" ({})", kind.alias) };
        entry(class.into(), kind.letter.to_string().into(), kind.name, format!("{}{also}", kind.says))
    });
    let square = |sign: &'static str, name, says: &str| entry("dot square".into(), sign.into(), name, says.to_owned());
    let of_clients =
        [square("?", "request", "a client asks for a command"), square("✓", "answer", "a replica answers a client")];
    let faults = shown.faults.filter(|_| shown.troubled());
    let troubles = faults.map_or_else(Vec::new, |faults| (faults.explained)(shown));
    html! { <ul class="legend" aria-label="Signs">{ for troubles }{ for seen.chain(of_clients) }</ul> }
}

fn entry(class: AttrValue, sign: AttrValue, name: &'static str, says: String) -> Html {
    html! {
        <li title={says}><span {class} aria-hidden="true">{ sign }</span>{ name }</li>
    }
}
