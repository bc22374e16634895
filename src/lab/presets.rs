//! Scenarios that come with the program. Each is a file in `scenarios/`, written by hand in TOML, with a JSON twin made from it.

use super::{Clients, Network, Scenario, Site};

/// A scenario that comes with the program.
#[derive(Debug)]
pub struct Preset {
    /// Its name for the command line and for links: that of its file.
    pub key: &'static str,
    /// The scenario, as JSON.
    pub json: &'static str,
}

macro_rules! presets {
    ($($key:literal),* $(,)?) => {
        &[$(Preset { key: $key, json: include_str!(concat!("../../scenarios/", $key, ".json")) }),*]
    };
}

/// All of them, the one to begin with first.
pub const PRESETS: &[Preset] = presets![
    "three-regions",
    "leader-crash",
    "five-regions",
    "link-replica",
    "cut-in-two",
    "bridge",
    "slow-disk",
    "wiped-replica",
    "suspended-leader",
    "lossy-network",
    "duel",
    "two-winners",
    "one-winner",
    "lock-fenced",
    "lock-unfenced",
    "queue-lease",
    "barrier",
    "made-up-values",
];

/// The scenario to begin with, the first of [`PRESETS`], without reading it: the page shows it before it has all that reading takes.
pub fn first() -> Scenario {
    let sites = ["us-east-1", "us-west-2", "eu-west-1"];
    let asking = |site: &str| Clients { site: site.to_owned(), think: Some("250ms".into()), ..Clients::default() };
    Scenario {
        title: "Three regions, five replicas".to_owned(),
        about: "Raft over Virginia, Oregon and Ireland, with a client in each. Move the leadership or a node to another region \
                and see what it costs."
            .to_owned(),
        variant: "raft".to_owned(),
        matrix: Some("aws".to_owned()),
        sites: sites.map(Site::named).to_vec(),
        replicas: [0, 0, 1, 2, 2].map(|site: usize| sites[site].to_owned()).to_vec(),
        clients: sites.map(asking).to_vec(),
        network: Network { jitter: Some("2%".into()), ..Network::default() },
        seed: Some(5),
        warmup: Some("3s".into()),
        ..Scenario::default()
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
    fn the_first_is_as_its_file_says() {
        assert_eq!(crate::lab::text::from_json(PRESETS[0].json), Ok(first().into()));
    }
}
