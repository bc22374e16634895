//! Documents as JSON, by the browser's parser and writer.

use quorumscope::lab::presets::{self, Preset};
use quorumscope::lab::{Document, Problem, Problems, Scenario, read};
use quorumscope::universe;
use serde::Serialize;
use wasm_bindgen::JsValue;

/// Reads a document: a scenario, or a moment of a run.
pub fn document(text: &str) -> Result<Document, Problems> {
    let tree = js_sys::JSON::parse(text).map_err(|_| whole("This is not JSON."))?;
    let moment = js_sys::Reflect::has(&tree, &"scenario".into()).unwrap_or(false);
    let source = serde_wasm_bindgen::Deserializer::from(tree);
    if moment { Ok(read(source)?) } else { Ok(Document::from(read::<Scenario, _>(source)?)) }
}

/// Writes a document; a run at its start, to which nothing was done, is just its scenario.
pub fn text(document: &Document) -> Option<String> {
    let untouched = document.interventions.is_empty() && document.moment.is_none();
    let tree = if untouched { tree(&document.scenario) } else { tree(document) };
    js_sys::JSON::stringify(&tree?).ok().map(String::from)
}

/// Data as a JavaScript value.
pub fn tree(data: &impl Serialize) -> Option<JsValue> {
    data.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).ok()
}

/// The built-in scenarios whose variant the page has, the one to begin with first.
pub fn presets() -> Vec<(&'static Preset, Scenario)> {
    let known = |scenario: &Scenario| universe::titles().iter().any(|(key, _)| *key == scenario.variant);
    let read = |preset: &'static Preset| {
        Some((preset, document(preset.json).ok()?.scenario)).filter(|(_, scenario)| known(scenario))
    };
    presets::PRESETS.iter().filter_map(read).collect()
}

/// A problem of a document as a whole.
pub fn whole(says: &str) -> Problem {
    Problem { field: String::new(), value: String::new(), says: says.to_owned() }
}
