//! TOML as a tree of values, within the bounds that hold for every document.

use super::link::{LARGEST, tree};
use super::problem::Problem;
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
