//! Flags shared by several commands, and errors in terms of the flags they came from.

use crate::{Stop, invalid};
use quorumscope::lab::{Problem, Problems, Value, text};
use serde_json::json;
use std::collections::BTreeMap;

/// An error that names flags instead of fields: `settings.q1` is `--set q1`, `without[0]` is `--without`.
pub fn named(Problems(problems): Problems) -> Stop {
    let flag = |problem: &Problem| {
        let field = match problem.field.split_once(['.', '[']) {
            Some(("settings", key)) => format!("set {key}"),
            Some(("bounds", key)) => format!("bounds {key}"),
            Some((field, _)) => field.to_owned(),
            None => problem.field.clone(),
        };
        format!("--{}", Problem { field, ..problem.clone() })
    };
    invalid(problems.iter().map(flag).collect::<Vec<_>>().join("\n  "))
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
