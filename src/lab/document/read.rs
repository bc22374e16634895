//! Deserialising documents, and reading bounded numbers and quantities from their fields.
//!
//! The source may be TOML, JSON or a JavaScript value; errors name the field, its value and what would be accepted.

use super::Quantity;
use super::problem::{Problem, ProblemCollector, no_such, shortened};
use crate::core::Micros;
use serde::Deserialize;
use serde::de::Deserializer;

/// Most replicas at the start of a run.
pub const REPLICAS: usize = 15;
/// Longest time that a document may name, µs: one day.
pub const LONGEST: Micros = 24 * 3_600_000_000;
/// Longest round trip, µs.
pub(in crate::lab) const ROUND_TRIP: Micros = 60_000_000;

/// Deserialises a document. Errors: the first field of the wrong type, unknown or missing.
pub fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(source: D) -> Result<T, Problem> {
    serde_path_to_error::deserialize(source).map_err(|error| {
        let path = error.path().to_string();
        explain(if path == "." { "" } else { &path }, &error.inner().to_string())
    })
}

/// Translates an error message of serde at `path`.
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
        return Problem::new(&within(&shortened(field)), "", &format!("is no field; {says}"));
    }
    if message.starts_with("missing field") {
        let field = within(quoted.next().unwrap_or_default());
        return Problem::new(&field, "", "is missing, and needed");
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
            // Serde writes `string "x"` and ``integer `5` ``; the type is dropped.
            let bare = found.split_once(['`', '"']).map_or(found, |(_, bare)| bare.trim_end_matches(['`', '"']));
            let value = if found.starts_with("string") { format!("\"{}\"", shortened(bare)) } else { shortened(bare) };
            Problem { value, ..Problem::new(path, "", &says(expected)) }
        }
        None => Problem::new(path, "", message),
    }
}

/// The index of a site by its id; 0, and a problem, if there is no such site.
pub(in crate::lab) fn site(ids: &[&str], id: &str, field: String, problems: &mut ProblemCollector) -> u8 {
    ids.iter().position(|known| *known == id).map_or_else(
        || {
            problems.unknown(field, id, "sites", ids.iter().copied());
            0
        },
        |index| index as u8,
    )
}

/// A whole number from `least` to `most`, `default` if none is given.
pub(in crate::lab) fn whole(
    given: Option<u32>,
    field: &str,
    default: u32,
    least: u32,
    most: u32,
    problems: &mut ProblemCollector,
) -> u32 {
    let number = given.unwrap_or(default);
    if !(least..=most).contains(&number) {
        problems.add(field, number, format!("{least} to {most} would do"));
    }
    number.clamp(least, most)
}

/// A share in parts of a thousand, at most `most`; 0 if none is given.
pub(in crate::lab) fn share(given: &Option<Quantity>, field: &str, most: u64, problems: &mut ProblemCollector) -> u16 {
    match given.as_ref().map(|share| (share, share.permille())) {
        None => 0,
        Some((_, Ok(permille))) if permille <= most => permille as u16,
        Some((share, Ok(_))) => {
            problems.add(field, share, format!("0% to {} would do", Quantity::from_permille(most)));
            0
        }
        Some((share, Err(says))) => {
            problems.add(field, share, says);
            0
        }
    }
}

/// A time from `least` to `most`, µs; `default` if none is given.
pub(in crate::lab) fn time(
    given: &Option<Quantity>,
    field: &str,
    default: Micros,
    least: Micros,
    most: Micros,
    problems: &mut ProblemCollector,
) -> Micros {
    match given.as_ref().map(|time| (time, time.micros())) {
        None => default,
        Some((_, Ok(micros))) if (least..=most).contains(&micros) => micros,
        Some((time, Ok(_))) => {
            problems.add(field, time, between(least, most));
            default
        }
        Some((time, Err(says))) => {
            problems.add(field, time, says);
            default
        }
    }
}

/// The message for a time that is out of bounds.
pub(in crate::lab) fn between(least: Micros, most: Micros) -> String {
    format!("{} to {} would do", Quantity::from_micros(least), Quantity::from_micros(most))
}

/// The message for a time after [`LONGEST`].
pub(in crate::lab) fn too_long() -> String {
    between(0, LONGEST)
}
