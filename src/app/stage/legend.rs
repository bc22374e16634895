//! Legend of the stage: kinds of messages seen so far, client messages, and fault conditions that are on the stage.

use super::condition::{self, ALL, Condition, RADIUS};
use super::faults::Faults;
use super::sprites::CLIENT_SIGNS;
use crate::elements::{svg, text};
use crate::run::view_model::ViewModel;
use quorumscope::core::{Kind, NodeId};
use yew::prelude::*;

/// Names and descriptions of client messages, in the order of [`CLIENT_SIGNS`].
const CLIENT_MESSAGES: [(&str, &str); 4] = [
    ("request", "a client asks for a command"),
    ("answered", "a replica tells a client the outcome of its command"),
    ("redirected", "a replica that does not lead names the one that does, as far as it knows"),
    ("refused", "a replica that does not lead, and knows no leader, turns a client away"),
];

/// The legend. `kinds` are the protocol's kinds of messages.
pub fn legend(kinds: &'static [Kind], view: &ViewModel, faults: Option<&Faults>) -> Html {
    let seen = kinds.iter().zip(&view.by_kind).filter(|(_, count)| **count > 0).map(|(kind, _)| {
        let class = format!("dot on-{}", text::phase(kind.phase));
        let also = if kind.alias.is_empty() { String::new() } else { format!(" ({})", kind.alias) };
        message_entry(class.into(), kind.letter.to_string().into(), kind.name, format!("{}{also}", kind.says))
    });
    let square =
        |sign: &'static str, name, says: &str| message_entry("dot square".into(), sign.into(), name, says.to_owned());
    let of_clients = CLIENT_SIGNS.into_iter().zip(CLIENT_MESSAGES).map(|(sign, (name, says))| square(sign, name, says));
    let faults = faults.filter(|_| view.faulty());
    let conditions = faults.map_or_else(Vec::new, |faults| (faults.legend)(view));
    html! { <ul class="legend" aria-label="Legend">{ for conditions }{ for seen.chain(of_clients) }</ul> }
}

fn message_entry(class: AttrValue, sign: AttrValue, name: &'static str, says: String) -> Html {
    html! {
        <li title={says}><span {class} aria-hidden="true">{ sign }</span>{ name }</li>
    }
}

/// Entries of the fault conditions that are on the stage now.
pub fn condition_entries(view: &ViewModel) -> Vec<Html> {
    let mut seen: Vec<Condition> = view.nodes.iter().flat_map(condition::of_node).map(|each| each.condition).collect();
    let of_links = view.disturbed_links.iter().flat_map(|link| condition::of_link(&link.link));
    seen.extend(of_links.map(|each| each.condition));
    for node in &view.nodes {
        let both_ways = |to: &NodeId| view.nodes[usize::from(to.0)].cut.has(node.id);
        seen.extend(node.cut.iter().map(|to| if both_ways(&to) { Condition::Cut } else { Condition::OneWay }));
    }
    seen.extend(view.sites.iter().filter(|site| site.partitioned).map(|_| Condition::Partitioned));
    seen.extend(view.flights.iter().filter(|flight| flight.held).map(|_| Condition::HeldMessage));
    ALL.into_iter().filter(|condition| seen.contains(condition)).map(condition_entry).collect()
}

fn condition_entry(condition: Condition) -> Html {
    html! {
        <li class="wrong" title={condition.description()}>
            <svg class="badge" viewBox="-10 -10 20 20" aria-hidden="true">{ svg::circle("", RADIUS) }{ svg::path("", condition.icon()) }</svg>
            { condition.name() }
        </li>
    }
}
