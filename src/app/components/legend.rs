//! What the dots mean: the kinds of messages seen so far. And what the signs mean of all that is out of order.

use crate::run::ViewModel;
use crate::stage::palette;
use quorumscope::core::Kind;
use yew::prelude::*;

/// Lists them.
pub fn legend(kinds: &'static [Kind], view: &ViewModel) -> Html {
    let seen = kinds.iter().zip(&view.by_kind).filter(|(_, count)| **count > 0).map(|(kind, _)| {
        let class = format!("dot on-{}", palette::name(kind.phase));
        let also = if kind.alias.is_empty() { String::new() } else { format!(" ({})", kind.alias) };
        entry(class.into(), kind.letter.to_string().into(), kind.name, format!("{}{also}", kind.says))
    });
    let square = |sign: &'static str, name, says: &str| entry("dot square".into(), sign.into(), name, says.to_owned());
    let of_clients =
        [square("?", "request", "a client asks for a command"), square("✓", "answer", "a replica answers a client")];
    let faults = view.faults.filter(|_| view.faulty());
    let conditions = faults.map_or_else(Vec::new, |faults| (faults.explained)(view));
    html! { <ul class="legend" aria-label="Signs">{ for conditions }{ for seen.chain(of_clients) }</ul> }
}

fn entry(class: AttrValue, sign: AttrValue, name: &'static str, says: String) -> Html {
    html! {
        <li title={says}><span {class} aria-hidden="true">{ sign }</span>{ name }</li>
    }
}
