//! Assignments to one value of a document that is not read yet, as flags and lessons write them: `clients[1].rate=20/s`.

use super::problem::{Problem, shortened};
use serde_json::Value;

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
