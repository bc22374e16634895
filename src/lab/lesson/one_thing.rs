//! In how many things two scenarios differ.

use serde_json::Value;
use std::collections::BTreeSet;

/// Fields that say nothing about what happens.
const TEXTS: [&str; 4] = ["title", "about", "try", "opens"];
/// Lists that are one thing each: where the replicas are, and how many.
const WHOLE: [&str; 2] = ["replicas", "sites"];

/// The paths at which two scenarios differ. A variant and its settings are one thing, and so is an entry of the script.
pub fn differences(first: &Value, second: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let other_variant = field(first, "variant") != field(second, "variant");
    for name in names(first, second).into_iter().filter(|name| !TEXTS.contains(name)) {
        let (a, b) = (field(first, name), field(second, name));
        match name {
            "settings" if other_variant => {}
            _ if WHOLE.contains(&name) => found.extend((a != b).then(|| name.to_owned())),
            _ => compare(name, &a, &b, &mut found),
        }
    }
    found
}

/// The names of all fields of two trees.
fn names<'a>(first: &'a Value, second: &'a Value) -> BTreeSet<&'a str> {
    let of = |tree: &'a Value| tree.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    of(first).chain(of(second)).collect()
}

fn field(tree: &Value, name: &str) -> Value {
    tree.get(name).cloned().unwrap_or(Value::Null)
}

fn compare(path: &str, first: &Value, second: &Value, found: &mut Vec<String>) {
    match (first, second) {
        _ if first == second => {}
        (Value::Object(_) | Value::Null, Value::Object(_)) | (Value::Object(_), Value::Null) if !is_entry(path) => {
            for name in names(first, second) {
                compare(&format!("{path}.{name}"), &field(first, name), &field(second, name), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{index}]"), a, b, found);
            }
        }
        (Value::Array(_) | Value::Null, Value::Array(_)) | (Value::Array(_), Value::Null) => {
            let list = |tree: &Value| tree.as_array().cloned().unwrap_or_default();
            let (a, b) = (list(first), list(second));
            // What is in one list and not in the other, in any place.
            let (mut only, mut rest) = (Vec::new(), b);
            for (index, entry) in a.into_iter().enumerate() {
                match rest.iter().position(|other| *other == entry) {
                    Some(place) => drop(rest.remove(place)),
                    None => only.push(format!("{path}[{index}]")),
                }
            }
            only.extend(rest.iter().map(|_| format!("{path}[new]")));
            found.extend(only);
        }
        _ => found.push(path.to_owned()),
    }
}

/// Whether the path is that of an entry of the script, which is one thing.
fn is_entry(path: &str) -> bool {
    path.starts_with("script[") && path.ends_with(']')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_of_another_variant_count_with_it_and_a_setting_by_itself() {
        let pair = json!({ "variant": "a", "settings": { "x": 1, "y": 2 }, "title": "one" });
        assert_eq!(differences(&pair, &json!({ "variant": "b", "title": "two" })), ["variant"]);
        assert_eq!(differences(&pair, &json!({ "variant": "a", "settings": { "x": 1 } })), ["settings.y"]);
        assert_eq!(differences(&pair, &json!({ "variant": "a", "settings": { "x": 2, "y": 3 } })).len(), 2);
    }

    #[test]
    fn entry_of_a_list_counts_once_wherever_it_stands() {
        let two = json!({ "script": [{ "at": "1s", "do": "crash", "node": 1 }, { "at": "2s", "do": "heal-all" }] });
        assert_eq!(differences(&two, &json!({ "script": [{ "at": "2s", "do": "heal-all" }] })), ["script[0]"]);
        let later = json!({ "script": [{ "at": "3s", "do": "crash", "node": 2 }, { "at": "2s", "do": "heal-all" }] });
        assert_eq!(differences(&two, &later), ["script[0]"]);
        assert_eq!(differences(&json!({}), &json!({ "without": ["rule"] })), ["without[new]"]);
        assert_eq!(differences(&json!({ "replicas": ["a"] }), &json!({ "replicas": ["a", "b", "c"] })), ["replicas"]);
    }
}
