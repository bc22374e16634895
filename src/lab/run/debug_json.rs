//! JSON from the text of derived `Debug` implementations, so that states and messages of any protocol can be exported without a second set of
//! derives.
//!
//! | `Debug` | JSON |
//! | --- | --- |
//! | `Name { field: value }` | `{"type": "Name", "field": value}` |
//! | `Name(value)`, `Name(a, b)` | `{"type": "Name", "value": value}`, `{"type": "Name", "values": [a, b]}` |
//! | `Some(value)`, `None` | `value`, `null` |
//! | `[a, b]`, `(a, b)`, `{a, b}` | `[a, b]` |
//! | `{key: value}` | `{"key": value}`; an empty map cannot be told from an empty set, and is `[]` |
//! | `true`, `false`, whole numbers | the same |
//! | `"text"` | the same |
//! | anything else, such as `Name`, `3.1` (a ballot) or `c1#2 k5=7` (a command) | a string |

use crate::universe::tree::Tree;
use serde_json::{Map, Number, Value};

/// The JSON of a `Debug` text. Text that is not of the form above is a string where it stands.
pub(super) fn parse(text: &str) -> Value {
    Tree::parse(text).map_or_else(|| Value::String(text.to_owned()), json)
}

fn json(tree: Tree) -> Value {
    let named = |name: String, fields: Vec<(String, Value)>| {
        Value::Object([("type".to_owned(), Value::from(name))].into_iter().chain(fields).collect())
    };
    match tree {
        Tree::Word(text) => scalar(&text),
        Tree::Quoted(text) => Value::String(text),
        Tree::List(values) => values.into_iter().map(json).collect(),
        Tree::Set(values) => values.into_iter().map(json).collect(),
        Tree::Map(entries) => {
            let key = |key: Tree| match json(key) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            Value::Object(entries.into_iter().map(|(name, value)| (key(name), json(value))).collect::<Map<_, _>>())
        }
        Tree::Structure(name, fields) => {
            named(name, fields.into_iter().map(|(field, value)| (field, json(value))).collect())
        }
        Tree::Tuple(name, mut values) => match (name.as_str(), values.len()) {
            ("Some", 1) => json(values.remove(0)),
            (_, 1) => named(name, vec![("value".to_owned(), json(values.remove(0)))]),
            _ => named(name, vec![("values".to_owned(), values.into_iter().map(json).collect())]),
        },
    }
}

fn scalar(text: &str) -> Value {
    let text = text.trim();
    match text {
        "None" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match (text.parse::<u64>(), text.parse::<i64>()) {
            (Ok(number), _) => Value::Number(Number::from(number)),
            (_, Ok(number)) => Value::Number(Number::from(number)),
            _ => Value::String(text.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;
    use std::collections::{BTreeMap, BTreeSet};

    #[derive(Debug)]
    #[allow(dead_code)]
    enum Sample {
        Unit,
        One(Option<u8>),
        Two(i32, bool),
        Fields {
            list: Vec<u8>,
            map: BTreeMap<u8, Sample>,
            set: BTreeSet<u8>,
            text: &'static str,
            pair: (u8, Option<bool>),
        },
    }

    #[test]
    fn derived_debug_text_becomes_structured_json() {
        let text = |sample: Sample| parse(&format!("{sample:?}"));
        assert_eq!(text(Sample::Unit), json!("Unit"));
        assert_eq!(text(Sample::One(None)), json!({ "type": "One", "value": null }));
        assert_eq!(text(Sample::Two(-3, true)), json!({ "type": "Two", "values": [-3, true] }));
        let fields = Sample::Fields {
            list: vec![1, 2],
            map: [(7, Sample::One(Some(1))), (9, Sample::Unit)].into(),
            set: [3].into(),
            text: "a \"b\", {c}\n",
            pair: (1, Some(false)),
        };
        let expected = json!({
            "type": "Fields", "list": [1, 2], "map": { "7": { "type": "One", "value": 1 }, "9": "Unit" }, "set": [3],
            "text": "a \"b\", {c}\n", "pair": [1, false],
        });
        assert_eq!(text(fields), expected);
    }

    #[test]
    fn ids_ballots_and_commands_stay_text() {
        assert_eq!(parse("{1: 3.1, 2: none}"), json!({ "1": "3.1", "2": "none" }));
        assert_eq!(parse("Accept { command: c1#2 k5: 3→4, slot: 7 }")["command"], json!("c1#2 k5: 3→4"));
        assert_eq!(parse("{}"), json!([]));
    }

    #[test]
    fn text_of_another_form_is_a_string_and_ends() {
        for odd in [
            "",
            "}",
            "a } b",
            "Name {",
            "Name(1",
            "[1, 2",
            "{a: ",
            "\"open",
            "Name { x }",
            "[1, }",
            "{)",
            "(]",
            "N { a: ) }",
            "[:",
            "{{",
            "N(}",
        ] {
            parse(odd);
        }
        assert_eq!(parse("a } b"), json!("a } b"));
    }
}
