//! Data as JavaScript values, and the built-in scenarios.

use quorumscope::lab::presets::{self, Preset};
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
    let known = |scenario: &Scenario| universe::titles().iter().any(|(key, _)| *key == scenario.variant);
    let read = |preset: &'static Preset| {
        Some((preset, link::from_json(preset.json).ok()?.scenario)).filter(|(_, scenario)| known(scenario))
    };
    presets::PRESETS.iter().filter_map(read).collect()
}
