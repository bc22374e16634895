//! Documents as text, for the command: TOML, and whatever is written. JSON and links are read in [`link`](super::link), as the page does.

pub use super::link::{LARGEST, document, from_json, from_link, is_link, tree_from_json, tree_from_link};
use super::link::{LINK, tree, written};
use super::problem::{Problem, Problems, no_such, shortened};
use super::recorded_run::RecordedRun;
use super::scenario::Scenario;
use crate::universe;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Parses TOML. Errors: text that is no TOML, and numbers that JSON has not: `nan` and `inf`.
pub fn tree_from_toml(text: &str) -> Result<Value, Problem> {
    if text.len() > LARGEST {
        return Err(Problem::whole(format!("this is too large: {LARGEST} bytes are the most that a document has")));
    }
    let wrong = |error: toml::de::Error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        Problem::whole(format!("this is not TOML: {place}{}", error.message().lines().collect::<Vec<_>>().join("; ")))
    };
    tree(toml::Deserializer::parse(text).map_err(wrong)?, wrong)
}

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

/// Assigns to one path of a parsed document: `clients[1].rate=20/s`. The value is read as JSON if it is JSON, otherwise as text. Errors: a
/// malformed path, or one through a value that is no table or list.
pub fn set(tree: &mut Value, assignment: &str) -> Result<(), Problem> {
    let Some((path, text)) = assignment.split_once('=') else {
        return Err(Problem::whole(format!("{}: write it as path=value, such as seed=7", shortened(assignment))));
    };
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    let problem = |says: String| Problem { field: shortened(path), value: shortened(text), says };
    let steps = steps(path)
        .ok_or_else(|| problem("write the path as in settings.thrifty, clients[1].rate or rtt_ms[0][1]".to_owned()))?;
    let mut place = tree;
    for step in steps {
        place = match step {
            Step::Field(name) => {
                if place.is_null() {
                    *place = Value::Object(serde_json::Map::new());
                }
                let Value::Object(fields) = place else {
                    return Err(problem(format!("there are no fields here, so no \"{}\"", shortened(name))));
                };
                fields.entry(name.to_owned()).or_insert(Value::Null)
            }
            Step::Index(index) => {
                if place.is_null() {
                    *place = Value::Array(Vec::new());
                }
                let Value::Array(list) = place else {
                    return Err(problem(format!("there is no list here, so no [{index}]")));
                };
                if index == list.len() {
                    list.push(Value::Null);
                }
                let most = list.len();
                list.get_mut(index).ok_or_else(|| problem(format!("[0] to [{most}] would do; [{most}] adds one")))?
            }
        };
    }
    *place = value;
    Ok(())
}

/// One step of a path.
enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

/// Splits a path such as `clients[1].rate` into steps; `None` if it is malformed.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
        if name.is_empty() {
            return None;
        }
        steps.push(Step::Field(name));
        for index in indices.split_terminator(']') {
            steps.push(Step::Index(index.strip_prefix('[')?.parse().ok().filter(|index| *index < 10_000)?));
        }
        if !indices.is_empty() && !indices.ends_with(']') {
            return None;
        }
    }
    Some(steps)
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
