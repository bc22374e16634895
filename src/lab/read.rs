//! Reading a document from whatever holds it (TOML, JSON, a value of the browser), with errors that name the field.

use super::problem::{Problem, no_such, shortened};
use serde::Deserialize;
use serde::de::Deserializer;

/// Reads a document, or tells the first thing that is not of the right shape.
pub fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(source: D) -> Result<T, Problem> {
    serde_path_to_error::deserialize(source).map_err(|error| {
        let path = error.path().to_string();
        explain(if path == "." { "" } else { &path }, &error.inner().to_string())
    })
}

/// Serde's errors in our words.
fn explain(path: &str, message: &str) -> Problem {
    let within = |field: &str| match path {
        "" => field.to_owned(),
        _ if path == field || path.ends_with(&format!(".{field}")) => path.to_owned(),
        _ => format!("{path}.{field}"),
    };
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") {
        let field = quoted.next().unwrap_or_default();
        let says = no_such(field, "fields", quoted);
        return Problem {
            field: within(&shortened(field)),
            value: String::new(),
            says: format!("is no field; {says}"),
        };
    }
    if message.starts_with("missing field") {
        let field = within(quoted.next().unwrap_or_default());
        return Problem { field, value: String::new(), says: "is missing, and needed".to_owned() };
    }
    let says = |expected: &str| match expected.split(' ').next() {
        Some("u8" | "u16" | "u32" | "u64" | "usize") => "a whole number from 0 up would do".to_owned(),
        Some("f64") => "a number would do".to_owned(),
        Some("a") if expected.starts_with("a sequence") => "a list would do".to_owned(),
        Some("a") if expected.starts_with("a map") => "fields with values would do".to_owned(),
        Some("struct") => "fields with values would do".to_owned(),
        Some("a") if expected.starts_with("a string") => "text would do".to_owned(),
        Some("a") if expected.starts_with("a boolean") => "true or false would do".to_owned(),
        _ => format!("{} would do", expected.split(" at line").next().unwrap_or(expected)),
    };
    match message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: ")) {
        Some(rest) => {
            let (found, expected) = rest.split_once(", expected ").unwrap_or((rest, "something else"));
            // `string "x"`, `integer `5``: the kind is plain to see.
            let bare = found.split_once(['`', '"']).map_or(found, |(_, bare)| bare.trim_end_matches(['`', '"']));
            let value = if found.starts_with("string") { format!("\"{}\"", shortened(bare)) } else { shortened(bare) };
            Problem { field: path.to_owned(), value, says: says(expected) }
        }
        None => Problem { field: path.to_owned(), value: String::new(), says: message.to_owned() },
    }
}
