//! Flags shared by several commands, and errors in terms of the flags they came from.

use crate::{Stop, invalid};
use quorumscope::lab::{Problem, Problems, Value, text};
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::Range;

/// Largest seed: the largest integer that every reader of JSON holds exactly.
const LARGEST: u64 = (1 << 53) - 1;

/// An error that names flags instead of fields: `settings.q1` is `--set q1`, `without[0]` is `--without`.
pub fn named(problems: Problems) -> Stop {
    let flag = |problem: &Problem| {
        let field = match problem.field.split_once(['.', '[']) {
            Some(("settings", key)) => format!("set {key}"),
            Some(("bounds", key)) => format!("bounds {key}"),
            Some((field, _)) => field.to_owned(),
            None => problem.field.clone(),
        };
        Problem { field: format!("--{field}"), ..problem.clone() }
    };
    invalid(Problems(problems.0.iter().map(flag).collect(), problems.1).lines().collect::<Vec<_>>().join("\n  "))
}

/// Settings of a variant, given as `KEY=VALUE`.
pub fn settings(assignments: &[String]) -> Result<BTreeMap<String, Value>, Stop> {
    let mut tree = json!({ "settings": {} });
    for assignment in assignments {
        text::set(&mut tree, &format!("settings.{assignment}"))
            .map_err(|problem| invalid(format!("--set {problem}")))?;
    }
    quorumscope::lab::read(tree["settings"].take()).map_err(|problem| invalid(format!("--set {problem}")))
}

/// A range of seeds, given as `A..B`: from the first, to before the second.
pub fn seeds(text: &str) -> Result<Range<u64>, Stop> {
    let range = text.split_once("..").and_then(|(from, to)| Some(from.trim().parse().ok()?..to.trim().parse().ok()?));
    let good = |seeds: &Range<u64>| seeds.start < seeds.end && seeds.end <= LARGEST + 1;
    range.filter(good).ok_or_else(|| {
        invalid(format!(
            "--seeds: {text}: two numbers up to {LARGEST}, the first less than the second, would do, such as 0..1000"
        ))
    })
}
