//! Documents as text, for the command: TOML, and whatever is written. JSON and links are read in [`link`](super::link), TOML in
//! [`toml_text`](super::toml_text), as the page does.

pub use super::assignment::set;
pub use super::link::{LARGEST, document, from_json, from_link, is_link, tree_from_json, tree_from_link};
use super::link::{LINK, written};
use super::problem::{Problem, Problems, no_such, shortened};
use super::recorded_run::RecordedRun;
use super::scenario::Scenario;
pub use super::toml_text::tree_from_toml;
use crate::universe;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Reads a document from TOML.
pub fn from_toml(text: &str) -> Result<RecordedRun, Problems> {
    document(tree_from_toml(text)?)
}

/// Writes a scenario as TOML.
pub fn to_toml(scenario: &Scenario) -> String {
    toml::to_string(scenario).expect("a scenario has nothing that TOML has no word for")
}

/// Writes a scenario as JSON.
pub fn to_json(scenario: &Scenario) -> String {
    let mut text = serde_json::to_string_pretty(scenario).expect("a scenario has text keys only");
    text.push('\n');
    text
}

/// Writes a run, or just its scenario, as the fragment of a link.
pub fn to_link(document: &RecordedRun) -> String {
    let packed = miniz_oxide::deflate::compress_to_vec(written(document).as_bytes(), 9);
    format!("#{LINK}{}", URL_SAFE_NO_PAD.encode(packed))
}

/// The JSON Schema of scenario documents, with the names of variants, matrices, actions and timing models.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Scenario).to_value();
    let names = |names: Vec<&'static str>| serde_json::json!(names);
    schema["properties"]["variant"]["enum"] = names(universe::variants().iter().map(|v| v.card.key).collect());
    schema["properties"]["matrix"]["enum"] = names(super::atlas::MATRICES.iter().map(|matrix| matrix.key).collect());
    schema["$defs"]["Fault"]["properties"]["do"]["enum"] = names(super::fault::words().collect());
    schema["$defs"]["Fault"]["properties"]["how"]["enum"] = names(super::fault::byzantine().collect());
    schema["$defs"]["Timing"]["properties"]["model"]["enum"] = names(super::timing::models().collect());
    schema
}

/// The problem of a variant key that is unknown.
pub fn no_such_variant(key: &str) -> Problem {
    let known = universe::variants().iter().map(|variant| variant.card.key);
    Problem::whole(format!("there is no variant \"{}\"; {}", shortened(key), no_such(key, "variants", known)))
}

/// The problem of a scenario name that is no file, no link and no built-in scenario.
pub fn no_such_scenario(name: &str) -> Problem {
    let presets = super::presets::PRESETS.iter().map(|preset| preset.key);
    Problem::whole(format!(
        "there is no file \"{}\"; {}",
        shortened(name),
        no_such(name, "built-in scenarios", presets)
    ))
}
