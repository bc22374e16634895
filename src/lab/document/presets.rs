//! Built-in scenarios. Each is a TOML file in `scenarios/`, written by hand, with a JSON file generated from it.

use super::scenario::{Clients, Network, Site};
use super::{Checked, Place, Scenario};
use crate::core::Settings;
use crate::sim::{Blueprint, ClientGroup, Domains, Pace, Sizes, Topology};
use crate::universe;

/// A built-in scenario.
#[derive(Debug)]
pub struct Preset {
    /// Its key: the name of its file without the extension.
    pub key: &'static str,
    /// The scenario, as JSON.
    pub json: &'static str,
}

/// All built-in scenarios: every JSON file in `scenarios/`, in the order of `scenarios/order.txt` (see `build.rs`). The first is what the page
/// opens with.
pub const PRESETS: &[Preset] = include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// The title of the first scenario.
pub const TITLE: &str = "Three regions, five replicas";

/// Sites of the first scenario: id, name, latitude and longitude.
const SITES: [(&str, &str, [f64; 2]); 3] = [
    ("us-east-1", "Virginia", [39.0, -77.5]),
    ("us-west-2", "Oregon", [45.8, -119.7]),
    ("eu-west-1", "Ireland", [53.3, -6.3]),
];
/// Round trips between them, µs, as in the table that the scenario names.
const ROUND_TRIPS: [u32; 9] = [264, 72_501, 70_508, 72_504, 297, 127_280, 70_501, 127_279, 113];
/// The site of each of its replicas.
const PLACEMENT: [u8; 5] = [0, 0, 1, 2, 2];

/// The first of [`PRESETS`] as a value. The page shows it before the code that reads documents has been loaded.
pub fn first() -> Scenario {
    let ids = SITES.map(|(id, ..)| id);
    let asking = |site: &str| Clients { site: site.to_owned(), think: Some("250ms".into()), ..Clients::default() };
    Scenario {
        title: TITLE.to_owned(),
        about: "Raft over Virginia, Oregon and Ireland, with a client in each. Move the leadership or a node to another region \
                and see what it costs."
            .to_owned(),
        variant: universe::first().card.key.to_owned(),
        matrix: Some("aws".to_owned()),
        sites: ids.map(Site::named).into(),
        replicas: PLACEMENT.map(|site| ids[usize::from(site)].to_owned()).into(),
        clients: ids.map(asking).into(),
        network: Network { jitter: Some("2%".into()), ..Network::default() },
        seed: Some(5),
        warmup: Some("3s".into()),
        ..Scenario::default()
    }
}

/// The result of checking [`first`], as a value, for the same reason.
pub fn first_checked() -> Checked {
    let mut domains = Domains::default();
    let of_sites = SITES.map(|_| domains.add(None));
    of_sites.into_iter().for_each(|domain| domains.add_site(domain));
    PLACEMENT.into_iter().for_each(|site| domains.place(of_sites[usize::from(site)]));
    let asking = |site| ClientGroup {
        site,
        pace: Pace::Closed { sessions: 1, think: 250_000 },
        keys: 16,
        ..ClientGroup::default()
    };
    let blueprint = Blueprint {
        topology: Topology {
            jitter_permille: 20,
            value_bytes: Sizes::all(100),
            ..Topology::from_round_trips(3, &ROUND_TRIPS)
        },
        placement: PLACEMENT.to_vec(),
        domains,
        clients: (0..3).map(asking).collect(),
        settings: Settings::defaults(universe::first().settings),
        seed: 5,
        ..Blueprint::default()
    };
    let place = |(id, name, position): (&str, &str, _)| Place {
        id: id.to_owned(),
        name: name.to_owned(),
        position: Some(position),
    };
    Checked {
        variant: universe::first(),
        blueprint,
        places: SITES.map(place).into(),
        domains: SITES.map(|(id, ..)| id.to_owned()).into(),
        duration: 20_000_000,
        warmup: 3_000_000,
        opens: 0,
    }
}

/// The preset with this key.
pub fn preset(key: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.key == key)
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;

    #[test]
    fn first_checked_equals_the_result_of_checking_first() {
        let checked = first().check().expect("the first makes sense");
        let all = |checked: Checked| {
            let Checked { variant, blueprint, places, domains, duration, warmup, opens } = checked;
            format!("{:#?}", (variant.card, blueprint, places, domains, duration, warmup, opens))
        };
        assert_eq!(all(checked), all(first_checked()));
    }

    #[test]
    fn first_equals_its_scenario_file() {
        // What there is to try comes later than the first picture.
        let document = crate::lab::text::from_json(PRESETS[0].json).expect("it reads");
        let told = Scenario { trials: Vec::new(), ..document.scenario };
        assert_eq!(told, first());
    }
}
