//! What clients do, how messages and disks fare, and the source of chance.

use super::{Change, edit};
use crate::components::controls::field;
use quorumscope::lab::{Quantity, Scenario};
use yew::prelude::*;

/// One field: what it is called, what stands there when it is left out, how it is read and written.
struct Field {
    name: &'static str,
    empty: &'static str,
    get: fn(&Scenario) -> Option<String>,
    set: fn(&mut Scenario, Option<&str>),
}

const FIELDS: &[Field] = &[
    Field {
        name: "Clients pause after an answer",
        empty: "0s",
        get: |scenario| scenario.clients.first()?.think.as_ref().map(Quantity::to_string),
        set: |scenario, text| scenario.clients.iter_mut().for_each(|clients| clients.think = text.map(Quantity::from)),
    },
    Field {
        name: "Clients at each place",
        empty: "1",
        get: |scenario| scenario.clients.first()?.sessions.map(|sessions| sessions.to_string()),
        set: |scenario, text| {
            let sessions = text.and_then(|text| text.parse().ok());
            scenario.clients.iter_mut().for_each(|clients| clients.sessions = sessions);
        },
    },
    Field {
        name: "Share of reads",
        empty: "0%",
        get: |scenario| scenario.clients.first()?.reads.as_ref().map(Quantity::to_string),
        set: |scenario, text| scenario.clients.iter_mut().for_each(|clients| clients.reads = text.map(Quantity::from)),
    },
    Field {
        name: "Jitter",
        empty: "0%",
        get: |scenario| scenario.network.jitter.as_ref().map(Quantity::to_string),
        set: |scenario, text| scenario.network.jitter = text.map(Quantity::from),
    },
    Field {
        name: "Messages lost",
        empty: "0%",
        get: |scenario| scenario.network.loss.as_ref().map(Quantity::to_string),
        set: |scenario, text| scenario.network.loss = text.map(Quantity::from),
    },
    Field {
        name: "A write to the disk takes",
        empty: "0s",
        get: |scenario| scenario.disk.as_ref().map(Quantity::to_string),
        set: |scenario, text| scenario.disk = text.map(Quantity::from),
    },
    Field {
        name: "Seed",
        empty: "1",
        get: |scenario| scenario.seed.map(|seed| seed.to_string()),
        set: |scenario, text| scenario.seed = text.and_then(|text| text.parse().ok()),
    },
];

/// Offers it.
pub fn world(scenario: &Scenario, change: &Change) -> Html {
    html! {
        <fieldset class="world">
            <legend>{ "Clients, network, disks" }</legend>
            { for FIELDS.iter().map(|each| {
                let on = edit(scenario, change, |scenario, text: String| {
                    (each.set)(scenario, Some(text.as_str()).filter(|text| !text.is_empty()));
                });
                html! {
                    <label class="field short" key={each.name}>
                        <span>{ each.name }</span>
                        { field((each.get)(scenario).unwrap_or_default(), each.empty.into(), AttrValue::default(), on) }
                    </label>
                }
            }) }
        </fieldset>
    }
}
