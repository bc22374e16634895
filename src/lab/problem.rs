//! What is wrong with a document: where, what it says there, and what would do.

use std::fmt;

/// One thing wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `clients[1].rate` (lists count from 0, as in any JSON path). Empty: the document as a whole.
    pub field: String,
    /// What stands there. Empty: nothing.
    pub value: String,
    /// What is wrong and what would be accepted.
    pub says: String,
}

/// All that is wrong with a document, in its order.
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

impl std::error::Error for Problem {}
impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Problems {
        Problems(vec![problem])
    }
}

/// Gathers problems while a document is checked.
#[derive(Debug, Default)]
pub(super) struct Complaints(Vec<Problem>);

impl Complaints {
    /// Something is wrong with `value` at `field`.
    pub fn add(&mut self, field: impl fmt::Display, value: impl fmt::Display, says: impl Into<String>) {
        let value = shortened(&value.to_string());
        self.0.push(Problem { field: field.to_string(), value, says: says.into() });
    }

    /// `name` at `field` is none of `known`, which are `what` (such as `sites`).
    pub fn unknown<'a>(
        &mut self,
        field: impl fmt::Display,
        name: &str,
        what: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        self.add(field, format!("\"{name}\""), no_such(name, what, known));
    }

    /// `good`, if nothing is wrong.
    pub fn unless<T>(self, good: Option<T>) -> Result<T, Problems> {
        match good {
            Some(good) if self.0.is_empty() => Ok(good),
            _ => Err(Problems(self.0)),
        }
    }
}

/// Says that `name` is none of `known`, which one it may be meant to be, and which there are.
pub(super) fn no_such<'a>(name: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
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

/// Long values are cut: an error is to be read.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}
