//! Workload, network and disks of the set-up dialog. The workload is the same for all clients.

use super::draft::{Draft, TextField, edit, number};
use crate::elements::controls::{checkbox, select};
use quorumscope::lab::scenario::ValueBytes;
use quorumscope::lab::workload::{SERVICES, means_something, serve};
use quorumscope::lab::{Clients, Quantity, Scenario};
use yew::prelude::*;

/// Names of the services, in the order of `SERVICES`.
const NAMES: [&str; 6] =
    ["a key-value store", "a lock", "a queue", "a barrier", "a configuration store", "atomic broadcast"];

/// A field of all clients with a quantity.
macro_rules! quantity {
    ($field:ident, $name:literal, $empty:literal) => {
        TextField {
            name: $name,
            path: concat!("clients.", stringify!($field)),
            empty: $empty,
            get: |scenario| scenario.clients.first()?.$field.as_ref().map(Quantity::to_string),
            set: |scenario, text| {
                scenario.clients.iter_mut().for_each(|clients| clients.$field = text.map(Quantity::from));
                true
            },
        }
    };
}

/// A field of all clients with a whole number.
macro_rules! count {
    ($field:ident, $name:literal, $empty:literal) => {
        TextField {
            name: $name,
            path: concat!("clients.", stringify!($field)),
            empty: $empty,
            get: |scenario| scenario.clients.first()?.$field.map(|count| count.to_string()),
            set: |scenario, text| {
                number(text, |count| scenario.clients.iter_mut().for_each(|clients| clients.$field = count))
            },
        }
    };
}

static RATE: TextField = quantity!(rate, "Commands a second at each place", "20/s");
static SESSIONS: TextField = count!(sessions, "Clients at each place", "1");
static THINK: TextField = quantity!(think, "Pause after an answer", "0s");
static ZIPF: TextField = quantity!(zipf, "Exponent of Zipf's law", "0.99");
static HOT: TextField = quantity!(hot, "Share of that key", "20%");
/// Fields that are not tied to a choice.
static FIELDS: [TextField; 12] = [
    quantity!(reads, "Share of reads", "0%"),
    count!(keys, "How many keys", "16, or 1"),
    count!(first_key, "First key", "0"),
    quantity!(swaps, "Writes that compare and set", "0%"),
    quantity!(nondeterministic, "Writes that replicas make up", "0%"),
    quantity!(lease, "Lease", "2s"),
    quantity!(work, "Work takes", "100ms"),
    quantity!(stalls, "Clients that stop at work", "0%"),
    quantity!(stall, "For how long", "2 leases"),
    quantity!(dies, "Clients that die at work", "0%"),
    quantity!(retry, "Ask another replica after", "worked out"),
    TextField {
        name: "Bytes in a value",
        path: "value_bytes",
        empty: "100",
        get: |scenario| {
            let ValueBytes { from, to } = scenario.value_bytes?;
            Some(if from == to { from.to_string() } else { format!("{from} to {to}") })
        },
        set: |scenario, text| match text.and_then(|text| text.split_once("to")) {
            // Of different sizes, such as "16 to 4096".
            Some((from, to)) => {
                let both = from.trim().parse().ok().zip(to.trim().parse().ok());
                scenario.value_bytes = both.map(ValueBytes::from);
                both.is_some()
            }
            None => number(text, |bytes: Option<u32>| scenario.value_bytes = bytes.map(ValueBytes::from)),
        },
    },
];

/// All text fields of this part.
pub fn text_fields() -> impl Iterator<Item = &'static TextField> {
    [&RATE, &SESSIONS, &THINK, &ZIPF, &HOT].into_iter().chain(&FIELDS).chain(&NETWORK)
}

