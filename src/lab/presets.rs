//! Scenarios that come with the program. Each is a file in `scenarios/`, written by hand in TOML, with a JSON twin made from it.

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
    "slow-disk",
    "lossy-network",
    "duel",
    "two-winners",
    "one-winner",
];

/// The preset with this key.
pub fn preset(key: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.key == key)
}
