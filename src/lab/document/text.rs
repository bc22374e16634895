//! Documents as text: TOML, JSON, and links (deflate and base64url of the JSON). The page does the same with the browser's own functions.

use super::problem::{Problem, Problems, no_such, shortened};
use super::read::read;
use super::recorded_run::RecordedRun;
use super::scenario::Scenario;
use crate::universe;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Largest document, bytes (unpacked).
pub const LARGEST: usize = 1 << 22;

/// The key in a link's fragment, with the version of the format after it.
const LINK: &str = "s=1.";

/// Parses TOML.
pub fn tree_from_toml(text: &str) -> Result<Value, Problem> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        whole(format!("this is not TOML: {place}{}", error.message().lines().collect::<Vec<_>>().join("; ")))
    })
}

/// Parses JSON.
pub fn tree_from_json(text: &str) -> Result<Value, Problem> {
    serde_json::from_str(text).map_err(|error| whole(format!("this is not JSON: {error}")))
}

/// Decodes a link, or its fragment `#s=1.…`. The unpacked document is bounded by [`LARGEST`].
pub fn tree_from_link(link: &str) -> Result<Value, Problem> {
    let fragment = link.rsplit_once('#').map_or(link, |(_, fragment)| fragment).trim();
    let Some(payload) = fragment.split('&').find_map(|part| part.strip_prefix(LINK)) else {
        return Err(whole(format!("this is no link to a run: one has #{LINK}… in it")));
    };
    let broken = || whole("this link is damaged; was all of it copied?".to_owned());
    let packed = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).map_err(|_| broken())?;
    let bytes = miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, LARGEST).map_err(|_| broken())?;
    serde_json::from_slice(&bytes).map_err(|_| broken())
}

/// A problem of the document as a whole.
fn whole(says: String) -> Problem {
    Problem { field: String::new(), value: String::new(), says }
}

/// Whether the text is a link rather than the name of a file.
pub fn is_link(text: &str) -> bool {
    text.starts_with(LINK) || text.contains(&format!("#{LINK}"))
}

/// Reads a document from parsed text: a scenario, or a recorded run.
pub fn document(tree: Value) -> Result<RecordedRun, Problems> {
    match tree.get("scenario") {
        Some(_) => Ok(read(tree)?),
        None => Ok(RecordedRun::from(read::<Scenario, _>(tree)?)),
    }
}

/// Reads a document from TOML.
pub fn from_toml(text: &str) -> Result<RecordedRun, Problems> {
    document(tree_from_toml(text)?)
}

/// Reads a document from JSON.
pub fn from_json(text: &str) -> Result<RecordedRun, Problems> {
    document(tree_from_json(text)?)
}

/// Reads a document from a link.
pub fn from_link(link: &str) -> Result<RecordedRun, Problems> {
    document(tree_from_link(link)?)
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
    let untouched = document.interventions.is_empty() && document.moment.is_none();
    let json = if untouched { serde_json::to_vec(&document.scenario) } else { serde_json::to_vec(document) };
    let json = json.expect("a document has text keys only");
    let packed = miniz_oxide::deflate::compress_to_vec(&json, 9);
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
        return Err(whole(format!("{}: write it as path=value, such as seed=7", shortened(assignment))));
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
    whole(format!("there is no variant \"{}\"; {}", shortened(key), no_such(key, "variants", known)))
}

/// The problem of a scenario name that is no file, no link and no built-in scenario.
pub fn no_such_scenario(name: &str) -> Problem {
    let presets = super::presets::PRESETS.iter().map(|preset| preset.key);
    whole(format!("there is no file \"{}\"; {}", shortened(name), no_such(name, "built-in scenarios", presets)))
}
