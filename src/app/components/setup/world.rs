//! How messages and disks fare, and the source of chance.

use super::entry::{Draft, Entry, number};
use quorumscope::lab::Quantity;
use yew::prelude::*;

static ENTRIES: [Entry; 4] = [
    Entry {
        name: "Jitter",
        path: "network.jitter",
        empty: "0%",
        get: |scenario| scenario.network.jitter.as_ref().map(Quantity::to_string),
        set: |scenario, text| {
            scenario.network.jitter = text.map(Quantity::from);
            true
        },
    },
    Entry {
        name: "Messages lost",
        path: "network.loss",
        empty: "0%",
        get: |scenario| scenario.network.loss.as_ref().map(Quantity::to_string),
        set: |scenario, text| {
            scenario.network.loss = text.map(Quantity::from);
            true
        },
    },
    Entry {
        name: "A write to the disk takes",
        path: "disk",
        empty: "0s",
        get: |scenario| scenario.disk.as_ref().map(Quantity::to_string),
        set: |scenario, text| {
            scenario.disk = text.map(Quantity::from);
            true
        },
    },
    Entry {
        name: "Seed",
        path: "seed",
        empty: "1",
        get: |scenario| scenario.seed.map(|seed| seed.to_string()),
        set: |scenario, text| number(text, |seed| scenario.seed = seed),
    },
];

/// Offers it.
pub fn world(draft: &Draft) -> Html {
    html! {
        <fieldset class="world">
            <legend>{ "Network, disks, chance" }</legend>
            { for ENTRIES.iter().map(|entry| entry.show(draft)) }
        </fieldset>
    }
}
