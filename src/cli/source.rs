//! Where a scenario comes from: a file, a built-in one, a link, or standard input.

use crate::{Source, Stop, invalid};
use quorumscope::lab::text::{self, LARGEST};
use quorumscope::lab::{Document, Problems, presets, round_trips};
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads the scenario and applies the flags.
pub fn document(source: &Source) -> Result<Document, Stop> {
    let mut tree = tree(&source.scenario)?;
    let scenario = if tree.get("scenario").is_some() { &mut tree["scenario"] } else { &mut tree };
    if let Some(path) = &source.rtt {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| invalid(format!("--rtt: {name}: cannot be read: {error}")))?;
        let table =
            round_trips::read(&all_of(file, &name)?).map_err(|problem| invalid(format!("--rtt: {name}: {problem}")))?;
        table.put_into(scenario).map_err(|problem| invalid(format!("--rtt: {problem}")))?;
    }
    for assignment in &source.set {
        text::set(scenario, assignment).map_err(|problem| invalid(format!("--set {problem}")))?;
    }
    if let Some(seed) = source.seed {
        text::set(scenario, &format!("seed={seed}")).map_err(invalid)?;
    }
    text::document(tree).map_err(|problems| about(&source.scenario, problems))
}

/// An error that names the scenario that the problems are in.
pub fn about(name: &str, problems: Problems) -> Stop {
    let name = match name {
        "-" => "standard input",
        name if text::is_link(name) => "the link",
        name => name,
    };
    match problems.count() {
        1 => invalid(format!("{name}: {problems}")),
        many => {
            let lines: Vec<String> = problems.lines().map(|line| format!("\n  {line}")).collect();
            invalid(format!("{name} has {many} problems:{}", lines.concat()))
        }
    }
}

fn tree(name: &str) -> Result<Value, Stop> {
    let problem = |problem| about(name, Problems::from(problem));
    if name == "-" {
        let text = all_of(io::stdin(), "standard input")?;
        let trimmed = text.trim();
        return match trimmed {
            _ if text::is_link(trimmed) => text::tree_from_link(trimmed),
            _ if trimmed.starts_with('{') => text::tree_from_json(trimmed),
            _ => text::tree_from_toml(&text),
        }
        .map_err(problem);
    }
    if text::is_link(name) {
        return text::tree_from_link(name).map_err(problem);
    }
    let path = Path::new(name);
    if !path.exists()
        && let Some(preset) = presets::preset(name)
    {
        return text::tree_from_json(preset.json).map_err(problem);
    }
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => invalid(text::no_such_scenario(name)),
        _ => invalid(format!("{name}: cannot be read: {error}")),
    })?;
    let text = all_of(file, name)?;
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("json") => text::tree_from_json(&text),
        Some("toml") => text::tree_from_toml(&text),
        _ => return Err(invalid(format!("{name}: a scenario's file ends in .toml or .json"))),
    }
    .map_err(problem)
}

/// The whole text of a file, bounded likewise.
pub fn read_file(path: &Path) -> Result<String, Stop> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| invalid(format!("{name}: cannot be read: {error}")))?;
    all_of(file, &name)
}

/// The whole text of a source, bounded by [`LARGEST`].
fn all_of(source: impl Read, name: &str) -> Result<String, Stop> {
    let mut bytes = Vec::new();
    let unreadable = |error| invalid(format!("{name}: cannot be read: {error}"));
    source.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > LARGEST {
        return Err(invalid(format!("{name}: is larger than {LARGEST} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| invalid(format!("{name}: is not text in UTF-8")))
}
