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

use serde_json::{Map, Number, Value};

/// The JSON of a `Debug` text. Text that is not of the form above is a string where it stands.
pub(super) fn parse(text: &str) -> Value {
    let mut parser = Parser { rest: text };
    let value = parser.value();
    parser.skip_space();
    if parser.rest.is_empty() { value } else { Value::String(text.to_owned()) }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Whether `token` comes next; it is passed over.
    fn take(&mut self, token: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Passes over the comma after an element. Text that is no element is passed over as well, so that parsing ends.
    fn end_element(&mut self, before: usize) {
        if !self.take(",") && self.rest.len() == before {
            let mut chars = self.rest.chars();
            chars.next();
            self.rest = chars.as_str();
        }
    }

    fn value(&mut self) -> Value {
        self.skip_space();
        match self.rest.chars().next() {
            Some('"') => self.quoted(),
            Some('[') => self.list("[", "]"),
            Some('(') => self.list("(", ")"),
            Some('{') => self.braces(),
            _ => self.word(),
        }
    }

    /// A string in quotes. `Debug` escapes as Rust does.
    fn quoted(&mut self) -> Value {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Value::String(text);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, other)) => text.push(other),
                    None => break,
                },
                char => text.push(char),
            }
        }
        self.rest = "";
        Value::String(text)
    }

    fn list(&mut self, open: &str, close: &str) -> Value {
        self.take(open);
        let mut values = Vec::new();
        while !self.rest.is_empty() && !self.take(close) {
            let before = self.rest.len();
            values.push(self.value());
            self.end_element(before);
        }
        Value::Array(values)
    }

    /// A map or a set.
    fn braces(&mut self) -> Value {
        self.take("{");
        let (mut map, mut set) = (Map::new(), Vec::new());
        while !self.rest.is_empty() && !self.take("}") {
            let before = self.rest.len();
            let key = self.key();
            if self.take(":") {
                map.insert(key.as_str().map_or_else(|| key.to_string(), str::to_owned), self.value());
            } else {
                set.push(key);
            }
            self.end_element(before);
        }
        if map.is_empty() { Value::Array(set) } else { Value::Object(map) }
    }

    /// A key of a map, or an element of a set: up to a colon, unless it is a structure itself.
    fn key(&mut self) -> Value {
        self.skip_space();
        if self.rest.starts_with(['"', '[', '(', '{']) {
            return self.value();
        }
        let end = self.rest.find([':', ',', '}', '(', '{']).unwrap_or(self.rest.len());
        if self.rest[end..].starts_with(['(', '{']) {
            return self.value();
        }
        let (key, rest) = self.rest.split_at(end);
        self.rest = rest;
        scalar(key)
    }

    /// A name with or without fields, a number, or other text up to the end of the structure it is in.
    fn word(&mut self) -> Value {
        let end = self.rest.find([',', '}', ']', ')', '(', '{']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let name = word.trim_end();
        let is_name = name.starts_with(char::is_alphabetic) && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        match rest.chars().next() {
            Some('{') if is_name => {
                self.rest = rest;
                self.structure(name)
            }
            Some('(') if is_name => {
                self.rest = rest;
                self.tuple(name)
            }
            _ => {
                self.rest = rest;
                scalar(word)
            }
        }
    }

    fn structure(&mut self, name: &str) -> Value {
        self.take("{");
        let mut fields = Map::from_iter([("type".to_owned(), Value::from(name))]);
        while !self.rest.is_empty() && !self.take("}") {
            // What `finish_non_exhaustive` writes.
            if self.take("..") {
                continue;
            }
            let before = self.rest.len();
            let end = self.rest.find(':').unwrap_or(self.rest.len());
            let (field, rest) = self.rest.split_at(end);
            self.rest = rest;
            self.take(":");
            fields.insert(field.trim().to_owned(), self.value());
            self.end_element(before);
        }
        Value::Object(fields)
    }

    fn tuple(&mut self, name: &str) -> Value {
        let Value::Array(mut values) = self.list("(", ")") else { return Value::Null };
        match (name, values.len()) {
            ("Some", 1) => values.remove(0),
            (_, 1) => Value::Object(Map::from_iter([
                ("type".to_owned(), Value::from(name)),
                ("value".to_owned(), values.remove(0)),
            ])),
            _ => Value::Object(Map::from_iter([
                ("type".to_owned(), Value::from(name)),
                ("values".to_owned(), Value::Array(values)),
            ])),
        }
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
