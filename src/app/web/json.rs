//! Data as JavaScript values, and the built-in scenarios.

use quorumscope::lab::presets::{self, Preset};
use quorumscope::lab::problem::no_such;
use quorumscope::lab::{Scenario, link};
use quorumscope::universe;
use serde::Serialize;
use wasm_bindgen::JsValue;

/// Data as JSON.
pub fn text(data: &impl Serialize) -> Option<String> {
    serde_json::to_string(data).ok()
}

/// Data as a JavaScript value.
pub fn tree(data: &impl Serialize) -> Option<JsValue> {
    js_sys::JSON::parse(&serde_json::to_string(data).ok()?).ok()
}

/// The built-in scenarios whose variant the page has, the one to begin with first.
pub fn presets() -> Vec<(&'static Preset, Scenario)> {
    let known = |scenario: &Scenario| universe::titles().iter().any(|(key, ..)| *key == scenario.variant);
    let read = |preset: &'static Preset| {
        Some((preset, link::from_json(preset.json).ok()?.scenario)).filter(|(_, scenario)| known(scenario))
    };
    presets::PRESETS.iter().filter_map(read).collect()
}

/// The built-in scenario with this key. The error says which would do.
pub fn preset(key: &str) -> Result<Scenario, String> {
    let mut presets = presets();
    match presets.iter().position(|(preset, _)| preset.key == key) {
        Some(place) => Ok(presets.swap_remove(place).1),
        None => Err(no_such(key, "built-in scenarios", presets.iter().map(|(preset, _)| preset.key))),
    }
}
