//! Properties panel: what came of checking each property up to now, and of each order to transfer leadership or to change the members.

use crate::run::judged::{Found, Judged};
use yew::prelude::*;

/// The panel.
pub fn panel(judged: &Judged) -> Html {
    let found = judged.found.iter().map(|Found { finding, properties }| {
        let names = properties.iter().enumerate().map(|(i, (name, says))| {
            let comma = if i == 0 { "" } else { ", " };
            html! { <>{ comma }<span title={*says}>{ *name }</span></> }
        });
        html! { <tr><th scope="row">{ *finding }</th><td class="wide">{ for names }</td></tr> }
    });
    let orders = judged.orders.iter().map(|order| html! { <tr><td class="wide">{ order }</td></tr> });
    html! {
        <section class="panel judged">
            <h2>{ "Properties" }<small>{ "checked after every event" }</small></h2>
            <table><tbody>{ for found }</tbody></table>
            if !judged.orders.is_empty() {
                <h2>{ "Orders" }</h2>
                <table><tbody>{ for orders }</tbody></table>
            }
        </section>
    }
}