/// The workload of clients.
pub fn workload(draft: &Draft) -> Html {
    let scenario = draft.scenario;
    let Some(clients) = scenario.clients.first() else {
        return html! {
            <fieldset class="world workload">
                <legend>{ "Clients" }</legend>
                <p class="note">{ "There are none. Give some region a client first." }</p>
            </fieldset>
        };
    };
    let service = scenario.service.as_deref().unwrap_or(SERVICES[0]);
    let means = |entry: &TextField| means_something(entry.path.trim_start_matches("clients."), service);
    let services = SERVICES.into_iter().zip(NAMES).map(|(key, name)| (key.into(), name.into())).collect();
    let on_service = edit(scenario, draft.change, |scenario, service: String| serve(scenario, &service));
    let open = clients.rate.is_some();
    let loops = vec![("closed".into(), "wait for each answer".into()), ("open".into(), "come and go".into())];
    let on_loop = edit(scenario, draft.change, |scenario, chosen: String| {
        of_all(scenario, |clients| {
            (clients.sessions, clients.think) = (None, None);
            clients.rate = (chosen == "open").then(|| "20/s".into());
        });
    });
    let skew = if clients.zipf.is_some() {
        "zipf"
    } else if clients.hot.is_some() {
        "hot"
    } else {
        "even"
    };
    let skews = [("even", "all alike"), ("zipf", "by Zipf's law"), ("hot", "one more than others")];
    let skews = skews.into_iter().map(|(key, name)| (key.into(), name.into())).collect();
    let on_skew = edit(scenario, draft.change, |scenario, chosen: String| {
        of_all(scenario, |clients| {
            clients.zipf = (chosen == "zipf").then(|| "0.99".into());
            clients.hot = (chosen == "hot").then(|| "20%".into());
        });
    });
    let on_fenced = edit(scenario, draft.change, |scenario, fenced: bool| {
        of_all(scenario, |clients| clients.fenced = (!fenced).then_some(false));
    });
    html! {
        <fieldset class="world workload">
            <legend>{ "Clients" }</legend>
            { choice("They use the cluster as", services, service, on_service) }
            if means(&RATE) { { choice("They", loops, if open { "open" } else { "closed" }, on_loop) } }
            if open { { RATE.show(draft) } } else { { SESSIONS.show(draft) }{ THINK.show(draft) } }
            if means(&ZIPF) { { choice("Keys are asked for", skews, skew, on_skew) } }
            if skew == "zipf" { { ZIPF.show(draft) } }
            if skew == "hot" { { HOT.show(draft) } }
            { for FIELDS.iter().filter(|field| means(field)).map(|field| field.show(draft)) }
            if means_something("fenced", service) {
                <label class="field short"><span>{ "Old tokens are refused" }</span>{ checkbox(None, clients.fenced != Some(false), on_fenced) }</label>
            }
        </fieldset>
    }
}

fn choice(name: &'static str, options: Vec<(AttrValue, AttrValue)>, chosen: &str, on: Callback<String>) -> Html {
    html! { <label class="field short"><span>{ name }</span>{ select(name.into(), options, chosen, on) }</label> }
}

fn of_all(scenario: &mut Scenario, change: impl Fn(&mut Clients)) {
    scenario.clients.iter_mut().for_each(change);
}

/// Fields of network, disks and seed.
static NETWORK: [TextField; 4] = [
    TextField {
        name: "Jitter",
        path: "network.jitter",
        empty: "0%",
        get: |scenario| scenario.network.jitter.as_ref().map(Quantity::to_string),
        set: |scenario, text| {
            scenario.network.jitter = text.map(Quantity::from);
            true
        },
    },
    TextField {
        name: "Messages lost",
        path: "network.loss",
        empty: "0%",
        get: |scenario| scenario.network.loss.as_ref().map(Quantity::to_string),
        set: |scenario, text| {
            scenario.network.loss = text.map(Quantity::from);
            true
        },
    },
    TextField {
        name: "A write to the disk takes",
        path: "disk",
        empty: "0s",
        get: |scenario| scenario.disk.as_ref().map(Quantity::to_string),
        set: |scenario, text| {
            scenario.disk = text.map(Quantity::from);
            true
        },
    },
    TextField {
        name: "Seed",
        path: "seed",
        empty: "1",
        get: |scenario| scenario.seed.map(|seed| seed.to_string()),
        set: |scenario, text| number(text, |seed| scenario.seed = seed),
    },
];

/// Network, disks and seed.
pub fn network(draft: &Draft) -> Html {
    html! {
        <fieldset class="world">
            <legend>{ "Network, disks, chance" }</legend>
            { for NETWORK.iter().map(|field| field.show(draft)) }
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_offered_for_a_service_is_accepted() {
        for from in SERVICES {
            for to in SERVICES {
                let mut scenario = quorumscope::lab::presets::first();
                serve(&mut scenario, from);
                let means = |entry: &&TextField| means_something(entry.path.trim_start_matches("clients."), from);
                for entry in FIELDS.iter().filter(means) {
                    let example = match entry.path {
                        "clients.keys" | "clients.first_key" | "value_bytes" => "5",
                        "clients.lease" | "clients.work" | "clients.stall" | "clients.retry" => "1s",
                        _ => "10%",
                    };
                    assert!((entry.set)(&mut scenario, Some(example)), "{}", entry.path);
                }
                assert!(scenario.check().is_ok(), "{from}: {:?}", scenario.check().err());
                serve(&mut scenario, to);
                assert!(scenario.check().is_ok(), "{from} to {to}: {:?}", scenario.check().err());
            }
        }
    }

    #[test]
    fn text_that_is_no_number_is_rejected() {
        let mut scenario = quorumscope::lab::presets::first();
        assert!(!(SESSIONS.set)(&mut scenario, Some("many")));
        assert!((SESSIONS.set)(&mut scenario, Some("3")));
        assert_eq!((SESSIONS.get)(&scenario), Some("3".to_owned()));
        assert!((SESSIONS.set)(&mut scenario, None));
        assert_eq!((SESSIONS.get)(&scenario), None);
        let bytes = FIELDS.iter().find(|entry| entry.path == "value_bytes").unwrap();
        for written in ["500", "16 to 4096"] {
            assert!((bytes.set)(&mut scenario, Some(written)));
            assert_eq!((bytes.get)(&scenario).as_deref(), Some(written));
        }
        assert!(!(bytes.set)(&mut scenario, Some("16 to many")));
    }
}
