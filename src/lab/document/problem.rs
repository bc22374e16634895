//! Errors in documents: the field, its value, and what would be accepted.

use crate::core::SettingError;
use std::fmt;

/// One error in a document or a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path of the field, such as `clients[1].rate` (lists count from 0). Empty: the document as a whole.
    pub field: String,
    /// The value found, shortened. Empty: none.
    pub value: String,
    /// What is wrong with it, and what would be accepted.
    pub says: String,
}

/// All errors in a document, in the order of its fields. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.field.as_str(), self.value.as_str()) {
            ("", _) => f.write_str(&self.says),
            (field, "") => write!(f, "{field}: {}", self.says),
            (field, value) => write!(f, "{field}: {value}: {}", self.says),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Problem {
    /// What a protocol says does not fit: one of its settings, or the number of `replicas`.
    pub fn of_protocol((key, says): SettingError) -> Problem {
        let field = if key == "replicas" { key.to_owned() } else { format!("settings.{key}") };
        Problem { field, value: String::new(), says: says.to_owned() }
    }
}

impl std::error::Error for Problem {}
impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Problems {
        Problems(vec![problem])
    }
}

/// Collects problems while a document is checked, so that all of them are reported at once.
#[derive(Debug, Default)]
pub(in crate::lab) struct ProblemCollector(Vec<Problem>);

impl ProblemCollector {
    /// Adds a problem: `value` at `field` is not accepted; `says` tells what would be.
    pub fn add(&mut self, field: impl fmt::Display, value: impl fmt::Display, says: impl Into<String>) {
        let value = shortened(&value.to_string());
        self.0.push(Problem { field: field.to_string(), value, says: says.into() });
    }

    /// Adds a problem: `name` at `field` is none of `known`. `what` is what `known` are called, such as `sites`.
    pub fn unknown<'a>(
        &mut self,
        field: impl fmt::Display,
        name: &str,
        what: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        self.add(field, format!("\"{name}\""), no_such(name, what, known));
    }

    /// Adds the problems of a part of the document, found at `path`.
    pub fn add_within(&mut self, path: &str, part: ProblemCollector) {
        self.0.extend(
            part.0.into_iter().map(|problem| Problem { field: format!("{path}.{}", problem.field), ..problem }),
        );
    }

    /// `good` if there are no problems. Errors: the problems collected.
    pub fn into_result<T>(self, good: Option<T>) -> Result<T, Problems> {
        match good {
            Some(good) if self.0.is_empty() => Ok(good),
            _ => Err(Problems(self.0)),
        }
    }
}

/// The message for a name that is none of `known`: the closest known name by edit distance, if it is close, and the list.
pub(in crate::lab) fn no_such<'a>(name: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if known.is_empty() {
        return format!("there are no {what} here");
    }
    let distance = |other: &&&str| strsim::damerau_levenshtein(&shortened(name).to_lowercase(), &other.to_lowercase());
    let meant = known.iter().min_by_key(distance).filter(|best| distance(best) <= best.len() / 3 + 1);
    let known_are = format!("he {what} are {}", known.join(", "));
    match meant {
        Some(meant) => format!("did you mean \"{meant}\"? T{known_are}"),
        None => format!("t{known_are}"),
    }
}

/// The first 60 characters of a value, so that an error message stays readable.
pub(in crate::lab) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}
